/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regression on the decayed counters: the bar to beat, and where the network starts.
 *
 *   logit = Σ_k weight_k·(log1p(counter_k) − mean_k)/deviation_k + bias
 *
 * fitted by Newton's method (iteratively reweighted least squares) with a ridge on the weights. */
#ifndef SHOAL_LEARN_REGRESSION_H
#define SHOAL_LEARN_REGRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/counters.h"

struct shoal_regression {
    double mean[SHOAL_COUNTERS], deviation[SHOAL_COUNTERS]; /* of log1p(counter) */
    double weights[SHOAL_COUNTERS];
    double bias;
};

/* counters (count × SHOAL_COUNTERS): as they are, not yet logarithms; rows whose label is not 0 or 1
 * are left out. TOO_FEW without at least one row of either label; NOMEM. */
enum shoal_status shoal_regression_fit(const float *counters, const int8_t *labels, size_t count,
                                       struct shoal_regression *regression,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* Probability for one row of counters. */
double shoal_regression_predict(const struct shoal_regression *regression,
                                const float counters[SHOAL_COUNTERS]);

#endif
