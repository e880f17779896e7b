/* SPDX-License-Identifier: Apache-2.0 */
/* How long the best of a catalogue take on one core, for one user and for 64 at once, beside what memory and
 * arithmetic allow. Not a test: prints, never fails. Made-up catalogues: the time does not depend on what the
 * numbers are. Every figure is the least processor time of several repetitions, the limits among them, taken in turn.
 *
 *   bytes      the vectors and the biases of one goal, once: what a query must read, alone or 64 of them together
 *   memory     a sum over as many bytes, read in order, with the best of some distances of prefetching: GB/s
 *   arithmetic 2·N·W operations a user, beside fused multiply-adds on registers alone, in vectors of 32 bytes (of 16
 *              on ARM), which the build is for
 *
 *   bench_items [--json] [ITEMS...]       (default 100000 1000000) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/counters.h"
#include "tests/bench/peak.h"
#include "tests/model/planted_items.h"

enum { WIDTH = 64, HIDDEN = 64, BATCH = 64, PICKS = 20, RING = 16, REPETITIONS = 15 };

struct work {
    struct shoal_items *items;
    struct shoal_items_room *room;
    struct shoal_item_query queries[BATCH];
    struct shoal_touch rings[BATCH][RING];
    float h[BATCH][HIDDEN], rates[SHOAL_COUNTERS];
    struct shoal_item_pick picks[BATCH * PICKS];
    size_t counts[BATCH];
    float *stream; /* as many bytes as a query reads */
    size_t stream_count;
};

static volatile float drain;

/* Of this thread: what others take of a shared core does not count. */
static int64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Eight chains a lane, so that additions do not wait for each other. `ahead`: so many numbers are sent for, since
 * the processor's own looking ahead ends at each page; 0: none. */
static float sum(const float *numbers, size_t count, size_t ahead)
{
    typedef float lanes __attribute__((vector_size(32), aligned(4)));
    lanes sums[8] = {{0}};
    for (size_t i = 0; i + 64 <= count; i += 64) {
        for (size_t k = 0; k < 64 && ahead && i + ahead + 64 <= count; k += 16)
            __builtin_prefetch(numbers + i + ahead + k);
        for (size_t k = 0; k < 8; k++)
            sums[k] += *(const lanes *)(numbers + i + 8 * k);
    }
    for (size_t k = 1; k < 8; k++)
        sums[0] += sums[k];
    return sums[0][0] + sums[0][1] + sums[0][2] + sums[0][3] + sums[0][4] + sums[0][5] + sums[0][6] +
           sums[0][7];
}

static bool prepare(struct work *w, size_t count)
{
    uint64_t drawn = 0;
    w->items = planted_items(count, WIDTH, HIDDEN, 3);
    if (!w->items || shoal_items_room_create(w->items, BATCH, &w->room) != SHOAL_OK)
        return false;
    w->stream_count = count * WIDTH + count;
    w->stream = malloc(w->stream_count * sizeof *w->stream);
    if (!w->stream)
        return false;
    planted_fill(w->stream, w->stream_count, 1, 5, &drawn);
    for (uint32_t u = 0; u < BATCH; u++) {
        planted_fill(w->h[u], HIDDEN, 1, 7, &drawn);
        for (uint32_t k = 0; k < RING; k++) {
            uint32_t item = shoal_random_below(11, drawn++, PLANTED_NEAR);
            w->rings[u][k] = (struct shoal_touch){.time_ms = 1000 * k, .item = w->items->hashes[item]};
        }
        w->queries[u] = (struct shoal_item_query){.h = w->h[u],
                                                  .rates = w->rates,
                                                  .ring = w->rings[u],
                                                  .ring_count = RING,
                                                  .now_ms = 1000 * RING};
    }
    return true;
}

static void release(struct work *w)
{
    shoal_items_room_destroy(w->room);
    shoal_items_destroy(w->items);
    free(w->stream);
}

static int64_t top_ns(struct work *w, size_t users)
{
    int64_t start_ns = processor_ns();
    shoal_items_top(w->items, w->room, w->queries, users, PICKS, w->picks, w->counts);
    return processor_ns() - start_ns;
}

static int64_t sum_ns(struct work *w, size_t ahead)
{
    int64_t start_ns = processor_ns();
    drain = sum(w->stream, w->stream_count, ahead);
    return processor_ns() - start_ns;
}

static void keep_least(int64_t *best, int64_t value)
{
    *best = value < *best ? value : *best;
}

static void measure(struct work *w, size_t count, double peak, bool json, bool first)
{
    int64_t alone = INT64_MAX, together = INT64_MAX, streamed = INT64_MAX;
    for (int i = 0; i < REPETITIONS; i++) {
        for (size_t ahead = 0; ahead <= 4096; ahead = ahead ? 2 * ahead : 512)
            keep_least(&streamed, sum_ns(w, ahead));
        keep_least(&alone, top_ns(w, 1));
        keep_least(&together, top_ns(w, BATCH));
    }
    double bytes = (double)w->stream_count * sizeof(float), operations = 2.0 * WIDTH * (double)count;
    double alone_us = (double)alone / 1e3, each_us = (double)together / 1e3 / BATCH;
    double limit_us = (double)streamed / 1e3, bandwidth = bytes / (double)streamed;
    double rate = operations / each_us / 1e3;
    if (json) {
        printf("%s{\"items\":%zu,\"width\":%d,\"picks\":%d,\"bytes\":%.0f,\"alone_us\":%.1f,"
               "\"batch\":%d,\"each_us\":%.1f,\"memory_gb_per_s\":%.2f,\"memory_us\":%.1f,"
               "\"alone_of_memory\":%.3f,\"batch_gflops\":%.1f,\"peak_gflops\":%.1f,"
               "\"batch_of_peak\":%.3f}",
               first ? "" : ",", count, WIDTH, PICKS, bytes, alone_us, BATCH, each_us, bandwidth,
               limit_us, limit_us / alone_us, rate, peak, rate / peak);
        return;
    }
    printf("%8zu items, W %d, best %d, %.1f MB\n"
           "  alone        %9.1f us a user   %6.2f GB/s, %.0f %% of the memory's %.2f GB/s (%.1f us)\n"
           "  %d together  %9.1f us a user   %6.1f GFLOP/s, %.0f %% of the core's %.1f\n",
           count, WIDTH, PICKS, bytes / 1e6, alone_us, bytes / alone_us / 1e3,
           100 * limit_us / alone_us, bandwidth, limit_us, BATCH, each_us, rate, 100 * rate / peak,
           peak);
}

int main(int argc, char **argv)
{
    static struct work w;
    static const char *const usual[] = {"100000", "1000000"};
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    int given = argc - 1 - json;
    double peak = bench_peak_gflops(32);
    peak = peak > 0 ? peak : bench_peak_gflops(16);
    fputs(json ? "[" : "", stdout);
    for (int i = 0; i < (given ? given : 2); i++) {
        size_t count = strtoull(given ? argv[1 + json + i] : usual[i], NULL, 10);
        if (count == 0 || count > SHOAL_ITEMS_MAX || !prepare(&w, count)) {
            fprintf(stderr, "bench_items: no catalogue of %zu items\n", count);
            return 1;
        }
        measure(&w, count, peak, json, i == 0);
        release(&w);
    }
    fputs(json ? "]\n" : "", stdout);
    return 0;
}
