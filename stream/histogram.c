/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms; see histogram.h. */
#include "stream/histogram.h"

#include <assert.h>
#include <math.h>

#define MS 1000
#define SECOND 1000000

/* Dense about the delays that are promised (20 ms at least once, 150 ms exactly once), where a quantile is
 * interpolated. */
static const int64_t delay_us[] = {1 * MS,   2 * MS,   5 * MS,   10 * MS,    20 * MS,    50 * MS,
                                   100 * MS, 150 * MS, 200 * MS, 300 * MS,   500 * MS,   1 * SECOND,
                                   2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND};
static const int64_t call_us[] = {100,     200,     500,      1 * MS,   2 * MS,   5 * MS,     10 * MS,
                                  20 * MS, 50 * MS, 100 * MS, 200 * MS, 500 * MS, 1 * SECOND, 2 * SECOND,
                                  5 * SECOND};

_Static_assert(sizeof delay_us / sizeof *delay_us <= SHOAL_HISTOGRAM_BOUNDS_MAX, "too many bounds");
_Static_assert(sizeof call_us / sizeof *call_us <= SHOAL_HISTOGRAM_BOUNDS_MAX, "too many bounds");

const int64_t *shoal_scale_bounds_us(enum shoal_scale scale, size_t *count)
{
    if (scale == SHOAL_SCALE_DELAY) {
        *count = sizeof delay_us / sizeof *delay_us;
        return delay_us;
    }
    assert(scale == SHOAL_SCALE_CALL);
    *count = sizeof call_us / sizeof *call_us;
    return call_us;
}

void shoal_histogram_observe(struct shoal_histogram *histogram, enum shoal_scale scale,
                             int64_t duration_us, uint64_t times)
{
    size_t count, bucket = 0;
    const int64_t *bounds = shoal_scale_bounds_us(scale, &count);
    if (duration_us < 0)
        duration_us = 0;
    while (bucket < count && duration_us > bounds[bucket])
        bucket++;
    histogram->counts[bucket] += times;
    histogram->sum_seconds += (double)duration_us / SECOND * (double)times;
}

void shoal_histogram_add(struct shoal_histogram *sum, const struct shoal_histogram *one)
{
    for (size_t i = 0; i <= SHOAL_HISTOGRAM_BOUNDS_MAX; i++)
        sum->counts[i] += one->counts[i];
    sum->sum_seconds += one->sum_seconds;
}

uint64_t shoal_histogram_count(const struct shoal_histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= SHOAL_HISTOGRAM_BOUNDS_MAX; i++)
        count += histogram->counts[i];
    return count;
}

double shoal_histogram_quantile(const struct shoal_histogram *histogram, enum shoal_scale scale, double q)
{
    size_t count;
    const int64_t *bounds = shoal_scale_bounds_us(scale, &count);
    double left = q * (double)shoal_histogram_count(histogram);
    if (shoal_histogram_count(histogram) == 0)
        return (double)NAN;
    for (size_t i = 0; i < count; i++) {
        double here = (double)histogram->counts[i], from = i ? (double)bounds[i - 1] : 0;
        if (left <= here && here > 0)
            return (from + ((double)bounds[i] - from) * left / here) / SECOND;
        left -= here;
    }
    return (double)bounds[count - 1] / SECOND;
}
