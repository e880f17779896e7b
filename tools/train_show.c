/* SPDX-License-Identifier: Apache-2.0 */
/* What a training says of itself on standard error; see train_show.h. */
#include "tools/train_show.h"

#include <stdio.h>

void shoal_train_show_progress(void *context, bool refit, uint32_t epoch, uint64_t done,
                               uint64_t total)
{
    struct shoal_train_show *show = context;
    (void)refit;
    show->seen = done;
    double fraction = show->epochs && total
                          ? ((double)epoch - 1 + (double)done / (double)total) /
                                (double)show->epochs
                          : -1;
    shoal_progress_update(&show->line, fraction, show->done_before + done);
}

static void print_objectives(const struct shoal_train_epoch *epoch)
{
    static const char *const names[] = {
#define X(objective) #objective,
        SHOAL_OBJECTIVE_LIST(X)
#undef X
    };
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        if (epoch->objective_losses[o] > 0)
            fprintf(stderr, " %s %.4f", names[o], epoch->objective_losses[o]);
    fputc('\n', stderr);
}

void shoal_train_show_epoch(void *context, const struct shoal_train_epoch *epoch)
{
    struct shoal_train_show *show = context;
    shoal_progress_end(&show->line);
    show->done_before += show->seen;
    show->seen = 0;
    show->epochs = epoch->epochs;
    if (epoch->pretraining) {
        fprintf(stderr, "pre-training %u/%u ", epoch->epoch, epoch->epochs);
        print_objectives(epoch);
    } else if (epoch->refit)
        fprintf(stderr, "refit %3u/%u  train loss %.5f\n", epoch->epoch, epoch->epochs,
                epoch->train_loss);
    else if (epoch->epoch == 0)
        fprintf(stderr, "regression                          validation loss %.5f  ROC-AUC %.4f\n",
                epoch->valid_loss, epoch->valid_auc);
    else
        fprintf(stderr,
                "epoch %3u/%u  train loss %.5f  validation loss %.5f  ROC-AUC %.4f  network %.2f%s\n",
                epoch->epoch, epoch->epochs, epoch->train_loss, epoch->valid_loss,
                epoch->valid_auc, epoch->share, epoch->best ? "  best" : "");
}
