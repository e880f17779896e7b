/* SPDX-License-Identifier: Apache-2.0 */
/* Differences of two groups: against SciPy and statsmodels (golden/lift.txt), and on planted data. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/distributions.h"
#include "model/learn/lift.h"
#include "model/learn/random.h"

enum { FIGURES = 64 };

/* ---- golden values -------------------------------------------------------------------------- */

static FILE *open_golden(void)
{
    char path[2048];
    cr_assert_not_null(getenv("SHOAL_SOURCE"), "SHOAL_SOURCE is not set");
    snprintf(path, sizeof path, "%s/tests/golden/lift.txt", getenv("SHOAL_SOURCE"));
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    return file;
}

/* "kind 1 2 3": the kind ("" for a line of numbers) and its numbers. */
static bool next_line(FILE *file, char kind[16], double figures[FIGURES])
{
    char text[4096], *at = text;
    if (!fgets(text, sizeof text, file))
        return false;
    kind[0] = '\0';
    if (sscanf(text, "%15[a-z]", kind) == 1)
        at += strlen(kind);
    for (int i = 0; i < FIGURES; i++)
        figures[i] = strtod(at, &at);
    return true;
}

static void same(double is, double wanted, const char *what, const double figures[FIGURES])
{
    if (isnan(wanted))
        cr_expect(isnan(is), "%s(%g, %g, %g, %g): %g, wanted none", what, figures[0], figures[1],
                  figures[2], figures[3], is);
    else
        cr_expect(fabs(is - wanted) <= 2e-8 * fmax(fabs(wanted), 1e-3),
                  "%s(%g, %g, %g, %g): %.12g, wanted %.12g", what, figures[0], figures[1],
                  figures[2], figures[3], is, wanted);
}

/* Arms of users of whom `hits` of `count` did it. */
static struct shoal_arm arm_of(double hits, double count)
{
    struct shoal_arm arm = {0};
    const double nothing[SHOAL_LIFT_COVARIATES] = {0};
    for (double i = 0; i < count; i++)
        shoal_arm_add(&arm, i < hits ? 1 : 0, nothing);
    return arm;
}

static void check_difference(const struct shoal_difference *is, const double wanted[4],
                             const double figures[FIGURES])
{
    same(is->value, wanted[0], "difference", figures);
    same(is->interval.low, wanted[1], "low", figures);
    same(is->interval.high, wanted[2], "high", figures);
    same(is->p_value, wanted[3], "p", figures);
}

static void check_shares(const double figures[FIGURES])
{
    struct shoal_arm exposed = arm_of(figures[0], figures[1]);
    struct shoal_arm control = arm_of(figures[2], figures[3]);
    struct shoal_lift lift;
    shoal_lift_shares(&exposed, &control, &lift);
    check_difference(&lift.plain, figures + 4, figures);
    same(lift.relative_interval.low, figures[8], "relative low", figures);
    same(lift.relative_interval.high, figures[9], "relative high", figures);
}

static void check_means(FILE *file, const double head[FIGURES])
{
    struct shoal_arm arms[2] = {{0}};
    struct shoal_lift lift;
    char kind[16];
    double figures[FIGURES];
    for (double i = 0; i < head[0] + head[1]; i++) {
        cr_assert(next_line(file, kind, figures));
        shoal_arm_add(&arms[i >= head[0]], figures[0], figures + 1);
    }
    cr_assert(next_line(file, kind, figures));
    cr_assert_str_eq(kind, "is");
    shoal_lift_means(&arms[0], &arms[1], &lift);
    check_difference(&lift.plain, figures, head);
    check_difference(&lift.adjusted, figures + 4, head);
    cr_expect(lift.adjusted_used && lift.variance_reduced > 0 && lift.variance_reduced < 1);
}

static void check_holm(double figures[FIGURES])
{
    size_t count = (size_t)figures[0];
    shoal_holm(figures + 1, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_float_eq(figures[1 + i], figures[1 + count + i], 1e-12);
}

Test(lift, agrees_with_scipy_and_statsmodels)
{
    FILE *file = open_golden();
    char kind[16];
    double f[FIGURES];
    int count = 0;
    for (; next_line(file, kind, f); count++) {
        if (strcmp(kind, "tails") == 0)
            same(shoal_student_tails(f[0], f[1]), f[2], kind, f);
        else if (strcmp(kind, "student") == 0)
            same(shoal_student_quantile(f[0], f[1]), f[2], kind, f);
        else if (strcmp(kind, "normal") == 0)
            same(shoal_normal_quantile(f[0]), f[1], kind, f);
        else if (strcmp(kind, "chi") == 0)
            same(shoal_chi_square_tail(f[0]), f[1], kind, f);
        else if (strcmp(kind, "fisher") == 0)
            same(shoal_fisher_exact(f[0], f[1], f[2], f[3]), f[4], kind, f);
        else if (strcmp(kind, "shares") == 0)
            check_shares(f);
        else if (strcmp(kind, "means") == 0)
            check_means(file, f);
        else if (strcmp(kind, "holm") == 0)
            check_holm(f);
        else
            cr_assert_fail("unknown kind '%s'", kind);
    }
    cr_assert_gt(count, 40);
    fclose(file);
}

/* ---- planted data --------------------------------------------------------------------------- */

/* Numbers of a stream of its own for each seed. */
struct stream {
    uint64_t key, next;
};

static double uniform(struct stream *stream)
{
    return (double)shoal_random_uniform(stream->key, stream->next++);
}

/* Users with an inclination that shows in what they did before and in what they do: `lift` is added to the
 * chance of the exposed. */
static void plant(uint64_t seed, size_t count, double lift, struct shoal_arm arms[2])
{
    struct stream stream = {.key = shoal_random_mix(seed)};
    memset(arms, 0, 2 * sizeof *arms);
    for (size_t i = 0; i < count; i++) {
        double inclination = uniform(&stream), before[SHOAL_LIFT_COVARIATES];
        bool control = uniform(&stream) < 0.3;
        before[0] = 5 * inclination + uniform(&stream);
        before[1] = uniform(&stream) < inclination;
        before[2] = uniform(&stream);
        double chance = 0.1 + 0.6 * inclination * inclination + (control ? 0 : lift);
        shoal_arm_add(&arms[control], uniform(&stream) < chance, before);
    }
}

Test(lift, an_interval_covers_the_planted_lift_in_95_of_100_cases_and_cuped_narrows_it)
{
    enum { TRIALS = 400 };
    int covered = 0, covered_adjusted = 0, covered_anytime = 0;
    double sum = 0, narrower = 0;
    for (uint64_t seed = 1; seed <= TRIALS; seed++) {
        struct shoal_arm arms[2];
        struct shoal_lift lift;
        plant(seed, 1500, 0.05, arms);
        shoal_lift_shares(&arms[0], &arms[1], &lift);
        covered += lift.plain.interval.low <= 0.05 && lift.plain.interval.high >= 0.05;
        covered_adjusted +=
            lift.adjusted.interval.low <= 0.05 && lift.adjusted.interval.high >= 0.05;
        covered_anytime += lift.anytime.low <= 0.05 && lift.anytime.high >= 0.05;
        sum += lift.adjusted.value;
        narrower += lift.variance_reduced;
        cr_expect_gt(lift.variance_reduced, 0.05);
    }
    /* 400 · 0.95 = 380, its standard deviation 4.4 */
    cr_expect(covered >= 365 && covered <= 394, "%d", covered);
    cr_expect(covered_adjusted >= 365 && covered_adjusted <= 394, "%d", covered_adjusted);
    cr_expect_geq(covered_anytime, 390);
    cr_expect_gt(narrower / TRIALS, 0.1);
    /* unbiased: the standard error of the mean of 400 is 0.0012 */
    cr_expect_float_eq(sum / TRIALS, 0.05, 0.004);
}

Test(lift, a_planted_lift_is_found_and_none_is_not)
{
    int found = 0, alarms = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct shoal_arm arms[2];
        struct shoal_lift lift;
        plant(seed, 3000, 0.1, arms);
        shoal_lift_shares(&arms[0], &arms[1], &lift);
        found += lift.verdict == SHOAL_LIFT_MORE;
        plant(1000 + seed, 3000, 0, arms);
        shoal_lift_shares(&arms[0], &arms[1], &lift);
        alarms += lift.verdict != SHOAL_LIFT_UNKNOWN;
    }
    cr_expect_geq(found, 190);
    cr_expect(alarms >= 2 && alarms <= 20, "%d alarms in 200, 10 expected", alarms);
}

Test(lift, the_users_said_to_be_needed_show_the_difference_four_times_in_five)
{
    struct shoal_arm arms[2];
    struct shoal_lift lift;
    int shown = 0;
    /* 70:30 and a lift of 0.05: as many as the formula says for the planted difference. */
    plant(7, 200000, 0.05, arms);
    shoal_lift_shares(&arms[0], &arms[1], &lift);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct shoal_lift small;
        plant(5000 + seed, (size_t)lift.units_needed, 0.05, arms);
        shoal_lift_shares(&arms[0], &arms[1], &small);
        shown += small.verdict == SHOAL_LIFT_MORE;
    }
    cr_expect(shown >= 142 && shown <= 178, "%d of 200, 160 expected", shown);
}

Test(lift, always_looking_finds_too_much_but_not_by_the_interval_that_holds_at_any_time)
{
    int by_p = 0, by_anytime = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        bool p_alarm = false, anytime_alarm = false;
        for (size_t count = 200; count <= 4000; count += 200) {
            struct shoal_arm arms[2];
            struct shoal_lift lift;
            plant(seed, count, 0, arms); /* the same users, and more of them */
            shoal_lift_shares(&arms[0], &arms[1], &lift);
            p_alarm = p_alarm || lift.verdict != SHOAL_LIFT_UNKNOWN;
            anytime_alarm = anytime_alarm || lift.anytime.low > 0 || lift.anytime.high < 0;
        }
        by_p += p_alarm;
        by_anytime += anytime_alarm;
    }
    cr_expect_gt(by_p, 12);
    cr_expect_leq(by_anytime, 8);
}

/* ---- what cannot be told -------------------------------------------------------------------- */

Test(lift, an_empty_or_tiny_group_gives_no_verdict_and_no_figure_that_it_cannot_have)
{
    struct shoal_arm none = {0}, two = arm_of(1, 2), many = arm_of(30, 100);
    struct shoal_lift lift;
    shoal_lift_shares(&many, &none, &lift);
    cr_expect_eq(lift.verdict, SHOAL_LIFT_TOO_FEW);
    cr_expect(isnan(lift.plain.value) && isnan(lift.plain.p_value) && isnan(lift.control));
    cr_expect(isnan(lift.units_needed) && isnan(lift.relative));
    shoal_lift_means(&many, &none, &lift);
    cr_expect_eq(lift.verdict, SHOAL_LIFT_TOO_FEW);
    shoal_lift_shares(&many, &two, &lift);
    cr_expect_eq(lift.verdict, SHOAL_LIFT_TOO_FEW);
    cr_expect_gt(lift.plain.interval.high - lift.plain.interval.low, 0.6);
    shoal_lift_shares(&none, &none, &lift);
    cr_expect(isnan(lift.plain.value) && isnan(lift.exposed));
}

Test(lift, nobody_bought_is_no_difference_and_no_division)
{
    struct shoal_arm exposed = arm_of(0, 500), control = arm_of(0, 100);
    struct shoal_lift lift;
    shoal_lift_shares(&exposed, &control, &lift);
    cr_expect_eq(lift.verdict, SHOAL_LIFT_UNKNOWN);
    cr_expect_float_eq(lift.plain.p_value, 1, 1e-12);
    cr_expect(!lift.adjusted_used && isnan(lift.relative) && isnan(lift.units_needed));
}

Test(lift, a_broken_split_is_seen)
{
    cr_expect_gt(shoal_split_p_value(900, 100, 0.1), 0.9);
    cr_expect_gt(shoal_split_p_value(880, 120, 0.1), 0.001);
    cr_expect_lt(shoal_split_p_value(850, 150, 0.1), 0.001);
    cr_expect(isnan(shoal_split_p_value(0, 0, 0.1)));
    cr_expect(isnan(shoal_split_p_value(10, 0, 0)));
}

Test(lift, holm_leaves_out_what_is_not_known)
{
    double p_values[] = {0.02, NAN, 0, 0.5};
    shoal_holm(p_values, 4);
    cr_expect_float_eq(p_values[0], 0.04, 1e-12);
    cr_expect(isnan(p_values[1]));
    cr_expect(p_values[2] == 0 && !signbit(p_values[2]));
    cr_expect_float_eq(p_values[3], 0.5, 1e-12);
}
