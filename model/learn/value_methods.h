/* SPDX-License-Identifier: Apache-2.0 */
/* The two methods of customer value on the same users, and what each expects of users that it has not seen.
 *
 *   purchases and user vectors up to the cut  ─►  expected spend within the horizon  ~  outcome
 *
 * BG/NBD with Gamma-Gamma learns from the purchases alone, ZILN from the outcomes as well. To compare them, the
 * users are parted into folds by the seed; each fold's users are judged by what the other folds teach. */
#ifndef SHOAL_LEARN_VALUE_METHODS_H
#define SHOAL_LEARN_VALUE_METHODS_H

#include "model/learn/bgnbd.h"
#include "model/learn/gamma_gamma.h"
#include "model/value_parts.h"

enum { SHOAL_VALUE_FOLDS = 5 };

/* Users at the cut; nothing is owned. */
struct shoal_value_data {
    const struct shoal_purchases *purchases;
    const float *outcomes; /* spent within the horizon after the cut; NULL: not known */
    const float *inputs;   /* count × N as ziln.h has them; NULL: ZILN is not wanted */
    size_t inputs_count;   /* N = V + SHOAL_ZILN_PURCHASES */
    size_t count;
    int64_t now_ms, horizon_ms; /* the cut, and how far it is looked ahead */
    uint64_t seed;
};

/* Learns from the users rows[0 … count). *value is the caller's (shoal_value_destroy), without tiers yet. ridge:
 * for ZILN. TOO_FEW with how many are needed; NOMEM. */
enum shoal_status shoal_value_fit(const struct shoal_value_data *data,
                                  enum shoal_value_method method, const uint32_t *rows,
                                  size_t count, double ridge, struct shoal_value **value,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;
/* What the method expects of every user, learnt from users of other folds. *ridge: of those tried (one fold of
 * the learning part judges them), the one taken most often. TOO_FEW, NOMEM. */
enum shoal_status shoal_value_hold_out(const struct shoal_value_data *data,
                                       enum shoal_value_method method, float *expected,
                                       double *ridge,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* The fold of a user. */
uint32_t shoal_value_fold(uint64_t seed, size_t user);

#endif
