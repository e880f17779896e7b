/* SPDX-License-Identifier: Apache-2.0 */
/* shoal tune: random search over the options of a training (Bergstra & Bengio 2012). A trial is judged by
 * its best log loss on the validation part, as training itself is; one that does worse than half of the
 * others did at the same epoch is stopped (the median rule of Golovin et al. 2017).
 *
 * Each trial trains in a process of its own, which inherits the events and tells its epochs through a pipe:
 * stopping one is ending it, and one that runs out of memory ends nobody else. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "model/learn/random.h"
#include "model/learn/train.h"
#include "tools/commands.h"
#include "tools/load_events.h"
#include "stream/put_json.h"
#include "tools/setup.h"

enum { EPOCHS_MAX = 512, GRACE_EPOCHS = 3, JUDGES_MIN = 3, TEXT_MAX = 400 };

/* One epoch of a trial, as it goes through the pipe. */
struct told {
    uint32_t epoch;
    double loss;
};

struct trial {
    struct shoal_train_options options;
    char text[TEXT_MAX]; /* as options of shoal train */
    double best[EPOCHS_MAX]; /* best loss up to an epoch; NaN: not reached */
    uint32_t epochs, best_epoch;
    double loss;
    bool stopped, failed;
};

struct tuning {
    const struct shoal_dataset *dataset;
    int64_t end_ms;
    struct trial *trials;
    size_t count;
    bool quiet;
};

/* ---- what is tried ------------------------------------------------------------------------- */

static double between(uint64_t key, uint64_t *at, double low, double high)
{
    return low + (high - low) * (double)shoal_random_uniform(key, (*at)++);
}

static double between_logarithms(uint64_t key, uint64_t *at, double low, double high)
{
    return exp(between(key, at, log(low), log(high)));
}

static double one_of(uint64_t key, uint64_t *at, const double *choices, uint32_t count)
{
    return choices[shoal_random_below(key, (*at)++, count)];
}

/* Trial 0 is the default. The numbers are cut to what the text says, so that the text trains the same. */
static void draw(struct trial *trial, size_t number, uint64_t seed)
{
    static const double hidden[] = {16, 32, 64, 128}, tables[] = {0, 0.003, 0.01, 0.1};
    static const double steps[] = {16, 32, 64}, balance[] = {0, 0.5, 1}, next[] = {0, 0, 0.3, 1};
    struct shoal_train_options *o = &trial->options;
    uint64_t key = shoal_random_mix(shoal_random_key(seed, SHOAL_RANDOM_INIT) + number), at = 0;
    *o = shoal_train_options_default();
    o->seed = seed;
    if (number == 0) {
        snprintf(trial->text, sizeof trial->text, "the defaults");
        return;
    }
    double objectives = one_of(key, &at, next, 4), units = one_of(key, &at, hidden, 4);
    double chunk = one_of(key, &at, steps, 3), rate = between_logarithms(key, &at, 3e-4, 1e-2);
    double table_rate = one_of(key, &at, tables, 4);
    double decay = between_logarithms(key, &at, 1e-3, 0.3);
    double drop_inputs = between(key, &at, 0, 0.4), drop_hidden = between(key, &at, 0, 0.6);
    snprintf(trial->text, sizeof trial->text,
             "--hidden %.0f --steps %.0f --learning-rate %.2g --embedding-rate %g --weight-decay %.2g "
             "--dropout-inputs %.2f --dropout-hidden %.2f --user-balance %g",
             units, chunk, rate, table_rate, decay, drop_inputs, drop_hidden,
             one_of(key, &at, balance, 3));
    sscanf(trial->text,
           "--hidden %" SCNu32 " --steps %" SCNu32 " --learning-rate %f --embedding-rate %f "
           "--weight-decay %f --dropout-inputs %f --dropout-hidden %f --user-balance %f",
           &o->dims.hidden, &o->steps, &o->learning_rate, &o->embedding_rate, &o->weight_decay,
           &o->dropout_inputs, &o->dropout_hidden, &o->user_balance);
    o->objectives_auto = false;
    size_t used = strlen(trial->text);
    if (objectives > 0)
        snprintf(trial->text + used, sizeof trial->text - used,
                 " --objectives behavior:%g,gap:%g,repeat:%g", objectives, objectives, objectives);
    else
        snprintf(trial->text + used, sizeof trial->text - used, " --objectives none");
    o->objectives.weights[SHOAL_OBJECTIVE_behavior] = (float)objectives;
    o->objectives.weights[SHOAL_OBJECTIVE_gap] = (float)objectives;
    o->objectives.weights[SHOAL_OBJECTIVE_repeat] = (float)objectives;
}

/* ---- a trial ------------------------------------------------------------------------------- */

static void tell_epoch(void *context, const struct shoal_train_epoch *epoch)
{
    const int *pipe_end = context;
    struct told told = {epoch->epoch, epoch->valid_loss};
    if (epoch->refit || epoch->pretraining)
        return;
    if (write(*pipe_end, &told, sizeof told) != sizeof told)
        _exit(1); /* nobody listens any more */
}

/* The child's life. */
static _Noreturn void train_trial(const struct tuning *tuning, const struct trial *trial, int pipe_end)
{
    struct shoal_train_options options = trial->options;
    struct shoal_train_report report = {.context = &pipe_end, .on_epoch = tell_epoch};
    struct shoal_train_summary summary;
    struct shoal_model *model;
    options.refit = false;
    enum shoal_status status = shoal_train(tuning->dataset, tuning->end_ms, &options, &report, &model,
                                           &summary, NULL);
    _exit(status == SHOAL_OK ? 0 : 1);
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Whether at this epoch the trial is worse than the median of those before it. */
static bool is_poor(const struct tuning *tuning, size_t number, uint32_t epoch)
{
    double *others = calloc(number + 1, sizeof *others);
    size_t count = 0;
    if (!others)
        return false;
    for (size_t i = 0; i < number; i++) {
        const struct trial *other = &tuning->trials[i];
        /* One that ended earlier stays as good as it was. */
        uint32_t at = epoch < other->epochs ? epoch : other->epochs;
        if (!other->failed && (!other->stopped || other->epochs >= epoch))
            others[count++] = other->best[at];
    }
    qsort(others, count, sizeof *others, compare);
    bool poor = epoch >= GRACE_EPOCHS && count >= JUDGES_MIN &&
                tuning->trials[number].best[epoch] > others[count / 2];
    free(others);
    return poor;
}

static void listen_to(struct tuning *tuning, size_t number, int pipe_end, pid_t child)
{
    struct trial *trial = &tuning->trials[number];
    struct told told;
    while (read(pipe_end, &told, sizeof told) == sizeof told && told.epoch < EPOCHS_MAX) {
        if (told.epoch == 0 || told.loss < trial->loss) {
            trial->loss = told.loss;
            trial->best_epoch = told.epoch;
        }
        trial->best[told.epoch] = trial->loss;
        trial->epochs = told.epoch;
        if (is_poor(tuning, number, told.epoch)) {
            trial->stopped = true;
            kill(child, SIGKILL);
            return;
        }
    }
}

static enum shoal_status run_trial(struct tuning *tuning, size_t number,
                                   struct shoal_message *message)
{
    struct trial *trial = &tuning->trials[number];
    int ends[2], ended;
    trial->loss = INFINITY;
    if (pipe(ends) != 0)
        return shoal_fail(message, SHOAL_IO, "pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return shoal_fail(message, SHOAL_IO, "fork: %s", strerror(errno));
    }
    if (child == 0) {
        close(ends[0]);
        train_trial(tuning, trial, ends[1]);
    }
    close(ends[1]);
    listen_to(tuning, number, ends[0], child);
    close(ends[0]);
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        continue;
    trial->failed = !trial->stopped && !(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    return SHOAL_OK;
}

/* ---- the search ---------------------------------------------------------------------------- */

static const char *outcome(const struct trial *trial)
{
    return trial->failed ? "failed" : trial->stopped ? "stopped early" : "done";
}

static void print_trial(const struct trial *trial, size_t number, bool best)
{
    printf("%4zu  log loss %.5f  epoch %3u of %3u  %-13s%s  %s\n", number, trial->loss,
           trial->best_epoch, trial->epochs, outcome(trial), best ? "  best" : "", trial->text);
    fflush(stdout);
}

static void print_json(const struct tuning *tuning, size_t best)
{
    struct shoal_put put = {.out = stdout};
    shoal_put_open(&put, NULL, '{');
    shoal_put_count(&put, "best", best);
    shoal_put_text(&put, "options", tuning->trials[best].text);
    shoal_put_real(&put, "log_loss", tuning->trials[best].loss);
    shoal_put_open(&put, "trials", '[');
    for (size_t i = 0; i < tuning->count; i++) {
        const struct trial *trial = &tuning->trials[i];
        shoal_put_open(&put, NULL, '{');
        shoal_put_text(&put, "options", trial->text);
        shoal_put_real(&put, "log_loss", trial->loss);
        shoal_put_count(&put, "best_epoch", trial->best_epoch);
        shoal_put_count(&put, "epochs", trial->epochs);
        shoal_put_text(&put, "outcome", outcome(trial));
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, ']');
    shoal_put_close(&put, '}');
    putchar('\n');
}

/* Trains with the best options as `shoal train` would, and saves. */
static enum shoal_status train_best(const struct tuning *tuning, const struct trial *trial,
                                    const char *path, struct shoal_message *message)
{
    struct shoal_model *model;
    struct shoal_train_summary summary;
    enum shoal_status status = shoal_train(tuning->dataset, tuning->end_ms, &trial->options, NULL,
                                           &model, &summary, message);
    if (status != SHOAL_OK)
        return status;
    status = shoal_model_save(model, path, message);
    if (status == SHOAL_OK && !tuning->quiet)
        printf("model %s  %s\n", model->version, path);
    shoal_model_destroy(model);
    return status;
}

static enum shoal_status search(struct tuning *tuning, uint64_t seed, int64_t stop_ms, size_t *best,
                                struct shoal_message *message)
{
    size_t wanted = tuning->count;
    *best = 0;
    for (tuning->count = 0; tuning->count < wanted; tuning->count++) {
        size_t number = tuning->count;
        if (number > 0 && shoal_clock_ms() >= stop_ms)
            break;
        draw(&tuning->trials[number], number, seed);
        enum shoal_status status = run_trial(tuning, number, message);
        if (status != SHOAL_OK)
            return status;
        if (number == 0 && tuning->trials[0].failed) /* it says why */
            return train_best(tuning, &tuning->trials[0], "/dev/null", message);
        if (tuning->trials[number].loss < tuning->trials[*best].loss)
            *best = number;
        if (!tuning->quiet)
            print_trial(&tuning->trials[number], number, *best == number);
    }
    return SHOAL_OK;
}

static int tune(const struct shoal_cli_args *args, struct tuning *tuning, uint64_t seed,
                int64_t stop_ms)
{
    struct shoal_message message = {.text = ""};
    size_t best;
    enum shoal_status status = search(tuning, seed, stop_ms, &best, &message);
    const char *out = shoal_cli_get(args, "out");
    if (status == SHOAL_OK && out)
        status = train_best(tuning, &tuning->trials[best], out, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    if (tuning->quiet)
        print_json(tuning, best);
    else
        printf("best: trial %zu of %zu, log loss %.5f on the validation part (of which this is the best of "
               "many looks: judge it on later events), %s\n",
               best, tuning->count, tuning->trials[best].loss, tuning->trials[best].text);
    return SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_dataset dataset;
    long long trials, seed, minutes, until_ms = 0;
    bool until_given;
    if (!shoal_cli_int(args, "trials", 1, 10000, &trials) ||
        !shoal_cli_int(args, "seed", 0, INT64_MAX, &seed) ||
        !shoal_cli_int(args, "minutes", 0, 100000, &minutes) ||
        !shoal_cli_time(args, "until", &until_given, &until_ms))
        return SHOAL_EXIT_USAGE;
    struct shoal_load load = {.until_ms = until_given ? until_ms : INT64_MAX};
    shoal_dataset_init(&dataset, shoal_dims_default().ring);
    int code = shoal_load_for(args, &load, &dataset);
    struct tuning tuning = {
        .dataset = &dataset,
        .end_ms = load.reached ? until_ms : dataset.last_ms,
        .trials = calloc((size_t)trials, sizeof *tuning.trials),
        .count = (size_t)trials,
        .quiet = shoal_cli_get(args, "json"),
    };
    int64_t stop_ms = minutes ? shoal_clock_ms() + minutes * 60000 : INT64_MAX;
    if (code == SHOAL_EXIT_OK)
        code = tuning.trials ? tune(args, &tuning, (uint64_t)seed, stop_ms)
                             : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    free(tuning.trials);
    shoal_dataset_finish(&dataset);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL,
     "events in order of arrival: JSON lines or CSV, plain, gzip or zstd; - for standard input",
     true, false},
    {"until", "TIME", NULL, "leave out events from here on (default: none)", false, false},
    {"trials", "N", "20", "trainings to try; the first has the defaults", false, false},
    {"minutes", "M", "0", "begin no trial after so many minutes; 0: no limit", false, false},
    {"seed", "S", "1", "of the search and of the trainings", false, false},
    {"out", "FILE", NULL, "also train once more with the best options, and write the model", false,
     false},
    {"json", NULL, NULL, "print one JSON object", false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_tune = {
    .name = "tune",
    .summary = "search for better training options",
    .description =
        "Random search: hidden 16, 32, 64, 128; steps 16, 32, 64; learning rate 0.0003 to 0.01 and weight "
        "decay 0.001 to 0.3 by their logarithms; embedding rate 0, 0.003, 0.01, 0.1; dropout of the "
        "inputs 0 to 0.4, of the hidden state 0 to 0.6; user balance 0, 0.5, 1; objectives behavior, "
        "gap, repeat at 0, 0.3 or 1. A trial is judged by its log loss on the validation part and stopped "
        "when it does worse than the median of the others at the same epoch.",
    .example = "shoal tune --events events.csv.gz --until 2017-12-02T00:00+08:00 --trials 30",
    .options = options,
    .run = run,
};
