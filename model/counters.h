/* SPDX-License-Identifier: Apache-2.0 */
/* Decayed counters: how often a user did what, lately. Four behaviours × three half-lives.
 *
 *   counter[b][k](t) = Σ over the user's events e with behaviour b of 2^(−(t − t_e)/half_life[k])
 *
 * kept as of the user's last event. Index: behaviour·SHOAL_HALF_LIVES + k. */
#ifndef SHOAL_COUNTERS_H
#define SHOAL_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "model/touch.h"

enum {
    SHOAL_HALF_LIVES = 3,
    SHOAL_COUNTERS = SHOAL_BEHAVIOR_COUNT * SHOAL_HALF_LIVES,
};

/* One day: how long an unknown user is taken to have been watched already. */
#define SHOAL_AGE_PRIOR_MS INT64_C(86400000)

/* Half-lives in ms: 1 h, 1 d, 7 d. */
extern const int64_t shoal_half_lives_ms[SHOAL_HALF_LIVES];

/* Lets `gap_ms` ≥ 0 pass: every counter decays. */
void shoal_counters_decay(float counters[SHOAL_COUNTERS], int64_t gap_ms);
/* Decays by `gap_ms`, then counts one event of `behavior`. */
void shoal_counters_advance(float counters[SHOAL_COUNTERS], int64_t gap_ms,
                            enum shoal_behavior behavior);

/* Rates from counters: each divided by the share of its decay that lies within the time that the user
 * has been known, so that a counter of a new user and one of an old user mean the same:
 *
 *   rate[b][k] = counter[b][k] / (1 − 2^(−(age + SHOAL_AGE_PRIOR_MS)/half_life[k]))
 *
 * age_ms ≥ 0: since the user's first event. Without it, counters with a long half-life go on growing
 * for weeks after a log begins, and with them every score. */
void shoal_counters_rates(const float counters[SHOAL_COUNTERS], int64_t age_ms,
                          float rates[SHOAL_COUNTERS]);

#endif
