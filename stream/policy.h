/* SPDX-License-Identifier: Apache-2.0 */
/* Promotions as configured: the rules, without any user. Immutable once loaded.
 *
 * What each key of the file means stands in deploy/promotions.yaml, and where it is read:
 *
 *   policy.c        the file: timezone, quiet, promotions
 *   policy_who.c    what a promotion asks of the user: triggers, enters, segments, score, prompted, requires
 *   policy_when.c   times: valid, cooldown, offer, quiet, active_hours
 *   policy_terms.c  the offer's own terms: id, kind, limit, budget, priority, group, control
 *   policy_items.c  what it is about: items, items_goal, without_bought, bundle
 *   policy_check.c  what contradicts itself or can never happen */
#ifndef SHOAL_POLICY_H
#define SHOAL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/items.h"
#include "model/model.h"
#include "state/record.h"
#include "stream/dimensions.h"
#include "stream/kinds.h"
#include "stream/timers.h"

enum {
    SHOAL_DAY_MINUTES = 1440,
    SHOAL_OFFER_ITEMS_MAX = 20,
    SHOAL_OFFER_ITEMS = 3, /* of a recommendation that does not say how many */
    SHOAL_BUNDLE_ITEMS_MAX = 8,
};

/* A part of each day in local time, from included, until not; over midnight if until < from. Empty if
 * both are equal. */
struct shoal_hours {
    int16_t from_min, until_min; /* minutes since midnight, until up to 1440 */
};

/* Where in the file it stands; 0: nowhere. */
struct shoal_promotion_lines {
    int promotion, prompted, budget, group, items, bundle;
    int enters[SHOAL_DIMENSION_COUNT], levels[SHOAL_DIMENSION_COUNT];
};

/* An item that a promotion names. */
struct shoal_bundle_item {
    char id[SHOAL_ITEM_ID_MAX + 1];
    uint32_t hash; /* shoal_item_hash(id) */
};

struct shoal_promotion {
    char id[65];
    uint32_t hash;               /* shoal_promotion_hash(id) */
    enum shoal_kind kind;
    uint32_t triggers;           /* bit per enum shoal_behavior. Without a trigger of any kind the
                                  * promotion is evaluated at every event and timer */
    uint32_t timers;             /* bit per enum shoal_timer that is a trigger */
    struct shoal_levels enters[SHOAL_DIMENSION_COUNT]; /* levels whose entry is a trigger; 0: leaving a trait */
    struct shoal_levels levels[SHOAL_DIMENSION_COUNT]; /* accepted levels; none = any; 0: not in the trait */
    float min_score;             /* 0 = none */
    float max_score;             /* 1 = none */
    float min_prompted;          /* least P(buys only if prompted); 0 = none */
    uint8_t consents;            /* bits of enum shoal_consent that must be given */
    int64_t cooldown_ms;         /* least time between two offers to one user; 0 = none */
    uint16_t limit;              /* offers a user; 0 = no limit */
    uint32_t budget;             /* offers a day to all users; 0 = no limit */
    int32_t priority;            /* higher first */
    char group[65];              /* of promotions that exclude each other; "" = none */
    struct shoal_hours quiet;    /* no new offer then; empty = none */
    bool active_hours;           /* new offers only about the times at which the user is active … */
    struct shoal_hours usual;    /* … and then for users whose times are not known; empty = at any time */
    int64_t valid_from_ms, valid_until_ms; /* event time, half open; INT64_MIN/MAX = open */
    int64_t offer_ms;            /* how long an offer stands: expires_at = event_time + this */
    float control;               /* share of users in the control group, 0 … 0.5 */
    uint8_t items;               /* next items that a decision carries, if the model has a catalogue;
                                  * 0 = none. The file said so if lines.items is not 0 */
    enum shoal_item_goal items_goal;
    bool without_bought;         /* no items that the user has bought lately */
    uint8_t bundle_count;        /* items of the bundle that the promotion offers; 0 = none */
    struct shoal_bundle_item bundle[SHOAL_BUNDLE_ITEMS_MAX];
    struct shoal_promotion_lines lines;
};

/* Something in the file that is allowed and hardly meant. */
struct shoal_policy_warning {
    int line;
    char text[200];
};

struct shoal_policy {
    struct shoal_promotion *promotions;
    size_t count;                /* ≤ SHOAL_GRANTS_MAX */
    char version[17];            /* hash of the file */
    uint64_t id;                 /* the same as a number; 0 = made by hand */
    int64_t utc_offset_ms;       /* local time less UTC: of quiet hours, active hours, budgets' days */
    struct shoal_policy_warning *warnings;
    size_t warnings_count;

    /* Made by shoal_policy_settle. Sets of promotions have bit i for promotions[i]. */
    bool wants_prompted;         /* some promotion asks for it */
    bool has_budgets;
    uint8_t items_most;          /* next items that a promotion of them wants; 0: none does */
    uint8_t order[SHOAL_GRANTS_MAX];     /* the order of decisions: by priority, then as in the file */
    uint32_t always;                     /* those without a trigger of any kind */
    uint32_t by_behavior[SHOAL_BEHAVIOR_COUNT], by_timer[SHOAL_TIMER_COUNT];
    uint32_t by_entry[SHOAL_DIMENSION_COUNT]; /* those that some entry in the dimension triggers */
    uint32_t peers[SHOAL_GRANTS_MAX];    /* of promotions[i]: the others of its group */
    uint32_t spent_at[SHOAL_BEHAVIOR_COUNT + 1]; /* those with a budget that an event of a behaviour, or
                                          * (last) something that falls due, may spend */
};

/* NOT_FOUND, CONFIG with file, line, reason and the nearest known key. */
enum shoal_status shoal_policy_load(const char *path, struct shoal_policy **policy,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
enum shoal_status shoal_policy_parse(const char *yaml, size_t size, const char *name,
                                     struct shoal_policy **policy,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_policy_destroy(struct shoal_policy *policy);
/* Fills what follows from the promotions. Loading does it; whoever makes a policy by hand calls it. */
void shoal_policy_settle(struct shoal_policy *policy);

/* Adds warnings that need to know where the policy is used: budgets that do not reach every partition of
 * the topic, and, with a model (may be NULL), what that model knows nothing about. CONFIG, with `name` and
 * line, if a promotion could never be asked for under the model; NOMEM. */
enum shoal_status shoal_policy_check(struct shoal_policy *policy, const char *name,
                                     int32_t partitions, const struct shoal_model *model,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;

/* The line of the first promotion that asks for next items by itself, which a model without a catalogue does
 * not have; 0: there is none, or the model has one, or there is no policy (NULL). */
int shoal_policy_lacks_items(const struct shoal_policy *policy, const struct shoal_model *model);

/* Local minute of the day at a time. */
static inline int shoal_policy_minute(const struct shoal_policy *policy, int64_t time_ms)
{
    int64_t minute = (time_ms + policy->utc_offset_ms) / 60000 % SHOAL_DAY_MINUTES;
    return (int)(minute < 0 ? minute + SHOAL_DAY_MINUTES : minute);
}

static inline bool shoal_hours_any(const struct shoal_hours *hours)
{
    return hours->from_min != hours->until_min;
}

static inline bool shoal_hours_has(const struct shoal_hours *hours, int minute)
{
    bool from = minute >= hours->from_min, until = minute < hours->until_min;
    return hours->from_min <= hours->until_min ? from && until : from || until;
}

#endif
