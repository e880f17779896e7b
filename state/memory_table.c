/* SPDX-License-Identifier: Apache-2.0 */
/* The memory store's hash table; see memory_table.h. Linear probing, at most half full, removal
 * moves the followers up: no tombstones. */
#include "state/memory_table.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"

void shoal_table_finish(struct shoal_table *table)
{
    for (size_t i = 0; i < table->slots_count; i++)
        free(table->slots[i]);
    free((void *)table->slots);
    *table = (struct shoal_table){0};
}

/* The slot that holds this user, or the free one where it belongs. */
static size_t slot_of(const struct shoal_table *table, const void *user, size_t user_size,
                      uint64_t hash)
{
    size_t mask = table->slots_count - 1, i = hash & mask;
    for (; table->slots[i]; i = (i + 1) & mask) {
        const struct shoal_table_item *item = table->slots[i];
        if (item->hash == hash && item->user_size == user_size &&
            memcmp(item->bytes, user, user_size) == 0)
            break;
    }
    return i;
}

bool shoal_table_reserve(struct shoal_table *table, size_t more)
{
    size_t want = table->slots_count ? table->slots_count : 64;
    while (want / 2 < table->count + more)
        want *= 2;
    if (want == table->slots_count)
        return true;
    struct shoal_table grown = {.slots = calloc(want, sizeof(struct shoal_table_item *)),
                                .slots_count = want,
                                .count = table->count};
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < table->slots_count; i++) {
        struct shoal_table_item *item = table->slots[i];
        if (item)
            grown.slots[slot_of(&grown, item->bytes, item->user_size, item->hash)] = item;
    }
    free((void *)table->slots);
    *table = grown;
    return true;
}

struct shoal_table_item *shoal_table_item(const void *user, size_t user_size, const void *value,
                                          size_t value_size)
{
    struct shoal_table_item *item = malloc(sizeof *item + user_size + value_size);
    if (!item)
        return NULL;
    item->hash = shoal_hash(user, user_size);
    item->user_size = user_size;
    item->value_size = value_size;
    item->timer_ms = 0;
    memcpy(item->bytes, user, user_size);
    if (value_size)
        memcpy(item->bytes + user_size, value, value_size);
    return item;
}

void shoal_table_put(struct shoal_table *table, struct shoal_table_item *item)
{
    size_t i = slot_of(table, item->bytes, item->user_size, item->hash);
    if (table->slots[i])
        free(table->slots[i]);
    else
        table->count++;
    table->slots[i] = item;
}

void shoal_table_remove(struct shoal_table *table, const void *user, size_t user_size)
{
    if (table->slots_count == 0)
        return;
    size_t mask = table->slots_count - 1;
    size_t gap = slot_of(table, user, user_size, shoal_hash(user, user_size));
    if (!table->slots[gap])
        return;
    free(table->slots[gap]);
    table->count--;
    for (size_t i = (gap + 1) & mask; table->slots[i]; i = (i + 1) & mask) {
        size_t home = table->slots[i]->hash & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        table->slots[gap] = table->slots[i];
        gap = i;
    }
    table->slots[gap] = NULL;
}

const struct shoal_table_item *shoal_table_find(const struct shoal_table *table, const void *user,
                                                size_t user_size)
{
    if (table->slots_count == 0)
        return NULL;
    return table->slots[slot_of(table, user, user_size, shoal_hash(user, user_size))];
}

const struct shoal_table_item *shoal_table_next(const struct shoal_table *table, size_t *at)
{
    while (*at < table->slots_count) {
        const struct shoal_table_item *item = table->slots[(*at)++];
        if (item)
            return item;
    }
    return NULL;
}

const void *shoal_table_user(const struct shoal_table_item *item)
{
    return item->bytes;
}

const void *shoal_table_value(const struct shoal_table_item *item)
{
    return item->bytes + item->user_size;
}
