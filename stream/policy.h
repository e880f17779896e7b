/* SPDX-License-Identifier: Apache-2.0 */
/* Promotions as configured: the rules, without any user. Immutable once loaded. */
#ifndef SHOAL_POLICY_H
#define SHOAL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"
#include "state/record.h"
#include "stream/dimensions.h"
#include "stream/timers.h"

struct shoal_promotion {
    char id[65];
    uint32_t hash;               /* shoal_promotion_hash(id) */
    uint32_t triggers;           /* bit per enum shoal_behavior. Without a trigger of any kind the
                                  * promotion is evaluated at every event */
    uint32_t timers;             /* bit per enum shoal_timer that is a trigger */
    struct shoal_levels enters[SHOAL_DIMENSION_COUNT]; /* levels whose entry is a trigger */
    struct shoal_levels levels[SHOAL_DIMENSION_COUNT]; /* accepted levels; none = any */
    float min_score;             /* 0 = none */
    float max_score;             /* 1 = none */
    int64_t cooldown_ms;         /* least time between two offers to one user; 0 = none */
    uint16_t limit;              /* offers a user; 0 = no limit */
    int64_t valid_from_ms, valid_until_ms; /* event time, half open; INT64_MIN/MAX = open */
    int64_t offer_ms;            /* how long an offer stands: expires_at = event_time + this */
    float control;               /* share of users in the control group, 0 … 0.5 */
};

struct shoal_policy {
    struct shoal_promotion *promotions;
    size_t count;                /* ≤ SHOAL_GRANTS_MAX */
    bool wants_prompted;         /* a condition asks whether the user buys only if prompted */
    char version[17];            /* hash of the file */
};

/* NOT_FOUND, CONFIG with file, line, reason and the nearest known key. */
enum shoal_status shoal_policy_load(const char *path, struct shoal_policy **policy,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
enum shoal_status shoal_policy_parse(const char *yaml, size_t size, const char *name,
                                     struct shoal_policy **policy,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_policy_destroy(struct shoal_policy *policy);

#endif
