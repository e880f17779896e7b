/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/ziln.h"

enum { USERS = 3000, INPUTS = 4, WEIGHTS = SHOAL_ZILN_HEADS * (INPUTS + 1) };

static uint64_t state = 2463534242u;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

Test(ziln, the_gradient_is_the_slope_of_the_loss)
{
    double z[40 * INPUTS], outcomes[40], weights[WEIGHTS], gradient[WEIGHTS];
    for (size_t i = 0; i < 40 * INPUTS; i++)
        z[i] = normal();
    for (size_t i = 0; i < 40; i++)
        outcomes[i] = i % 3 ? 0 : exp(normal());
    for (size_t i = 0; i < WEIGHTS; i++)
        weights[i] = 0.3 * normal();
    shoal_ziln_loss(z, outcomes, 40, INPUTS, 0.07, weights, gradient);
    for (size_t i = 0; i < WEIGHTS; i++) {
        double there = weights[i], step = 1e-5;
        weights[i] = there + step;
        double above = shoal_ziln_loss(z, outcomes, 40, INPUTS, 0.07, weights, NULL);
        weights[i] = there - step;
        double below = shoal_ziln_loss(z, outcomes, 40, INPUTS, 0.07, weights, NULL);
        weights[i] = there;
        cr_assert_float_eq(gradient[i], (above - below) / (2 * step), 1e-8,
                           "weight %zu: %g, not %g", i, gradient[i], (above - below) / (2 * step));
        cr_assert_gt(fabs(gradient[i]), 1e-6, "weight %zu has no say", i);
    }
}

/* logit = −1 + x0, ln spend ~ Normal(2 + 0.5·x1, 0.6). */
static void make(float *inputs, float *outcomes, uint32_t *rows)
{
    for (uint32_t n = 0; n < USERS; n++) {
        for (size_t i = 0; i < INPUTS; i++)
            inputs[n * INPUTS + i] = (float)(5 + 2 * normal()); /* standardised by the fit */
        double x0 = ((double)inputs[n * INPUTS] - 5) / 2,
               x1 = ((double)inputs[n * INPUTS + 1] - 5) / 2;
        bool spends = uniform() < 1 / (1 + exp(1 - x0));
        double spend = exp(2 + 0.5 * x1 + 0.6 * normal());
        outcomes[n] = spends ? (float)spend : 0;
        rows[n] = n;
    }
}

Test(ziln, what_made_the_data_is_found_again)
{
    static float inputs[USERS * INPUTS], outcomes[USERS];
    static uint32_t rows[USERS];
    make(inputs, outcomes, rows);
    struct shoal_ziln_data data = {inputs, outcomes, INPUTS, rows, USERS};
    struct shoal_ziln ziln;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_ziln_fit(&data, 1e-5, &ziln, &why), SHOAL_OK, "%s", why.text);
    const float *w = ziln.weights;
    cr_assert_float_eq((double)w[0], 1, 0.15);
    cr_assert_float_eq((double)w[INPUTS], -1, 0.15);
    cr_assert_float_eq((double)w[INPUTS + 1 + 1], 0.5, 0.08);
    cr_assert_float_eq((double)w[INPUTS + 1 + INPUTS], 2, 0.08);
    cr_assert_float_eq((double)w[2 * (INPUTS + 1) + INPUTS], log(0.6), 0.08);
    cr_assert_float_eq((double)w[2], 0, 0.15, "an input without a say");
    double sum = 0, paid = 0;
    for (size_t n = 0; n < USERS; n++) {
        sum += shoal_ziln_expected(&ziln, inputs + n * INPUTS, INPUTS, NULL);
        paid += (double)outcomes[n];
    }
    cr_assert(fabs(sum / paid - 1) < 0.05, "expected %g, spent %g", sum, paid);
    struct shoal_ziln again;
    cr_assert_eq(shoal_ziln_fit(&data, 1e-5, &again, &why), SHOAL_OK);
    cr_assert_eq(memcmp(again.mean, ziln.mean, shoal_ziln_size(INPUTS) * sizeof(float)), 0,
                 "the same data give the same bits");
    shoal_ziln_finish(&ziln);
    shoal_ziln_finish(&again);
}

Test(ziln, a_large_ridge_leaves_everybody_alike)
{
    static float inputs[USERS * INPUTS], outcomes[USERS];
    static uint32_t rows[USERS];
    make(inputs, outcomes, rows);
    struct shoal_ziln_data data = {inputs, outcomes, INPUTS, rows, USERS};
    struct shoal_ziln ziln;
    cr_assert_eq(shoal_ziln_fit(&data, 1e6, &ziln, NULL), SHOAL_OK);
    for (size_t head = 0; head < SHOAL_ZILN_HEADS; head++)
        for (size_t i = 0; i < INPUTS; i++)
            cr_assert_lt(fabs((double)ziln.weights[head * (INPUTS + 1) + i]), 1e-3);
    shoal_ziln_finish(&ziln);
}

Test(ziln, only_the_rows_that_are_given_teach)
{
    static float inputs[USERS * INPUTS], outcomes[USERS];
    static uint32_t rows[USERS];
    make(inputs, outcomes, rows);
    struct shoal_ziln_data data = {inputs, outcomes, INPUTS, rows, USERS / 2};
    struct shoal_ziln first, second;
    cr_assert_eq(shoal_ziln_fit(&data, 1e-3, &first, NULL), SHOAL_OK);
    for (size_t n = USERS / 2; n < USERS; n++)
        outcomes[n] = 1e6f;
    cr_assert_eq(shoal_ziln_fit(&data, 1e-3, &second, NULL), SHOAL_OK);
    cr_assert_eq(memcmp(first.mean, second.mean, shoal_ziln_size(INPUTS) * sizeof(float)), 0);
    cr_assert_lt((double)first.most, 1e5);
    shoal_ziln_finish(&first);
    shoal_ziln_finish(&second);
}

Test(ziln, too_few_outcomes_are_refused_with_how_many_are_needed)
{
    static float inputs[USERS * INPUTS], outcomes[USERS];
    static uint32_t rows[USERS];
    make(inputs, outcomes, rows);
    for (size_t n = 19; n < USERS; n++)
        outcomes[n] = 0;
    for (size_t n = 0; n < 19; n++)
        outcomes[n] = 1;
    struct shoal_ziln_data data = {inputs, outcomes, INPUTS, rows, USERS};
    struct shoal_ziln ziln;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_ziln_fit(&data, 1, &ziln, &why), SHOAL_TOO_FEW);
    cr_assert(strstr(why.text, "at least 50") && strstr(why.text, "19"), "%s", why.text);
    data.count = 10;
    cr_assert_eq(shoal_ziln_fit(&data, 1, &ziln, &why), SHOAL_TOO_FEW);
    shoal_ziln_finish(&ziln);
}
