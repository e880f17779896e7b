/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal items`: what is in a model's catalogue, and putting items into it that came after the training. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/items_add.h"
#include "tools/commands.h"
#include "tools/load_events.h"
#include "stream/put_json.h"
#include "tools/setup.h"

/* ---- listing ------------------------------------------------------------------------------- */

/* Items by support, most first; of equal ones the lower index. The best `most` are at the front. */
static int by_support(const void *a, const void *b)
{
    const struct shoal_item_pick *left = a, *right = b;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return (left->item > right->item) - (left->item < right->item);
}

static void print_item(const struct shoal_items *items, uint32_t item, struct shoal_put *put)
{
    size_t size;
    const char *id = shoal_items_id(items, item, &size);
    char text[SHOAL_ITEM_ID_MAX + 1], category[8] = "";
    snprintf(text, sizeof text, "%.*s", (int)size, id);
    if (put) {
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "item", text);
        shoal_put_count(put, "support", shoal_items_support(items, item));
        if (shoal_items_category(items, item))
            shoal_put_count(put, "category", shoal_items_category(items, item));
        else
            shoal_put_null(put, "category");
        shoal_put_close(put, '}');
        return;
    }
    if (shoal_items_category(items, item))
        snprintf(category, sizeof category, "#%04x", shoal_items_category(items, item));
    printf("  %-20s %9" PRIu32 " %9s\n", text, shoal_items_support(items, item), category);
}

static void print_catalogue(const struct shoal_model *model, const struct shoal_item_pick *order,
                            size_t most, bool json)
{
    const struct shoal_items *items = model->items;
    struct shoal_put put = {.out = stdout};
    if (json) {
        shoal_put_open(&put, NULL, '{');
        shoal_put_text(&put, "model", model->version);
        shoal_put_count(&put, "items", shoal_items_count(items));
        shoal_put_count(&put, "width", shoal_items_width(items));
        shoal_put_open(&put, "most_supported", '[');
    } else {
        printf("model %s: %zu items, vectors of %zu numbers\n  %-20s %9s %9s\n", model->version,
               shoal_items_count(items), shoal_items_width(items), "item", "support", "category");
    }
    for (size_t i = 0; i < most; i++)
        print_item(items, order[i].item, json ? &put : NULL);
    if (json) {
        shoal_put_close(&put, ']');
        shoal_put_close(&put, '}');
        putchar('\n');
    }
}

static int list(const struct shoal_cli_args *args, const struct shoal_model *model)
{
    size_t count = shoal_items_count(model->items);
    long long most;
    struct shoal_item_pick *order = malloc(count * sizeof *order);
    if (!shoal_cli_int(args, "n", 1, SHOAL_ITEMS_MAX, &most)) {
        free(order);
        return SHOAL_EXIT_USAGE;
    }
    if (!order)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory");
    for (size_t i = 0; i < count; i++)
        order[i] = (struct shoal_item_pick){
            (uint32_t)i, (float)shoal_items_support(model->items, (uint32_t)i)};
    qsort(order, count, sizeof *order, by_support);
    print_catalogue(model, order, (size_t)most < count ? (size_t)most : count,
                    shoal_cli_get(args, "json") != NULL);
    free(order);
    return SHOAL_EXIT_OK;
}

/* ---- adding -------------------------------------------------------------------------------- */

static void tell_added(const struct shoal_model *model, const char *before,
                       const struct shoal_items_added *added, const char *out, bool json)
{
    struct shoal_put put = {.out = stdout};
    if (!json) {
        printf("model %s  %s, from %s\n"
               "  items     %zu, of which %zu are new: %zu have something of their category, %zu of the items "
               "they come with\n",
               model->version, out, before, shoal_items_count(model->items), added->added,
               added->by_category, added->by_company);
        if (added->rare)
            printf("  left out  %zu named too seldom (--min-support)\n", added->rare);
        if (added->full)
            printf("  left out  %zu: the catalogue is full\n", added->full);
        return;
    }
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "model", model->version);
    shoal_put_text(&put, "from", before);
    shoal_put_count(&put, "items", shoal_items_count(model->items));
    shoal_put_count(&put, "added", added->added);
    shoal_put_count(&put, "by_category", added->by_category);
    shoal_put_count(&put, "by_company", added->by_company);
    shoal_put_count(&put, "rare", added->rare);
    shoal_put_count(&put, "full", added->full);
    shoal_put_close(&put, '}');
    putchar('\n');
}

/* The model with the larger catalogue, as a file of its own. */
static int grow(const struct shoal_cli_args *args, struct shoal_model *model,
                const struct shoal_dataset *dataset, const struct shoal_item_names *names,
                uint32_t least)
{
    struct shoal_message message = {.text = ""};
    struct shoal_items *grown;
    struct shoal_items_added added;
    const char *out = shoal_cli_get(args, "out");
    char before[17];
    memcpy(before, model->version, sizeof before);
    if (shoal_items_add(model->items, dataset, names, least, &grown, &added) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "out of memory with %zu events",
                              dataset->events_count);
    shoal_items_destroy(model->items);
    model->items = grown;
    if (shoal_model_save(model, out, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", message.text);
    tell_added(model, before, &added, out, shoal_cli_get(args, "json") != NULL);
    return SHOAL_EXIT_OK;
}

static int add(const struct shoal_cli_args *args, struct shoal_model *model)
{
    struct shoal_item_names names;
    struct shoal_load load = {.until_ms = INT64_MAX, .names = &names};
    struct shoal_dataset dataset;
    long long least;
    if (!shoal_cli_get(args, "events") || !shoal_cli_get(args, "out"))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "add needs --events and --out");
    if (!shoal_cli_int(args, "min-support", 1, UINT32_MAX, &least))
        return SHOAL_EXIT_USAGE;
    shoal_dataset_init(&dataset, (uint32_t)model->params.dims.ring);
    shoal_item_names_init(&names);
    int code = shoal_load_for(args, &load, &dataset);
    if (code == SHOAL_EXIT_OK)
        code = grow(args, model, &dataset, &names, (uint32_t)least);
    shoal_item_names_finish(&names);
    shoal_dataset_finish(&dataset);
    return code;
}

/* ---- the command --------------------------------------------------------------------------- */

static int run(const struct shoal_cli_args *args)
{
    struct shoal_message message = {.text = ""};
    struct shoal_model *model;
    const char *action = shoal_cli_positional(args, 0);
    if (action && strcmp(action, "add") != 0)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "unknown action '%s': add is the only one", action);
    if (!action && (shoal_cli_get(args, "events") || shoal_cli_get(args, "out")))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--events and --out belong to shoal items add");
    enum shoal_status status = shoal_model_load(shoal_cli_get(args, "model"), &model, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
    int code;
    if (!model->items)
        code = shoal_cli_fail(args, SHOAL_EXIT_CONFIG,
                              "model %s has no catalogue of items; train one with shoal train --items auto",
                              model->version);
    else
        code = action ? add(args, model) : list(args, model);
    shoal_model_destroy(model);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"model", "FILE", NULL, "the model", true, false},
    {"n", "N", "10", "how many of the most supported items to list", false, false},
    {"events", "FILE[,FILE…]", NULL, "add: events that name the new items", false, false},
    {"out", "FILE", NULL, "add: the model with the larger catalogue", false, false},
    {"min-support", "N", "2", "add: leave out items that fewer events name", false, false},
    {"json", NULL, NULL, "print JSON (deploy/formats.md)", false, false},
    SHOAL_WALK_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_items = {
    .name = "items",
    .summary = "list a model's catalogue of items, or add items that came later",
    .positional = "[add]",
    .description =
        "add: an item of the events that the catalogue does not have gets a vector from the mean of its category "
        "(which weighs as much as four meetings) and from the items that users had within eight events of it, each "
        "by how often; and a popularity from how often it is named. The network and everything in the catalogue "
        "stay as they are. It holds until the next training, which learns them as all others. The new model is "
        "published like any other (shoal models).",
    .example = "shoal items --model model.shoal -n 20\n"
               "shoal items add --model model.shoal --events today.csv.gz --out model-today.shoal",
    .options = options,
    .run = run,
};
