/* SPDX-License-Identifier: Apache-2.0 */
/* What a model is: dimensions, origin, thresholds, calibration. */
#ifndef SHOAL_DESCRIBE_MODEL_H
#define SHOAL_DESCRIBE_MODEL_H

#include "model/model.h"
#include "stream/put_json.h"

/* An object under `key`: version, dims {…}, parameters (how many), warm, hot, origin {train_from,
 * train_until, events, users, seed, data_fingerprint, roc_auc, log_loss, base_rate}, calibration {kind:
 * "line" | "isotonic", slope, intercept, knots: [[logit, calibrated logit], …]} of the score,
 * value: {method: "bg_nbd" | "ziln", horizon_ms, middle, high} or null. */
void shoal_describe_model(struct shoal_put *put, const char *key, const struct shoal_model *model);

#endif
