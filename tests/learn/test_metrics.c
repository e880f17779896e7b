/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics against values worked out by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/learn/metrics.h"

static struct shoal_metrics estimate(const float *scores, const int8_t *labels,
                                     const uint32_t *users, size_t count, size_t users_max)
{
    struct shoal_sample sample = {scores, labels, users, count, users_max};
    struct shoal_metrics metrics;
    cr_assert_eq(shoal_metrics_estimate(&sample, &metrics), SHOAL_OK);
    return metrics;
}

static void near(double got, double expected)
{
    cr_expect(fabs(got - expected) < 1e-6, "%.9g is not %.9g", got, expected);
}

Test(metrics, roc_auc_counts_ties_as_half)
{
    /* pairs: (.8,.8) ½, (.8,.1) 1, (.4,.8) 0, (.4,.1) 1 → 2.5 of 4 */
    const float scores[] = {0.8f, 0.4f, 0.8f, 0.1f};
    const int8_t labels[] = {1, 1, 0, 0};
    const uint32_t users[] = {0, 1, 2, 3};
    near(estimate(scores, labels, users, 4, 4).values[SHOAL_MEASURE_roc_auc], 0.625);
}

Test(metrics, average_precision_is_that_of_the_definition)
{
    /* by score: 1 0 1 0 → ½·1 + ½·⅔ */
    const float scores[] = {0.9f, 0.7f, 0.6f, 0.2f};
    const int8_t labels[] = {1, 0, 1, 0};
    const uint32_t users[] = {0, 1, 2, 3};
    near(estimate(scores, labels, users, 4, 4).values[SHOAL_MEASURE_pr_auc], 0.5 + 0.5 * 2 / 3);
}

Test(metrics, log_loss_and_ece_of_one_constant_score)
{
    const float scores[] = {0.25f, 0.25f, 0.25f, 0.25f};
    const int8_t labels[] = {1, 1, 0, 0};
    const uint32_t users[] = {0, 1, 2, 3};
    struct shoal_metrics metrics = estimate(scores, labels, users, 4, 4);
    near(metrics.values[SHOAL_MEASURE_log_loss], -(log(0.25) + log(0.75)) / 2);
    near(metrics.values[SHOAL_MEASURE_ece], 0.25);
    near(metrics.values[SHOAL_MEASURE_roc_auc], 0.5);
    near(metrics.base_rate, 0.5);
}

Test(metrics, one_class_has_no_auc_and_no_events_have_nothing)
{
    const float scores[] = {0.3f, 0.6f};
    const int8_t labels[] = {0, 0};
    const uint32_t users[] = {0, 1};
    struct shoal_metrics metrics = estimate(scores, labels, users, 2, 2);
    cr_expect(isnan(metrics.values[SHOAL_MEASURE_roc_auc]));
    cr_expect(isnan(metrics.values[SHOAL_MEASURE_pr_auc]));
    cr_expect(isfinite(metrics.values[SHOAL_MEASURE_log_loss]));
    metrics = estimate(scores, labels, users, 0, 2);
    cr_expect(isnan(metrics.base_rate));
}

/* Scores that say something, 40 users with 25 events each. */
enum { USERS = 40, EVENTS = 25 };

static void make(float *scores, float *worse, int8_t *labels, uint32_t *users)
{
    uint64_t state = 12345;
    for (size_t i = 0; i < USERS * EVENTS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        float u = (float)(state >> 40) / (1 << 24);
        users[i] = (uint32_t)(i / EVENTS);
        labels[i] = (int8_t)(users[i] % 3 == 0);
        scores[i] = 0.3f * u + 0.4f * (float)labels[i] + 0.1f;
        worse[i] = 0.9f * u;
    }
}

Test(metrics, intervals_hold_the_estimate_and_a_seed_repeats_them)
{
    static float scores[USERS * EVENTS], worse[USERS * EVENTS];
    static int8_t labels[USERS * EVENTS];
    static uint32_t users[USERS * EVENTS];
    make(scores, worse, labels, users);
    struct shoal_sample sample = {worse, labels, users, USERS * EVENTS, USERS};
    struct shoal_metrics a, b, c;
    cr_assert_eq(shoal_metrics_compute(&sample, 1, &a), SHOAL_OK);
    cr_assert_eq(shoal_metrics_compute(&sample, 1, &b), SHOAL_OK);
    cr_assert_eq(shoal_metrics_compute(&sample, 2, &c), SHOAL_OK);
    cr_expect_eq(memcmp(a.intervals, b.intervals, sizeof a.intervals), 0);
    cr_expect_neq(memcmp(a.intervals, c.intervals, sizeof a.intervals), 0);
    for (int m = 0; m < SHOAL_MEASURE_COUNT; m++) {
        cr_expect(a.intervals[m].low <= a.values[m] && a.values[m] <= a.intervals[m].high);
        cr_expect(a.intervals[m].low < a.intervals[m].high);
    }
}

Test(metrics, a_better_predictor_leads_with_its_whole_paired_interval)
{
    static float scores[USERS * EVENTS], worse[USERS * EVENTS];
    static int8_t labels[USERS * EVENTS];
    static uint32_t users[USERS * EVENTS];
    double differences[SHOAL_MEASURE_COUNT];
    struct shoal_interval intervals[SHOAL_MEASURE_COUNT];
    make(scores, worse, labels, users);
    struct shoal_sample first = {scores, labels, users, USERS * EVENTS, USERS};
    struct shoal_sample second = {worse, labels, users, USERS * EVENTS, USERS};
    cr_assert_eq(shoal_metrics_compare(&first, &second, 1, differences, intervals), SHOAL_OK);
    cr_expect_gt(intervals[SHOAL_MEASURE_roc_auc].low, 0.2);
    cr_expect_lt(intervals[SHOAL_MEASURE_log_loss].high, 0);
    cr_assert_eq(shoal_metrics_compare(&first, &first, 1, differences, intervals), SHOAL_OK);
    cr_expect_eq(differences[SHOAL_MEASURE_roc_auc], 0);
    cr_expect_eq(intervals[SHOAL_MEASURE_roc_auc].high, 0);
}

/* Every user is the same, so that only the repetitions differ: their log losses are known. */
Test(metrics, intervals_of_repetitions_are_those_of_their_mean)
{
    enum { DRAWS = 6, EACH = 40 };
    float scores[DRAWS + 1][EACH];
    int8_t labels[EACH];
    uint32_t users[EACH];
    struct shoal_sample samples[DRAWS + 1];
    double losses[DRAWS], mean = 0, variance = 0;
    for (size_t d = 0; d <= DRAWS; d++) {
        float p = d == DRAWS ? 0.5f : 0.3f + 0.05f * (float)(d * d % 7);
        for (size_t i = 0; i < EACH; i++) {
            scores[d][i] = p;
            labels[i] = 1;
            users[i] = (uint32_t)i;
        }
        samples[d] = (struct shoal_sample){scores[d], labels, users, EACH, EACH};
        if (d < DRAWS) {
            losses[d] = log(0.5) - log((double)p);
            mean += losses[d] / DRAWS;
        }
    }
    for (size_t d = 0; d < DRAWS; d++)
        variance += (losses[d] - mean) * (losses[d] - mean) / (DRAWS - 1) / DRAWS;
    double differences[SHOAL_MEASURE_COUNT];
    struct shoal_interval intervals[SHOAL_MEASURE_COUNT];
    cr_assert_eq(shoal_metrics_compare_draws(samples, DRAWS, &samples[DRAWS], 1, differences,
                                             intervals),
                 SHOAL_OK);
    const struct shoal_interval *interval = &intervals[SHOAL_MEASURE_log_loss];
    cr_expect_float_eq(differences[SHOAL_MEASURE_log_loss], mean, 1e-6);
    double width = (interval->high - interval->low) / (2 * 1.96 * sqrt(variance));
    cr_expect_gt(width, 0.8, "%g of what it should be", width);
    cr_expect_lt(width, 1.2, "%g of what it should be", width);
    /* One alone: nothing is drawn, and the users are all alike. */
    cr_assert_eq(shoal_metrics_compare_draws(samples, 1, &samples[DRAWS], 1, differences, intervals),
                 SHOAL_OK);
    cr_expect_float_eq(interval->low, losses[0], 1e-6);
    cr_expect_float_eq(interval->high, losses[0], 1e-6);
}
