/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of a promotion; see conditions.h. A condition that the promotion does not have is no reason. */
#include "stream/conditions.h"

#include <math.h>
#include <stdlib.h>

#include "stream/bundle_offer.h"
#include "stream/consent.h"

enum {
    MINUTE_MS = 60000,
    ACTIVE_MINUTES = 60, /* about a time at which the user was active */
    ACTIVE_LEAST = 4,    /* recent events that tell the user's hours */
};

void shoal_conditions_add(struct shoal_decision *decision, enum shoal_condition condition, bool met,
                          double value, double limit)
{
    decision->reasons[decision->reasons_count++] =
        (struct shoal_reason){.condition = condition, .met = met, .value = value, .limit = limit};
    decision->eligible = decision->eligible && met;
}

/* ---- standing ------------------------------------------------------------------------------ */

static void check_segments(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    for (unsigned i = 0; i < SHOAL_DIMENSION_COUNT; i++) {
        const struct shoal_levels *accepted = &asking->promotion->levels[i];
        if (!shoal_levels_any(accepted))
            continue;
        uint8_t level = asking->record->standings[i].level;
        shoal_conditions_add(decision, SHOAL_CONDITION_SEGMENT, shoal_levels_has(accepted, level),
                             (double)level, 0);
        decision->reasons[decision->reasons_count - 1].dimension = (enum shoal_dimension)i;
    }
}

static void check_consents(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    for (unsigned left = asking->promotion->consents; left; left &= left - 1) {
        unsigned consent = left & -left;
        int state = shoal_consent_state(asking->record, consent);
        shoal_conditions_add(decision, SHOAL_CONDITION_CONSENT, state == 1,
                             state < 0 ? (double)NAN : state, 0);
        decision->reasons[decision->reasons_count - 1].consent = (uint8_t)consent;
    }
}

/* An unknown probability is no reason to withdraw what stands. */
static bool is_standing(const struct shoal_asking *asking)
{
    const struct shoal_grant *grant = asking->grant;
    return grant && grant->eligible && asking->now_ms < grant->expires_ms;
}

void shoal_conditions_standing(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = asking->promotion;
    decision->promotion = promotion;
    decision->policy = asking->policy;
    decision->prompted = asking->occasion->prompted;
    decision->eligible = true;
    decision->expires_ms = 0;
    decision->reasons_count = 0;
    if (promotion->valid_from_ms != INT64_MIN || promotion->valid_until_ms != INT64_MAX)
        shoal_conditions_add(decision, SHOAL_CONDITION_VALIDITY,
                             asking->now_ms >= promotion->valid_from_ms &&
                                 asking->now_ms < promotion->valid_until_ms,
                             (double)asking->now_ms, 0);
    check_segments(asking, decision);
    float score = asking->record->score, prompted = asking->occasion->prompted;
    if (promotion->min_score > 0)
        shoal_conditions_add(decision, SHOAL_CONDITION_MIN_SCORE, score >= promotion->min_score,
                             (double)score, (double)promotion->min_score);
    if (promotion->max_score < 1)
        shoal_conditions_add(decision, SHOAL_CONDITION_MAX_SCORE, score <= promotion->max_score,
                             (double)score, (double)promotion->max_score);
    if (promotion->min_prompted > 0)
        shoal_conditions_add(decision, SHOAL_CONDITION_PROMPTED,
                             isnan(prompted) ? is_standing(asking)
                                             : prompted >= promotion->min_prompted,
                             (double)prompted, (double)promotion->min_prompted);
    check_consents(asking, decision);
    if (promotion->bundle_count > 0) {
        unsigned bought = shoal_bundle_look(promotion, asking->record).bought;
        shoal_conditions_add(decision, SHOAL_CONDITION_BUNDLE, bought < promotion->bundle_count,
                             bought, promotion->bundle_count);
    }
}

/* ---- new ----------------------------------------------------------------------------------- */

/* How far a local minute is from the nearest time of day at which a recent event happened. */
static int nearest_minutes(const struct shoal_asking *asking, int minute)
{
    const struct shoal_record *record = asking->record;
    int nearest = SHOAL_DAY_MINUTES;
    for (size_t i = 0; i < record->ring_count; i++) {
        int apart = abs(shoal_policy_minute(asking->policy, record->ring[i].time_ms) - minute);
        if (apart > SHOAL_DAY_MINUTES / 2)
            apart = SHOAL_DAY_MINUTES - apart;
        nearest = apart < nearest ? apart : nearest;
    }
    return nearest;
}

static void check_hours(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = asking->promotion;
    bool quiet = shoal_hours_any(&promotion->quiet);
    if (!quiet && !promotion->active_hours)
        return;
    int minute = shoal_policy_minute(asking->policy, asking->now_ms);
    if (quiet)
        shoal_conditions_add(decision, SHOAL_CONDITION_QUIET,
                             !shoal_hours_has(&promotion->quiet, minute), minute, 0);
    if (!promotion->active_hours)
        return;
    if (asking->record->ring_count >= ACTIVE_LEAST) {
        int nearest = nearest_minutes(asking, minute);
        shoal_conditions_add(decision, SHOAL_CONDITION_ACTIVE_HOURS, nearest <= ACTIVE_MINUTES,
                             (double)nearest * MINUTE_MS, (double)ACTIVE_MINUTES * MINUTE_MS);
    } else if (shoal_hours_any(&promotion->usual)) {
        shoal_conditions_add(decision, SHOAL_CONDITION_ACTIVE_HOURS,
                             shoal_hours_has(&promotion->usual, minute), minute, (double)NAN);
    }
}

static void check_budget(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = asking->promotion;
    if (!asking->budgets || promotion->budget == 0)
        return;
    int32_t partition = asking->occasion->event->partition;
    int32_t partitions = asking->occasion->partitions;
    /* How many are left depends on the order in which a micro-batch takes its users; whether there are any
     * does not (budgets.h). */
    bool left = shoal_budgets_left(asking->budgets, promotion, partition, partitions) > 0;
    shoal_conditions_add(
        decision, SHOAL_CONDITION_BUDGET, left, left,
        shoal_budgets_share(promotion, asking->budgets->day, partition, partitions));
}

static void check_group(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    if (!asking->promotion->group[0])
        return;
    shoal_conditions_add(decision,
                         asking->outdone ? SHOAL_CONDITION_PRIORITY : SHOAL_CONDITION_EXCLUSION,
                         !asking->standing, 0, 0);
    decision->reasons[decision->reasons_count - 1].other = asking->standing;
}

void shoal_conditions_new(const struct shoal_asking *asking, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = asking->promotion;
    unsigned count = asking->grant ? asking->grant->count : 0;
    int64_t since_ms = count > 0 ? asking->now_ms - asking->grant->last_ms : 0;
    if (promotion->bundle_count > 0) {
        int anchor = shoal_bundle_look(promotion, asking->record).anchor;
        shoal_conditions_add(decision, SHOAL_CONDITION_BUNDLE_ITEM, anchor >= 0,
                             anchor >= 0 ? anchor : (double)NAN, 0);
    }
    if (promotion->cooldown_ms > 0)
        shoal_conditions_add(decision, SHOAL_CONDITION_COOLDOWN,
                             count == 0 || since_ms >= promotion->cooldown_ms,
                             count > 0 ? (double)since_ms : (double)NAN,
                             (double)promotion->cooldown_ms);
    if (promotion->limit > 0)
        shoal_conditions_add(decision, SHOAL_CONDITION_LIMIT, count < promotion->limit,
                             (double)count, (double)promotion->limit);
    check_hours(asking, decision);
    check_budget(asking, decision);
    check_group(asking, decision);
}
