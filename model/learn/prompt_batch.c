/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of prompted users; see prompt_batch.h. Backward, with dz of a step as backward.c has it:
 *
 *   dr = dstates + …    dp = Σ_t dz_t + …    dh_0 = dz·W_hᵀ, dc_0 at a row's first step
 *   ds = dh_0∘σ(g)∘(1 − tanh²s)    dg = dh_0∘tanh(s)∘σ(g)(1 − σ(g))       likewise s', g'
 *   dW2 = doutᵀ·u    du = dout·W2    dW1 = (du∘(1 − u²))ᵀ·z
 *
 * and to each of h_0, c_0, p, r the penalty adds 2λ(prompt − mean)/B: what the mean gets of it is nothing. */
#include "model/learn/prompt_batch.h"

#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/features.h"
#include "model/few_rows.h"
#include "model/learn/cell_back.h"
#include "model/lstm.h"
#include "model/vmath.h"

enum { ALIGNMENT_FLOATS = 16, Z = SHOAL_PROMPT_STATISTICS, R = SHOAL_PROMPT_UNITS };

/* Hands out `count` floats of the block; with block NULL only counts. */
static float *take(float *block, size_t *position, size_t count)
{
    float *taken = block ? block + *position : NULL;
    *position += (count + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
    return taken;
}

static size_t lay_out(struct shoal_prompt_batch *b, float *block)
{
    size_t hidden = b->model->params.dims.hidden, inputs = shoal_dims_inputs(&b->model->params.dims);
    size_t rows = b->room * b->steps, position = 0;
    b->block = block;
    b->z = take(block, &position, b->room * Z);
    b->units = take(block, &position, b->room * R);
    b->outputs = take(block, &position, b->room * SHOAL_PROMPT_OUTPUTS * hidden);
    b->douts = take(block, &position, b->room * SHOAL_PROMPT_OUTPUTS * hidden);
    b->dunits = take(block, &position, b->room * R);
    b->prompts = take(block, &position, b->room * SHOAL_PROMPT_VALUES * hidden);
    b->mean = take(block, &position, SHOAL_PROMPT_VALUES * hidden);
    b->xh = take(block, &position, rows * (inputs + hidden));
    b->gates = take(block, &position, rows * 4 * hidden);
    b->c_previous = take(block, &position, rows * hidden);
    b->c = take(block, &position, rows * hidden);
    b->tanh_c = take(block, &position, rows * hidden);
    b->h = take(block, &position, rows * hidden);
    b->dh = take(block, &position, b->room * hidden);
    b->dc = take(block, &position, b->room * hidden);
    b->states = take(block, &position, b->room * hidden);
    return position;
}

enum shoal_status shoal_prompt_batch_create(const struct shoal_model *model, size_t room, size_t steps,
                                            struct shoal_prompt_batch **batch)
{
    struct shoal_prompt_batch *made = calloc(1, sizeof *made);
    *batch = NULL;
    if (!made)
        return SHOAL_NOMEM;
    made->model = model;
    made->room = room;
    made->steps = steps;
    size_t bytes = lay_out(made, NULL) * sizeof(float);
    float *block = aligned_alloc(64, bytes);
    made->lengths = calloc(room, sizeof *made->lengths);
    if (!block || !made->lengths) {
        free(block);
        shoal_prompt_batch_destroy(made);
        return SHOAL_NOMEM;
    }
    memset(block, 0, bytes);
    lay_out(made, block);
    *batch = made;
    return SHOAL_OK;
}

void shoal_prompt_batch_destroy(struct shoal_prompt_batch *batch)
{
    if (!batch)
        return;
    free(batch->block);
    free(batch->lengths);
    free(batch);
}

/* Rows that have begun at step t, of `longest`. */
static size_t begun(const struct shoal_prompt_batch *b, size_t t)
{
    size_t rows = 0;
    while (rows < b->count && b->lengths[rows] >= b->longest - t)
        rows++;
    return rows;
}

static void load_user(struct shoal_prompt_batch *b, const struct shoal_item_query *query, size_t row)
{
    const struct shoal_params *params = &b->model->params;
    size_t width = shoal_dims_inputs(&params->dims) + params->dims.hidden;
    size_t first = b->longest - b->lengths[row];
    shoal_prompts_statistics(b->model, query, b->z + row * Z);
    for (size_t k = 0; k < b->lengths[row]; k++) {
        const struct shoal_touch *touch = &query->ring[k];
        int64_t gap_ms = k ? touch->time_ms - touch[-1].time_ms : 0;
        struct shoal_features features;
        shoal_features_of(&params->dims, query->ring, k, touch, gap_ms > 0 ? gap_ms : 0, &features);
        shoal_features_gather(params, &features, b->xh + ((first + k) * b->room + row) * width);
    }
}

void shoal_prompt_batch_load(struct shoal_prompt_batch *batch, const struct shoal_item_query *queries,
                             size_t count)
{
    batch->count = count;
    batch->longest = count ? queries[0].ring_count : 0;
    for (size_t row = 0; row < count; row++) {
        batch->lengths[row] = queries[row].ring_count;
        load_user(batch, &queries[row], row);
    }
}

/* ---- forward ------------------------------------------------------------------------------------ */

static size_t hidden_of(const struct shoal_prompt_batch *b)
{
    return b->model->params.dims.hidden;
}

/* σ(g)∘tanh(s) of H numbers, which stand in their places afterwards, into `to`. */
static void open_gate(float *start, float *gate, size_t hidden, float *to)
{
    shoal_vtanh(start, start, hidden);
    shoal_vsigmoid(gate, gate, hidden);
    for (size_t j = 0; j < hidden; j++)
        to[j] = gate[j] * start[j];
}

static void generate(struct shoal_prompt_batch *b, const struct shoal_prompt_generator *generator)
{
    size_t hidden = hidden_of(b), outputs = SHOAL_PROMPT_OUTPUTS * hidden;
    for (size_t row = 0; row < b->count; row++) {
        memcpy(b->units + row * R, generator->inner_bias, R * sizeof(float));
        memcpy(b->outputs + row * outputs, generator->outer_bias, outputs * sizeof(float));
    }
    shoal_gemm(false, true, b->count, R, Z, 1, b->z, Z, generator->inner, Z, 1, b->units, R);
    shoal_vtanh(b->units, b->units, b->count * R);
    shoal_gemm(false, true, b->count, outputs, R, 1, b->units, R, generator->outer, R, 1, b->outputs,
               outputs);
    for (size_t row = 0; row < b->count; row++) {
        float *out = b->outputs + row * outputs;
        float *prompt = b->prompts + row * SHOAL_PROMPT_VALUES * hidden;
        open_gate(out + SHOAL_PROMPT_AT_START_H * hidden, out + SHOAL_PROMPT_AT_GATE_H * hidden, hidden,
                  prompt);
        open_gate(out + SHOAL_PROMPT_AT_START_C * hidden, out + SHOAL_PROMPT_AT_GATE_C * hidden, hidden,
                  prompt + hidden);
        memcpy(prompt + 2 * hidden, out + SHOAL_PROMPT_AT_GATES * hidden, 5 * hidden * sizeof(float));
    }
}

/* h_{t−1} and c_{t−1} of the rows that take part in step t. */
static void load_step(struct shoal_prompt_batch *b, size_t t, size_t before, size_t rows)
{
    size_t hidden = hidden_of(b), inputs = shoal_dims_inputs(&b->model->params.dims);
    for (size_t row = 0; row < rows; row++) {
        size_t at = t * b->room + row;
        const float *prompt = b->prompts + row * SHOAL_PROMPT_VALUES * hidden;
        const float *h = row < before ? b->h + (at - b->room) * hidden : prompt;
        const float *c = row < before ? b->c + (at - b->room) * hidden : prompt + hidden;
        memcpy(b->xh + at * (inputs + hidden) + inputs, h, hidden * sizeof *h);
        memcpy(b->c_previous + at * hidden, c, hidden * sizeof *c);
        memcpy(b->c + at * hidden, c, hidden * sizeof *c);
    }
}

static void run_step(struct shoal_prompt_batch *b, size_t t, size_t rows)
{
    const struct shoal_params *params = &b->model->params;
    size_t hidden = hidden_of(b), width = shoal_dims_inputs(&params->dims) + hidden;
    size_t at = t * b->room;
    float *gates = b->gates + at * 4 * hidden;
    if (rows <= SHOAL_FEW_ROWS)
        shoal_few_rows_gemm(rows, 4 * hidden, width, b->xh + at * width, width, params->gates_weight,
                            4 * hidden, gates, 4 * hidden);
    else
        shoal_gemm(false, false, rows, 4 * hidden, width, 1, b->xh + at * width, width,
                   params->gates_weight, 4 * hidden, 0, gates, 4 * hidden);
    for (size_t row = 0; row < rows; row++) {
        const float *prompt = b->prompts + (row * SHOAL_PROMPT_VALUES + 2) * hidden;
        for (size_t j = 0; j < 4 * hidden; j++)
            gates[row * 4 * hidden + j] += prompt[j];
    }
    shoal_lstm_cell(rows, hidden, gates, params->gates_bias, b->c + at * hidden, hidden,
                    b->tanh_c + at * hidden, b->h + at * hidden, hidden);
}

void shoal_prompt_batch_forward(struct shoal_prompt_batch *batch,
                                const struct shoal_prompt_generator *generator)
{
    struct shoal_prompt_batch *b = batch;
    size_t hidden = hidden_of(b), before = 0;
    if (generator)
        generate(b, generator);
    else
        memset(b->prompts, 0, b->count * SHOAL_PROMPT_VALUES * hidden * sizeof *b->prompts);
    for (size_t t = 0; t < b->longest; t++) {
        size_t rows = begun(b, t);
        load_step(b, t, before, rows);
        run_step(b, t, rows);
        before = rows;
    }
    for (size_t row = 0; row < b->count; row++) {
        const float *h = b->h + ((b->longest - 1) * b->room + row) * hidden;
        const float *more = b->prompts + (row * SHOAL_PROMPT_VALUES + 6) * hidden;
        for (size_t j = 0; j < hidden; j++)
            b->states[row * hidden + j] = h[j] + more[j];
    }
}

double shoal_prompt_batch_spread(struct shoal_prompt_batch *batch)
{
    size_t values = SHOAL_PROMPT_VALUES * hidden_of(batch);
    double sum = 0;
    memset(batch->mean, 0, values * sizeof *batch->mean);
    for (size_t i = 0; i < batch->count * values; i++)
        batch->mean[i % values] += batch->prompts[i] / (float)batch->count;
    for (size_t i = 0; i < batch->count * values; i++) {
        double off = (double)batch->prompts[i] - (double)batch->mean[i % values];
        sum += off * off;
    }
    return sum / (double)batch->count;
}

/* ---- backward ----------------------------------------------------------------------------------- */

/* The prompts' gradients stand where their outputs do: dh_0 and dc_0 at s and s', dp, dr. */
static float *dprompt(const struct shoal_prompt_batch *b, size_t row, size_t output)
{
    size_t hidden = hidden_of(b);
    return b->douts + (row * SHOAL_PROMPT_OUTPUTS + output) * hidden;
}

/* From dstates to the prompts' own gradients. */
static void steps_back(struct shoal_prompt_batch *b)
{
    const struct shoal_params *params = &b->model->params;
    size_t hidden = hidden_of(b), inputs = shoal_dims_inputs(&params->dims);
    memset(b->dc, 0, b->count * hidden * sizeof *b->dc);
    for (size_t t = b->longest; t-- > 0;) {
        size_t rows = begun(b, t), at = t * b->room, before = t ? begun(b, t - 1) : 0;
        float *dz = b->gates + at * 4 * hidden;
        for (size_t row = 0; row < rows; row++) {
            float *dp = dprompt(b, row, SHOAL_PROMPT_AT_GATES);
            shoal_cell_back(hidden, dz + row * 4 * hidden, b->c_previous + (at + row) * hidden,
                            b->tanh_c + (at + row) * hidden, b->dh + row * hidden,
                            b->dc + row * hidden);
            for (size_t j = 0; j < 4 * hidden; j++)
                dp[j] += dz[row * 4 * hidden + j];
        }
        shoal_gemm(false, true, rows, hidden, 4 * hidden, 1, dz, 4 * hidden,
                   params->gates_weight + inputs * 4 * hidden, 4 * hidden, 0, b->dh, hidden);
        for (size_t row = before; row < rows; row++) {
            memcpy(dprompt(b, row, SHOAL_PROMPT_AT_START_H), b->dh + row * hidden,
                   hidden * sizeof *b->dh);
            memcpy(dprompt(b, row, SHOAL_PROMPT_AT_START_C), b->dc + row * hidden,
                   hidden * sizeof *b->dc);
        }
    }
}

/* factor·(prompt − mean) of one user to its gradients. */
static void add_penalty(struct shoal_prompt_batch *b, size_t row, float factor)
{
    static const size_t outputs[SHOAL_PROMPT_VALUES] = {
        SHOAL_PROMPT_AT_START_H,   SHOAL_PROMPT_AT_START_C,   SHOAL_PROMPT_AT_GATES,
        SHOAL_PROMPT_AT_GATES + 1, SHOAL_PROMPT_AT_GATES + 2, SHOAL_PROMPT_AT_GATES + 3,
        SHOAL_PROMPT_AT_STATE,
    };
    size_t hidden = hidden_of(b);
    for (size_t value = 0; value < SHOAL_PROMPT_VALUES; value++) {
        const float *prompt = b->prompts + (row * SHOAL_PROMPT_VALUES + value) * hidden;
        float *to = dprompt(b, row, outputs[value]);
        for (size_t j = 0; j < hidden; j++)
            to[j] += factor * (prompt[j] - b->mean[value * hidden + j]);
    }
}

/* d(σ(g)∘tanh(s)) of one user, in `start`'s place, to that of s and g. */
static void gate_back(const struct shoal_prompt_batch *b, size_t row, size_t start, size_t gate)
{
    size_t hidden = hidden_of(b);
    const float *out = b->outputs + row * SHOAL_PROMPT_OUTPUTS * hidden;
    const float *tanh_s = out + start * hidden, *open = out + gate * hidden;
    float *ds = dprompt(b, row, start), *dg = dprompt(b, row, gate);
    for (size_t j = 0; j < hidden; j++) {
        dg[j] = ds[j] * tanh_s[j] * open[j] * (1 - open[j]);
        ds[j] *= open[j] * (1 - tanh_s[j] * tanh_s[j]);
    }
}

/* No gradient for what is not to be learnt. */
static void leave_out(const struct shoal_prompt_batch *b, size_t row, unsigned parts)
{
    size_t bytes = hidden_of(b) * sizeof(float);
    if (!(parts & SHOAL_PROMPT_START))
        memset(dprompt(b, row, 0), 0, SHOAL_PROMPT_AT_GATES * bytes);
    if (!(parts & SHOAL_PROMPT_GATES))
        memset(dprompt(b, row, SHOAL_PROMPT_AT_GATES), 0, 4 * bytes);
    if (!(parts & SHOAL_PROMPT_STATE))
        memset(dprompt(b, row, SHOAL_PROMPT_AT_STATE), 0, bytes);
}

static void generator_back(struct shoal_prompt_batch *b, const struct shoal_prompt_generator *generator,
                           struct shoal_prompt_generator *gradient)
{
    size_t outputs = SHOAL_PROMPT_OUTPUTS * hidden_of(b);
    shoal_gemm(true, false, outputs, R, b->count, 1, b->douts, outputs, b->units, R, 1, gradient->outer,
               R);
    shoal_gemm(false, false, b->count, R, outputs, 1, b->douts, outputs, generator->outer, R, 0,
               b->dunits, R);
    for (size_t row = 0; row < b->count; row++) {
        for (size_t i = 0; i < outputs; i++)
            gradient->outer_bias[i] += b->douts[row * outputs + i];
        for (size_t r = 0; r < R; r++) {
            float unit = b->units[row * R + r];
            b->dunits[row * R + r] *= 1 - unit * unit;
            gradient->inner_bias[r] += b->dunits[row * R + r];
        }
    }
    shoal_gemm(true, false, R, Z, b->count, 1, b->dunits, R, b->z, Z, 1, gradient->inner, Z);
}

void shoal_prompt_batch_backward(struct shoal_prompt_batch *batch,
                                 const struct shoal_prompt_generator *generator, unsigned parts,
                                 const float *dstates, float lambda,
                                 struct shoal_prompt_generator *gradient)
{
    struct shoal_prompt_batch *b = batch;
    size_t hidden = hidden_of(b);
    memset(b->douts, 0, b->count * SHOAL_PROMPT_OUTPUTS * hidden * sizeof *b->douts);
    memcpy(b->dh, dstates, b->count * hidden * sizeof *b->dh);
    if (parts & (SHOAL_PROMPT_START | SHOAL_PROMPT_GATES))
        steps_back(b);
    for (size_t row = 0; row < b->count; row++) {
        memcpy(dprompt(b, row, SHOAL_PROMPT_AT_STATE), dstates + row * hidden,
               hidden * sizeof *dstates);
        if (lambda != 0)
            add_penalty(b, row, 2 * lambda / (float)b->count);
        gate_back(b, row, SHOAL_PROMPT_AT_START_H, SHOAL_PROMPT_AT_GATE_H);
        gate_back(b, row, SHOAL_PROMPT_AT_START_C, SHOAL_PROMPT_AT_GATE_C);
        leave_out(b, row, parts);
    }
    generator_back(b, generator, gradient);
}
