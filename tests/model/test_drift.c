/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/drift.h"
#include "model/learn/random.h"

enum { BINS = 8 };

/* Users with a taste of their own: a share `loyal` of a user's events is in one favourite bin, the
 * others anywhere; the number of events is very unequal. `shift` moves a share of the users to bin
 * 0. */
struct world {
    uint64_t key, index;
    double loyal, shift;
};

static uint32_t draw(struct world *world, uint32_t bound)
{
    return shoal_random_below(world->key, world->index++, bound);
}

static double uniform(struct world *world)
{
    return (double)draw(world, 1u << 24) / (1 << 24);
}

static void populate(struct world *world, int users, struct shoal_drift_count *count)
{
    *count = (struct shoal_drift_count){0};
    for (int user = 0; user < users; user++) {
        uint32_t in_bins[SHOAL_REFERENCE_BINS] = {0};
        uint32_t events = 1 + (uint32_t)(4 / (0.05 + uniform(world)));
        uint32_t favourite = uniform(world) < world->shift ? 0 : draw(world, BINS);
        for (uint32_t i = 0; i < events; i++)
            in_bins[uniform(world) < world->loyal ? favourite : draw(world, BINS)]++;
        shoal_drift_add_user(count, in_bins);
    }
}

static void refer(const struct shoal_drift_count *count, struct shoal_reference *reference)
{
    struct shoal_distribution *only = &reference->distributions[0];
    *reference = (struct shoal_reference){
        .count = 1, .samples = count->samples, .users = shoal_drift_equal_users(count)};
    strcpy(only->name, "bins");
    only->bins = BINS;
    for (int b = 0; b < BINS; b++) {
        if (b)
            only->bounds[b - 1] = (float)b - 0.5f;
        only->shares[b] = (float)((double)count->counts[b] / (double)count->samples);
    }
}

/* Reference and recent events of one population, many times over. */
static void look(double loyal, double shift, int reference_users, int users, double *psi,
                 double *noise, double *alarms)
{
    enum { TRIALS = 400 };
    *psi = *noise = *alarms = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        struct world world = {.key = shoal_random_key(trial, SHOAL_RANDOM_BOOTSTRAP),
                              .loyal = loyal};
        struct shoal_drift_count count;
        struct shoal_reference reference;
        struct shoal_drift drift;
        populate(&world, reference_users, &count);
        refer(&count, &reference);
        world.shift = shift;
        populate(&world, users, &count);
        shoal_drift_measure(&reference, 0, &count, 1, &drift);
        *psi += drift.psi / TRIALS;
        *noise += drift.noise / TRIALS;
        *alarms += (double)(drift.psi > drift.threshold) / TRIALS;
    }
}

Test(drift, the_expected_noise_is_what_unchanged_populations_show)
{
    static const double loyalties[] = {0, 0.3, 0.8};
    for (size_t i = 0; i < 3; i++) {
        double psi, noise, alarms;
        look(loyalties[i], 0, 600, 400, &psi, &noise, &alarms);
        cr_expect(fabs(psi / noise - 1) < 0.15, "loyalty %g: PSI %g, expected %g", loyalties[i],
                  psi, noise);
        cr_expect_leq(alarms, 0.03, "loyalty %g: %g of unchanged ones pass the threshold",
                      loyalties[i], alarms);
    }
}

/* Without the correction for users the same populations would raise an alarm nearly every time. */
Test(drift, events_of_one_user_do_not_count_as_many)
{
    struct world world = {.key = 1, .loyal = 0.8};
    struct shoal_drift_count count;
    populate(&world, 400, &count);
    double effective = shoal_drift_effective(&count, BINS);
    cr_assert_lt(effective, (double)count.samples / 10);
    cr_assert_gt(effective, 40);
}

Test(drift, one_event_a_user_counts_as_one)
{
    struct shoal_drift_count count = {0};
    for (uint32_t user = 0; user < 8000; user++) {
        uint32_t in_bins[SHOAL_REFERENCE_BINS] = {0};
        in_bins[user % BINS] = 1;
        shoal_drift_add_user(&count, in_bins);
    }
    shoal_drift_add_user(&count, (uint32_t[SHOAL_REFERENCE_BINS]){0});
    cr_assert_eq(count.users, 8000);
    cr_assert_eq(shoal_drift_equal_users(&count), 8000);
    cr_assert_float_eq(shoal_drift_effective(&count, BINS), 8000, 10);
}

Test(drift, a_shift_is_seen)
{
    double psi, noise, alarms;
    look(0.8, 0.5, 600, 400, &psi, &noise, &alarms);
    cr_assert_geq(alarms, 0.99, "%g", alarms);
    cr_assert_gt(psi, noise + SHOAL_DRIFT_SHIFT);
}

Test(drift, a_sure_but_small_difference_is_no_drift_and_few_samples_give_no_verdict)
{
    struct shoal_reference reference = {.count = 1, .samples = 1000000, .users = 1000000};
    struct shoal_distribution *only = &reference.distributions[0];
    *only = (struct shoal_distribution){.bins = 2, .bounds = {0.5f}, .shares = {0.5f, 0.5f}};
    struct shoal_drift_count count = {.counts = {520000, 480000},
                                      .samples = 1000000,
                                      .users = 1000000,
                                      .squares = {520000, 480000},
                                      .cross = {520000, 480000},
                                      .sizes = 1000000};
    struct shoal_drift drift;
    shoal_drift_measure(&reference, 0, &count, 1, &drift);
    cr_assert_gt(drift.psi, drift.threshold);
    cr_assert_not(drift.drifted);
    count = (struct shoal_drift_count){.counts = {999, 0},
                                       .samples = 999,
                                       .users = 999,
                                       .squares = {999},
                                       .cross = {999},
                                       .sizes = 999};
    shoal_drift_measure(&reference, 0, &count, 1, &drift);
    cr_assert_gt(drift.psi, 1);
    cr_assert_not(drift.drifted, "999 samples");
    count = (struct shoal_drift_count){.counts = {1000, 0},
                                       .samples = 1000,
                                       .users = 1000,
                                       .squares = {1000},
                                       .cross = {1000},
                                       .sizes = 1000};
    shoal_drift_measure(&reference, 0, &count, 1, &drift);
    cr_assert(drift.drifted);
    count = (struct shoal_drift_count){0};
    shoal_drift_measure(&reference, 0, &count, 1, &drift);
    cr_assert(isnan(drift.psi) && !drift.drifted);
}

Test(drift, bins_are_closed_below_and_open_above)
{
    struct shoal_distribution d = {.bins = 3, .bounds = {1, 2}};
    cr_assert_eq(shoal_drift_bin(&d, -1e30f), 0);
    cr_assert_eq(shoal_drift_bin(&d, 0.999f), 0);
    cr_assert_eq(shoal_drift_bin(&d, 1), 1);
    cr_assert_eq(shoal_drift_bin(&d, 2), 2);
    cr_assert_eq(shoal_drift_bin(&d, INFINITY), 2);
    cr_assert_eq(shoal_drift_bin(&d, NAN), 0);
}

/* R: qchisq(tail, k, lower.tail = FALSE) */
Test(drift, chi_square_quantiles_are_the_true_ones)
{
    static const struct {
        uint32_t k;
        double tail, quantile;
    } known[] = {{1, 0.01, 6.634897},  {3, 0.01, 11.344867}, {9, 0.01, 21.665994},
                 {9, 0.0005, 29.6658}, {15, 0.001, 37.6973}, {1, 0.0005, 12.1157},
                 {2, 0.0001, 18.4207}, {3, 0.0001, 21.1075}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double got = shoal_chi_square_quantile(known[i].k, known[i].tail);
        cr_expect(fabs(got / known[i].quantile - 1) < 1e-5, "k %u tail %g: %g, not %g", known[i].k,
                  known[i].tail, got, known[i].quantile);
    }
}
