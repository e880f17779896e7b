/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression on the decayed counters: the bar to beat, and where the network starts.
 *
 *   logit = Σ_k weight_k·(log1p(rate_k) − mean_k)/deviation_k + bias
 *
 * fitted by Newton's method (iteratively reweighted least squares) with a ridge on the weights:
 * minimises Σ_i importance_i·loss_i + ridge·(Σ_i importance_i)·Σ_k weight_k²/2. The ridge is a share of
 * the data because events of one user say nearly the same: the number of events is no measure of
 * how much is known. */
#ifndef SHOAL_LEARN_REGRESSION_H
#define SHOAL_LEARN_REGRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/counters.h"

struct shoal_regression {
    double mean[SHOAL_COUNTERS], deviation[SHOAL_COUNTERS]; /* of log1p(rate) */
    double weights[SHOAL_COUNTERS];
    double bias;
};

/* What to fit: rows whose label is not 0 or 1 are left out. */
struct shoal_regression_data {
    const float *counters;   /* count × SHOAL_COUNTERS: as they are, not yet logarithms */
    const int8_t *labels;
    const float *importance; /* of each row, > 0; NULL: 1 */
    size_t count;
    /* Where these are given, instead of the labels: numbers ≥ 0 (a row with less is left out), each
     * `counts_stride` after the last; the regression is then Poisson's, log E[number] = the sum above. */
    const float *counts;
    size_t counts_stride;
};

/* TOO_FEW without at least one row of either label; NOMEM. */
enum shoal_status shoal_regression_fit(const struct shoal_regression_data *data, double ridge,
                                       struct shoal_regression *regression,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* Says the same on inputs standardised as `like` is. */
void shoal_regression_restate(struct shoal_regression *regression,
                              const struct shoal_regression *like);
/* Fits with each of a list of ridges (1e-5 to 0.3) and takes the one with the smallest log loss on
 * `judge`, where every row counts the same: later events, so that the choice is by time. */
enum shoal_status shoal_regression_choose(const struct shoal_regression_data *data,
                                          const struct shoal_regression_data *judge, double *ridge,
                                          struct shoal_regression *regression,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* Probability for one row of counters. */
double shoal_regression_predict(const struct shoal_regression *regression,
                                const float counters[SHOAL_COUNTERS]);

#endif
