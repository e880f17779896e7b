/* SPDX-License-Identifier: Apache-2.0 */
/* Self-paced correction: the formula on a case worked out by hand, its gradient, and what it is for. */
#include <criterion/criterion.h>
#include <math.h>

#include "model/learn/logistic.h"
#include "model/learn/random.h"
#include "model/learn/self_paced.h"

static void near(double got, double expected, double tolerance)
{
    cr_expect(fabs(got - expected) <= tolerance, "%.12g is not %.12g", got, expected);
}

/* z = x: p = 0.2, 0.4, 0.6, 0.8 of rows labelled 1, 1, 1, 0. */
static const double logits[] = {-1.3862943611198906, -0.40546510810816438, 0.40546510810816438,
                                1.3862943611198906};
static const uint8_t labels[] = {1, 1, 1, 0};
static const double weights[] = {1, 0};

Test(self_paced, a_positive_at_or_below_tau_counts_as_a_negative)
{
    struct shoal_self_paced_data data = {logits, labels, NULL, 4, 1};
    double plain = -(log(0.2) + log(0.4) + log(0.6) + log(0.2)) / 4;
    near(shoal_self_paced_loss(&data, weights, 0.5, false, NULL), plain, 1e-12);
    near(shoal_self_paced_loss(&data, weights, 0, true, NULL), plain, 1e-12);
    near(shoal_self_paced_loss(&data, weights, 0.3, true, NULL),
         -(log(0.8) + log(0.4) + log(0.6) + log(0.2)) / 4, 1e-12);
    near(shoal_self_paced_loss(&data, weights, 0.5, true, NULL),
         -(log(0.8) + log(0.6) + log(0.6) + log(0.2)) / 4, 1e-12);
}

Test(self_paced, the_gradient_takes_corrected_positives_for_negatives)
{
    const double importance[] = {1, 2, 1, 1};
    struct shoal_self_paced_data data = {logits, labels, importance, 4, 1};
    double gradient[2];
    (void)shoal_self_paced_loss(&data, weights, 0.5, true, gradient);
    /* p − target: 0.2, 0.4, 0.6 − 1, 0.8, the second twice */
    near(gradient[1], (0.2 + 2 * 0.4 - 0.4 + 0.8) / 5, 1e-12);
    near(gradient[0], (0.2 * logits[0] + 2 * 0.4 * logits[1] - 0.4 * logits[2] + 0.8 * logits[3]) / 5, 1e-12);
    (void)shoal_self_paced_loss(&data, weights, 0.5, false, gradient);
    near(gradient[1], (-0.8 - 2 * 0.6 - 0.4 + 0.8) / 5, 1e-12);
}

Test(self_paced, nothing_is_corrected_while_it_warms_up)
{
    struct shoal_self_paced_data data = {logits, labels, NULL, 4, 1};
    struct shoal_self_paced options = shoal_self_paced_default();
    double plain[2], warm[2], corrected[2];
    options.epochs = options.warm_up = 50;
    cr_assert_eq(shoal_self_paced_fit(&data, &options, plain), SHOAL_OK);
    options.tau = 0.9;
    cr_assert_eq(shoal_self_paced_fit(&data, &options, warm), SHOAL_OK);
    near(warm[0], plain[0], 0);
    options.warm_up = 25;
    cr_assert_eq(shoal_self_paced_fit(&data, &options, corrected), SHOAL_OK);
    cr_expect(fabs(corrected[1] - plain[1]) > 0.1);
}

/* Prompted where x > 0, but half of the rest are called so too: corrected, the model parts them further. */
Test(self_paced, correction_unlearns_positives_that_are_none)
{
    enum { COUNT = 4000 };
    static double x[COUNT];
    static uint8_t noisy[COUNT];
    double plain[2], corrected[2];
    struct shoal_self_paced options = shoal_self_paced_default();
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = 2 * (double)shoal_random_uniform(1, i) - 1;
        noisy[i] = x[i] > 0 || shoal_random_uniform(2, i) < 0.5f;
    }
    struct shoal_self_paced_data data = {x, noisy, NULL, COUNT, 1};
    cr_assert_eq(shoal_self_paced_fit(&data, &options, plain), SHOAL_OK);
    options.tau = 0.6;
    cr_assert_eq(shoal_self_paced_fit(&data, &options, corrected), SHOAL_OK);
    double without = shoal_logistic_sigmoid(plain[1] - 0.6 * plain[0]),
           with = shoal_logistic_sigmoid(corrected[1] - 0.6 * corrected[0]);
    cr_expect(without > 0.4, "%g", without);
    cr_expect(with < 0.3, "%g", with);
}
