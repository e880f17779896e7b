/* SPDX-License-Identifier: Apache-2.0 */
/* The backward pass through a chunk: from dL/dlogit to every parameter.
 *
 *   dh_t  = Σ_n share_n·dlogit_{t,n}·head_hidden[n]∘mask + dh_more_t + (dz_{t+1}·W_hᵀ)
 *                                                                  do = dh∘tanh(c)
 *   dc_t  = dh∘o∘(1 − tanh²c) + dc_{t+1}∘f_{t+1}                   di = dc∘g   dg = dc∘i   df = dc∘c_{t−1}
 *   dz    = [di∘i(1−i) | df∘f(1−f) | dg∘(1−g²) | do∘o(1−o)]        (B×4H, over the gates in place)
 *   dW    = [x|h]ᵀ·dz  (K×4H, one GEMM over all T·B rows)          dx = dz·W_xᵀ  (T·B×D, one GEMM)
 *
 * A user's first event lets nothing through to the row's previous user. Werbos 1990; Hochreiter &
 * Schmidhuber 1997 with forget gates (Gers et al. 2000). */
#include "model/learn/unroll.h"

#include <string.h>

#include "model/blas.h"
#include "model/learn/cell_back.h"
#include "model/vmath_lanes.h"

static void scale_rows(float *values, float scale, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= scale;
}

/* to += factor·from∘mask (mask may be NULL); count is a multiple of 8. */
static void add_scaled(float *to, float factor, const float *from, const float *mask, size_t count)
{
    v8 f = v8_set(factor);
    for (size_t i = 0; i < count; i += V8_WIDTH) {
        v8 value = f * v8_load(from + i);
        if (mask)
            value *= v8_load(mask + i);
        v8_store(to + i, v8_load(to + i) + value);
    }
}

static void head_gradients(const struct shoal_unroll *u, struct shoal_params *gradients)
{
    size_t hidden = u->dims.hidden;
    for (size_t row = 0; row < u->used * u->batch; row++)
        for (size_t n = 0; n < SHOAL_TASKS; n++) {
            float dlogit = u->dlogits[row * SHOAL_TASKS + n];
            if (dlogit == 0)
                continue;
            add_scaled(gradients->head_hidden + n * hidden, dlogit, u->h + row * hidden,
                       u->hidden_dropped ? u->hidden_mask + row * hidden : NULL, hidden);
            for (size_t k = 0; k < SHOAL_COUNTERS; k++)
                gradients->head_counters[n * SHOAL_COUNTERS + k] +=
                    dlogit * u->cells[row].counters[k];
            gradients->head_bias[n] += dlogit;
        }
}

/* dh (H) of one row += what its tasks and the other objectives say. */
static void arrive(const struct shoal_unroll *u, const struct shoal_params *params, size_t row,
                   float *dh)
{
    size_t hidden = u->dims.hidden;
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        float share = u->mix.share[n] * u->dlogits[row * SHOAL_TASKS + n];
        if (share != 0)
            add_scaled(dh, share, params->head_hidden + n * hidden,
                       u->hidden_dropped ? u->hidden_mask + row * hidden : NULL, hidden);
    }
    if (u->more)
        add_scaled(dh, 1.0f, u->dh_more + row * hidden, NULL, hidden);
}

static void step_back(struct shoal_unroll *u, const struct shoal_params *params, size_t t)
{
    size_t hidden = u->dims.hidden, batch = u->batch, inputs = shoal_dims_inputs(&u->dims);
    float *dz = u->gates + t * batch * 4 * hidden;
    for (size_t b = 0; b < batch; b++) {
        size_t row = t * batch + b;
        float *dh = u->dh + b * hidden;
        arrive(u, params, row, dh);
        shoal_cell_back(hidden, u->gates + row * 4 * hidden, u->c_previous + row * hidden,
                        u->tanh_c + row * hidden, dh, u->dc + b * hidden);
    }
    if (t == 0)
        return;
    /* dh_{t−1} (B×H) = dz (B×4H) · W_hᵀ */
    shoal_gemm(false, true, batch, hidden, 4 * hidden, 1.0f, dz, 4 * hidden,
               params->gates_weight + inputs * 4 * hidden, 4 * hidden, 0.0f, u->dh, hidden);
    if (u->recurrent_dropped)
        for (size_t i = 0; i < batch * hidden; i++)
            u->dh[i] *= u->recurrent_mask[i];
    for (size_t b = 0; b < batch; b++)
        if (u->cells[t * batch + b].starts) {
            memset(u->dh + b * hidden, 0, hidden * sizeof *u->dh);
            memset(u->dc + b * hidden, 0, hidden * sizeof *u->dc);
        }
}

/* The rows of the embedding tables that were used get what arrived at their copies in x. */
static void scatter(const struct shoal_unroll *u, struct shoal_params *gradients)
{
    const struct shoal_dims *d = &u->dims;
    size_t inputs = shoal_dims_inputs(d);
    for (size_t row = 0; row < u->used * u->batch; row++) {
        const struct shoal_features *features = u->cells[row].features;
        if (!features)
            continue;
        const float *dx = u->dx + row * inputs;
        const float *mask = u->inputs_dropped ? u->inputs_mask + row * inputs : NULL;
        const struct {
            float *table;
            size_t row, width;
        } parts[] = {
            {gradients->item_embedding, features->item_row, d->item_width},
            {gradients->category_embedding, features->category_row, d->category_width},
            {gradients->behavior_embedding, features->behavior, d->behavior_width},
        };
        size_t at = 0;
        for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
            float *to = parts[p].table + parts[p].row * parts[p].width;
            for (size_t i = 0; i < parts[p].width; i++, at++)
                to[i] += mask ? dx[at] * mask[at] : dx[at];
        }
    }
}

void shoal_unroll_backward(struct shoal_unroll *unroll, const struct shoal_params *params,
                           float scale, struct shoal_params *gradients)
{
    struct shoal_unroll *u = unroll;
    size_t hidden = u->dims.hidden, inputs = shoal_dims_inputs(&u->dims);
    size_t rows = u->used * u->batch, width = inputs + hidden;
    scale_rows(u->dlogits, scale, rows * SHOAL_TASKS);
    if (u->more)
        scale_rows(u->dh_more, scale, rows * hidden);
    head_gradients(u, gradients);
    memset(u->dh, 0, u->batch * hidden * sizeof *u->dh);
    memset(u->dc, 0, u->batch * hidden * sizeof *u->dc);
    for (size_t t = u->used; t-- > 0;)
        step_back(u, params, t);
    shoal_gemm(true, false, width, 4 * hidden, rows, 1.0f, u->xh, width, u->gates, 4 * hidden, 1.0f,
               gradients->gates_weight, 4 * hidden);
    for (size_t row = 0; row < rows; row++)
        add_scaled(gradients->gates_bias, 1.0f, u->gates + row * 4 * hidden, NULL, 4 * hidden);
    shoal_gemm(false, true, rows, inputs, 4 * hidden, 1.0f, u->gates, 4 * hidden,
               params->gates_weight, 4 * hidden, 0.0f, u->dx, inputs);
    scatter(u, gradients);
}
