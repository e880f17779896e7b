/* SPDX-License-Identifier: Apache-2.0 */
#include "model/learn/softmax.h"

#include <criterion/criterion.h>
#include <math.h>

Test(softmax, a_row_becomes_its_gradient)
{
    float scores[] = {1, 2, -INFINITY, 0.5f, -200};
    double total = exp(1) + exp(2) + exp(0.5);
    double loss = shoal_softmax_row(scores, 5, 0, 0.25f);
    cr_expect_float_eq(loss, log(total) - 1, 1e-6);
    cr_expect_float_eq((double)scores[0], 0.25 * (exp(1) / total - 1), 1e-6);
    cr_expect_float_eq((double)scores[1], 0.25 * exp(2) / total, 1e-6);
    cr_expect_float_eq((double)scores[2], 0, 1e-9);
    cr_expect_float_eq((double)scores[3], 0.25 * exp(0.5) / total, 1e-6);
    cr_expect_float_eq((double)scores[4], 0, 1e-9);
}

Test(softmax, large_scores_do_not_overflow)
{
    float scores[] = {3000, 2999};
    double loss = shoal_softmax_row(scores, 2, 1, 1);
    cr_expect_float_eq(loss, 1 + log1p(exp(-1)), 1e-5);
    cr_expect_float_eq((double)scores[0] + (double)scores[1], 0, 1e-6);
}
