/* SPDX-License-Identifier: Apache-2.0 */
/* Zero-inflated lognormal head (Wang, Liu, Miao 2019, A deep probabilistic model for customer lifetime value
 * prediction), linear in its inputs:
 *
 *   P(spends) = σ(logit)     ln(spend) ~ Normal(µ, s) of those who do     E[spend] = P(spends)·e^(µ + s²/2)
 *   [logit, µ, ln s] = W·z + bias,   z_n = (input_n − mean_n)/deviation_n, held within ±ZILN_Z_MAX
 *   input (N = V + SHOAL_ZILN_PURCHASES) = [ user vector u (V; may be none) | of the purchases ]
 *
 * The user vector knows what was looked at; what was paid it does not, which the purchases add. */
#ifndef SHOAL_ZILN_H
#define SHOAL_ZILN_H

#include <stddef.h>
#include <stdint.h>

#include "model/purchases.h"

enum {
    SHOAL_ZILN_PURCHASES = 6, /* has bought; log1p of repeats, weeks since the last, weeks since the first, mean
                               * spend of the repeats; has bought again: else that mean is not known */
    SHOAL_ZILN_HEADS = 3,     /* logit, µ, ln s */
};

struct shoal_ziln {
    size_t inputs;   /* N */
    float *mean;     /* owned, with all that follows: N */
    float *deviation;/* N, > 0 */
    float *weights;  /* SHOAL_ZILN_HEADS × (N + 1), the bias last */
    float most;      /* no expectation is above this: the most that anybody spent */
};

/* Floats behind `mean` in all, one block. */
size_t shoal_ziln_size(size_t inputs);
/* Points into a block of that size, which it then owns. */
void shoal_ziln_place(struct shoal_ziln *ziln, size_t inputs, float *block);
void shoal_ziln_finish(struct shoal_ziln *ziln);

/* The inputs that come from the purchases. */
void shoal_ziln_purchases(const struct shoal_purchases *purchases, int64_t now_ms,
                          float inputs[SHOAL_ZILN_PURCHASES]);
/* E[spend], 0 … most, of inputs[0 … first_count) followed by `rest`. */
double shoal_ziln_expected(const struct shoal_ziln *ziln, const float *first, size_t first_count,
                           const float *rest);
/* The same from the three heads; ln s is held within what is sensible. *log_deviation: as held. */
double shoal_ziln_mean(double logit, double mu, double log_deviation);
double shoal_ziln_hold(double log_deviation);
/* z of one input. */
double shoal_ziln_standardise(const struct shoal_ziln *ziln, size_t input, double value);

#endif
