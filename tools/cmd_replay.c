/* SPDX-License-Identifier: Apache-2.0 */
/* shoal replay: events files through the pipeline into files, without any service. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/replay.h"
#include "stream/store_options.h"
#include "tools/commands.h"
#include "tools/setup.h"

enum { FILES_MAX = 64 };

static void on_progress(void *opaque, double fraction, uint64_t messages)
{
    shoal_progress_update(opaque, fraction, messages);
}

/* "a,b,c" → files; the text is cut in place. */
static size_t split(char *text, const char *files[FILES_MAX])
{
    size_t count = 0;
    for (char *rest = text, *file; (file = strsep(&rest, ",")) && count < FILES_MAX;) {
        if (*file)
            files[count++] = file;
    }
    return count;
}

/* *store stays NULL without --redis. */
static enum shoal_status open_store(const struct shoal_cli_args *args,
                                    const struct shoal_setup *setup, struct shoal_store **store,
                                    struct shoal_message *message)
{
    struct shoal_redis_options redis = shoal_store_options(setup->config);
    *store = NULL;
    return shoal_cli_get(args, "redis") ? shoal_redis_store_create(&redis, store, message)
                                        : SHOAL_OK;
}

/* *swaps stays NULL without --swaps; else one history for each partition. */
static enum shoal_status read_swaps(const struct shoal_cli_args *args,
                                    const struct shoal_setup *setup, int32_t partitions,
                                    struct shoal_swaps **swaps, struct shoal_message *message)
{
    const char *path = shoal_cli_get(args, "swaps"), *folder = shoal_cli_get(args, "models");
    struct shoal_swap first = {0, setup->model->id, setup->policy ? setup->policy->id : 0};
    enum shoal_status status = SHOAL_OK;
    if (folder)
        status = shoal_models_search(setup->models, folder, message);
    if (status != SHOAL_OK || !path)
        return status;
    *swaps = calloc((size_t)partitions, sizeof **swaps);
    return *swaps ? shoal_swaps_read(path, &first, partitions, *swaps, message)
                  : shoal_fail(message, SHOAL_NOMEM, "out of memory");
}

/* Where swaps find policies. */
static enum shoal_status open_policies(const struct shoal_cli_args *args,
                                       const struct shoal_setup *setup,
                                       struct shoal_policies **policies,
                                       struct shoal_message *message)
{
    static const struct shoal_log log = {.level = SHOAL_WARNING, .worker = -1};
    const char *path = shoal_cli_get(args, "promotions"), *history = shoal_cli_get(args, "policies");
    struct shoal_policies_options options = {
        .path = path ? path : setup->config->promotions_path,
        .history = history ? history : setup->config->promotions_history};
    return shoal_policies_open(&options, &log, policies, message);
}

static void free_swaps(struct shoal_swaps *swaps, int32_t partitions)
{
    for (int32_t i = 0; swaps && i < partitions; i++)
        shoal_swaps_finish(&swaps[i]);
    free(swaps);
}

static int replay(const struct shoal_cli_args *args, struct shoal_setup *setup, char *events)
{
    const char *files[FILES_MAX];
    long long partitions, workers, save_every, record_ms = -1;
    bool record_given;
    if (!shoal_cli_int(args, "partitions", 1, 100000, &partitions) ||
        !shoal_cli_int(args, "workers", 1, 256, &workers) ||
        !shoal_cli_int(args, "save-every", 0, 1LL << 60, &save_every) ||
        !shoal_cli_time(args, "record-time", &record_given, &record_ms))
        return SHOAL_EXIT_USAGE;
    struct shoal_progress progress;
    struct shoal_replay_options options = {
        .pipeline = shoal_pipeline_options_of(setup->config, setup->model, setup->policy),
        .events = files,
        .events_count = split(events, files),
        .out = shoal_cli_get(args, "out"),
        .partitions = (int32_t)partitions,
        .workers = (unsigned)workers,
        .save_messages = (uint64_t)save_every,
        .record_time_ms = record_given ? record_ms : -1,
        .progress = on_progress,
        .opaque = &progress,
    };
    struct shoal_pipeline_counts counts;
    struct shoal_message message = {.text = ""};
    struct shoal_swaps *swaps = NULL;
    enum shoal_status status = read_swaps(args, setup, options.partitions, &swaps, &message);
    if (status == SHOAL_OK)
        status = open_policies(args, setup, &options.policies, &message);
    options.models = setup->models;
    options.swaps = swaps;
    if (status == SHOAL_OK)
        status = open_store(args, setup, &options.store, &message);
    if (status != SHOAL_OK) {
        free_swaps(swaps, options.partitions);
        shoal_policies_close(options.policies);
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    }
    if (shoal_policy_lacks_items(setup->policy, setup->model))
        fprintf(stderr,
                "promotions, line %d: items: model %s has no catalogue of items, so that decisions carry "
                "none; train one with --items auto\n",
                shoal_policy_lacks_items(setup->policy, setup->model), setup->model->version);
    int64_t since_ms = shoal_clock_ms();
    shoal_progress_start(&progress, "replay", "messages");
    status = shoal_replay(&options, &counts, &message);
    shoal_progress_end(&progress);
    if (options.store)
        options.store->ops->destroy(options.store);
    free_swaps(swaps, options.partitions);
    shoal_policies_close(options.policies);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    double seconds = (double)(shoal_clock_ms() - since_ms + 1) / 1000;
    fprintf(stderr,
            "%" PRIu64 " messages, %" PRIu64 " events in %.2f s (%.0f events/s): %" PRIu64
            " segment changes, %" PRIu64 " decisions, %" PRIu64 " dead letters, %" PRIu64
            " late, %" PRIu64 " repeated\n",
            counts.messages, counts.events, seconds, (double)counts.events / seconds,
            counts.changes, counts.decisions, counts.deadletters, counts.late, counts.repeated);
    return SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_setup setup;
    const char *model = shoal_cli_get(args, "model");
    int code = shoal_setup_load(args, model ? model : shoal_cli_get(args, "models"),
                                shoal_cli_get(args, "promotions"), &setup);
    if (code == SHOAL_EXIT_OK) {
        char *events = strdup(shoal_cli_get(args, "events"));
        code = events ? replay(args, &setup, events)
                      : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
        free(events);
    }
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"model", "FILE", NULL, "model to apply, or a folder of models: the one in service (default: --models, "
     "else model.path of the configuration)", false, false},
    {"events", "FILE[,FILE…]", NULL, "events: JSON lines or CSV, plain, gzip or zstd; - for standard input",
     true, false},
    {"promotions", "FILE", NULL, "promotions (default: promotions.path of the configuration)", false,
     false},
    {"out", "FOLDER", NULL, "folder for segments.jsonl, decisions.jsonl, deadletter.jsonl, models.jsonl, "
     "states.jsonl",
     true, false},
    {"partitions", "N", "4", "partitions of the topic that is imitated", false, false},
    {"swaps", "FILE", NULL, "swaps of model and policy to make: lines of the models topic, "
     "{\"model\":VERSION,\"policy\":VERSION,\"partition\":N,\"offset\":N}", false, false},
    {"models", "FOLDER", NULL, "folder of the models that --swaps names (default: that of --model)", false,
     false},
    {"policies", "FOLDER", NULL, "folder of the policies that --swaps names (default: promotions.history, "
     "else that of --promotions with .history behind it)", false, false},
    {"workers", "N", "1", "pipelines that share the partitions; the result is the same", false, false},
    {"save-every", "N", "0", "save and empty all caches after N messages; 0: at the end only", false,
     false},
    {"record-time", "TIME", NULL, "Kafka timestamp to assume for every message; without it no event "
     "is refused as future", false, false},
    {"redis", NULL, NULL, "keep the states in Redis (redis.url) instead of memory", false, false},
    SHOAL_SETUP_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_replay = {
    .name = "replay",
    .summary = "apply events files to a model without any service",
    .description =
        "Reads events as a producer keyed by user id would have sent them (murmur2 partitions, "
        "offsets from 0) and writes what shoal run would write to its topics and keep in Redis, "
        "byte for byte.",
    .example = "shoal replay --model m.shoal --events events.csv.gz --promotions "
               "deploy/promotions.yaml --out replayed",
    .options = options,
    .run = run,
};
