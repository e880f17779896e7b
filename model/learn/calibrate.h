/* SPDX-License-Identifier: Apache-2.0 */
/* From logits to probabilities that can be believed (Platt 1999), and from probabilities to the
 * thresholds of the intent segments.
 *
 * A validation part of a day or so says less than its number of events suggests: a user's events
 * nearly repeat each other, and days differ as a whole. So the data count as many observations as
 * there are users, and the correction is held near none by a prior: slope ~ N(1, 0.15²),
 * intercept ~ N(0, 0.1²), the spread of a day's base rate on the logit scale. With thousands of users
 * the prior is forgotten. */
#ifndef SHOAL_LEARN_CALIBRATE_H
#define SHOAL_LEARN_CALIBRATE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_calibration {
    double slope, intercept; /* p = σ(slope·logit + intercept); slope > 0: the order stays */
};

/* Fits to logits and labels (0 or 1) of `count` events of `users_count` users. Where the slope would
 * not be positive, only the intercept is fitted. Cannot fail. */
struct shoal_calibration shoal_calibrate(const double *logits, const int8_t *labels, size_t count,
                                         size_t users_count);

/* warm and hot: the scores below which 70 % and 90 % of the events lie, moved apart and inside (0, 1)
 * where the scores are too alike. NOMEM. */
enum shoal_status shoal_thresholds(const float *scores, size_t count, float *warm, float *hot)
    SHOAL_MUST_CHECK;

#endif
