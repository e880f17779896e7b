/* SPDX-License-Identifier: Apache-2.0 */
/* Reliability bins worked out by hand, and against the ECE that they must add up to. */
#include <criterion/criterion.h>
#include <math.h>

#include "model/learn/random.h"
#include "model/learn/reliability.h"

static void near(double got, double expected)
{
    cr_expect(fabs(got - expected) < 1e-6, "%.9g is not %.9g", got, expected);
}

static struct shoal_reliability make(const float *scores, const int8_t *labels,
                                     const uint32_t *users, size_t count)
{
    struct shoal_sample sample = {scores, labels, users, count, 1000};
    struct shoal_reliability reliability;
    cr_assert_eq(shoal_reliability_make(&sample, 1, &reliability), SHOAL_OK);
    return reliability;
}

Test(reliability, thirty_scores_make_fifteen_bins_of_two)
{
    float scores[30];
    int8_t labels[30];
    uint32_t users[30];
    for (int i = 0; i < 30; i++) {
        scores[i] = (float)(29 - i) / 100;
        labels[i] = i % 2 == 0 && i < 10; /* of the ten highest, every other one */
        users[i] = (uint32_t)i % 7;
    }
    struct shoal_reliability reliability = make(scores, labels, users, 30);
    cr_assert_eq(reliability.count, 15u);
    near(reliability.mean_score, 0.145);
    for (size_t b = 0; b < 15; b++) {
        cr_expect_eq(reliability.bins[b].events_count, 2u);
        near(reliability.bins[b].low, (double)b / 50);
        near(reliability.bins[b].high, (double)b / 50 + 0.01);
        near(reliability.bins[b].mean_score, (double)b / 50 + 0.005);
        near(reliability.bins[b].observed, b >= 10 ? 0.5 : 0);
    }
}

Test(reliability, equal_scores_share_a_bin_and_empty_bins_are_left_out)
{
    const float scores[] = {0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 0.2f, 0.7f, 0.7f};
    const int8_t labels[] = {1, 0, 0, 0, 0, 0, 0, 1, 1, 1};
    const uint32_t users[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4};
    struct shoal_reliability reliability = make(scores, labels, users, 10);
    cr_assert_eq(reliability.count, 2u);
    cr_expect_eq(reliability.bins[0].events_count, 8u);
    cr_expect_eq(reliability.bins[0].users_count, 4u);
    near(reliability.bins[0].observed, 0.25);
    near(reliability.bins[1].observed, 1);
    cr_expect_lt(reliability.bins[0].interval.low, 0.25);
    cr_expect_gt(reliability.bins[0].interval.high, 0.25);
    near(reliability.bins[1].interval.low, 1);
}

Test(reliability, events_of_one_user_tell_nothing_of_chance)
{
    const float scores[] = {0.2f, 0.2f, 0.2f, 0.2f};
    const int8_t labels[] = {1, 0, 0, 0};
    const uint32_t users[] = {5, 5, 5, 5};
    struct shoal_reliability reliability = make(scores, labels, users, 4);
    near(reliability.bins[0].interval.low, 0.25);
    near(reliability.bins[0].interval.high, 0.25);
    cr_expect_eq(make(scores, labels, users, 0).count, 0u);
    cr_expect(isnan(make(scores, labels, users, 0).mean_score));
}

Test(reliability, the_bins_add_up_to_the_ece)
{
    enum { COUNT = 3000 };
    static float scores[COUNT];
    static int8_t labels[COUNT];
    static uint32_t users[COUNT];
    for (uint64_t seed = 1; seed <= 10; seed++) {
        for (size_t i = 0; i < COUNT; i++) {
            float p = shoal_random_uniform(seed, 3 * i);
            scores[i] = seed % 2 ? p : (float)(int)(p * 20) / 20; /* ties */
            labels[i] = shoal_random_uniform(seed, 3 * i + 1) < p * p;
            users[i] = (uint32_t)(shoal_random_uniform(seed, 3 * i + 2) * 400);
        }
        struct shoal_reliability reliability = make(scores, labels, users, COUNT);
        struct shoal_sample sample = {scores, labels, users, COUNT, 1000};
        struct shoal_metrics metrics;
        cr_assert_eq(shoal_metrics_estimate(&sample, &metrics), SHOAL_OK);
        double error = 0, events = 0;
        for (size_t b = 0; b < reliability.count; b++) {
            const struct shoal_reliability_bin *bin = &reliability.bins[b];
            error += (double)bin->events_count / COUNT * fabs(bin->mean_score - bin->observed);
            events += (double)bin->events_count;
            cr_expect(bin->interval.low <= bin->observed && bin->observed <= bin->interval.high);
            cr_expect(b == 0 || bin->low > reliability.bins[b - 1].high);
        }
        near(events, COUNT);
        cr_expect(fabs(error - metrics.values[SHOAL_MEASURE_ece]) < 1e-5, "seed %lu: %g, %g",
                  (unsigned long)seed, error, metrics.values[SHOAL_MEASURE_ece]);
    }
}
