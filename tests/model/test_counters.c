/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/counters.h"

#define HOUR INT64_C(3600000)

Test(counters, an_event_counts_one_in_its_behaviour_only)
{
    float counters[SHOAL_COUNTERS] = {0};
    shoal_counters_advance(counters, 0, SHOAL_FAV);
    for (int i = 0; i < SHOAL_COUNTERS; i++)
        cr_expect_eq(counters[i], i / SHOAL_HALF_LIVES == SHOAL_FAV ? 1.0f : 0.0f, "%d", i);
}

Test(counters, each_counter_halves_in_its_half_life)
{
    const int64_t gaps[SHOAL_HALF_LIVES] = {HOUR, 24 * HOUR, 168 * HOUR};
    for (int k = 0; k < SHOAL_HALF_LIVES; k++) {
        float counters[SHOAL_COUNTERS];
        for (int i = 0; i < SHOAL_COUNTERS; i++)
            counters[i] = 8.0f;
        cr_expect_eq(shoal_half_lives_ms[k], gaps[k]);
        shoal_counters_decay(counters, gaps[k]);
        for (int b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
            cr_expect_eq(counters[b * SHOAL_HALF_LIVES + k], 4.0f);
    }
}

Test(counters, a_history_sums_up_as_the_equation_says)
{
    const struct {
        int64_t time_ms;
        enum shoal_behavior behavior;
    } history[] = {{0, SHOAL_PV},         {5000, SHOAL_PV},        {HOUR, SHOAL_BUY},
                   {3 * HOUR, SHOAL_PV},  {49 * HOUR, SHOAL_CART}, {49 * HOUR, SHOAL_PV},
                   {400 * HOUR, SHOAL_PV}};
    enum { EVENTS = sizeof history / sizeof history[0] };
    float counters[SHOAL_COUNTERS] = {0};
    double exact[SHOAL_COUNTERS] = {0};
    for (int e = 0; e < EVENTS; e++) {
        shoal_counters_advance(counters, e ? history[e].time_ms - history[e - 1].time_ms : 0,
                               history[e].behavior);
        for (int k = 0; k < SHOAL_HALF_LIVES; k++)
            exact[(int)history[e].behavior * SHOAL_HALF_LIVES + k] +=
                exp2(-(double)(history[EVENTS - 1].time_ms - history[e].time_ms) /
                     (double)shoal_half_lives_ms[k]);
    }
    for (int i = 0; i < SHOAL_COUNTERS; i++)
        cr_expect_float_eq((double)counters[i], exact[i], 1e-6 * (1 + exact[i]), "%d", i);
}

Test(counters, no_gap_and_a_gap_backwards_change_nothing)
{
    float counters[SHOAL_COUNTERS], before[SHOAL_COUNTERS];
    for (int i = 0; i < SHOAL_COUNTERS; i++)
        counters[i] = 0.1f * (float)i;
    memcpy(before, counters, sizeof counters);
    shoal_counters_decay(counters, 0);
    shoal_counters_decay(counters, -5);
    shoal_counters_decay(counters, INT64_MIN);
    cr_expect(!memcmp(counters, before, sizeof counters));
}

Test(counters, after_a_very_long_time_counters_are_zero_and_never_subnormal)
{
    for (int64_t gap = HOUR; gap > 0 && gap < INT64_MAX / 3; gap *= 2) {
        float counters[SHOAL_COUNTERS];
        for (int i = 0; i < SHOAL_COUNTERS; i++)
            counters[i] = 1.0f;
        shoal_counters_decay(counters, gap);
        for (int i = 0; i < SHOAL_COUNTERS; i++)
            cr_assert(counters[i] == 0 || isnormal(counters[i]));
    }
    float counters[SHOAL_COUNTERS] = {5, 5, 5};
    shoal_counters_decay(counters, INT64_MAX);
    cr_expect(counters[0] == 0 && counters[1] == 0 && counters[2] == 0);
}

Test(counters, rates_of_a_steady_user_do_not_depend_on_how_long_the_log_is)
{
    float counters[SHOAL_COUNTERS] = {0}, early[SHOAL_COUNTERS], late[SHOAL_COUNTERS];
    int64_t gap_ms = 1800000; /* a view every half an hour */
    for (int i = 0; i < 24 * 2 * 60; i++) {
        shoal_counters_advance(counters, i ? gap_ms : 0, SHOAL_PV);
        if (i == 24 * 2 * 5)
            shoal_counters_rates(counters, i * gap_ms, early);
        shoal_counters_rates(counters, i * gap_ms, late);
    }
    for (int k = 0; k < SHOAL_HALF_LIVES; k++)
        cr_expect(fabsf(early[k] / late[k] - 1) < 0.15f, "half-life %d: %g, %g", k, (double)early[k],
                  (double)late[k]);
}

Test(counters, rates_of_a_first_event_are_finite)
{
    float counters[SHOAL_COUNTERS] = {0}, rates[SHOAL_COUNTERS];
    shoal_counters_advance(counters, 0, SHOAL_BUY);
    shoal_counters_rates(counters, 0, rates);
    for (int i = 0; i < SHOAL_COUNTERS; i++)
        cr_expect(isfinite(rates[i]) && rates[i] >= counters[i]);
}
