/* SPDX-License-Identifier: Apache-2.0 */
/* When the messages since the last commit were written, so that the commit can tell how long each of them
 * waited for its outputs to show.
 *
 * Messages of one millisecond come in runs, and a run is one entry: an event costs a comparison and an
 * increment, a commit as many steps as there are runs. In the worker's thread. */
#ifndef SHOAL_DELAYS_H
#define SHOAL_DELAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/histogram.h"

struct shoal_delay_run {
    int64_t timestamp_ms;
    uint64_t count;
};

/* Zero-initialised: none. */
struct shoal_delays {
    struct shoal_delay_run *runs; /* owned */
    size_t count, capacity;
};

void shoal_delays_finish(struct shoal_delays *delays);
/* Begins a run; for shoal_delays_add. Without memory the message is not counted: a figure less, nothing
 * else. */
void shoal_delays_begin_run(struct shoal_delays *delays, int64_t timestamp_ms);
/* A message with this Kafka timestamp was taken; −1: it has none, and is not counted. */
static inline void shoal_delays_add(struct shoal_delays *delays, int64_t timestamp_ms)
{
    if (delays->count > 0 && delays->runs[delays->count - 1].timestamp_ms == timestamp_ms)
        delays->runs[delays->count - 1].count++;
    else if (timestamp_ms >= 0)
        shoal_delays_begin_run(delays, timestamp_ms);
}
/* The outputs of all of them showed at now_ms (wall clock): counts their delays, and is empty again. */
void shoal_delays_settle(struct shoal_delays *delays, int64_t now_ms,
                         struct shoal_histogram *histogram);
/* Forgets them: their outputs were dropped. */
void shoal_delays_drop(struct shoal_delays *delays);

#endif
