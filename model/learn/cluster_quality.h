/* SPDX-License-Identifier: Apache-2.0 */
/* How good a clustering is: how well apart its clusters lie, how far two clusterings agree, and what the
 * clusters say of what users do next. Labels are numbers below `clusters`; empty clusters are allowed. */
#ifndef SHOAL_LEARN_CLUSTER_QUALITY_H
#define SHOAL_LEARN_CLUSTER_QUALITY_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

enum { SHOAL_LABELS_MAX = 256 };

/* Mean silhouette (Rousseeuw 1987) of points[count × size], (b − a)/max(a, b); a point alone in its cluster
 * counts as 0. With more than `most` points, of a sample of so many, drawn by `seed`. O(most²). NaN with fewer
 * than two clusters. NOMEM. */
enum shoal_status shoal_silhouette(const float *points, size_t count, size_t size,
                                   const uint8_t *labels, size_t clusters, size_t most, uint64_t seed,
                                   double *silhouette) SHOAL_MUST_CHECK;
/* Davies and Bouldin 1979: mean over clusters of the greatest (s_i + s_j)/d_ij; smaller is better. NaN with
 * fewer than two clusters. NOMEM. */
enum shoal_status shoal_davies_bouldin(const float *points, size_t count, size_t size,
                                       const uint8_t *labels, size_t clusters,
                                       double *index) SHOAL_MUST_CHECK;
/* Adjusted Rand index (Hubert, Arabie 1985): 1 for the same partition, 0 on average for chance. */
double shoal_adjusted_rand(const uint8_t *first, const uint8_t *second, size_t count);
/* jaccards[j]: the greatest Jaccard index that cluster j of `first` has with a cluster of `second`; 0 for an
 * empty one. */
void shoal_cluster_jaccards(const uint8_t *first, size_t first_clusters, const uint8_t *second,
                            size_t second_clusters, size_t count, double *jaccards);

struct shoal_explained {
    double eta2;     /* 1 − Σ (y − ŷ)²/Σ (y − ȳ)² */
    double mcfadden; /* 1 − deviance(ŷ)/deviance(ȳ) */
};

/* How much of outcomes[count] (0 or 1) the clusters explain. A cluster's rate, and the common one that it is
 * compared with, is estimated on other users than it is judged on (five parts of the users):
 * clusters that say nothing get less than 0, however many they are. Rates are shrunk by ten points of the
 * common rate. NaN without both outcomes. weights[i]: how often point i counts; NULL: once. */
void shoal_explained(const uint8_t *outcomes, const uint8_t *labels, const uint32_t *owners,
                     const uint32_t *weights, size_t count, size_t clusters,
                     struct shoal_explained *explained);

#endif
