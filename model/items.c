/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue: making it, finding an item in it, and what is known of one; see items.h. */
#include "model/items.h"

#include <stdlib.h>
#include <string.h>

#include "model/items_parts.h"

enum { ALIGNMENT = 64, CATEGORIES = 1 << 16 };

/* Zeroed floats on 64 bytes. */
static float *floats(size_t count)
{
    size_t size = (count * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    float *made = aligned_alloc(ALIGNMENT, size);
    if (made)
        memset(made, 0, size);
    return made;
}

static void place_askings(struct shoal_items *items)
{
    size_t width = items->width;
    float *at = items->block;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        struct shoal_item_asking *asking = &items->asking[g];
        asking->state = at;
        asking->offset = asking->state + width * items->hidden;
        asking->pooling = asking->offset + width;
        asking->bias = asking->pooling + SHOAL_ITEM_HEADS * width * width;
        at = asking->bias + items->count;
    }
}

enum shoal_status shoal_items_create(size_t count, size_t width, size_t hidden, size_t ids_size,
                                     struct shoal_items **items)
{
    struct shoal_items *made = calloc(1, sizeof *made);
    *items = NULL;
    if (!made)
        return SHOAL_NOMEM;
    size_t asking = width * hidden + width + SHOAL_ITEM_HEADS * width * width + count;
    made->count = count;
    made->width = width;
    made->hidden = hidden;
    made->vectors = floats(count * width);
    made->hashes = calloc(count, sizeof *made->hashes);
    made->categories = calloc(count, sizeof *made->categories);
    made->support = calloc(count, sizeof *made->support);
    made->id_at = calloc(count + 1, sizeof *made->id_at);
    made->ids = calloc(ids_size + 1, 1);
    made->near_at = calloc(count + 1, sizeof *made->near_at);
    made->block = floats(SHOAL_ITEM_GOALS * asking);
    if (!made->vectors || !made->hashes || !made->categories || !made->support || !made->id_at ||
        !made->ids || !made->near_at || !made->block) {
        shoal_items_destroy(made);
        return SHOAL_NOMEM;
    }
    place_askings(made);
    *items = made;
    return SHOAL_OK;
}

enum shoal_status shoal_items_create_near(struct shoal_items *items, size_t count)
{
    items->near = calloc(count + 1, sizeof *items->near);
    items->near_weight = calloc(count + 1, sizeof *items->near_weight);
    return items->near && items->near_weight ? SHOAL_OK : SHOAL_NOMEM;
}

void shoal_items_destroy(struct shoal_items *items)
{
    if (!items)
        return;
    free(items->vectors);
    free(items->hashes);
    free(items->categories);
    free(items->support);
    free(items->id_at);
    free(items->ids);
    free(items->near_at);
    free(items->near);
    free(items->near_weight);
    free(items->block);
    free(items->table);
    free(items->category_row);
    free(items->category_vectors);
    shoal_prompts_destroy(items->prompts);
    free(items);
}

/* ---- what is made of the parts ---------------------------------------------------------------- */

/* Hashes are good in all their bits, so the low ones say where to look. */
static enum shoal_status fill_table(struct shoal_items *items)
{
    size_t size = 16;
    while (size < 2 * items->count)
        size *= 2;
    items->table_size = size;
    items->table = calloc(size, sizeof *items->table);
    if (!items->table)
        return SHOAL_NOMEM;
    for (size_t j = 0; j < items->count; j++) {
        size_t at = items->hashes[j] & (size - 1);
        for (; items->table[at]; at = (at + 1) & (size - 1))
            if (items->hashes[items->table[at] - 1] == items->hashes[j])
                return SHOAL_DAMAGED;
        items->table[at] = (uint32_t)j + 1;
    }
    return SHOAL_OK;
}

/* The mean of each category's vectors. */
static enum shoal_status fill_categories(struct shoal_items *items)
{
    size_t rows = 0, width = items->width;
    items->category_row = calloc(CATEGORIES, sizeof *items->category_row);
    uint32_t *sizes = calloc(CATEGORIES + 1, sizeof *sizes);
    if (items->category_row && sizes) {
        for (size_t j = 0; j < items->count; j++) {
            uint16_t category = items->categories[j];
            if (category && !items->category_row[category])
                items->category_row[category] = (uint32_t)++rows;
            sizes[items->category_row[category]]++;
        }
        items->category_vectors = floats(rows * width);
    }
    if (!items->category_vectors) {
        free(sizes);
        return SHOAL_NOMEM;
    }
    for (size_t j = 0; j < items->count; j++) {
        uint32_t row = items->category_row[items->categories[j]];
        for (size_t i = 0; row && i < width; i++)
            items->category_vectors[(row - 1) * width + i] +=
                items->vectors[j * width + i] / (float)sizes[row];
    }
    free(sizes);
    return SHOAL_OK;
}

enum shoal_status shoal_items_ready(struct shoal_items *items)
{
    free(items->table);
    free(items->category_row);
    free(items->category_vectors);
    items->table = NULL;
    items->category_row = NULL;
    items->category_vectors = NULL;
    enum shoal_status status = fill_table(items);
    return status == SHOAL_OK ? fill_categories(items) : status;
}

const float *shoal_items_category_vector(const struct shoal_items *items, uint16_t category)
{
    uint32_t row = category ? items->category_row[category] : 0;
    return row ? items->category_vectors + (row - 1) * items->width : NULL;
}

/* ---- looking ------------------------------------------------------------------------------------ */

void shoal_items_bind(struct shoal_items *items, const struct shoal_model *model)
{
    if (items)
        items->model = model;
}

size_t shoal_items_count(const struct shoal_items *items)
{
    return items->count;
}

size_t shoal_items_width(const struct shoal_items *items)
{
    return items->width;
}

bool shoal_items_find(const struct shoal_items *items, uint32_t hash, uint32_t *item)
{
    size_t mask = items->table_size - 1;
    for (size_t at = hash & mask; items->table[at]; at = (at + 1) & mask)
        if (items->hashes[items->table[at] - 1] == hash) {
            *item = items->table[at] - 1;
            return true;
        }
    return false;
}

const char *shoal_items_id(const struct shoal_items *items, uint32_t item, size_t *size)
{
    *size = items->id_at[item + 1] - items->id_at[item];
    return items->ids + items->id_at[item];
}

uint16_t shoal_items_category(const struct shoal_items *items, uint32_t item)
{
    return items->categories[item];
}

uint32_t shoal_items_support(const struct shoal_items *items, uint32_t item)
{
    return items->support[item];
}
