/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal retrain`: once, or every so often for ever.
 *
 * Each round runs in a process of its own, so that whatever happens to it (out of memory, a crash,
 * being stopped in the middle of an epoch) the one that watches over it records the failure and
 * goes on; and so that SIGTERM ends a round at once: nothing of it is in the folder before it is
 * whole. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "model/learn/team.h"
#include "stream/event.h"
#include "stream/units.h"
#include "tools/commands.h"
#include "tools/retrain.h"
#include "tools/setup.h"

enum { PATIENCE_MS = 5000 };

/* ---- options -------------------------------------------------------------------------------- */

static bool read_duration(const struct shoal_cli_args *args, const char *name, int64_t min_ms,
                          int64_t *duration_ms)
{
    const char *text = shoal_cli_get(args, name);
    *duration_ms = 0;
    if (!text || (shoal_duration_parse(text, duration_ms) && *duration_ms >= min_ms))
        return true;
    char least[SHOAL_DURATION_TEXT];
    shoal_duration_print(min_ms, least);
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                         "--%s: '%s' is not a duration of at least %s, for "
                         "example 30d",
                         name, text, least);
    return false;
}

/* An option that is given, over what stands in *value. */
static bool read_given(const struct shoal_cli_args *args, const char *name, long long min,
                       long long max, uint32_t *value)
{
    long long given;
    if (!shoal_cli_get(args, name))
        return true;
    if (!shoal_cli_int(args, name, min, max, &given))
        return false;
    *value = (uint32_t)given; /* −1: SHOAL_TRAIN_AUTO */
    return true;
}

/* What is not given is as in shoal train. */
static bool read_training(const struct shoal_cli_args *args, struct shoal_train_options *train)
{
    long long seed;
    double rate;
    *train = shoal_train_options_default();
    if (!shoal_cli_int(args, "seed", 0, INT64_MAX, &seed) ||
        !read_given(args, "hidden", 16, SHOAL_HIDDEN_MAX, &train->dims.hidden) ||
        !read_given(args, "item-buckets", 1, 1 << 22, &train->dims.item_buckets) ||
        !read_given(args, "category-buckets", 2, 1 << 22, &train->dims.category_buckets) ||
        !read_given(args, "batch", 0, 4096, &train->batch) ||
        !read_given(args, "epochs", -1, 10000, &train->epochs) ||
        !read_given(args, "patience", 0, 10000, &train->patience) ||
        !read_given(args, "threads", 0, SHOAL_TEAM_MAX, &train->threads))
        return false;
    train->seed = (uint64_t)seed;
    if (!shoal_cli_get(args, "learning-rate"))
        return true;
    if (!shoal_cli_real(args, "learning-rate", 1e-7, 1, &rate))
        return false;
    train->learning_rate = (float)rate;
    return true;
}

static bool read_options(const struct shoal_cli_args *args, struct shoal_retrain_options *options,
                         int64_t *every_ms)
{
    const int64_t hour_ms = 3600000;
    struct shoal_message message = {.text = ""};
    long long until_ms = 0;
    *options = (struct shoal_retrain_options){
        .events = shoal_cli_get(args, "events"),
        .pseudonym_key = shoal_cli_get(args, "pseudonym-key"),
        .dir = shoal_cli_get(args, "models"),
        .keep_challenger = shoal_cli_get(args, "keep-challenger") != NULL,
        .if_drifted = shoal_cli_get(args, "if-drifted") != NULL,
    };
    if (!shoal_cli_time(args, "until", &options->until_given, &until_ms) ||
        !read_duration(args, "every", 1000, every_ms) ||
        !read_duration(args, "window", 55 * hour_ms, &options->window_ms) ||
        !read_duration(args, "sealed", hour_ms, &options->sealed_ms) ||
        !read_duration(args, "max-age", hour_ms, &options->max_age_ms) ||
        !read_duration(args, "recent", hour_ms, &options->recent_ms) ||
        !shoal_cli_real(args, "margin", 0, 1, &options->margin) ||
        !shoal_on_top_read(args, &options->on_top) || !read_training(args, &options->train))
        return false;
    options->until_ms = until_ms;
    if (options->max_age_ms && !options->if_drifted) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                             "--max-age means something with --if-drifted "
                             "only");
        return false;
    }
    if (shoal_train_options_check(&options->train, &message) != SHOAL_OK) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "%s", message.text);
        return false;
    }
    if (*every_ms && shoal_cli_get(args, "once")) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--once and --every exclude each other");
        return false;
    }
    if (*every_ms && strcmp(options->events, "-") == 0) {
        (void)shoal_cli_fail(
            args, SHOAL_EXIT_USAGE,
            "--every reads the events anew each time; standard input is there once");
        return false;
    }
    return true;
}

/* ---- a round, in a process of its own ------------------------------------------------------- */

/* Locks, runs, records, tells. What it returns is the exit code of `shoal retrain --once`. */
static int round_of(const struct shoal_cli_args *args, const struct shoal_retrain_options *options)
{
    struct shoal_message message = {.text = ""};
    struct shoal_retrain_run run;
    int lock;
    enum shoal_status status = shoal_models_lock(options->dir, &lock, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", message.text);
    shoal_retrain_round(options, &run);
    status = shoal_retrain_record(options, &run, &message);
    if (status != SHOAL_OK)
        (void)shoal_cli_fail(args, SHOAL_EXIT_FAILED, "the run is not recorded: %s", message.text);
    shoal_models_unlock(lock);
    if (run.decision == SHOAL_DECISION_FAILED)
        (void)shoal_cli_fail(args, 0, "%s", run.reason.text);
    else if (!shoal_cli_get(args, "json"))
        shoal_retrain_print(&run, stdout);
    if (shoal_cli_get(args, "json"))
        shoal_retrain_put(options, &run, stdout);
    if (fflush(stdout) != 0)
        status = SHOAL_IO;
    if (run.decision == SHOAL_DECISION_FAILED)
        return run.status == SHOAL_IO ? SHOAL_EXIT_FAILED : shoal_setup_exit(run.status);
    return status == SHOAL_OK ? SHOAL_EXIT_OK : SHOAL_EXIT_FAILED;
}

/* Waits for one of the blocked signals, until_ms (of shoal_clock_ms; negative: for ever). The
 * signal, or 0 when the time has come. */
static int wait_signal(const sigset_t *signals, int64_t until_ms)
{
    for (;;) {
        int64_t left_ms = until_ms - shoal_clock_ms();
        if (until_ms < 0)
            left_ms = 3600000;
        if (left_ms <= 0)
            return 0;
        struct timespec wait = {left_ms / 1000, left_ms % 1000 * 1000000};
        int number = sigtimedwait(signals, NULL, &wait);
        if (number > 0)
            return number;
    }
}

/* Records what the round itself could not. */
static void record_end(const struct shoal_cli_args *args,
                       const struct shoal_retrain_options *options, int64_t started_wall_ms,
                       int64_t took_ms, const char *reason)
{
    struct shoal_message message = {.text = ""};
    struct shoal_retrain_run run = {
        .started_wall_ms = started_wall_ms, .took_ms = took_ms, .decision = SHOAL_DECISION_FAILED};
    (void)shoal_fail(&run.reason, SHOAL_OK, "%s", reason);
    if (shoal_models_current(options->dir, run.in_service, NULL) != SHOAL_OK)
        run.in_service[0] = '\0';
    if (shoal_retrain_record(options, &run, &message) != SHOAL_OK)
        (void)shoal_cli_fail(args, 0, "the run is not recorded: %s", message.text);
    (void)shoal_cli_fail(args, 0, "%s", reason);
}

/* Runs one round; *stop if it was asked to end meanwhile. The exit code. */
static int supervise(const struct shoal_cli_args *args, const struct shoal_retrain_options *options,
                     const sigset_t *signals, bool *stop)
{
    int64_t started_wall_ms = shoal_clock_wall_ms(), since_ms = shoal_clock_ms();
    int end = 0, stopped_by = 0;
    pid_t parent = getpid();
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "no process for the round: %s",
                              strerror(errno));
    if (child == 0) {
        (void)sigprocmask(SIG_UNBLOCK, signals, NULL);
        /* Whoever kills the supervisor wants no training to go on behind its back. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
            _exit(SHOAL_EXIT_FAILED);
        int code = round_of(args, options);
        fflush(NULL);
        _exit(code);
    }
    int64_t patience_ms = -1; /* until when a round that is to end may still write its line */
    while (waitpid(child, &end, WNOHANG) == 0) {
        int number = wait_signal(signals, patience_ms);
        if (number == 0) {
            kill(child, SIGKILL);
            patience_ms = -1;
        } else if (number != SIGCHLD) {
            *stop = true;
            stopped_by = number;
            kill(child, SIGTERM);
            patience_ms = shoal_clock_ms() + PATIENCE_MS;
        }
    }
    int64_t took_ms = shoal_clock_ms() - since_ms;
    if (WIFEXITED(end))
        return WEXITSTATUS(end);
    char reason[128];
    if (*stop)
        snprintf(reason, sizeof reason, "stopped by %s", strsignal(stopped_by));
    else
        snprintf(reason, sizeof reason, "the round ended by signal %d (%s)", WTERMSIG(end),
                 strsignal(WTERMSIG(end)));
    record_end(args, options, started_wall_ms, took_ms, reason);
    return SHOAL_EXIT_FAILED;
}

/* A round now, then one every so often from start to start; what a round comes to does not end it.
 */
static int repeat(const struct shoal_cli_args *args, const struct shoal_retrain_options *options,
                  int64_t every_ms, const sigset_t *signals)
{
    for (bool stop = false; !stop;) {
        int64_t next_ms = shoal_clock_ms() + every_ms;
        int code = supervise(args, options, signals, &stop);
        if (stop)
            break;
        char left[SHOAL_DURATION_TEXT];
        int64_t left_ms = next_ms - shoal_clock_ms();
        shoal_duration_print(left_ms > 0 ? left_ms : 0, left);
        fprintf(stderr, "%s; the next round is in %s\n",
                code == SHOAL_EXIT_OK ? "done" : "the round failed", left);
        int number;
        do
            number = wait_signal(signals, next_ms);
        while (number == SIGCHLD);
        stop = number != 0;
    }
    fprintf(stderr, "stopped\n");
    return SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_retrain_options options;
    int64_t every_ms;
    if (!read_options(args, &options, &every_ms))
        return SHOAL_EXIT_USAGE;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    bool stop = false;
    return every_ms ? repeat(args, &options, every_ms, &signals)
                    : supervise(args, &options, &signals, &stop);
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL,
     "events in order of arrival: JSON lines or CSV, plain, gzip or zstd; read anew in each round",
     true, false},
    {"models", "DIR", NULL, "folder of models; made if it is not there", true, false},
    {"once", NULL, NULL, "one round (the default)", false, false},
    {"every", "DURATION", NULL,
     "a round now and then one every so often, for example 1d, from start to start; goes on after "
     "a "
     "round that failed; ends with SIGTERM or SIGINT, also in the middle of a round",
     false, false},
    {"window", "DURATION", NULL,
     "train on so much before the sealed window, at least 55h (default: everything)", false, false},
    {"until", "TIME", NULL, "leave out events from here on (default: none)", false, false},
    {"sealed", "DURATION", "1d", "length of the sealed window, the last for which labels are whole",
     false, false},
    {"margin", "SHARE", "0.01",
     "keep the incumbent if the challenger's log loss is greater by more than this share of it",
     false, false},
    {"if-drifted", NULL, NULL,
     "train only if the recent events have drifted from those that the model in service was "
     "trained on "
     "(shoal models --drift), or if there is none",
     false, false},
    {"max-age", "DURATION", NULL,
     "with --if-drifted: train also if the model in service knows nothing of the last so much",
     false, false},
    {"recent", "DURATION", "1d", "how much of the events is looked at for drift", false, false},
    {"keep-challenger", NULL, NULL, "keep the file of a challenger that is not published", false,
     false},
    {"json", NULL, NULL, "print the run as one JSON object, as it is recorded", false, false},
    {"seed", "S", "1", "the same events, options and seed give the same model, byte for byte",
     false, false},
    SHOAL_ON_TOP_OPTIONS,
    {"hidden", "H", NULL, "units of the LSTM; this and what follows: if not given, as in shoal train",
     false, false},
    {"item-buckets", "N", NULL, "rows of the item table", false, false},
    {"category-buckets", "N", NULL, "rows of the category table", false, false},
    {"epochs", "N", NULL, "at most so many", false, false},
    {"patience", "N", NULL, "stop after N epochs without a better validation loss", false, false},
    {"batch", "B", NULL, "users side by side", false, false},
    {"learning-rate", "R", NULL, "step of AdamW", false, false},
    {"threads", "N", NULL, "threads to compute with; the model does not depend on it", false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_retrain = {
    .name = "retrain",
    .summary = "train a challenger, publish it if it does no harm",
    .description =
        "Seals the last day whose labels are whole (the 24 hours after each event known), trains a "
        "challenger on what lies before, lets it and the model in service score the sealed events, "
        "and compares their log loss by a paired bootstrap over users.\n"
        "Refused: the whole 95 % interval of challenger - incumbent is above 0 (surely worse), or "
        "that of challenger - prior is (surely worse than the base rate of the days before) and "
        "the "
        "challenger is not surely better than the incumbent.\n"
        "Kept: the difference is above --margin of the incumbent's log loss, though it could be "
        "chance.\n"
        "Published: else. What is published is the model that was judged, not one fitted anew with "
        "the sealed day. A model in service that cannot be read is compared with no more: then the "
        "prior is the only bar, as for the first model.\n"
        "Every run is a line in DIR/runs.jsonl; shoal models lists them. Exit codes: 0 published, "
        "kept, refused or skipped, 1 failed (also: another training runs on the folder), 5 events "
        "missing or "
        "too few.",
    .example = "shoal retrain --events events.jsonl --models /var/lib/shoal/models --every 1d "
               "--window 30d",
    .options = options,
    .run = run,
};
