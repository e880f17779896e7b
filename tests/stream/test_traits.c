/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "stream/traits.h"

static const int64_t HOUR = 3600000, DAY = 86400000;
static const int64_t START = INT64_C(1512000000000); /* midnight UTC */
static struct shoal_segment_rules rules;
static struct shoal_record record;

static void setup(void)
{
    rules = shoal_segment_rules_default();
    memset(&record, 0, sizeof record);
}

TestSuite(traits, .init = setup);

static bool holds(enum shoal_dimension trait, bool inside)
{
    bool expired = true;
    bool is = shoal_trait_holds(&rules, &record, trait, inside, START, &expired);
    cr_assert_not(expired, "it has no time");
    return is;
}

/* ---- night_active -------------------------------------------------------------------------- */

static void touch(int64_t time_ms, enum shoal_behavior behavior, uint8_t price_level)
{
    record.ring[record.ring_count++] = (struct shoal_touch){
        .time_ms = time_ms, .behavior = (uint8_t)behavior, .price_level = price_level};
}

static bool night_hour(int64_t hour)
{
    record.ring_count = 0;
    for (int i = 0; i < 8; i++)
        touch(START + i * DAY + hour * HOUR, SHOAL_PV, 0);
    return holds(SHOAL_NIGHT_ACTIVE, false);
}

Test(traits, the_night_is_from_22_to_6)
{
    for (int64_t hour = 0; hour < 24; hour++)
        cr_assert_eq(night_hour(hour), hour >= 22 || hour < 6, "%d:00", (int)hour);
}

Test(traits, the_night_is_that_of_the_place)
{
    rules.utc_offset_ms = 8 * HOUR;
    cr_assert(night_hour(14));
    cr_assert_not(night_hour(22));
    rules.utc_offset_ms = -8 * HOUR;
    cr_assert(night_hour(6));
    cr_assert_not(night_hour(3));
}

Test(traits, the_night_before_1970_is_one_too)
{
    rules.utc_offset_ms = -14 * HOUR;
    for (int i = 0; i < 8; i++)
        touch(12 * HOUR, SHOAL_PV, 0); /* 22:00 of the day before */
    cr_assert(holds(SHOAL_NIGHT_ACTIVE, false));
}

Test(traits, seven_events_are_too_few_to_say_anything_of_nights)
{
    for (int i = 0; i < 7; i++)
        touch(START, SHOAL_PV, 0);
    cr_assert_not(holds(SHOAL_NIGHT_ACTIVE, false));
    touch(START, SHOAL_PV, 0);
    cr_assert(holds(SHOAL_NIGHT_ACTIVE, false));
}

Test(traits, nights_are_left_only_beyond_the_hysteresis)
{
    rules.night_share = 0.5f;
    rules.traits_hysteresis = 0.25f; /* left below 3/8 */
    for (int night = 0; night <= 8; night++) {
        record.ring_count = 0;
        for (int i = 0; i < 8; i++)
            touch(START + (i < night ? 0 : 12 * HOUR), SHOAL_PV, 0);
        cr_assert_eq(holds(SHOAL_NIGHT_ACTIVE, false), night >= 4, "%d of 8, from outside", night);
        cr_assert_eq(holds(SHOAL_NIGHT_ACTIVE, true), night >= 3, "%d of 8, from inside", night);
    }
}

/* ---- price_sensitive ----------------------------------------------------------------------- */

static bool sensitive(uint8_t taken_level, uint8_t viewed_level, bool inside)
{
    record.ring_count = 0;
    for (int i = 0; i < 2; i++)
        touch(START, i ? SHOAL_BUY : SHOAL_CART, taken_level);
    for (int i = 0; i < 4; i++)
        touch(START, SHOAL_PV, viewed_level);
    return holds(SHOAL_PRICE_SENSITIVE, inside);
}

/* A level is a factor of √2: 0.75 lies between none and one level below, 0.5 at two. */
Test(traits, who_takes_what_is_cheaper_by_the_factor_is_price_sensitive)
{
    cr_assert(sensitive(29, 30, false));
    cr_assert_not(sensitive(30, 30, false));
    rules.price_factor = 0.5f;
    cr_assert(sensitive(28, 30, false));
    cr_assert_not(sensitive(29, 30, false));
    cr_assert_not(sensitive(29, 30, true));
    rules.traits_hysteresis = 0.42f; /* left above 0.71, which is more than √½ */
    cr_assert(sensitive(29, 30, true));
    cr_assert_not(sensitive(30, 30, true));
}

Test(traits, prices_that_are_not_known_say_nothing)
{
    for (int i = 0; i < 10; i++)
        touch(START, i % 2 ? SHOAL_PV : SHOAL_FAV, 0);
    cr_assert_not(holds(SHOAL_PRICE_SENSITIVE, false));
    sensitive(1, 60, false);
    cr_assert(holds(SHOAL_PRICE_SENSITIVE, false));
    record.ring[0].price_level = 0;
    cr_assert_not(holds(SHOAL_PRICE_SENSITIVE, false), "one that was taken is not enough");
    record.ring[0].price_level = 1;
    record.ring[5].price_level = 0;
    cr_assert_not(holds(SHOAL_PRICE_SENSITIVE, false), "three that were viewed are not enough");
}

/* ---- cart_abandoner ------------------------------------------------------------------------ */

static bool abandons(float carts, float buys, bool inside)
{
    for (int k = 0; k < SHOAL_HALF_LIVES; k++) { /* only the longest half-life counts */
        record.counters[SHOAL_CART * SHOAL_HALF_LIVES + k] = k == SHOAL_HALF_LIVES - 1 ? carts : 0;
        record.counters[SHOAL_BUY * SHOAL_HALF_LIVES + k] = k == SHOAL_HALF_LIVES - 1 ? buys : 99;
    }
    return holds(SHOAL_CART_ABANDONER, inside);
}

Test(traits, who_leaves_the_share_of_carts_is_an_abandoner)
{
    rules.cart_share = 0.75f;
    cr_assert(abandons(4, 1, false));
    cr_assert_not(abandons(4, 1.01f, false));
    cr_assert(abandons(4, 1.01f, true), "within the hysteresis");
    cr_assert_not(abandons(4, 1.4f, true));
    cr_assert_not(abandons(4, 9, false));
}

Test(traits, one_cart_makes_no_abandoner_and_a_faded_second_still_keeps_one)
{
    cr_assert_not(abandons(1.99f, 0, false));
    cr_assert(abandons(2, 0, false));
    cr_assert(abandons(1, 0, true));
    cr_assert_not(abandons(0.99f, 0, true));
    cr_assert_not(abandons(0, 0, true), "nothing of nothing is no share");
}

/* ---- frequent_buyer ------------------------------------------------------------------------ */

static bool frequent(uint32_t occasions, int64_t span_ms, int64_t since_ms, bool inside,
                     bool *expired)
{
    record.purchases = (struct shoal_purchases){
        .occasions = occasions, .first_ms = START - span_ms, .last_ms = START};
    return shoal_trait_holds(&rules, &record, SHOAL_FREQUENT_BUYER, inside, START + since_ms,
                             expired);
}

Test(traits, three_days_with_a_purchase_near_each_other_make_a_frequent_buyer)
{
    bool expired;
    cr_assert_not(frequent(0, 0, 0, false, &expired));
    cr_assert_not(frequent(2, DAY, 0, false, &expired));
    cr_assert(frequent(3, 28 * DAY, 0, false, &expired));
    cr_assert_not(frequent(3, 28 * DAY + 1000, 0, false, &expired));
    cr_assert(frequent(3, 28 * DAY + 1000, 0, true, &expired), "within the hysteresis");
    cr_assert_not(frequent(3, 31 * DAY, 0, true, &expired));
    cr_assert_not(expired);
}

Test(traits, a_frequent_buyer_expires_after_twice_the_interval)
{
    bool expired;
    cr_assert(frequent(5, 40 * DAY, 28 * DAY - 1, true, &expired));
    cr_assert_not(expired);
    cr_assert_eq(shoal_trait_expires(&rules, &record, SHOAL_FREQUENT_BUYER), START + 28 * DAY);
    cr_assert_not(frequent(5, 40 * DAY, 28 * DAY, true, &expired));
    cr_assert(expired);
}

/* ---- first_time_buyer ---------------------------------------------------------------------- */

static bool first_time(uint32_t occasions, int64_t since_ms, bool *expired)
{
    record.purchases = (struct shoal_purchases){
        .occasions = occasions, .first_ms = START, .last_ms = START + (occasions > 1) * DAY};
    return shoal_trait_holds(&rules, &record, SHOAL_FIRST_TIME_BUYER, true, START + since_ms,
                             expired);
}

Test(traits, one_day_with_a_purchase_makes_a_first_time_buyer_for_its_time)
{
    bool expired;
    cr_assert_not(first_time(0, 0, &expired));
    cr_assert(first_time(1, 0, &expired));
    cr_assert(first_time(1, 30 * DAY - 1, &expired));
    cr_assert_not(expired);
    cr_assert_eq(shoal_trait_expires(&rules, &record, SHOAL_FIRST_TIME_BUYER), START + 30 * DAY);
    cr_assert_not(first_time(1, 30 * DAY, &expired));
    cr_assert(expired);
}

Test(traits, the_second_day_ends_it_at_once)
{
    bool expired;
    cr_assert_not(first_time(2, DAY, &expired));
    cr_assert(expired, "whatever the dwell says");
}

Test(traits, others_never_expire)
{
    record.purchases = (struct shoal_purchases){3, START, START, 0};
    cr_assert_eq(shoal_trait_expires(&rules, &record, SHOAL_NIGHT_ACTIVE), 0);
    cr_assert_eq(shoal_trait_expires(&rules, &record, SHOAL_PRICE_SENSITIVE), 0);
    cr_assert_eq(shoal_trait_expires(&rules, &record, SHOAL_CART_ABANDONER), 0);
}

Test(traits, what_is_no_trait_does_not_hold)
{
    cr_assert_not(holds(SHOAL_INTENT, true));
    cr_assert_not(holds(SHOAL_CLUSTER, false));
}
