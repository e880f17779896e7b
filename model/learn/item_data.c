/* SPDX-License-Identifier: Apache-2.0 */
/* Counting items and finding targets; see item_data.h. */
#include "model/learn/item_data.h"

#include <stdlib.h>
#include <string.h>

#include "model/items.h"
#include "model/learn/random.h"

/* An item while it is counted. */
struct counted {
    uint32_t hash, count;
    uint16_t category;
};

struct counter {
    struct counted *items; /* owned */
    size_t count;
    uint32_t *table; /* owned; item + 1 or 0 */
    size_t mask;
};

static enum shoal_status counter_init(struct counter *counter, size_t events)
{
    size_t size = 16;
    while (size < 2 * events)
        size *= 2;
    counter->mask = size - 1;
    counter->table = calloc(size, sizeof *counter->table);
    counter->items = calloc(events + 1, sizeof *counter->items);
    return counter->table && counter->items ? SHOAL_OK : SHOAL_NOMEM;
}

static uint32_t *slot_of(const struct counter *counter, uint32_t hash)
{
    size_t at = hash & counter->mask;
    while (counter->table[at] && counter->items[counter->table[at] - 1].hash != hash)
        at = (at + 1) & counter->mask;
    return &counter->table[at];
}

static void count_item(struct counter *counter, const struct shoal_touch *touch)
{
    uint32_t *slot = slot_of(counter, touch->item);
    if (!*slot) {
        counter->items[counter->count].hash = touch->item;
        *slot = (uint32_t)++counter->count;
    }
    struct counted *item = &counter->items[*slot - 1];
    item->count += item->count < UINT32_MAX;
    if (touch->category)
        item->category = touch->category;
}

static int by_count(const void *a, const void *b)
{
    const struct counted *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

static bool has_name(const struct shoal_item_names *names, uint32_t hash)
{
    size_t size = 0;
    return !names || (shoal_item_names_find(names, hash, &size) && size <= SHOAL_ITEM_ID_MAX);
}

/* The items that are kept, in their order, to the front; how many. */
static size_t choose(struct counter *counter, uint32_t least, size_t most,
                     const struct shoal_item_names *names)
{
    size_t kept = 0;
    qsort(counter->items, counter->count, sizeof *counter->items, by_count);
    for (size_t i = 0; i < counter->count && kept < most; i++)
        if (counter->items[i].count >= least && has_name(names, counter->items[i].hash))
            counter->items[kept++] = counter->items[i];
    return kept;
}

/* From here on the table holds what is kept. */
static void rebuild_table(struct counter *counter, size_t count)
{
    memset(counter->table, 0, (counter->mask + 1) * sizeof *counter->table);
    for (size_t i = 0; i < count; i++)
        *slot_of(counter, counter->items[i].hash) = (uint32_t)i + 1;
}

static enum shoal_status fill(struct shoal_item_data *data, const struct shoal_dataset *dataset,
                              struct counter *counter)
{
    size_t count = data->count, events = dataset->events_count;
    data->hashes = malloc((count + 1) * sizeof *data->hashes);
    data->support = malloc((count + 1) * sizeof *data->support);
    data->categories = malloc((count + 1) * sizeof *data->categories);
    data->item_of = malloc((events + 1) * sizeof *data->item_of);
    if (!data->hashes || !data->support || !data->categories || !data->item_of)
        return SHOAL_NOMEM;
    rebuild_table(counter, count);
    for (size_t i = 0; i < count; i++) {
        data->hashes[i] = counter->items[i].hash;
        data->support[i] = counter->items[i].count;
        data->categories[i] = counter->items[i].category;
    }
    for (size_t i = 0; i < events; i++) {
        uint32_t there = *slot_of(counter, dataset->touches[i].item);
        data->item_of[i] = there ? there - 1 : SHOAL_NO_ITEM;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_item_data_make(const struct shoal_dataset *dataset, int64_t until_ms,
                                       uint32_t least, size_t most,
                                       const struct shoal_item_names *names,
                                       struct shoal_item_data *data)
{
    struct counter counter = {0};
    *data = (struct shoal_item_data){0};
    enum shoal_status status = counter_init(&counter, dataset->events_count);
    for (size_t i = 0; status == SHOAL_OK && i < dataset->events_count; i++)
        if (dataset->touches[i].time_ms < until_ms)
            count_item(&counter, &dataset->touches[i]);
    if (status == SHOAL_OK) {
        data->count = choose(&counter, least, most, names);
        status = fill(data, dataset, &counter);
    }
    free(counter.table);
    free(counter.items);
    if (status != SHOAL_OK)
        shoal_item_data_finish(data);
    return status;
}

void shoal_item_data_finish(struct shoal_item_data *data)
{
    free(data->hashes);
    free(data->support);
    free(data->categories);
    free(data->item_of);
    *data = (struct shoal_item_data){0};
}

/* ---- targets ------------------------------------------------------------------------------------ */

static bool is_target(const struct shoal_dataset *dataset, const struct shoal_item_data *data,
                      size_t event, int64_t from_ms, int64_t until_ms)
{
    const struct shoal_touch *touch = &dataset->touches[event];
    return touch->time_ms >= from_ms && touch->time_ms < until_ms &&
           touch->item != touch[-1].item && data->item_of[event] != SHOAL_NO_ITEM;
}

enum shoal_status shoal_item_targets_make(const struct shoal_dataset *dataset,
                                          const struct shoal_item_data *data, int64_t from_ms,
                                          int64_t until_ms, struct shoal_item_targets *targets)
{
    size_t events = dataset->events_count;
    *targets = (struct shoal_item_targets){
        .last = malloc((events + 1) * sizeof *targets->last),
        .items = malloc((events + 1) * sizeof *targets->items),
        .bought = malloc((events + 1) * sizeof *targets->bought),
    };
    if (!targets->last || !targets->items || !targets->bought) {
        shoal_item_targets_finish(targets);
        return SHOAL_NOMEM;
    }
    for (size_t user = 0; user < dataset->users_count; user++)
        for (size_t i = dataset->first[user] + 1; i < dataset->first[user + 1]; i++)
            if (is_target(dataset, data, i, from_ms, until_ms)) {
                targets->last[targets->count] = i - 1;
                targets->items[targets->count] = data->item_of[i];
                targets->bought[targets->count++] = dataset->touches[i].behavior == SHOAL_BUY;
            }
    return SHOAL_OK;
}

void shoal_item_targets_finish(struct shoal_item_targets *targets)
{
    free(targets->last);
    free(targets->items);
    free(targets->bought);
    *targets = (struct shoal_item_targets){0};
}

void shoal_item_targets_thin(struct shoal_item_targets *targets, size_t most, uint64_t seed)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_ITEMS);
    size_t kept = 0, count = targets->count;
    for (size_t i = 0; i < count && kept < most; i++) {
        /* the next of those that are left is wanted with (most − kept)/(count − i) */
        if (count > most &&
            (double)shoal_random_uniform(key, i) * (double)(count - i) >= (double)(most - kept))
            continue;
        targets->last[kept] = targets->last[i];
        targets->items[kept] = targets->items[i];
        targets->bought[kept++] = targets->bought[i];
    }
    targets->count = kept;
}
