/* SPDX-License-Identifier: Apache-2.0 */
/* The ways between clusters; see tally_clusters.h. */
#include "stream/tally_clusters.h"

#include <string.h>

uint8_t shoal_tally_place(const struct shoal_tally_clusters *tally, uint8_t id)
{
    if (id == 0)
        return 0;
    for (uint8_t i = 0; i < tally->count; i++) {
        if (tally->ids[i] == id)
            return (uint8_t)(i + 1);
    }
    return SHOAL_TALLY_OTHERS;
}

/* The id at a place of `from`, as a place of `to`. */
static uint8_t translate(const struct shoal_tally_clusters *from,
                         const struct shoal_tally_clusters *to, uint8_t place)
{
    if (place == 0 || place == SHOAL_TALLY_OTHERS)
        return place;
    return shoal_tally_place(to, place <= from->count ? from->ids[place - 1] : 0);
}

static void add_moves(struct shoal_tally_clusters *sum, const struct shoal_tally_clusters *one)
{
    uint8_t places[SHOAL_TALLY_PLACES];
    for (uint8_t i = 0; i < SHOAL_TALLY_PLACES; i++)
        places[i] = translate(one, sum, i);
    for (unsigned i = 0; i < SHOAL_TALLY_PLACES; i++) {
        for (unsigned j = 0; j < SHOAL_TALLY_PLACES; j++)
            sum->moves[places[i]][places[j]] += one->moves[i][j];
    }
}

void shoal_tally_places(struct shoal_tally_clusters *tally, const uint8_t *ids, uint8_t count)
{
    if (tally->count == count && memcmp(tally->ids, ids, count) == 0)
        return;
    struct shoal_tally_clusters before = *tally;
    memset(tally->ids, 0, sizeof tally->ids);
    memset(tally->moves, 0, sizeof tally->moves);
    memcpy(tally->ids, ids, count);
    tally->count = count;
    add_moves(tally, &before);
}

void shoal_tally_follow(struct shoal_tally_clusters *tally, const struct shoal_clusters *clusters)
{
    uint8_t ids[SHOAL_CLUSTERS_MAX];
    size_t count = clusters ? shoal_clusters_count(clusters) : 0;
    for (size_t i = 0; i < count; i++)
        ids[i] = shoal_clusters_profile(clusters, i)->id;
    if (count > 0)
        shoal_tally_places(tally, ids, (uint8_t)count);
}

void shoal_tally_clusters_add(struct shoal_tally_clusters *sum,
                              const struct shoal_tally_clusters *one)
{
    if (sum->count == 0)
        shoal_tally_places(sum, one->ids, one->count);
    add_moves(sum, one);
    for (unsigned i = 0; i <= SHOAL_CLUSTER_IDS; i++)
        sum->users[i] += one->users[i];
}
