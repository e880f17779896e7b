/* SPDX-License-Identifier: Apache-2.0 */
/* One pass for the bought items, one for what is kept; see preparation.h. */
#include "model/learn/preparation.h"

#include <stdlib.h>
#include <string.h>

/* A set of item hashes: open addressing, 0 is no entry and stands for itself in has_zero. */
struct items {
    uint64_t *slots; /* owned */
    size_t size;     /* a power of two, at least twice the entries */
    bool has_zero;
};

static enum shoal_status collect_bought(const struct shoal_dataset *dataset, struct items *items)
{
    size_t purchases = 0;
    for (size_t i = 0; i < dataset->events_count; i++)
        purchases += dataset->touches[i].behavior == SHOAL_BUY;
    *items = (struct items){.size = 16};
    while (items->size < 2 * purchases)
        items->size *= 2;
    items->slots = calloc(items->size, sizeof *items->slots);
    if (!items->slots)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < dataset->events_count; i++) {
        if (dataset->touches[i].behavior != SHOAL_BUY)
            continue;
        uint64_t item = dataset->touches[i].item;
        size_t slot = (size_t)item & (items->size - 1);
        while (items->slots[slot] && items->slots[slot] != item)
            slot = (slot + 1) & (items->size - 1);
        items->slots[slot] = item;
        items->has_zero |= item == 0;
    }
    return SHOAL_OK;
}

static bool bought(const struct items *items, uint64_t item)
{
    if (item == 0)
        return items->has_zero;
    size_t slot = (size_t)item & (items->size - 1);
    while (items->slots[slot] && items->slots[slot] != item)
        slot = (slot + 1) & (items->size - 1);
    return items->slots[slot] == item;
}

/* Appends what is kept of one user. */
static enum shoal_status keep_user(const struct shoal_dataset *dataset, size_t user,
                                   const struct shoal_preparation_options *options,
                                   const struct items *items, struct shoal_dataset *kept,
                                   struct shoal_preparation *preparation)
{
    const char *id = shoal_dataset_user_id(dataset, user);
    size_t first = dataset->first[user], end = dataset->first[user + 1], count = 0;
    for (size_t i = first; i < end; i++)
        count += !options->bought_items_only || bought(items, dataset->touches[i].item);
    preparation->unbought_count += end - first - count;
    if (count < options->min_records) {
        preparation->few_users++;
        preparation->few_count += count;
        return SHOAL_OK;
    }
    enum shoal_status status = SHOAL_OK;
    for (size_t i = first; i < end && status == SHOAL_OK; i++)
        if (!options->bought_items_only || bought(items, dataset->touches[i].item))
            status = shoal_dataset_append(kept, id, strlen(id), &dataset->touches[i], 0);
    return status;
}

enum shoal_status shoal_prepare(struct shoal_dataset *dataset,
                                const struct shoal_preparation_options *options,
                                struct shoal_preparation *preparation)
{
    *preparation = (struct shoal_preparation){0};
    if (options->min_records == 0 && !options->bought_items_only)
        return SHOAL_OK;
    struct items items;
    struct shoal_dataset kept;
    shoal_dataset_init(&kept, dataset->ring);
    enum shoal_status status = collect_bought(dataset, &items);
    for (size_t user = 0; user < dataset->users_count && status == SHOAL_OK; user++)
        status = keep_user(dataset, user, options, &items, &kept, preparation);
    if (status == SHOAL_OK)
        status = shoal_dataset_group(&kept);
    free(items.slots);
    if (status != SHOAL_OK) {
        shoal_dataset_finish(&kept);
        return status;
    }
    kept.late_count = dataset->late_count;
    kept.repeated_count = dataset->repeated_count;
    shoal_dataset_finish(dataset);
    *dataset = kept;
    return SHOAL_OK;
}
