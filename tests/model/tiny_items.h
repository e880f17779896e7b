/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue with parts from a seed, for tests: nothing learnt, but every part of it at work. Item j has the id
 * "item<j>", the hash tiny_item_hash(j), and the category 1 + j mod 5. */
#ifndef TEST_TINY_ITEMS_H
#define TEST_TINY_ITEMS_H

#include <stdio.h>
#include <string.h>

#include "model/half.h"
#include "model/items_parts.h"
#include "tests/model/tiny_model.h"

static inline uint32_t tiny_item_hash(size_t item)
{
    return (uint32_t)(item + 1) * 2654435761u;
}

static inline void tiny_table(struct shoal_item_table *table, float low, float scale, uint64_t *state)
{
    float *values = (float *)table;
    for (size_t i = 0; i < SHOAL_ITEM_TABLE; i++)
        values[i] = low + scale * tiny_random(state);
}

/* Item j has the neighbours j + 1, j + 4 … up to `near` of them, as far as they are there. */
static inline bool tiny_near(struct shoal_items *items, size_t near, uint64_t *state)
{
    size_t at = 0;
    if (shoal_items_create_near(items, near * items->count) != SHOAL_OK)
        return false;
    for (size_t j = 0; j < items->count; j++) {
        for (size_t n = 0; n < near && j + 1 + 3 * n < items->count; n++) {
            items->near[at] = (uint32_t)(j + 1 + 3 * n);
            items->near_weight[at++] = 1.5f + tiny_random(state);
        }
        items->near_at[j + 1] = at;
    }
    shoal_half_round(items->near_weight, at);
    return true;
}

/* NULL when out of memory; shoal_items_destroy frees it. */
static inline struct shoal_items *tiny_items(size_t count, size_t width, size_t hidden, uint64_t seed)
{
    struct shoal_items *items;
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    if (shoal_items_create(count, width, hidden, 16 * count, &items) != SHOAL_OK)
        return NULL;
    for (size_t j = 0; j < count; j++) {
        char id[16];
        int size = snprintf(id, sizeof id, "item%zu", j);
        memcpy(items->ids + items->id_at[j], id, (size_t)size);
        items->id_at[j + 1] = items->id_at[j] + (uint32_t)size;
        items->hashes[j] = tiny_item_hash(j);
        items->categories[j] = (uint16_t)(1 + j % 5);
        items->support[j] = (uint32_t)(count - j);
    }
    for (size_t i = 0; i < count * width; i++)
        items->vectors[i] = tiny_random(&state);
    shoal_half_round(items->vectors, count * width);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        struct shoal_item_asking *asking = &items->asking[g];
        size_t dense = width * hidden + width + SHOAL_ITEM_HEADS * width * width + count;
        for (size_t i = 0; i < dense; i++)
            asking->state[i] = 0.3f * tiny_random(&state);
        tiny_table(&asking->pool[0], 0, 1, &state);
        tiny_table(&asking->pool[1], 0, 1, &state);
        tiny_table(&asking->follow, -0.5f, 0.3f, &state);
        tiny_table(&asking->again, 0, 1, &state);
        asking->level = 0.75f + 0.25f * tiny_random(&state);
    }
    items->summary = (struct shoal_items_summary){.events = 1000,
                                                    .targets = 100,
                                                    .epochs = 5,
                                                    .hr20 = {0.5f, 0.25f},
                                                    .popularity = {{1, 0.5f}, {0.25f}},
                                                    .scale = {1, 0.75f}};
    if (!tiny_near(items, 3, &state) || shoal_items_ready(items) != SHOAL_OK) {
        shoal_items_destroy(items);
        return NULL;
    }
    return items;
}

#endif
