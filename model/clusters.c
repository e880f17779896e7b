/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters as they are served; see clusters.h, and cluster_parts.h for the equations. The sums are written
 * as vectors in a fixed order, so a vector's cluster has the same bits wherever it is computed. */
#include "model/cluster_parts.h"

#include <math.h>
#include <stdlib.h>

#include "model/user_vector.h"
#include "model/vmath_lanes.h"

enum { INNER_LANES = SHOAL_CLUSTER_INNER / V8_WIDTH, CLUSTER_LANES = SHOAL_CLUSTERS_MAX / V8_WIDTH };

_Static_assert((int)SHOAL_CLUSTER_CODE == (int)V8_WIDTH, "a code is one vector");

static const struct shoal_cluster_trait_info infos[] = {
#define X(name, text, unit) {#name, text, unit},
    SHOAL_CLUSTER_TRAIT_LIST(X)
#undef X
};

const struct shoal_cluster_trait_info *shoal_cluster_trait_info(enum shoal_cluster_trait trait)
{
    return &infos[trait];
}

enum shoal_status shoal_clusters_create(size_t vector, size_t count,
                                        struct shoal_clusters **clusters)
{
    struct shoal_clusters *made = calloc(1, sizeof *made);
    *clusters = NULL;
    if (!made)
        return SHOAL_NOMEM;
    made->block = calloc(vector * (3 + SHOAL_CLUSTER_INNER), sizeof *made->block);
    if (!made->block) {
        shoal_clusters_destroy(made);
        return SHOAL_NOMEM;
    }
    made->vector = vector;
    made->count = count;
    made->mean = made->block;
    made->deviation = made->mean + vector;
    made->inverse = made->deviation + vector;
    made->inner = made->inverse + vector;
    *clusters = made;
    return SHOAL_OK;
}

void shoal_clusters_destroy(struct shoal_clusters *clusters)
{
    if (clusters)
        free(clusters->block);
    free(clusters);
}

void shoal_clusters_ready(struct shoal_clusters *clusters)
{
    for (size_t i = 0; i < clusters->vector; i++)
        clusters->inverse[i] = 1.0f / clusters->deviation[i];
    for (size_t j = 0; j < clusters->count; j++)
        for (size_t d = 0; d < SHOAL_CLUSTER_CODE; d++)
            clusters->columns[d * SHOAL_CLUSTERS_MAX + j] =
                clusters->centroids[j * SHOAL_CLUSTER_CODE + d];
}

/* Even and odd inputs have sums of their own: twice as many additions are under way at a time. */
void shoal_clusters_encode(const struct shoal_clusters *clusters, const float *vector, float *code)
{
    float x[SHOAL_VECTOR_MAX + 1], inner[SHOAL_CLUSTER_INNER];
    size_t size = clusters->vector;
    v8 even[INNER_LANES], odd[INNER_LANES];
    for (size_t i = 0; i < size; i++)
        x[i] = (vector[i] - clusters->mean[i]) * clusters->inverse[i];
    for (size_t l = 0; l < INNER_LANES; l++) {
        even[l] = v8_load(clusters->inner_bias + l * V8_WIDTH);
        odd[l] = v8_set(0.0f);
    }
    const float *row = clusters->inner;
    size_t i = 0;
    for (; i + 2 <= size; i += 2, row += 2 * SHOAL_CLUSTER_INNER) {
        v8 first = v8_set(x[i]), second = v8_set(x[i + 1]);
        for (size_t l = 0; l < INNER_LANES; l++) {
            even[l] = v8_fma(first, v8_load(row + l * V8_WIDTH), even[l]);
            odd[l] = v8_fma(second, v8_load(row + SHOAL_CLUSTER_INNER + l * V8_WIDTH), odd[l]);
        }
    }
    for (size_t l = 0; i < size && l < INNER_LANES; l++)
        even[l] = v8_fma(v8_set(x[i]), v8_load(row + l * V8_WIDTH), even[l]);
    for (size_t l = 0; l < INNER_LANES; l++)
        v8_store(inner + l * V8_WIDTH, v8_at_least(even[l] + odd[l], 0.0f));
    v8 sums[4] = {v8_load(clusters->outer_bias)};
    for (size_t e = 0; e < SHOAL_CLUSTER_INNER; e += 4)
        for (size_t s = 0; s < 4; s++)
            sums[s] = v8_fma(v8_set(inner[e + s]),
                             v8_load(clusters->outer + (e + s) * SHOAL_CLUSTER_CODE), sums[s]);
    v8_store(code, (sums[0] + sums[1]) + (sums[2] + sums[3]));
}

void shoal_clusters_shares(const struct shoal_clusters *clusters, const float *code, float *shares)
{
    float near[SHOAL_CLUSTERS_MAX], sum = 0;
    for (size_t l = 0; l < CLUSTER_LANES && l * V8_WIDTH < clusters->count; l++) {
        v8 square = v8_set(1.0f);
        for (size_t d = 0; d < SHOAL_CLUSTER_CODE; d++) {
            v8 gap = v8_set(code[d]) -
                     v8_load(clusters->columns + d * SHOAL_CLUSTERS_MAX + l * V8_WIDTH);
            square = v8_fma(gap, gap, square);
        }
        v8_store(near + l * V8_WIDTH, v8_set(1.0f) / square);
    }
    for (size_t j = 0; j < clusters->count; j++)
        sum += near[j];
    for (size_t j = 0; j < clusters->count; j++)
        shares[j] = near[j] / sum;
}

void shoal_clusters_assign(const struct shoal_clusters *clusters, const float *vector,
                           struct shoal_cluster_choice *choice)
{
    float code[SHOAL_CLUSTER_CODE], shares[SHOAL_CLUSTERS_MAX];
    shoal_clusters_encode(clusters, vector, code);
    shoal_clusters_shares(clusters, code, shares);
    size_t best = 0;
    float next = 0;
    for (size_t j = 1; j < clusters->count; j++) {
        if (shares[j] > shares[best]) {
            next = shares[best];
            best = j;
        } else if (shares[j] > next) {
            next = shares[j];
        }
    }
    float margin = shares[best] - next;
    choice->id = clusters->profiles[best].id;
    choice->margin = margin >= 0 ? margin : 0; /* weights so large that a sum is not finite */
}

uint8_t shoal_clusters_successor(const struct shoal_clusters *clusters, uint8_t id)
{
    for (size_t j = 0; j < clusters->count; j++)
        if (clusters->profiles[j].id == id)
            return id;
    for (size_t i = 0; i < clusters->retired_count; i++)
        if (clusters->retired[i] == id)
            return clusters->successors[i];
    return 0;
}

size_t shoal_clusters_count(const struct shoal_clusters *clusters)
{
    return clusters->count;
}

const struct shoal_cluster_profile *shoal_clusters_profile(const struct shoal_clusters *clusters,
                                                           size_t index)
{
    return &clusters->profiles[index];
}

const struct shoal_cluster_summary *shoal_clusters_summary(const struct shoal_clusters *clusters)
{
    return &clusters->summary;
}

size_t shoal_clusters_retired_count(const struct shoal_clusters *clusters)
{
    return clusters->retired_count;
}

uint8_t shoal_clusters_retired(const struct shoal_clusters *clusters, size_t index)
{
    return clusters->retired[index];
}

float shoal_clusters_z(const struct shoal_clusters *clusters, size_t index,
                       enum shoal_cluster_trait trait)
{
    const struct shoal_cluster_summary *summary = &clusters->summary;
    return (clusters->profiles[index].traits[trait] - summary->everybody.traits[trait]) /
           summary->deviation[trait];
}
