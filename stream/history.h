/* SPDX-License-Identifier: Apache-2.0 */
/* How counts went over the last day: a sample every ten seconds, in a ring, kept by this process since it began.
 *
 * Memory is touched as time goes on: about 700 bytes a sample, six megabytes after a day. Used under its owner's
 * lock. */
#ifndef SHOAL_HISTORY_H
#define SHOAL_HISTORY_H

#include "stream/overview.h"

enum {
    SHOAL_HISTORY_INTERVAL_MS = 10000,
    SHOAL_HISTORY_SAMPLES = 8640, /* a day */
    SHOAL_HISTORY_POINTS = 720,   /* most that one answer has */
    SHOAL_HISTORY_MINUTES = SHOAL_HISTORY_SAMPLES * (SHOAL_HISTORY_INTERVAL_MS / 1000) / 60,
};

struct shoal_history;

/* NULL when out of memory. */
struct shoal_history *shoal_history_create(void);
void shoal_history_destroy(struct shoal_history *history);
/* A sample of now; times must rise. */
void shoal_history_add(struct shoal_history *history, const struct shoal_overview *overview);
/* Events a second over about the last ten seconds or more before `overview`; NaN: not known yet. */
double shoal_history_pace(const struct shoal_history *history, const struct shoal_overview *overview);
/* One object: the last `minutes` (from 1), in at most SHOAL_HISTORY_POINTS. Rates are of the time since the point
 * before, null where none is known. Promotions are those of the policy (may be NULL). */
void shoal_history_put(const struct shoal_history *history, struct shoal_put *put, unsigned minutes,
                       const struct shoal_policy *policy);

#endif
