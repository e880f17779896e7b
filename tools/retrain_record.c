/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a round: its line in DIR/runs.jsonl (deploy/formats.md) and what a person is
 * told. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/event.h"
#include "stream/units.h"
#include "tools/drift_print.h"
#include "stream/put_json.h"
#include "tools/retrain.h"

const char *shoal_decision_text(enum shoal_decision decision)
{
    static const char *const texts[] = {
#define X(name, text) [SHOAL_DECISION_##name] = text,
        SHOAL_DECISION_LIST(X)
#undef X
    };
    return texts[decision];
}

static const char *or_null(const char *version)
{
    return version[0] ? version : NULL;
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void put_data(struct shoal_put *put, const struct shoal_retrain_options *options,
                     const struct shoal_retrain_run *run)
{
    shoal_put_open(put, "data", '{');
    shoal_put_text(put, "files", options->events);
    if (run->loaded) {
        shoal_put_hash(put, "fingerprint", run->fingerprint);
        shoal_put_count(put, "messages", run->load.walked.messages);
        shoal_put_count(put, "refused", run->load.walked.refused);
        shoal_put_count(put, "events", run->events_count);
        shoal_put_count(put, "users", run->users_count);
        shoal_put_count(put, "late", run->late_count);
        shoal_put_count(put, "repeated", run->repeated_count);
        if (run->events_count) {
            shoal_put_time(put, "from", run->first_ms);
            shoal_put_time(put, "until", run->end_ms);
        }
    }
    shoal_put_close(put, '}');
}

static void put_options(struct shoal_put *put, const struct shoal_retrain_options *options)
{
    const struct shoal_train_options *train = &options->train;
    shoal_put_open(put, "options", '{');
    shoal_put_real(put, "window_seconds", (double)options->window_ms / 1000);
    shoal_put_real(put, "sealed_seconds", (double)options->sealed_ms / 1000);
    shoal_put_real(put, "margin", options->margin);
    shoal_put_flag(put, "if_drifted", options->if_drifted);
    shoal_put_real(put, "max_age_seconds", (double)options->max_age_ms / 1000);
    shoal_put_real(put, "recent_seconds", (double)options->recent_ms / 1000);
    shoal_put_count(put, "seed", train->seed);
    shoal_put_count(put, "hidden", train->dims.hidden);
    shoal_put_count(put, "item_buckets", train->dims.item_buckets);
    shoal_put_count(put, "category_buckets", train->dims.category_buckets);
    shoal_put_int(put, "epochs", train->epochs == SHOAL_TRAIN_AUTO ? -1 : (int64_t)train->epochs);
    shoal_put_count(put, "patience", train->patience);
    shoal_put_count(put, "batch", train->batch);
    shoal_put_real(put, "learning_rate", (double)train->learning_rate);
    shoal_put_close(put, '}');
}

static void put_training(struct shoal_put *put, const struct shoal_retrain_run *run)
{
    const struct shoal_train_summary *summary = &run->summary;
    shoal_put_open(put, "training", '{');
    shoal_put_time(put, "from", run->origin.train_from_ms);
    shoal_put_time(put, "until", run->origin.train_until_ms);
    shoal_put_hash(put, "fingerprint", run->origin.data_fingerprint);
    shoal_put_count(put, "events", summary->events_count);
    shoal_put_count(put, "users", summary->users_count);
    shoal_put_count(put, "labels", summary->train_count);
    shoal_put_real(put, "base_rate", summary->train_base_rate);
    shoal_put_count(put, "best_epoch", summary->best_epoch);
    shoal_put_count(put, "epochs", summary->epochs);
    shoal_put_count(put, "batch", summary->batch);
    shoal_put_open(put, "validation", '{');
    shoal_put_metrics(put, &summary->valid);
    shoal_put_close(put, '}');
    shoal_put_close(put, '}');
}

static void put_judged(struct shoal_put *put, const char *name,
                       const struct shoal_metrics *event_level,
                       const struct shoal_metrics *user_level)
{
    shoal_put_open(put, name, '{');
    shoal_put_metrics(put, event_level);
    if (user_level) {
        shoal_put_open(put, "user_level", '{');
        shoal_put_metrics(put, user_level);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, '}');
}

static void put_rival(struct shoal_put *put, const char *name, const struct shoal_rival *rival)
{
    if (!rival->there)
        return;
    shoal_put_open(put, name, '{');
    shoal_put_measures(put, rival->difference, rival->intervals);
    shoal_put_close(put, '}');
}

static void put_sealed(struct shoal_put *put, const struct shoal_retrain_run *run)
{
    const struct shoal_comparison *comparison = &run->comparison;
    shoal_put_open(put, "sealed", '{');
    shoal_put_time(put, "from", run->sealed_from_ms);
    shoal_put_time(put, "until", run->sealed_until_ms);
    if (run->compared) {
        shoal_put_flag(put, "seen_by_incumbent", comparison->incumbent_saw_window);
        put_judged(put, "challenger", &comparison->event_level, &comparison->user_level);
        if (comparison->incumbent.there)
            put_judged(put, "incumbent", &comparison->incumbent.event_level,
                       &comparison->incumbent.user_level);
        if (comparison->prior.there)
            put_judged(put, "prior", &comparison->prior.event_level, NULL);
        put_rival(put, "challenger_minus_incumbent", &comparison->incumbent);
        put_rival(put, "challenger_minus_prior", &comparison->prior);
    }
    shoal_put_close(put, '}');
}

static void put_clusters(struct shoal_put *put, const struct shoal_train_clusters_report *report)
{
    shoal_put_open(put, "clusters", '{');
    shoal_put_count(put, "count", report->found.clusters);
    shoal_put_real(put, "stability", report->found.stability.mean);
    shoal_put_count(put, "kept", report->kept);
    shoal_put_count(put, "new", report->fresh);
    shoal_put_count(put, "retired", report->retired);
    shoal_put_close(put, '}');
}

void shoal_retrain_put(const struct shoal_retrain_options *options,
                       const struct shoal_retrain_run *run, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "command", "retrain");
    shoal_put_time(&put, "time", run->started_wall_ms);
    shoal_put_real(&put, "seconds", (double)run->took_ms / 1000);
    shoal_put_text(&put, "decision", shoal_decision_text(run->decision));
    shoal_put_text(&put, "reason", run->reason.text);
    shoal_put_text(&put, "challenger", or_null(run->challenger));
    shoal_put_text(&put, "incumbent", or_null(run->incumbent));
    shoal_put_text(&put, "in_service", or_null(run->in_service));
    if (run->incumbent_error.text[0])
        shoal_put_text(&put, "incumbent_error", run->incumbent_error.text);
    if (run->trigger.text[0])
        shoal_put_text(&put, "trigger", run->trigger.text);
    put_data(&put, options, run);
    put_options(&put, options);
    if (run->trained)
        put_training(&put, run);
    if (run->learnt.clusters.kept + run->learnt.clusters.fresh)
        put_clusters(&put, &run->learnt.clusters);
    if (run->loaded && run->events_count)
        put_sealed(&put, run);
    if (run->looked)
        shoal_drift_put(&put, "drift", &run->drift);
    shoal_put_close(&put, '}');
    fputc('\n', out);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void print_measure(const struct shoal_comparison *comparison, const char *title,
                          enum shoal_measure measure, FILE *out)
{
    const struct shoal_rival *incumbent = &comparison->incumbent;
    const struct shoal_interval *own = &comparison->event_level.intervals[measure];
    fprintf(out, "  %-9s %.4f [%.4f, %.4f]", title, comparison->event_level.values[measure],
            own->low, own->high);
    if (incumbent->there)
        fprintf(out, "   incumbent %.4f   difference %+.4f [%+.4f, %+.4f]",
                incumbent->event_level.values[measure], incumbent->difference[measure],
                incumbent->intervals[measure].low, incumbent->intervals[measure].high);
    else if (comparison->prior.there)
        fprintf(out, "   prior %.4f", comparison->prior.event_level.values[measure]);
    fputc('\n', out);
}

static void print_window(const char *title, int64_t from_ms, int64_t until_ms, FILE *out)
{
    char from[25], until[25];
    shoal_time_print(from_ms, from);
    shoal_time_print(until_ms, until);
    fprintf(out, "  %-9s %s to %s", title, from, until);
}

static void print_drift(const struct shoal_retrain_run *run, FILE *out)
{
    unsigned drifted = 0;
    if (!run->looked)
        return;
    for (uint32_t i = 0; i < run->drift.count; i++)
        drifted += run->drift.drifts[i].drifted;
    if (!run->drift.judged)
        fprintf(out, "  drift     not judged, too few events\n");
    else
        fprintf(out, "  drift     %u of %u distributions of the model in service\n", drifted,
                run->drift.count);
}

void shoal_retrain_print(const struct shoal_retrain_run *run, FILE *out)
{
    fprintf(out, "%s%s%s: %s\n", shoal_decision_text(run->decision), run->challenger[0] ? " " : "",
            run->challenger, run->reason.text);
    fprintf(out, "  in service %s\n", run->in_service[0] ? run->in_service : "none");
    if (run->trigger.text[0])
        fprintf(out, "  because   %s\n", run->trigger.text);
    print_drift(run, out);
    if (run->learnt.clusters.kept + run->learnt.clusters.fresh)
        fprintf(out, "  clusters  %zu, stability %.2f; %zu continue those in service, %zu are new, "
                     "%zu retired\n",
                run->learnt.clusters.found.clusters, run->learnt.clusters.found.stability.mean, run->learnt.clusters.kept,
                run->learnt.clusters.fresh, run->learnt.clusters.retired);
    else if (run->learnt.clusters.why_not.text[0])
        fprintf(out, "  clusters  none: %s\n", run->learnt.clusters.why_not.text);
    if (run->trained) {
        print_window("trained", run->from_ms, run->sealed_from_ms, out);
        fprintf(out, ", %zu events of %zu users\n", run->summary.events_count,
                run->summary.users_count);
    }
    if (run->compared) {
        print_window("sealed", run->sealed_from_ms, run->sealed_until_ms, out);
        fprintf(out, ", %zu events of %zu users, base rate %.4f\n",
                run->comparison.event_level.events_count, run->comparison.event_level.users_count,
                run->comparison.event_level.base_rate);
        print_measure(&run->comparison, "log loss", SHOAL_MEASURE_log_loss, out);
        print_measure(&run->comparison, "ROC-AUC", SHOAL_MEASURE_roc_auc, out);
        print_measure(&run->comparison, "PR-AUC", SHOAL_MEASURE_pr_auc, out);
        print_measure(&run->comparison, "ECE", SHOAL_MEASURE_ece, out);
    }
    fprintf(out, "  took      %.1f s\n", (double)run->took_ms / 1000);
}

/* ---- runs.jsonl ----------------------------------------------------------------------------- */

/* One write to a file opened for appending: lines of two writers do not mix. */
static bool append_whole(int fd, const char *line, size_t size)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        return false;
    bool ended = last == '\n';
    char *bytes = malloc(size + 1);
    if (!bytes)
        return false;
    bytes[0] = '\n';
    memcpy(bytes + 1, line, size);
    const char *from = ended ? bytes + 1 : bytes;
    size_t count = ended ? size : size + 1;
    bool whole = write(fd, from, count) == (ssize_t)count && fsync(fd) == 0;
    free(bytes);
    return whole;
}

enum shoal_status shoal_runs_append(const char *dir, const char *line, size_t size,
                                    struct shoal_message *message)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/runs.jsonl", dir);
    if (length < 0 || (size_t)length >= sizeof path)
        return shoal_fail(message, SHOAL_INVALID, "%s: the path is too long", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    errno = 0;
    enum shoal_status status = SHOAL_OK;
    if (!append_whole(fd, line, size))
        status = shoal_fail(message, SHOAL_IO, "%s: %s", path,
                            errno ? strerror(errno) : "written in part");
    close(fd);
    return status;
}

enum shoal_status shoal_retrain_record(const struct shoal_retrain_options *options,
                                       const struct shoal_retrain_run *run,
                                       struct shoal_message *message)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (out)
        shoal_retrain_put(options, run, out);
    bool failed = !out || ferror(out);
    if (out && fclose(out) != 0)
        failed = true;
    enum shoal_status status = failed ? shoal_fail(message, SHOAL_NOMEM, "out of memory")
                                      : shoal_runs_append(options->dir, line, size, message);
    free(line);
    return status;
}
