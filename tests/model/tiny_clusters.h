/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters with parts from a seed, for tests: nothing trained, but every part of them at work. */
#ifndef TEST_TINY_CLUSTERS_H
#define TEST_TINY_CLUSTERS_H

#include "model/cluster_parts.h"
#include "tests/model/tiny_model.h"

static inline void tiny_profile(struct shoal_cluster_profile *profile, uint8_t id)
{
    profile->id = id;
    profile->share = 0.25f;
    profile->stability = 0.75f;
    profile->conversion = 0.125f;
    profile->mix[SHOAL_PV] = 0.75f;
    profile->mix[SHOAL_BUY] = 0.25f;
    for (int t = 0; t < SHOAL_CLUSTER_TRAITS; t++)
        profile->traits[t] = 1 + (float)id / (float)(t + 1);
}

/* Ids 2, 4, …; id 4 continues 4 of a model before, 1 goes on as 2, 3 has no successor. NULL when out of
 * memory; shoal_clusters_destroy frees it. */
static inline struct shoal_clusters *tiny_clusters(size_t vector, size_t count, uint64_t seed)
{
    struct shoal_clusters *clusters;
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    if (shoal_clusters_create(vector, count, &clusters) != SHOAL_OK)
        return NULL;
    for (size_t i = 0; i < vector; i++) {
        clusters->mean[i] = 0.3f * tiny_random(&state);
        clusters->deviation[i] = 1 + 0.5f * tiny_random(&state);
    }
    for (size_t i = 0; i < vector * SHOAL_CLUSTER_INNER; i++)
        clusters->inner[i] = 0.2f * tiny_random(&state);
    for (size_t i = 0; i < SHOAL_CLUSTER_INNER; i++)
        clusters->inner_bias[i] = 0.1f * tiny_random(&state);
    for (size_t i = 0; i < SHOAL_CLUSTER_INNER * SHOAL_CLUSTER_CODE; i++)
        clusters->outer[i] = 0.5f * tiny_random(&state);
    for (size_t i = 0; i < SHOAL_CLUSTER_CODE; i++)
        clusters->outer_bias[i] = tiny_random(&state);
    for (size_t i = 0; i < count * SHOAL_CLUSTER_CODE; i++)
        clusters->centroids[i] = tiny_random(&state);
    for (size_t j = 0; j < count; j++)
        tiny_profile(&clusters->profiles[j], (uint8_t)(2 * j + 2));
    if (count > 1) {
        clusters->profiles[1].from = 4;
        clusters->profiles[1].jaccard = 0.625f;
    }
    clusters->summary.states = 1000;
    clusters->summary.users = 300;
    tiny_profile(&clusters->summary.everybody, 0);
    for (int t = 0; t < SHOAL_CLUSTER_TRAITS; t++)
        clusters->summary.deviation[t] = 2;
    clusters->retired_count = 2;
    clusters->retired[0] = 1;
    clusters->successors[0] = 2;
    clusters->retired[1] = 3;
    shoal_clusters_ready(clusters);
    return clusters;
}

#endif
