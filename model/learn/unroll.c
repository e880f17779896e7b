/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk's memory, its forward pass and its loss; the backward pass is in backward.c. */
#include "model/learn/unroll.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/few_rows.h"
#include "model/learn/random.h"
#include "model/lstm.h"
#include "model/vmath.h"

enum { ALIGNMENT_FLOATS = 16 };

/* Hands out `count` floats of the block; with block NULL only counts. */
static float *take(float *block, size_t *position, size_t count)
{
    float *taken = block ? block + *position : NULL;
    *position += (count + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
    return taken;
}

static size_t lay_out(struct shoal_unroll *u, float *block)
{
    size_t rows = u->batch * u->steps, hidden = u->dims.hidden;
    size_t inputs = shoal_dims_inputs(&u->dims), position = 0;
    u->block = block;
    u->xh = take(block, &position, rows * (inputs + hidden));
    u->gates = take(block, &position, rows * 4 * hidden);
    u->c_previous = take(block, &position, rows * hidden);
    u->c = take(block, &position, rows * hidden);
    u->tanh_c = take(block, &position, rows * hidden);
    u->h = take(block, &position, rows * hidden);
    u->inputs_mask = take(block, &position, rows * inputs);
    u->hidden_mask = take(block, &position, rows * hidden);
    u->recurrent_mask = take(block, &position, u->batch * hidden);
    u->logits = take(block, &position, rows * SHOAL_TASKS);
    u->dlogits = take(block, &position, rows * SHOAL_TASKS);
    u->dh_more = take(block, &position, rows * hidden);
    u->dx = take(block, &position, rows * inputs);
    u->dh = take(block, &position, u->batch * hidden);
    u->dc = take(block, &position, u->batch * hidden);
    u->carried_h = take(block, &position, u->batch * hidden);
    u->carried_c = take(block, &position, u->batch * hidden);
    return position;
}

enum shoal_status shoal_unroll_create(const struct shoal_dims *dims, size_t batch, size_t steps,
                                      struct shoal_unroll **unroll)
{
    *unroll = NULL;
    struct shoal_unroll *u = calloc(1, sizeof *u);
    if (!u)
        return SHOAL_NOMEM;
    u->dims = *dims;
    u->batch = batch;
    u->steps = steps;
    size_t bytes = lay_out(u, NULL) * sizeof(float);
    float *block = aligned_alloc(64, bytes);
    u->cells = calloc(batch * steps, sizeof *u->cells);
    if (!block || !u->cells) {
        free(block);
        shoal_unroll_destroy(u);
        return SHOAL_NOMEM;
    }
    memset(block, 0, bytes);
    lay_out(u, block);
    for (int task = 0; task < SHOAL_TASKS; task++)
        u->mix.scale[task] = 1;
    u->mix.share[SHOAL_buy_24h] = 1;
    u->mix.positive = 1;
    *unroll = u;
    return SHOAL_OK;
}

void shoal_unroll_destroy(struct shoal_unroll *unroll)
{
    if (!unroll)
        return;
    free(unroll->block);
    free(unroll->cells);
    free(unroll);
}

/* mask[i] = 0 with probability `share`, else 1/(1 − share): four 16-bit decisions a number. */
static void draw_mask(float *mask, size_t count, float share, uint64_t key, uint64_t first)
{
    uint32_t bound = (uint32_t)(share * 65536.0f);
    float kept = 1.0f / (1.0f - share);
    for (size_t i = 0; i < count; i += 4) {
        uint64_t bits = shoal_random_at(key, first + i / 4);
        for (size_t j = 0; j < 4 && i + j < count; j++, bits >>= 16)
            mask[i + j] = (uint32_t)(bits & 0xffff) < bound ? 0.0f : kept;
    }
}

static void draw_masks(struct shoal_unroll *u, const struct shoal_dropout *dropout)
{
    size_t rows = u->used * u->batch, inputs = shoal_dims_inputs(&u->dims);
    size_t row_max = u->steps * u->batch;
    u->inputs_dropped = dropout && dropout->inputs > 0;
    u->hidden_dropped = dropout && dropout->hidden > 0;
    u->recurrent_dropped = dropout && dropout->recurrent > 0;
    if (u->recurrent_dropped)
        draw_mask(u->recurrent_mask, u->batch * u->dims.hidden, dropout->recurrent,
                  dropout->recurrent_key, dropout->chunk * u->batch * u->dims.hidden);
    if (u->inputs_dropped)
        draw_mask(u->inputs_mask, rows * inputs, dropout->inputs, dropout->inputs_key,
                  dropout->chunk * row_max * inputs);
    if (u->hidden_dropped)
        draw_mask(u->hidden_mask, rows * u->dims.hidden, dropout->hidden, dropout->hidden_key,
                  dropout->chunk * row_max * u->dims.hidden);
}

/* x_t of every stream into row (t, b) of xh; h_{t−1} beside it, c_{t−1} into c_previous and c. */
static void load_step(struct shoal_unroll *u, const struct shoal_params *params, size_t t)
{
    size_t hidden = u->dims.hidden, inputs = shoal_dims_inputs(&u->dims);
    for (size_t b = 0; b < u->batch; b++) {
        size_t row = t * u->batch + b;
        const struct shoal_unroll_cell *cell = &u->cells[row];
        float *x = u->xh + row * (inputs + hidden), *h = x + inputs;
        if (cell->features)
            shoal_features_gather(params, cell->features, x);
        else
            memset(x, 0, inputs * sizeof *x);
        if (u->inputs_dropped)
            for (size_t i = 0; i < inputs; i++)
                x[i] *= u->inputs_mask[row * inputs + i];
        size_t before = row - u->batch; /* row (t − 1, b) */
        const float *h_from = t ? u->h + before * hidden : u->carried_h + b * hidden;
        const float *c_from = t ? u->c + before * hidden : u->carried_c + b * hidden;
        float *c_previous = u->c_previous + row * hidden;
        if (cell->starts) {
            memset(h, 0, hidden * sizeof *h);
            memset(c_previous, 0, hidden * sizeof *c_previous);
        } else {
            memcpy(h, h_from, hidden * sizeof *h);
            for (size_t j = 0; u->recurrent_dropped && j < hidden; j++)
                h[j] *= u->recurrent_mask[b * hidden + j];
            memcpy(c_previous, c_from, hidden * sizeof *c_previous);
        }
        memcpy(u->c + row * hidden, c_previous, hidden * sizeof *c_previous);
    }
}

/* logit_n = head_hidden[n]·(mask∘h) + head_counters[n]·counters + head_bias[n] */
static void run_head(struct shoal_unroll *u, const struct shoal_params *params)
{
    size_t hidden = u->dims.hidden;
    float *masked = u->dh; /* free until the backward pass */
    for (size_t row = 0; row < u->used * u->batch; row++) {
        const struct shoal_unroll_cell *cell = &u->cells[row];
        const float *h = u->h + row * hidden;
        float *logits = u->logits + row * SHOAL_TASKS;
        memset(logits, 0, SHOAL_TASKS * sizeof *logits);
        if (!cell->features)
            continue;
        if (u->hidden_dropped) {
            for (size_t j = 0; j < hidden; j++)
                masked[j] = h[j] * u->hidden_mask[row * hidden + j];
            h = masked;
        }
        for (size_t n = 0; n < SHOAL_TASKS; n++)
            logits[n] = shoal_dot(params->head_hidden + n * hidden, h, hidden) +
                        shoal_dot(params->head_counters + n * SHOAL_COUNTERS, cell->counters,
                                  SHOAL_COUNTERS) +
                        params->head_bias[n];
    }
}

/* gates (B×4H) = xh (B×K) · weight (K×4H). BLIS would pack the weights anew in every step. */
static void multiply(size_t batch, size_t columns, size_t width, const float *xh,
                     const float *weight, float *gates)
{
    if (batch <= SHOAL_FEW_ROWS)
        shoal_few_rows_gemm(batch, columns, width, xh, width, weight, columns, gates, columns);
    else
        shoal_gemm(false, false, batch, columns, width, 1.0f, xh, width, weight, columns, 0.0f,
                   gates, columns);
}

void shoal_unroll_forward(struct shoal_unroll *unroll, const struct shoal_params *params,
                          size_t steps, const struct shoal_dropout *dropout)
{
    struct shoal_unroll *u = unroll;
    size_t batch = u->batch, hidden = u->dims.hidden;
    size_t width = shoal_dims_inputs(&u->dims) + hidden;
    u->used = steps;
    draw_masks(u, dropout);
    for (size_t t = 0; t < steps; t++) {
        load_step(u, params, t);
        size_t row = t * batch;
        float *gates = u->gates + row * 4 * hidden;
        multiply(batch, 4 * hidden, width, u->xh + row * width, params->gates_weight, gates);
        shoal_lstm_cell(batch, hidden, gates, params->gates_bias, u->c + row * hidden, hidden,
                        u->tanh_c + row * hidden, u->h + row * hidden, hidden);
    }
    run_head(u, params);
    if (u->more)
        memset(u->dh_more, 0, u->steps * batch * hidden * sizeof *u->dh_more);
    u->more = false;
    if (steps > 0) {
        size_t last = (steps - 1) * batch * hidden;
        memcpy(u->carried_h, u->h + last, batch * hidden * sizeof *u->h);
        memcpy(u->carried_c, u->c + last, batch * hidden * sizeof *u->c);
    }
}

/* log(1 + e^z) */
static double softplus(double z)
{
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

/* −t·log σ(z) − (1 − t)·log(1 − σ(z)) for 0 ≤ t ≤ 1 */
static double cross_entropy(double z, double target)
{
    return target >= 1   ? softplus(-z)
           : target <= 0 ? softplus(z)
                         : target * softplus(-z) + (1 - target) * softplus(z);
}

/* dloss/dz: σ(z) − y, or of a count e^z − y; z is bounded so that one wild event cannot end everything. */
static float slope_of(enum shoal_task task, double z, double target)
{
    if (shoal_task_info(task)->kind == SHOAL_TASK_COUNT)
        return (float)(exp(fmin(z, 12)) - target);
    return (float)(1 / (1 + exp(-z)) - target);
}

double shoal_unroll_loss(struct shoal_unroll *unroll, double *weight)
{
    double loss = 0;
    *weight = 0;
    for (size_t row = 0; row < unroll->used * unroll->batch; row++) {
        const struct shoal_unroll_cell *cell = &unroll->cells[row];
        const float *logits = unroll->logits + row * SHOAL_TASKS;
        float *dlogits = unroll->dlogits + row * SHOAL_TASKS;
        memset(dlogits, 0, SHOAL_TASKS * sizeof *dlogits);
        if (!cell->features || cell->weight == 0)
            continue;
        for (size_t n = 0; n < SHOAL_TASKS; n++)
            if (cell->tasks & 1u << n)
                dlogits[n] = cell->weight * unroll->mix.scale[n] *
                             slope_of((enum shoal_task)n, (double)logits[n], (double)cell->targets[n]);
        if (cell->tasks & 1u << SHOAL_buy_24h) {
            float target = cell->targets[SHOAL_buy_24h];
            float factor = target >= 1 ? unroll->mix.positive : 1 + target * (unroll->mix.positive - 1);
            dlogits[SHOAL_buy_24h] *= factor;
            loss += (double)(cell->weight * factor) *
                    cross_entropy((double)logits[SHOAL_buy_24h], (double)target);
            *weight += (double)(cell->weight * factor);
        }
    }
    return loss;
}
