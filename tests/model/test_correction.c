/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "model/correction.h"

#define HOUR_MS INT64_C(3600000)
#define START_MS (INT64_C(400000) * HOUR_MS)

static struct shoal_correction correction;

static void pass(struct shoal_pending *pending, int64_t before_ms, int64_t time_ms,
                 enum shoal_behavior behavior, float p)
{
    if (shoal_correction_due(&correction, START_MS + time_ms))
        shoal_correction_turn(&correction, START_MS + time_ms);
    shoal_correction_count(&correction, pending, START_MS + before_ms, START_MS + time_ms, behavior,
                           p);
}

/* `users` users look once in the first hour, the first `buyers` of them buy five hours later; delta when
 * that hour is closed. */
static float delta_after(unsigned users, unsigned buyers, float p)
{
    static struct shoal_pending pending[20000];
    shoal_correction_init(&correction, 7, 0);
    for (unsigned u = 0; u < users; u++) {
        pending[u] = (struct shoal_pending){{0}};
        pass(&pending[u], 0, u % 3000000, SHOAL_PV, p);
    }
    for (unsigned u = 0; u < buyers; u++)
        pass(&pending[u], 0, 5 * HOUR_MS, SHOAL_BUY, p);
    shoal_correction_turn(&correction, START_MS + 25 * HOUR_MS);
    return correction.delta;
}

Test(correction, nothing_known_corrects_nothing)
{
    cr_expect_eq(delta_after(0, 0, 0.5f), 0);
}

Test(correction, delta_closes_the_gap_between_predicted_and_observed)
{
    /* (4000 + 2000·0.25)/(20000 + 2000) is what is taken as the rate. */
    double rate = (4000 + SHOAL_CORRECTION_DOUBT * 0.25) / (20000 + SHOAL_CORRECTION_DOUBT);
    cr_expect_float_eq(delta_after(20000, 4000, 0.25f), log(rate / (1 - rate)) - log(1.0 / 3), 1e-5);
    rate = (15000 + SHOAL_CORRECTION_DOUBT * 0.625) / (20000 + SHOAL_CORRECTION_DOUBT);
    cr_expect_float_eq(delta_after(20000, 15000, 0.625f), log(rate / (1 - rate)) - log(0.625 / 0.375),
                       1e-5);
}

Test(correction, right_predictions_are_left_alone)
{
    cr_expect_float_eq(delta_after(20000, 5000, 0.25f), 0, 1e-6);
}

Test(correction, little_data_moves_little_and_much_no_further_than_the_bound)
{
    cr_expect_lt(fabsf(delta_after(20, 0, 0.25f)), 0.02f);
    cr_expect_eq(delta_after(20000, 0, 0.9f), -SHOAL_CORRECTION_MAX);
    cr_expect_eq(delta_after(20000, 20000, 0.1f), SHOAL_CORRECTION_MAX);
}

Test(correction, an_hour_counts_from_when_its_outcomes_are_known)
{
    (void)delta_after(1000, 0, 0.5f);
    cr_expect_neq(correction.delta, 0);
    struct shoal_correction early = correction;
    shoal_correction_init(&correction, 7, 0);
    struct shoal_pending pending = {{0}};
    pass(&pending, 0, 0, SHOAL_PV, 0.5f);
    shoal_correction_turn(&correction, START_MS + 24 * HOUR_MS);
    cr_expect_eq(correction.delta, 0, "outcomes may still come in");
    shoal_correction_turn(&correction, START_MS + 25 * HOUR_MS);
    cr_expect_lt(correction.delta, 0);
    shoal_correction_turn(&early, START_MS + 48 * HOUR_MS);
    cr_expect_neq(early.delta, 0);
    shoal_correction_turn(&early, START_MS + 49 * HOUR_MS);
    cr_expect_eq(early.delta, 0, "an hour outside the window still counts");
}

static unsigned positives_of_hour(int64_t hour)
{
    return correction.hours[(400000 + hour) % SHOAL_CORRECTION_HOURS].positives_twice;
}

Test(correction, a_purchase_settles_the_events_of_the_24_hours_before_it_once)
{
    struct shoal_pending pending = {{0}};
    shoal_correction_init(&correction, 7, 0);
    pass(&pending, 0, 0, SHOAL_PV, 0.5f);                         /* 25 hours before: too early */
    pass(&pending, 0, HOUR_MS, SHOAL_PV, 0.5f);                   /* 24: half */
    pass(&pending, HOUR_MS, 2 * HOUR_MS, SHOAL_CART, 0.5f);       /* 23 */
    pass(&pending, 2 * HOUR_MS, 2 * HOUR_MS + 9, SHOAL_PV, 0.5f);
    pass(&pending, 2 * HOUR_MS, 25 * HOUR_MS, SHOAL_BUY, 0.5f);   /* itself not settled by itself */
    cr_expect_eq(positives_of_hour(0), 0);
    cr_expect_eq(positives_of_hour(1), 1);
    cr_expect_eq(positives_of_hour(2), 4);
    cr_expect_eq(positives_of_hour(25), 0);
    pass(&pending, 25 * HOUR_MS, 26 * HOUR_MS, SHOAL_BUY, 0.5f);
    cr_expect_eq(positives_of_hour(2), 4, "settled twice");
    cr_expect_eq(positives_of_hour(25), 2);
}

Test(correction, more_than_fifteen_events_in_an_hour_are_no_samples)
{
    struct shoal_pending pending = {{0}};
    shoal_correction_init(&correction, 7, 0);
    for (int i = 0; i < 40; i++)
        pass(&pending, i ? i - 1 : 0, i, SHOAL_PV, 0.5f);
    cr_expect_eq(correction.hours[400000 % SHOAL_CORRECTION_HOURS].samples, 15);
    pass(&pending, 39, 40, SHOAL_BUY, 0.5f);
    cr_expect_eq(positives_of_hour(0), 30);
}

Test(correction, events_that_taught_the_model_are_no_samples)
{
    struct shoal_pending pending = {{0}};
    shoal_correction_init(&correction, 7, START_MS + 26 * HOUR_MS);
    pass(&pending, 0, HOUR_MS, SHOAL_PV, 0.5f);
    pass(&pending, HOUR_MS, 2 * HOUR_MS, SHOAL_PV, 0.5f);
    pass(&pending, 2 * HOUR_MS, 3 * HOUR_MS, SHOAL_BUY, 0.5f);
    cr_expect_eq(positives_of_hour(1), 0);
    cr_expect_eq(correction.hours[400001 % SHOAL_CORRECTION_HOURS].samples, 0);
    cr_expect_eq(positives_of_hour(2), 2);
    cr_expect_eq(correction.hours[400002 % SHOAL_CORRECTION_HOURS].samples, 1);
}

Test(correction, the_order_within_an_hour_does_not_matter)
{
    static struct shoal_pending forth[100], back[100];
    shoal_correction_init(&correction, 7, 0);
    for (int u = 0; u < 100; u++)
        pass(&forth[u], u, u, SHOAL_PV, 1.0f / (float)(u + 2));
    struct shoal_correction first = correction;
    shoal_correction_init(&correction, 7, 0);
    for (int u = 100; u-- > 0;)
        pass(&back[u], u, u, SHOAL_PV, 1.0f / (float)(u + 2));
    cr_expect_eq(memcmp(first.hours, correction.hours, sizeof first.hours), 0);
}

Test(correction, an_event_that_is_days_late_is_not_counted_and_does_no_harm)
{
    struct shoal_pending pending = {{0}};
    shoal_correction_init(&correction, 7, 0);
    shoal_correction_turn(&correction, START_MS);
    struct shoal_correction before = correction;
    shoal_correction_count(&correction, &pending, 0, START_MS - 60 * HOUR_MS, SHOAL_PV, 0.5f);
    shoal_correction_count(&correction, &pending, 0, 5, SHOAL_BUY, 0.5f);
    cr_expect_eq(memcmp(&before, &correction, sizeof before), 0);
}

Test(correction, bytes_come_back_and_every_truncation_is_refused)
{
    struct shoal_buffer bytes = {0};
    struct shoal_correction back;
    (void)delta_after(3000, 1200, 0.25f);
    shoal_correction_encode(&correction, &bytes);
    cr_assert_eq(shoal_correction_decode(bytes.bytes, bytes.size, &back), SHOAL_OK);
    cr_expect_eq(memcmp(&back, &correction, sizeof back), 0);
    for (size_t size = 0; size < bytes.size; size++)
        cr_assert_eq(shoal_correction_decode(bytes.bytes, size, &back), SHOAL_DAMAGED);
    bytes.bytes[1] = 9;
    cr_expect_eq(shoal_correction_decode(bytes.bytes, bytes.size, &back), SHOAL_VERSION);
    shoal_buffer_finish(&bytes);
}
