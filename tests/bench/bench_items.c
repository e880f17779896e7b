/* SPDX-License-Identifier: Apache-2.0 */
/* How long the 20 best items of a catalogue take on one core, for one user alone and for 64 at once, beside the time
 * that reading the vectors from memory takes at least. Not a test: prints, never fails. The least disturbed of
 * several repetitions.
 *
 *   bench_items [ITEMS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "tests/model/tiny_items.h"

enum { WIDTH = 64, HIDDEN = 64, RING = 16, USERS = 64, TOP = 20, REPETITIONS = 20 };

static float states[USERS][HIDDEN];
static struct shoal_touch rings[USERS][RING];

static void make_queries(const struct shoal_items *items, struct shoal_item_query *queries)
{
    uint64_t state = 3;
    for (size_t u = 0; u < USERS; u++) {
        for (size_t i = 0; i < HIDDEN; i++)
            states[u][i] = tiny_random(&state);
        for (size_t k = 0; k < RING; k++)
            rings[u][k] = (struct shoal_touch){
                .time_ms = (int64_t)k * 60000,
                .item = items->hashes[(size_t)((0.5f + 0.499f * tiny_random(&state)) *
                                               (float)items->count)],
            };
        queries[u] = (struct shoal_item_query){
            .h = states[u], .ring = rings[u], .ring_count = RING, .now_ms = RING * 60000};
    }
}

static double best_us(const struct shoal_items *items, const struct shoal_item_query *queries,
                      size_t users)
{
    struct shoal_items_room *room;
    struct shoal_item_pick picks[USERS * TOP];
    size_t counts[USERS];
    double best = 1e12;
    if (shoal_items_room_create(items, users, &room) != SHOAL_OK)
        abort();
    for (int r = 0; r < REPETITIONS; r++) {
        int64_t since = shoal_clock_ns();
        shoal_items_top(items, room, queries, users, TOP, picks, counts);
        double us = (double)(shoal_clock_ns() - since) / 1e3;
        best = us < best ? us : best;
    }
    shoal_items_room_destroy(room);
    return best;
}

/* Adding up all vectors, eight lanes at a time. */
static double reading_us(const struct shoal_items *items)
{
    double best = 1e12, sum = 0;
    for (int r = 0; r < REPETITIONS; r++) {
        float lanes[32] = {0};
        int64_t since = shoal_clock_ns();
        for (size_t i = 0; i < items->count * WIDTH; i += 32)
            for (size_t n = 0; n < 32; n++)
                lanes[n] += items->vectors[i + n];
        double us = (double)(shoal_clock_ns() - since) / 1e3;
        best = us < best ? us : best;
        sum += (double)lanes[r];
    }
    return sum == 0.125 ? 0 : best; /* the work is not for nothing */
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    if (count < 1 || count > SHOAL_ITEMS_MAX)
        return 2;
    struct shoal_items *items = tiny_items(count, WIDTH, HIDDEN, 1);
    struct shoal_item_query queries[USERS];
    if (!items)
        abort();
    make_queries(items, queries);
    double alone = best_us(items, queries, 1), together = best_us(items, queries, USERS);
    double reading = reading_us(items);
    printf("%zu items of %d: the best %d take %.0f µs alone, %.0f µs a user among %d; reading the vectors "
           "takes %.0f µs (%.1f GB/s)\n",
           count, WIDTH, TOP, alone, together / USERS, USERS, reading,
           (double)(count * WIDTH * sizeof(float)) / reading / 1e3);
    shoal_items_destroy(items);
    return 0;
}
