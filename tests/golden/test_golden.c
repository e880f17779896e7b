/* SPDX-License-Identifier: Apache-2.0 */
/* The forward pass, every gradient tensor, ten optimiser steps and the served step against what
 * PyTorch computed (golden.txt, by make_golden.py). Inputs are made here by the script's formula. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/adamw.h"
#include "model/learn/objectives.h"
#include "model/learn/unroll.h"
#include "model/step.h"

enum { BATCH = 3, STEPS = 7, SECOND = 5, CELLS = BATCH * STEPS };

static const double tolerance = 1e-5;      /* float32: relative to max(1, |value|) */
static const double tolerance_half = 5e-3; /* states kept as half precision */

/* ---- the formula of make_golden.py ---------------------------------------------------------- */

static uint32_t mix(uint32_t stream, uint32_t index)
{
    uint32_t x = stream * 0x9E3779B1u + index * 0x85EBCA77u + 0x165667B1u;
    x ^= x >> 15;
    x *= 0xC2B2AE3Du;
    x ^= x >> 13;
    x *= 0x27D4EB2Fu;
    return x ^ (x >> 16);
}

static float uniform(uint32_t stream, uint32_t index)
{
    return (float)(mix(stream, index) >> 8) * 0x1p-24f - 0.5f;
}

static void fill_params(struct shoal_params *params, const struct shoal_dims *dims)
{
    cr_assert_eq(shoal_params_init(params, dims), SHOAL_OK);
    for (unsigned tensor = 0; tensor < SHOAL_TENSOR_COUNT; tensor++) {
        struct shoal_tensor_info info = shoal_params_tensor(dims, (enum shoal_tensor)tensor);
        float scale = tensor == SHOAL_TENSOR_gates_weight ? 0.5f : 1.0f;
        for (size_t i = 0; i < info.rows * info.columns; i++)
            params->block[info.offset + i] = uniform(tensor, (uint32_t)i) * scale;
    }
}

struct inputs {
    struct shoal_features features[CELLS];
    float counters[CELLS][SHOAL_COUNTERS];
    float targets[CELLS][SHOAL_TASKS];
};

static void fill_cells(struct inputs *inputs, const struct shoal_dims *dims, uint32_t stream,
                       size_t cells_count, struct shoal_unroll_cell *cells)
{
    for (uint32_t i = 0; i < cells_count; i++) {
        struct shoal_features *features = &inputs->features[i];
        features->item_row = mix(stream, i) % dims->item_buckets;
        features->category_row = mix(stream + 1, i) % dims->category_buckets;
        features->behavior = (uint8_t)(mix(stream + 2, i) % SHOAL_BEHAVIOR_COUNT);
        for (uint32_t k = 0; k < SHOAL_NUMERIC; k++)
            features->numeric[k] = uniform(stream + 3, i * SHOAL_NUMERIC + k);
        for (uint32_t k = 0; k < SHOAL_COUNTERS; k++)
            inputs->counters[i][k] = uniform(stream + 4, i * SHOAL_COUNTERS + k);
        for (uint32_t n = 0; n < SHOAL_TASKS; n++) {
            bool counted = shoal_task_info((enum shoal_task)n)->kind == SHOAL_TASK_COUNT;
            inputs->targets[i][n] =
                (float)(mix(stream + 5, i * SHOAL_TASKS + n) % (counted ? 7 : 2));
        }
        if (cells)
            cells[i] = (struct shoal_unroll_cell){
                .features = features,
                .counters = inputs->counters[i],
                .targets = inputs->targets[i],
                .tasks = mix(stream + 7, i) % (1u << SHOAL_TASKS),
                .weight = (float)(mix(stream + 6, i) % 3) * 0.5f,
            };
    }
}

/* ---- the stored values ---------------------------------------------------------------------- */

/* The values stored under `name`; the caller frees. */
static double *golden(const char *name, size_t *count)
{
    const char *source = getenv("SHOAL_SOURCE");
    char path[4096], found[128];
    snprintf(path, sizeof path, "%s/tests/golden/golden.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "cannot read %s (SHOAL_SOURCE is the source folder)", path);
    double *values = NULL;
    while (!values && fscanf(file, "%127s %zu", found, count) == 2) {
        double *read = malloc(*count * sizeof *read);
        cr_assert_not_null(read);
        for (size_t i = 0; i < *count; i++)
            cr_assert_eq(fscanf(file, "%lf", &read[i]), 1);
        if (strcmp(found, name) == 0)
            values = read;
        else
            free(read);
    }
    fclose(file);
    cr_assert_not_null(values, "%s is not in golden.txt", name);
    return values;
}

static void expect_near(const char *name, const float *values, size_t count, double within)
{
    size_t golden_count;
    double *expected = golden(name, &golden_count);
    cr_assert_eq(count, golden_count, "%s: %zu values, %zu stored", name, count, golden_count);
    for (size_t i = 0; i < count; i++) {
        double bound = within * fmax(1.0, fabs(expected[i]));
        cr_assert(fabs((double)values[i] - expected[i]) <= bound, "%s[%zu] is %.9g, not %.9g", name,
                  i, (double)values[i], expected[i]);
    }
    free(expected);
}

static void expect_params_near(const char *prefix, const struct shoal_params *params)
{
    for (unsigned tensor = 0; tensor < SHOAL_TENSOR_COUNT; tensor++) {
        struct shoal_tensor_info info =
            shoal_params_tensor(&params->dims, (enum shoal_tensor)tensor);
        char name[128];
        snprintf(name, sizeof name, "%s%s", prefix, info.name);
        expect_near(name, params->block + info.offset, info.rows * info.columns, tolerance);
    }
}

/* ---- the small model ------------------------------------------------------------------------ */

struct small {
    struct shoal_dims dims;
    struct shoal_params params, gradients;
    struct shoal_unroll *unroll;
    struct inputs inputs;
};

static void prepare(struct small *small)
{
    small->dims = (struct shoal_dims){.hidden = 16, .item_buckets = 8, .item_width = 4,
                                      .category_buckets = 6, .category_width = 4,
                                      .behavior_width = 4, .ring = 16};
    fill_params(&small->params, &small->dims);
    cr_assert_eq(shoal_params_init(&small->gradients, &small->dims), SHOAL_OK);
    cr_assert_eq(shoal_unroll_create(&small->dims, BATCH, STEPS, &small->unroll), SHOAL_OK);
    fill_cells(&small->inputs, &small->dims, 100, CELLS, small->unroll->cells);
    for (size_t b = 0; b < BATCH; b++)
        small->unroll->cells[b].starts = true;
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        small->unroll->mix.share[n] = n == 0 ? 1 : 0.25f * (float)n;
        small->unroll->mix.scale[n] = n + 1 == SHOAL_TASKS ? 0.125f : 1;
    }
    small->unroll->cells[3 * BATCH + 1].starts = true;
    small->unroll->cells[6 * BATCH + 2].features = NULL;
}

static void finish(struct small *small)
{
    shoal_params_finish(&small->params);
    shoal_params_finish(&small->gradients);
    shoal_unroll_destroy(small->unroll);
}

static void learn_from(struct small *small, size_t steps, double *loss)
{
    double weight;
    memset(small->gradients.block, 0, small->gradients.count * sizeof(float));
    shoal_unroll_forward(small->unroll, &small->params, steps, NULL);
    *loss = shoal_unroll_loss(small->unroll, &weight);
    shoal_unroll_backward(small->unroll, &small->params, 1.0f, &small->gradients);
}

Test(golden, forward_pass_is_that_of_pytorch)
{
    struct small small = {0};
    prepare(&small);
    double weight;
    shoal_unroll_forward(small.unroll, &small.params, STEPS, NULL);
    float loss = (float)shoal_unroll_loss(small.unroll, &weight);
    expect_near("small.h", small.unroll->h, CELLS * small.dims.hidden, tolerance);
    expect_near("small.c", small.unroll->c, CELLS * small.dims.hidden, tolerance);
    expect_near("small.logits", small.unroll->logits, CELLS * SHOAL_TASKS, tolerance);
    expect_near("small.loss", &loss, 1, tolerance);
    finish(&small);
}

Test(golden, every_gradient_is_that_of_pytorch)
{
    struct small small = {0};
    prepare(&small);
    double loss;
    learn_from(&small, STEPS, &loss);
    expect_params_near("small.gradient.", &small.gradients);
    finish(&small);
}

Test(golden, second_chunk_goes_on_from_the_carried_state_and_truncates_there)
{
    struct small small = {0};
    prepare(&small);
    double loss;
    learn_from(&small, STEPS, &loss);
    fill_cells(&small.inputs, &small.dims, 200, BATCH * SECOND, small.unroll->cells);
    learn_from(&small, SECOND, &loss);
    expect_near("small.second.logits", small.unroll->logits, BATCH * SECOND * SHOAL_TASKS,
                tolerance);
    struct shoal_tensor_info info = shoal_params_tensor(&small.dims, SHOAL_TENSOR_gates_weight);
    expect_near("small.second.gradient.gates_weight", small.gradients.gates_weight,
                info.rows * info.columns, tolerance);
    finish(&small);
}

Test(golden, ten_steps_of_clipping_and_adamw_are_those_of_pytorch)
{
    struct small small = {0};
    prepare(&small);
    struct shoal_adamw adamw;
    struct shoal_adamw_options options = shoal_adamw_options_default();
    options.weight_decay = 0.1f;
    cr_assert_eq(shoal_adamw_init(&adamw, &small.dims, &options), SHOAL_OK);
    float norms[10];
    for (size_t step = 0; step < 10; step++) {
        double loss;
        learn_from(&small, STEPS, &loss);
        norms[step] = (float)shoal_gradients_clip(&small.gradients, 2.0);
        shoal_adamw_update(&adamw, &small.params, &small.gradients, 0.01f);
    }
    expect_near("adamw.norms", norms, 10, tolerance);
    expect_params_near("adamw.", &small.params);
    shoal_adamw_finish(&adamw);
    finish(&small);
}

/* ---- what the next event teaches ------------------------------------------------------------ */

enum { CHUNK = 3, SEED = 7 };

static void link_next(struct small *small)
{
    struct shoal_unroll_cell *cells = small->unroll->cells;
    for (size_t i = 0; i + BATCH < CELLS; i++)
        if (cells[i].features && cells[i + BATCH].features && !cells[i + BATCH].starts)
            cells[i].next = cells[i + BATCH].features;
}

static void fill_tables(struct shoal_objectives *objectives)
{
    const struct shoal_dims *d = &objectives->dims;
    uint32_t stream = 50;
#define X(field, rows, columns)                                                                    \
    for (uint32_t i = 0; i < (rows) * (columns); i++)                                              \
        objectives->tables.field[i] = uniform(stream, i);                                          \
    stream++;
    SHOAL_OBJECTIVE_TABLES(X)
#undef X
}

Test(golden, what_the_next_event_teaches_has_the_losses_and_gradients_of_pytorch)
{
    struct small small = {0};
    prepare(&small);
    link_next(&small);
    struct shoal_examples examples = {.features = small.inputs.features, .count = CELLS};
    struct shoal_objective_options options = {
        .weights = {0.5f, 0.75f, 1.25f, 0.5f, 2}, .negatives = 5, .alpha = 0.5f};
    struct shoal_objectives objectives;
    struct shoal_objectives_room *room;
    cr_assert_eq(shoal_objectives_init(&objectives, &options, &small.dims, &examples, SEED),
                 SHOAL_OK);
    cr_assert_eq(shoal_objectives_room_create(&objectives, small.unroll, &room), SHOAL_OK);
    fill_tables(&objectives);
    double weight, losses[SHOAL_OBJECTIVES];
    shoal_unroll_forward(small.unroll, &small.params, STEPS, NULL);
    shoal_unroll_loss(small.unroll, &weight);
    shoal_objectives_run(&objectives, room, small.unroll, &small.params, CHUNK, &small.gradients,
                         losses);
    shoal_unroll_backward(small.unroll, &small.params, 1.0f, &small.gradients);
    float found[SHOAL_OBJECTIVES];
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        found[o] = (float)losses[o];
    expect_near("objectives.losses", found, SHOAL_OBJECTIVES, tolerance);
    const struct shoal_objective_tables *own = shoal_objectives_gradients(room);
    const struct shoal_dims *d = &small.dims;
#define X(field, rows, columns)                                                                    \
    expect_near("objectives.own." #field, own->field, (rows) * (columns), tolerance);
    SHOAL_OBJECTIVE_TABLES(X)
#undef X
    expect_params_near("objectives.gradient.", &small.gradients);
    shoal_objectives_room_destroy(room);
    shoal_objectives_finish(&objectives);
    finish(&small);
}

/* ---- the served step ------------------------------------------------------------------------ */

static void serve(enum shoal_precision precision, double within)
{
    struct shoal_model model = {.calibration = {{.slope = 1.25f, .intercept = -0.5f}}};
    struct shoal_dims dims = shoal_dims_default();
    dims.item_buckets = 64;
    dims.category_buckets = 16;
    fill_params(&model.params, &dims);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        model.counter_mean[k] = 0.75f;
        model.counter_deviation[k] = 0.5f;
    }
    static struct inputs inputs;
    fill_cells(&inputs, &dims, 300, CELLS, NULL);
    static float h[STEPS + 1][BATCH][64], c[STEPS + 1][BATCH][64], scores[CELLS];
    struct shoal_step *step;
    cr_assert_eq(shoal_step_create(&model, BATCH, precision, &step), SHOAL_OK);
    for (size_t t = 0; t < STEPS; t++) {
        struct shoal_step_row rows[BATCH];
        memcpy(h[t + 1], h[t], sizeof h[t]);
        memcpy(c[t + 1], c[t], sizeof c[t]);
        for (size_t b = 0; b < BATCH; b++) {
            float *counters = inputs.counters[t * BATCH + b];
            for (size_t k = 0; k < SHOAL_COUNTERS; k++)
                counters[k] = (counters[k] + 0.5f) * 4;
            rows[b] = (struct shoal_step_row){.features = inputs.features[t * BATCH + b],
                                              .h = h[t + 1][b], .c = c[t + 1][b],
                                              .counters = counters};
        }
        shoal_step_run(step, rows, BATCH);
        for (size_t b = 0; b < BATCH; b++)
            scores[t * BATCH + b] = rows[b].score;
    }
    expect_near("served.h", h[1][0], CELLS * 64, within);
    expect_near("served.c", c[1][0], CELLS * 64, within);
    expect_near("served.scores", scores, CELLS, within);
    shoal_step_destroy(step);
    shoal_params_finish(&model.params);
}

Test(golden, served_step_in_single_precision_is_that_of_pytorch)
{
    serve(SHOAL_FP32, tolerance);
}

Test(golden, served_step_in_half_precision_stays_near_pytorch)
{
    serve(SHOAL_FP16, tolerance_half);
}
