/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs kept and written as JSON; see train_log.h. */
#include "tools/train_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/describe_data.h"
#include "tools/describe_model.h"
#include "tools/json_print.h"

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

static void put_options(const struct shoal_cli_args *args, const struct shoal_cli_option *options,
                        FILE *out)
{
    fputs("\"options\":{", out);
    for (size_t i = 0; options[i].name; i++) {
        fprintf(out, "%s\"%s\":", i ? "," : "", options[i].name);
        if (options[i].argument)
            shoal_json_text(shoal_cli_get(args, options[i].name), out);
        else
            fputs(shoal_cli_get(args, options[i].name) ? "true" : "false", out);
    }
    fputc('}', out);
}

static void put_metrics(const char *name, const struct shoal_metrics *metrics, FILE *out)
{
    fprintf(out, ",\n\"%s\":{\"n\":%zu,\"users\":%zu,\"base_rate\":", name, metrics->events_count,
            metrics->users_count);
    shoal_json_number(metrics->base_rate, out);
    fputc(',', out);
    shoal_json_measures(metrics->values, metrics->intervals, out);
    fputc('}', out);
}

static void put_epochs(const struct shoal_train_log *log, FILE *out)
{
    fputs(",\n\"epochs\":[", out);
    for (size_t i = 0; i < log->count; i++) {
        const struct shoal_train_epoch *epoch = &log->epochs[i];
        fprintf(out, "%s\n{\"epoch\":%u,\"refit\":%s,\"best\":%s,\"train_loss\":", i ? "," : "",
                epoch->epoch, epoch->refit ? "true" : "false", epoch->best ? "true" : "false");
        shoal_json_number(epoch->train_loss, out);
        fputs(",\"valid_loss\":", out);
        shoal_json_number(epoch->valid_loss, out);
        fputs(",\"valid_auc\":", out);
        shoal_json_number(epoch->valid_auc, out);
        fputc('}', out);
    }
    fputc(']', out);
}

static void put_summary(const struct shoal_train_summary *summary, double seconds, FILE *out)
{
    fprintf(out,
            ",\n\"seconds\":%.1f,\"train_count\":%zu,\"train_base_rate\":%.6f,\"valid_count\":%zu,"
            "\"best_epoch\":%u,\"epochs_run\":%u,\"batch\":%u,\"ridge\":%g,\"network_share\":%g",
            seconds, summary->train_count, summary->train_base_rate, summary->valid_count,
            summary->best_epoch, summary->epochs, summary->batch, summary->ridge,
            summary->share);
    put_metrics("valid", &summary->valid, out);
    put_metrics("valid_regression", &summary->valid_regression, out);
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

enum shoal_status shoal_train_log_write(const struct shoal_train_log *log, const char *path,
                                        const struct shoal_cli_args *args,
                                        const struct shoal_cli_option *options,
                                        const struct shoal_dataset *dataset,
                                        const struct shoal_load *load,
                                        const struct shoal_model *model,
                                        const struct shoal_train_summary *summary, double seconds,
                                        struct shoal_message *message)
{
    char *temporary;
    FILE *out = open_beside(path, &temporary);
    bool failed = !out;
    if (out) {
        fputc('{', out);
        put_options(args, options, out);
        put_summary(summary, seconds, out);
        fputs(",\n\"model\":", out);
        shoal_describe_model_json(model, out);
        fputs(",\n\"data\":", out);
        shoal_describe_data_json(dataset, load, out);
        put_epochs(log, out);
        fputs("}\n", out);
        failed = ferror(out) || fchmod(fileno(out), 0644) != 0;
        failed = fclose(out) != 0 || failed || rename(temporary, path) != 0;
        if (failed)
            unlink(temporary);
    }
    free(temporary);
    return failed ? shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno)) : SHOAL_OK;
}
