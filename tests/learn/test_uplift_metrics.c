/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of uplift worked out by hand. */
#include <criterion/criterion.h>
#include <math.h>

#include "model/learn/uplift_metrics.h"

static void near(double got, double expected)
{
    cr_expect(fabs(got - expected) < 1e-12, "%.15g is not %.15g", got, expected);
}

/* Ten of either arm by falling score; the first four pairs are persuaded, the rest never react. */
enum { ROWS = 20 };
static double scores[ROWS];
static int8_t treated[ROWS], outcome[ROWS];
static const struct shoal_uplift_sample sample = {scores, treated, outcome, ROWS};

static void make(void)
{
    for (int i = 0; i < ROWS; i++) {
        scores[i] = -i;
        treated[i] = i % 2 == 0;
        outcome[i] = i < 8 && treated[i];
    }
}

Test(uplift_metrics, gain_is_the_share_of_all_that_the_first_bring)
{
    struct shoal_uplift_figures figures;
    make();
    cr_assert_eq(shoal_uplift_measure(&sample, &figures), SHOAL_OK);
    near(figures.effect, 0.4);
    near(figures.uplift_at[0], 1);           /* the first two: one treated with, one control without */
    near(figures.gain_at[0], 1 * 2 / 8.0);
    near(figures.gain_at[2], 1);             /* 40 %: all eight */
    near(figures.gain[0], 0);
    near(figures.gain[10], 1 * 1.0);         /* 50 %: 4/5 of 10 rows over 8 */
    near(figures.gain[20], 1);
}

Test(uplift_metrics, the_best_order_has_a_qini_of_one_and_a_score_that_says_nothing_has_none)
{
    struct shoal_uplift_figures figures;
    make();
    for (int i = 0; i < ROWS; i++)
        scores[i] = outcome[i] * treated[i] - outcome[i] * (1 - treated[i]);
    cr_assert_eq(shoal_uplift_measure(&sample, &figures), SHOAL_OK);
    near(figures.qini, 1);
    for (int i = 0; i < ROWS; i++)
        scores[i] = 7;
    cr_assert_eq(shoal_uplift_measure(&sample, &figures), SHOAL_OK);
    near(figures.qini, 0);
    near(figures.auuc, 0);
}

Test(uplift_metrics, one_arm_has_no_figures)
{
    struct shoal_uplift_figures figures;
    make();
    for (int i = 0; i < ROWS; i++)
        treated[i] = 1;
    cr_assert_eq(shoal_uplift_measure(&sample, &figures), SHOAL_OK);
    cr_expect(isnan(figures.effect));
    cr_expect(isnan(figures.uplift_at[0]));
}

/* Contacted are the first four: two treated with the outcome, one control with it. In all three treated and
 * three control outcomes. */
Test(uplift_metrics, classes_count_outcomes_by_arm_and_contact)
{
    double s[] = {9, 8, 7, 6, 5, 4, 3, 2};
    int8_t t[] = {1, 1, 0, 0, 1, 0, 0, 1}, y[] = {1, 1, 1, 0, 1, 1, 1, 0};
    struct shoal_uplift_sample eight = {s, t, y, 8};
    struct shoal_uplift_classes classes;
    cr_assert_eq(shoal_uplift_classify(&eight, 4, &classes), SHOAL_OK);
    near(classes.precision, 2.0 / 3);
    near(classes.recall, 2.0 / 3);
    near(classes.balanced_accuracy, (2.0 / 3 + 2.0 / 3) / 2);
    near(classes.weighted_f1, 2.0 / 3);
    cr_assert_eq(shoal_uplift_classify(&eight, 0, &classes), SHOAL_OK);
    near(classes.recall, 0);
    near(classes.balanced_accuracy, 0.5);
}
