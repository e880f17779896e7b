/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>

#include "stream/delays.h"
#include "tests/state/leaks.h"

static void check_scale(enum shoal_scale scale)
{
    size_t count;
    const int64_t *bounds = shoal_scale_bounds_us(scale, &count);
    struct shoal_histogram histogram = {0};
    cr_assert_leq(count, SHOAL_HISTOGRAM_BOUNDS_MAX);
    for (size_t i = 0; i < count; i++) {
        cr_assert(i == 0 || bounds[i] > bounds[i - 1]);
        shoal_histogram_observe(&histogram, scale, bounds[i], 1);
        shoal_histogram_observe(&histogram, scale, bounds[i] + 1, 2);
    }
    cr_assert_eq(histogram.counts[0], 1);
    for (size_t i = 1; i < count; i++)
        cr_assert_eq(histogram.counts[i], 3, "bucket %zu", i);
    cr_assert_eq(histogram.counts[count], 2);
    cr_assert_eq(shoal_histogram_count(&histogram), 3 * count);
}

Test(histogram, a_bound_belongs_to_the_bucket_below_it)
{
    check_scale(SHOAL_SCALE_DELAY);
    check_scale(SHOAL_SCALE_CALL);
}

Test(histogram, delays_reach_from_a_millisecond_to_a_minute)
{
    size_t count;
    const int64_t *bounds = shoal_scale_bounds_us(SHOAL_SCALE_DELAY, &count);
    cr_assert_eq(bounds[0], 1000);
    cr_assert_eq(bounds[count - 1], 60000000);
}

Test(histogram, negative_durations_count_as_none)
{
    struct shoal_histogram histogram = {0};
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, -5000000, 7);
    cr_assert_eq(histogram.counts[0], 7);
    cr_assert_float_eq(histogram.sum_seconds, 0, 0);
}

Test(histogram, sums_add_up)
{
    struct shoal_histogram a = {0}, b = {0};
    shoal_histogram_observe(&a, SHOAL_SCALE_DELAY, 1500, 2);
    shoal_histogram_observe(&b, SHOAL_SCALE_DELAY, 1500, 3);
    shoal_histogram_observe(&b, SHOAL_SCALE_DELAY, 70000000, 1);
    shoal_histogram_add(&a, &b);
    cr_assert_eq(a.counts[1], 5);
    cr_assert_eq(shoal_histogram_count(&a), 6);
    cr_assert_float_eq(a.sum_seconds, 70.0075, 1e-9);
}

Test(histogram, a_quantile_lies_in_its_bucket_by_its_share)
{
    struct shoal_histogram histogram = {0};
    cr_assert(isnan(shoal_histogram_quantile(&histogram, SHOAL_SCALE_DELAY, 0.5)));
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, 15000, 90);   /* (10 ms, 20 ms] */
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, 250000, 10);  /* (200 ms, 300 ms] */
    cr_assert_float_eq(shoal_histogram_quantile(&histogram, SHOAL_SCALE_DELAY, 0.45), 0.015, 1e-9);
    cr_assert_float_eq(shoal_histogram_quantile(&histogram, SHOAL_SCALE_DELAY, 0.9), 0.020, 1e-9);
    cr_assert_float_eq(shoal_histogram_quantile(&histogram, SHOAL_SCALE_DELAY, 0.99), 0.290, 1e-9);
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, INT64_C(100000000), 1000);
    cr_assert_float_eq(shoal_histogram_quantile(&histogram, SHOAL_SCALE_DELAY, 0.99), 60, 1e-9);
}

Test(delays, each_message_is_counted_at_its_commit_once)
{
    struct shoal_delays delays = {0};
    struct shoal_histogram histogram = {0};
    for (int64_t i = 0; i < 5000; i++)
        shoal_delays_add(&delays, 1000000 + i / 10); /* 500 runs of 10 */
    cr_assert_eq(delays.count, 500);
    shoal_delays_settle(&delays, 1000500, &histogram);
    cr_assert_eq(shoal_histogram_count(&histogram), 5000);
    /* 1 … 500 ms, ten of each */
    cr_assert_eq(histogram.counts[0], 10);
    cr_assert_eq(histogram.counts[1], 10);
    cr_assert_eq(histogram.counts[2], 30);
    cr_assert_float_eq(histogram.sum_seconds, 10 * 500 * 501 / 2 / 1000.0, 1e-6);
    shoal_delays_settle(&delays, 1000500, &histogram);
    cr_assert_eq(shoal_histogram_count(&histogram), 5000);
    shoal_delays_finish(&delays);
    test_no_leaks();
}

Test(delays, messages_without_a_time_and_dropped_ones_are_not_counted)
{
    struct shoal_delays delays = {0};
    struct shoal_histogram histogram = {0};
    shoal_delays_add(&delays, -1);
    shoal_delays_settle(&delays, 1000, &histogram);
    shoal_delays_add(&delays, 5);
    shoal_delays_drop(&delays);
    shoal_delays_settle(&delays, 1000, &histogram);
    cr_assert_eq(shoal_histogram_count(&histogram), 0);
    /* clocks that differ: written after the commit */
    shoal_delays_add(&delays, 2000);
    shoal_delays_settle(&delays, 1000, &histogram);
    cr_assert_eq(histogram.counts[0], 1);
    shoal_delays_finish(&delays);
}
