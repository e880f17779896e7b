/* SPDX-License-Identifier: Apache-2.0 */
/* What test_golden_clusters.c cannot compare with scikit-learn. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/learn/cluster_quality.h"
#include "model/learn/cluster_stability.h"
#include "tests/learn/planted.h"

enum { COUNT = 900, SIZE = 6 };

static float points[COUNT * SIZE];
static uint8_t planted[COUNT], outcomes[COUNT], noise[COUNT];
static uint32_t owners[COUNT], weights[COUNT];

Test(cluster_quality, a_sample_says_nearly_what_all_points_say)
{
    double all, some;
    plant(points, planted, owners, COUNT, SIZE, 4, 1.5f, 1);
    cr_assert_eq(shoal_silhouette(points, COUNT, SIZE, planted, 4, COUNT, 1, &all), SHOAL_OK);
    cr_assert_eq(shoal_silhouette(points, COUNT, SIZE, planted, 4, 400, 1, &some), SHOAL_OK);
    cr_assert_neq(all, some);
    cr_assert_float_eq(all, some, 0.03);
}

Test(cluster_quality, one_cluster_has_no_measure)
{
    double value;
    plant(points, planted, owners, COUNT, SIZE, 1, 1, 1);
    cr_assert_eq(shoal_silhouette(points, COUNT, SIZE, planted, 3, COUNT, 1, &value), SHOAL_OK);
    cr_assert(isnan(value));
    cr_assert_eq(shoal_davies_bouldin(points, COUNT, SIZE, planted, 3, &value), SHOAL_OK);
    cr_assert(isnan(value));
}

Test(cluster_quality, jaccards_are_those_of_the_nearest_cluster)
{
    const uint8_t first[] = {0, 0, 0, 0, 1, 1, 2, 2}, second[] = {1, 1, 1, 0, 0, 0, 2, 2};
    double jaccards[4];
    shoal_cluster_jaccards(first, 4, second, 3, 8, jaccards);
    cr_expect_float_eq(jaccards[0], 0.75, 1e-12);
    cr_expect_float_eq(jaccards[1], 2.0 / 3, 1e-12);
    cr_expect_eq(jaccards[2], 1);
    cr_expect_eq(jaccards[3], 0, "an empty cluster");
}

/* Purchases that follow from the cluster: 10 % or 60 %. */
static void sell(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        outcomes[i] = shoal_random_uniform(5, i) < (planted[i] ? 0.6f : 0.1f);
        noise[i] = (uint8_t)(shoal_random_mix(owners[i] * 7 + 1) % 40);
    }
}

Test(cluster_quality, clusters_that_know_of_purchases_explain_them_and_noise_does_not)
{
    struct shoal_explained known, unknown;
    plant(points, planted, owners, COUNT, SIZE, 2, 1, 1);
    sell();
    shoal_explained(outcomes, planted, owners, NULL, COUNT, 2, &known);
    /* rates .1 and .6 in halves: p(1 − p) = .2275, of which .25² is between; entropies .3251, .6730, .6474 */
    cr_expect_float_eq(known.eta2, 0.0625 / 0.2275, 0.06);
    cr_expect_float_eq(known.mcfadden, 1 - 0.5 * (0.3251 + 0.6730) / 0.6474, 0.06);
    shoal_explained(outcomes, noise, owners, NULL, COUNT, 40, &unknown);
    cr_expect_lt(unknown.eta2, 0.01, "forty clusters that say nothing explain %g", unknown.eta2);
    cr_expect_lt(unknown.mcfadden, 0.01);
}

Test(cluster_quality, weights_count_points_several_times)
{
    static uint8_t twice[2 * COUNT], labels[2 * COUNT];
    static uint32_t users[2 * COUNT];
    struct shoal_explained by_weight, by_copy;
    size_t count = 0;
    plant(points, planted, owners, COUNT, SIZE, 2, 1, 1);
    sell();
    for (size_t i = 0; i < COUNT; i++) {
        weights[i] = owners[i] % 3;
        for (uint32_t w = 0; w < weights[i]; w++, count++) {
            twice[count] = outcomes[i];
            labels[count] = planted[i];
            users[count] = owners[i];
        }
    }
    shoal_explained(outcomes, planted, owners, weights, COUNT, 2, &by_weight);
    shoal_explained(twice, labels, users, NULL, count, 2, &by_copy);
    cr_expect_float_eq(by_weight.eta2, by_copy.eta2, 1e-9);
    cr_expect_float_eq(by_weight.mcfadden, by_copy.mcfadden, 1e-9);
}

Test(cluster_quality, outcomes_that_are_all_the_same_cannot_be_explained)
{
    struct shoal_explained none;
    plant(points, planted, owners, COUNT, SIZE, 2, 1, 1);
    memset(outcomes, 0, sizeof outcomes);
    shoal_explained(outcomes, planted, owners, NULL, COUNT, 2, &none);
    cr_expect(isnan(none.eta2) && isnan(none.mcfadden));
}

/* ---- stability ------------------------------------------------------------------------------ */

Test(cluster_quality, planted_clusters_are_stable_and_a_cut_through_one_is_not)
{
    struct shoal_cluster_samples samples = {points, owners, COUNT, SIZE};
    struct shoal_cluster_choice_of_k choice;
    plant(points, planted, owners, COUNT, SIZE, 5, 2, 1);
    cr_assert_eq(shoal_cluster_choose(&samples, 9, 6, 1, &choice), SHOAL_OK);
    cr_expect(choice.stable);
    cr_expect_eq(choice.clusters, 5, "%zu", choice.clusters);
    cr_expect_float_eq(choice.stability.smallest, 0.2, 0.01);
    plant(points, planted, owners, COUNT, SIZE, 1, 0, 1);
    cr_assert_eq(shoal_cluster_choose(&samples, 5, 6, 1, &choice), SHOAL_OK);
    cr_expect_not(choice.stable);
}

Test(cluster_quality, whole_users_are_drawn)
{
    static uint32_t rows[2 * COUNT];
    struct shoal_cluster_samples samples = {points, owners, COUNT, SIZE};
    size_t of_user[COUNT / 3] = {0}, drawn, met = 0;
    plant(points, planted, owners, COUNT, SIZE, 5, 2, 1);
    drawn = shoal_cluster_resample(&samples, 1, rows, 2 * COUNT);
    cr_assert_eq(drawn, COUNT, "every user has three points");
    for (size_t r = 0; r < drawn; r++)
        of_user[owners[rows[r]]]++;
    for (size_t u = 0; u < COUNT / 3; u++) {
        cr_assert_eq(of_user[u] % 3, 0, "a part of user %zu", u);
        met += of_user[u] > 0;
    }
    cr_expect_float_eq((double)met / (COUNT / 3), 1 - exp(-1), 0.08, "with return");
    cr_expect_eq(shoal_cluster_resample(&samples, 1, rows, 10), 10);
}
