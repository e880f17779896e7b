/* SPDX-License-Identifier: Apache-2.0 */
/* What a model's clusters consist of: for those who make them (learn/train_clusters.c), serve them
 * (clusters.c) and store them (clusters_file.c); all others see clusters.h.
 *
 *   x (V) = (u − mean)/deviation
 *   a (E) = max(0, x·inner + inner_bias)           E = SHOAL_CLUSTER_INNER
 *   z (C) = a·outer + outer_bias                   C = SHOAL_CLUSTER_CODE
 *   q_j   = 1/(1 + |z − centroid_j|²) / Σ_k 1/(1 + |z − centroid_k|²)
 *
 * E and C are fixed, so that the sums of a layer stay in registers; the weights are stored with the inputs
 * as rows, so that a layer is one pass over them. */
#ifndef SHOAL_CLUSTER_PARTS_H
#define SHOAL_CLUSTER_PARTS_H

#include "model/clusters.h"

enum { SHOAL_CLUSTER_INNER = 32, SHOAL_CLUSTER_CODE = 8 };

struct shoal_clusters {
    size_t vector; /* V */
    size_t count;  /* K */
    float *block;  /* owned; holds the next four */
    float *mean, *deviation; /* V each; deviation > 0 */
    float *inverse;          /* 1/deviation; derived */
    float *inner;            /* V × E */
    float inner_bias[SHOAL_CLUSTER_INNER];
    float outer[SHOAL_CLUSTER_INNER * SHOAL_CLUSTER_CODE];
    float outer_bias[SHOAL_CLUSTER_CODE];
    float centroids[SHOAL_CLUSTERS_MAX * SHOAL_CLUSTER_CODE]; /* K × C */
    float columns[SHOAL_CLUSTER_CODE * SHOAL_CLUSTERS_MAX];   /* the same, turned; derived */
    struct shoal_cluster_profile profiles[SHOAL_CLUSTERS_MAX]; /* of centroid 0, 1, …; ids rise */
    struct shoal_cluster_summary summary;
    size_t retired_count;
    uint8_t retired[SHOAL_CLUSTER_IDS];    /* ids, rising */
    uint8_t successors[SHOAL_CLUSTER_IDS]; /* of each of those; 0: none */
};

/* All zero, for vectors of size `vector` and `count` clusters. NOMEM; shoal_clusters_destroy frees it. */
enum shoal_status shoal_clusters_create(size_t vector, size_t count,
                                        struct shoal_clusters **clusters) SHOAL_MUST_CHECK;
/* Fills in what is derived; once the parts are there. */
void shoal_clusters_ready(struct shoal_clusters *clusters);
/* DAMAGED, with the reason, if the parts cannot be those of clusters. */
enum shoal_status shoal_clusters_check(const struct shoal_clusters *clusters,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* z[C] of a user vector u[V]. */
void shoal_clusters_encode(const struct shoal_clusters *clusters, const float *vector, float *code);
/* q[K] of a code. */
void shoal_clusters_shares(const struct shoal_clusters *clusters, const float *code, float *shares);

#endif
