/* SPDX-License-Identifier: Apache-2.0 */
/* One model step for a batch of different users: gather, one GEMM, cell, head.
 *
 * Invariant: a row's h, c and score are the same bits whatever else is in the batch (batch
 * invariance). Workspace is owned by one worker; the model is shared and read-only. */
#ifndef SHOAL_STEP_H
#define SHOAL_STEP_H

#include "model/features.h"
#include "model/model.h"

enum shoal_precision {
    SHOAL_FP16, /* h and c are rounded to half precision after every step (default) */
    SHOAL_FP32,
};

struct shoal_step_row {
    struct shoal_features features;
    float *h, *c;           /* H each, in and out */
    const float *counters;  /* SHOAL_COUNTERS rates (shoal_counters_rates), this event counted; NULL: no score wanted */
    float correction;       /* of the logit, see correction.h; 0: none */
    float score;            /* out: calibrated probability of a purchase within 24 h, corrected */
    float uncorrected;      /* out: the same without the correction */
};

struct shoal_step;

enum shoal_status shoal_step_create(const struct shoal_model *model, size_t max_batch,
                                    enum shoal_precision precision, struct shoal_step **step)
    SHOAL_MUST_CHECK;
void shoal_step_destroy(struct shoal_step *step);
/* count ≤ any number; runs in slices of max_batch. Cannot fail. */
void shoal_step_run(struct shoal_step *step, struct shoal_step_row *rows, size_t count);

#endif
