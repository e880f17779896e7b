/* SPDX-License-Identifier: Apache-2.0 */
/* One step for a batch; see step.h.
 *
 *   rows ──gather──► x (B×K, K = D + H) ──one GEMM──► gates (B×4H) ──cell, row by row──► h, c of
 * the rows, rounded ──dot──► logit ──calibration, correction, sigmoid──► score
 *
 * Why the order is what it is: the GEMM is batch-invariant (blas.h; a few rows go through
 * few_rows.h, if that was seen to give the same bits here); all that follows reads one row only,
 * and sums over it in a fixed order. So a row's bits cannot depend on its neighbours. The cell
 * writes straight into the rows' h and c: x holds a copy of h_{t−1} already. */
#include "model/step.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/few_rows.h"
#include "model/half.h"
#include "model/lstm.h"
#include "model/vmath.h"

struct shoal_step {
    const struct shoal_model *model; /* not owned */
    enum shoal_precision precision;
    size_t max_batch;
    size_t inputs, hidden; /* D, H */
    bool few_rows_agree;
    float *x;        /* B×(D + H), owned; the others lie behind it in the same block */
    float *gates;    /* B×4H */
    float *tanh_c;   /* H: wanted by training only */
    float *counters; /* B×SHOAL_COUNTERS, standardised */
    float *logits;   /* B */
    float *corrected; /* B */
};

/* Rows of a slice at most: x and gates (400 KB) then stay in a second-level cache, and BLIS has
 * reached its full rate. */
enum { SLICE_MAX = 256 };

enum { ALIGNMENT_BYTES = 64, ALIGNMENT_FLOATS = ALIGNMENT_BYTES / sizeof(float) };

static size_t padded(size_t floats)
{
    return (floats + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
}

enum shoal_status shoal_step_create(const struct shoal_model *model, size_t max_batch,
                                    enum shoal_precision precision, struct shoal_step **step)
{
    *step = NULL;
    size_t inputs = shoal_dims_inputs(&model->params.dims), hidden = model->params.dims.hidden;
    if (!max_batch)
        return SHOAL_INVALID;
    if (max_batch > SLICE_MAX)
        max_batch = SLICE_MAX;
    size_t x = padded(max_batch * (inputs + hidden)), gates = padded(max_batch * 4 * hidden);
    size_t counters = padded(max_batch * SHOAL_COUNTERS), logits = padded(max_batch);
    size_t floats = x + gates + padded(hidden) + counters + 2 * logits;
    struct shoal_step *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    made->x = aligned_alloc(ALIGNMENT_BYTES, floats * sizeof(float));
    if (!made->x) {
        free(made);
        return SHOAL_NOMEM;
    }
    made->model = model;
    made->precision = precision;
    made->max_batch = max_batch;
    made->inputs = inputs;
    made->hidden = hidden;
    made->few_rows_agree =
        shoal_few_rows_agree(4 * hidden, inputs + hidden, model->params.gates_weight, 4 * hidden);
    made->gates = made->x + x;
    made->tanh_c = made->gates + gates;
    made->counters = made->tanh_c + padded(hidden);
    made->logits = made->counters + counters;
    made->corrected = made->logits + logits;
    *step = made;
    return SHOAL_OK;
}

void shoal_step_destroy(struct shoal_step *step)
{
    if (!step)
        return;
    free(step->x);
    free(step);
}

static void gather(struct shoal_step *step, const struct shoal_step_row *rows, size_t count)
{
    size_t width = step->inputs + step->hidden;
    for (size_t b = 0; b < count; b++) {
        float *x = step->x + b * width;
        shoal_features_gather(&step->model->params, &rows[b].features, x);
        memcpy(x + step->inputs, rows[b].h, step->hidden * sizeof *x);
    }
}

/* gates (B×4H) = x (B×K) · gates_weight (K×4H) */
static void multiply(struct shoal_step *step, size_t count)
{
    const float *weight = step->model->params.gates_weight;
    size_t width = step->inputs + step->hidden, n = 4 * step->hidden;
    if (count <= SHOAL_FEW_ROWS && step->few_rows_agree)
        shoal_few_rows_gemm(count, n, width, step->x, width, weight, n, step->gates, n);
    else
        shoal_gemm(false, false, count, n, width, 1.0f, step->x, width, weight, n, 0.0f,
                   step->gates, n);
}

static void advance_states(struct shoal_step *step, struct shoal_step_row *rows, size_t count)
{
    const struct shoal_params *params = &step->model->params;
    size_t hidden = step->hidden;
    multiply(step, count);
    for (size_t b = 0; b < count; b++) {
        shoal_lstm_cell(1, hidden, step->gates + b * 4 * hidden, params->gates_bias, rows[b].c,
                        hidden, step->tanh_c, rows[b].h, hidden);
        if (step->precision == SHOAL_FP16) {
            shoal_half_round(rows[b].h, hidden);
            shoal_half_round(rows[b].c, hidden);
        }
    }
}

/* counters (B×K): (log1p(rate) − mean)/deviation; rows without counters stay zero. */
static void standardise(struct shoal_step *step, const struct shoal_step_row *rows, size_t count)
{
    const struct shoal_model *model = step->model;
    for (size_t b = 0; b < count; b++) {
        float *z = step->counters + b * SHOAL_COUNTERS;
        if (rows[b].counters)
            memcpy(z, rows[b].counters, SHOAL_COUNTERS * sizeof *z);
        else
            memset(z, 0, SHOAL_COUNTERS * sizeof *z);
    }
    shoal_vlog1p(step->counters, step->counters, count * SHOAL_COUNTERS);
    for (size_t b = 0; b < count; b++) {
        float *z = step->counters + b * SHOAL_COUNTERS;
        for (size_t k = 0; k < SHOAL_COUNTERS; k++)
            z[k] = (z[k] - model->counter_mean[k]) / model->counter_deviation[k];
    }
}

static void score(struct shoal_step *step, struct shoal_step_row *rows, size_t count)
{
    const struct shoal_model *model = step->model;
    const struct shoal_params *params = &model->params;
    standardise(step, rows, count);
    for (size_t b = 0; b < count; b++) {
        float logit =
            shoal_dot(params->head_hidden, rows[b].h, step->hidden) +
            shoal_dot(params->head_counters, step->counters + b * SHOAL_COUNTERS, SHOAL_COUNTERS) +
            params->head_bias[0];
        step->logits[b] = shoal_calibration_apply(&model->calibration[SHOAL_buy_24h], logit);
        step->corrected[b] = step->logits[b] + rows[b].correction;
    }
    shoal_vsigmoid(step->logits, step->logits, count);
    shoal_vsigmoid(step->corrected, step->corrected, count);
    for (size_t b = 0; b < count; b++)
        if (rows[b].counters) {
            rows[b].score = step->corrected[b];
            rows[b].uncorrected = step->logits[b];
        }
}

void shoal_step_run(struct shoal_step *step, struct shoal_step_row *rows, size_t count)
{
    while (count) {
        size_t batch = count < step->max_batch ? count : step->max_batch;
        gather(step, rows, batch);
        advance_states(step, rows, batch);
        score(step, rows, batch);
        rows += batch;
        count -= batch;
    }
}
