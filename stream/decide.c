/* SPDX-License-Identifier: Apache-2.0 */
/* Promotion decisions; see decide.h.
 *
 * A user's part in a promotion is its grant in the record; there is none before the first offer.
 *
 *                    all conditions hold
 *     no offer ───────────────────────────────► standing (until expires_ms)
 *        ▲                                         │
 *        ├──── expired: no message ────────────────┤
 *        └──── conditions fail: withdrawal ────────┘
 *
 * Most events ask for nothing and meet a user without offers: then a look at two sets of bits is all. */
#include "stream/decide.h"

#include <math.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/conditions.h"

/* One occasion. Sets of promotions have bit i for policy->promotions[i]. */
struct deciding {
    const struct shoal_policy *policy;
    const struct shoal_occasion *occasion;
    struct shoal_record *record;
    struct shoal_budgets *budgets;
    int64_t now_ms;
    uint32_t asked;    /* by a trigger */
    uint32_t standing; /* offers that stand now */
    uint32_t made;     /* … since this occasion */
    uint32_t answered; /* withdrawn on this occasion: that is its answer */
    struct shoal_decision *decisions;
    size_t count;
};

const char *shoal_condition_name(enum shoal_condition condition)
{
    static const char *const names[] = {
#define X(NAME, name) name,
        SHOAL_CONDITION_LIST(X)
#undef X
    };
    return names[condition];
}

bool shoal_in_control(const struct shoal_promotion *promotion, const char *user, size_t user_size)
{
    uint64_t seed = shoal_hash(promotion->id, strlen(promotion->id));
    uint64_t hash = shoal_hash_seeded(user, user_size, seed);
    /* 53 bits, the most a double holds: uniform in [0, 1) */
    return (double)(hash >> 11) * 0x1p-53 < (double)promotion->control;
}

/* ---- triggers ------------------------------------------------------------------------------ */

static bool is_entered(const struct shoal_promotion *promotion, const struct shoal_change *change)
{
    return shoal_levels_has(&promotion->enters[change->dimension], change->to);
}

/* The promotions that the occasion has a trigger of. */
static uint32_t asked_by(const struct shoal_policy *policy, const struct shoal_occasion *occasion)
{
    uint32_t asked =
        occasion->timer ? 0 : policy->by_behavior[occasion->event->touch.behavior];
    for (unsigned t = 0; occasion->timers && t < SHOAL_TIMER_COUNT; t++)
        asked |= occasion->timers >> t & 1 ? policy->by_timer[t] : 0;
    for (size_t i = 0; i < occasion->changes_count; i++) {
        const struct shoal_change *change = &occasion->changes[i];
        for (uint32_t left = policy->by_entry[change->dimension] & ~asked; left; left &= left - 1) {
            if (is_entered(&policy->promotions[__builtin_ctz(left)], change))
                asked |= left & -left;
        }
    }
    return asked;
}

/* What asked for the promotion, in words: the behaviour before a timer before an entry. */
static const char *trigger_of(const struct shoal_promotion *promotion,
                              const struct shoal_occasion *occasion)
{
    static const char *const entries[] = {
#define X(NAME, name, levels, unit, definition, options) "enters." name,
        SHOAL_DIMENSION_LIST(X)
#undef X
    };
    unsigned behavior = occasion->event->touch.behavior;
    if (!occasion->timer && promotion->triggers >> behavior & 1)
        return shoal_behavior_name((enum shoal_behavior)behavior);
    uint32_t timers = promotion->timers & occasion->timers;
    if (timers)
        return shoal_timer_name((enum shoal_timer)__builtin_ctz(timers));
    for (size_t i = 0; i < occasion->changes_count; i++) {
        if (is_entered(promotion, &occasion->changes[i]))
            return entries[occasion->changes[i].dimension];
    }
    return NULL;
}

/* ---- grants -------------------------------------------------------------------------------- */

static bool is_standing(const struct shoal_grant *grant, int64_t now_ms)
{
    return grant && grant->eligible && now_ms < grant->expires_ms;
}

static void end_offer(struct shoal_grant *grant)
{
    grant->eligible = false;
    grant->expires_ms = 0;
}

/* Room for one more grant: those of promotions that are no longer in the policy go first, or else a
 * forgotten promotion could push out the history of a current one. */
static void drop_foreign_grants(const struct shoal_policy *policy, struct shoal_record *record)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->grants_count; i++) {
        bool ours = false;
        for (size_t j = 0; j < policy->count && !ours; j++)
            ours = policy->promotions[j].hash == record->grants[i].promotion;
        if (ours)
            record->grants[kept++] = record->grants[i];
    }
    record->grants_count = (uint8_t)kept;
}

static void count_offer(const struct shoal_policy *policy, struct shoal_record *record,
                        uint32_t promotion, int64_t now_ms, int64_t expires_ms)
{
    if (record->grants_count >= SHOAL_GRANTS_MAX && !shoal_record_grant(record, promotion, false))
        drop_foreign_grants(policy, record);
    struct shoal_grant *grant = shoal_record_grant(record, promotion, true);
    if (grant->count < UINT16_MAX)
        grant->count++;
    grant->last_ms = now_ms;
    grant->eligible = grant->open = expires_ms != 0;
    grant->expires_ms = expires_ms;
}

/* A contact that somebody else made counts like an offer that has already lapsed. */
static void count_contact(const struct shoal_policy *policy, const struct shoal_event *event,
                          struct shoal_record *record, int64_t now_ms)
{
    for (size_t i = 0; i < policy->count; i++) {
        if (policy->promotions[i].hash != event->promotion)
            continue;
        if (!is_standing(shoal_record_grant(record, event->promotion, false), now_ms))
            count_offer(policy, record, event->promotion, now_ms, 0);
        return;
    }
}

/* Lapses what has expired; which offers of the policy stand. */
static uint32_t find_standing(struct deciding *d)
{
    uint32_t standing = 0;
    for (size_t g = 0; g < d->record->grants_count; g++) {
        struct shoal_grant *grant = &d->record->grants[g];
        if (!grant->eligible)
            continue;
        if (d->now_ms >= grant->expires_ms) {
            end_offer(grant);
            continue;
        }
        for (size_t i = 0; i < d->policy->count; i++) {
            if (d->policy->promotions[i].hash == grant->promotion)
                standing |= UINT32_C(1) << i;
        }
    }
    return standing;
}

/* ---- decisions ----------------------------------------------------------------------------- */

static struct shoal_asking asking_of(const struct deciding *d, unsigned i)
{
    const struct shoal_promotion *promotion = &d->policy->promotions[i];
    struct shoal_asking asking = {
        .policy = d->policy,
        .promotion = promotion,
        .occasion = d->occasion,
        .record = d->record,
        .grant = shoal_record_grant(d->record, promotion->hash, false),
        .budgets = d->budgets,
        .now_ms = d->now_ms,
    };
    uint32_t others = d->standing & d->policy->peers[i];
    if (others) {
        uint32_t other = others & d->made ? others & d->made : others;
        asking.standing = &d->policy->promotions[__builtin_ctz(other)];
        asking.outdone = (others & d->made) != 0;
    }
    return asking;
}

/* The decision that was just made is to be written. */
static void write(struct deciding *d, unsigned i, enum shoal_turn turn)
{
    const struct shoal_event *event = d->occasion->event;
    struct shoal_decision *decision = &d->decisions[d->count++];
    decision->turn = turn;
    decision->control = shoal_in_control(decision->promotion, event->user, event->user_size);
    decision->trigger =
        d->asked >> i & 1 ? trigger_of(decision->promotion, d->occasion) : NULL;
}

/* A standing offer whose conditions no longer hold is withdrawn. */
static void review(struct deciding *d, unsigned i)
{
    struct shoal_asking asking = asking_of(d, i);
    struct shoal_decision *decision = &d->decisions[d->count];
    shoal_conditions_standing(&asking, decision);
    if (decision->eligible)
        return;
    end_offer(shoal_record_grant(d->record, asking.promotion->hash, false));
    d->standing &= ~(UINT32_C(1) << i);
    d->answered |= UINT32_C(1) << i;
    write(d, i, SHOAL_TURN_WITHDRAWN);
}

static void make_offer(struct deciding *d, unsigned i, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = decision->promotion;
    const struct shoal_event *event = d->occasion->event;
    int64_t expires_ms = d->now_ms + promotion->offer_ms;
    decision->expires_ms = expires_ms < SHOAL_TIME_MAX_MS ? expires_ms : SHOAL_TIME_MAX_MS;
    count_offer(d->policy, d->record, promotion->hash, d->now_ms, decision->expires_ms);
    d->standing |= UINT32_C(1) << i;
    d->made |= UINT32_C(1) << i;
    if (d->budgets && promotion->budget &&
        !shoal_in_control(promotion, event->user, event->user_size))
        shoal_budgets_spend(d->budgets, d->policy, promotion);
}

/* The answer that stands, instead of the conditions of a new offer. */
static void repeat_offer(const struct shoal_asking *asking, size_t standing_reasons,
                         struct shoal_decision *decision)
{
    const struct shoal_grant *grant = asking->grant;
    decision->reasons_count = standing_reasons;
    decision->eligible = true;
    decision->expires_ms = grant->expires_ms;
    shoal_conditions_add(decision, SHOAL_CONDITION_OFFER, true,
                         (double)(asking->now_ms - grant->last_ms),
                         (double)(grant->expires_ms - grant->last_ms));
}

/* One promotion that this occasion asks for, or that has no triggers. */
static void consider(struct deciding *d, unsigned i)
{
    bool standing = d->standing >> i & 1, asked = d->asked >> i & 1;
    if (standing && !asked) /* the answer stays */
        return;
    struct shoal_asking asking = asking_of(d, i);
    struct shoal_decision *decision = &d->decisions[d->count];
    shoal_conditions_standing(&asking, decision);
    size_t standing_reasons = decision->reasons_count;
    /* enough for what stands, not for a new offer */
    bool unknown = asking.promotion->min_prompted > 0 && isnan(d->occasion->prompted);
    shoal_conditions_new(&asking, decision);
    if (decision->eligible && !unknown) {
        make_offer(d, i, decision);
        write(d, i, SHOAL_TURN_OFFERED);
    } else if (standing) { /* asked again while the offer stands */
        repeat_offer(&asking, standing_reasons, decision);
        write(d, i, SHOAL_TURN_NONE);
    } else if (asked) {
        write(d, i, SHOAL_TURN_NONE);
    }
}

size_t shoal_decide(const struct shoal_policy *policy, const struct shoal_occasion *occasion,
                    struct shoal_record *record, struct shoal_budgets *budgets,
                    struct shoal_decision *decisions)
{
    const struct shoal_event *event = occasion->event;
    int64_t now_ms =
        event->touch.time_ms > record->last_ms ? event->touch.time_ms : record->last_ms;
    if (!occasion->timer && event->exposure == SHOAL_EXPOSURE_SHOWN && event->promotion)
        count_contact(policy, event, record, now_ms);
    struct deciding d = {
        .policy = policy,
        .occasion = occasion,
        .record = record,
        .budgets = budgets,
        .now_ms = now_ms,
        .asked = asked_by(policy, occasion),
        .decisions = decisions,
    };
    uint32_t due = d.asked | policy->always;
    if (!due && record->grants_count == 0)
        return 0;
    d.standing = find_standing(&d);
    for (size_t at = 0; at < policy->count && d.standing; at++) {
        if (d.standing >> policy->order[at] & 1)
            review(&d, policy->order[at]);
    }
    due &= ~d.answered;
    for (size_t at = 0; at < policy->count && due; at++) {
        if (due >> policy->order[at] & 1)
            consider(&d, policy->order[at]);
        due &= ~(UINT32_C(1) << policy->order[at]);
    }
    return d.count;
}

/* One promotion, whose standing conditions are in the outlook already. */
static void foresee(const struct deciding *d, unsigned i, struct shoal_outlook *outlook)
{
    const struct shoal_event *event = d->occasion->event;
    struct shoal_decision *decision = &outlook->decision;
    struct shoal_asking asking = asking_of(d, i);
    /* as in consider(): enough for what stands, not for a new offer */
    bool unknown = asking.promotion->min_prompted > 0 && isnan(d->occasion->prompted);
    if (!outlook->standing) {
        shoal_conditions_new(&asking, decision);
        decision->eligible = decision->eligible && !unknown;
        if (decision->eligible)
            decision->expires_ms = d->now_ms + decision->promotion->offer_ms;
    } else if (decision->eligible) {
        repeat_offer(&asking, decision->reasons_count, decision);
    }
    decision->control = shoal_in_control(decision->promotion, event->user, event->user_size);
    decision->trigger = NULL;
}

void shoal_decide_outlook(const struct shoal_policy *policy, const struct shoal_occasion *occasion,
                          const struct shoal_record *record, const struct shoal_budgets *budgets,
                          struct shoal_outlook *outlooks)
{
    struct shoal_record now = *record; /* offers that have expired lapse in it */
    struct shoal_budgets left = {0};
    if (budgets)
        left = *budgets;
    struct deciding d = {
        .policy = policy,
        .occasion = occasion,
        .record = &now,
        .budgets = budgets ? &left : NULL,
        .now_ms = occasion->event->touch.time_ms,
    };
    uint32_t standing = d.standing = find_standing(&d);
    for (unsigned i = 0; i < policy->count; i++) { /* what is due for withdrawal excludes nobody */
        struct shoal_asking asking = asking_of(&d, i);
        outlooks[i].standing = standing >> i & 1;
        shoal_conditions_standing(&asking, &outlooks[i].decision);
        if (outlooks[i].standing && !outlooks[i].decision.eligible)
            d.standing &= ~(UINT32_C(1) << i);
    }
    for (unsigned i = 0; i < policy->count; i++)
        foresee(&d, i, &outlooks[i]);
}
