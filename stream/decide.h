/* SPDX-License-Identifier: Apache-2.0 */
/* Promotion eligibility: a pure function of record, occasion, policy and what is left of its budgets.
 *
 * A promotion with triggers (behaviours, timers, entries) answers at every occasion that has one. If all
 * conditions hold that is an offer: it is counted, starts the cool-down and stands until expires_at. A
 * promotion without triggers is evaluated at every event and timer in the same way, but a decision is
 * written only when the answer changes. The control group gets the same answers with variant "control".
 *
 *   standing conditions   validity, segments, score, prompted, consent, bundle (not all of it is bought)
 *   those of a new offer  the same and bundle.item (the user lately turned to some of it), cool-down, limit,
 *                         quiet hours, active hours, budget, exclusion
 *
 * At any occasion a standing offer is checked again for the standing conditions (the offer itself used up the
 * others, and night does not take back what was offered at noon) and withdrawn by a decision with eligible =
 * false when they no longer hold; an expired one lapses without a message. Where the model cannot say
 * (prompted is NaN), nobody new is eligible and nothing is withdrawn.
 *
 * A trigger that makes no new offer while one is standing and still holds gets the standing answer again:
 * eligible, with the same expires_at and the reason "offer" instead of the conditions of a new one. So an
 * offer is told from its repetition by expires_at.
 *
 * Groups: at most one offer of a group stands. First what no longer holds is withdrawn, then new offers are
 * made, by priority and, among equals, in the order of the file; decisions come in this order. So of several
 * that could be offered on one occasion the first gets it, and the others say "priority"; at later occasions
 * they say "exclusion" until it has expired or was withdrawn. A standing offer is not withdrawn because one of
 * higher priority could be made: what a user was promised is kept, and a user whose scores go to and fro
 * does not make two offers replace each other. Each of these reasons names the other promotion. */
#ifndef SHOAL_DECIDE_H
#define SHOAL_DECIDE_H

#include "stream/budgets.h"
#include "stream/event.h"
#include "stream/policy.h"
#include "stream/segments.h"

enum { SHOAL_REASONS_MAX = SHOAL_DIMENSION_COUNT + SHOAL_CONSENT_KNOWN_SHIFT + 12 };

/*  X(NAME, "name in reasons") */
#define SHOAL_CONDITION_LIST(X)                                                                    \
    X(VALIDITY, "validity")                                                                        \
    X(SEGMENT, "segment")                                                                          \
    X(MIN_SCORE, "score.min")                                                                      \
    X(MAX_SCORE, "score.max")                                                                      \
    X(PROMPTED, "prompted.min")                                                                    \
    X(CONSENT, "consent")                                                                          \
    X(BUNDLE, "bundle")                                                                            \
    X(BUNDLE_ITEM, "bundle.item")                                                                  \
    X(COOLDOWN, "cooldown")                                                                        \
    X(LIMIT, "limit")                                                                              \
    X(QUIET, "quiet")                                                                              \
    X(ACTIVE_HOURS, "active_hours")                                                                \
    X(BUDGET, "budget")                                                                            \
    X(EXCLUSION, "exclusion")                                                                      \
    X(PRIORITY, "priority")                                                                        \
    X(OFFER, "offer") /* an offer made before still stands */

enum shoal_condition {
#define X(NAME, name) SHOAL_CONDITION_##NAME,
    SHOAL_CONDITION_LIST(X)
#undef X
        SHOAL_CONDITION_COUNT
};

/*  condition      value                                            limit
 *  VALIDITY       event time in ms                                 nothing: the promotion's two
 *  SEGMENT        level                                            nothing: the promotion's levels
 *  *_SCORE        score                                            score
 *  PROMPTED       probability, NaN if the model cannot say         probability
 *  CONSENT        1 given, 0 withdrawn, NaN if never said          nothing
 *  BUNDLE         items of it bought lately                        its items
 *  BUNDLE_ITEM    index of the item it begins with, NaN: none      nothing: the promotion's bundle
 *  COOLDOWN       ms since the last offer, NaN if there was none   ms
 *  LIMIT          offers so far                                    most offers
 *  QUIET          local minute of the day                          nothing: the promotion's hours
 *  ACTIVE_HOURS   ms to the nearest time of day of a recent event  ms; NaN: the value is the local minute,
 *                                                                  and the promotion's usual hours count
 *  BUDGET         1: some of it is left today in the partition; 0  the partition's share
 *  EXCLUSION      nothing: `other`, if there is one, stands        nothing
 *  PRIORITY       nothing: `other` was offered on this occasion    nothing
 *  OFFER          ms since it was made                             ms that it stands in all */
struct shoal_reason {
    enum shoal_condition condition;
    enum shoal_dimension dimension; /* of SEGMENT */
    bool met;
    uint8_t consent; /* of CONSENT: the bit */
    double value, limit;
    const struct shoal_promotion *other;
};

/* What a decision makes of the user's offer. */
enum shoal_turn {
    SHOAL_TURN_NONE,      /* no offer, or one that stands already */
    SHOAL_TURN_OFFERED,
    SHOAL_TURN_WITHDRAWN,
};

struct shoal_decision {
    const struct shoal_promotion *promotion;
    const struct shoal_policy *policy;
    const char *trigger; /* "cart", "cart_idle", "enters.lifecycle"; NULL: nothing asked for it */
    float prompted;      /* as in the occasion */
    bool eligible;
    bool control;
    enum shoal_turn turn;
    int64_t expires_ms; /* 0 if not eligible */
    size_t reasons_count;
    struct shoal_reason reasons[SHOAL_REASONS_MAX];
};

/* Static. */
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

/* What would be answered if a promotion were asked for now. */
struct shoal_outlook {
    struct shoal_decision decision; /* eligible: an offer stands and holds, or would be made */
    bool standing;                  /* an offer stands (it may be due for withdrawal: then not eligible) */
};
/* For each promotion of the policy (room for policy->count), each as if it alone were asked for at the occasion's
 * time; nothing is changed. */
void shoal_decide_outlook(const struct shoal_policy *policy, const struct shoal_occasion *occasion,
                          const struct shoal_record *record, const struct shoal_budgets *budgets,
                          struct shoal_outlook *outlooks);

#endif
