/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs kept and written as JSON; see train_log.h. */
#include "tools/train_log.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/describe_data.h"
#include "tools/describe_model.h"
#include "stream/put_json.h"

void shoal_train_log_add(struct shoal_train_log *log, const struct shoal_train_epoch *epoch)
{
    if (log->count == log->capacity) {
        size_t capacity = log->capacity ? 2 * log->capacity : 64;
        struct shoal_train_epoch *epochs =
            reallocarray(log->epochs, capacity, sizeof *log->epochs);
        if (!epochs) {
            log->failed = true;
            return;
        }
        log->epochs = epochs;
        log->capacity = capacity;
    }
    log->epochs[log->count++] = *epoch;
}

void shoal_train_log_finish(struct shoal_train_log *log)
{
    free(log->epochs);
    *log = (struct shoal_train_log){0};
}

static void put_options(struct shoal_put *put, const struct shoal_cli_args *args,
                        const struct shoal_cli_option *options)
{
    shoal_put_open(put, "options", '{');
    for (size_t i = 0; options[i].name; i++) {
        const char *value = shoal_cli_get(args, options[i].name);
        if (options[i].argument)
            shoal_put_text(put, options[i].name, value);
        else
            shoal_put_flag(put, options[i].name, value);
    }
    shoal_put_close(put, '}');
}

static void put_metrics(struct shoal_put *put, const char *key, const struct shoal_metrics *metrics)
{
    shoal_put_open(put, key, '{');
    shoal_put_metrics(put, metrics);
    shoal_put_close(put, '}');
}

/* Mean loss of each objective that was wanted. */
static void put_objectives(struct shoal_put *put, const struct shoal_train_epoch *epoch)
{
    static const char *const names[] = {
#define X(objective) #objective,
        SHOAL_OBJECTIVE_LIST(X)
#undef X
    };
    shoal_put_open(put, "objectives", '{');
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        if (epoch->objective_losses[o] > 0)
            shoal_put_real(put, names[o], epoch->objective_losses[o]);
    shoal_put_close(put, '}');
}

static void put_epochs(struct shoal_put *put, const struct shoal_train_log *log)
{
    shoal_put_open(put, "epochs", '[');
    for (size_t i = 0; i < log->count; i++) {
        const struct shoal_train_epoch *epoch = &log->epochs[i];
        shoal_put_open(put, NULL, '{');
        shoal_put_count(put, "epoch", epoch->epoch);
        shoal_put_flag(put, "pretraining", epoch->pretraining);
        shoal_put_flag(put, "refit", epoch->refit);
        shoal_put_flag(put, "best", epoch->best);
        shoal_put_real(put, "train_loss", epoch->train_loss);
        shoal_put_real(put, "valid_loss", epoch->valid_loss);
        shoal_put_real(put, "valid_auc", epoch->valid_auc);
        shoal_put_real(put, "network_share", epoch->share);
        put_objectives(put, epoch);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

static void put_calibration(struct shoal_put *put, const struct shoal_calibration_fit *fit)
{
    shoal_put_open(put, "calibration", '{');
    shoal_put_text(put, "kind", fit->map.knots ? "isotonic" : "line");
    shoal_put_count(put, "positives", fit->positives);
    shoal_put_count(put, "users", fit->users_count);
    shoal_put_real(put, "isotonic_less_line", fit->compared ? fit->difference : NAN);
    shoal_put_real(put, "standard_error", fit->compared ? fit->error : NAN);
    shoal_put_close(put, '}');
}

static void put_summary(struct shoal_put *put, const struct shoal_train_summary *summary,
                        double seconds)
{
    shoal_put_real(put, "seconds", seconds);
    shoal_put_count(put, "train_count", summary->train_count);
    shoal_put_real(put, "train_base_rate", summary->train_base_rate);
    shoal_put_count(put, "valid_count", summary->valid_count);
    shoal_put_count(put, "best_epoch", summary->best_epoch);
    shoal_put_count(put, "epochs_run", summary->epochs);
    shoal_put_count(put, "batch", summary->batch);
    shoal_put_real(put, "ridge", summary->ridge);
    shoal_put_real(put, "network_share", summary->share);
    put_metrics(put, "valid", &summary->valid);
    put_metrics(put, "valid_regression", &summary->valid_regression);
    put_calibration(put, &summary->calibration);
}

/* Into a file beside the place, which then takes the place. */
static FILE *open_beside(const char *path, char **temporary)
{
    *temporary = NULL;
    if (asprintf(temporary, "%s.XXXXXX", path) < 0) {
        *temporary = NULL;
        return NULL;
    }
    int fd = mkstemp(*temporary);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out && fd >= 0)
        close(fd);
    return out;
}

static void put_left_out(struct shoal_put *put, const struct shoal_preparation *preparation)
{
    shoal_put_open(put, "left_out", '{');
    shoal_put_count(put, "unbought", preparation->unbought_count);
    shoal_put_count(put, "few_users", preparation->few_users);
    shoal_put_count(put, "few", preparation->few_count);
    shoal_put_close(put, '}');
}

static void put_run(const struct shoal_train_log *log, const struct shoal_train_run *run, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    put_options(&put, run->args, run->options);
    put_summary(&put, run->summary, run->seconds);
    shoal_describe_model(&put, "model", run->model);
    shoal_describe_data(&put, "data", run->dataset, run->load);
    put_left_out(&put, run->preparation);
    put_epochs(&put, log);
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

enum shoal_status shoal_train_log_write(const struct shoal_train_log *log, const char *path,
                                        const struct shoal_train_run *run,
                                        struct shoal_message *message)
{
    char *temporary;
    FILE *out = open_beside(path, &temporary);
    bool failed = !out;
    if (out) {
        put_run(log, run, out);
        failed = ferror(out) || fchmod(fileno(out), 0644) != 0;
        failed = fclose(out) != 0 || failed || rename(temporary, path) != 0;
        if (failed)
            unlink(temporary);
    }
    free(temporary);
    return failed ? shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno)) : SHOAL_OK;
}
