/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: when an answer is given, what an offer does until it ends, and what is left of it. */
#include "tests/stream/decide_fixture.h"

TestSuite(decide, .init = setup);

Test(decide, a_trigger_is_answered_and_other_events_are_not)
{
    add("a")->triggers = 1u << SHOAL_CART;
    cr_assert_eq(event(HOUR, SHOAL_PV), 0);
    cr_assert_eq(record.grants_count, 0);
    cr_assert_eq(event(2 * HOUR, SHOAL_CART), 1);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(decisions[0].promotion, &promotions[0]);
    cr_assert_eq(decisions[0].expires_ms, 3 * HOUR);
    cr_assert_eq(decisions[0].reasons_count, 0);
    cr_assert_eq(record.grants_count, 1);
    cr_assert_eq(record.grants[0].count, 1);
    cr_assert_eq(record.grants[0].last_ms, 2 * HOUR);
}

Test(decide, every_trigger_gets_an_answer_also_when_it_is_no_again)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->min_score = 0.6f;
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(event(i * MIN, SHOAL_CART), 1);
        cr_assert_not(decisions[0].eligible);
        cr_assert_eq(decisions[0].expires_ms, 0);
        cr_assert_not(reason(0, SHOAL_CONDITION_MIN_SCORE)->met);
        cr_assert_eq(reason(0, SHOAL_CONDITION_MIN_SCORE)->value, 0.5);
        cr_assert_eq(reason(0, SHOAL_CONDITION_MIN_SCORE)->limit, (double)0.6f);
    }
    cr_assert_eq(record.grants_count, 0, "an answer of no leaves nothing in the record");
}

Test(decide, conditions_at_their_bounds)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_PV;
    p->min_score = 0.5f;
    p->max_score = 0.5f;
    p->valid_from_ms = HOUR;
    p->valid_until_ms = 2 * HOUR;
    event(HOUR - 1, SHOAL_PV);
    cr_assert_not(decisions[0].eligible);
    cr_assert_not(reason(0, SHOAL_CONDITION_VALIDITY)->met);
    event(HOUR, SHOAL_PV);
    cr_assert(decisions[0].eligible, "from is included, scores are inclusive");
    record.grants_count = 0;
    event(2 * HOUR - 1, SHOAL_PV);
    cr_assert(decisions[0].eligible);
    record.grants_count = 0;
    event(2 * HOUR, SHOAL_PV);
    cr_assert_not(decisions[0].eligible, "until is not included");
}

Test(decide, segments_must_be_at_an_accepted_level)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_PV;
    shoal_levels_add(&p->levels[SHOAL_INTENT], SHOAL_HOT);
    shoal_levels_add(&p->levels[SHOAL_LIFECYCLE], SHOAL_NEW);
    shoal_levels_add(&p->levels[SHOAL_LIFECYCLE], SHOAL_ACTIVE);
    event(1, SHOAL_PV);
    cr_assert_eq(decisions[0].reasons_count, 2);
    cr_assert_not(decisions[0].eligible);
    cr_assert_not(decisions[0].reasons[0].met);
    cr_assert_eq(decisions[0].reasons[0].value, SHOAL_WARM);
    cr_assert(decisions[0].reasons[1].met);
    cr_assert_eq(decisions[0].reasons[1].dimension, SHOAL_LIFECYCLE);
    record.standings[SHOAL_INTENT].level = SHOAL_HOT;
    event(2, SHOAL_PV);
    cr_assert(decisions[0].eligible);
    record.standings[SHOAL_INTENT].level = 0;
    event(2 * HOUR, SHOAL_PV);
    cr_assert_not(decisions[0].eligible, "a user in no level is in no accepted one");
}

Test(decide, cooldown_runs_from_the_last_offer)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->cooldown_ms = DAY;
    event(DAY, SHOAL_CART);
    cr_assert(decisions[0].eligible);
    cr_assert(isnan(reason(0, SHOAL_CONDITION_COOLDOWN)->value), "none before");
    cr_assert_eq(event(2 * DAY - 1, SHOAL_CART), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_COOLDOWN)->value, (double)(DAY - 1));
    cr_assert_eq(event(2 * DAY, SHOAL_CART), 1);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(record.grants[0].count, 2);
}

Test(decide, the_limit_ends_all_offers)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->limit = 2;
    event(1 * DAY, SHOAL_CART);
    event(2 * DAY, SHOAL_CART);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(event(3 * DAY, SHOAL_CART), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_LIMIT)->value, 2);
    cr_assert_eq(reason(0, SHOAL_CONDITION_LIMIT)->limit, 2);
    cr_assert_eq(record.grants[0].count, 2);
}

Test(decide, a_standing_offer_is_withdrawn_once_when_its_conditions_fail)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->min_score = 0.4f;
    p->cooldown_ms = DAY;
    event(HOUR, SHOAL_CART);
    cr_assert_eq(event(HOUR + MIN, SHOAL_PV), 0, "it stands, so nothing is said");
    record.score = 0.3f;
    cr_assert_eq(event(HOUR + 2 * MIN, SHOAL_PV), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(decisions[0].expires_ms, 0);
    cr_assert_null(reason(0, SHOAL_CONDITION_COOLDOWN));
    cr_assert_not(reason(0, SHOAL_CONDITION_MIN_SCORE)->met);
    cr_assert_eq(event(HOUR + 3 * MIN, SHOAL_PV), 0);
    record.score = 0.5f;
    cr_assert_eq(event(HOUR + 4 * MIN, SHOAL_CART), 1);
    cr_assert_not(decisions[0].eligible, "the withdrawn offer still holds the cool-down");
}

Test(decide, an_expired_offer_lapses_without_a_message)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->min_score = 0.4f;
    event(HOUR, SHOAL_CART);
    record.score = 0.1f;
    cr_assert_eq(event(2 * HOUR, SHOAL_PV), 0, "expires_at itself is over");
    cr_assert_not(record.grants[0].eligible);
    cr_assert_eq(record.grants[0].expires_ms, 0);
}

Test(decide, a_trigger_during_a_standing_offer_repeats_it_and_counts_nothing)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->cooldown_ms = DAY;
    p->limit = 1;
    event(HOUR, SHOAL_CART);
    int64_t expires = decisions[0].expires_ms;
    cr_assert_eq(event(HOUR + 10 * MIN, SHOAL_CART), 1);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(decisions[0].expires_ms, expires);
    cr_assert_eq(decisions[0].reasons_count, 1);
    cr_assert_eq(reason(0, SHOAL_CONDITION_OFFER)->value, (double)(10 * MIN));
    cr_assert_eq(reason(0, SHOAL_CONDITION_OFFER)->limit, (double)HOUR);
    cr_assert_eq(record.grants[0].count, 1);
    cr_assert_eq(record.grants[0].last_ms, HOUR);
}

Test(decide, without_triggers_only_changes_of_the_answer_are_written)
{
    struct shoal_promotion *p = add("a");
    p->min_score = 0.6f;
    cr_assert_eq(event(MIN, SHOAL_PV), 0);
    record.score = 0.7f;
    cr_assert_eq(event(2 * MIN, SHOAL_PV), 1);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(event(3 * MIN, SHOAL_BUY), 0);
    cr_assert_eq(record.grants[0].count, 1);
    record.score = 0.5f;
    cr_assert_eq(event(4 * MIN, SHOAL_PV), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(event(5 * MIN, SHOAL_PV), 0);
    record.score = 0.7f;
    cr_assert_eq(event(6 * MIN, SHOAL_PV), 1);
    cr_assert_eq(record.grants[0].count, 2);
    cr_assert_eq(event(6 * MIN + HOUR, SHOAL_PV), 1, "lapsed, and made anew");
    cr_assert_eq(record.grants[0].count, 3);
}

Test(decide, a_contact_made_elsewhere_counts_and_starts_the_cooldown)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->cooldown_ms = DAY;
    cr_assert_eq(contact(HOUR, SHOAL_PV, "a", SHOAL_EXPOSURE_SHOWN), 0);
    cr_assert_eq(record.grants[0].count, 1);
    cr_assert_eq(event(2 * HOUR, SHOAL_CART), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_COOLDOWN)->value, (double)HOUR);
    contact(3 * HOUR, SHOAL_PV, "a", SHOAL_EXPOSURE_CLICKED);
    contact(3 * HOUR, SHOAL_PV, "other", SHOAL_EXPOSURE_SHOWN);
    cr_assert_eq(record.grants_count, 1);
    cr_assert_eq(record.grants[0].count, 1);
}

Test(decide, showing_our_own_standing_offer_is_no_second_one)
{
    add("a")->triggers = 1u << SHOAL_CART;
    event(HOUR, SHOAL_CART);
    contact(HOUR + MIN, SHOAL_PV, "a", SHOAL_EXPOSURE_SHOWN);
    cr_assert_eq(record.grants[0].count, 1);
    cr_assert(record.grants[0].eligible);
    contact(3 * HOUR, SHOAL_PV, "a", SHOAL_EXPOSURE_SHOWN);
    cr_assert_eq(record.grants[0].count, 2);
    cr_assert_not(record.grants[0].eligible);
}

Test(decide, a_late_event_is_taken_as_of_the_latest_one)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->cooldown_ms = HOUR;
    event(DAY, SHOAL_CART);
    event(DAY + 2 * HOUR, SHOAL_PV);
    event(DAY - HOUR, SHOAL_CART);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(record.grants[0].last_ms, DAY + 2 * HOUR);
    cr_assert_eq(decisions[0].expires_ms, DAY + 3 * HOUR);
}

Test(decide, grants_of_forgotten_promotions_make_room_for_current_ones)
{
    add("a")->triggers = 1u << SHOAL_CART;
    event(HOUR, SHOAL_CART);
    for (uint32_t i = 1; i < SHOAL_GRANTS_MAX; i++)
        record.grants[record.grants_count++] =
            (struct shoal_grant){.promotion = 1000 + i, .count = 1, .last_ms = DAY};
    add("b")->triggers = 1u << SHOAL_FAV;
    cr_assert_eq(event(2 * DAY, SHOAL_FAV), 1);
    cr_assert_not_null(shoal_record_grant(&record, promotions[0].hash, false));
    cr_assert_not_null(shoal_record_grant(&record, promotions[1].hash, false));
    cr_assert_eq(record.grants_count, 2);
}

Test(decide, an_offer_near_the_end_of_time_expires_within_it)
{
    add("a")->offer_ms = DAY * 3650;
    event(INT64_C(253402300799000), SHOAL_PV);
    cr_assert_eq(decisions[0].expires_ms, INT64_C(253402300799999));
}
