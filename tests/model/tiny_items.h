/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue with vectors, neighbours and queries from a seed, for tests: nothing learnt, every part at work. */
#ifndef TEST_TINY_ITEMS_H
#define TEST_TINY_ITEMS_H

#include <string.h>

#include "model/half.h"
#include "model/items_parts.h"
#include "tests/model/tiny_model.h"

/* Item j has the hash j + 1 and category 1 + j mod 3. NULL when out of memory. */
static inline struct shoal_items *tiny_items(size_t count, size_t width, size_t hidden, uint64_t seed)
{
    struct shoal_items *items;
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    if (shoal_items_create(count, width, hidden, count, &items) != SHOAL_OK ||
        shoal_items_create_near(items, count) != SHOAL_OK) {
        shoal_items_destroy(items);
        return NULL;
    }
    for (size_t j = 0; j < count; j++) {
        items->hashes[j] = (uint32_t)j + 1;
        items->categories[j] = (uint16_t)(1 + j % 3);
        items->support[j] = (uint32_t)(count - j);
        items->id_at[j + 1] = (uint32_t)j + 1;
        items->ids[j] = (char)('a' + j % 26);
        items->near_at[j + 1] = j + 1;
        items->near[j] = (uint32_t)((j + 1) % count);
        items->near_weight[j] = 0.5f + 0.25f * (float)(j % 2);
    }
    for (size_t i = 0; i < count * width; i++)
        items->vectors[i] = tiny_random(&state);
    shoal_half_round(items->vectors, count * width);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        struct shoal_item_asking *asking = &items->asking[g];
        size_t dense = width * (hidden + 1 + SHOAL_ITEM_HEADS * width) + count;
        float *tables = (float *)asking->pool;
        for (size_t i = 0; i < dense; i++) /* state, offset, pooling and bias lie one behind the other */
            asking->state[i] = 0.5f * tiny_random(&state);
        for (size_t i = 0; i < (SHOAL_ITEM_HEADS + 2) * (size_t)SHOAL_ITEM_TABLE; i++)
            tables[i] = 0.5f * tiny_random(&state);
    }
    if (shoal_items_ready(items) != SHOAL_OK) {
        shoal_items_destroy(items);
        return NULL;
    }
    return items;
}

#endif
