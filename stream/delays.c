/* SPDX-License-Identifier: Apache-2.0 */
/* Delays of messages; see delays.h. */
#include "stream/delays.h"

#include <stdlib.h>

enum { RUNS_FIRST = 256 };

void shoal_delays_finish(struct shoal_delays *delays)
{
    free(delays->runs);
    *delays = (struct shoal_delays){0};
}

void shoal_delays_begin_run(struct shoal_delays *delays, int64_t timestamp_ms)
{
    if (delays->count == delays->capacity) {
        size_t capacity = delays->capacity ? 2 * delays->capacity : RUNS_FIRST;
        struct shoal_delay_run *grown = reallocarray(delays->runs, capacity, sizeof *grown);
        if (!grown)
            return;
        delays->runs = grown;
        delays->capacity = capacity;
    }
    delays->runs[delays->count++] = (struct shoal_delay_run){timestamp_ms, 1};
}

void shoal_delays_settle(struct shoal_delays *delays, int64_t now_ms,
                         struct shoal_histogram *histogram)
{
    for (size_t i = 0; i < delays->count; i++) {
        const struct shoal_delay_run *run = &delays->runs[i];
        int64_t delay_ms = now_ms > run->timestamp_ms ? now_ms - run->timestamp_ms : 0;
        shoal_histogram_observe(histogram, SHOAL_SCALE_DELAY, delay_ms * 1000, run->count);
    }
    delays->count = 0;
}

void shoal_delays_drop(struct shoal_delays *delays)
{
    delays->count = 0;
}
