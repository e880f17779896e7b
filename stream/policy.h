/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and promotions as configured: the rules, without any user. Immutable once loaded.
 *
 * Segments (dimension, levels): `intent` cold < warm < hot from the score; `lifecycle` new, active,
 * returning from the user's history. */
#ifndef SHOAL_POLICY_H
#define SHOAL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"
#include "state/record.h"

enum shoal_dimension {
    SHOAL_INTENT,
    SHOAL_LIFECYCLE,
    SHOAL_DIMENSION_COUNT,
};

/* levels are numbered from 1, as in shoal_standing.level */
enum shoal_intent { SHOAL_COLD = 1, SHOAL_WARM, SHOAL_HOT };
enum shoal_lifecycle { SHOAL_NEW = 1, SHOAL_ACTIVE, SHOAL_RETURNING };

const char *shoal_dimension_name(enum shoal_dimension dimension);
/* NULL for a level that does not exist; level 0 gives NULL. */
const char *shoal_level_name(enum shoal_dimension dimension, uint8_t level);
unsigned shoal_level_count(enum shoal_dimension dimension);

struct shoal_segment_rules {
    float hysteresis;             /* a lower intent level is taken only below threshold − this */
    int64_t intent_dwell_ms;      /* least event time in an intent level before a lower one */
    int64_t new_ms;               /* `new` until this long after the first event */
    int64_t returning_gap_ms;     /* a gap of at least this makes `returning` */
    int64_t returning_ms;         /* … which lasts this long */
};
struct shoal_segment_rules shoal_segment_rules_default(void); /* .02, 10 min, 1 d, 7 d, 1 d */

struct shoal_promotion {
    char id[65];
    uint32_t hash;               /* shoal_promotion_hash(id) */
    uint32_t triggers;           /* bit per enum shoal_behavior; 0 = evaluated at every event */
    uint32_t levels[SHOAL_DIMENSION_COUNT]; /* bit (level − 1) set = accepted; 0 = any */
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
