/* SPDX-License-Identifier: Apache-2.0 */
/* Integrated gradients: completeness, gradients against finite differences, and what the axioms
 * promise. */
#include "tests/model/explain_fixture.h"

/* ---- completeness --------------------------------------------------------------------------- */

Test(explain, contributions_sum_to_the_difference_of_the_logits)
{
    struct shoal_explained_event events[EVENTS_MAX];
    for (uint32_t hidden = 16; hidden <= 64; hidden *= 4)
        for (uint64_t seed = 1; seed <= 24; seed++) {
            struct shoal_dims dims = dims_of(hidden);
            struct shoal_model *model = tiny_model(&dims, seed);
            for (size_t i = 0; seed % 2 && i < model->params.count; i++)
                model->params.block[i] *= 2; /* gates that are nearly open or shut */
            struct history history = history_of(&dims, 1 + seed * 3 % EVENTS_MAX, seed);
            struct shoal_explanation e =
                explain_once(model, &history, SHOAL_EXPLAIN_STEPS, SHOAL_GAUSS_LEGENDRE, events);
            double sum = 0, wanted = (double)e.logit - (double)e.base_logit;
            for (size_t t = 0; t < history.count; t++)
                sum += events[t].sum;
            for (int k = 0; k < SHOAL_COUNTERS; k++)
                sum += e.each_counter[k];
            cr_expect_float_eq(sum - wanted, e.error, 1e-12);
            cr_expect_leq(fabs(sum - wanted), 1e-3 * fabs(wanted) + 1e-5,
                          "H %u, seed %d: %g is not %g", hidden, (int)seed, sum, wanted);
            shoal_model_destroy(model);
        }
    test_no_leaks();
}

/* Three times the weights of the other tests make a state that jumps: no rule of 64 points follows
 * it. That is told, not hidden. */
Test(explain, a_path_that_is_too_rough_for_the_points_shows_in_the_error)
{
    struct shoal_explained_event events[EVENTS_MAX];
    struct shoal_dims dims = dims_of(64);
    struct shoal_model *model = tiny_model(&dims, 7);
    for (size_t i = 0; i < model->params.count; i++)
        model->params.block[i] *= 3;
    struct history history = history_of(&dims, 22, 7);
    struct shoal_explanation few = explain_once(model, &history, 64, SHOAL_GAUSS_LEGENDRE, events);
    cr_expect_gt(few.relative_error, 0.1);
    struct shoal_explanation many =
        explain_once(model, &history, 1024, SHOAL_GAUSS_LEGENDRE, events);
    cr_expect_lt(many.relative_error, few.relative_error / 10, "%g, %g", many.relative_error,
                 few.relative_error);
    shoal_model_destroy(model);
}

/* Mean |error| over models, by the number of points. */
static double mean_error(size_t steps, enum shoal_quadrature rule)
{
    struct shoal_explained_event events[EVENTS_MAX];
    double sum = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct shoal_dims dims = dims_of(64);
        struct shoal_model *model = tiny_model(&dims, seed);
        struct history history = history_of(&dims, 16, seed);
        sum += fabs(explain_once(model, &history, steps, rule, events).error) / 8;
        shoal_model_destroy(model);
    }
    return sum;
}

Test(explain, the_error_falls_with_the_number_of_points_by_gauss_legendre_much_faster)
{
    const size_t steps[] = {1, 2, 4, 8, 16, 32, 64, 128};
    double gauss[8], middle[8];
    printf("points  Gauss-Legendre  midpoint\n");
    for (size_t i = 0; i < 8; i++) {
        gauss[i] = mean_error(steps[i], SHOAL_GAUSS_LEGENDRE);
        middle[i] = mean_error(steps[i], SHOAL_MIDPOINT);
        printf("%6zu  %14.1e  %8.1e\n", steps[i], gauss[i], middle[i]);
    }
    for (size_t i = 1; i < 8; i++)
        if (gauss[i - 1] > 1e-5) /* down to what single precision leaves */
            cr_expect_lt(gauss[i], gauss[i - 1] / 2, "%zu points", steps[i]);
    for (size_t i = 4; i < 6; i++) /* 1/m² once it is fine enough */
        cr_expect_lt(middle[i], middle[i - 1] / 3, "%zu points", steps[i]);
    cr_expect_lt(gauss[3], middle[3] / 3);
    cr_expect_lt(gauss[6], 2e-6);
}

Test(explain, gauss_legendre_is_exact_for_polynomials_and_weights_sum_to_one)
{
    double points[SHOAL_EXPLAIN_STEPS_MAX], weights[SHOAL_EXPLAIN_STEPS_MAX];
    const size_t counts[] = {1, 2, 3, 5, 8, 64, 1024};
    for (size_t c = 0; c < 7; c++) {
        size_t m = counts[c], degree = 2 * m - 1;
        double sum = 0, integral = 0;
        shoal_quadrature_make(SHOAL_GAUSS_LEGENDRE, m, points, weights);
        for (size_t i = 0; i < m; i++) {
            cr_assert_gt(points[i], i ? points[i - 1] : 0.0);
            cr_assert_lt(points[i], 1.0);
            sum += weights[i];
            integral += weights[i] * pow(points[i], (double)degree);
        }
        cr_expect_float_eq(sum, 1.0, 1e-12, "%zu", m);
        cr_expect_float_eq(integral * (double)(degree + 1), 1.0, 1e-10, "%zu", m);
    }
}

/* ---- gradients ------------------------------------------------------------------------------ */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* head·h_T of x (T×D) in double, by the equations of params.h. */
static double reference(const struct shoal_params *p, const double *x, size_t events)
{
    size_t hidden = p->dims.hidden, inputs = shoal_dims_inputs(&p->dims);
    double h[HIDDEN_MAX] = {0}, c[HIDDEN_MAX] = {0}, z[4 * HIDDEN_MAX], result = 0;
    for (size_t t = 0; t < events; t++) {
        for (size_t n = 0; n < 4 * hidden; n++) {
            z[n] = (double)p->gates_bias[n];
            for (size_t k = 0; k < inputs; k++)
                z[n] += x[t * inputs + k] * (double)p->gates_weight[k * 4 * hidden + n];
            for (size_t k = 0; k < hidden; k++)
                z[n] += h[k] * (double)p->gates_weight[(inputs + k) * 4 * hidden + n];
        }
        for (size_t j = 0; j < hidden; j++) {
            c[j] = sigmoid(z[hidden + j]) * c[j] + sigmoid(z[j]) * tanh(z[2 * hidden + j]);
            h[j] = sigmoid(z[3 * hidden + j]) * tanh(c[j]);
        }
    }
    for (size_t j = 0; j < hidden; j++)
        result += (double)p->head_hidden[j] * h[j];
    return result;
}

struct gradients {
    float dx[EVENTS_MAX * 64];
    size_t inputs, rows_seen;
};

static void keep(void *context, size_t event, const float *dx, size_t stride)
{
    struct gradients *gradients = context;
    (void)stride;
    memcpy(gradients->dx + event * gradients->inputs, dx, gradients->inputs * sizeof *dx);
    gradients->rows_seen++;
}

Test(explain, gradients_are_those_of_finite_differences)
{
    enum { T = 6 };
    for (uint32_t hidden = 16; hidden <= 64; hidden *= 4) {
        struct shoal_dims dims = dims_of(hidden);
        struct shoal_model *model = tiny_model(&dims, hidden);
        size_t inputs = shoal_dims_inputs(&dims);
        struct gradients gradients = {.inputs = inputs};
        struct shoal_paths paths;
        float x[T * 64];
        double wide[T * 64];
        uint64_t state = 99;
        for (size_t i = 0; i < T * inputs; i++)
            wide[i] = (double)(x[i] = tiny_random(&state));
        cr_assert_eq(shoal_paths_init(&paths, &model->params, 2, T), SHOAL_OK);
        shoal_paths_forward(&paths, x, T, (float[]){1, 0.25f}, 2);
        double sum = 0;
        for (size_t j = 0; j < hidden; j++)
            sum += (double)(shoal_paths_state(&paths, 0)[j] * model->params.head_hidden[j]);
        cr_expect_float_eq(sum, reference(&model->params, wide, T), 1e-5);
        shoal_paths_backward(&paths, model->params.head_hidden, T, 2, keep, &gradients);
        cr_assert_eq(gradients.rows_seen, (size_t)T);
        for (size_t i = 0; i < T * inputs; i++) {
            const double step = 1e-5, at = wide[i];
            wide[i] = at + step;
            double up = reference(&model->params, wide, T);
            wide[i] = at - step;
            double slope = (up - reference(&model->params, wide, T)) / (2 * step);
            wide[i] = at;
            cr_assert_float_eq((double)gradients.dx[i], slope, 1e-6 + 1e-4 * fabs(slope),
                               "H %u, input %zu: %g, not %g", hidden, i, (double)gradients.dx[i],
                               slope);
        }
        shoal_paths_finish(&paths);
        shoal_model_destroy(model);
    }
    test_no_leaks();
}

/* ---- axioms --------------------------------------------------------------------------------- */

Test(explain, counters_add_exactly_what_their_weights_say)
{
    struct shoal_dims dims = dims_of(16);
    struct shoal_model *model = tiny_model(&dims, 5);
    struct history history = history_of(&dims, 9, 5);
    struct shoal_explained_event events[EVENTS_MAX], others[EVENTS_MAX];
    struct shoal_explanation e = explain_once(model, &history, 8, SHOAL_GAUSS_LEGENDRE, events);
    double sum = 0;
    for (int k = 0; k < SHOAL_COUNTERS; k++) {
        double z = (log1p((double)history.rates[k]) - (double)model->counter_mean[k]) /
                   (double)model->counter_deviation[k];
        cr_expect_float_eq(e.each_counter[k], z * (double)model->params.head_counters[k], 1e-6);
        cr_expect_eq(e.each_counter[k],
                     (double)e.standardised[k] * (double)model->params.head_counters[k]);
        sum += e.each_counter[k];
    }
    cr_expect_eq(e.counters, sum);
    /* Twice as far from the mean, twice as much, and the events are as before to the last bit. */
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        model->params.head_counters[k] *= 2;
    struct shoal_explanation twice = explain_once(model, &history, 8, SHOAL_GAUSS_LEGENDRE, others);
    cr_expect_eq(twice.counters, 2 * sum);
    cr_expect_eq(twice.events, e.events);
    cr_expect_eq(memcmp(events, others, history.count * sizeof *events), 0);
    shoal_model_destroy(model);
}

Test(explain, an_event_that_says_what_the_baseline_says_adds_nothing)
{
    struct shoal_dims dims = dims_of(64);
    struct shoal_model *model = tiny_model(&dims, 6);
    struct history history = history_of(&dims, 12, 6);
    memset(model->params.item_embedding, 0, dims.item_width * sizeof(float));
    memset(model->params.category_embedding, 0, dims.category_width * sizeof(float));
    memset(model->params.behavior_embedding, 0, dims.behavior_width * sizeof(float));
    for (size_t t = 0; t < history.count; t++)
        history.features[t].item_row = 1 + history.features[t].item_row % 7;
    history.features[4] = (struct shoal_features){0};
    struct shoal_explained_event events[EVENTS_MAX];
    struct shoal_explanation e = explain_once(model, &history, 16, SHOAL_GAUSS_LEGENDRE, events);
    for (size_t t = 0; t < history.count; t++)
        cr_expect_eq(events[t].sum == 0, t == 4, "event %zu: %g", t, events[t].sum);
    for (int i = 0; i < SHOAL_REASONS; i++)
        cr_expect_eq(events[4].inputs[i], 0.0);
    cr_expect_eq(events[0].inputs[SHOAL_REASON_gap], 0.0, "the first event has no gap");
    cr_expect_lt(fabs(e.error), 1e-5);
    shoal_model_destroy(model);
}

Test(explain, inputs_that_the_model_does_not_look_at_add_nothing)
{
    struct shoal_dims dims = dims_of(16);
    struct shoal_model *model = tiny_model(&dims, 7);
    struct history history = history_of(&dims, 10, 7);
    for (size_t i = 0; i < dims.item_width * 4 * (size_t)dims.hidden; i++)
        model->params.gates_weight[i] = 0; /* the rows of the item come first */
    struct shoal_explained_event events[EVENTS_MAX];
    struct shoal_explanation e = explain_once(model, &history, 16, SHOAL_GAUSS_LEGENDRE, events);
    for (int i = 0; i < SHOAL_REASONS; i++)
        cr_expect_eq(e.inputs[i] == 0, i == SHOAL_REASON_item, "%s: %g",
                     shoal_reason_name((enum shoal_reason)i), e.inputs[i]);
    shoal_model_destroy(model);
}

/* No recurrence, a forget gate that is exactly 1 and an output gate that is constant: h sees the
 * sum of what each event adds to c, and their order is nothing to it. */
static void forget_the_order(struct shoal_model *model)
{
    struct shoal_params *p = &model->params;
    size_t hidden = p->dims.hidden, inputs = shoal_dims_inputs(&p->dims);
    for (size_t k = 0; k < inputs + hidden; k++)
        for (size_t j = 0; j < hidden; j++) {
            float *row = p->gates_weight + k * 4 * hidden;
            row[hidden + j] = 0;
            row[3 * hidden + j] = 0;
            if (k >= inputs)
                row[j] = row[2 * hidden + j] = 0;
        }
    for (size_t j = 0; j < hidden; j++)
        p->gates_bias[hidden + j] = 40;
}

Test(explain, events_and_inputs_that_are_alike_to_the_model_get_alike)
{
    struct shoal_dims dims = dims_of(16);
    dims.category_width = dims.item_width;
    struct shoal_model *model = tiny_model(&dims, 8);
    struct history history = history_of(&dims, 10, 8);
    forget_the_order(model);
    /* The category is to the network what the item is. */
    size_t part = dims.item_width * 4 * (size_t)dims.hidden;
    memcpy(model->params.gates_weight + part, model->params.gates_weight, part * sizeof(float));
    for (uint32_t r = 0; r < dims.category_buckets; r++)
        memcpy(model->params.category_embedding + r * dims.category_width,
               model->params.item_embedding + r * dims.item_width, dims.item_width * sizeof(float));
    for (size_t t = 0; t < history.count; t++)
        history.features[t].item_row = history.features[t].category_row;
    history.features[8] = history.features[2];
    struct shoal_explained_event events[EVENTS_MAX];
    struct shoal_explanation e = explain_once(model, &history, 64, SHOAL_GAUSS_LEGENDRE, events);
    cr_expect_gt(fabs(events[2].sum), 1e-4);
    cr_expect_float_eq(events[2].sum, events[8].sum, 1e-6 * fabs(events[2].sum) + 1e-8);
    cr_expect_gt(fabs(events[3].sum - events[2].sum), 1e-4, "others differ");
    for (size_t t = 0; t < history.count; t++)
        cr_expect_float_eq(events[t].inputs[SHOAL_REASON_item],
                           events[t].inputs[SHOAL_REASON_category], 1e-7);
    cr_expect_lt(fabs(e.error), 1e-5);
    shoal_model_destroy(model);
}

Test(explain, probabilities_are_shared_out_in_proportion)
{
    struct shoal_dims dims = dims_of(16);
    struct shoal_explained_event events[EVENTS_MAX];
    struct shoal_model *model = tiny_model(&dims, 9);
    struct history history = history_of(&dims, 10, 9);
    struct shoal_explanation e =
        explain_once(model, &history, SHOAL_EXPLAIN_STEPS, SHOAL_GAUSS_LEGENDRE, events);
    double wanted = (double)e.probability - (double)e.base_probability;
    cr_expect_float_eq(e.slope * (e.events + e.counters), wanted, 1e-5);
    cr_expect_gt(e.slope, 0.0);
    /* Nothing known at all: the slope is that of the curve there, and finite. */
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        model->params.head_counters[k] = 0;
    memset(model->params.head_hidden, 0, dims.hidden * sizeof(float));
    e = explain_once(model, &history, 4, SHOAL_GAUSS_LEGENDRE, events);
    double p = (double)e.probability;
    cr_expect_eq(e.logit, e.base_logit);
    cr_expect_eq(e.error, 0.0);
    cr_expect(isnan(e.relative_error));
    cr_expect_float_eq(e.slope, 0.9 * p * (1 - p), 1e-3);
    shoal_model_destroy(model);
}
