/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions: what asks for one, the conditions beyond score, segment and limit, groups, and bundles. */
#include "tests/stream/decide_fixture.h"

TestSuite(decide_conditions, .init = setup);

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

Test(decide_conditions, a_timer_asks_and_is_named)
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

Test(decide_conditions, a_timer_is_no_page_view)
{
    add("a")->triggers = 1u << SHOAL_PV; /* the behaviour that is 0 */
    cr_assert_eq(timer(HOUR, 1u << SHOAL_TIMER_CART, SHOAL_DIMENSION_COUNT, 0), 0);
}

Test(decide_conditions, entering_a_level_asks_and_leaving_a_trait_is_entering_no)
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

Test(decide_conditions, who_is_not_in_a_trait_is_in_no)
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

Test(decide_conditions, a_probability_of_being_prompted_is_needed_and_unknown_is_not_enough)
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

Test(decide_conditions, what_the_model_cannot_say_withdraws_nothing_and_offers_nothing_anew)
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

Test(decide_conditions, consent_must_be_given_and_its_withdrawal_withdraws)
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

Test(decide_conditions, quiet_hours_are_local_and_take_nothing_back)
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

Test(decide_conditions, active_hours_are_those_of_recent_events_across_midnight)
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

Test(decide_conditions, hours_for_users_that_are_not_known_yet)
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

Test(decide_conditions, a_budget_ends_offers_and_the_control_group_uses_none_of_it)
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

Test(decide_conditions, of_a_group_the_highest_priority_is_offered_and_the_others_name_it)
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

Test(decide_conditions, a_standing_offer_is_not_withdrawn_for_a_higher_one)
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

Test(decide_conditions, what_is_withdrawn_makes_room_on_the_same_occasion)
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

Test(decide_conditions, a_bundle_is_for_who_turned_to_one_of_it_and_ends_when_all_is_bought)
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

Test(decide_conditions, a_bundle_begins_with_what_was_bought_or_else_with_the_latest)
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

Test(decide_conditions, an_offered_bundle_stands_when_its_item_has_left_the_recent_events)
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
