/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal train`: events in, model out. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/learn/bare_model.h"
#include "model/learn/preparation.h"
#include "model/learn/team.h"
#include "model/learn/train.h"
#include "stream/event.h"
#include "tools/commands.h"
#include "tools/learn_on_top.h"
#include "tools/load_events.h"
#include "tools/rank_output.h"
#include "tools/setup.h"
#include "tools/teacher.h"
#include "tools/train_log.h"
#include "tools/train_objectives.h"
#include "tools/train_show.h"

struct showing {
    struct shoal_train_show show;
    struct shoal_train_log log;
    struct shoal_on_top on_top;
    struct shoal_on_top_report learnt;
    struct shoal_message bare; /* why purchases could not be learnt; "" */
};

static void on_progress(void *context, bool refit, uint32_t epoch, uint64_t done, uint64_t total)
{
    struct showing *showing = context;
    shoal_train_show_progress(&showing->show, refit, epoch, done, total);
}

static void on_epoch(void *context, const struct shoal_train_epoch *epoch)
{
    struct showing *showing = context;
    shoal_train_show_epoch(&showing->show, epoch);
    shoal_train_log_add(&showing->log, epoch);
}

/* The options that are numbers, into their places. False after a usage error. */
static bool read_options(const struct shoal_cli_args *args, struct shoal_train_options *options)
{
    long long seed, hidden, items, categories, batch, steps, epochs, patience, threads, ring;
    double rate, tables, decay, drop_inputs, drop_hidden, averaging, balance, drop_recurrent, l2, starts,
        alpha;
    long long negatives, pretrain_epochs, weekday_days;
    if (!shoal_cli_int(args, "seed", 0, INT64_MAX, &seed) ||
        !shoal_cli_int(args, "hidden", 16, SHOAL_HIDDEN_MAX, &hidden) ||
        !shoal_cli_int(args, "ring", 1, SHOAL_RING_MAX, &ring) ||
        !shoal_cli_int(args, "item-buckets", 1, 1 << 22, &items) ||
        !shoal_cli_int(args, "category-buckets", 2, 1 << 22, &categories) ||
        !shoal_cli_int(args, "batch", 0, 4096, &batch) ||
        !shoal_cli_int(args, "steps", 1, 4096, &steps) ||
        !shoal_cli_int(args, "threads", 0, SHOAL_TEAM_MAX, &threads) ||
        !shoal_cli_int(args, "epochs", -1, 10000, &epochs) ||
        !shoal_cli_int(args, "patience", 0, 10000, &patience) ||
        !shoal_cli_real(args, "learning-rate", 1e-7, 1, &rate) ||
        !shoal_cli_real(args, "embedding-rate", -1, 10, &tables) ||
        !shoal_cli_real(args, "weight-decay", 0, 10, &decay) ||
        !shoal_cli_real(args, "dropout-inputs", -1, 0.9, &drop_inputs) ||
        !shoal_cli_real(args, "dropout-hidden", -1, 0.9, &drop_hidden) ||
        !shoal_cli_real(args, "dropout-recurrent", 0, 0.9, &drop_recurrent) ||
        !shoal_cli_real(args, "l2", 0, 10, &l2) ||
        !shoal_cli_real(args, "random-starts", 0, 1, &starts) ||
        !shoal_cli_int(args, "negatives", 0, 65536, &negatives) ||
        !shoal_cli_real(args, "negatives-alpha", 0, 1, &alpha) ||
        !shoal_cli_int(args, "weekday-days", 0, 10000, &weekday_days) ||
        !shoal_cli_int(args, "pretrain-epochs", 0, 1000, &pretrain_epochs) ||
        !shoal_cli_real(args, "averaging", 0, 0.99999, &averaging) ||
        !shoal_cli_real(args, "user-balance", 0, 1, &balance))
        return false;
    *options = shoal_train_options_default();
    options->seed = (uint64_t)seed;
    options->dims.hidden = (uint32_t)hidden;
    options->dims.ring = (uint32_t)ring;
    options->checkpoint = shoal_cli_get(args, "checkpoint");
    options->dims.item_buckets = (uint32_t)items;
    options->dims.category_buckets = (uint32_t)categories;
    options->batch = (uint32_t)batch;
    options->steps = (uint32_t)steps;
    options->threads = (unsigned)threads;
    options->epochs = epochs < 0 ? SHOAL_TRAIN_AUTO : (uint32_t)epochs;
    options->patience = (uint32_t)patience;
    options->learning_rate = (float)rate;
    options->embedding_rate = (float)tables;
    options->weight_decay = (float)decay;
    bool taught = shoal_cli_get(args, "distil");
    if (drop_inputs >= 0 || taught)
        options->dropout_inputs = drop_inputs >= 0 ? (float)drop_inputs : 0;
    if (drop_hidden >= 0 || taught)
        options->dropout_hidden = drop_hidden >= 0 ? (float)drop_hidden : 0;
    options->dropout_recurrent = (float)drop_recurrent;
    options->l2 = (float)l2;
    options->glorot = shoal_cli_get(args, "glorot");
    options->random_starts = (float)starts;
    options->weekday_days = (uint32_t)weekday_days;
    options->pretrain_epochs = (uint32_t)pretrain_epochs;
    options->averaging = (float)averaging;
    options->user_balance = (float)balance;
    options->balanced = shoal_cli_get(args, "balanced");
    options->refit = !shoal_cli_get(args, "no-refit");
    options->objectives.negatives = options->pretrain_objectives.negatives = (uint32_t)negatives;
    options->objectives.alpha = options->pretrain_objectives.alpha = (float)alpha;
    options->objectives_auto = strcmp(shoal_cli_get(args, "objectives"), "auto") == 0;
    return shoal_train_objectives_read(args, "objectives", &options->objectives, &options->mix) &&
           shoal_train_objectives_read(args, "pretrain-objectives", &options->pretrain_objectives,
                                       NULL);
}

static void print_measure(const char *name, const struct shoal_train_summary *summary,
                          enum shoal_measure measure)
{
    const struct shoal_metrics *model = &summary->valid, *regression = &summary->valid_regression;
    printf("  %-9s %.4f [%.4f, %.4f]   regression %.4f [%.4f, %.4f]\n", name,
           model->values[measure], model->intervals[measure].low, model->intervals[measure].high,
           regression->values[measure], regression->intervals[measure].low,
           regression->intervals[measure].high);
}

/* What was not learned from, and why. */
static void print_left_out(const struct shoal_load *load, const struct shoal_dataset *dataset,
                           const struct shoal_preparation *preparation)
{
    const struct {
        uint64_t count;
        const char *why;
    } reasons[] = {
        {load->walked.refused, "cannot be read, or have no user, item or time"},
        {load->walked.declined, "are of users who had declined to be processed"},
        {dataset->repeated_count, "repeat an event id of the user"},
        {preparation->unbought_count, "are of items that nobody buys (--bought-items-only)"},
        {preparation->few_count, "are of users with too few (--min-records)"},
    };
    bool any = false;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].count) {
            printf("%s%" PRIu64 " records %s\n", any ? "            " : "  left out  ",
                   reasons[i].count, reasons[i].why);
            any = true;
        }
    if (preparation->few_users)
        printf("            %" PRIu64 " users with too few records\n", preparation->few_users);
    if (dataset->late_count)
        printf("  late      %" PRIu64 " records older than their user's last, taken as of its time\n",
               dataset->late_count);
}

/* A task whose horizon reaches past the data has no events left to calibrate with. */
static void print_tasks(const struct shoal_train_summary *summary)
{
    printf("tasks       calibrated:");
    for (size_t n = 0; n < SHOAL_TASKS; n++)
        if (summary->calibrated[n])
            printf(" %s", shoal_task_info((enum shoal_task)n)->name);
    bool any = false;
    for (size_t n = 0; n < SHOAL_TASKS; n++)
        if (!summary->calibrated[n]) {
            printf("%s %s", any ? "" : "; too few validation events for:",
                   shoal_task_info((enum shoal_task)n)->name);
            any = true;
        }
    putchar('\n');
}

static void print_summary(const char *path, const struct shoal_model *model,
                          const struct shoal_train_summary *summary, double seconds)
{
    char from[25], until[25];
    shoal_time_print(model->origin.train_from_ms, from);
    shoal_time_print(model->origin.train_until_ms, until);
    printf("model %s  %s\n", model->version, path);
    printf("  events    %zu of %zu users, %s to %s\n", summary->events_count, summary->users_count,
           from, until);
    printf("  labels    %zu to train (%.1f %% before a purchase), %zu to validate (%.1f %%)\n",
           summary->train_count, 100 * summary->train_base_rate, summary->valid_count,
           100 * summary->valid.base_rate);
    printf("  epochs    best %u of %u, batch %u, ridge of the regression %g\n",
           summary->best_epoch, summary->epochs, summary->batch, summary->ridge);
    printf("  network   %.2f of what it adds to the regression is kept%s\n", summary->share,
           summary->best_epoch == 0 && summary->epochs > 0 ? ": no epoch was better" : "");
    printf("validation, with 95 %% intervals by users, before the refit\n");
    print_measure("ROC-AUC", summary, SHOAL_MEASURE_roc_auc);
    print_measure("PR-AUC", summary, SHOAL_MEASURE_pr_auc);
    print_measure("log loss", summary, SHOAL_MEASURE_log_loss);
    print_measure("ECE", summary, SHOAL_MEASURE_ece);
    const struct shoal_calibration_fit *fit = &summary->calibration;
    if (fit->map.knots)
        printf("calibration isotonic, %u knots; the figures above are of the events that made it\n",
               fit->map.knots);
    else
        printf("calibration a line, slope %.3f, intercept %+.3f\n", (double)fit->map.slope,
               (double)fit->map.intercept);
    if (fit->compared)
        printf("            log loss of isotonic - line on other users %+.6f, standard error %.6f\n",
               fit->difference, fit->error);
    print_tasks(summary);
    printf("intent      warm from %.4f, hot from %.4f\n", (double)model->warm, (double)model->hot);
    printf("took        %.1f s\n", seconds);
}

/* The table of the options, which the log lists. */
static const struct shoal_cli_option train_options[];

/* Model, log, summary. */
static int keep(const struct shoal_cli_args *args, const struct showing *showing,
                const struct shoal_dataset *dataset, const struct shoal_load *load,
                struct shoal_model *model, const struct shoal_train_summary *summary,
                const struct shoal_preparation *preparation, double seconds)
{
    struct shoal_message message = {.text = ""};
    const char *path = shoal_cli_get(args, "out"), *log = shoal_cli_get(args, "log");
    enum shoal_status status = shoal_model_save(model, path, &message);
    if (status == SHOAL_OK && showing->bare.text[0]) {
        printf("model %s  %s\n", model->version, path);
        printf("purchases   not learnt, every user has the base rate of %.4f: %s\n",
               model->origin.base_rate, showing->bare.text);
        shoal_on_top_show(&showing->on_top, &showing->learnt, stdout);
        print_left_out(load, dataset, preparation);
    } else if (status == SHOAL_OK) {
        print_summary(path, model, summary, seconds);
        shoal_on_top_show(&showing->on_top, &showing->learnt, stdout);
        print_left_out(load, dataset, preparation);
    }
    struct shoal_train_run made = {args,        train_options, dataset, load,
                                   preparation, model,         summary, seconds};
    if (status == SHOAL_OK && log && !showing->bare.text[0])
        status = shoal_train_log_write(&showing->log, log, &made, &message);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", message.text);
}

/* The events of --pretrain into `dataset` (to be finished by the caller also after a failure), if any. */
static int load_pretraining(const struct shoal_cli_args *args, struct shoal_train_options *options,
                            struct shoal_dataset *dataset)
{
    const char *files = shoal_cli_get(args, "pretrain");
    struct shoal_message message = {.text = ""};
    shoal_dataset_init(dataset, options->dims.ring);
    if (!files)
        return SHOAL_EXIT_OK;
    struct shoal_load load = {
        .until_ms = INT64_MAX,
        .pseudonym_key = shoal_cli_get(args, "pseudonym-key"),
    };
    enum shoal_status status = shoal_load_events(files, &load, dataset, &message);
    options->pretrain = dataset;
    return status == SHOAL_OK
               ? SHOAL_EXIT_OK
               : shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
}

/* What the finished network is the base of. As shoal_on_top_learn; and as shoal_model_load for --previous. */
static enum shoal_status learn_on_top(const struct shoal_cli_args *args,
                                      const struct shoal_dataset *dataset, int64_t end_ms,
                                      const struct shoal_train_options *options,
                                      struct shoal_model *model, struct showing *showing,
                                      struct shoal_message *message)
{
    struct shoal_model *before = NULL;
    const char *previous = shoal_cli_get(args, "previous");
    enum shoal_status status = SHOAL_OK;
    if (previous)
        status = shoal_model_load(previous, &before, message);
    if (status == SHOAL_OK)
        status = shoal_on_top_learn(&showing->on_top, model, dataset, end_ms, options->seed, before,
                                    &showing->learnt, message);
    shoal_model_destroy(before);
    return status;
}

static int train(const struct shoal_cli_args *args, const struct shoal_train_options *wanted,
                 struct shoal_dataset *dataset, struct shoal_item_names *names,
                 struct showing *showing)
{
    struct shoal_message message = {.text = ""};
    bool until_given;
    long long until_ms = 0;
    int64_t since_ms = shoal_clock_ms();
    if (!shoal_cli_time(args, "until", &until_given, &until_ms))
        return SHOAL_EXIT_USAGE;
    struct shoal_load load = {
        .until_ms = until_given ? until_ms : INT64_MAX,
        .names = showing->on_top.items ? names : NULL,
    };
    int code = shoal_load_for(args, &load, dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    struct shoal_preparation preparation;
    long long min_records;
    if (!shoal_cli_int(args, "min-records", 0, 1000000, &min_records))
        return SHOAL_EXIT_USAGE;
    struct shoal_preparation_options prepare = {
        .min_records = (uint32_t)min_records,
        .bought_items_only = shoal_cli_get(args, "bought-items-only"),
    };
    int64_t last_ms = dataset->last_ms;
    if (shoal_prepare(dataset, &prepare, &preparation) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory with %zu events",
                              dataset->events_count);
    struct shoal_train_options options = *wanted;
    struct shoal_dataset pretrain;
    code = load_pretraining(args, &options, &pretrain);
    if (code != SHOAL_EXIT_OK) {
        shoal_dataset_finish(&pretrain);
        return code;
    }
    int64_t end_ms = load.reached ? until_ms : last_ms;
    struct shoal_train_report report = {showing, on_epoch, on_progress};
    struct shoal_model *model;
    struct shoal_train_summary summary;
    shoal_progress_start(&showing->show.line, "train", "events");
    enum shoal_status status =
        shoal_train(dataset, end_ms, &options, &report, &model, &summary, &message);
    shoal_progress_end(&showing->show.line);
    shoal_dataset_finish(&pretrain);
    if (status == SHOAL_TOO_FEW && showing->on_top.items && dataset->events_count > 0) {
        showing->bare = message;
        status = shoal_bare_model(&options.dims, dataset, end_ms, options.seed, &model);
        showing->on_top = (struct shoal_on_top){.clusters = SHOAL_CLUSTERS_OFF,
                                                .items = true,
                                                .items_most = showing->on_top.items_most,
                                                .item_names = names};
    }
    bool first = shoal_ranks_index(options.ranks) == 0; /* what follows needs no others */
    if (status == SHOAL_OK && first)
        status = learn_on_top(args, dataset, end_ms, &options, model, showing, &message);
    if (status == SHOAL_OK && first)
        code = keep(args, showing, dataset, &load, model, &summary, &preparation,
                    (double)(shoal_clock_ms() - since_ms) / 1000);
    else if (status != SHOAL_OK)
        code = shoal_cli_fail(
            args, status == SHOAL_TOO_FEW ? SHOAL_EXIT_DATA : SHOAL_EXIT_FAILED, "%s",
            message.text);
    if (code == SHOAL_EXIT_OK)
        shoal_teacher_print(&options);
    shoal_train_log_finish(&showing->log);
    shoal_model_destroy(model);
    return code;
}

/* Whether --previous can be read: said before the training instead of after it. */
static int check_previous(const struct shoal_cli_args *args)
{
    struct shoal_model *model;
    struct shoal_message message = {.text = ""};
    const char *previous = shoal_cli_get(args, "previous");
    if (!previous)
        return SHOAL_EXIT_OK;
    if (shoal_model_load(previous, &model, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "--previous: %s", message.text);
    shoal_model_destroy(model);
    return SHOAL_EXIT_OK;
}

static int run_rank(const struct shoal_cli_args *args, struct shoal_ranks *ranks)
{
    struct shoal_train_options options;
    struct shoal_message message = {.text = ""};
    struct showing showing = {.show = {.epochs = 0}};
    if (!read_options(args, &options) || !shoal_on_top_read(args, &showing.on_top))
        return SHOAL_EXIT_USAGE;
    options.ranks = ranks;
    int code = check_previous(args);
    if (code != SHOAL_EXIT_OK)
        return code;
    if (shoal_train_options_check(&options, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "%s", message.text);
    struct shoal_dataset dataset;
    struct shoal_model *teacher;
    struct shoal_item_names names;
    shoal_dataset_init(&dataset, options.dims.ring);
    shoal_item_names_init(&names);
    showing.on_top.item_names = &names;
    showing.on_top.prompts_path = shoal_cli_get(args, "out");
    code = shoal_teacher_load(args, &options, &teacher);
    if (code == SHOAL_EXIT_OK)
        code = train(args, &options, &dataset, &names, &showing);
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(teacher);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_rank_output output = {0};
    struct shoal_message message = {.text = ""};
    struct shoal_ranks *ranks;
    if (shoal_ranks_join(&ranks, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    shoal_rank_output_begin(&output, ranks);
    int code = run_rank(args, ranks);
    shoal_rank_output_end(&output, ranks, code);
    shoal_ranks_leave(ranks);
    return code;
}

static const struct shoal_cli_option train_options[] = {
    {"events", "FILE[,FILE…]", NULL,
     "events in order of arrival: JSON lines or CSV, plain, gzip or zstd; - for standard input",
     true, false},
    {"until", "TIME", NULL, "leave out events from here on (default: none); no label sees beyond it",
     false, false},
    {"out", "FILE", NULL, "model file to write", true, false},
    {"log", "FILE", NULL, "also write options, data, epochs and figures as JSON, for tools/report",
     false, false},
    {"seed", "S", "1", "the same events, options and seed give the same file, byte for byte", false,
     false},
    {"hidden", "H", "64", "units of the LSTM, a multiple of 8", false, false},
    {"item-buckets", "N", "4096", "rows of the item table", false, false},
    {"category-buckets", "N", "1024", "rows of the category table", false, false},
    {"epochs", "N", "-1", "at most so many; 0: the regression only; -1: 6 to 12, fewer the more events",
     false, false},
    {"patience", "N", "10",
     "stop after N epochs without one that is as good as the best by the validation loss", false, false},
    {"batch", "B", "0", "users side by side; 0: 16 to 128, more the more events", false, false},
    {"steps", "T", "32", "events of a user between two updates", false, false},
    {"learning-rate", "R", "0.002", "step of AdamW", false, false},
    {"embedding-rate", "F", "-1",
     "factor of the learning rate for the item and category tables; 0: items and categories are not "
     "looked at; -1: 0.01 from 3000 users on, else 0",
     false, false},
    {"weekday-days", "N", "14",
     "look at the weekday only if the events span N days: in fewer it stands for the date", false, false},
    {"weight-decay", "W", "0.05", "of AdamW, not on biases", false, false},
    {"dropout-inputs", "P", "-1",
     "share of the inputs dropped in training; -1: 0.2, and none with a teacher (--distil)", false, false},
    {"dropout-hidden", "P", "-1",
     "share of the hidden state dropped before the head; -1: 0.3, and none with a teacher", false, false},
    {"threads", "N", "0", "threads to compute with; 0: one a processor. The model does not depend on it",
     false, false},
    {"dropout-recurrent", "P", "0", "share of the hidden state dropped on its way into the next step",
     false, false},
    {"l2", "L", "0", "L2 of the gates as a part of the loss", false, false},
    {"glorot", NULL, NULL, "draw the first gates by Glorot and Bengio; else within ±1/√H", false, false},
    {"random-starts", "P", "0.5",
     "how often a user's epoch begins in the middle of its history, as after a change of model it does",
     false, false},
    {"objectives", "NAME:W[,…]", "auto",
     "what every event teaches beside the purchase: behavior, gap, repeat, category, item of the next "
     "event; tasks: buy_1h, buy_72h, churn_3d, events_24h; none; auto: behavior:0.3,gap:0.3,repeat:0.3 "
     "up to 2000 users, none beyond and with a teacher",
     false, false},
    {"negatives", "N", "256", "rows drawn beside those of the batch, for category and item", false,
     false},
    {"negatives-alpha", "A", "0.5", "they are drawn by how often they occur to the power of A", false,
     false},
    {"pretrain", "FILE[,FILE…]", NULL,
     "events to learn the state from first, by --pretrain-objectives; no purchase of theirs is learned",
     false, false},
    {"pretrain-objectives", "NAME:W[,…]", "behavior:1,gap:1,repeat:1", "see --objectives", false, false},
    {"pretrain-epochs", "N", "3", "how often to go through them", false, false},
    {"averaging", "D", "0.99", "decay of the running mean of the parameters; 0: none", false, false},
    {"user-balance", "E", "0.5",
     "an event of a user with n events weighs n^-E: 0 all events the same, 1 all users", false,
     false},
    {"min-records", "N", "0", "leave out users with fewer records", false, false},
    {"bought-items-only", NULL, NULL, "leave out records of items that nobody buys in these events",
     false, false},
    {"balanced", NULL, NULL,
     "weigh events before a purchase up until they are half of the loss; calibration puts it right again",
     false, false},
    {"ring", "N", "16", "recent events kept a user, 1 to 32: states are rebuilt from them", false, false},
    {"checkpoint", "FILE", NULL,
     "write the training's memory there after every epoch, and go on from it if it is there, to the same "
     "model; removed at the end",
     false, false},
    SHOAL_TEACHER_OPTIONS,
    SHOAL_ON_TOP_OPTIONS,
    {"previous", "MODEL", NULL, "keep the ids of this model's clusters where they keep their users", false,
     false},
    {"no-refit", NULL, NULL, "keep the model of the training part, do not learn from the last days",
     false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_train = {
    .name = "train",
    .summary = "learn a model from events files",
    .description =
        "Learns the probability that a user buys within 24 hours of an event. Splits by time: the "
        "last day (of short data, the last fifth) validates, the 24 hours before it are left out, "
        "the rest trains. Starts from a logistic regression on the decayed counters, stops early on "
        "the validation log loss, calibrates, takes the thresholds warm and hot from the 70 % and "
        "90 % quantiles of the validation scores, and learns once more from all labelled events. "
        "On top of it learns what users are expected to spend (--value), clusters of users (--clusters), how "
        "engaged they are and who buys only if prompted (--engagement). Under mpirun several processes train "
        "together, each with all files under the same paths: the same model within float error (builds "
        "with -Dmpi=enabled).",
    .example = "shoal train --events events.csv.gz --until 2017-12-02T00:00+08:00 --out m.shoal",
    .options = train_options,
    .run = run,
};
