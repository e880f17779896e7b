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

/* Half-lives in ms: 1 h, 1 d, 7 d. */
extern const int64_t shoal_half_lives_ms[SHOAL_HALF_LIVES];

/* Lets `gap_ms` ≥ 0 pass: every counter decays. */
void shoal_counters_decay(float counters[SHOAL_COUNTERS], int64_t gap_ms);
/* Decays by `gap_ms`, then counts one event of `behavior`. */
void shoal_counters_advance(float counters[SHOAL_COUNTERS], int64_t gap_ms,
                            enum shoal_behavior behavior);

#endif
