/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a tally; see tally.h. Most counts are zero, and those are left out: with eight clusters and ten
 * promotions it is about a kilobyte, and it is written with every commit. */
#include <string.h>

#include "stream/tally.h"

enum {
    FIELDS = 10,
    PROMOTION_FIELDS = 7,
    MOVES = SHOAL_DIMENSION_COUNT * SHOAL_TALLY_LEVELS * SHOAL_TALLY_LEVELS,
    CLUSTER_MOVES = SHOAL_TALLY_PLACES * SHOAL_TALLY_PLACES,
};

/* [number, count, …] of the counts that are not zero. */
static void pack_sparse(const uint64_t *counts, uint32_t count, struct shoal_buffer *out)
{
    uint32_t there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += counts[i] != 0;
    shoal_pack_array(out, 2 * there);
    for (uint32_t i = 0; i < count; i++) {
        if (counts[i]) {
            shoal_pack_uint(out, i);
            shoal_pack_uint(out, counts[i]);
        }
    }
}

static void unpack_sparse(struct shoal_unpack *in, uint64_t *counts, uint32_t count)
{
    uint32_t there = shoal_unpack_array(in, 2 * count);
    uint64_t least = 0;
    if (there % 2)
        shoal_unpack_fail(in);
    for (uint32_t i = 0; i < there / 2 && in->status == SHOAL_OK; i++) {
        uint64_t number = shoal_unpack_uint(in, count - 1);
        uint64_t value = shoal_unpack_uint(in, UINT64_MAX);
        if (number < least || value == 0) {
            shoal_unpack_fail(in);
            return;
        }
        counts[number] = value;
        least = number + 1;
    }
}

static void pack_promotions(const struct shoal_tally *tally, struct shoal_buffer *out)
{
    shoal_pack_array(out, PROMOTION_FIELDS * tally->promotions_count);
    for (uint32_t i = 0; i < tally->promotions_count; i++) {
        const struct shoal_tally_promotion *promotion = &tally->promotions[i];
        shoal_pack_uint(out, promotion->promotion);
        for (unsigned v = 0; v < SHOAL_VARIANT_COUNT; v++) {
            shoal_pack_uint(out, promotion->variants[v].offers);
            shoal_pack_uint(out, promotion->variants[v].withdrawals);
            shoal_pack_uint(out, promotion->variants[v].conversions);
        }
    }
}

static void unpack_promotions(struct shoal_unpack *in, struct shoal_tally *tally)
{
    uint32_t count = shoal_unpack_array(in, PROMOTION_FIELDS * SHOAL_GRANTS_MAX);
    if (count % PROMOTION_FIELDS)
        shoal_unpack_fail(in);
    for (uint32_t i = 0; i < count / PROMOTION_FIELDS && in->status == SHOAL_OK; i++) {
        struct shoal_tally_promotion *promotion = &tally->promotions[i];
        promotion->promotion = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
        if (i > 0 && promotion->promotion <= promotion[-1].promotion)
            shoal_unpack_fail(in);
        for (unsigned v = 0; v < SHOAL_VARIANT_COUNT; v++) {
            promotion->variants[v].offers = shoal_unpack_uint(in, UINT64_MAX);
            promotion->variants[v].withdrawals = shoal_unpack_uint(in, UINT64_MAX);
            promotion->variants[v].conversions = shoal_unpack_uint(in, UINT64_MAX);
        }
        tally->promotions_count++;
    }
}

/* Rising, and none of them 0. */
static void unpack_ids(struct shoal_unpack *in, struct shoal_tally_clusters *clusters)
{
    size_t size;
    const uint8_t *ids = shoal_unpack_bin(in, &size);
    if (!ids || size > SHOAL_CLUSTERS_MAX) {
        shoal_unpack_fail(in);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (ids[i] <= (i ? ids[i - 1] : 0))
            shoal_unpack_fail(in);
    }
    memcpy(clusters->ids, ids, size);
    clusters->count = (uint8_t)size;
}

/* Nobody came from or went to a place that there is not. */
static bool places_are_used(const struct shoal_tally_clusters *clusters)
{
    for (unsigned place = clusters->count + 1u; place < SHOAL_TALLY_OTHERS; place++) {
        for (unsigned i = 0; i < SHOAL_TALLY_PLACES; i++) {
            if (clusters->moves[place][i] || clusters->moves[i][place])
                return false;
        }
    }
    return true;
}

void shoal_tally_pack(const struct shoal_tally *tally, struct shoal_buffer *out)
{
    const struct shoal_tally_clusters *clusters = &tally->clusters;
    shoal_pack_array(out, FIELDS);
    shoal_pack_uint(out, tally->users);
    shoal_pack_uint(out, tally->events);
    shoal_pack_uint(out, tally->late);
    shoal_pack_uint(out, tally->repeated);
    shoal_pack_uint(out, tally->deadletters);
    pack_sparse(&tally->moves[0][0][0], MOVES, out);
    shoal_pack_bin(out, clusters->ids, clusters->count);
    pack_sparse(clusters->users, SHOAL_CLUSTER_IDS + 1, out);
    pack_sparse(&clusters->moves[0][0], CLUSTER_MOVES, out);
    pack_promotions(tally, out);
}

void shoal_tally_unpack(struct shoal_unpack *in, struct shoal_tally *tally)
{
    shoal_tally_init(tally);
    uint32_t fields = shoal_unpack_array(in, FIELDS);
    if (fields != FIELDS)
        shoal_unpack_fail(in);
    tally->users = shoal_unpack_uint(in, UINT64_MAX);
    tally->events = shoal_unpack_uint(in, UINT64_MAX);
    tally->late = shoal_unpack_uint(in, UINT64_MAX);
    tally->repeated = shoal_unpack_uint(in, UINT64_MAX);
    tally->deadletters = shoal_unpack_uint(in, UINT64_MAX);
    unpack_sparse(in, &tally->moves[0][0][0], MOVES);
    unpack_ids(in, &tally->clusters);
    unpack_sparse(in, tally->clusters.users, SHOAL_CLUSTER_IDS + 1);
    unpack_sparse(in, &tally->clusters.moves[0][0], CLUSTER_MOVES);
    unpack_promotions(in, tally);
    if (tally->clusters.users[0] || !places_are_used(&tally->clusters))
        shoal_unpack_fail(in);
    if (in->status != SHOAL_OK)
        shoal_tally_init(tally);
}
