/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal evaluate`: how good a model is on events. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/evaluate.h"
#include "stream/event.h"
#include "tools/commands.h"
#include "tools/evaluate_next_item.h"
#include "tools/evaluate_print.h"
#include "tools/evaluate_rebuilt.h"
#include "tools/load_events.h"
#include "tools/setup.h"
#include "tools/tasks_print.h"

enum { REBUILT_SAMPLES = 20000 };

static void on_progress(void *context, size_t done, size_t total)
{
    shoal_progress_update(context, (double)done / (double)total, done);
}

/* One line a scored event: user_id,time,label,score. */
static int write_scores(const struct shoal_cli_args *args, const char *path,
                        const struct shoal_dataset *dataset,
                        const struct shoal_evaluation *evaluation)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    fputs("user_id,timestamp,label,score\n", out);
    for (size_t i = 0; i < evaluation->count; i++) {
        size_t event = evaluation->events[i];
        char time[25];
        shoal_time_print(dataset->touches[event].time_ms, time);
        fprintf(out, "%s,%s,%d,%.9g\n", shoal_dataset_user_id(dataset, dataset->owners[event]),
                time, evaluation->labels[i], (double)evaluation->scores[i]);
    }
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s: %s", path, strerror(errno));
    return SHOAL_EXIT_OK;
}

static void warn(const struct shoal_evaluation *evaluation)
{
    const struct shoal_metrics *metrics = &evaluation->event_level[SHOAL_PREDICTOR_MODEL];
    if (metrics->positives == 0 || metrics->positives == metrics->events_count)
        fprintf(stderr,
                "warning: %s of the %zu scored events is followed by a purchase within 24 h: "
                "ROC-AUC and PR-AUC are not defined\n",
                metrics->positives ? "every one" : "none", metrics->events_count);
}

static int report(const struct shoal_cli_args *args, const struct shoal_dataset *dataset,
                  const struct shoal_evaluation *evaluation,
                  const struct shoal_evaluate_details *details,
                  const struct shoal_task_evaluation tasks[SHOAL_TASKS])
{
    warn(evaluation);
    bool baseline = shoal_cli_get(args, "baseline");
    if (baseline && !evaluation->there[SHOAL_PREDICTOR_REGRESSION])
        fprintf(stderr, "warning: no regression: too few labelled events before --from\n");
    if (shoal_cli_get(args, "json")) {
        shoal_evaluate_print_json(evaluation, baseline, details, tasks, stdout);
    } else {
        shoal_evaluate_print_table(evaluation, stdout);
        shoal_tasks_print_table(tasks, stdout);
        shoal_evaluate_details_print_table(details, stdout);
    }
    const char *scores = shoal_cli_get(args, "scores");
    return scores ? write_scores(args, scores, dataset, evaluation) : SHOAL_EXIT_OK;
}

static void on_importance(void *context, size_t done, size_t total)
{
    struct shoal_progress *progress = context;
    progress->label = "permute";
    progress->unit = "inputs";
    shoal_progress_update(progress, (double)done / (double)total, done);
}

static int evaluate(const struct shoal_cli_args *args, const struct shoal_model *model,
                    struct shoal_dataset *dataset, struct shoal_evaluate_details *details)
{
    bool from_given, until_given;
    long long from_ms, until_ms, seed, partitions;
    if (!shoal_cli_time(args, "from", &from_given, &from_ms) ||
        !shoal_cli_time(args, "until", &until_given, &until_ms) ||
        !shoal_cli_int(args, "seed", 0, INT64_MAX, &seed) ||
        !shoal_cli_int(args, "online", 0, 100000, &partitions))
        return SHOAL_EXIT_USAGE;
    struct shoal_message message = {.text = ""};
    struct shoal_load load = {.until_ms = INT64_MAX};
    int code = shoal_load_for(args, &load, dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    if (shoal_cli_get(args, "rebuilt")) {
        struct shoal_rebuild_options rebuild = {
            .from_ms = from_given ? from_ms : INT64_MIN,
            .until_ms = until_given ? until_ms : INT64_MAX,
            .precision = shoal_cli_get(args, "fp32") ? SHOAL_FP32 : SHOAL_FP16,
            .samples_max = REBUILT_SAMPLES,
            .seed = (uint64_t)seed,
        };
        return shoal_evaluate_rebuilt(args, model, dataset, &rebuild);
    }
    struct shoal_progress progress;
    struct shoal_evaluate_options options = {
        .from_ms = from_given ? from_ms : INT64_MIN,
        .until_ms = until_given ? until_ms : INT64_MAX,
        .precision = shoal_cli_get(args, "fp32") ? SHOAL_FP32 : SHOAL_FP16,
        .regression = shoal_cli_get(args, "baseline"),
        .partitions = (unsigned)partitions,
        .seed = (uint64_t)seed,
        .progress = on_progress,
        .context = &progress,
    };
    struct shoal_evaluation evaluation;
    struct shoal_task_evaluation tasks[SHOAL_TASKS];
    shoal_progress_start(&progress, "score", "events");
    enum shoal_status status = shoal_evaluate(model, dataset, &options, &evaluation, &message);
    if (status == SHOAL_OK) {
        details->model = model;
        details->dataset = dataset;
        details->load = &load;
        status = shoal_evaluate_details_make(details, &options, &evaluation, on_importance, &progress);
        if (status == SHOAL_OK)
            status = shoal_evaluate_tasks(model, dataset, &options, tasks);
        if (status != SHOAL_OK)
            shoal_fail(&message, status, "out of memory with %zu events", dataset->events_count);
    }
    shoal_progress_end(&progress);
    code = status == SHOAL_OK ? report(args, dataset, &evaluation, details, tasks)
                                  : shoal_cli_fail(args, shoal_setup_exit(status), "%s",
                                                   message.text);
    shoal_evaluation_finish(&evaluation);
    return code;
}

static int run_with(const struct shoal_cli_args *args, struct shoal_evaluate_details *details)
{
    struct shoal_model *model;
    struct shoal_message message = {.text = ""};
    const char *inputs = shoal_cli_get(args, "permute"), *task = shoal_cli_get(args, "task");
    bool next_item = strcmp(task, "next-item") == 0;
    if (!next_item && strcmp(task, "buy") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--task: '%s' is neither buy nor next-item", task);
    if (!next_item && shoal_cli_get(args, "ranks"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--ranks goes with --task next-item");
    if (!next_item && shoal_cli_get(args, "without-prompts"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--without-prompts goes with --task next-item");
    long long draws;
    if (!shoal_cli_int(args, "draws", 1, SHOAL_DRAWS_MAX, &draws))
        return SHOAL_EXIT_USAGE;
    details->draws = (size_t)draws;
    details->segmented = shoal_cli_get(args, "by-segment");
    details->binned = shoal_cli_get(args, "json");
    if (inputs && !shoal_evaluate_details_inputs(details, inputs, &message))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--permute: %s", message.text);
    if (shoal_model_load(shoal_cli_get(args, "model"), &model, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    int code;
    if (next_item) {
        code = shoal_evaluate_next_item(args, model);
    } else {
        struct shoal_dataset dataset;
        shoal_dataset_init(&dataset, model->params.dims.ring);
        code = evaluate(args, model, &dataset, details);
        shoal_dataset_finish(&dataset);
    }
    shoal_model_destroy(model);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_evaluate_details *details = calloc(1, sizeof *details);
    int code = details ? run_with(args, details)
                       : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    free(details);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"model", "FILE", NULL, "model to judge", true, false},
    {"events", "FILE[,FILE…]", NULL,
     "events in order of arrival: JSON lines or CSV, plain, gzip or zstd; - for standard input",
     true, false},
    {"task", "buy|next-item", "buy",
     "what is judged: the probability of a purchase, or which item a user turns to next, by hit rate, NDCG "
     "and MRR over the ranking of all items",
     false, false},
    {"from", "TIME", NULL,
     "score events from here on (default: all; for next-item: from the end of the model's training); those "
     "before warm up the states",
     false, false},
    {"until", "TIME", NULL, "score events before this (default: all); later ones give labels", false,
     false},
    {"json", NULL, NULL, "print one JSON object", false, false},
    {"baseline", NULL, NULL,
     "beside the model: a logistic regression on the same counters, fitted on the events before "
     "--from, and the prior, which is their base rate",
     false, false},
    {"online", "PARTITIONS", "0",
     "also judge the model with its logit corrected online from the outcomes that have come in by "
     "then, as in a topic of so many partitions; 0: do not",
     false, false},
    {"rebuilt", NULL, NULL,
     "instead: how far the scores of up to 20000 events, drawn with --seed, are from those of states "
     "rebuilt from the last 1 to 32 events, as after a swap of the model",
     false, false},
    {"by-segment", NULL, NULL,
     "also for the events of each level of lifecycle and intent (by the model's thresholds); with "
     "--json each with its reliability bins",
     false, false},
    {"permute", "INPUT[,…]", NULL,
     "also what the model loses without each of these inputs, whose values are dealt out anew among "
     "the events; all: every one of them",
     false, false},
    {"draws", "N", "1",
     "deal each input of --permute out so many times, up to 100: the difference is their mean, and its interval "
     "holds their noise as well as that of the users",
     false, false},
    {"scores", "FILE", NULL, "also write user_id,timestamp,label,score of every scored event",
     false, false},
    {"ranks", "FILE", NULL,
     "with --task next-item: also write user_id,timestamp,item_id,behavior,history,rank,rank_buy of every "
     "judged event; rank 0 is the first place, none a miss",
     false, false},
    {"without-prompts", NULL, NULL,
     "with --task next-item: ask as if the model had no prompts", false, false},
    {"seed", "S", "1", "of the bootstrap and of --permute", false, false},
    {"fp32", NULL, NULL, "keep states in single precision (default: half, as they are served)",
     false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_evaluate = {
    .name = "evaluate",
    .summary = "judge a model on events files",
    .description =
        "An event is positive if its user buys in the 24 hours after it; one whose 24 hours reach past "
        "the end of the data is not scored. Prints ROC-AUC, PR-AUC (average precision), log loss "
        "and ECE (15 bins of equal mass) with 95 % intervals from 1000 resamples of the users, for "
        "events and for users (each user's last scored event); and the same for every task. The number of "
        "events in 24 hours is judged by MAE, RMSE, R2 and MAPE, the last over the events that are "
        "followed by any.",
    .example = "shoal evaluate --model m.shoal --events events.csv.gz "
               "--from 2017-12-02T00:00+08:00 --baseline",
    .options = options,
    .run = run,
};
