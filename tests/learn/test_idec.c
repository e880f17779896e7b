/* SPDX-License-Identifier: Apache-2.0 */
/* Deep clustering as a whole, on points whose clusters are known; and the search for their number. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_quality.h"
#include "model/learn/cluster_search.h"
#include "tests/learn/planted.h"

enum { COUNT = 1200, SIZE = 20, CLUSTERS = 4 };

static float points[COUNT * SIZE];
static uint8_t planted[COUNT], labels[COUNT], others[COUNT];
static uint32_t owners[COUNT];

static struct shoal_autoencoder cluster(uint64_t seed, uint8_t *into, struct shoal_idec_report *report)
{
    struct shoal_idec_options options = shoal_idec_options_default();
    struct shoal_autoencoder coder;
    double loss;
    options.seed = seed;
    cr_assert_eq(shoal_idec_pretrain(points, COUNT, SIZE, &options, &coder, &loss), SHOAL_OK);
    cr_assert_eq(shoal_idec_cluster(&coder, points, COUNT, CLUSTERS, &options, into, report), SHOAL_OK);
    return coder;
}

Test(idec, planted_clusters_are_recovered)
{
    struct shoal_idec_report report;
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1.2f, 1);
    struct shoal_autoencoder coder = cluster(1, labels, &report);
    cr_assert_gt(shoal_adjusted_rand(planted, labels, COUNT), 0.98);
    cr_assert(report.settled);
    cr_assert_lt(report.moved, 0.001);
    shoal_autoencoder_finish(&coder);
}

Test(idec, joint_training_draws_clusters_together)
{
    struct shoal_idec_options options = shoal_idec_options_default();
    struct shoal_idec_report report;
    struct shoal_autoencoder coder;
    float *codes = malloc(COUNT * SHOAL_CLUSTER_CODE * sizeof *codes);
    double loss, before, after;
    cr_assert_not_null(codes);
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1.2f, 2);
    cr_assert_eq(shoal_idec_pretrain(points, COUNT, SIZE, &options, &coder, &loss), SHOAL_OK);
    shoal_autoencoder_encode(&coder, points, COUNT, codes);
    cr_assert_eq(shoal_silhouette(codes, COUNT, SHOAL_CLUSTER_CODE, planted, CLUSTERS, COUNT, 1, &before),
                 SHOAL_OK);
    cr_assert_eq(shoal_idec_cluster(&coder, points, COUNT, CLUSTERS, &options, labels, &report), SHOAL_OK);
    shoal_autoencoder_encode(&coder, points, COUNT, codes);
    cr_assert_eq(shoal_silhouette(codes, COUNT, SHOAL_CLUSTER_CODE, planted, CLUSTERS, COUNT, 1, &after),
                 SHOAL_OK);
    cr_assert_gt(after, before + 0.05, "%g, was %g", after, before);
    shoal_autoencoder_finish(&coder);
    free(codes);
}

Test(idec, the_same_seed_gives_the_same_bits)
{
    struct shoal_idec_report report;
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 0.3f, 3);
    struct shoal_autoencoder first = cluster(7, labels, &report), second = cluster(7, others, &report);
    cr_assert_eq(memcmp(first.values, second.values, first.count * sizeof(float)), 0);
    cr_assert_eq(memcmp(labels, others, COUNT), 0);
    struct shoal_autoencoder third = cluster(8, others, &report);
    cr_assert_neq(memcmp(first.values, third.values, first.count * sizeof(float)), 0);
    shoal_autoencoder_finish(&first);
    shoal_autoencoder_finish(&second);
    shoal_autoencoder_finish(&third);
}

Test(idec, targets_sharpen_and_share_out)
{
    const float q[] = {0.6f, 0.4f, 0.9f, 0.1f, 0.5f, 0.5f};
    float p[6];
    shoal_idec_targets(q, 3, 2, p);
    /* f = (2, 1): p of the first point = (.36/2)/(.36/2 + .16/1) */
    cr_assert_float_eq(p[0], 0.18f / 0.34f, 1e-6f);
    cr_assert_float_eq(p[2], 0.405f / 0.415f, 1e-6f);
    cr_assert_float_eq(p[4], 0.125f / 0.375f, 1e-6f, "the smaller cluster is favoured");
    for (size_t i = 0; i < 3; i++)
        cr_assert_float_eq(p[2 * i] + p[2 * i + 1], 1, 1e-6f);
}

static struct shoal_cluster_found search(size_t clusters, size_t preferred)
{
    struct shoal_cluster_samples samples = {points, owners, COUNT, SIZE};
    struct shoal_cluster_search_options options = {.clusters = clusters,
                                                   .preferred = preferred,
                                                   .resamples = 5,
                                                   .repeats = 5,
                                                   .idec = shoal_idec_options_default()};
    struct shoal_autoencoder coder = {0};
    struct shoal_cluster_found found;
    options.idec.epochs = 20;
    cr_assert_eq(shoal_cluster_search(&samples, &options, &coder, labels, &found), SHOAL_OK);
    shoal_autoencoder_finish(&coder);
    return found;
}

Test(idec, the_number_of_clusters_is_found)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1.2f, 4);
    struct shoal_cluster_found found = search(0, 0);
    cr_assert(found.chosen && found.stable);
    cr_assert_eq(found.clusters, CLUSTERS, "%zu", found.clusters);
    cr_assert_gt(found.stability.least, 0.9);
    cr_assert_gt(shoal_adjusted_rand(planted, labels, COUNT), 0.98);
}

Test(idec, a_number_in_service_is_kept_while_it_is_stable)
{
    plant(points, planted, owners, COUNT, SIZE, CLUSTERS, 1.2f, 5);
    cr_assert_eq(search(0, CLUSTERS).clusters, CLUSTERS);
    struct shoal_cluster_found two = search(0, 2);
    cr_assert(two.clusters == 2 ? two.stable : two.clusters == CLUSTERS);
    cr_assert_eq(search(3, 0).clusters, 3, "as asked for");
    cr_assert_neq(search(0, 11).clusters, 11, "eleven are not stable");
}

Test(idec, noise_has_no_stable_clusters)
{
    plant(points, planted, owners, COUNT, SIZE, 1, 0, 6);
    struct shoal_cluster_found found = search(0, 0);
    cr_assert_not(found.stable, "%zu clusters with mean %g, least %g", found.clusters,
                  found.stability.mean, found.stability.least);
    cr_assert_geq(found.clusters, 2);
}
