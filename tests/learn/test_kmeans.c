/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "model/learn/cluster_quality.h"
#include "model/learn/kmeans.h"
#include "tests/learn/planted.h"

enum { COUNT = 600, SIZE = 11, CLUSTERS = 5 };

static float points[COUNT * SIZE], centroids[SHOAL_KMEANS_MAX * SIZE], again[SHOAL_KMEANS_MAX * SIZE];
static uint8_t planted[COUNT], labels[COUNT], others[COUNT];
static uint32_t owners[COUNT];
static double inertia;

static struct shoal_kmeans_options options(size_t clusters)
{
    return (struct shoal_kmeans_options){
        .clusters = clusters, .restarts = 4, .iterations = 100, .seed = 1};
}

static void run(size_t clusters)
{
    struct shoal_kmeans_options how = options(clusters);
    cr_assert_eq(shoal_kmeans(points, COUNT, SIZE, &how, centroids, labels, &inertia), SHOAL_OK);
}

Test(kmeans, finds_planted_clusters)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 4, 1);
    run(CLUSTERS);
    cr_assert_float_eq(shoal_adjusted_rand(planted, labels, COUNT), 1, 1e-12);
}

Test(kmeans, labels_centroids_and_inertia_belong_together)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1, 2);
    for (size_t clusters = 1; clusters <= SHOAL_KMEANS_MAX; clusters += 5) {
        double nearest;
        run(clusters);
        cr_assert_eq(shoal_kmeans_assign(points, COUNT, SIZE, centroids, clusters, others, &nearest),
                     SHOAL_OK);
        cr_assert_eq(memcmp(labels, others, COUNT), 0);
        cr_assert_float_eq(nearest, inertia, 1e-6 * inertia);
        double sum = 0;
        for (size_t i = 0; i < COUNT; i++)
            for (size_t d = 0; d < SIZE; d++)
                sum += pow((double)(points[i * SIZE + d] - centroids[labels[i] * SIZE + d]), 2);
        cr_assert_float_eq(sum, inertia, 1e-4 * inertia);
    }
}

Test(kmeans, centroids_are_the_means_of_their_points)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1, 3);
    run(CLUSTERS);
    for (size_t j = 0; j < CLUSTERS; j++)
        for (size_t d = 0; d < SIZE; d++) {
            double sum = 0, members = 0;
            for (size_t i = 0; i < COUNT; i++)
                if (labels[i] == j) {
                    sum += (double)points[i * SIZE + d];
                    members++;
                }
            cr_assert_gt(members, 0);
            cr_assert_float_eq((double)centroids[j * SIZE + d], sum / members, 1e-4);
        }
}

Test(kmeans, the_same_seed_gives_the_same_bits_and_another_one_others)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 0.2f, 4);
    run(12);
    memcpy(again, centroids, sizeof again);
    run(12);
    cr_assert_eq(memcmp(again, centroids, sizeof again), 0);
    struct shoal_kmeans_options how = options(12);
    how.seed = 2;
    cr_assert_eq(shoal_kmeans(points, COUNT, SIZE, &how, centroids, labels, &inertia), SHOAL_OK);
    cr_assert_neq(memcmp(again, centroids, sizeof again), 0);
}

Test(kmeans, more_starts_are_never_worse)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 0.5f, 5);
    double before = INFINITY;
    for (unsigned restarts = 1; restarts <= 8; restarts *= 2) {
        struct shoal_kmeans_options how = options(9);
        how.restarts = restarts;
        cr_assert_eq(shoal_kmeans(points, COUNT, SIZE, &how, centroids, labels, &inertia), SHOAL_OK);
        cr_assert_leq(inertia, before);
        before = inertia;
    }
}

Test(kmeans, as_many_clusters_as_points_and_equal_points_end)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1, 6);
    struct shoal_kmeans_options how = options(8);
    cr_assert_eq(shoal_kmeans(points, 8, SIZE, &how, centroids, labels, &inertia), SHOAL_OK);
    cr_assert_float_eq(inertia, 0, 1e-9);
    memset(points, 0, sizeof points);
    cr_assert_eq(shoal_kmeans(points, COUNT, SIZE, &how, centroids, labels, &inertia), SHOAL_OK);
    cr_assert_float_eq(inertia, 0, 1e-9);
}
