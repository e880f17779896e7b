/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>

#include "model/purchases.h"

static const int64_t DAY = INT64_C(86400000);
static const int64_t START = INT64_C(1512000000000); /* 2017-11-30 00:00 UTC */
static struct shoal_purchases p;

static void setup(void)
{
    p = (struct shoal_purchases){0};
}

TestSuite(purchases, .init = setup);

Test(purchases, the_first_one_is_an_occasion_that_counts_for_nothing_spent)
{
    shoal_purchases_add(&p, START + 12345, 99);
    cr_assert_eq(p.occasions, 1);
    cr_assert_eq(p.first_ms, START + 12000, "whole seconds");
    cr_assert_eq(p.last_ms, START + 12000);
    cr_assert_eq(p.spent, 0);
}

Test(purchases, those_of_one_day_are_one_occasion)
{
    shoal_purchases_add(&p, START, 10);
    shoal_purchases_add(&p, START + 1000, 10);
    shoal_purchases_add(&p, START + DAY - 1, 10);
    cr_assert_eq(p.occasions, 1);
    cr_assert_eq(p.last_ms, START);
    cr_assert_eq(p.spent, 0, "all of it belongs to the first");
    shoal_purchases_add(&p, START + DAY, 20);
    cr_assert_eq(p.occasions, 2);
    cr_assert_eq(p.last_ms, START + DAY);
    cr_assert_eq(p.first_ms, START);
    shoal_purchases_add(&p, START + DAY + 7777, 5);
    cr_assert_eq(p.occasions, 2);
    cr_assert_eq(p.last_ms, START + DAY, "the first of the day");
    cr_assert_eq(p.spent, 25);
}

/* Days end at midnight UTC, not a day after the last purchase. */
Test(purchases, a_minute_over_midnight_makes_two_occasions)
{
    shoal_purchases_add(&p, START + DAY - 1, 10);
    shoal_purchases_add(&p, START + DAY, 10);
    cr_assert_eq(p.occasions, 2);
}

Test(purchases, without_a_price_purchases_are_counted)
{
    shoal_purchases_add(&p, START, NAN);
    shoal_purchases_add(&p, START + DAY, NAN);
    shoal_purchases_add(&p, START + DAY + 1, -3);
    cr_assert_eq(p.spent, 2);
    shoal_purchases_add(&p, START + DAY + 2, 0);
    cr_assert_eq(p.spent, 2, "what was free paid nothing");
}

Test(purchases, a_sum_stays_finite)
{
    shoal_purchases_add(&p, START, 1);
    for (int i = 1; i < 100; i++) {
        shoal_purchases_add(&p, START + i * DAY, i % 2 ? 1e300 : (double)INFINITY);
        cr_assert(isfinite(p.spent));
        cr_assert_eq(p.spent, 1e30f);
    }
}

Test(purchases, occasions_stay_at_their_most)
{
    p = (struct shoal_purchases){.occasions = UINT32_MAX, .first_ms = 1000, .last_ms = START};
    shoal_purchases_add(&p, START + DAY, 1);
    cr_assert_eq(p.occasions, UINT32_MAX);
    cr_assert_eq(p.last_ms, START + DAY);
}

Test(purchases, an_amount_is_price_times_quantity)
{
    cr_assert_eq(shoal_purchase_amount(2.5, 4), 10);
    cr_assert_eq(shoal_purchase_amount(2.5, (double)NAN), 2.5);
    cr_assert_eq(shoal_purchase_amount(2.5, -1), 2.5);
    cr_assert_eq(shoal_purchase_amount(2.5, 0), 0);
    cr_assert_eq(shoal_purchase_amount(0, 7), 0);
    cr_assert(isnan(shoal_purchase_amount((double)NAN, 3)));
    cr_assert(isnan(shoal_purchase_amount(-1, 3)));
}

/* Against the definition: the set of days, and what was paid on all but the first of them. */
Test(purchases, any_purchases_are_counted_by_days)
{
    uint64_t state = 88172645463325252u;
    for (int run = 0; run < 300; run++) {
        int64_t time_ms = START, days = 0, day = -1, first_day = -1;
        double spent = 0;
        setup();
        for (int i = 0; i < 60; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            time_ms += (int64_t)(state % (uint64_t)(DAY / (1 + run % 5)));
            double amount = (double)(state / 4096 % 1000) / 4;
            shoal_purchases_add(&p, time_ms, amount);
            if (time_ms / DAY != day)
                days++;
            day = time_ms / DAY;
            if (first_day < 0)
                first_day = day;
            if (day != first_day)
                spent += amount;
            cr_assert_eq(p.occasions, days);
            cr_assert_eq(p.last_ms / DAY, day);
            cr_assert_eq(p.first_ms / DAY, first_day);
            cr_assert_eq(p.last_ms % 1000, 0);
            cr_assert_eq((double)p.spent, spent, "quarters are exact");
        }
    }
}
