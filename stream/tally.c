/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of a partition; see tally.h. Their bytes are in tally_codec.c. */
#include "stream/tally.h"

#include <string.h>

#include "stream/tally_clusters.h"

static const int64_t DAY_MS = 86400000;

void shoal_tally_init(struct shoal_tally *tally)
{
    memset(tally, 0, sizeof *tally);
}

/* ---- users --------------------------------------------------------------------------------- */

void shoal_tally_move(struct shoal_tally *tally, const struct shoal_clusters *clusters,
                      enum shoal_dimension dimension, uint8_t from, uint8_t to)
{
    if (from == to)
        return;
    if (dimension != SHOAL_CLUSTER) {
        if (from < SHOAL_TALLY_LEVELS && to < SHOAL_TALLY_LEVELS) /* as every level is */
            tally->moves[dimension][from][to]++;
        return;
    }
    struct shoal_tally_clusters *of = &tally->clusters;
    shoal_tally_follow(of, clusters);
    of->moves[shoal_tally_place(of, from)][shoal_tally_place(of, to)]++;
    if (from)
        of->users[from]--;
    if (to)
        of->users[to]++;
}

void shoal_tally_come(struct shoal_tally *tally, const struct shoal_clusters *clusters,
                      const struct shoal_record *record)
{
    tally->users++;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        shoal_tally_move(tally, clusters, (enum shoal_dimension)d, 0, record->standings[d].level);
}

void shoal_tally_go(struct shoal_tally *tally, const struct shoal_clusters *clusters,
                    const struct shoal_record *record)
{
    tally->users--;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        shoal_tally_move(tally, clusters, (enum shoal_dimension)d, record->standings[d].level, 0);
}

uint64_t shoal_tally_at(const struct shoal_tally *tally, enum shoal_dimension dimension,
                        uint8_t level)
{
    uint64_t users = 0;
    if (dimension == SHOAL_CLUSTER)
        return tally->clusters.users[level];
    for (unsigned i = 0; i < SHOAL_TALLY_LEVELS && level < SHOAL_TALLY_LEVELS; i++)
        users += tally->moves[dimension][i][level] - tally->moves[dimension][level][i];
    return users;
}

/* ---- promotions ---------------------------------------------------------------------------- */

/* Where a promotion is in the list, or would be. */
static uint32_t position_of(const struct shoal_tally *tally, uint32_t promotion)
{
    uint32_t at = 0;
    while (at < tally->promotions_count && tally->promotions[at].promotion < promotion)
        at++;
    return at;
}

const struct shoal_tally_promotion *shoal_tally_promotion(const struct shoal_tally *tally,
                                                          uint32_t promotion)
{
    uint32_t at = position_of(tally, promotion);
    bool there = at < tally->promotions_count && tally->promotions[at].promotion == promotion;
    return there ? &tally->promotions[at] : NULL;
}

/* All those that are no longer in the policy make room at once: so what is left does not depend on the order in
 * which those that need it come. */
static void drop_foreign(struct shoal_tally *tally, const struct shoal_policy *policy)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tally->promotions_count; i++) {
        bool ours = false;
        for (size_t j = 0; j < policy->count && !ours; j++)
            ours = policy->promotions[j].hash == tally->promotions[i].promotion;
        if (ours)
            tally->promotions[kept++] = tally->promotions[i];
    }
    tally->promotions_count = kept;
}

/* The counts of a promotion, made if there are none; NULL if there is no room for them. */
static struct shoal_tally_promotion *make(struct shoal_tally *tally, uint32_t promotion)
{
    uint32_t at = position_of(tally, promotion);
    struct shoal_tally_promotion *found = &tally->promotions[at];
    if (at < tally->promotions_count && found->promotion == promotion)
        return found;
    if (tally->promotions_count == SHOAL_GRANTS_MAX)
        return NULL;
    memmove(found + 1, found, (tally->promotions_count - at) * sizeof *found);
    *found = (struct shoal_tally_promotion){.promotion = promotion};
    tally->promotions_count++;
    return found;
}

/* The counts of one of the policy's promotions. */
static struct shoal_tally_variant *variant_of(struct shoal_tally *tally,
                                              const struct shoal_policy *policy,
                                              const struct shoal_promotion *promotion, bool control)
{
    struct shoal_tally_promotion *counts = make(tally, promotion->hash);
    if (!counts) {
        drop_foreign(tally, policy);
        counts = make(tally, promotion->hash);
    }
    return counts ? &counts->variants[control ? SHOAL_CONTROL : SHOAL_TREATMENT] : NULL;
}

void shoal_tally_decided(struct shoal_tally *tally, const struct shoal_decision *decisions,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct shoal_decision *decision = &decisions[i];
        if (decision->turn == SHOAL_TURN_NONE)
            continue;
        struct shoal_tally_variant *variant =
            variant_of(tally, decision->policy, decision->promotion, decision->control);
        if (variant && decision->turn == SHOAL_TURN_OFFERED)
            variant->offers++;
        else if (variant)
            variant->withdrawals++;
    }
}

void shoal_tally_bought(struct shoal_tally *tally, const struct shoal_policy *policy,
                        const char *user, size_t user_size, struct shoal_record *record,
                        int64_t time_ms)
{
    for (size_t g = 0; g < record->grants_count; g++) {
        struct shoal_grant *grant = &record->grants[g];
        if (!grant->open)
            continue;
        grant->open = false;
        for (size_t i = 0; policy && i < policy->count; i++) {
            const struct shoal_promotion *promotion = &policy->promotions[i];
            int64_t window_ms = promotion->offer_ms > DAY_MS ? promotion->offer_ms : DAY_MS;
            if (promotion->hash != grant->promotion || time_ms - grant->last_ms > window_ms)
                continue;
            bool control = shoal_in_control(promotion, user, user_size);
            struct shoal_tally_variant *variant = variant_of(tally, policy, promotion, control);
            if (variant)
                variant->conversions++;
        }
    }
}

/* ---- sums ---------------------------------------------------------------------------------- */

static void add_promotion(struct shoal_tally *sum, const struct shoal_tally_promotion *one)
{
    struct shoal_tally_promotion *into = make(sum, one->promotion);
    for (unsigned v = 0; into && v < SHOAL_VARIANT_COUNT; v++) {
        into->variants[v].offers += one->variants[v].offers;
        into->variants[v].withdrawals += one->variants[v].withdrawals;
        into->variants[v].conversions += one->variants[v].conversions;
    }
}

void shoal_tally_add(struct shoal_tally *sum, const struct shoal_tally *one)
{
    sum->users += one->users;
    sum->events += one->events;
    sum->late += one->late;
    sum->repeated += one->repeated;
    sum->deadletters += one->deadletters;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        for (unsigned i = 0; i < SHOAL_TALLY_LEVELS; i++) {
            for (unsigned j = 0; j < SHOAL_TALLY_LEVELS; j++)
                sum->moves[d][i][j] += one->moves[d][i][j];
        }
    }
    shoal_tally_clusters_add(&sum->clusters, &one->clusters);
    for (uint32_t i = 0; i < one->promotions_count; i++)
        add_promotion(sum, &one->promotions[i]);
}
