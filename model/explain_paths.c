/* SPDX-License-Identifier: Apache-2.0 */
/* Points of a path forward and back; see explain_paths.h. The equations are those of
 * learn/backward.c:
 *
 *   dh_T = head                                    do = dh∘tanh(c)
 *   dc_t = dh∘o∘(1 − tanh²c) + dc_{t+1}∘f_{t+1}    di = dc∘g   dg = dc∘i   df = dc∘c_{t−1}
 *   dz   = [di∘i(1−i) | df∘f(1−f) | dg∘(1−g²) | do∘o(1−o)]      over the gates, in place
 *   [dx | dh_{t−1}] (R×(D+H)) = dz (R×4H) · gates_weightᵀ       one GEMM a step */
#include "model/explain_paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/lstm.h"
#include "model/vmath_lanes.h"

enum { ALIGNMENT_BYTES = 64, ALIGNMENT_FLOATS = ALIGNMENT_BYTES / sizeof(float) };

static size_t padded(size_t floats)
{
    return (floats + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
}

enum shoal_status shoal_paths_init(struct shoal_paths *paths, const struct shoal_params *params,
                                   size_t rows_max, size_t events_max)
{
    size_t inputs = shoal_dims_inputs(&params->dims), hidden = params->dims.hidden;
    size_t xh = padded(rows_max * (inputs + hidden)), dc = padded(rows_max * hidden);
    size_t c = padded(events_max * rows_max * hidden), gates = 4 * c;
    *paths = (struct shoal_paths){
        .params = params,
        .inputs = inputs,
        .hidden = hidden,
        .rows_max = rows_max,
        .events_max = events_max,
    };
    paths->block = aligned_alloc(ALIGNMENT_BYTES, (2 * xh + gates + 2 * c + dc) * sizeof(float));
    if (!paths->block) {
        *paths = (struct shoal_paths){0};
        return SHOAL_NOMEM;
    }
    paths->xh = paths->block;
    paths->gates = paths->xh + xh;
    paths->c = paths->gates + gates;
    paths->tanh_c = paths->c + c;
    paths->dxh = paths->tanh_c + c;
    paths->dc = paths->dxh + xh;
    return SHOAL_OK;
}

void shoal_paths_finish(struct shoal_paths *paths)
{
    free(paths->block);
    *paths = (struct shoal_paths){0};
}

static void step(struct shoal_paths *p, const float *x, size_t t, const float *alphas, size_t rows)
{
    size_t width = p->inputs + p->hidden, hidden = p->hidden;
    float *gates = p->gates + t * rows * 4 * hidden, *c = p->c + t * rows * hidden;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < p->inputs; i++)
            p->xh[r * width + i] = alphas[r] * x[t * p->inputs + i];
    shoal_gemm(false, false, rows, 4 * hidden, width, 1.0f, p->xh, width, p->params->gates_weight,
               4 * hidden, 0.0f, gates, 4 * hidden);
    if (t == 0)
        memset(c, 0, rows * hidden * sizeof *c);
    else
        memcpy(c, c - rows * hidden, rows * hidden * sizeof *c);
    shoal_lstm_cell(rows, hidden, gates, p->params->gates_bias, c, hidden,
                    p->tanh_c + t * rows * hidden, p->xh + p->inputs, width);
}

void shoal_paths_forward(struct shoal_paths *paths, const float *x, size_t events,
                         const float *alphas, size_t rows)
{
    size_t width = paths->inputs + paths->hidden;
    memset(paths->xh, 0, rows * width * sizeof *paths->xh);
    for (size_t t = 0; t < events; t++)
        step(paths, x, t, alphas, rows);
}

const float *shoal_paths_state(const struct shoal_paths *paths, size_t row)
{
    return paths->xh + row * (paths->inputs + paths->hidden) + paths->inputs;
}

/* Gradients below this are zero: a forget gate of a half halves them with every event, and
 * subnormal numbers would cost a long history most of its time. */
#define FADED 1e-24f

static v8 without_faded(v8 value)
{
    return v8_select(v8_abs(value) < v8_set(FADED), v8_set(0.0f), value);
}

/* One row of the cell; c_before NULL: zeros. dc in and out. False if nothing of the gradient is
 * left. */
static bool cell_back(size_t hidden, float *gates, const float *c_before, const float *tanh_c,
                      const float *dh, float *dc)
{
    v8 one = v8_set(1.0f), left = v8_set(0.0f);
    for (size_t j = 0; j < hidden; j += V8_WIDTH) {
        float *gate_i = gates + j, *gate_f = gate_i + hidden;
        float *gate_g = gate_f + hidden, *gate_o = gate_g + hidden;
        v8 i = v8_load(gate_i), f = v8_load(gate_f), g = v8_load(gate_g), o = v8_load(gate_o);
        v8 tanh_now = v8_load(tanh_c + j), dh_now = without_faded(v8_load(dh + j));
        v8 before = c_before ? v8_load(c_before + j) : v8_set(0.0f);
        v8 dc_now = without_faded(v8_load(dc + j) + dh_now * o * (one - tanh_now * tanh_now));
        left += v8_abs(dh_now) + v8_abs(dc_now);
        v8_store(gate_i, dc_now * g * i * (one - i));
        v8_store(gate_f, dc_now * before * f * (one - f));
        v8_store(gate_g, dc_now * i * (one - g * g));
        v8_store(gate_o, dh_now * tanh_now * o * (one - o));
        v8_store(dc + j, dc_now * f);
    }
    float sums[V8_WIDTH], sum = 0;
    v8_store(sums, left);
    for (int i = 0; i < V8_WIDTH; i++)
        sum += sums[i];
    return sum > 0;
}

void shoal_paths_backward(struct shoal_paths *paths, const float *head, size_t events, size_t rows,
                          shoal_paths_visit *visit, void *context)
{
    struct shoal_paths *p = paths;
    size_t width = p->inputs + p->hidden, hidden = p->hidden;
    memset(p->dc, 0, rows * hidden * sizeof *p->dc);
    for (size_t r = 0; r < rows; r++)
        memcpy(p->dxh + r * width + p->inputs, head, hidden * sizeof *head);
    for (size_t t = events; t-- > 0;) {
        float *gates = p->gates + t * rows * 4 * hidden;
        bool left = false;
        for (size_t r = 0; r < rows; r++) {
            size_t at = (t * rows + r) * hidden;
            left |= cell_back(hidden, gates + r * 4 * hidden, t ? p->c + at - rows * hidden : NULL,
                              p->tanh_c + at, p->dxh + r * width + p->inputs, p->dc + r * hidden);
        }
        if (!left)
            return;
        shoal_gemm(false, true, rows, width, 4 * hidden, 1.0f, gates, 4 * hidden,
                   p->params->gates_weight, 4 * hidden, 0.0f, p->dxh, width);
        visit(context, t, p->dxh, width);
    }
}
