/* SPDX-License-Identifier: Apache-2.0 */
/* Learners of uplift on a planted effect: a contact persuades where x₀ is high, puts off where it is low, and x₁
 * says who buys anyway. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/learn/logistic.h"
#include "model/learn/random.h"
#include "model/learn/uplift_choose.h"
#include "model/learn/uplift_metrics.h"

enum { COUNT = 12000, WIDTH = 3 };

static double chance(const double *x, int treated)
{
    return shoal_logistic_sigmoid(-1.5 + 1.2 * x[1] + treated * (0.3 + 1.2 * x[0]));
}

static void make(uint64_t seed, double share, struct shoal_uplift_rows *rows)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_INIT);
    cr_assert_eq(shoal_uplift_rows_make(COUNT, WIDTH, rows), SHOAL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        double *x = rows->x + i * WIDTH;
        for (size_t k = 0; k < WIDTH; k++)
            x[k] = 3.4 * ((double)shoal_random_uniform(key, 8 * i + k) - 0.5);
        rows->treated[i] = (double)shoal_random_uniform(key, 8 * i + 6) < share;
        rows->outcome[i] = (double)shoal_random_uniform(key, 8 * i + 7) < chance(x, rows->treated[i]);
        rows->stage[i] = rows->outcome[i] ? SHOAL_STAGE_ENGAGED : SHOAL_STAGE_INACTIVE;
    }
}

/* Share of the possible Qini (that of the truth) on fresh rows. */
static double reached(const struct shoal_uplift_heads *heads, const struct shoal_uplift_rows *rows)
{
    static double scores[COUNT], truth[COUNT];
    double qini, most;
    for (size_t i = 0; i < COUNT; i++) {
        const double *x = rows->x + i * WIDTH;
        scores[i] = shoal_uplift_score(heads, x);
        truth[i] = chance(x, 1) - chance(x, 0);
    }
    struct shoal_uplift_sample sample = {scores, rows->treated, rows->outcome, COUNT};
    cr_assert_eq(shoal_uplift_qini(&sample, &qini), SHOAL_OK);
    sample.scores = truth;
    cr_assert_eq(shoal_uplift_qini(&sample, &most), SHOAL_OK);
    return qini / most;
}

static double learnt(enum shoal_uplift_learner learner, double share, double ridge, double tau)
{
    struct shoal_uplift_rows train, test;
    struct shoal_uplift_heads heads;
    struct shoal_uplift_setting setting = {learner, ridge, tau};
    make(1, share, &train);
    make(2, share, &test);
    cr_assert_eq(shoal_uplift_learn(&train, &setting, &heads), SHOAL_OK);
    double result = reached(&heads, &test);
    shoal_uplift_heads_finish(&heads);
    shoal_uplift_rows_finish(&train);
    shoal_uplift_rows_finish(&test);
    return result;
}

Test(uplift_learners, the_planted_effect_is_found_with_fair_and_with_unfair_coins)
{
    const double shares[] = {0.5, 0.25, 0.8};
    for (size_t s = 0; s < 3; s++) {
        cr_expect_gt(learnt(SHOAL_LEARNER_two_model, shares[s], 1e-4, 0), 0.95);
        cr_expect_gt(learnt(SHOAL_LEARNER_shrunk, shares[s], 0.01, 0), 0.95);
        cr_expect_gt(learnt(SHOAL_LEARNER_analytic, shares[s], 0.001, 0), 0.9);
    }
}

/* Why τ is chosen and never fixed. */
Test(uplift_learners, a_fitting_tau_helps_the_two_stages_and_a_high_one_ruins_them)
{
    const double shares[] = {0.5, 0.25, 0.8};
    for (size_t s = 0; s < 3; s++) {
        double without = learnt(SHOAL_LEARNER_two_stage, shares[s], 0.003, 0),
               fitting = learnt(SHOAL_LEARNER_two_stage, shares[s], 0.003, 0.3);
        cr_expect_gt(without, 0.45);
        cr_expect_gt(fitting, without);
        cr_expect_lt(learnt(SHOAL_LEARNER_two_stage, shares[s], 0.003, 0.55), fitting - 0.2);
    }
}

Test(uplift_learners, ranking_by_response_misses_it)
{
    cr_expect_lt(learnt(SHOAL_LEARNER_response, 0.5, 1e-4, 0), 0.7);
    /* and infinite shrinkage is ranking by response */
    cr_expect_lt(learnt(SHOAL_LEARNER_shrunk, 0.5, 1e4, 0), 0.4);
}

/* P(prompted | x) = 1 − r/(1 − r)·(1 − p)/p = 1 − P(y | control)/P(y | treated). */
Test(uplift_learners, the_analytic_form_is_the_share_of_the_treated_outcomes_that_would_not_have_come)
{
    struct shoal_uplift_rows rows;
    struct shoal_uplift_heads heads;
    struct shoal_uplift_setting setting = {SHOAL_LEARNER_analytic, 1e-4, 0};
    make(3, 0.3, &rows);
    cr_assert_eq(shoal_uplift_learn(&rows, &setting, &heads), SHOAL_OK);
    const double customers[][WIDTH] = {{1, 0, 0}, {0.5, 0.5, 0}, {0, 0, 0.5}};
    for (size_t c = 0; c < 3; c++) {
        double truth = 1 - chance(customers[c], 0) / chance(customers[c], 1),
               got = shoal_uplift_prompted(&heads, customers[c]);
        cr_expect(fabs(got - truth) < 0.1, "%g is not %g", got, truth);
    }
    shoal_uplift_heads_finish(&heads);
    shoal_uplift_rows_finish(&rows);
}

Test(uplift_learners, the_choice_is_recorded_repeats_itself_and_is_never_the_response)
{
    struct shoal_uplift_rows rows;
    struct shoal_uplift_choice_of first, second;
    make(4, 0.5, &rows);
    rows.count = COUNT / 4;
    cr_assert_eq(shoal_uplift_choose(&rows, 7, &first, NULL), SHOAL_OK);
    cr_assert_eq(shoal_uplift_choose(&rows, 7, &second, NULL), SHOAL_OK);
    cr_expect_eq(first.picked, second.picked);
    cr_expect_neq(first.picked, SHOAL_LEARNER_response);
    for (size_t s = 0; s < first.count; s++)
        cr_expect(fabs(first.tried[s].qini - second.tried[s].qini) <= 0 && isfinite(first.tried[s].loss));
    for (int learner = 0; learner < SHOAL_LEARNERS; learner++) {
        cr_expect_eq((int)first.tried[first.best[learner]].setting.learner, learner);
        if (learner != SHOAL_LEARNER_response)
            cr_expect_leq(first.qini[learner], first.qini[first.picked]);
    }
    shoal_uplift_rows_finish(&rows);
}

Test(uplift_learners, too_few_outcomes_are_refused_with_the_number_that_is_needed)
{
    struct shoal_uplift_rows rows;
    struct shoal_uplift_choice_of choice;
    struct shoal_message message;
    make(5, 0.5, &rows);
    size_t kept = 0;
    for (size_t i = 0; i < COUNT; i++)
        if (!rows.treated[i] && rows.outcome[i] && ++kept > 24)
            rows.outcome[i] = 0;
    cr_assert_eq(shoal_uplift_choose(&rows, 1, &choice, &message), SHOAL_TOO_FEW);
    cr_expect(strstr(message.text, "control") && strstr(message.text, "needed are 25"), "%s", message.text);
    shoal_uplift_rows_finish(&rows);
}
