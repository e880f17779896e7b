/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "stream/bundle_offer.h"
#include "stream/consent.h"
#include "stream/decide.h"

static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;
static struct shoal_promotion promotions[SHOAL_GRANTS_MAX];
static struct shoal_policy policy;
static struct shoal_record record;
static struct shoal_decision decisions[SHOAL_GRANTS_MAX];
static struct shoal_budgets *budgets;
static float prompted;

static struct shoal_promotion *add(const char *id)
{
    struct shoal_promotion *p = &promotions[policy.count++];
    *p = (struct shoal_promotion){
        .max_score = 1, .valid_from_ms = INT64_MIN, .valid_until_ms = INT64_MAX, .offer_ms = HOUR};
    strcpy(p->id, id);
    p->hash = shoal_promotion_hash(id, strlen(id));
    return p;
}

static size_t contact(int64_t time_ms, enum shoal_behavior behavior, const char *promotion,
                      enum shoal_exposure exposure)
{
    struct shoal_event event = {.user = "u1", .user_size = 2, .exposure = (uint8_t)exposure};
    event.touch.time_ms = time_ms;
    event.touch.behavior = (uint8_t)behavior;
    if (promotion)
        event.promotion = shoal_promotion_hash(promotion, strlen(promotion));
    if (time_ms > record.last_ms)
        record.last_ms = time_ms;
    struct shoal_occasion occasion = {.event = &event, .prompted = prompted, .partitions = 1};
    shoal_policy_settle(&policy);
    return shoal_decide(&policy, &occasion, &record, budgets, decisions);
}

static size_t event(int64_t time_ms, enum shoal_behavior behavior)
{
    return contact(time_ms, behavior, NULL, SHOAL_EXPOSURE_NONE);
}

static void setup(void)
{
    policy = (struct shoal_policy){.promotions = promotions};
    memset(&record, 0, sizeof record);
    budgets = NULL;
    prompted = NAN;
    record.score = 0.5f;
    record.standings[SHOAL_INTENT].level = SHOAL_WARM;
    record.standings[SHOAL_LIFECYCLE].level = SHOAL_ACTIVE;
}

static const struct shoal_reason *reason(size_t i, enum shoal_condition condition)
{
    for (size_t j = 0; j < decisions[i].reasons_count; j++) {
        if (decisions[i].reasons[j].condition == condition)
            return &decisions[i].reasons[j];
    }
    return NULL;
}

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

/* ---- triggers ------------------------------------------------------------------------------ */

static size_t timer(int64_t time_ms, uint32_t timers, enum shoal_dimension dimension, uint8_t to)
{
    struct shoal_event event = {.user = "u1", .user_size = 2, .timer = true};
    struct shoal_change change = {.dimension = dimension, .to = to};
    event.touch.time_ms = time_ms;
    struct shoal_occasion occasion = {.event = &event,
                                      .timer = true,
                                      .timers = timers,
                                      .changes = &change,
                                      .changes_count = dimension != SHOAL_DIMENSION_COUNT,
                                      .prompted = prompted,
                                      .partitions = 1};
    shoal_policy_settle(&policy);
    return shoal_decide(&policy, &occasion, &record, budgets, decisions);
}

Test(decide, a_timer_asks_and_is_named)
{
    add("a")->timers = 1u << SHOAL_TIMER_CART;
    cr_assert_eq(event(HOUR, SHOAL_PV), 0);
    cr_assert_eq(event(HOUR, SHOAL_CART), 0, "the behaviour is no trigger");
    cr_assert_eq(timer(2 * HOUR, 0, SHOAL_DIMENSION_COUNT, 0), 0);
    cr_assert_eq(timer(2 * HOUR, 1u << SHOAL_TIMER_CART, SHOAL_DIMENSION_COUNT, 0), 1);
    cr_assert(decisions[0].eligible);
    cr_assert_str_eq(decisions[0].trigger, "cart_idle");
    cr_assert_eq(decisions[0].expires_ms, 3 * HOUR, "from when it fell due, not from the last event");
}

Test(decide, a_timer_is_no_page_view)
{
    add("a")->triggers = 1u << SHOAL_PV; /* the behaviour that is 0 */
    cr_assert_eq(timer(HOUR, 1u << SHOAL_TIMER_CART, SHOAL_DIMENSION_COUNT, 0), 0);
}

Test(decide, entering_a_level_asks_and_leaving_a_trait_is_entering_no)
{
    shoal_levels_add(&add("a")->enters[SHOAL_LIFECYCLE], SHOAL_LAPSING);
    shoal_levels_add(&add("b")->enters[SHOAL_NIGHT_ACTIVE], 0);
    cr_assert_eq(timer(HOUR, 0, SHOAL_LIFECYCLE, SHOAL_ACTIVE), 0);
    cr_assert_eq(timer(HOUR, 0, SHOAL_LIFECYCLE, SHOAL_LAPSING), 1);
    cr_assert_str_eq(decisions[0].promotion->id, "a");
    cr_assert_str_eq(decisions[0].trigger, "enters.lifecycle");
    cr_assert_eq(timer(HOUR, 0, SHOAL_NIGHT_ACTIVE, SHOAL_YES), 0);
    cr_assert_eq(timer(HOUR, 0, SHOAL_NIGHT_ACTIVE, 0), 1);
    cr_assert_str_eq(decisions[0].trigger, "enters.night_active");
}

/* ---- conditions ---------------------------------------------------------------------------- */

Test(decide, who_is_not_in_a_trait_is_in_no)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_PV;
    shoal_levels_add(&p->levels[SHOAL_NIGHT_ACTIVE], 0);
    event(HOUR, SHOAL_PV);
    cr_assert(decisions[0].eligible);
    record.standings[SHOAL_NIGHT_ACTIVE].level = SHOAL_YES;
    event(DAY, SHOAL_PV);
    cr_assert_not(decisions[0].eligible);
}

Test(decide, a_probability_of_being_prompted_is_needed_and_unknown_is_not_enough)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_PV;
    p->min_prompted = 0.3f;
    event(HOUR, SHOAL_PV);
    cr_assert_not(decisions[0].eligible);
    cr_assert(isnan(reason(0, SHOAL_CONDITION_PROMPTED)->value));
    prompted = 0.29f;
    event(HOUR, SHOAL_PV);
    cr_assert_not(decisions[0].eligible);
    prompted = 0.3f;
    event(HOUR, SHOAL_PV);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(decisions[0].prompted, 0.3f);
}

Test(decide, what_the_model_cannot_say_withdraws_nothing_and_offers_nothing_anew)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->min_prompted = 0.3f;
    prompted = 0.5f;
    event(HOUR, SHOAL_CART);
    prompted = NAN;
    cr_assert_eq(event(HOUR + MIN, SHOAL_PV), 0);
    cr_assert_eq(event(HOUR + MIN, SHOAL_CART), 1);
    cr_assert(reason(0, SHOAL_CONDITION_OFFER), "the standing answer, no new offer");
    cr_assert_eq(record.grants[0].count, 1);
    prompted = 0.2f;
    cr_assert_eq(event(HOUR + 2 * MIN, SHOAL_PV), 1);
    cr_assert_not(decisions[0].eligible, "what it says does");
}

Test(decide, consent_must_be_given_and_its_withdrawal_withdraws)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->consents = SHOAL_CONSENT_MARKETING;
    event(HOUR, SHOAL_CART);
    cr_assert_not(decisions[0].eligible);
    cr_assert(isnan(reason(0, SHOAL_CONDITION_CONSENT)->value), "never said");
    struct shoal_event said = {.consent_given = SHOAL_CONSENT_MARKETING};
    shoal_consent_apply(&record, &said);
    event(HOUR, SHOAL_CART);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_CONSENT)->consent, SHOAL_CONSENT_MARKETING);
    said = (struct shoal_event){.consent_withdrawn = SHOAL_CONSENT_MARKETING};
    shoal_consent_apply(&record, &said);
    cr_assert_eq(event(HOUR + MIN, SHOAL_PV), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_CONSENT)->value, 0);
}

Test(decide, quiet_hours_are_local_and_take_nothing_back)
{
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->offer_ms = DAY;
    p->quiet = (struct shoal_hours){22 * 60, 8 * 60};
    policy.utc_offset_ms = 8 * HOUR;
    event(DAY + 13 * HOUR + 59 * MIN, SHOAL_CART); /* 21:59 */
    cr_assert(decisions[0].eligible);
    cr_assert_eq(event(DAY + 14 * HOUR, SHOAL_PV), 0, "it stands");
    cr_assert_eq(event(DAY + 14 * HOUR, SHOAL_CART), 1);
    cr_assert(reason(0, SHOAL_CONDITION_OFFER), "it is told again");
    record.grants_count = 0;
    event(DAY + 14 * HOUR, SHOAL_CART);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_QUIET)->value, 22 * 60);
    event(DAY + 24 * HOUR - 1, SHOAL_CART); /* 07:59:59.999 */
    cr_assert_not(decisions[0].eligible);
    event(DAY + 24 * HOUR, SHOAL_CART);
    cr_assert(decisions[0].eligible, "08:00 is over");
}

Test(decide, active_hours_are_those_of_recent_events_across_midnight)
{
    struct shoal_promotion *p = add("a");
    p->timers = 1u << SHOAL_TIMER_CART;
    p->active_hours = true;
    uint32_t cart = 1u << SHOAL_TIMER_CART;
    for (int i = 0; i < 3; i++)
        record.ring[record.ring_count++].time_ms = i * DAY + 23 * HOUR + 30 * MIN;
    timer(10 * DAY + 12 * HOUR, cart, SHOAL_DIMENSION_COUNT, 0);
    cr_assert(decisions[0].eligible, "three events say too little");
    cr_assert_eq(decisions[0].reasons_count, 0);
    record.ring[record.ring_count++].time_ms = 5 * DAY + 23 * HOUR + 30 * MIN;
    record.grants_count = 0;
    timer(10 * DAY + 12 * HOUR, cart, SHOAL_DIMENSION_COUNT, 0);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_ACTIVE_HOURS)->value, (double)(11 * HOUR + 30 * MIN));
    timer(10 * DAY + 30 * MIN, cart, SHOAL_DIMENSION_COUNT, 0);
    cr_assert(decisions[0].eligible, "00:30 is an hour from 23:30");
    record.grants_count = 0;
    timer(10 * DAY + 31 * MIN, cart, SHOAL_DIMENSION_COUNT, 0);
    cr_assert_not(decisions[0].eligible);
}

Test(decide, hours_for_users_that_are_not_known_yet)
{
    struct shoal_promotion *p = add("a");
    p->timers = 1u << SHOAL_TIMER_CART;
    p->active_hours = true;
    p->usual = (struct shoal_hours){9 * 60, 21 * 60};
    timer(DAY + 8 * HOUR, 1, SHOAL_DIMENSION_COUNT, 0);
    cr_assert_not(decisions[0].eligible);
    timer(DAY + 9 * HOUR, 1, SHOAL_DIMENSION_COUNT, 0);
    cr_assert(decisions[0].eligible);
}

Test(decide, a_budget_ends_offers_and_the_control_group_uses_none_of_it)
{
    static struct shoal_budgets of_partition;
    struct shoal_promotion *p = add("a");
    p->triggers = 1u << SHOAL_CART;
    p->budget = 2;
    shoal_policy_settle(&policy);
    shoal_budgets_init(&of_partition);
    shoal_budgets_turn(&of_partition, &policy, DAY);
    budgets = &of_partition;
    bool control = shoal_in_control(p, "u1", 2);
    cr_assert_not(control);
    for (int i = 0; i < 2; i++) {
        record.grants_count = 0;
        event(DAY + HOUR, SHOAL_CART);
        cr_assert(decisions[0].eligible);
        cr_assert_eq(reason(0, SHOAL_CONDITION_BUDGET)->value, 1, "some is left: not how much");
        cr_assert_eq(reason(0, SHOAL_CONDITION_BUDGET)->limit, 2);
    }
    record.grants_count = 0;
    event(DAY + HOUR, SHOAL_CART);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_BUDGET)->value, 0);
    shoal_budgets_turn(&of_partition, &policy, 2 * DAY);
    p->control = 1; /* everybody */
    for (int i = 0; i < 5; i++) {
        record.grants_count = 0;
        event(2 * DAY + HOUR, SHOAL_CART);
        cr_assert(decisions[0].eligible && decisions[0].control);
        cr_assert_eq(shoal_budgets_left(&of_partition, p, 0, 1), 2);
    }
}

/* ---- groups -------------------------------------------------------------------------------- */

static struct shoal_promotion *member(const char *id, int32_t priority)
{
    struct shoal_promotion *p = add(id);
    p->triggers = 1u << SHOAL_CART;
    p->priority = priority;
    strcpy(p->group, "discounts");
    return p;
}

Test(decide, of_a_group_the_highest_priority_is_offered_and_the_others_name_it)
{
    member("a", 0);
    member("b", 5)->cooldown_ms = DAY;
    member("c", 5);
    add("d")->triggers = 1u << SHOAL_CART;
    cr_assert_eq(event(HOUR, SHOAL_CART), 4);
    cr_assert_str_eq(decisions[0].promotion->id, "b");
    cr_assert(decisions[0].eligible);
    cr_assert_str_eq(decisions[1].promotion->id, "c");
    cr_assert_not(decisions[1].eligible);
    cr_assert_eq(reason(1, SHOAL_CONDITION_PRIORITY)->other, &promotions[1]);
    cr_assert_str_eq(decisions[2].promotion->id, "a");
    cr_assert_not(decisions[2].eligible);
    cr_assert(decisions[3].eligible, "it is in no group");
    cr_assert_eq(event(HOUR + MIN, SHOAL_CART), 4);
    cr_assert_eq(reason(1, SHOAL_CONDITION_EXCLUSION)->other, &promotions[1]);
}

Test(decide, a_standing_offer_is_not_withdrawn_for_a_higher_one)
{
    member("low", 0);
    struct shoal_promotion *high = member("high", 1);
    high->min_score = 0.6f;
    event(HOUR, SHOAL_CART);
    cr_assert(decisions[1].eligible, "low");
    record.score = 0.9f;
    cr_assert_eq(event(HOUR + MIN, SHOAL_CART), 2);
    cr_assert_not(decisions[0].eligible, "high");
    cr_assert_eq(reason(0, SHOAL_CONDITION_EXCLUSION)->other, &promotions[0]);
    cr_assert(decisions[1].eligible, "low stands");
    event(2 * HOUR + MIN, SHOAL_CART);
    cr_assert(decisions[0].eligible, "low, offered anew meanwhile, has expired");
    cr_assert_str_eq(decisions[0].promotion->id, "high");
}

Test(decide, what_is_withdrawn_makes_room_on_the_same_occasion)
{
    member("low", 0)->max_score = 0.6f;
    member("high", 1)->min_score = 0.6f;
    event(HOUR, SHOAL_CART);
    record.score = 0.9f;
    cr_assert_eq(event(HOUR + MIN, SHOAL_CART), 2);
    cr_assert_str_eq(decisions[0].promotion->id, "low");
    cr_assert_not(decisions[0].eligible);
    cr_assert(decisions[1].eligible);
    cr_assert_null(reason(1, SHOAL_CONDITION_EXCLUSION)->other);
}

/* ---- bundles -------------------------------------------------------------------------------- */

static void touch(const char *item, enum shoal_behavior behavior)
{
    record.ring[record.ring_count++] =
        (struct shoal_touch){.item = shoal_item_hash(item, strlen(item)), .behavior = (uint8_t)behavior};
}

static struct shoal_promotion *add_bundle(void)
{
    struct shoal_promotion *p = add("a");
    static const char *const items[] = {"tent", "mat", "lamp"};
    for (int i = 0; i < 3; i++) {
        strcpy(p->bundle[i].id, items[i]);
        p->bundle[i].hash = shoal_item_hash(items[i], strlen(items[i]));
    }
    p->bundle_count = 3;
    return p;
}

Test(decide, a_bundle_is_for_who_turned_to_one_of_it_and_ends_when_all_is_bought)
{
    const struct shoal_promotion *p = add_bundle();
    touch("chair", SHOAL_PV);
    cr_assert_eq(event(MIN, SHOAL_PV), 0);
    touch("mat", SHOAL_PV);
    cr_assert_eq(event(2 * MIN, SHOAL_PV), 1);
    cr_assert(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_BUNDLE)->value, 0);
    cr_assert_eq(reason(0, SHOAL_CONDITION_BUNDLE)->limit, 3);
    cr_assert_eq(reason(0, SHOAL_CONDITION_BUNDLE_ITEM)->value, 1);
    cr_assert_eq(shoal_bundle_look(p, &record).carried, 1u << 0 | 1u << 2);
    touch("tent", SHOAL_BUY);
    touch("mat", SHOAL_BUY);
    cr_assert_eq(event(3 * MIN, SHOAL_BUY), 0);
    touch("lamp", SHOAL_BUY);
    cr_assert_eq(event(4 * MIN, SHOAL_BUY), 1);
    cr_assert_not(decisions[0].eligible);
    cr_assert_eq(reason(0, SHOAL_CONDITION_BUNDLE)->value, 3);
    cr_assert_eq(shoal_bundle_look(p, &record).carried, 0);
}

Test(decide, a_bundle_begins_with_what_was_bought_or_else_with_the_latest)
{
    const struct shoal_promotion *p = add_bundle();
    cr_assert_eq(shoal_bundle_look(p, &record).anchor, -1);
    touch("tent", SHOAL_PV);
    touch("lamp", SHOAL_CART);
    cr_assert_eq(shoal_bundle_look(p, &record).anchor, 2);
    cr_assert_eq(shoal_bundle_look(p, &record).carried, 1u << 0 | 1u << 1);
    touch("tent", SHOAL_BUY);
    touch("mat", SHOAL_PV);
    cr_assert_eq(shoal_bundle_look(p, &record).anchor, 0);
    cr_assert_eq(shoal_bundle_look(p, &record).carried, 1u << 1 | 1u << 2);
    touch("mat", SHOAL_BUY);
    cr_assert_eq(shoal_bundle_look(p, &record).anchor, 1);
    cr_assert_eq(shoal_bundle_look(p, &record).carried, 1u << 2);
}

Test(decide, an_offered_bundle_stands_when_its_item_has_left_the_recent_events)
{
    add_bundle();
    touch("mat", SHOAL_PV);
    cr_assert_eq(event(MIN, SHOAL_PV), 1);
    record.ring_count = 0;
    touch("chair", SHOAL_PV);
    cr_assert_eq(event(2 * MIN, SHOAL_PV), 0);
    cr_assert(record.grants[0].eligible);
    cr_assert_eq(event(HOUR + 2 * MIN, SHOAL_PV), 0, "and is not made again");
    cr_assert_not(record.grants[0].eligible);
}
