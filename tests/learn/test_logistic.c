/* SPDX-License-Identifier: Apache-2.0 */
/* Regressions of two and more classes: gradients, what they recover, and the ridge. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/learn/logistic.h"
#include "model/learn/random.h"

enum { COUNT = 6000, WIDTH = 3, CLASSES = 3 };
static double x[COUNT * WIDTH], importance[COUNT];
static uint8_t classes[COUNT];
static const double truth[2][WIDTH + 1] = {{1, -0.5, 0, 0.3}, {-1, 0, 0.8, -0.2}};

static void make(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        double p[CLASSES], u = (double)shoal_random_uniform(2, i);
        for (size_t k = 0; k < WIDTH; k++)
            x[i * WIDTH + k] = 4 * (double)shoal_random_uniform(1, i * WIDTH + k) - 2;
        shoal_logistic_probabilities(&truth[0][0], x + i * WIDTH, WIDTH, CLASSES, p);
        classes[i] = (uint8_t)((u >= p[0]) + (u >= p[0] + p[1]));
        importance[i] = 0.5 + (double)shoal_random_uniform(3, i);
    }
}

Test(logistic, the_gradient_is_the_slope_of_the_loss)
{
    double ridge[WIDTH + 1] = {0.1, 0.2, 0.3, 0}, gradient[2 * (WIDTH + 1)];
    double weights[2 * (WIDTH + 1)] = {0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.1, -0.3};
    make();
    struct shoal_logistic_data data = {x, classes, importance, ridge, 200, WIDTH, CLASSES};
    (void)shoal_logistic_loss(&data, weights, gradient);
    for (size_t k = 0; k < 2 * (WIDTH + 1); k++) {
        double at = weights[k], step = 1e-5;
        weights[k] = at + step;
        double up = shoal_logistic_loss(&data, weights, NULL);
        weights[k] = at - step;
        double slope = (up - shoal_logistic_loss(&data, weights, NULL)) / (2 * step);
        weights[k] = at;
        cr_expect(fabs(slope - gradient[k]) < 1e-8, "weight %zu: %.10g, slope %.10g", k, gradient[k], slope);
    }
}

Test(logistic, three_classes_are_recovered_and_the_fit_is_a_minimum)
{
    double weights[2 * (WIDTH + 1)] = {0}, gradient[2 * (WIDTH + 1)];
    make();
    struct shoal_logistic_data data = {x, classes, NULL, NULL, COUNT, WIDTH, CLASSES};
    cr_assert_eq(shoal_logistic_fit(&data, weights), SHOAL_OK);
    (void)shoal_logistic_loss(&data, weights, gradient);
    for (size_t k = 0; k < 2 * (WIDTH + 1); k++) {
        cr_expect(fabs(weights[k] - truth[k / (WIDTH + 1)][k % (WIDTH + 1)]) < 0.12, "weight %zu: %g", k, weights[k]);
        cr_expect(fabs(gradient[k]) < 1e-5);
    }
}

Test(logistic, a_ridge_draws_weights_to_nothing_and_leaves_the_bias)
{
    double weights[WIDTH + 1] = {0}, ridge[WIDTH + 1] = {1e6, 1e6, 1e6, 0};
    double ones = 0;
    make();
    for (size_t i = 0; i < COUNT; i++) {
        classes[i] = classes[i] > 0;
        ones += classes[i];
    }
    struct shoal_logistic_data data = {x, classes, NULL, ridge, COUNT, WIDTH, 2};
    cr_assert_eq(shoal_logistic_fit(&data, weights), SHOAL_OK);
    for (size_t k = 0; k < WIDTH; k++)
        cr_expect(fabs(weights[k]) < 1e-6);
    cr_expect(fabs(weights[WIDTH] - log(ones / (COUNT - ones))) < 1e-3);
}

Test(logistic, too_many_weights_are_refused)
{
    struct shoal_logistic_data data = {x, classes, NULL, NULL, 1, SHOAL_LOGISTIC_WEIGHTS, 2};
    static double weights[SHOAL_LOGISTIC_WEIGHTS + 1];
    cr_expect_eq(shoal_logistic_fit(&data, weights), SHOAL_INVALID);
}
