/* SPDX-License-Identifier: Apache-2.0 */
/* Binary cross entropy with self-paced loss correction: for labels whose zeros are right and whose ones may
 * be wrong (the second stage of the two-stage model with missing labels, WWW 2025).
 *
 * An outcome after a contact is called prompted, though some would have come anyway; who they are is never
 * seen. Once the model has warmed up, a positive that it finds improbable is taken for one of those:
 *
 *   loss_i = −log(1 − p_i)   label 0
 *            −log p_i        label 1, p_i > τ, or while warming up
 *            −log(1 − p_i)   label 1, p_i ≤ τ
 *
 * p = σ(w·x + b). τ = 0 corrects nothing. Which τ is right depends on the data and is unstable: the caller
 * chooses it on rows that the fit has not seen. */
#ifndef SHOAL_LEARN_SELF_PACED_H
#define SHOAL_LEARN_SELF_PACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_self_paced {
    double tau, ridge;        /* ridge: of each weight but the bias */
    double rate;              /* step of Adam, an epoch a step over all rows */
    uint32_t warm_up, epochs; /* epochs without correction, and in all */
};

struct shoal_self_paced_data {
    const double *x;          /* count × width */
    const uint8_t *labels;    /* 0 or 1 */
    const double *importance; /* > 0; NULL: 1 */
    size_t count, width;
};

/* τ 0, ridge 0.01, rate 0.05, 100 of 200 epochs to warm up */
struct shoal_self_paced shoal_self_paced_default(void);
/* Learns weights[width + 1], the bias last, from zeros. NOMEM. */
enum shoal_status shoal_self_paced_fit(const struct shoal_self_paced_data *data,
                                       const struct shoal_self_paced *options, double *weights)
    SHOAL_MUST_CHECK;
/* The mean loss in an epoch, and its gradient[width + 1] (NULL: not wanted), both without the ridge. */
double shoal_self_paced_loss(const struct shoal_self_paced_data *data, const double *weights, double tau,
                             bool corrected, double *gradient);

#endif
