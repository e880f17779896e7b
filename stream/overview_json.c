/* SPDX-License-Identifier: Apache-2.0 */
/* An overview as JSON; see overview.h. */
#include <math.h>

#include "model/learn/lift.h"
#include "stream/overview.h"

/* ---- dimensions ---------------------------------------------------------------------------- */

static void put_level(struct shoal_put *put, enum shoal_dimension dimension, uint8_t level,
                      uint64_t users)
{
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "level", shoal_level_name(dimension, level));
    shoal_put_count(put, "users", users);
    shoal_put_close(put, '}');
}

static bool is_cluster_of(const struct shoal_clusters *clusters, uint8_t id)
{
    size_t count = clusters ? shoal_clusters_count(clusters) : 0;
    for (size_t i = 0; i < count; i++) {
        if (shoal_clusters_profile(clusters, i)->id == id)
            return true;
    }
    return false;
}

/* All levels that there are; of clusters, those of the model, and others that somebody is in. */
static void put_levels(struct shoal_put *put, const struct shoal_tally *tally,
                       enum shoal_dimension dimension, const struct shoal_clusters *clusters)
{
    shoal_put_open(put, "levels", '[');
    for (unsigned level = 1; level <= shoal_level_count(dimension); level++) {
        uint64_t users = shoal_tally_at(tally, dimension, (uint8_t)level);
        if (dimension != SHOAL_CLUSTER || users > 0 || is_cluster_of(clusters, (uint8_t)level))
            put_level(put, dimension, (uint8_t)level, users);
    }
    shoal_put_close(put, ']');
}

/* `from` and `to` as names; NULL: none. */
static void put_move(struct shoal_put *put, const char *from, const char *to, uint64_t count)
{
    if (count == 0)
        return;
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "from", from);
    shoal_put_text(put, "to", to);
    shoal_put_count(put, "count", count);
    shoal_put_close(put, '}');
}

static const char *place_name(const struct shoal_tally_clusters *clusters, unsigned place)
{
    if (place == SHOAL_TALLY_OTHERS)
        return "other";
    return place ? shoal_level_name(SHOAL_CLUSTER, clusters->ids[place - 1]) : NULL;
}

static void put_moves(struct shoal_put *put, const struct shoal_tally *tally,
                      enum shoal_dimension dimension)
{
    const struct shoal_tally_clusters *clusters = &tally->clusters;
    shoal_put_open(put, "transitions", '[');
    for (unsigned i = 0; i < SHOAL_TALLY_PLACES && dimension == SHOAL_CLUSTER; i++) {
        for (unsigned j = 0; j < SHOAL_TALLY_PLACES; j++)
            put_move(put, place_name(clusters, i), place_name(clusters, j), clusters->moves[i][j]);
    }
    for (uint8_t i = 0; i < SHOAL_TALLY_LEVELS && dimension != SHOAL_CLUSTER; i++) {
        for (uint8_t j = 0; j < SHOAL_TALLY_LEVELS; j++)
            put_move(put, shoal_level_name(dimension, i), shoal_level_name(dimension, j),
                     tally->moves[dimension][i][j]);
    }
    shoal_put_close(put, ']');
}

void shoal_overview_put_dimensions(struct shoal_put *put, const char *key, const struct shoal_tally *tally,
                                   const struct shoal_clusters *clusters)
{
    shoal_put_open(put, key, '[');
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        enum shoal_dimension dimension = (enum shoal_dimension)d;
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "dimension", shoal_dimension_name(dimension));
        put_levels(put, tally, dimension, clusters);
        put_moves(put, tally, dimension);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}

/* ---- promotions ---------------------------------------------------------------------------- */

static double rate_of(const struct shoal_tally_variant *variant)
{
    return variant->offers ? (double)variant->conversions / (double)variant->offers : NAN;
}

static void put_variant(struct shoal_put *put, const char *key,
                        const struct shoal_tally_variant *variant)
{
    shoal_put_open(put, key, '{');
    shoal_put_count(put, "offers", variant->offers);
    shoal_put_count(put, "withdrawals", variant->withdrawals);
    shoal_put_count(put, "conversions", variant->conversions);
    shoal_put_real(put, "rate", rate_of(variant));
    shoal_put_close(put, '}');
}

/* More answers than offers there are only if a promotion's control share was changed. */
static struct shoal_arm arm_of(const struct shoal_tally_variant *variant)
{
    double offers = (double)variant->offers;
    double share = fmin(rate_of(variant), 1);
    struct shoal_arm arm = {.count = offers, .hits = share * offers, .means = {share}};
    arm.products[0][0] = offers * share * (1 - share);
    return arm;
}

static void put_lift(struct shoal_put *put, const struct shoal_tally_promotion *promotion)
{
    const struct shoal_tally_variant *variants = promotion->variants;
    if (variants[SHOAL_TREATMENT].offers == 0 || variants[SHOAL_CONTROL].offers == 0) {
        shoal_put_null(put, "lift");
        return;
    }
    struct shoal_arm treatment = arm_of(&variants[SHOAL_TREATMENT]);
    struct shoal_arm control = arm_of(&variants[SHOAL_CONTROL]);
    struct shoal_lift lift;
    shoal_lift_shares(&treatment, &control, &lift);
    shoal_put_open(put, "lift", '{');
    shoal_put_real(put, "difference", lift.plain.value);
    shoal_put_real(put, "low", lift.plain.interval.low);
    shoal_put_real(put, "high", lift.plain.interval.high);
    shoal_put_close(put, '}');
}

static void put_bound(struct shoal_put *put, const char *key, int64_t time_ms)
{
    if (time_ms == INT64_MIN || time_ms == INT64_MAX)
        shoal_put_null(put, key);
    else
        shoal_put_time(put, key, time_ms);
}

static void put_budget(struct shoal_put *put, uint32_t per_day, uint32_t left)
{
    if (per_day == 0) {
        shoal_put_null(put, "budget");
        return;
    }
    shoal_put_open(put, "budget", '{');
    shoal_put_count(put, "per_day", per_day);
    shoal_put_count(put, "left", left);
    shoal_put_close(put, '}');
}

static void put_promotion(struct shoal_put *put, const struct shoal_overview *overview,
                          const struct shoal_promotion *promotion, uint32_t left)
{
    static const struct shoal_tally_promotion none;
    const struct shoal_tally_promotion *counts =
        shoal_tally_promotion(&overview->tally, promotion->hash);
    if (!counts)
        counts = &none;
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "promotion", promotion->id);
    shoal_put_text(put, "kind", shoal_kind_info(promotion->kind)->name);
    shoal_put_int(put, "priority", promotion->priority);
    put_bound(put, "valid_from", promotion->valid_from_ms);
    put_bound(put, "valid_until", promotion->valid_until_ms);
    shoal_put_real(put, "control_share", (double)promotion->control);
    shoal_put_text(put, "group", promotion->group[0] ? promotion->group : NULL);
    put_budget(put, promotion->budget, left);
    put_variant(put, "treatment", &counts->variants[SHOAL_TREATMENT]);
    put_variant(put, "control", &counts->variants[SHOAL_CONTROL]);
    put_lift(put, counts);
    shoal_put_close(put, '}');
}

void shoal_overview_put_promotions(struct shoal_put *put, const struct shoal_overview *overview,
                                   const struct shoal_policy *policy)
{
    shoal_put_open(put, "promotions", '[');
    for (size_t i = 0; policy && i < policy->count; i++)
        put_promotion(put, overview, &policy->promotions[i], overview->left[i]);
    shoal_put_close(put, ']');
}

/* ---- partitions ---------------------------------------------------------------------------- */

void shoal_overview_put_partitions(struct shoal_put *put, const struct shoal_overview *overview)
{
    shoal_put_open(put, "partitions", '[');
    for (int32_t i = 0; i < overview->partitions_count; i++) {
        const struct shoal_overview_partition *partition = &overview->partitions[i];
        int64_t lag = shoal_overview_lag_of(partition);
        shoal_put_open(put, NULL, '{');
        shoal_put_int(put, "partition", i);
        if (partition->next_offset < 0)
            shoal_put_null(put, "next_offset");
        else
            shoal_put_int(put, "next_offset", partition->next_offset);
        if (lag < 0)
            shoal_put_null(put, "lag");
        else
            shoal_put_int(put, "lag", lag);
        if (partition->event_ms < 0)
            shoal_put_null(put, "watermark");
        else
            shoal_put_time(put, "watermark", partition->event_ms);
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
}
