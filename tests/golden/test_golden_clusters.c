/* SPDX-License-Identifier: Apache-2.0 */
/* k-means, silhouette, Davies-Bouldin, adjusted Rand index and principal components against what scikit-learn computed
 * (golden_clusters.txt, by make_golden_clusters.py). Inputs are made here by the script's formula. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_quality.h"
#include "model/learn/kmeans.h"
#include "model/learn/principal.h"

enum { COUNT = 300, SIZE = 7 };

static float points[COUNT * SIZE];
static uint8_t labels[COUNT], others[COUNT];

static uint32_t mix(uint32_t stream, uint32_t index)
{
    uint32_t x = stream * 0x9E3779B1u + index * 0x85EBCA77u + 0x165667B1u;
    x ^= x >> 15;
    x *= 0xC2B2AE3Du;
    x ^= x >> 13;
    x *= 0x27D4EB2Fu;
    return x ^ (x >> 16);
}

static void make_points(void)
{
    for (uint32_t i = 0; i < COUNT; i++)
        for (uint32_t d = 0; d < SIZE; d++)
            points[i * SIZE + d] = (float)(mix(1, i * SIZE + d) >> 8) * 0x1p-24f +
                                   (float)(mix(2, i % 5 * SIZE + d) >> 30);
}

static void make_labels(uint32_t stream, uint32_t clusters, uint8_t *into)
{
    for (uint32_t i = 0; i < COUNT; i++)
        into[i] = (uint8_t)(mix(stream + 1, i) % 4 == 0 ? mix(stream, i) % clusters : i % 5 % clusters);
}

/* The values behind `name`. */
static void read_golden(const char *name, double *values, size_t count)
{
    char path[2048], line[512];
    snprintf(path, sizeof path, "%s/tests/golden/golden_clusters.txt", getenv("SHOAL_SOURCE"));
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof line, file)) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        char *at = line + length;
        for (size_t i = 0; i < count; i++)
            values[i] = strtod(at, &at);
        fclose(file);
        return;
    }
    cr_assert_fail("golden_clusters.txt has no %s", name);
}

static double golden(const char *name, unsigned clusters)
{
    char full[64];
    double value;
    snprintf(full, sizeof full, "%s.%u", name, clusters);
    read_golden(full, &value, 1);
    return value;
}

TestSuite(golden_clusters, .init = make_points);

Test(golden_clusters, kmeans_finds_the_inertia_that_scikit_learn_finds)
{
    const unsigned counts[] = {2, 3, 5, 8};
    static float centroids[SHOAL_KMEANS_MAX * SIZE];
    for (size_t i = 0; i < 4; i++) {
        struct shoal_kmeans_options options = {
            .clusters = counts[i], .restarts = 200, .iterations = 1000, .seed = 1};
        double inertia, wanted = golden("kmeans", counts[i]);
        cr_assert_eq(shoal_kmeans(points, COUNT, SIZE, &options, centroids, labels, &inertia), SHOAL_OK);
        cr_expect_float_eq(inertia, wanted, 2e-3 * wanted, "K %u: %.9g, scikit-learn %.9g", counts[i],
                           inertia, wanted);
    }
}

Test(golden_clusters, measures_are_those_of_scikit_learn)
{
    const unsigned counts[] = {2, 5, 9};
    for (size_t i = 0; i < 3; i++) {
        double silhouette, bouldin;
        make_labels(10 * counts[i], counts[i], labels);
        make_labels(77, 6, others);
        cr_assert_eq(shoal_silhouette(points, COUNT, SIZE, labels, counts[i], COUNT, 1, &silhouette),
                     SHOAL_OK);
        cr_assert_eq(shoal_davies_bouldin(points, COUNT, SIZE, labels, counts[i], &bouldin), SHOAL_OK);
        cr_expect_float_eq(silhouette, golden("silhouette", counts[i]), 1e-6);
        cr_expect_float_eq(bouldin, golden("davies_bouldin", counts[i]), 1e-5);
        cr_expect_float_eq(shoal_adjusted_rand(labels, others, COUNT), golden("ari", counts[i]), 1e-8);
    }
}

Test(golden_clusters, principal_components_have_the_variances_that_scikit_learn_finds)
{
    float components[4 * SIZE];
    double wanted[4], mean[SIZE] = {0};
    read_golden("principal", wanted, 4);
    for (size_t i = 0; i < COUNT * SIZE; i++)
        mean[i % SIZE] += (double)points[i] / COUNT;
    for (size_t i = 0; i < COUNT * SIZE; i++)
        points[i] -= (float)mean[i % SIZE];
    cr_assert_eq(shoal_principal(points, COUNT, SIZE, 4, components), SHOAL_OK);
    for (size_t k = 0; k < 4; k++) {
        double variance = 0;
        for (size_t i = 0; i < COUNT; i++) {
            double along = 0;
            for (size_t d = 0; d < SIZE; d++)
                along += (double)points[i * SIZE + d] * (double)components[k * SIZE + d];
            variance += along * along / COUNT;
        }
        cr_expect_float_eq(variance, wanted[k], 1e-4 * wanted[k]);
    }
}
