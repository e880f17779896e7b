/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "model/learn/value_judge.h"

static struct shoal_value_judgement judge(const float *expected, const float *spent, size_t count)
{
    struct shoal_value_judgement judgement;
    cr_assert_eq(shoal_value_judge(expected, spent, count, 0, 1, &judgement), SHOAL_OK);
    return judgement;
}

Test(value_judge, errors_and_totals_are_as_by_hand)
{
    const float expected[] = {1, 2, 0, 5}, spent[] = {0, 4, 0, 5};
    struct shoal_value_judgement j = judge(expected, spent, 4);
    cr_assert_float_eq(j.values[SHOAL_VALUE_MEASURE_mae], 0.75, 1e-12);
    cr_assert_float_eq(j.values[SHOAL_VALUE_MEASURE_rmse], sqrt(1.25), 1e-12);
    /* 2·(1) + 2·(4·ln 2 − 2) + 2·2.25e-6 (an expectation of nothing is held up) + 0 */
    cr_assert_float_eq(j.values[SHOAL_VALUE_MEASURE_deviance], (2 + 8 * log(2) - 4) / 4, 1e-5);
    cr_assert_float_eq(j.predicted, 8, 1e-12);
    cr_assert_float_eq(j.actual, 9, 1e-12);
}

Test(value_judge, gini_is_one_in_order_less_than_0_turned_and_0_without_an_order)
{
    const float spent[] = {0, 10, 0, 3, 1}, turned[] = {9, 1, 8, 2, 3}, same[] = {2, 2, 2, 2, 2};
    const float squared[] = {0, 100, 0, 9, 1};
    cr_assert_float_eq(judge(squared, spent, 5).values[SHOAL_VALUE_MEASURE_gini], 1, 1e-12);
    cr_assert_float_eq(judge(turned, spent, 5).values[SHOAL_VALUE_MEASURE_gini], -1, 1e-12);
    cr_assert_float_eq(judge(same, spent, 5).values[SHOAL_VALUE_MEASURE_gini], 0, 1e-12);
    const float zeros[] = {0, 0, 0, 0, 0};
    struct shoal_value_judgement none = judge(same, zeros, 5);
    cr_assert(isnan(none.values[SHOAL_VALUE_MEASURE_gini]));
    cr_assert(isnan(none.values[SHOAL_VALUE_MEASURE_deviance]));
    cr_assert_float_eq(none.values[SHOAL_VALUE_MEASURE_mae], 2, 1e-12);
}

Test(value_judge, deviance_is_least_at_the_mean_where_mae_is_least_at_nothing)
{
    float expected[20], spent[20] = {0};
    spent[3] = 30;
    spent[7] = 10;
    struct shoal_value_judgement least = {.predicted = 0}, nothing, mean;
    double best = INFINITY;
    for (float guess = 0.1f; guess < 5; guess += 0.1f) {
        for (size_t i = 0; i < 20; i++)
            expected[i] = guess;
        struct shoal_value_judgement j = judge(expected, spent, 20);
        if (j.values[SHOAL_VALUE_MEASURE_deviance] < best) {
            best = j.values[SHOAL_VALUE_MEASURE_deviance];
            least = j;
        }
    }
    cr_assert_float_eq(least.predicted / 20, 2, 0.01);
    for (size_t i = 0; i < 20; i++)
        expected[i] = 0;
    nothing = judge(expected, spent, 20);
    for (size_t i = 0; i < 20; i++)
        expected[i] = 2;
    mean = judge(expected, spent, 20);
    cr_assert_lt(nothing.values[SHOAL_VALUE_MEASURE_mae], mean.values[SHOAL_VALUE_MEASURE_mae]);
    cr_assert_gt(nothing.values[SHOAL_VALUE_MEASURE_deviance],
                 mean.values[SHOAL_VALUE_MEASURE_deviance]);
}

Test(value_judge, intervals_hold_the_estimate_and_come_again_with_the_seed)
{
    float expected[300], spent[300];
    for (int i = 0; i < 300; i++) {
        expected[i] = (float)(i % 7);
        spent[i] = (float)((i * 31) % 11);
    }
    struct shoal_value_judgement first, again, other;
    cr_assert_eq(shoal_value_judge(expected, spent, 300, 200, 5, &first), SHOAL_OK);
    cr_assert_eq(shoal_value_judge(expected, spent, 300, 200, 5, &again), SHOAL_OK);
    cr_assert_eq(shoal_value_judge(expected, spent, 300, 200, 6, &other), SHOAL_OK);
    for (size_t m = 0; m < SHOAL_VALUE_MEASURES; m++) {
        cr_assert(first.intervals[m].low < first.values[m] &&
                  first.values[m] < first.intervals[m].high);
        cr_assert_eq(first.intervals[m].low, again.intervals[m].low);
        cr_assert_neq(first.intervals[m].low, other.intervals[m].low);
    }
    double width = first.intervals[SHOAL_VALUE_MEASURE_mae].high -
                   first.intervals[SHOAL_VALUE_MEASURE_mae].low;
    cr_assert(width > 0.3 && width < 1.2, "%g", width); /* 4 · deviation 2.6 / √300 = 0.6 */
}
