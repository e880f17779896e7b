/* SPDX-License-Identifier: Apache-2.0 */
/* All scores of a catalogue, a block of it at a time, for up to 64 users at once: the best N of each, or how many
 * are better than one.
 *
 *   for each slice of users:  Q (B×W), extras of each
 *     for each block of items:  S (B×n) = Q·Eᵀ;  S += b;  S[extras] += theirs;  a heap a user takes what is
 *                               above its least
 *
 * The extras are added before anything is chosen, so nothing is approximated, and an extra may be negative. An
 * element of S is the same bits whatever B is (row_products.h), so a user's picks are too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/items_parts.h"
#include "model/row_products.h"
#include "model/vmath_lanes.h"

enum {
    SLICE = 64,  /* users at once: their scores of a block stay in the second cache */
    BLOCK = 256, /* items, a multiple of SHOAL_ROWS_TILE */
};

struct asked {
    struct shoal_item_extra *extras; /* EXTRAS_MAX; into the room */
    size_t count, next;              /* next: the first of the blocks to come */
    const float *bias;
};

struct shoal_items_room {
    size_t batch, width;
    float *q;      /* SLICE×W */
    float *scores; /* SLICE×BLOCK */
    struct asked asked[SLICE];
    struct shoal_item_extra *extras;
    float limits[SLICE]; /* of the targets, for ranks */
};

enum shoal_status shoal_items_room_create(const struct shoal_items *items, size_t batch,
                                          struct shoal_items_room **room)
{
    struct shoal_items_room *made = calloc(1, sizeof *made);
    *room = NULL;
    if (!made)
        return SHOAL_NOMEM;
    size_t slice = batch < SLICE ? batch : SLICE;
    made->batch = slice;
    made->width = items->width;
    made->q = aligned_alloc(64, (slice * items->width * sizeof(float) + 64) / 64 * 64);
    made->scores = aligned_alloc(64, slice * BLOCK * sizeof(float));
    made->extras = malloc(slice * SHOAL_ITEM_EXTRAS_MAX * sizeof *made->extras);
    if (!made->q || !made->scores || !made->extras) {
        shoal_items_room_destroy(made);
        return SHOAL_NOMEM;
    }
    for (size_t i = 0; i < slice; i++)
        made->asked[i].extras = made->extras + i * SHOAL_ITEM_EXTRAS_MAX;
    *room = made;
    return SHOAL_OK;
}

void shoal_items_room_destroy(struct shoal_items_room *room)
{
    if (!room)
        return;
    free(room->q);
    free(room->scores);
    free(room->extras);
    free(room);
}

static void ask(const struct shoal_items *items, struct shoal_items_room *room,
                const struct shoal_item_query *queries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct asked *asked = &room->asked[i];
        asked->count =
            shoal_items_ask(items, &queries[i], room->q + i * items->width, asked->extras);
        asked->next = 0;
        asked->bias = items->asking[queries[i].goal].bias;
    }
}

static size_t block_size(const struct shoal_items *items, size_t from)
{
    return items->count - from < BLOCK ? items->count - from : BLOCK;
}

/* q·e of users first … first + count − 1 for the block, into scores (count×BLOCK). */
static void multiply(const struct shoal_items *items, const struct shoal_items_room *room,
                     size_t first, size_t count, size_t from, float *scores)
{
    size_t width = items->width;
    shoal_row_products(count, block_size(items, from), width, room->q + first * width, width,
                       items->vectors + from * width, width, scores, BLOCK);
}

/* Bias and extras of one user to its scores of the block; the extras of earlier blocks are behind it. */
static void complete(const struct shoal_items *items, struct asked *asked, size_t from, float *scores)
{
    size_t size = block_size(items, from);
    const float *bias = asked->bias + from;
    size_t whole = size / V8_WIDTH * V8_WIDTH;
    for (size_t j = 0; j < whole; j += V8_WIDTH)
        v8_store(scores + j, v8_load(scores + j) + v8_load(bias + j));
    for (size_t j = whole; j < size; j++)
        scores[j] += bias[j];
    while (asked->next < asked->count && asked->extras[asked->next].item < from + size) {
        const struct shoal_item_extra *extra = &asked->extras[asked->next++];
        scores[extra->item - from] += extra->score;
    }
}

/* ---- the best ----------------------------------------------------------------------------------- */

static bool is_before(const struct shoal_item_pick *a, const struct shoal_item_pick *b)
{
    return a->score > b->score || (a->score == b->score && a->item < b->item);
}

/* A heap whose first element comes last of all. */
static void sift_down(struct shoal_item_pick *heap, size_t count, size_t at)
{
    for (;;) {
        size_t last = at, left = 2 * at + 1, right = left + 1;
        if (left < count && is_before(&heap[last], &heap[left]))
            last = left;
        if (right < count && is_before(&heap[last], &heap[right]))
            last = right;
        if (last == at)
            return;
        struct shoal_item_pick moved = heap[at];
        heap[at] = heap[last];
        heap[last] = moved;
        at = last;
    }
}

static void sift_up(struct shoal_item_pick *heap, size_t at)
{
    while (at > 0 && is_before(&heap[(at - 1) / 2], &heap[at])) {
        struct shoal_item_pick moved = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = moved;
        at = (at - 1) / 2;
    }
}

/* Is any of sixteen scores above `least`? Hardly ever, once the heap is full: then they are passed over. */
static bool any_above(const float *scores, float least)
{
    v8i above = (v8_load(scores) > v8_set(least)) | (v8_load(scores + V8_WIDTH) > v8_set(least));
    uint64_t parts[4];
    memcpy(parts, &above, sizeof parts);
    return (parts[0] | parts[1] | parts[2] | parts[3]) != 0;
}

/* Items come by rising index, so one that is only as good as the last of a full heap comes after it. */
static void take(struct shoal_item_pick *heap, size_t *count, size_t n, const float *scores,
                 size_t from, size_t size)
{
    for (size_t j = 0; j < size; j++) {
        if (*count == n && j % (2 * V8_WIDTH) == 0) {
            while (j + 2 * V8_WIDTH <= size && !any_above(scores + j, heap[0].score))
                j += 2 * V8_WIDTH;
            if (j >= size)
                return;
        }
        struct shoal_item_pick pick = {(uint32_t)(from + j), scores[j]};
        if (*count == n) {
            if (!(pick.score > heap[0].score))
                continue;
            heap[0] = pick;
            sift_down(heap, n, 0);
        } else if (pick.score > -INFINITY) {
            heap[*count] = pick;
            sift_up(heap, (*count)++);
        }
    }
}

/* The heap in order, best first. */
static void put_in_order(struct shoal_item_pick *heap, size_t count)
{
    while (count > 1) {
        struct shoal_item_pick last = heap[0];
        heap[0] = heap[--count];
        heap[count] = last;
        sift_down(heap, count, 0);
    }
}

static void top_of_slice(const struct shoal_items *items, struct shoal_items_room *room,
                         const struct shoal_item_query *queries, size_t count, size_t n,
                         struct shoal_item_pick *picks, size_t *counts)
{
    ask(items, room, queries, count);
    memset(counts, 0, count * sizeof *counts);
    for (size_t from = 0; n > 0 && from < items->count; from += BLOCK) {
        multiply(items, room, 0, count, from, room->scores);
        for (size_t i = 0; i < count; i++) {
            float *scores = room->scores + i * BLOCK;
            complete(items, &room->asked[i], from, scores);
            take(picks + i * n, &counts[i], n, scores, from, block_size(items, from));
        }
    }
    for (size_t i = 0; i < count; i++)
        put_in_order(picks + i * n, counts[i]);
}

void shoal_items_top(const struct shoal_items *items, struct shoal_items_room *room,
                     const struct shoal_item_query *queries, size_t count, size_t n,
                     struct shoal_item_pick *picks, size_t *counts)
{
    for (size_t at = 0; at < count; at += room->batch) {
        size_t size = count - at < room->batch ? count - at : room->batch;
        top_of_slice(items, room, queries + at, size, n, picks + at * n, counts + at);
    }
}

/* ---- ranks -------------------------------------------------------------------------------------- */

/* The target's own score: its block computed for this user alone, which gives the same bits. */
static float score_of(const struct shoal_items *items, struct shoal_items_room *room, size_t user,
                      uint32_t target)
{
    size_t from = target / BLOCK * BLOCK;
    struct asked asked = room->asked[user];
    while (asked.next < asked.count && asked.extras[asked.next].item < from)
        asked.next++;
    multiply(items, room, user, 1, from, room->scores);
    complete(items, &asked, from, room->scores);
    return room->scores[target - from];
}

static uint32_t count_before(const float *scores, size_t from, size_t size, float limit,
                             uint32_t target)
{
    uint32_t count = 0;
    for (size_t j = 0; j < size; j++)
        count += scores[j] > limit || (scores[j] == limit && from + j < target);
    return count;
}

static void ranks_of_slice(const struct shoal_items *items, struct shoal_items_room *room,
                           const struct shoal_item_query *queries, const uint32_t *targets,
                           size_t count, uint32_t *ranks)
{
    ask(items, room, queries, count);
    for (size_t i = 0; i < count; i++)
        room->limits[i] = score_of(items, room, i, targets[i]);
    memset(ranks, 0, count * sizeof *ranks);
    for (size_t from = 0; from < items->count; from += BLOCK) {
        multiply(items, room, 0, count, from, room->scores);
        for (size_t i = 0; i < count; i++) {
            float *scores = room->scores + i * BLOCK;
            complete(items, &room->asked[i], from, scores);
            ranks[i] += count_before(scores, from, block_size(items, from), room->limits[i],
                                     targets[i]);
        }
    }
}

void shoal_items_ranks(const struct shoal_items *items, struct shoal_items_room *room,
                       const struct shoal_item_query *queries, const uint32_t *targets, size_t count,
                       uint32_t *ranks)
{
    for (size_t at = 0; at < count; at += room->batch) {
        size_t size = count - at < room->batch ? count - at : room->batch;
        ranks_of_slice(items, room, queries + at, targets + at, size, ranks + at);
    }
}
