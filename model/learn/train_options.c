/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and ranges of the options; see train.h. */
#include "model/learn/train.h"

static struct shoal_task_mix mix_default(void)
{
    struct shoal_task_mix mix;
    for (int task = 0; task < SHOAL_TASKS; task++) {
        mix.share[task] = 0;
        mix.scale[task] = 1;
    }
    mix.share[SHOAL_buy_24h] = 1;
    mix.positive = 1;
    return mix;
}

struct shoal_train_options shoal_train_options_default(void)
{
    return (struct shoal_train_options){
        .dims = shoal_dims_default(),
        .seed = 1,
        .steps = 32,
        .epochs = SHOAL_TRAIN_AUTO,
        .learning_rate = 2e-3f,
        .embedding_rate = -1,
        .weight_decay = 0.05f,
        .dropout_inputs = 0.2f,
        .dropout_hidden = 0.3f,
        .weekday_days = 14,
        .random_starts = 0.5f,
        .mix = mix_default(),
        .objectives = shoal_objective_options_default(0.3f),
        .objectives_auto = true,
        .pretrain_objectives = shoal_objective_options_default(1),
        .pretrain_epochs = 3,
        .clip = 1.0f,
        .averaging = 0.99f,
        .user_balance = 0.5f,
        .teacher_weight = 0.5f,
        .refit = true,
    };
}

enum shoal_status shoal_train_options_check(const struct shoal_train_options *options,
                                            struct shoal_message *message)
{
    const struct {
        const char *name;
        double value, min, max;
    } bounds[] = {
        {"batch", options->batch, 0, 4096},
        {"steps", options->steps, 1, 4096},
        {"epochs", options->epochs == SHOAL_TRAIN_AUTO ? 0 : options->epochs, 0, 10000},
        {"patience", options->patience, 0, 10000},
        {"learning rate", (double)options->learning_rate, 1e-7, 1},
        {"embedding rate", (double)options->embedding_rate, -1, 10},
        {"days for the weekday", options->weekday_days, 0, 10000},
        {"weight decay", (double)options->weight_decay, 0, 10},
        {"input dropout", (double)options->dropout_inputs, 0, 0.9},
        {"hidden dropout", (double)options->dropout_hidden, 0, 0.9},
        {"recurrent dropout", (double)options->dropout_recurrent, 0, 0.9},
        {"L2", (double)options->l2, 0, 10},
        {"random starts", (double)options->random_starts, 0, 1},
        {"epochs of pre-training", options->pretrain_epochs, 0, 1000},
        {"negatives", options->objectives.negatives, 0, 65536},
        {"clip", (double)options->clip, 1e-6, 1e6},
        {"weight of the teacher", (double)options->teacher_weight, 0, 1},
        {"user balance", (double)options->user_balance, 0, 1},
        {"averaging", (double)options->averaging, 0, 0.99999},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (!(bounds[i].value >= bounds[i].min && bounds[i].value <= bounds[i].max))
            return shoal_fail(message, SHOAL_INVALID, "%s is %g, must be %g to %g", bounds[i].name,
                              bounds[i].value, bounds[i].min, bounds[i].max);
    return shoal_dims_check(&options->dims, message);
}
