/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal segments`: what the clusters of a model are like; and --compare, how they do beside simpler
 * segmentations on the same events. */
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_compare.h"
#include "model/learn/train_clusters.h"
#include "tools/add_clusters.h"
#include "tools/commands.h"
#include "tools/describe_dimensions.h"
#include "tools/load_events.h"
#include "tools/segments_print.h"
#include "tools/setup.h"

/* ---- profiles ------------------------------------------------------------------------------- */

static int profile(const struct shoal_cli_args *args)
{
    struct shoal_model *model;
    struct shoal_message message = {.text = ""};
    enum shoal_status status = shoal_model_load(shoal_cli_get(args, "model"), &model, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    int code = SHOAL_EXIT_OK;
    if (!model->clusters)
        code = shoal_cli_fail(args, SHOAL_EXIT_DATA,
                              "model %s has no clusters: it was trained with --clusters off, or from "
                              "fewer than %d users",
                              model->version, SHOAL_CLUSTER_USERS_MIN);
    else if (shoal_cli_get(args, "json"))
        shoal_segments_put(model, stdout);
    else
        shoal_segments_print(model, stdout);
    shoal_model_destroy(model);
    return code;
}

/* ---- comparison ----------------------------------------------------------------------------- */

struct models {
    struct shoal_model *list[SHOAL_CLUSTER_MODELS_MAX];
    size_t count;
};

static int load_models(const struct shoal_cli_args *args, struct models *models)
{
    struct shoal_message message = {.text = ""};
    char *paths = strdup(shoal_cli_get(args, "model")), *rest = paths;
    int code = paths ? SHOAL_EXIT_OK : shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    for (char *path; code == SHOAL_EXIT_OK && (path = strsep(&rest, ","));) {
        if (models->count == SHOAL_CLUSTER_MODELS_MAX)
            code = shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--model: at most %d models",
                                  SHOAL_CLUSTER_MODELS_MAX);
        else if (shoal_model_load(path, &models->list[models->count], &message) != SHOAL_OK)
            code = shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
        else
            models->count++;
    }
    free(paths);
    return code;
}

static void on_progress(void *context, double fraction)
{
    shoal_progress_update(context, fraction, (unsigned long long)(fraction * 100));
}

static int compare_on(const struct shoal_cli_args *args, const struct models *models,
                      struct shoal_cluster_compare_options *options, struct shoal_dataset *dataset)
{
    bool until_given;
    long long until_ms = 0;
    struct shoal_message message = {.text = ""};
    struct shoal_cluster_table table;
    struct shoal_progress line;
    if (!shoal_cli_time(args, "until", &until_given, &until_ms))
        return SHOAL_EXIT_USAGE;
    struct shoal_load load = {.until_ms = until_given ? until_ms : INT64_MAX};
    int code = shoal_load_for(args, &load, dataset);
    if (code != SHOAL_EXIT_OK)
        return code;
    options->progress = on_progress;
    options->context = &line;
    shoal_progress_start(&line, "compare", "%");
    enum shoal_status status = shoal_cluster_compare(
        (const struct shoal_model *const *)models->list, models->count, dataset,
        load.reached ? until_ms : dataset->last_ms, options, &table, &message);
    shoal_progress_end(&line);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, status == SHOAL_TOO_FEW ? SHOAL_EXIT_DATA : SHOAL_EXIT_FAILED,
                              "%s", message.text);
    if (shoal_cli_get(args, "json"))
        shoal_segments_table_put(&table, stdout);
    else
        shoal_segments_table_print(&table, stdout);
    return SHOAL_EXIT_OK;
}

static int compare(const struct shoal_cli_args *args)
{
    struct shoal_cluster_compare_options options = shoal_cluster_compare_options_default();
    struct models models = {.count = 0};
    struct shoal_dataset dataset;
    long long seeds, resamples;
    int clusters;
    if (!shoal_cli_get(args, "events"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--compare needs --events");
    if (!shoal_clusters_option(args, &clusters) ||
        !shoal_cli_int(args, "seeds", 1, SHOAL_CLUSTER_SEEDS_MAX, &seeds) ||
        !shoal_cli_int(args, "resamples", 1, 1000, &resamples))
        return SHOAL_EXIT_USAGE;
    if (clusters == SHOAL_CLUSTERS_OFF)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--compare needs clusters: auto or a number");
    options.clusters = (size_t)clusters;
    options.seeds = (unsigned)seeds;
    options.resamples = (unsigned)resamples;
    int code = load_models(args, &models);
    if (code == SHOAL_EXIT_OK) {
        shoal_dataset_init(&dataset, models.list[0]->params.dims.ring);
        code = compare_on(args, &models, &options, &dataset);
        shoal_dataset_finish(&dataset);
    }
    for (size_t m = 0; m < models.count; m++)
        shoal_model_destroy(models.list[m]);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    if (shoal_cli_get(args, "dimensions")) {
        if (shoal_cli_get(args, "markdown"))
            shoal_describe_dimensions_markdown(stdout);
        else
            shoal_describe_dimensions(stdout);
        return SHOAL_EXIT_OK;
    }
    if (!shoal_cli_get(args, "model"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--model is missing (or give --dimensions)");
    return shoal_cli_get(args, "compare") ? compare(args) : profile(args);
}

static const struct shoal_cli_option options[] = {
    {"model", "FILE[,FILE…]", NULL, "model file; with --compare several, which stand for retrainings", false,
     false},
    {"json", NULL, NULL, "print JSON", false, false},
    {"dimensions", NULL, NULL,
     "instead: list all segment dimensions and traits, with what each means and the options that say how "
     "it is measured",
     false, false},
    {"markdown", NULL, NULL, "with --dimensions: as the page deploy/segments.md", false, false},
    {"compare", NULL, NULL,
     "compare deep clustering, k-means on the same input, k-means on counters and RFM quintiles, learnt "
     "on the events up to the end of each model's training and judged on those after",
     false, false},
    {"events", "FILE[,FILE…]", NULL,
     "with --compare: events in order of arrival: JSON lines or CSV, plain, gzip or zstd", false, false},
    {"until", "TIME", NULL, "with --compare: leave out events from here on (default: none)", false,
     false},
    {"clusters", "auto|K", "auto", "with --compare: number of clusters; auto: as training chooses it",
     false, false},
    {"seeds", "N", "3", "with --compare: repeats of each method with each model", false, false},
    {"resamples", "N", "10", "with --compare: resamples of the users for the bootstrap Jaccard", false,
     false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_segments = {
    .name = "segments",
    .summary = "describe the segments that a model has found",
    .description =
        "Prints of each cluster its size, the share of its states that a purchase follows within 24 "
        "hours, its behaviour mix over the week before, what it does more and less than everybody (from "
        "a quarter of a standard deviation on), how stable it is, and which cluster of the model before "
        "it continues. The short name is made by rule: the trait farthest from everybody's mean, and "
        "the next, from half a standard deviation on.",
    .example = "shoal segments --model model.shoal",
    .options = options,
    .run = run,
};
