/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/half.h"
#include "model/step.h"
#include "tests/model/tiny_model.h"

enum { ROWS = 300, HIDDEN_MAX = 64, STEPS = 6 };

/* A batch of users with their states, in one lump so that two can be compared by memcmp. */
struct users {
    float h[ROWS][HIDDEN_MAX], c[ROWS][HIDDEN_MAX], counters[ROWS][SHOAL_COUNTERS], score[ROWS];
};

static struct users one, other;

static struct shoal_features features_of(const struct shoal_dims *dims, uint64_t *state)
{
    struct shoal_touch now = {.time_ms = 1511539200000 + (int64_t)(tiny_random(state) * 1e9f),
                              .item = (uint32_t)(*state >> 7),
                              .category = (uint16_t)(*state >> 40),
                              .behavior = (uint8_t)(*state >> 60 & 3),
                              .price_level = (uint8_t)(*state >> 20 & 63)};
    struct shoal_features features;
    shoal_features_of(dims, NULL, 0, &now, (int64_t)(*state >> 34), &features);
    return features;
}

/* Steps the users `order[0 … count)` in one call each step; events depend on user and step only. */
static void run(const struct shoal_model *model, enum shoal_precision precision, size_t max_batch,
                const size_t *order, size_t count, struct users *users)
{
    static struct shoal_step_row rows[ROWS];
    struct shoal_step *step;
    cr_assert_eq(shoal_step_create(model, max_batch, precision, &step), SHOAL_OK);
    for (uint64_t t = 0; t < STEPS; t++) {
        for (size_t i = 0; i < count; i++) {
            size_t user = order[i];
            uint64_t state = (user * STEPS + t + 1) * 0x9e3779b97f4a7c15u;
            for (int k = 0; k < SHOAL_COUNTERS; k++)
                users->counters[user][k] = fabsf(10 * tiny_random(&state));
            rows[i] = (struct shoal_step_row){.features = features_of(&model->params.dims, &state),
                                              .h = users->h[user],
                                              .c = users->c[user],
                                              .counters = users->counters[user]};
        }
        shoal_step_run(step, rows, count);
        for (size_t i = 0; i < count; i++)
            users->score[order[i]] = rows[i].score;
    }
    shoal_step_destroy(step);
}

static struct shoal_model *model_of(struct shoal_dims dims)
{
    struct shoal_model *model = tiny_model(&dims, 4);
    cr_assert_not_null(model);
    return model;
}

static void expect_any_split_the_same(struct shoal_dims dims)
{
    struct shoal_model *model = model_of(dims);
    size_t order[ROWS], backwards[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        order[i] = i;
        backwards[ROWS - 1 - i] = i;
    }
    run(model, SHOAL_FP16, ROWS, order, ROWS, &one);
    const size_t batches[] = {1, 2, 7, 8, 31, 64, 100, 299, 1000};
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
        memset(&other, 0, sizeof other);
        run(model, SHOAL_FP16, batches[b], b % 2 ? order : backwards, ROWS, &other);
        cr_assert(!memcmp(&one, &other, sizeof one), "batches of %zu", batches[b]);
    }
    memset(&other, 0, sizeof other);
    for (size_t i = 0; i < ROWS;) {
        size_t count = 1 + (i * 7) % 23;
        count = count < ROWS - i ? count : ROWS - i;
        run(model, SHOAL_FP16, 16, order + i, count, &other);
        i += count;
    }
    cr_assert(!memcmp(&one, &other, sizeof one), "calls of various sizes");
    shoal_model_destroy(model);
}

Test(step, any_split_into_batches_and_any_order_gives_the_same_bits)
{
    expect_any_split_the_same(shoal_dims_default());
}

Test(step, any_split_gives_the_same_bits_where_k_is_beyond_one_block_of_blis)
{
    struct shoal_dims dims = shoal_dims_default();
    dims.item_width = 256;
    dims.category_width = 256;
    dims.item_buckets = 64;
    expect_any_split_the_same(dims);
}

Test(step, any_split_gives_the_same_bits_in_the_smallest_model)
{
    memset(&one, 0, sizeof one);
    expect_any_split_the_same(tiny_dims());
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The equations of params.h in double. */
static double reference(const struct shoal_model *model, const struct shoal_step_row *row,
                        const float *h, const float *c, double *h_next, double *c_next)
{
    const struct shoal_params *p = &model->params;
    size_t hidden = p->dims.hidden, inputs = shoal_dims_inputs(&p->dims);
    float x[1024];
    shoal_features_gather(p, &row->features, x);
    memcpy(x + inputs, h, hidden * sizeof *h);
    double logit = (double)p->head_bias[0];
    for (size_t j = 0; j < hidden; j++) {
        double z[4];
        for (size_t g = 0; g < 4; g++) {
            z[g] = (double)p->gates_bias[g * hidden + j];
            for (size_t k = 0; k < inputs + hidden; k++)
                z[g] += (double)x[k] * (double)p->gates_weight[k * 4 * hidden + g * hidden + j];
        }
        c_next[j] = sigmoid(z[1]) * (double)c[j] + sigmoid(z[0]) * tanh(z[2]);
        h_next[j] = sigmoid(z[3]) * tanh(c_next[j]);
        logit += h_next[j] * (double)p->head_hidden[j];
    }
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        logit += (double)p->head_counters[k] *
                 (log1p((double)row->counters[k]) - (double)model->counter_mean[k]) /
                 (double)model->counter_deviation[k];
    return sigmoid((double)model->calibration[0].slope * logit +
                   (double)model->calibration[0].intercept);
}

Test(step, a_step_computes_the_equations)
{
    struct shoal_model *model = model_of(shoal_dims_default());
    size_t hidden = model->params.dims.hidden;
    struct shoal_step *step;
    float h[64] = {0}, c[64] = {0}, counters[SHOAL_COUNTERS];
    cr_assert_eq(shoal_step_create(model, 4, SHOAL_FP32, &step), SHOAL_OK);
    uint64_t state = 17;
    for (int t = 0; t < 20; t++) {
        double h_next[64], c_next[64];
        for (int k = 0; k < SHOAL_COUNTERS; k++)
            counters[k] = fabsf(20 * tiny_random(&state));
        struct shoal_step_row row = {.features = features_of(&model->params.dims, &state),
                                     .h = h,
                                     .c = c,
                                     .counters = counters};
        double score = reference(model, &row, h, c, h_next, c_next);
        shoal_step_run(step, &row, 1);
        cr_assert_float_eq((double)row.score, score, 1e-6);
        for (size_t j = 0; j < hidden; j++) {
            cr_assert_float_eq((double)h[j], h_next[j], 1e-6);
            cr_assert_float_eq((double)c[j], c_next[j], 1e-6);
        }
    }
    shoal_step_destroy(step);
    shoal_model_destroy(model);
}

Test(step, states_in_half_precision_survive_saving_and_stay_near)
{
    struct shoal_model *model = model_of(shoal_dims_default());
    size_t order[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        order[i] = i;
    run(model, SHOAL_FP16, 64, order, ROWS, &one);
    run(model, SHOAL_FP32, 64, order, ROWS, &other);
    float worst = 0;
    bool rounded = false;
    for (size_t i = 0; i < ROWS; i++) {
        float h[HIDDEN_MAX], c[HIDDEN_MAX];
        memcpy(h, one.h[i], sizeof h);
        memcpy(c, one.c[i], sizeof c);
        shoal_half_round(h, HIDDEN_MAX);
        shoal_half_round(c, HIDDEN_MAX);
        cr_assert(!memcmp(h, one.h[i], sizeof h) && !memcmp(c, one.c[i], sizeof c));
        for (size_t j = 0; j < HIDDEN_MAX; j++)
            worst = fmaxf(worst, fmaxf(fabsf(one.h[i][j] - other.h[i][j]),
                                       fabsf(one.c[i][j] - other.c[i][j])));
        memcpy(h, other.h[i], sizeof h);
        shoal_half_round(h, HIDDEN_MAX);
        rounded |= memcmp(h, other.h[i], sizeof h) != 0;
    }
    cr_expect(worst < 5e-3f, "%g", (double)worst);
    cr_expect(rounded, "fp32 was rounded as well");
    shoal_model_destroy(model);
}

Test(step, without_counters_there_is_a_state_but_no_score)
{
    struct shoal_model *model = model_of(tiny_dims());
    struct shoal_step *step;
    cr_assert_eq(shoal_step_create(model, 8, SHOAL_FP16, &step), SHOAL_OK);
    float state[3][2][16] = {{{0}}}, counters[SHOAL_COUNTERS] = {3, 2, 1};
    struct shoal_step_row rows[3];
    uint64_t seed = 3;
    struct shoal_features features = features_of(&model->params.dims, &seed);
    for (int i = 0; i < 3; i++)
        rows[i] = (struct shoal_step_row){.features = features,
                                          .h = state[i][0],
                                          .c = state[i][1],
                                          .counters = i == 1 ? NULL : counters,
                                          .score = -7};
    shoal_step_run(step, rows, 3);
    cr_expect_eq(rows[1].score, -7.0f);
    cr_expect(rows[0].score > 0 && rows[0].score < 1);
    cr_expect_eq(rows[0].score, rows[2].score);
    cr_expect(!memcmp(state[0], state[1], sizeof state[0]));
    shoal_step_run(step, rows, 0);
    shoal_step_destroy(step);
    shoal_step_destroy(NULL);
    shoal_model_destroy(model);
}

Test(step, a_batch_of_nothing_is_refused_and_a_huge_one_takes_no_more_memory)
{
    struct shoal_model *model = model_of(tiny_dims());
    struct shoal_step *step;
    cr_expect_eq(shoal_step_create(model, 0, SHOAL_FP16, &step), SHOAL_INVALID);
    cr_expect_null(step);
    cr_expect_eq(shoal_step_create(model, SIZE_MAX, SHOAL_FP16, &step), SHOAL_OK);
    shoal_step_destroy(step);
    shoal_model_destroy(model);
}
