/* SPDX-License-Identifier: Apache-2.0 */
/* One after the other; see learn_on_top.h. */
#include "tools/learn_on_top.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void on_items(void *context, double done)
{
    shoal_progress_update(context, done, (unsigned long long)(100 * done));
}

/* The model with a variant of its prompts, beside where it will be. */
static enum shoal_status save_variant(void *context, struct shoal_model *model,
                                      enum shoal_prompt_variant variant)
{
    const char *name = shoal_prompt_variant_name(variant), *beside = context;
    size_t size = strlen(beside) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path)
        return SHOAL_NOMEM;
    struct shoal_message message;
    (void)snprintf(path, size, "%s.%s", beside, name);
    enum shoal_status status = shoal_model_save(model, path, &message);
    free(path);
    return status;
}

static enum shoal_status learn_items(const struct shoal_on_top *ask, struct shoal_model *model,
                                     const struct shoal_dataset *dataset, int64_t end_ms,
                                     uint64_t seed, struct shoal_train_items_report *report)
{
    struct shoal_progress progress;
    struct shoal_prompt_options prompts = ask->prompt_options;
    prompts.seed = seed;
    const struct shoal_train_items_options options = {
        .most = ask->items_most,
        .names = ask->item_names,
        .prompts = ask->prompts ? &prompts : NULL,
        .variant = ask->prompts_each && ask->prompts_path ? save_variant : NULL,
        .variant_context = (void *)(uintptr_t)ask->prompts_path,
        .seed = seed,
        .progress = on_items,
        .context = &progress,
    };
    shoal_progress_start(&progress, "items", "%");
    enum shoal_status status = shoal_train_items(model, dataset, end_ms, &options, report);
    shoal_progress_end(&progress);
    return status;
}

bool shoal_on_top_read(const struct shoal_cli_args *args, struct shoal_on_top *ask)
{
    return shoal_value_wanted(args, &ask->value, &ask->value_horizon_ms) &&
           shoal_clusters_option(args, &ask->clusters) &&
           shoal_engagement_read(args, &ask->engagement) &&
           shoal_items_wanted(args, &ask->items, &ask->items_most) &&
           shoal_prompts_wanted(args, &ask->prompts, &ask->prompts_each, &ask->prompt_options);
}

enum shoal_status shoal_on_top_learn(const struct shoal_on_top *ask, struct shoal_model *model,
                                     const struct shoal_dataset *dataset, int64_t end_ms,
                                     uint64_t seed, const struct shoal_model *before,
                                     struct shoal_on_top_report *report,
                                     struct shoal_message *message)
{
    struct shoal_train_value_options value = {.seed = seed, .horizon_ms = ask->value_horizon_ms};
    enum shoal_status status = SHOAL_OK;
    *report = (struct shoal_on_top_report){0};
    if (ask->value)
        status = shoal_train_value(model, dataset, end_ms, &value, &report->value);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    status = shoal_add_clusters(model, dataset, end_ms, ask->clusters, seed, before,
                                &report->clusters, message);
    if (status == SHOAL_OK)
        status = shoal_engagement_learn(&ask->engagement, model, dataset, end_ms, seed,
                                        &report->engagement, message);
    if (status != SHOAL_OK || !ask->items)
        return status;
    status = learn_items(ask, model, dataset, end_ms, seed, &report->items);
    if (status == SHOAL_NOMEM)
        return shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    return status == SHOAL_OK ? status
                              : shoal_fail(message, status, "%s.*: cannot be written", ask->prompts_path);
}

void shoal_on_top_show(const struct shoal_on_top *ask, const struct shoal_on_top_report *report,
                       FILE *out)
{
    if (ask->value)
        shoal_value_show(&report->value, out);
    shoal_clusters_print(&report->clusters, ask->clusters, out);
    shoal_engagement_show(&ask->engagement, &report->engagement, out);
    if (ask->items)
        shoal_items_show(&report->items, out);
    if (ask->prompts && report->items.made)
        shoal_prompts_show(&report->items.prompts, out);
}
