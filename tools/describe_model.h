/* SPDX-License-Identifier: Apache-2.0 */
/* What a model is: dimensions, origin, thresholds, calibration. */
#ifndef SHOAL_DESCRIBE_MODEL_H
#define SHOAL_DESCRIBE_MODEL_H

#include <stdio.h>

#include "model/model.h"

/* One JSON object: version, dims {…}, parameters (how many), warm, hot, origin {train_from,
 * train_until, events, users, seed, data_fingerprint, roc_auc, log_loss, base_rate}, calibration {kind:
 * "line" | "isotonic", slope, intercept, knots: [[logit, calibrated logit], …]} of the score. */
void shoal_describe_model_json(const struct shoal_model *model, FILE *out);

#endif
