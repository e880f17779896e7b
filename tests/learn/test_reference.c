/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"
#include "model/learn/reference.h"
#include "model/learn/slice.h"

#define HOUR_MS INT64_C(3600000)

static uint64_t at;

static double uniform(void)
{
    return (double)shoal_random_uniform(shoal_random_key(7, SHOAL_RANDOM_SHUFFLE), at++);
}

/* `users` over ten days, an event every few hours; on the last day a share `bots` of the users
 * sends carts in the night and nothing else. */
static void fill(struct shoal_dataset *dataset, int users, double bots)
{
    at = 0;
    shoal_dataset_init(dataset, SHOAL_RING_DEFAULT);
    for (int user = 0; user < users; user++) {
        char id[16];
        int size = snprintf(id, sizeof id, "u%d", user);
        bool bot = uniform() < bots;
        for (double hour = 24 * uniform(); hour < 240; hour += 0.1 + 12 * uniform()) {
            bool strange = bot && hour >= 216;
            double shown = strange ? 216 + 2 * uniform() : hour;
            struct shoal_touch touch = {
                .time_ms = (int64_t)(shown * (double)HOUR_MS),
                .item = (uint32_t)(50 * uniform()),
                .category = (uint16_t)(1 + 5 * uniform()),
                .behavior = strange           ? SHOAL_CART
                            : uniform() < 0.1 ? SHOAL_BUY
                                              : SHOAL_PV,
                .price_level = (uint8_t)(20 * uniform()),
            };
            cr_assert_eq(shoal_dataset_append(dataset, id, (size_t)size, &touch, 0), SHOAL_OK);
        }
    }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

struct made {
    struct shoal_dataset dataset;
    struct shoal_examples examples;
    float *scores;
};

static void make(struct made *made, int users, double bots)
{
    struct shoal_dims dims = shoal_dims_default();
    fill(&made->dataset, users, bots);
    cr_assert_eq(shoal_examples_make(&made->dataset, &dims, &made->examples), SHOAL_OK);
    made->scores = malloc((made->dataset.events_count + 1) * sizeof(float));
    cr_assert_not_null(made->scores);
    for (size_t i = 0; i < made->dataset.events_count; i++)
        made->scores[i] = made->dataset.touches[i].behavior == SHOAL_CART ? 0.9f : (float)uniform();
}

static void finish(struct made *made)
{
    shoal_examples_finish(&made->examples);
    shoal_dataset_finish(&made->dataset);
    free(made->scores);
}

static const struct shoal_drift *drift_of(const struct shoal_drift_report *report, const char *name)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (strcmp(report->drifts[i].name, name) == 0)
            return &report->drifts[i];
    cr_assert_fail("no distribution %s", name);
    return NULL;
}

Test(reference, every_distribution_adds_up_and_has_rising_bounds)
{
    struct made made;
    struct shoal_reference reference;
    make(&made, 500, 0);
    cr_assert_eq(shoal_reference_make(&made.dataset, &made.examples, made.scores, &reference),
                 SHOAL_OK);
    cr_assert_eq(reference.count, 19);
    cr_assert_gt(reference.samples, 2000);
    cr_assert(reference.users > 300 && reference.users <= 500);
    for (uint32_t i = 0; i < reference.count; i++) {
        const struct shoal_distribution *d = &reference.distributions[i];
        double sum = 0;
        cr_assert(d->bins >= 2 && d->bins <= SHOAL_REFERENCE_BINS, "%s: %u", d->name, d->bins);
        for (uint32_t b = 0; b < d->bins; b++)
            sum += (double)d->shares[b];
        cr_assert_float_eq(sum, 1, 1e-5, "%s", d->name);
        for (uint32_t b = 1; b + 1 < d->bins; b++)
            cr_assert(d->bounds[b] > d->bounds[b - 1], "%s", d->name);
    }
    const struct shoal_distribution *score = &reference.distributions[18];
    cr_assert_str_eq(score->name, "score");
    cr_assert_eq(score->bins, 10);
    for (uint32_t b = 0; b < 10; b++)
        cr_assert_float_eq(score->shares[b], 0.1, 0.01);
    cr_assert_eq(shoal_reference_make(&made.dataset, &made.examples, NULL, &reference), SHOAL_OK);
    cr_assert_eq(reference.count, 18);
    finish(&made);
}

Test(reference, a_value_that_many_share_has_a_bin_of_its_own)
{
    struct made made;
    struct shoal_reference reference;
    make(&made, 500, 0);
    for (size_t i = 0; i < made.dataset.events_count; i++)
        made.scores[i] = i % 10 < 4 ? 0.5f : i % 10 < 5 ? 0.25f : (float)uniform();
    cr_assert_eq(shoal_reference_make(&made.dataset, &made.examples, made.scores, &reference),
                 SHOAL_OK);
    const struct shoal_distribution *score = &reference.distributions[18];
    uint32_t bin = shoal_drift_bin(score, 0.5f);
    cr_assert_float_eq(score->shares[bin], 0.4, 0.02);
    cr_assert_neq(shoal_drift_bin(score, 0.499f), bin);
    cr_assert_neq(shoal_drift_bin(score, 0.51f), bin);
    for (size_t i = 0; i < made.dataset.events_count; i++)
        made.scores[i] = 0.3f;
    cr_assert_eq(shoal_reference_make(&made.dataset, &made.examples, made.scores, &reference),
                 SHOAL_OK);
    cr_assert_eq(score->bins, 2, "a constant: what is above it is news");
    cr_assert_eq(shoal_drift_bin(score, 0.3f), 0);
    cr_assert_eq(shoal_drift_bin(score, 0.30001f), 1);
    finish(&made);
}

Test(reference, later_days_of_the_same_kind_have_not_drifted)
{
    struct made made, before;
    struct shoal_reference reference;
    struct shoal_drift_report report;
    struct shoal_dims dims = shoal_dims_default();
    make(&made, 500, 0);
    cr_assert_eq(shoal_dataset_slice(&made.dataset, 0, 192 * HOUR_MS, &before.dataset), SHOAL_OK);
    cr_assert_eq(before.dataset.users_count, 500);
    cr_assert_lt(before.dataset.last_ms, 192 * HOUR_MS);
    cr_assert_eq(shoal_examples_make(&before.dataset, &dims, &before.examples), SHOAL_OK);
    before.scores = malloc(before.dataset.events_count * sizeof(float));
    for (size_t i = 0; i < before.dataset.events_count; i++)
        before.scores[i] = (float)uniform();
    cr_assert_eq(shoal_reference_make(&before.dataset, &before.examples, before.scores, &reference),
                 SHOAL_OK);
    finish(&before);
    shoal_reference_compare(&reference, &made.dataset, &made.examples, made.scores, 216 * HOUR_MS,
                            240 * HOUR_MS, &report);
    cr_assert(report.judged);
    cr_assert_eq(report.count, 19);
    for (uint32_t i = 0; i < report.count; i++)
        cr_expect_not(report.drifts[i].drifted, "%s: %g, noise %g, threshold %g",
                      report.drifts[i].name, report.drifts[i].psi, report.drifts[i].noise,
                      report.drifts[i].threshold);
    shoal_reference_compare(&reference, &made.dataset, &made.examples, NULL, 238 * HOUR_MS,
                            239 * HOUR_MS, &report);
    cr_assert_eq(report.count, 18);
    cr_assert_lt(report.samples, SHOAL_DRIFT_SAMPLES_MIN);
    cr_assert_not(report.judged);
    cr_assert_not(report.drifted);
    finish(&made);
}

Test(reference, a_day_of_bots_has_drifted_in_what_bots_do)
{
    struct made before, made;
    struct shoal_reference reference;
    struct shoal_drift_report report;
    make(&before, 500, 0);
    cr_assert_eq(shoal_reference_make(&before.dataset, &before.examples, before.scores, &reference),
                 SHOAL_OK);
    make(&made, 500, 0.6);
    shoal_reference_compare(&reference, &made.dataset, &made.examples, made.scores, 216 * HOUR_MS,
                            240 * HOUR_MS, &report);
    cr_assert(report.judged && report.drifted);
    cr_assert(drift_of(&report, "behavior")->drifted);
    cr_assert(drift_of(&report, "hour")->drifted);
    cr_assert(drift_of(&report, "rate_cart_1h")->drifted);
    cr_assert(drift_of(&report, "score")->drifted);
    cr_assert_not(drift_of(&report, "price")->drifted);
    finish(&before);
    finish(&made);
}

Test(reference, an_empty_set_gives_no_reference)
{
    struct made made;
    struct shoal_reference reference;
    struct shoal_drift_report report;
    make(&made, 0, 0);
    cr_assert_eq(shoal_reference_make(&made.dataset, &made.examples, made.scores, &reference),
                 SHOAL_OK);
    cr_assert_eq(reference.count, 0);
    shoal_reference_compare(&reference, &made.dataset, &made.examples, NULL, 0, 1, &report);
    cr_assert(report.count == 0 && !report.judged && !report.drifted);
    finish(&made);
}
