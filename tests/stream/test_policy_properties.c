/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for whole campaigns: random policies with every condition, many users in several partitions,
 * events, timers and entries over some days. The checks keep their own account of what was decided. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/consent.h"
#include "stream/decide.h"

enum { CAMPAIGNS = 60, USERS = 24, PARTITIONS = 3, OCCASIONS = 4000, PROMOTIONS = 8, DAYS = 8 };
static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;

struct random {
    uint64_t state;
};

static uint64_t below(struct random *r, uint64_t bound)
{
    r->state += 0x9e3779b97f4a7c15u;
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
}

struct history {
    int64_t offered_ms, expires_ms;
    unsigned offers;
};

struct campaign {
    struct random r;
    struct shoal_policy policy;
    struct shoal_promotion promotions[PROMOTIONS];
    struct shoal_budgets budgets[PARTITIONS];
    struct shoal_record records[USERS];
    struct history histories[USERS][PROMOTIONS];
    unsigned spent[PROMOTIONS][DAYS + 2];
    int64_t now_ms;
    unsigned offers, withheld[SHOAL_CONDITION_COUNT];
};

static void make_promotion(struct random *r, struct shoal_promotion *p, unsigned i)
{
    *p = (struct shoal_promotion){.max_score = 1,
                                  .valid_from_ms = INT64_MIN,
                                  .valid_until_ms = INT64_MAX,
                                  .offer_ms = (int64_t)below(r, 600) * MIN + 1000,
                                  .control = 0.3f,
                                  .priority = (int32_t)below(r, 3)};
    int size = snprintf(p->id, sizeof p->id, "p%u-%u", i, (unsigned)below(r, 1000000));
    p->hash = shoal_promotion_hash(p->id, (size_t)size);
    p->triggers = (uint32_t)below(r, 16);
    p->timers = (uint32_t)below(r, 2);
    if (below(r, 3) == 0)
        shoal_levels_add(&p->enters[SHOAL_LIFECYCLE], SHOAL_LAPSING);
    if (below(r, 3) == 0)
        p->levels[SHOAL_PRICE_SENSITIVE].bits[0] = 1 + below(r, 2);
    if (below(r, 3) == 0)
        p->min_prompted = 0.3f;
    p->consents = (uint8_t)(below(r, 2) ? 0 : below(r, 4));
    p->cooldown_ms = (int64_t)below(r, 3) * 90 * MIN;
    p->limit = (uint16_t)below(r, 5);
    p->budget = (uint32_t)below(r, 3) * (uint32_t)below(r, 9);
    if (below(r, 3))
        strcpy(p->group, below(r, 2) ? "x" : "y");
    if (below(r, 2))
        p->quiet = (struct shoal_hours){(int16_t)below(r, 1441), (int16_t)below(r, 1441)};
    p->active_hours = below(r, 2);
}

static void init(struct campaign *c, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    c->r.state = seed;
    c->policy = (struct shoal_policy){.promotions = c->promotions, .count = PROMOTIONS};
    c->policy.utc_offset_ms = ((int64_t)below(&c->r, 25) - 12) * HOUR;
    for (unsigned i = 0; i < PROMOTIONS; i++)
        make_promotion(&c->r, &c->promotions[i], i);
    shoal_policy_settle(&c->policy);
    for (unsigned i = 0; i < PARTITIONS; i++)
        shoal_budgets_init(&c->budgets[i]);
    c->now_ms = 2 * DAY;
    for (unsigned i = 0; i < USERS; i++)
        c->records[i].last_ms = c->now_ms;
}

/* Local day from the campaign's first; local minute of the day. */
static unsigned day_of(const struct campaign *c)
{
    return (unsigned)((c->now_ms + c->policy.utc_offset_ms) / DAY) - 1;
}

static int minute_of(const struct campaign *c, int64_t time_ms)
{
    return (int)((time_ms + c->policy.utc_offset_ms) / MIN % 1440);
}

/* The conditions of an offer, once more and in another way than the code under test. */
static void check_offer(struct campaign *c, const struct shoal_decision *d, unsigned user)
{
    const struct shoal_promotion *p = d->promotion;
    const struct shoal_record *record = &c->records[user];
    size_t number = (size_t)(p - c->promotions);
    struct history *h = &c->histories[user][number];
    cr_assert(h->offers == 0 || c->now_ms - h->offered_ms >= p->cooldown_ms);
    cr_assert(p->limit == 0 || h->offers < p->limit);
    cr_assert_eq(p->consents & record->consent, p->consents);
    cr_assert(!(p->min_prompted > 0) || d->prompted >= p->min_prompted);
    for (size_t i = 0; i < PROMOTIONS; i++)
        cr_assert(i == number || !p->group[0] || strcmp(p->group, c->promotions[i].group) != 0 ||
                      c->histories[user][i].expires_ms <= c->now_ms,
                  "two offers of one group stand");
    int minute = minute_of(c, c->now_ms);
    for (int at = p->quiet.from_min; at != p->quiet.until_min; at = at >= 1439 ? 0 : at + 1) {
        cr_assert_neq(at, minute, "offered at a quiet time");
        if (p->quiet.until_min == 1440 && at == 1439)
            break;
    }
    bool near = record->ring_count < 4 || !p->active_hours;
    for (size_t i = 0; i < record->ring_count; i++) {
        int apart = abs(minute - minute_of(c, record->ring[i].time_ms));
        near = near || apart <= 60 || apart >= 1440 - 60;
    }
    cr_assert(near, "offered outside the user's hours");
    if (!d->control)
        c->spent[number][day_of(c)]++;
    cr_assert(p->budget == 0 || c->spent[number][day_of(c)] <= p->budget, "budget overrun");
    *h = (struct history){c->now_ms, d->expires_ms, h->offers + 1};
    c->offers++;
}

static void check(struct campaign *c, const struct shoal_decision *d, unsigned user)
{
    struct history *h = &c->histories[user][d->promotion - c->promotions];
    bool all_met = true, repeated = false;
    cr_assert_leq(d->reasons_count, SHOAL_REASONS_MAX);
    for (size_t i = 0; i < d->reasons_count; i++) {
        const struct shoal_reason *reason = &d->reasons[i];
        all_met = all_met && reason->met;
        repeated = repeated || reason->condition == SHOAL_CONDITION_OFFER;
        c->withheld[reason->condition] += !reason->met;
        if (reason->condition == SHOAL_CONDITION_EXCLUSION ||
            reason->condition == SHOAL_CONDITION_PRIORITY)
            cr_assert_eq(reason->met, reason->other == NULL, "who excludes is named");
    }
    cr_assert_eq(d->eligible, all_met);
    if (d->eligible && !repeated)
        check_offer(c, d, user);
    else if (d->eligible)
        cr_assert_eq(d->expires_ms, h->expires_ms);
    else if (h->expires_ms > c->now_ms)
        h->expires_ms = c->now_ms; /* withdrawn */
    else
        cr_assert_not_null(d->trigger, "an answer of no that nobody asked for");
}

static void occasion(struct campaign *c)
{
    struct random *r = &c->r;
    unsigned user = (unsigned)below(r, USERS);
    struct shoal_record *record = &c->records[user];
    char name[8];
    int size = snprintf(name, sizeof name, "u%u", user);
    struct shoal_event event = {
        .partition = (int32_t)(user % PARTITIONS), .user = name, .user_size = (uint8_t)size};
    c->now_ms += (int64_t)below(r, (uint64_t)(2 * DAYS * DAY / OCCASIONS));
    event.touch.time_ms = c->now_ms;
    event.touch.behavior = (uint8_t)below(r, SHOAL_BEHAVIOR_COUNT);
    event.timer = below(r, 4) == 0;
    if (!event.timer) {
        record->last_ms = c->now_ms;
        if (below(r, 3) == 0)
            shoal_record_remember(record, &event.touch, SHOAL_RING_MAX);
        if (below(r, 10) == 0)
            event.consent_given = (uint8_t)below(r, 4);
        else if (below(r, 20) == 0)
            event.consent_withdrawn = (uint8_t)below(r, 4);
        shoal_consent_apply(record, &event);
    }
    record->standings[SHOAL_PRICE_SENSITIVE].level = (uint8_t)below(r, 2);
    struct shoal_change change = {.dimension = SHOAL_LIFECYCLE, .to = (uint8_t)(1 + below(r, 5))};
    struct shoal_occasion occasion = {.event = &event,
                                      .timer = event.timer,
                                      .timers = event.timer ? (uint32_t)below(r, 2) : 0,
                                      .changes = &change,
                                      .changes_count = below(r, 2),
                                      .prompted = below(r, 8) ? (float)below(r, 100) / 100 : NAN,
                                      .partitions = PARTITIONS};
    struct shoal_budgets *budgets = &c->budgets[event.partition];
    if (shoal_budgets_due(budgets, &c->policy, c->now_ms))
        shoal_budgets_turn(budgets, &c->policy, c->now_ms);
    struct shoal_decision decisions[PROMOTIONS];
    size_t count = shoal_decide(&c->policy, &occasion, record, budgets, decisions);
    cr_assert_leq(count, PROMOTIONS);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(decisions[i].control,
                     shoal_in_control(decisions[i].promotion, name, (size_t)size));
        check(c, &decisions[i], user);
    }
}

Test(policy_properties, limits_cooldowns_budgets_groups_hours_and_consent_are_never_violated)
{
    static struct campaign c;
    unsigned offers = 0, withheld[SHOAL_CONDITION_COUNT] = {0};
    for (uint64_t seed = 0; seed < CAMPAIGNS; seed++) {
        init(&c, seed);
        while (day_of(&c) < DAYS)
            occasion(&c);
        offers += c.offers;
        for (unsigned i = 0; i < SHOAL_CONDITION_COUNT; i++)
            withheld[i] += c.withheld[i];
    }
    cr_assert_gt(offers, CAMPAIGNS * 50, "%u offers are too few to say anything", offers);
    const enum shoal_condition seen[] = {
        SHOAL_CONDITION_SEGMENT, SHOAL_CONDITION_PROMPTED,     SHOAL_CONDITION_CONSENT,
        SHOAL_CONDITION_COOLDOWN, SHOAL_CONDITION_LIMIT,       SHOAL_CONDITION_QUIET,
        SHOAL_CONDITION_BUDGET,  SHOAL_CONDITION_ACTIVE_HOURS, SHOAL_CONDITION_EXCLUSION,
        SHOAL_CONDITION_PRIORITY};
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        cr_assert_gt(withheld[seen[i]], 20, "%s was hardly ever the reason: %u",
                     shoal_condition_name(seen[i]), withheld[seen[i]]);
}
