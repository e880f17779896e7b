/* SPDX-License-Identifier: Apache-2.0 */
/* Promotion eligibility: a pure function of record, event and policy.
 *
 * A promotion with triggers answers at every trigger event. If all conditions hold (validity,
 * segments, score, cool-down, limit) that is an offer: it is counted, starts the cool-down and
 * stands until expires_at. At any other event a standing offer is checked again (validity, segments
 * and score only, since the offer itself used up cool-down and limit) and withdrawn by a decision
 * with eligible = false when they no longer hold; an expired one lapses without a message. A
 * promotion without triggers is evaluated at every event in the same way, but a decision is written
 * only when the answer changes. The control group gets the same answers with variant "control".
 *
 * A trigger event that makes no new offer while one is standing and still holds gets the standing
 * answer again: eligible, with the same expires_at and the reason "offer" instead of cool-down and
 * limit. So an offer is told from its repetition by expires_at. */
#ifndef SHOAL_DECIDE_H
#define SHOAL_DECIDE_H

#include "stream/budgets.h"
#include "stream/event.h"
#include "stream/policy.h"
#include "stream/segments.h"

enum { SHOAL_REASONS_MAX = SHOAL_DIMENSION_COUNT + 5 };

enum shoal_condition {
    SHOAL_CONDITION_VALIDITY,
    SHOAL_CONDITION_SEGMENT, /* dimension says which */
    SHOAL_CONDITION_MIN_SCORE,
    SHOAL_CONDITION_MAX_SCORE,
    SHOAL_CONDITION_COOLDOWN,
    SHOAL_CONDITION_LIMIT,
    SHOAL_CONDITION_OFFER, /* an offer made before still stands */
};

struct shoal_reason {
    enum shoal_condition condition;
    enum shoal_dimension dimension;
    bool met;
    /* score; ms since the last offer, NaN if there was none; offers so far; level; event time in
     * ms; for OFFER the ms since it was made */
    double value;
    /* score; ms of cool-down; most offers; nothing (the promotion has its accepted levels); 0 for validity, whose two
     * limits are the promotion's; for OFFER the ms that it stands in all */
    double limit;
};

struct shoal_decision {
    const struct shoal_promotion *promotion;
    bool eligible;
    bool control;
    int64_t expires_ms; /* 0 if not eligible */
    size_t reasons_count;
    struct shoal_reason reasons[SHOAL_REASONS_MAX];
};

/* Name in reasons: "validity", "segment", "score.min", "score.max", "cooldown", "limit", "offer".
 */
const char *shoal_condition_name(enum shoal_condition condition);

/* Stable over restarts and versions: hash of promotion id and user id against the control share. */
bool shoal_in_control(const struct shoal_promotion *promotion, const char *user, size_t user_size);

/* What there is to decide on: an event, or a timer that fell due. */
struct shoal_occasion {
    const struct shoal_event *event; /* of a timer: user, partition and the time at which it fell due */
    bool timer;                      /* behaviour, contact and the like of `event` mean nothing */
    uint32_t timers;                 /* bits of enum shoal_timer that fell due */
    const struct shoal_change *changes; /* what it changed */
    size_t changes_count;
    float prompted;                  /* P(buys only if prompted); NaN: not known */
    int32_t partitions;              /* of the events topic: budgets are shared out among them */
};

/* Decisions that this occasion causes (room for policy->count); the record's grants and the partition's
 * budgets are updated. A contact of exposure `shown` with a promotion of the policy counts as an offer made
 * elsewhere: it starts the cool-down and counts, unless an offer of ours is standing. Event time is taken as
 * of the user's latest event, so it never goes back. */
size_t shoal_decide(const struct shoal_policy *policy, const struct shoal_occasion *occasion,
                    struct shoal_record *record, struct shoal_budgets *budgets,
                    struct shoal_decision *decisions);

#endif
