/* SPDX-License-Identifier: Apache-2.0 */
/* Fits the zero-inflated lognormal head (../ziln.h) by its own loss (Wang, Liu, Miao 2019, equation 4):
 *
 *   loss = mean over the users of  −ln σ(±logit) + [y > 0]·(ln y + ln s + ln(2π)/2 + (ln y − µ)²/(2·s²))
 *          + ridge/2·Σ weight²      (the biases are not drawn to 0)
 *
 * Of many users, the first SHOAL_ZILN_USERS_MAX that are given are learnt from: shuffle them. */
#ifndef SHOAL_LEARN_ZILN_H
#define SHOAL_LEARN_ZILN_H

#include "model/base/status.h"
#include "model/ziln.h"

/* Fewer users who spend, or fewer who do not, say too little. */
enum { SHOAL_ZILN_SPENDERS_MIN = 20, SHOAL_ZILN_USERS_MIN = 50, SHOAL_ZILN_USERS_MAX = 20000 };

struct shoal_ziln_data {
    const float *inputs;   /* all users × N */
    const float *outcomes; /* y ≥ 0 of all users */
    size_t inputs_count;   /* N */
    const uint32_t *rows;  /* which users to learn from */
    size_t count;
};

/* The loss of weights[SHOAL_ZILN_HEADS × (N + 1)] on z[count × N], and its gradient (NULL: not wanted). */
double shoal_ziln_loss(const double *z, const double *outcomes, size_t count, size_t inputs,
                       double ridge, const double *weights, double *gradient);
/* TOO_FEW with how many are needed; NOMEM. *ziln is the caller's (shoal_ziln_finish). */
enum shoal_status shoal_ziln_fit(const struct shoal_ziln_data *data, double ridge,
                                 struct shoal_ziln *ziln,
                                 struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
