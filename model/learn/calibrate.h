/* SPDX-License-Identifier: Apache-2.0 */
/* From logits to probabilities that can be believed (Platt 1999, with his smoothed targets), and
 * from probabilities to the thresholds of the intent segments. */
#ifndef SHOAL_LEARN_CALIBRATE_H
#define SHOAL_LEARN_CALIBRATE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_calibration {
    double slope, intercept; /* p = σ(slope·logit + intercept); slope > 0: the order stays */
};

/* Fits to logits and labels (0 or 1) of `count` events. A prior of SHOAL_CALIBRATION_PRIOR events
 * holds the slope near 1. With one class, or a slope that would not be positive, only the intercept
 * is fitted. Cannot fail. */
enum { SHOAL_CALIBRATION_PRIOR = 50 };
struct shoal_calibration shoal_calibrate(const double *logits, const int8_t *labels, size_t count);

/* warm and hot: the scores below which 70 % and 90 % of the events lie, moved apart and inside (0, 1)
 * where the scores are too alike. NOMEM. */
enum shoal_status shoal_thresholds(const float *scores, size_t count, float *warm, float *hot)
    SHOAL_MUST_CHECK;

#endif
