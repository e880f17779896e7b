/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal models`: which models there are, which one serves, how each came about; and the way back
 * to an earlier one. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/models_dir.h"
#include "stream/event.h"
#include "stream/model_runs.h"
#include "stream/put_json.h"
#include "stream/units.h"
#include "tools/commands.h"
#include "tools/drift_print.h"
#include "tools/retrain.h"
#include "tools/setup.h"

/* ---- runs ----------------------------------------------------------------------------------- */

static bool says(const char *line, const char *key, const char *wanted)
{
    char text[64];
    return shoal_line_text(line, key, text, sizeof text) && strcmp(text, wanted) == 0;
}

/* The run that published this version, else the last one that made it. */
static const char *run_of(const struct shoal_model_runs *runs, const char *version)
{
    const char *last = NULL;
    for (size_t i = runs->count; i-- > 0;) {
        if (!says(runs->lines[i], "challenger", version))
            continue;
        if (says(runs->lines[i], "decision", "published"))
            return runs->lines[i];
        if (!last)
            last = runs->lines[i];
    }
    return last;
}

/* The last run that put this version into service. */
static const char *service_of(const struct shoal_model_runs *runs, const char *version)
{
    for (size_t i = runs->count; i-- > 0;)
        if (says(runs->lines[i], "in_service", version) &&
            (says(runs->lines[i], "decision", "published") ||
             says(runs->lines[i], "decision", "rolled_back")))
            return runs->lines[i];
    return NULL;
}

static int print_runs(const struct shoal_cli_args *args, const struct shoal_model_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++) {
        const char *line = runs->lines[i];
        char time[32] = "-", decision[32] = "-", challenger[17] = "-", reason[512] = "";
        if (shoal_cli_get(args, "json")) {
            puts(line);
            continue;
        }
        (void)shoal_line_text(line, "time", time, sizeof time);
        (void)shoal_line_text(line, "decision", decision, sizeof decision);
        (void)shoal_line_text(line, "reason", reason, sizeof reason);
        if (!shoal_line_text(line, "challenger", challenger, sizeof challenger) &&
            strcmp(decision, shoal_decision_text(SHOAL_DECISION_ROLLED_BACK)) == 0)
            (void)shoal_line_text(line, "in_service", challenger, sizeof challenger);
        printf("%.19sZ  %-11s  %-16s  %s\n", time, decision, challenger, reason);
    }
    return SHOAL_EXIT_OK;
}

/* ---- list ----------------------------------------------------------------------------------- */

struct listing {
    const char *dir, *current;
    const struct shoal_model_runs *runs;
    struct shoal_put *put; /* NULL: a table */
    size_t count;
};

static void put_model(struct shoal_put *put, const struct shoal_model *model)
{
    const struct shoal_model_origin *origin = &model->origin;
    shoal_put_time(put, "trained_from", origin->train_from_ms);
    shoal_put_time(put, "trained_until", origin->train_until_ms);
    shoal_put_count(put, "events", origin->events_count);
    shoal_put_count(put, "users", origin->users_count);
    shoal_put_count(put, "seed", origin->seed);
    shoal_put_hash(put, "fingerprint", origin->data_fingerprint);
    shoal_put_count(put, "hidden", model->params.dims.hidden);
    shoal_put_open(put, "validation", '{');
    shoal_put_real(put, "roc_auc", origin->roc_auc);
    shoal_put_real(put, "log_loss", origin->log_loss);
    shoal_put_real(put, "base_rate", origin->base_rate);
    shoal_put_close(put, '}');
}

static void put_version(struct listing *listing, const char *version, int64_t written_ms,
                        const struct shoal_model *model, const char *why)
{
    struct shoal_put *put = listing->put;
    const char *made = run_of(listing->runs, version);
    char text[32];
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "version", version);
    shoal_put_flag(put, "in_service", strcmp(version, listing->current) == 0);
    shoal_put_time(put, "written", written_ms);
    if (model)
        put_model(put, model);
    else
        shoal_put_text(put, "error", why);
    if (made && shoal_line_text(made, "decision", text, sizeof text))
        shoal_put_text(put, "decision", text);
    else
        shoal_put_null(put, "decision");
    if (made)
        shoal_put_raw(put, "run", made);
    shoal_put_close(put, '}');
}

static void print_version(const struct listing *listing, const char *version,
                          const struct shoal_model *model, const char *why)
{
    const char *made = run_of(listing->runs, version);
    char from[25], until[25], decision[32] = "-", time[32] = "";
    printf("%c %s  ", strcmp(version, listing->current) == 0 ? '*' : ' ', version);
    if (!model) {
        printf("cannot be read: %s\n", why);
        return;
    }
    if (made) {
        (void)shoal_line_text(made, "decision", decision, sizeof decision);
        (void)shoal_line_text(made, "time", time, sizeof time);
    }
    shoal_time_print(model->origin.train_from_ms, from);
    shoal_time_print(model->origin.train_until_ms, until);
    printf("%.10s %.10s  %10llu %8llu  %7.4f  %8.4f  %s %.16s\n", from, until,
           (unsigned long long)model->origin.events_count,
           (unsigned long long)model->origin.users_count, model->origin.roc_auc,
           model->origin.log_loss, decision, time);
}

static enum shoal_status visit(void *opaque, const char *version, int64_t written_ms)
{
    struct listing *listing = opaque;
    struct shoal_model *model;
    struct shoal_message why = {.text = ""};
    if (shoal_models_load(listing->dir, version, &model, &why) == SHOAL_NOMEM)
        return SHOAL_NOMEM;
    if (listing->put) {
        put_version(listing, version, written_ms, model, why.text);
    } else {
        if (listing->count == 0)
            printf("  %-16s  %-21s  %10s %8s  %7s  %8s  %s\n", "version", "trained on", "events",
                   "users", "ROC-AUC", "log loss", "came about");
        print_version(listing, version, model, why.text);
    }
    listing->count++;
    shoal_model_destroy(model);
    return SHOAL_OK;
}

/* One line about what serves; `why`: the reason if the link cannot be read. */
static void print_service(const struct listing *listing, const char *why)
{
    const char *since = listing->current[0] ? service_of(listing->runs, listing->current) : NULL;
    char time[32], decision[32];
    if (!listing->current[0])
        printf("in service: none%s%s\n", why[0] ? "; " : "", why);
    else if (since && shoal_line_text(since, "time", time, sizeof time) &&
             shoal_line_text(since, "decision", decision, sizeof decision))
        printf("in service: %s, %s %.19sZ\n", listing->current,
               strcmp(decision, "published") == 0 ? "published" : "put back", time);
    else
        printf("in service: %s\n", listing->current);
}

static int list(const struct shoal_cli_args *args, const char *dir, const struct shoal_model_runs *runs)
{
    char current[17] = "";
    struct shoal_message message = {.text = ""}, why = {.text = ""};
    enum shoal_status status = shoal_models_current(dir, current, &why);
    if (status != SHOAL_OK)
        current[0] = '\0';
    if (status == SHOAL_NOT_FOUND)
        why.text[0] = '\0';
    struct shoal_put put = {.out = stdout};
    struct listing listing = {.dir = dir,
                              .current = current,
                              .runs = runs,
                              .put = shoal_cli_get(args, "json") ? &put : NULL};
    if (listing.put) {
        shoal_put_open(&put, NULL, '{');
        shoal_put_text(&put, "in_service", current[0] ? current : NULL);
        if (why.text[0])
            shoal_put_text(&put, "error", why.text);
        shoal_put_open(&put, "models", '[');
    }
    status = shoal_models_list(dir, visit, &listing, &message);
    if (listing.put) {
        shoal_put_close(&put, ']');
        shoal_put_close(&put, '}');
        putchar('\n');
    } else if (status == SHOAL_OK) {
        print_service(&listing, why.text);
    }
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
}

/* ---- changes -------------------------------------------------------------------------------- */

static enum shoal_status record_use(const char *dir, const char *before, const char *version,
                                    const char *reason, struct shoal_message *message)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "command", "models --use");
    shoal_put_time(&put, "time", shoal_clock_wall_ms());
    shoal_put_text(&put, "decision", shoal_decision_text(SHOAL_DECISION_ROLLED_BACK));
    shoal_put_text(&put, "reason", reason ? reason : "by hand");
    shoal_put_null(&put, "challenger");
    shoal_put_text(&put, "incumbent", before[0] ? before : NULL);
    shoal_put_text(&put, "in_service", version);
    shoal_put_close(&put, '}');
    fputc('\n', out);
    bool failed = fclose(out) != 0;
    enum shoal_status status = failed ? shoal_fail(message, SHOAL_NOMEM, "out of memory")
                                      : shoal_runs_append(dir, line, size, message);
    free(line);
    return status;
}

static int use(const struct shoal_cli_args *args, const char *dir, const char *version)
{
    struct shoal_message message = {.text = ""};
    char before[17];
    if (shoal_models_current(dir, before, NULL) != SHOAL_OK)
        before[0] = '\0';
    enum shoal_status status = shoal_models_select(dir, version, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, status == SHOAL_IO ? SHOAL_EXIT_FAILED : SHOAL_EXIT_CONFIG,
                              "%s", message.text);
    status = record_use(dir, before, version, shoal_cli_get(args, "reason"), &message);
    fprintf(stderr, "in service: %s (before: %s)\n", version, before[0] ? before : "none");
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, SHOAL_EXIT_FAILED,
                                               "the change is not recorded: %s", message.text);
}

static int add(const struct shoal_cli_args *args, const char *dir, const char *path)
{
    struct shoal_model *model;
    struct shoal_message message = {.text = ""};
    if (shoal_model_load(path, &model, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    enum shoal_status status = shoal_models_add(dir, model, &message);
    if (status == SHOAL_OK)
        printf("%s\n", model->version);
    shoal_model_destroy(model);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", message.text);
}

/* ---- drift ---------------------------------------------------------------------------------- */

static int look(const struct shoal_cli_args *args, const struct shoal_model *model,
                struct shoal_dataset *dataset, int64_t recent_ms)
{
    bool until_given;
    long long until_ms = 0;
    struct shoal_drift_report report;
    if (!shoal_cli_time(args, "until", &until_given, &until_ms))
        return SHOAL_EXIT_USAGE;
    struct shoal_load load = {.until_ms = until_given ? until_ms : INT64_MAX};
    int code = shoal_load_for(args, &load, dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    int64_t end_ms = load.reached ? until_ms : dataset->last_ms;
    enum shoal_status status =
        shoal_drift_look(model, dataset, end_ms - recent_ms,
                         end_ms + !load.reached /* the last event too */, &report);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory with %zu events",
                              dataset->events_count);
    if (shoal_cli_get(args, "json")) {
        struct shoal_put put = {.out = stdout};
        shoal_put_open(&put, NULL, '{');
        shoal_put_text(&put, "model", model->version);
        shoal_drift_put(&put, "drift", &report);
        shoal_put_close(&put, '}');
        putchar('\n');
    } else {
        printf("model %s\n", model->version);
        shoal_drift_print(&report, stdout);
    }
    return SHOAL_EXIT_OK;
}

static int show_drift(const struct shoal_cli_args *args, const char *dir)
{
    struct shoal_message message = {.text = ""};
    struct shoal_model *model;
    struct shoal_dataset dataset;
    char current[17];
    int64_t recent_ms;
    const char *recent = shoal_cli_get(args, "recent");
    if (!shoal_duration_parse(recent, &recent_ms) || recent_ms <= 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--recent: '%s' is not a duration", recent);
    if (!shoal_cli_get(args, "events"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--drift needs --events");
    enum shoal_status status = shoal_models_current(dir, current, &message);
    if (status == SHOAL_OK)
        status = shoal_models_load(dir, current, &model, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    shoal_dataset_init(&dataset, model->params.dims.ring);
    int code = look(args, model, &dataset, recent_ms);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(model);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    const char *dir = shoal_cli_get(args, "models"), *version = shoal_cli_get(args, "use"),
               *path = shoal_cli_get(args, "add");
    struct shoal_message message = {.text = ""};
    struct shoal_model_runs runs = {0};
    bool drift = shoal_cli_get(args, "drift");
    if (!!version + !!path + !!shoal_cli_get(args, "runs") + drift > 1)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                              "only one of --use, --add, --runs and --drift");
    if (drift)
        return show_drift(args, dir);
    if (version)
        return use(args, dir, version);
    if (path)
        return add(args, dir, path);
    enum shoal_status status = shoal_model_runs_read(dir, &runs, &message);
    int code = status != SHOAL_OK ? shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", message.text)
               : shoal_cli_get(args, "runs") ? print_runs(args, &runs)
                                             : list(args, dir, &runs);
    shoal_model_runs_finish(&runs);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"models", "DIR", NULL, "folder of models", true, false},
    {"json", NULL, NULL, "one JSON object: in_service and models; with --runs one a line", false,
     false},
    {"use", "VERSION", NULL,
     "put this version into service, once it has been loaded and has passed its self-test", false,
     false},
    {"reason", "TEXT", NULL, "with --use: why, for the record (default: by hand)", false, false},
    {"add", "FILE", NULL, "copy a model file into the folder and print its version", false, false},
    {"runs", NULL, NULL, "list every training and every change by hand, oldest first", false,
     false},
    {"drift", NULL, NULL,
     "hold the recent events of --events against those that the model in service was trained on",
     false, false},
    {"events", "FILE[,FILE…]", NULL, "with --drift: events in order of arrival", false, false},
    {"until", "TIME", NULL, "with --drift: leave out events from here on (default: none)", false,
     false},
    {"recent", "DURATION", "1d", "with --drift: how much before the end is looked at", false,
     false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_models = {
    .name = "models",
    .summary = "list the models of a folder, choose the one in service",
    .description =
        "Lists the versions, oldest first, the one in service marked with *: what it was trained "
        "on, its "
        "figures on its validation part, and what came of the run that made it. --use may be given "
        "at any time, also while a training runs: that training will then not publish over it.\n"
        "--drift prints the population stability index (PSI) of inputs and scores, the PSI that "
        "chance "
        "alone would give (noise), and the threshold that chance passes in one of a hundred looks "
        "at "
        "the whole table; both account for the events of a user depending on each other. Drifted: "
        "PSI "
        "above the threshold and above the noise by 0.1. Needed are 1000 events.",
    .example = "shoal models --models /var/lib/shoal/models --use 0035d1367cb6474c",
    .options = options,
    .run = run,
};
