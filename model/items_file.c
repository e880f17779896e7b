/* SPDX-License-Identifier: Apache-2.0 */
/* The section "items" of a model file: nil, or one map with these keys, in this order.
 *
 *   count, width, hidden   N, W, H
 *   hashes      N × uint32: low 32 bits of the ids' hashes, as in events; no two the same
 *   categories  N × uint16, 0: none
 *   support     N × uint32: events that named the item
 *   id_sizes    N × uint8, 1 … 64           ids   the ids one after another
 *   vectors     N × W, half precision
 *   near_counts N × uint8, 0 … 64
 *   near        uint32 each: the neighbours of item 0, rising, then of item 1 …
 *   near_weights   half precision each, ≥ 0
 *   goals       [any, buy], each a map
 *               {"state": W × H, "offset": W, "pooling": 2 × W × W, "bias": N,
 *                "pool": 2 tables, "follow": a table, "again": a table, "level": 1}
 *   prompts     nil or the map of prompts_file.c
 *   summary     {"events", "targets", "epochs": integers, "hr20", "ndcg20", "popular_ndcg20": 2 each,
 *                "popularity": 2 × 5, "scale": 2}: of the training; nothing is computed from them
 *
 * A table is 32 + 4 + 12 numbers: by place, behaviour, age. Numbers are float32 unless said, little-endian,
 * row-major. Nothing is allocated before the bytes are known to be there. */
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "model/half.h"
#include "model/items_parts.h"

enum { FIELDS = 15, GOAL_FIELDS = 8, SUMMARY_FIELDS = 8, PIECE = 4096 };

/* ---- write ------------------------------------------------------------------------------------- */

static void pack_bytes(struct shoal_buffer *out, const char *name, const void *bytes, size_t size)
{
    shoal_pack_text(out, name);
    shoal_pack_bin(out, bytes, size);
}

/* Floats that are halves, as halves. */
static void pack_halves(struct shoal_buffer *out, const char *name, const float *values, size_t count)
{
    uint16_t *halves = malloc((count + 1) * sizeof *halves);
    if (!halves) {
        out->failed = true;
        return;
    }
    shoal_half_from_float(values, halves, count);
    pack_bytes(out, name, halves, count * sizeof *halves);
    free(halves);
}

/* Differences of neighbouring numbers, which are at most 255, as bytes. */
static void pack_sizes(struct shoal_buffer *out, const struct shoal_items *items)
{
    uint8_t *sizes = malloc(items->count + 1);
    if (!sizes) {
        out->failed = true;
        return;
    }
    for (size_t j = 0; j < items->count; j++)
        sizes[j] = (uint8_t)(items->id_at[j + 1] - items->id_at[j]);
    pack_bytes(out, "id_sizes", sizes, items->count);
    pack_bytes(out, "ids", items->ids, items->id_at[items->count]);
    pack_halves(out, "vectors", items->vectors, items->count * items->width);
    for (size_t j = 0; j < items->count; j++)
        sizes[j] = (uint8_t)(items->near_at[j + 1] - items->near_at[j]);
    pack_bytes(out, "near_counts", sizes, items->count);
    free(sizes);
}

static void pack_goal(struct shoal_buffer *out, const struct shoal_items *items,
                      const struct shoal_item_asking *asking)
{
    size_t width = items->width;
    shoal_pack_map(out, GOAL_FIELDS);
    shoal_fields_pack_floats(out, "state", asking->state, width * items->hidden);
    shoal_fields_pack_floats(out, "offset", asking->offset, width);
    shoal_fields_pack_floats(out, "pooling", asking->pooling, SHOAL_ITEM_HEADS * width * width);
    shoal_fields_pack_floats(out, "bias", asking->bias, items->count);
    shoal_fields_pack_floats(out, "pool", (const float *)asking->pool, SHOAL_ITEM_HEADS * SHOAL_ITEM_TABLE);
    shoal_fields_pack_floats(out, "follow", (const float *)&asking->follow, SHOAL_ITEM_TABLE);
    shoal_fields_pack_floats(out, "again", (const float *)&asking->again, SHOAL_ITEM_TABLE);
    shoal_fields_pack_floats(out, "level", &asking->level, 1);
}

static void pack_summary(struct shoal_buffer *out, const struct shoal_items_summary *summary)
{
    shoal_pack_text(out, "summary");
    shoal_pack_map(out, SUMMARY_FIELDS);
    shoal_fields_pack_uint(out, "events", summary->events);
    shoal_fields_pack_uint(out, "targets", summary->targets);
    shoal_fields_pack_uint(out, "epochs", summary->epochs);
    shoal_fields_pack_floats(out, "hr20", summary->hr20, SHOAL_ITEM_GOALS);
    shoal_fields_pack_floats(out, "ndcg20", summary->ndcg20, SHOAL_ITEM_GOALS);
    shoal_fields_pack_floats(out, "popular_ndcg20", summary->popular_ndcg20, SHOAL_ITEM_GOALS);
    shoal_fields_pack_floats(out, "popularity", (const float *)summary->popularity,
                             SHOAL_ITEM_GOALS * SHOAL_ITEM_POPULARITIES);
    shoal_fields_pack_floats(out, "scale", summary->scale, SHOAL_ITEM_GOALS);
}

void shoal_items_pack(const struct shoal_items *items, struct shoal_buffer *out)
{
    if (!items) {
        shoal_pack_nil(out);
        return;
    }
    shoal_pack_map(out, FIELDS);
    shoal_fields_pack_uint(out, "count", items->count);
    shoal_fields_pack_uint(out, "width", items->width);
    shoal_fields_pack_uint(out, "hidden", items->hidden);
    pack_bytes(out, "hashes", items->hashes, items->count * sizeof *items->hashes);
    pack_bytes(out, "categories", items->categories, items->count * sizeof *items->categories);
    pack_bytes(out, "support", items->support, items->count * sizeof *items->support);
    pack_sizes(out, items);
    size_t near = items->near_at[items->count];
    pack_bytes(out, "near", items->near, near * sizeof *items->near);
    pack_halves(out, "near_weights", items->near_weight, near);
    shoal_pack_text(out, "goals");
    shoal_pack_array(out, SHOAL_ITEM_GOALS);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        pack_goal(out, items, &items->asking[g]);
    shoal_pack_text(out, "prompts");
    shoal_prompts_pack(items->prompts, out);
    pack_summary(out, &items->summary);
}

/* ---- check ------------------------------------------------------------------------------------- */

static bool sound_table(const struct shoal_item_table *table)
{
    const float *values = (const float *)table;
    for (size_t i = 0; i < SHOAL_ITEM_TABLE; i++)
        if (!(values[i] >= -SHOAL_ITEM_TABLE_MAX && values[i] <= SHOAL_ITEM_TABLE_MAX))
            return false;
    return true;
}

static bool sound_goal(const struct shoal_items *items, const struct shoal_item_asking *asking)
{
    size_t width = items->width;
    return shoal_fields_finite(asking->state, width * items->hidden) &&
           shoal_fields_finite(asking->offset, width) &&
           shoal_fields_finite(asking->pooling, SHOAL_ITEM_HEADS * width * width) &&
           shoal_fields_finite(asking->bias, items->count) && sound_table(&asking->pool[0]) &&
           sound_table(&asking->pool[1]) && sound_table(&asking->follow) &&
           sound_table(&asking->again) && shoal_fields_finite(&asking->level, 1);
}

static bool sound_near(const struct shoal_items *items)
{
    for (size_t j = 0; j < items->count; j++)
        for (size_t i = items->near_at[j]; i < items->near_at[j + 1]; i++)
            if (items->near[i] >= items->count || !(items->near_weight[i] >= 0) ||
                (i > items->near_at[j] && items->near[i] <= items->near[i - 1]))
                return false;
    return true;
}

static enum shoal_status check(const struct shoal_items *items, struct shoal_message *message)
{
    bool sound = shoal_fields_finite(items->vectors, items->count * items->width) &&
                 shoal_fields_finite(items->near_weight, items->near_at[items->count]);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        sound = sound && sound_goal(items, &items->asking[g]);
    if (!sound)
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (items: a number is out of range)");
    if (!sound_near(items))
        return shoal_fail(message, SHOAL_DAMAGED, "damaged (items: the neighbours)");
    return SHOAL_OK;
}

/* ---- read -------------------------------------------------------------------------------------- */

/* A binary of this size, in the reader's bytes; NULL and a failed reader if there is none. */
static const void *read_bytes(struct shoal_unpack *in, const char *name, size_t size)
{
    size_t found = 0;
    shoal_fields_expect(in, name);
    const void *bytes = shoal_unpack_bin(in, &found);
    if (bytes && found == size)
        return bytes;
    shoal_unpack_fail(in);
    return NULL;
}

static void read_copy(struct shoal_unpack *in, const char *name, void *to, size_t size)
{
    const void *bytes = read_bytes(in, name, size);
    if (bytes)
        memcpy(to, bytes, size);
}

static void read_halves(struct shoal_unpack *in, const char *name, float *values, size_t count)
{
    uint16_t piece[PIECE];
    const uint8_t *bytes = read_bytes(in, name, count * sizeof *piece);
    for (size_t at = 0; bytes && at < count; at += PIECE) {
        size_t size = count - at < PIECE ? count - at : PIECE;
        memcpy(piece, bytes + at * sizeof *piece, size * sizeof *piece);
        shoal_half_to_float(piece, values + at, size);
    }
}

/* What comes before `vectors`. `in` stands behind "hidden". The ids' bytes are counted before they are held. */
static enum shoal_status read_catalogue(struct shoal_unpack *in, size_t count, size_t width,
                                        size_t hidden, struct shoal_items **items)
{
    const void *hashes = read_bytes(in, "hashes", count * sizeof(uint32_t));
    const void *categories = read_bytes(in, "categories", count * sizeof(uint16_t));
    const void *support = read_bytes(in, "support", count * sizeof(uint32_t));
    const uint8_t *sizes = read_bytes(in, "id_sizes", count);
    size_t total = 0;
    for (size_t j = 0; sizes && j < count; j++) {
        if (sizes[j] < 1 || sizes[j] > SHOAL_ITEM_ID_MAX)
            shoal_unpack_fail(in);
        total += sizes[j];
    }
    const void *ids = read_bytes(in, "ids", total);
    if (in->status != SHOAL_OK || !hashes || !categories || !support || !sizes || !ids ||
        count * width * sizeof(uint16_t) > in->size - in->position)
        return SHOAL_DAMAGED;
    enum shoal_status status = shoal_items_create(count, width, hidden, total, items);
    if (status != SHOAL_OK)
        return status;
    memcpy((*items)->hashes, hashes, count * sizeof(uint32_t));
    memcpy((*items)->categories, categories, count * sizeof(uint16_t));
    memcpy((*items)->support, support, count * sizeof(uint32_t));
    memcpy((*items)->ids, ids, total);
    for (size_t j = 0; j < count; j++)
        (*items)->id_at[j + 1] = (*items)->id_at[j] + sizes[j];
    return SHOAL_OK;
}

static enum shoal_status read_near(struct shoal_unpack *in, struct shoal_items *items)
{
    const uint8_t *counts = read_bytes(in, "near_counts", items->count);
    for (size_t j = 0; counts && j < items->count; j++) {
        if (counts[j] > SHOAL_ITEM_NEIGHBOURS_MAX)
            shoal_unpack_fail(in);
        items->near_at[j + 1] = items->near_at[j] + counts[j];
    }
    size_t near = items->near_at[items->count];
    if (in->status != SHOAL_OK || near * sizeof(uint32_t) > in->size - in->position)
        return SHOAL_DAMAGED;
    if (shoal_items_create_near(items, near) != SHOAL_OK)
        return SHOAL_NOMEM;
    read_copy(in, "near", items->near, near * sizeof *items->near);
    read_halves(in, "near_weights", items->near_weight, near);
    return in->status == SHOAL_OK ? SHOAL_OK : SHOAL_DAMAGED;
}

static void read_goal(struct shoal_unpack *in, const struct shoal_items *items,
                      struct shoal_item_asking *asking)
{
    size_t width = items->width;
    if (shoal_unpack_map(in, GOAL_FIELDS) != GOAL_FIELDS)
        shoal_unpack_fail(in);
    shoal_fields_floats(in, "state", asking->state, width * items->hidden);
    shoal_fields_floats(in, "offset", asking->offset, width);
    shoal_fields_floats(in, "pooling", asking->pooling, SHOAL_ITEM_HEADS * width * width);
    shoal_fields_floats(in, "bias", asking->bias, items->count);
    shoal_fields_floats(in, "pool", (float *)asking->pool, SHOAL_ITEM_HEADS * SHOAL_ITEM_TABLE);
    shoal_fields_floats(in, "follow", (float *)&asking->follow, SHOAL_ITEM_TABLE);
    shoal_fields_floats(in, "again", (float *)&asking->again, SHOAL_ITEM_TABLE);
    shoal_fields_floats(in, "level", &asking->level, 1);
}

static void read_summary(struct shoal_unpack *in, struct shoal_items_summary *summary)
{
    shoal_fields_map(in, "summary", SUMMARY_FIELDS);
    summary->events = shoal_fields_uint(in, "events", UINT64_MAX);
    summary->targets = shoal_fields_uint(in, "targets", UINT64_MAX);
    summary->epochs = (uint32_t)shoal_fields_uint(in, "epochs", UINT32_MAX);
    shoal_fields_floats(in, "hr20", summary->hr20, SHOAL_ITEM_GOALS);
    shoal_fields_floats(in, "ndcg20", summary->ndcg20, SHOAL_ITEM_GOALS);
    shoal_fields_floats(in, "popular_ndcg20", summary->popular_ndcg20, SHOAL_ITEM_GOALS);
    shoal_fields_floats(in, "popularity", (float *)summary->popularity,
                        SHOAL_ITEM_GOALS * SHOAL_ITEM_POPULARITIES);
    shoal_fields_floats(in, "scale", summary->scale, SHOAL_ITEM_GOALS);
}

static enum shoal_status read_map(struct shoal_unpack *in, size_t hidden, struct shoal_items **items)
{
    if (shoal_unpack_map(in, FIELDS) != FIELDS)
        shoal_unpack_fail(in);
    size_t count = shoal_fields_uint(in, "count", SHOAL_ITEMS_MAX);
    size_t width = shoal_fields_uint(in, "width", SHOAL_ITEM_WIDTH_MAX);
    if (in->status != SHOAL_OK || count < 1 || width < 8 || width % 8 ||
        shoal_fields_uint(in, "hidden", SHOAL_ITEMS_MAX) != hidden)
        return SHOAL_DAMAGED;
    enum shoal_status status = read_catalogue(in, count, width, hidden, items);
    if (status != SHOAL_OK)
        return status;
    read_halves(in, "vectors", (*items)->vectors, count * width);
    status = read_near(in, *items);
    if (status != SHOAL_OK)
        return status;
    shoal_fields_expect(in, "goals");
    if (shoal_unpack_array(in, SHOAL_ITEM_GOALS) != SHOAL_ITEM_GOALS)
        shoal_unpack_fail(in);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        read_goal(in, *items, &(*items)->asking[g]);
    shoal_fields_expect(in, "prompts");
    status = shoal_prompts_unpack(in, hidden, &(*items)->prompts, NULL);
    if (status != SHOAL_OK)
        return status;
    read_summary(in, &(*items)->summary);
    return in->status == SHOAL_OK ? SHOAL_OK : SHOAL_DAMAGED;
}

enum shoal_status shoal_items_unpack(struct shoal_unpack *in, size_t hidden,
                                     struct shoal_items **items, struct shoal_message *message)
{
    struct shoal_items *made = NULL;
    *items = NULL;
    if (shoal_fields_absent(in))
        return SHOAL_OK;
    enum shoal_status status = read_map(in, hidden, &made);
    if (status == SHOAL_DAMAGED)
        (void)shoal_fail(message, status, "damaged (items)");
    if (status == SHOAL_OK)
        status = check(made, message);
    if (status == SHOAL_OK) {
        status = shoal_items_ready(made);
        if (status == SHOAL_DAMAGED)
            (void)shoal_fail(message, status, "damaged (items: two have the same hash)");
    }
    if (status == SHOAL_NOMEM)
        (void)shoal_fail(message, status, "out of memory for the items");
    if (status != SHOAL_OK) {
        shoal_items_destroy(made);
        return status;
    }
    *items = made;
    return SHOAL_OK;
}
