/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue with random vectors, for tests and the benchmark: nothing learnt, but every part of it at work.
 * Its items are called "0", "1", … */
#ifndef TEST_PLANTED_ITEMS_H
#define TEST_PLANTED_ITEMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/items_parts.h"
#include "model/learn/random.h"

enum {
    PLANTED_NEAR = 4096,
    PLANTED_HASHED = 10000, /* more ids than so many would hardly all have different hashes */
};

static inline float planted_number(uint64_t seed, uint64_t *drawn)
{
    return 2 * shoal_random_uniform(seed, (*drawn)++) - 1;
}

static inline void planted_fill(float *numbers, size_t count, float scale, uint64_t seed,
                                uint64_t *drawn)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = scale * planted_number(seed, drawn);
}

/* Every third of the first PLANTED_NEAR items has as many neighbours as an item may have, every seventh behind it. */
static inline bool planted_neighbours(struct shoal_items *items)
{
    size_t made = 0;
    if (shoal_items_create_near(items, (size_t)PLANTED_NEAR * SHOAL_ITEM_NEIGHBOURS_MAX) != SHOAL_OK)
        return false;
    for (size_t i = 0; i < items->count; i++) {
        items->near_at[i] = made;
        for (size_t k = 1; i % 3 == 0 && i < PLANTED_NEAR && k <= SHOAL_ITEM_NEIGHBOURS_MAX; k++) {
            if (i + 7 * k >= items->count)
                break;
            items->near[made] = (uint32_t)(i + 7 * k);
            items->near_weight[made++] = 0.5f;
        }
    }
    items->near_at[items->count] = made;
    return true;
}

/* NULL when out of memory, or if two of the ids have one hash; shoal_items_destroy frees it. Of more than
 * PLANTED_HASHED items the hashes are made up, so that no event names them by their ids. */
static inline struct shoal_items *planted_items(size_t count, size_t width, size_t hidden,
                                                uint64_t seed)
{
    struct shoal_items *items;
    uint64_t drawn = 0;
    char id[24];
    size_t at = 0;
    if (shoal_items_create(count, width, hidden, 8 * count, &items) != SHOAL_OK)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)snprintf(id, sizeof id, "%zu", i);
        memcpy(items->ids + at, id, size);
        items->id_at[i] = (uint32_t)at;
        at += size;
        items->hashes[i] =
            count <= PLANTED_HASHED ? (uint32_t)shoal_hash(id, size) : (uint32_t)i * 2654435761u;
        items->support[i] = (uint32_t)(count - i);
        items->categories[i] = (uint16_t)(1 + i % 7);
        for (size_t k = 0; k < width; k++)
            items->vectors[i * width + k] = (float)(int)(16 * planted_number(seed, &drawn)) / 16;
    }
    items->id_at[count] = (uint32_t)at;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        struct shoal_item_asking *asking = &items->asking[g];
        planted_fill(asking->state, width * hidden, 0.3f, seed, &drawn);
        planted_fill(asking->offset, width, 0.3f, seed, &drawn);
        planted_fill(asking->pooling, SHOAL_ITEM_HEADS * width * width, 0.2f, seed, &drawn);
        planted_fill(asking->bias, count, 0.5f, seed, &drawn);
        planted_fill(asking->pool[0].place, SHOAL_RING_MAX, 1, seed, &drawn);
        planted_fill(asking->pool[1].behavior, SHOAL_BEHAVIOR_COUNT, 1, seed, &drawn);
        planted_fill(asking->follow.age, SHOAL_ITEM_AGES, 1, seed, &drawn);
        planted_fill(asking->again.place, SHOAL_RING_MAX, 1, seed, &drawn);
    }
    if (!planted_neighbours(items) || shoal_items_ready(items) != SHOAL_OK) {
        shoal_items_destroy(items);
        return NULL;
    }
    return items;
}

#endif
