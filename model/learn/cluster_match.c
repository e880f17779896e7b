/* SPDX-License-Identifier: Apache-2.0 */
/* Ids over a retraining; see cluster_match.h. */
#include "model/learn/cluster_match.h"

#include <stdbool.h>
#include <string.h>

#include "model/learn/hungarian.h"

enum { MOST = SHOAL_CLUSTERS_MAX };

static const double SAME = 0.5, TAKEN_OVER = 0.5;

/* Panel users of each old and new cluster, and of each pair. */
struct overlap {
    size_t both[MOST][MOST], old[MOST], new[MOST];
};

static size_t index_of(const struct shoal_clusters *clusters, uint8_t id)
{
    size_t j = 0;
    while (j < clusters->count && clusters->profiles[j].id != id)
        j++;
    return j;
}

static void count_users(const struct shoal_clusters *old, const uint8_t *old_ids,
                        const uint8_t *labels, size_t panel, struct overlap *overlap)
{
    memset(overlap, 0, sizeof *overlap);
    for (size_t i = 0; i < panel; i++) {
        size_t from = index_of(old, old_ids[i]);
        if (from == old->count)
            continue;
        overlap->both[from][labels[i]]++;
        overlap->old[from]++;
        overlap->new[labels[i]]++;
    }
}

static double jaccard_of(const struct overlap *overlap, size_t from, size_t to)
{
    size_t both = overlap->both[from][to];
    return both ? (double)both / (double)(overlap->old[from] + overlap->new[to] - both) : 0;
}

/* Pairs that are near enough keep the id. */
static void keep_ids(const struct shoal_clusters *old, const struct overlap *overlap,
                     struct shoal_clusters *clusters)
{
    double gains[MOST * MOST];
    int to[MOST];
    for (size_t i = 0; i < old->count; i++)
        for (size_t j = 0; j < clusters->count; j++) {
            double jaccard = jaccard_of(overlap, i, j);
            gains[i * clusters->count + j] = jaccard >= SAME ? jaccard : 0;
        }
    shoal_hungarian(gains, old->count, clusters->count, to);
    for (size_t i = 0; i < old->count; i++) {
        if (to[i] == SHOAL_HUNGARIAN_NONE)
            continue;
        struct shoal_cluster_profile *profile = &clusters->profiles[to[i]];
        double jaccard = gains[i * clusters->count + (size_t)to[i]];
        if (!(jaccard > 0))
            continue;
        profile->id = profile->from = old->profiles[i].id;
        profile->jaccard = (float)jaccard;
    }
}

/* Every id that the old model has or had, and every one that is given already. */
static void mark_used(const struct shoal_clusters *old, const struct shoal_clusters *clusters,
                      bool *used)
{
    for (size_t i = 0; old && i < old->count; i++)
        used[old->profiles[i].id] = true;
    for (size_t i = 0; old && i < old->retired_count; i++)
        used[old->retired[i]] = true;
    for (size_t j = 0; j < clusters->count; j++)
        used[clusters->profiles[j].id] = true;
}

static uint8_t next_id(bool *used)
{
    for (unsigned id = 1; id <= SHOAL_CLUSTER_IDS; id++)
        if (!used[id]) {
            used[id] = true;
            return (uint8_t)id;
        }
    return 0;
}

/* When all 255 have been given away, the retired ones are forgotten; those of the old model are not. */
static void give_new_ids(const struct shoal_clusters *old, struct shoal_clusters *clusters,
                         bool *forgotten)
{
    bool used[SHOAL_CLUSTER_IDS + 1] = {false}, recent[SHOAL_CLUSTER_IDS + 1] = {false};
    struct shoal_clusters without = {0};
    mark_used(old, clusters, used);
    if (old) {
        without.count = old->count;
        memcpy(without.profiles, old->profiles, sizeof without.profiles);
    }
    *forgotten = false;
    for (size_t j = 0; j < clusters->count; j++) {
        struct shoal_cluster_profile *profile = &clusters->profiles[j];
        if (profile->id)
            continue;
        profile->id = *forgotten ? 0 : next_id(used);
        if (!profile->id) {
            *forgotten = true;
            memset(recent, 0, sizeof recent);
            mark_used(&without, clusters, recent);
            profile->id = next_id(recent);
        }
    }
}

static void retire(struct shoal_clusters *clusters, uint8_t id, uint8_t successor)
{
    size_t at = clusters->retired_count++;
    for (; at > 0 && clusters->retired[at - 1] > id; at--) {
        clusters->retired[at] = clusters->retired[at - 1];
        clusters->successors[at] = clusters->successors[at - 1];
    }
    clusters->retired[at] = id;
    clusters->successors[at] = successor;
}

static uint8_t successor_of(const struct overlap *overlap, const struct shoal_clusters *clusters,
                            size_t from)
{
    for (size_t j = 0; j < clusters->count && overlap->old[from]; j++)
        if ((double)overlap->both[from][j] >= TAKEN_OVER * (double)overlap->old[from])
            return clusters->profiles[j].id;
    return 0;
}

static void retire_ids(const struct shoal_clusters *old, const struct overlap *overlap,
                       bool forgotten, struct shoal_clusters *clusters)
{
    uint8_t now[SHOAL_CLUSTER_IDS + 1] = {0}; /* where each id of the old model goes */
    for (size_t i = 0; i < old->count; i++) {
        uint8_t id = old->profiles[i].id;
        bool kept = index_of(clusters, id) < clusters->count;
        now[id] = kept ? id : successor_of(overlap, clusters, i);
        if (!kept)
            retire(clusters, id, now[id]);
    }
    for (size_t i = 0; i < old->retired_count && !forgotten; i++)
        retire(clusters, old->retired[i], now[old->successors[i]]);
}

void shoal_cluster_match(const struct shoal_clusters *old, const uint8_t *old_ids,
                         const uint8_t *labels, size_t panel, struct shoal_clusters *clusters)
{
    struct overlap overlap;
    bool forgotten;
    clusters->retired_count = 0;
    for (size_t j = 0; j < clusters->count; j++) {
        clusters->profiles[j].id = clusters->profiles[j].from = 0;
        clusters->profiles[j].jaccard = 0;
    }
    if (old) {
        count_users(old, old_ids, labels, panel, &overlap);
        keep_ids(old, &overlap, clusters);
    }
    give_new_ids(old, clusters, &forgotten);
    if (old)
        retire_ids(old, &overlap, forgotten, clusters);
}

void shoal_cluster_sort(struct shoal_clusters *clusters, uint8_t *order)
{
    struct shoal_cluster_profile profiles[MOST];
    float centroids[MOST * SHOAL_CLUSTER_CODE];
    for (size_t j = 0; j < clusters->count; j++) {
        size_t place = 0;
        for (size_t k = 0; k < clusters->count; k++)
            place += clusters->profiles[k].id < clusters->profiles[j].id;
        order[j] = (uint8_t)place;
        profiles[place] = clusters->profiles[j];
        memcpy(centroids + place * SHOAL_CLUSTER_CODE,
               clusters->centroids + j * SHOAL_CLUSTER_CODE, SHOAL_CLUSTER_CODE * sizeof(float));
    }
    memcpy(clusters->profiles, profiles, clusters->count * sizeof *profiles);
    memcpy(clusters->centroids, centroids,
           clusters->count * SHOAL_CLUSTER_CODE * sizeof *centroids);
}
