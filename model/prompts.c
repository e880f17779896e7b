/* SPDX-License-Identifier: Apache-2.0 */
/* A user's statistics, the generator, and the recent events once with and once without it; see prompts.h. */
#include "model/prompts.h"

#include <stdlib.h>
#include <string.h>

#include "model/features.h"
#include "model/few_rows.h"
#include "model/lstm.h"
#include "model/model.h"
#include "model/prompts_parts.h"
#include "model/vmath.h"

enum {
    ALIGNMENT_BYTES = 64,
    ALIGNMENT_FLOATS = 16,
    INPUTS_MAX = 3 * 256 + SHOAL_NUMERIC, /* D: three tables of at most 256 columns */
    RUNS = 2,                             /* without and with the prompt */
};

size_t shoal_prompt_block(size_t hidden)
{
    size_t outputs = SHOAL_PROMPT_OUTPUTS * hidden;
    size_t floats = SHOAL_PROMPT_UNITS * (SHOAL_PROMPT_STATISTICS + 1) +
                    outputs * (SHOAL_PROMPT_UNITS + 1);
    return (floats + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
}

struct shoal_prompt_generator shoal_prompt_generator_in(float *block, size_t hidden)
{
    struct shoal_prompt_generator generator = {.inner = block};
    generator.inner_bias = block + SHOAL_PROMPT_UNITS * SHOAL_PROMPT_STATISTICS;
    generator.outer = generator.inner_bias + SHOAL_PROMPT_UNITS;
    generator.outer_bias =
        generator.outer + SHOAL_PROMPT_OUTPUTS * hidden * (size_t)SHOAL_PROMPT_UNITS;
    return generator;
}

struct shoal_prompts *shoal_prompts_create(size_t hidden)
{
    struct shoal_prompts *prompts = calloc(1, sizeof *prompts);
    if (!prompts)
        return NULL;
    size_t bytes = shoal_prompt_block(hidden) * sizeof(float);
    prompts->hidden = hidden;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        prompts->blocks[g] = aligned_alloc(ALIGNMENT_BYTES, bytes);
        if (!prompts->blocks[g]) {
            shoal_prompts_destroy(prompts);
            return NULL;
        }
        memset(prompts->blocks[g], 0, bytes);
    }
    return prompts;
}

void shoal_prompts_destroy(struct shoal_prompts *prompts)
{
    if (!prompts)
        return;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        free(prompts->blocks[g]);
    free(prompts);
}

size_t shoal_prompts_count(const struct shoal_prompts *prompts)
{
    size_t outputs = SHOAL_PROMPT_OUTPUTS * prompts->hidden;
    return SHOAL_ITEM_GOALS * (SHOAL_PROMPT_UNITS * (SHOAL_PROMPT_STATISTICS + 1) +
                               outputs * (SHOAL_PROMPT_UNITS + 1));
}

/* ---- statistics --------------------------------------------------------------------------------- */

/* log2(1 + seconds)/20 and the clock, by the tables that the network reads them from. */
static struct shoal_features clock_of(const struct shoal_model *model,
                                      const struct shoal_touch *touch, int64_t gap_ms)
{
    struct shoal_features features;
    shoal_features_of(&model->params.dims, NULL, 0, touch, gap_ms > 0 ? gap_ms : 0, &features);
    return features;
}

static size_t different_items(const struct shoal_touch *ring, size_t count)
{
    size_t different = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = 0;
        while (ring[before].item != ring[i].item)
            before++;
        different += before == i;
    }
    return different;
}

void shoal_prompts_statistics(const struct shoal_model *model, const struct shoal_item_query *query,
                              float *z)
{
    const struct shoal_touch *ring = query->ring;
    size_t count = query->ring_count, priced = 0, at = SHOAL_COUNTERS;
    memset(z, 0, SHOAL_PROMPT_STATISTICS * sizeof *z);
    if (query->rates) {
        shoal_vlog1p(query->rates, z, SHOAL_COUNTERS);
        for (size_t k = 0; k < SHOAL_COUNTERS; k++)
            z[k] = (z[k] - model->counter_mean[k]) / model->counter_deviation[k];
    }
    if (count == 0)
        return;
    const struct shoal_touch *last = &ring[count - 1];
    struct shoal_features now = clock_of(model, last, query->now_ms - last->time_ms);
    struct shoal_features first = clock_of(model, ring, query->now_ms - ring->time_ms);
    struct shoal_features events = clock_of(model, last, (int64_t)count * 1000);
    float each = 1 / (float)count, price = 0;
    z[at++] = 5 * events.numeric[0];
    for (size_t i = 0; i < count; i++) {
        if (ring[i].behavior < SHOAL_BEHAVIOR_COUNT)
            z[at + ring[i].behavior] += each;
        price += (float)ring[i].price_level;
        priced += ring[i].price_level > 0;
    }
    at += SHOAL_BEHAVIOR_COUNT;
    z[at++] = (float)different_items(ring, count) * each;
    z[at++] = now.numeric[0];
    z[at++] = first.numeric[0];
    for (size_t i = 1; i <= 4; i++) /* sin, cos of the hour and of the weekday */
        z[at++] = now.numeric[i];
    z[at++] = priced ? price / (float)priced / SHOAL_PRICE_LEVELS : 0;
}

/* ---- the generator ------------------------------------------------------------------------------ */

/* Everything that one user's run needs. */
struct run {
    float units[SHOAL_PROMPT_UNITS];
    float outputs[SHOAL_PROMPT_OUTPUTS * SHOAL_HIDDEN_MAX];
    float bias[4 * SHOAL_HIDDEN_MAX];
    float xh[RUNS * (INPUTS_MAX + SHOAL_HIDDEN_MAX)];
    float gates[RUNS * 4 * SHOAL_HIDDEN_MAX];
    float c[RUNS * SHOAL_HIDDEN_MAX], tanh_c[SHOAL_HIDDEN_MAX];
};

static void generate(const struct shoal_prompts *prompts, enum shoal_item_goal goal, const float *z,
                     struct run *run)
{
    struct shoal_prompt_generator generator =
        shoal_prompt_generator_in(prompts->blocks[goal], prompts->hidden);
    for (size_t r = 0; r < SHOAL_PROMPT_UNITS; r++)
        run->units[r] = shoal_dot(generator.inner + r * SHOAL_PROMPT_STATISTICS, z,
                                  SHOAL_PROMPT_STATISTICS) +
                        generator.inner_bias[r];
    shoal_vtanh(run->units, run->units, SHOAL_PROMPT_UNITS);
    for (size_t i = 0; i < SHOAL_PROMPT_OUTPUTS * prompts->hidden; i++)
        run->outputs[i] =
            shoal_dot(generator.outer + i * SHOAL_PROMPT_UNITS, run->units, SHOAL_PROMPT_UNITS) +
            generator.outer_bias[i];
}

/* to = σ(gate)∘tanh(start); both are overwritten. */
static void open_gate(float *start, float *gate, size_t hidden, float *to)
{
    shoal_vtanh(start, start, hidden);
    shoal_vsigmoid(gate, gate, hidden);
    for (size_t j = 0; j < hidden; j++)
        to[j] = gate[j] * start[j];
}

/* ---- the recent events -------------------------------------------------------------------------- */

/* Row 0 from nothing, row 1 from the generated start; the biases of row 1 with the prompt. */
static void begin(const struct shoal_params *params, struct run *run)
{
    size_t hidden = params->dims.hidden, inputs = shoal_dims_inputs(&params->dims);
    float *outputs = run->outputs, *h = run->xh + inputs;
    memset(h, 0, hidden * sizeof *h);
    memset(run->c, 0, hidden * sizeof *run->c);
    open_gate(outputs + SHOAL_PROMPT_AT_START_H * hidden, outputs + SHOAL_PROMPT_AT_GATE_H * hidden,
              hidden, h + inputs + hidden);
    open_gate(outputs + SHOAL_PROMPT_AT_START_C * hidden, outputs + SHOAL_PROMPT_AT_GATE_C * hidden,
              hidden, run->c + hidden);
    for (size_t j = 0; j < 4 * hidden; j++)
        run->bias[j] = params->gates_bias[j] + outputs[SHOAL_PROMPT_AT_GATES * hidden + j];
}

static void step(const struct shoal_params *params, const struct shoal_features *features,
                 struct run *run)
{
    size_t hidden = params->dims.hidden, inputs = shoal_dims_inputs(&params->dims);
    size_t width = inputs + hidden;
    shoal_features_gather(params, features, run->xh);
    memcpy(run->xh + width, run->xh, inputs * sizeof *run->xh);
    shoal_few_rows_gemm(RUNS, 4 * hidden, width, run->xh, width, params->gates_weight, 4 * hidden,
                        run->gates, 4 * hidden);
    for (size_t row = 0; row < RUNS; row++)
        shoal_lstm_cell(1, hidden, run->gates + row * 4 * hidden,
                        row ? run->bias : params->gates_bias, run->c + row * hidden, hidden,
                        run->tanh_c, run->xh + row * width + inputs, width);
}

/* state += LSTM(ring) with the prompt − LSTM(ring) without. */
static void add_difference(const struct shoal_params *params, const struct shoal_item_query *query,
                           struct run *run, float *state)
{
    size_t hidden = params->dims.hidden, inputs = shoal_dims_inputs(&params->dims);
    begin(params, run);
    for (size_t t = 0; t < query->ring_count; t++) {
        const struct shoal_touch *touch = &query->ring[t];
        int64_t gap_ms = t ? touch->time_ms - touch[-1].time_ms : 0;
        struct shoal_features features;
        shoal_features_of(&params->dims, query->ring, t, touch, gap_ms > 0 ? gap_ms : 0, &features);
        step(params, &features, run);
    }
    const float *plain = run->xh + inputs, *prompted = plain + inputs + hidden;
    for (size_t j = 0; j < hidden; j++)
        state[j] += prompted[j] - plain[j];
}

void shoal_prompts_state(const struct shoal_prompts *prompts, const struct shoal_model *model,
                         const struct shoal_item_query *query, float *state)
{
    float z[SHOAL_PROMPT_STATISTICS];
    size_t hidden = prompts->hidden;
    unsigned parts = prompts->parts[query->goal];
    struct run run;
    memcpy(state, query->h, hidden * sizeof *state);
    if (!parts)
        return;
    shoal_prompts_statistics(model, query, z);
    generate(prompts, query->goal, z, &run);
    for (size_t j = 0; j < hidden; j++)
        state[j] += run.outputs[SHOAL_PROMPT_AT_STATE * hidden + j];
    if (parts & (SHOAL_PROMPT_START | SHOAL_PROMPT_GATES))
        add_difference(&model->params, query, &run, state);
}
