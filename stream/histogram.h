/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms of durations for metrics: fixed bounds, one owner at a time, no locks of their own.
 *
 * Bucket i counts durations d with bound[i − 1] < d ≤ bound[i], the last one those above all bounds, so that
 * the sum over a prefix is what Prometheus calls the bucket le="bound". */
#ifndef SHOAL_HISTOGRAM_H
#define SHOAL_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum shoal_scale {
    SHOAL_SCALE_DELAY, /* 1 ms … 60 s: what spans a commit or waits for a peer far away */
    SHOAL_SCALE_CALL,  /* 100 us … 5 s: one answer of a peer */
    SHOAL_SCALE_COUNT
};

enum { SHOAL_HISTOGRAM_BOUNDS_MAX = 18 };

/* Zero-initialised: empty. Always used with the same scale. */
struct shoal_histogram {
    uint64_t counts[SHOAL_HISTOGRAM_BOUNDS_MAX + 1]; /* by bucket */
    double sum_seconds;
};

/* The bounds in microseconds, ascending; *count is set. Static. */
const int64_t *shoal_scale_bounds_us(enum shoal_scale scale, size_t *count);
/* Counts `times` durations of duration_us; negative ones, of clocks that differ, as 0. */
void shoal_histogram_observe(struct shoal_histogram *histogram, enum shoal_scale scale,
                             int64_t duration_us, uint64_t times);
/* The duration below which a share q (0 … 1) of them lies, in seconds, as if they lay evenly in their bucket; the last
 * bound for what is above it. NaN: nothing was counted. */
double shoal_histogram_quantile(const struct shoal_histogram *histogram, enum shoal_scale scale, double q);
/* *sum += *one. */
void shoal_histogram_add(struct shoal_histogram *sum, const struct shoal_histogram *one);
/* All that were counted. */
uint64_t shoal_histogram_count(const struct shoal_histogram *histogram);

#endif
