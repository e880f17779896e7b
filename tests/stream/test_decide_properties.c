/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for decisions whatever the events: random policies, random users, 300 events each. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stream/decide.h"

enum { USERS = 400, EVENTS = 300, PROMOTIONS = 6 };
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

static size_t decide(struct shoal_policy *policy, const struct shoal_event *event,
                     struct shoal_record *record, struct shoal_decision *decisions)
{
    struct shoal_occasion occasion = {.event = event, .prompted = NAN, .partitions = 1};
    shoal_policy_settle(policy);
    return shoal_decide(policy, &occasion, record, NULL, decisions);
}

static void make_policy(struct random *r, struct shoal_promotion *promotions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct shoal_promotion *p = &promotions[i];
        *p = (struct shoal_promotion){.max_score = 1,
                                      .valid_from_ms = INT64_MIN,
                                      .valid_until_ms = INT64_MAX,
                                      .offer_ms = (int64_t)below(r, 120) * MIN + 1000,
                                      .control = 0.1f};
        snprintf(p->id, sizeof p->id, "promotion-%zu-%llu", i,
                 (unsigned long long)below(r, 1000000));
        p->hash = shoal_promotion_hash(p->id, strlen(p->id));
        p->triggers = (uint32_t)below(r, 16);
        if (below(r, 2))
            p->levels[SHOAL_INTENT].bits[0] = below(r, 8) << 1;
        if (below(r, 2))
            p->min_score = (float)below(r, 100) / 200;
        if (below(r, 3) == 0)
            p->max_score = 0.5f + (float)below(r, 100) / 200;
        if (below(r, 3))
            p->cooldown_ms = (int64_t)below(r, 600) * MIN;
        if (below(r, 2))
            p->limit = (uint16_t)(1 + below(r, 10));
        if (below(r, 3) == 0) {
            p->valid_from_ms = DAY + (int64_t)below(r, 100) * HOUR;
            p->valid_until_ms = p->valid_from_ms + 1 + (int64_t)below(r, 100) * HOUR;
        }
    }
}

/* An event of a user's life, with the record as it is after applying. No contacts: those count
 * without being offers. */
static void next_event(struct random *r, struct shoal_event *event, struct shoal_record *record)
{
    static const int64_t gaps[] = {1000, 60000, 600000, 7200000};
    int64_t time_ms = record->last_ms + (int64_t)below(r, (uint64_t)gaps[below(r, 4)]);
    if (below(r, 20) == 0)
        time_ms -= HOUR;
    event->touch.time_ms = time_ms;
    event->touch.behavior = (uint8_t)below(r, SHOAL_BEHAVIOR_COUNT);
    if (time_ms > record->last_ms)
        record->last_ms = time_ms;
    record->score = (float)below(r, 1000) / 1000;
    record->standings[SHOAL_INTENT].level = (uint8_t)(1 + below(r, 3));
    record->standings[SHOAL_LIFECYCLE].level = (uint8_t)(1 + below(r, 3));
}

struct history {
    int64_t offered_ms, expires_ms; /* of the last offer */
    unsigned offers;
    bool standing;
};

static void check(const struct shoal_decision *d, const struct shoal_event *event,
                  const struct shoal_record *record, struct history *h)
{
    const struct shoal_promotion *p = d->promotion;
    int64_t now = record->last_ms;
    bool triggered = p->triggers >> event->touch.behavior & 1;
    bool all_met = true, repeated = false;
    for (size_t i = 0; i < d->reasons_count; i++) {
        all_met = all_met && d->reasons[i].met;
        repeated = repeated || d->reasons[i].condition == SHOAL_CONDITION_OFFER;
    }
    cr_assert_eq(d->eligible, all_met, "eligible means that all conditions are met");
    cr_assert_eq(d->expires_ms != 0, d->eligible);
    cr_assert_leq(d->reasons_count, SHOAL_REASONS_MAX);
    if (d->eligible) {
        cr_assert(record->score >= p->min_score && record->score <= p->max_score);
        cr_assert(now >= p->valid_from_ms && now < p->valid_until_ms);
    }
    bool standing = h->standing && now < h->expires_ms;
    if (d->eligible && !repeated) {
        cr_assert_eq(d->expires_ms, now + p->offer_ms);
        if (h->offers > 0)
            cr_assert_geq(now - h->offered_ms, p->cooldown_ms, "two offers within the cool-down");
        *h = (struct history){now, d->expires_ms, h->offers + 1, true};
        cr_assert(p->limit == 0 || h->offers <= p->limit);
    } else if (d->eligible) {
        cr_assert(standing && triggered, "a repetition needs a standing offer and a trigger");
        cr_assert_eq(d->expires_ms, h->expires_ms);
    } else {
        cr_assert(triggered || standing, "a withdrawal needs a standing offer");
        if (standing)
            h->standing = false;
    }
}

Test(decide_properties, cooldown_limit_and_withdrawals_hold_for_random_lives)
{
    struct random r = {1};
    static struct shoal_promotion promotions[PROMOTIONS];
    static struct shoal_record record;
    size_t written = 0;
    for (int user = 0; user < USERS; user++) {
        make_policy(&r, promotions, PROMOTIONS);
        struct shoal_policy policy = {.promotions = promotions, .count = PROMOTIONS};
        memset(&record, 0, sizeof record);
        record.last_ms = DAY;
        struct history histories[PROMOTIONS] = {{0}};
        for (int e = 0; e < EVENTS; e++) {
            struct shoal_event event = {.user = "u", .user_size = 1};
            next_event(&r, &event, &record);
            struct shoal_decision decisions[PROMOTIONS];
            size_t count = decide(&policy, &event, &record, decisions);
            for (size_t i = 0; i < count; i++)
                check(&decisions[i], &event, &record,
                      &histories[decisions[i].promotion - promotions]);
            bool answered[PROMOTIONS] = {false};
            for (size_t i = 0; i < count; i++)
                answered[decisions[i].promotion - promotions] = true;
            for (size_t i = 0; i < PROMOTIONS; i++)
                cr_assert(answered[i] || !(promotions[i].triggers >> event.touch.behavior & 1),
                          "every trigger is answered");
            written += count;
        }
        for (size_t i = 0; i < PROMOTIONS; i++) {
            const struct shoal_grant *grant =
                shoal_record_grant(&record, promotions[i].hash, false);
            cr_assert_eq(grant ? grant->count : 0, histories[i].offers);
        }
    }
    cr_assert_gt(written, USERS * EVENTS / 10);
}

/* The decisions about one promotion are the same alone, among others, and in any order. */
Test(decide_properties, promotions_do_not_influence_each_other)
{
    struct random r = {2};
    static struct shoal_promotion promotions[PROMOTIONS], reversed[PROMOTIONS];
    static struct shoal_record together, backwards, alone;
    for (int user = 0; user < USERS / 4; user++) {
        make_policy(&r, promotions, PROMOTIONS);
        for (size_t i = 0; i < PROMOTIONS; i++)
            reversed[i] = promotions[PROMOTIONS - 1 - i];
        size_t chosen = (size_t)below(&r, PROMOTIONS);
        struct shoal_policy all = {.promotions = promotions, .count = PROMOTIONS};
        struct shoal_policy back = {.promotions = reversed, .count = PROMOTIONS};
        struct shoal_policy one = {.promotions = &promotions[chosen], .count = 1};
        memset(&together, 0, sizeof together);
        together.last_ms = DAY;
        backwards = alone = together;
        for (int e = 0; e < EVENTS; e++) {
            struct shoal_event event = {.user = "u", .user_size = 1};
            struct random before = r;
            next_event(&r, &event, &together);
            struct random same = before;
            next_event(&same, &event, &backwards);
            same = before;
            next_event(&same, &event, &alone);
            struct shoal_decision a[PROMOTIONS], b[PROMOTIONS], c[1];
            size_t a_count = decide(&all, &event, &together, a);
            size_t b_count = decide(&back, &event, &backwards, b);
            size_t c_count = decide(&one, &event, &alone, c);
            cr_assert_eq(a_count, b_count);
            for (size_t i = 0; i < a_count; i++) {
                const struct shoal_decision *other = b;
                while (other < b + b_count && other->promotion->hash != a[i].promotion->hash)
                    other++;
                cr_assert(other < b + b_count);
                cr_assert_eq(a[i].promotion->hash, other->promotion->hash);
                cr_assert_eq(a[i].eligible, other->eligible);
                cr_assert_eq(a[i].expires_ms, other->expires_ms);
                if (a[i].promotion == &promotions[chosen]) {
                    cr_assert_eq(c_count, 1);
                    cr_assert_eq(a[i].eligible, c[0].eligible);
                    cr_assert_eq(a[i].expires_ms, c[0].expires_ms);
                    c_count = 0;
                }
            }
            cr_assert_eq(c_count, 0, "alone it says something that it did not say among others");
        }
    }
}

Test(decide_properties, the_control_share_is_kept_and_stable)
{
    const double shares[] = {0, 0.01, 0.1, 0.25, 0.5};
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        struct shoal_promotion promotion = {.id = "checkout-reminder", .control = (float)shares[s]};
        enum { MANY = 100000 };
        unsigned inside = 0;
        for (unsigned i = 0; i < MANY; i++) {
            char user[16];
            int size = snprintf(user, sizeof user, "u%06u", i);
            bool control = shoal_in_control(&promotion, user, (size_t)size);
            cr_assert_eq(control, shoal_in_control(&promotion, user, (size_t)size));
            inside += control;
        }
        double sigma = sqrt(shares[s] * (1 - shares[s]) / MANY);
        cr_assert_float_eq((double)inside / MANY, shares[s], 4 * sigma + 1e-9, "share %g: %u",
                           shares[s], inside);
    }
}

Test(decide_properties, control_groups_nest_with_the_share_and_differ_between_promotions)
{
    struct shoal_promotion small = {.id = "a", .control = 0.1f},
                           large = {.id = "a", .control = 0.5f};
    struct shoal_promotion other = {.id = "b", .control = 0.5f};
    unsigned both = 0;
    for (unsigned i = 0; i < 100000; i++) {
        char user[16];
        int size = snprintf(user, sizeof user, "%u", i);
        if (shoal_in_control(&small, user, (size_t)size))
            cr_assert(shoal_in_control(&large, user, (size_t)size),
                      "raising the share must not move users out of the group");
        both += shoal_in_control(&large, user, (size_t)size) &&
                shoal_in_control(&other, user, (size_t)size);
    }
    cr_assert_float_eq(both / 1e5, 0.25, 0.006, "the groups of two promotions are independent");
}

/* Fixed for ever: another answer would move users between the groups of running campaigns. */
Test(decide_properties, the_control_group_never_changes)
{
    struct shoal_promotion promotion = {.id = "checkout-reminder", .control = 0.5f};
    char bits[65] = "";
    for (unsigned i = 0; i < 64; i++) {
        char user[16];
        int size = snprintf(user, sizeof user, "user-%u", i);
        bits[i] = shoal_in_control(&promotion, user, (size_t)size) ? '1' : '0';
    }
    cr_assert_str_eq(bits, "0111111100001110110001100000111000101010010010010110111100111010");
}
