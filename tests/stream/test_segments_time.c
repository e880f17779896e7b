/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a user because nothing happens: the half of segments.h that time moves. */
#include <criterion/criterion.h>
#include <string.h>

#include "stream/segments.h"

static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;
static const int64_t START = INT64_C(1512000000000);
static const struct shoal_model model = {.warm = 0.2f, .hot = 0.6f};
static struct shoal_segment_rules rules;
static struct shoal_record record;
static struct shoal_change changes[SHOAL_DIMENSION_COUNT];

static void setup(void)
{
    rules = shoal_segment_rules_default();
    memset(&record, 0, sizeof record);
}

TestSuite(segments_time, .init = setup);

/* One event as the pipeline applies it, with a look at everything. */
static size_t event(int64_t time_ms, float score, enum shoal_behavior behavior)
{
    int64_t gap_ms = 0;
    if (record.events_count++ == 0)
        record.first_ms = record.last_ms = time_ms;
    if (time_ms > record.last_ms) {
        gap_ms = time_ms - record.last_ms;
        record.last_ms = time_ms;
    }
    record.score = score;
    if (behavior == SHOAL_CART)
        record.cart_ms = record.last_ms / 1000 * 1000;
    if (behavior == SHOAL_BUY) {
        record.cart_ms = 0;
        shoal_purchases_add(&record.purchases, record.last_ms, 1);
    }
    struct shoal_view view = {
        .model = &model, .now_ms = record.last_ms, .gap_ms = gap_ms, .look = SHOAL_LOOK_TRAITS};
    return shoal_segments_update(&rules, &view, &record, changes);
}

/* A time at which something falls due, as the pipeline has it. */
static size_t fall_due(int64_t now_ms, uint32_t *timers)
{
    struct shoal_view view = {.model = &model,
                              .now_ms = now_ms,
                              .gap_ms = now_ms - record.last_ms,
                              .timer = true,
                              .look = SHOAL_LOOK_TRAITS};
    *timers = shoal_segments_timers(&rules, &record, now_ms);
    return shoal_segments_update(&rules, &view, &record, changes);
}

static int64_t next(void)
{
    return shoal_segments_next(&rules, &record, 0);
}

/* Expects the next thing to fall due at a time, and to be one change. */
static void expect_next(int64_t at_ms, enum shoal_dimension dimension, uint8_t to)
{
    uint32_t timers;
    cr_assert_eq(next(), at_ms);
    cr_assert_eq(fall_due(at_ms, &timers), 1);
    cr_assert_eq(changes[0].dimension, dimension);
    cr_assert_eq(changes[0].to, to);
    cr_assert_eq(timers, 0);
}

static uint8_t level(enum shoal_dimension dimension)
{
    return record.standings[dimension].level;
}

Test(segments_time, for_a_user_without_events_nothing_falls_due)
{
    cr_assert_eq(next(), 0);
}

Test(segments_time, silence_makes_active_then_lapsing_then_inactive_and_then_nothing)
{
    event(START + 345, 0.1f, SHOAL_PV);
    expect_next(START + 345 + DAY, SHOAL_LIFECYCLE, SHOAL_ACTIVE);
    expect_next(START + 345 + 3 * DAY, SHOAL_LIFECYCLE, SHOAL_LAPSING);
    expect_next(START + 345 + 7 * DAY, SHOAL_LIFECYCLE, SHOAL_LIFECYCLE_INACTIVE);
    cr_assert_eq(next(), 0);
}

Test(segments_time, the_event_after_an_inactive_time_makes_returning_until_its_time_is_over)
{
    uint32_t timers;
    event(START, 0.1f, SHOAL_PV);
    fall_due(START + 7 * DAY, &timers);
    cr_assert_eq(event(START + 10 * DAY, 0.1f, SHOAL_PV), 1);
    cr_assert_eq(changes[0].from, SHOAL_LIFECYCLE_INACTIVE);
    cr_assert_eq(changes[0].to, SHOAL_RETURNING);
    expect_next(START + 11 * DAY, SHOAL_LIFECYCLE, SHOAL_ACTIVE);
    expect_next(START + 13 * DAY, SHOAL_LIFECYCLE, SHOAL_LAPSING);
    cr_assert_eq(event(START + 13 * DAY + 1, 0.1f, SHOAL_PV), 1);
    cr_assert_eq(changes[0].to, SHOAL_ACTIVE, "who lapsed does not return");
}

/* Whether the timer was looked at in time makes no difference to the event. */
Test(segments_time, an_event_does_the_same_whether_the_timers_before_it_fell_due_or_not)
{
    for (int64_t gap_ms = HOUR; gap_ms < 12 * DAY; gap_ms += 7 * HOUR) {
        struct shoal_record with;
        uint32_t timers;
        setup();
        event(START, 0.1f, SHOAL_PV);
        for (int64_t at_ms, before_ms = 0; (at_ms = next()) && at_ms <= START + gap_ms;
             before_ms = at_ms) {
            cr_assert_gt(at_ms, before_ms, "time does not stand still");
            fall_due(at_ms, &timers);
        }
        event(START + gap_ms, 0.3f, SHOAL_PV);
        with = record;
        setup();
        event(START, 0.1f, SHOAL_PV);
        event(START + gap_ms, 0.3f, SHOAL_PV);
        cr_assert_eq(level(SHOAL_LIFECYCLE), with.standings[SHOAL_LIFECYCLE].level);
        cr_assert_eq(level(SHOAL_INTENT), with.standings[SHOAL_INTENT].level);
    }
}

Test(segments_time, inactive_before_lapsing_leaves_lapsing_out)
{
    rules.inactive_ms = 2 * DAY;
    event(START, 0.1f, SHOAL_PV);
    expect_next(START + DAY, SHOAL_LIFECYCLE, SHOAL_ACTIVE);
    expect_next(START + 2 * DAY, SHOAL_LIFECYCLE, SHOAL_LIFECYCLE_INACTIVE);
    cr_assert_eq(next(), 0);
}

Test(segments_time, a_prediction_that_ran_out_makes_cold_whatever_it_said)
{
    rules.intent_lapse_ms = 5 * HOUR;
    event(START, 0.9f, SHOAL_PV);
    cr_assert_eq(level(SHOAL_INTENT), SHOAL_HOT);
    expect_next(START + 5 * HOUR, SHOAL_INTENT, SHOAL_COLD);
    expect_next(START + DAY, SHOAL_LIFECYCLE, SHOAL_ACTIVE);
    cr_assert_eq(level(SHOAL_INTENT), SHOAL_COLD, "what time has taken, only an event gives back");
    event(START + DAY + 1, 0.9f, SHOAL_PV);
    cr_assert_eq(level(SHOAL_INTENT), SHOAL_HOT);
}

Test(segments_time, each_event_moves_the_lapse_of_the_prediction_on)
{
    rules.intent_lapse_ms = 2 * HOUR;
    event(START, 0.9f, SHOAL_PV);
    for (int64_t i = 1; i < 9; i++) {
        event(START + i * HOUR, 0.9f, SHOAL_PV);
        cr_assert_eq(next(), START + i * HOUR + 2 * HOUR);
    }
}

/* Another timer than its own may find the score lower than the level, not higher. */
Test(segments_time, a_timer_never_raises_the_intent)
{
    uint32_t timers;
    event(START, 0.1f, SHOAL_PV);
    record.score = 0.9f;
    cr_assert_eq(fall_due(START + DAY - 1, &timers), 0);
    cr_assert_eq(level(SHOAL_INTENT), SHOAL_COLD);
}

Test(segments_time, a_cart_that_is_left_falls_due_once)
{
    uint32_t timers;
    event(START + 999, 0.1f, SHOAL_CART);
    cr_assert_eq(next(), START + HOUR);
    fall_due(START + HOUR - 1, &timers);
    cr_assert_eq(timers, 0);
    fall_due(START + HOUR, &timers);
    cr_assert_eq(timers, 1u << SHOAL_TIMER_CART);
    cr_assert_eq(record.cart_ms, 0);
    fall_due(START + HOUR, &timers);
    cr_assert_eq(timers, 0);
    cr_assert_eq(next(), START + 999 + DAY);
}

Test(segments_time, a_purchase_ends_the_wait_and_another_cart_begins_it_anew)
{
    event(START, 0.1f, SHOAL_CART);
    event(START + 40 * MIN, 0.1f, SHOAL_CART);
    cr_assert_eq(next(), START + 40 * MIN + HOUR);
    event(START + 50 * MIN, 0.1f, SHOAL_BUY);
    cr_assert_eq(next(), START + DAY);
}

Test(segments_time, traits_expire_at_their_time_in_spite_of_the_dwell)
{
    rules.traits_dwell_ms = 300 * DAY;
    event(START, 0.1f, SHOAL_BUY);
    cr_assert_eq(level(SHOAL_FIRST_TIME_BUYER), SHOAL_YES);
    expect_next(START + DAY, SHOAL_LIFECYCLE, SHOAL_ACTIVE);
    expect_next(START + 3 * DAY, SHOAL_LIFECYCLE, SHOAL_LAPSING);
    expect_next(START + 7 * DAY, SHOAL_LIFECYCLE, SHOAL_LIFECYCLE_INACTIVE);
    expect_next(START + 30 * DAY, SHOAL_FIRST_TIME_BUYER, 0);
    cr_assert_eq(record.standings[SHOAL_FIRST_TIME_BUYER].since_ms, 0);
    cr_assert_eq(next(), 0);
}

Test(segments_time, the_habit_of_a_frequent_buyer_ends)
{
    for (int64_t i = 0; i < 3; i++)
        event(START + i * 5 * DAY, 0.1f, SHOAL_BUY);
    cr_assert_eq(level(SHOAL_FREQUENT_BUYER), SHOAL_YES);
    cr_assert_eq(level(SHOAL_FIRST_TIME_BUYER), 0, "the second day ended it");
    expect_next(START + 13 * DAY, SHOAL_LIFECYCLE, SHOAL_LAPSING);
    expect_next(START + 17 * DAY, SHOAL_LIFECYCLE, SHOAL_LIFECYCLE_INACTIVE);
    expect_next(START + 38 * DAY, SHOAL_FREQUENT_BUYER, 0);
}

Test(segments_time, a_trait_is_held_for_its_dwell_if_it_does_not_expire)
{
    event(START, 0.1f, SHOAL_PV);
    record.counters[SHOAL_CART * SHOAL_HALF_LIVES + SHOAL_HALF_LIVES - 1] = 3;
    event(START + MIN, 0.1f, SHOAL_PV);
    cr_assert_eq(level(SHOAL_CART_ABANDONER), SHOAL_YES);
    memset(record.counters, 0, sizeof record.counters);
    event(START + MIN + DAY - 1, 0.1f, SHOAL_PV);
    cr_assert_eq(level(SHOAL_CART_ABANDONER), SHOAL_YES);
    event(START + MIN + DAY, 0.1f, SHOAL_PV);
    cr_assert_eq(level(SHOAL_CART_ABANDONER), 0);
}

Test(segments_time, without_a_look_only_intent_and_lifecycle_move)
{
    struct shoal_view view = {.model = &model, .now_ms = START};
    record.events_count = 1;
    record.first_ms = record.last_ms = START;
    shoal_purchases_add(&record.purchases, START, 1);
    cr_assert_eq(shoal_segments_update(&rules, &view, &record, changes), 2);
    cr_assert_eq(level(SHOAL_FIRST_TIME_BUYER), 0);
    view.look = SHOAL_LOOK_TRAITS;
    cr_assert_eq(shoal_segments_update(&rules, &view, &record, changes), 1);
    cr_assert_eq(changes[0].dimension, SHOAL_FIRST_TIME_BUYER);
}

Test(segments_time, next_is_after_the_time_it_is_asked_for)
{
    event(START, 0.9f, SHOAL_CART);
    event(START + MIN, 0.9f, SHOAL_BUY);
    event(START + 2 * MIN, 0.9f, SHOAL_CART);
    int64_t after_ms = 0, at_ms;
    int count = 0;
    for (; (at_ms = shoal_segments_next(&rules, &record, after_ms)) != 0; after_ms = at_ms, count++)
        cr_assert_gt(at_ms, after_ms);
    cr_assert_eq(count, 6, "cart, new, intent, lapsing, inactive, first-time buyer");
    cr_assert_eq(after_ms, START + MIN + 30 * DAY);
}

/* The last second of time is rounded up to no later one: what could not be written. */
Test(segments_time, a_level_taken_at_the_end_of_time_can_be_kept)
{
    struct shoal_buffer bytes = {0};
    float hc[2], back_hc[2];
    struct shoal_record back;
    shoal_record_init(&record, 1, hc);
    shoal_record_init(&back, 1, back_hc);
    event(SHOAL_TIME_MAX_MS, 0.9f, SHOAL_BUY);
    cr_assert_leq(record.standings[SHOAL_INTENT].since_ms, SHOAL_TIME_MAX_MS);
    shoal_record_encode(&record, SHOAL_FP16, &bytes);
    cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK);
    shoal_buffer_finish(&bytes);
}

/* ---- what is looked at ---------------------------------------------------------------------------- */

/* A model that has learnt all there is to look at; look dereferences none of it but the clusters. */
static unsigned look_of(const struct shoal_model *of, enum shoal_behavior behavior,
                        int64_t previous_ms, int64_t now_ms, bool timer)
{
    struct shoal_view view = {.model = of, .now_ms = now_ms, .timer = timer};
    return shoal_segments_look(&rules, &view, &record, behavior, previous_ms);
}

static unsigned look(enum shoal_behavior behavior, int64_t previous_ms, int64_t now_ms)
{
    return look_of(&model, behavior, previous_ms, now_ms, false);
}

/* With value and engagement, as far as a look is concerned. */
static struct shoal_model with_more(void)
{
    static int value, uplift;
    struct shoal_model more = model;
    more.value = (struct shoal_value *)&value;
    more.uplift = (struct shoal_uplift *)&uplift;
    return more;
}

enum { SLOW = SHOAL_LOOK_VALUE | SHOAL_LOOK_ENGAGEMENT };

Test(segments_time, nobody_is_looked_at_before_the_fourth_event_but_for_a_purchase)
{
    struct shoal_model more = with_more();
    for (record.events_count = 1; record.events_count <= 8; record.events_count++) {
        bool known = record.events_count >= 4;
        cr_assert_eq(look(SHOAL_PV, START, START + 1), 0);
        cr_assert_eq(look(SHOAL_PV, START, START + HOUR) != 0, known);
        cr_assert_eq(look(SHOAL_CART, START, START + 1) != 0, known);
        cr_assert_eq(look_of(&more, SHOAL_PV, START, START + HOUR, false),
                     known ? SLOW | SHOAL_LOOK_TRAITS : 0);
        cr_assert_eq(look_of(&more, SHOAL_BUY, START, START + 1, false), SLOW | SHOAL_LOOK_TRAITS);
        cr_assert_eq(look_of(&more, SHOAL_PV, START, START + 1, true),
                     SHOAL_LOOK_TRAITS | (known ? SLOW : 0));
    }
    record.events_count = 4;
    cr_assert_eq(look_of(&more, SHOAL_PV, START, START + 1, false), SLOW);
}

Test(segments_time, traits_are_looked_at_with_any_event_but_a_page_view_and_once_in_an_hour)
{
    record.events_count = 100;
    cr_assert(look(SHOAL_CART, START, START + 1));
    cr_assert(look(SHOAL_FAV, START, START + 1));
    cr_assert(look(SHOAL_BUY, START, START + 1));
    cr_assert_not(look(SHOAL_PV, START, START + HOUR - 1));
    cr_assert(look(SHOAL_PV, START + HOUR - 1, START + HOUR));
    cr_assert(look(SHOAL_PV, START, START + DAY), "the same hour of a day");
    rules.intent_only = true;
    cr_assert_not(look(SHOAL_BUY, START, START + DAY));
}

Test(segments_time, what_is_slow_is_looked_at_where_it_can_move)
{
    struct shoal_model more = with_more();
    int64_t since_ms = START / DAY * DAY;
    record.events_count = 100;
    record.standings[SHOAL_VALUE] = (struct shoal_standing){SHOAL_VALUE_HIGH, since_ms};
    record.standings[SHOAL_ENGAGEMENT] = (struct shoal_standing){1, since_ms};
    int64_t engagement_ms = since_ms + rules.engagement_dwell_ms;
    int64_t value_ms = since_ms + rules.value_dwell_ms;
    cr_assert_eq(look_of(&more, SHOAL_BUY, since_ms, engagement_ms - 1, false), SHOAL_LOOK_TRAITS);
    cr_assert_eq(look_of(&more, SHOAL_PV, since_ms, engagement_ms, false),
                 SHOAL_LOOK_TRAITS | SHOAL_LOOK_ENGAGEMENT);
    cr_assert_eq(look_of(&more, SHOAL_CART, engagement_ms, engagement_ms + 1, false),
                 SHOAL_LOOK_TRAITS, "the same hour");
    cr_assert(look_of(&more, SHOAL_BUY, value_ms, value_ms + 1, false) & SHOAL_LOOK_VALUE);
    cr_assert_not(look_of(&more, SHOAL_PV, value_ms, value_ms + HOUR, false) & SHOAL_LOOK_VALUE,
                  "the same day");
    cr_assert(look_of(&more, SHOAL_PV, value_ms - 1, value_ms, false) & SHOAL_LOOK_VALUE);
    /* Upwards there is no waiting. */
    record.standings[SHOAL_VALUE].level = SHOAL_VALUE_MIDDLE;
    cr_assert(look_of(&more, SHOAL_BUY, since_ms, since_ms + 1, false) & SHOAL_LOOK_VALUE);
}

/* ---- any life ------------------------------------------------------------------------------ */

static uint64_t state = 88172645463325252u;
static uint64_t below(uint64_t bound)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state % bound;
}

static void random_rules(void)
{
    setup();
    rules.intent_lapse_ms = MIN * (int64_t)(1 + below(4000));
    rules.new_ms = MIN * (int64_t)below(4000);
    rules.returning_ms = MIN * (int64_t)below(4000);
    rules.lapsing_ms = MIN * (int64_t)(1 + below(9000));
    rules.inactive_ms = MIN * (int64_t)(1 + below(18000));
    rules.cart_wait_ms = MIN * (int64_t)(1 + below(300));
    rules.frequent_interval_ms = HOUR * (int64_t)(1 + below(200));
    rules.first_time_ms = HOUR * (int64_t)(1 + below(500));
    rules.traits_dwell_ms = HOUR * (int64_t)below(100);
}

/* By definition, from the record and the time alone, with nothing due until then. */
static void assert_settled(int64_t now_ms)
{
    int64_t gap_ms = now_ms - record.last_ms;
    if (gap_ms >= rules.intent_lapse_ms)
        cr_assert_eq(level(SHOAL_INTENT), SHOAL_COLD);
    if (gap_ms >= rules.inactive_ms)
        cr_assert_eq(level(SHOAL_LIFECYCLE), SHOAL_LIFECYCLE_INACTIVE);
    else if (gap_ms >= rules.lapsing_ms)
        cr_assert_eq(level(SHOAL_LIFECYCLE), SHOAL_LAPSING);
    else if (now_ms - record.first_ms < rules.new_ms)
        cr_assert_eq(level(SHOAL_LIFECYCLE), SHOAL_NEW);
    else
        cr_assert(level(SHOAL_LIFECYCLE) == SHOAL_ACTIVE ||
                  (level(SHOAL_LIFECYCLE) == SHOAL_RETURNING &&
                   now_ms - record.standings[SHOAL_LIFECYCLE].since_ms < rules.returning_ms));
    if (record.cart_ms)
        cr_assert_lt(now_ms - record.cart_ms, rules.cart_wait_ms);
    const struct shoal_purchases *p = &record.purchases;
    if (level(SHOAL_FIRST_TIME_BUYER))
        cr_assert(p->occasions == 1 && now_ms - p->first_ms < rules.first_time_ms);
    if (level(SHOAL_FREQUENT_BUYER))
        cr_assert(p->occasions >= 3 && now_ms - p->last_ms < 2 * rules.frequent_interval_ms);
}

/* Everything that falls due has an end: a time that fell due does not fall due again, and when nothing is due
 * until now, a user stands where the definitions say. */
Test(segments_time, whatever_falls_due_settles_and_no_time_falls_due_twice)
{
    size_t due = 0;
    for (int life = 0; life < 300; life++) {
        random_rules();
        int64_t now_ms = START;
        for (int i = 0; i < 60; i++) {
            static const enum shoal_behavior behaviors[] = {SHOAL_PV, SHOAL_PV, SHOAL_PV,
                                                            SHOAL_CART, SHOAL_BUY};
            event(now_ms, (float)below(1000) / 1000, behaviors[below(5)]);
            now_ms += (int64_t)below(below(4) ? (uint64_t)HOUR : (uint64_t)(15 * DAY));
            int64_t before_ms = 0;
            for (int64_t at_ms; (at_ms = next()) && at_ms <= now_ms; before_ms = at_ms) {
                uint32_t timers;
                size_t count = fall_due(at_ms, &timers);
                cr_assert_gt(at_ms, before_ms, "time does not stand still");
                cr_assert(count > 0 || timers, "something fell due, and nothing happened");
                due++;
            }
            if (before_ms)
                assert_settled(now_ms);
        }
    }
    cr_assert_gt(due, 10000);
}
