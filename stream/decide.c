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
 * Each promotion looks at its own grant only, so promotions do not influence each other. */
#include "stream/decide.h"

#include <math.h>
#include <string.h>

#include "model/base/hash.h"

/* Last ms of the year 9999: times beyond it cannot be written. */
static const int64_t TIME_MOST_MS = INT64_C(253402300799999);

/* What one promotion is decided from. */
struct asking {
    const struct shoal_promotion *promotion;
    const struct shoal_record *record;
    const struct shoal_grant *grant; /* NULL: nothing offered so far */
    int64_t now_ms;
};

const char *shoal_condition_name(enum shoal_condition condition)
{
    switch (condition) {
    case SHOAL_CONDITION_VALIDITY:
        return "validity";
    case SHOAL_CONDITION_SEGMENT:
        return "segment";
    case SHOAL_CONDITION_MIN_SCORE:
        return "score.min";
    case SHOAL_CONDITION_MAX_SCORE:
        return "score.max";
    case SHOAL_CONDITION_COOLDOWN:
        return "cooldown";
    case SHOAL_CONDITION_LIMIT:
        return "limit";
    case SHOAL_CONDITION_OFFER:
        return "offer";
    }
    return "unknown";
}

bool shoal_in_control(const struct shoal_promotion *promotion, const char *user, size_t user_size)
{
    uint64_t seed = shoal_hash(promotion->id, strlen(promotion->id));
    uint64_t hash = shoal_hash_seeded(user, user_size, seed);
    /* 53 bits, the most a double holds: uniform in [0, 1) */
    return (double)(hash >> 11) * 0x1p-53 < (double)promotion->control;
}

static void add_reason(struct shoal_decision *decision, enum shoal_condition condition, bool met,
                       double value, double limit)
{
    decision->reasons[decision->reasons_count++] =
        (struct shoal_reason){.condition = condition, .met = met, .value = value, .limit = limit};
    decision->eligible = decision->eligible && met;
}

/* Validity, segments and score: what a standing offer must still fulfil. Begins the decision. */
static void check_standing(const struct asking *asking, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = asking->promotion;
    *decision = (struct shoal_decision){.promotion = promotion, .eligible = true};
    if (promotion->valid_from_ms != INT64_MIN || promotion->valid_until_ms != INT64_MAX)
        add_reason(decision, SHOAL_CONDITION_VALIDITY,
                   asking->now_ms >= promotion->valid_from_ms &&
                       asking->now_ms < promotion->valid_until_ms,
                   (double)asking->now_ms, 0);
    for (unsigned i = 0; i < SHOAL_DIMENSION_COUNT; i++) {
        const struct shoal_levels *accepted = &promotion->levels[i];
        if (!shoal_levels_any(accepted))
            continue;
        uint8_t level = asking->record->standings[i].level;
        add_reason(decision, SHOAL_CONDITION_SEGMENT, shoal_levels_has(accepted, level),
                   (double)level, 0);
        decision->reasons[decision->reasons_count - 1].dimension = (enum shoal_dimension)i;
    }
    float score = asking->record->score;
    if (promotion->min_score > 0)
        add_reason(decision, SHOAL_CONDITION_MIN_SCORE, score >= promotion->min_score,
                   (double)score, (double)promotion->min_score);
    if (promotion->max_score < 1)
        add_reason(decision, SHOAL_CONDITION_MAX_SCORE, score <= promotion->max_score,
                   (double)score, (double)promotion->max_score);
}

/* Cool-down and limit: what a new offer needs besides. */
static void check_new(const struct asking *asking, struct shoal_decision *decision)
{
    const struct shoal_promotion *promotion = asking->promotion;
    unsigned count = asking->grant ? asking->grant->count : 0;
    int64_t since_ms = count > 0 ? asking->now_ms - asking->grant->last_ms : 0;
    if (promotion->cooldown_ms > 0)
        add_reason(decision, SHOAL_CONDITION_COOLDOWN,
                   count == 0 || since_ms >= promotion->cooldown_ms,
                   count > 0 ? (double)since_ms : (double)NAN, (double)promotion->cooldown_ms);
    if (promotion->limit > 0)
        add_reason(decision, SHOAL_CONDITION_LIMIT, count < promotion->limit, (double)count,
                   (double)promotion->limit);
}

static bool is_standing(const struct shoal_grant *grant, int64_t now_ms)
{
    return grant && grant->eligible && now_ms < grant->expires_ms;
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
    grant->eligible = expires_ms != 0;
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

/* One promotion at one event. True if `decision` is to be written. */
static bool decide_one(const struct shoal_policy *policy, const struct shoal_promotion *promotion,
                       const struct shoal_occasion *occasion, struct shoal_record *record,
                       int64_t now_ms, struct shoal_decision *decision)
{
    bool triggered =
        !occasion->timer && (promotion->triggers >> occasion->event->touch.behavior & 1);
    bool asks = triggered || promotion->triggers == 0;
    if (!asks && record->grants_count == 0)
        return false;
    struct shoal_grant *grant = shoal_record_grant(record, promotion->hash, false);
    bool standing = is_standing(grant, now_ms);
    if (grant && grant->eligible && !standing) { /* lapsed */
        grant->eligible = false;
        grant->expires_ms = 0;
    }
    if (!asks && !standing)
        return false;

    struct asking asking = {promotion, record, grant, now_ms};
    check_standing(&asking, decision);
    if (standing && !decision->eligible) { /* withdrawn */
        grant->eligible = false;
        grant->expires_ms = 0;
        return true;
    }
    if (standing && !triggered) /* the answer stays */
        return false;

    size_t standing_reasons = decision->reasons_count;
    check_new(&asking, decision);
    if (decision->eligible) {
        int64_t expires_ms = now_ms + promotion->offer_ms;
        decision->expires_ms = expires_ms < TIME_MOST_MS ? expires_ms : TIME_MOST_MS;
        count_offer(policy, record, promotion->hash, now_ms, decision->expires_ms);
        return true;
    }
    if (standing) { /* asked again while the offer stands */
        decision->reasons_count = standing_reasons;
        decision->eligible = true;
        decision->expires_ms = grant->expires_ms;
        add_reason(decision, SHOAL_CONDITION_OFFER, true, (double)(now_ms - grant->last_ms),
                   (double)(grant->expires_ms - grant->last_ms));
    }
    return triggered;
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
    size_t count = 0;
    for (size_t i = 0; i < policy->count; i++) {
        const struct shoal_promotion *promotion = &policy->promotions[i];
        struct shoal_decision *decision = &decisions[count];
        if (!decide_one(policy, promotion, occasion, record, now_ms, decision))
            continue;
        decision->control = shoal_in_control(promotion, event->user, event->user_size);
        count++;
    }
    return count;
}
