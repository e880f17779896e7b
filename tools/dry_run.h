/* SPDX-License-Identifier: Apache-2.0 */
/* A dry run of promotions: a sink that counts decisions instead of writing them.
 *
 * It reads decisions as subscribers do, in MessagePack, so that what it counts is what would have been sent. */
#ifndef SHOAL_DRY_RUN_H
#define SHOAL_DRY_RUN_H

#include <stdio.h>

#include "stream/policy.h"
#include "stream/sink.h"
#include "stream/put_json.h"

enum { SHOAL_DRY_REASONS_MAX = 48 };

struct shoal_dry_day {
    int64_t day; /* local days since 1970 */
    uint64_t offers;
};

/* Of one promotion. */
struct shoal_dry_tally {
    uint64_t asked;     /* decisions that a trigger asked for */
    uint64_t eligible;  /* … that say yes */
    uint64_t offers;    /* new offers, to both groups */
    uint64_t withdrawn; /* offers taken back without a trigger */
    uint64_t users, control_users;         /* who got an offer, and who would have but for control */
    uint64_t withheld[SHOAL_DRY_REASONS_MAX]; /* by reason: asked for, but it was not met */
    struct shoal_dry_day *days;            /* offers to users who are not in control */
    size_t days_count, days_capacity;
};

struct shoal_dry_run;

/* `policy` is borrowed. `user` (may be NULL): whose decisions are written to `lines`, one a line; as JSON if
 * `json`, preceded by a comma but for the first. NOMEM. */
enum shoal_status shoal_dry_run_create(const struct shoal_policy *policy, const char *user,
                                       FILE *lines, bool json,
                                       struct shoal_dry_run **run) SHOAL_MUST_CHECK;
void shoal_dry_run_destroy(struct shoal_dry_run *run);
/* Belongs to the run. */
struct shoal_sink *shoal_dry_run_sink(struct shoal_dry_run *run);
const struct shoal_dry_tally *shoal_dry_run_tally(const struct shoal_dry_run *run, size_t promotion);
/* Name of a reason in `withheld`; NULL beyond the last. */
const char *shoal_dry_run_reason(const struct shoal_dry_run *run, size_t reason);

void shoal_dry_run_print(const struct shoal_dry_run *run, const struct shoal_policy *policy,
                         FILE *out);
/* A list under the key "dry_run". */
void shoal_dry_run_put(const struct shoal_dry_run *run, const struct shoal_policy *policy,
                       struct shoal_put *put);

#endif
