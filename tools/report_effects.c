/* SPDX-License-Identifier: Apache-2.0 */
/* Offers joined with outcomes; see report_effects.h. */
#include "tools/report_effects.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/event.h"

/* What an offer's user did. */
struct outcome {
    uint32_t offer;
    bool bought, control;
    double spent, covariates[SHOAL_LIFT_COVARIATES];
};

struct joining {
    const struct shoal_dataset *dataset;
    const struct shoal_report_names *names;
    const struct shoal_offers *offers;
    const struct shoal_report_rows *rows;
    const struct shoal_effects_options *options;
    struct shoal_effects *effects;
    struct outcome *outcomes; /* of the offers that count */
    size_t outcomes_count;
};

void shoal_effects_finish(struct shoal_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++)
        free(effects->promotions[i].effects);
    free(effects->promotions);
    *effects = (struct shoal_effects){0};
}

/* ---- one offer ------------------------------------------------------------------------------ */

/* The user's first event after `time_ms`. */
static size_t first_after(const struct shoal_dataset *dataset, uint32_t user, int64_t time_ms)
{
    size_t low = dataset->first[user], high = dataset->first[user + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (dataset->touches[middle].time_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double amount_of(const struct joining *joining, size_t event)
{
    double amount = joining->effects->has_amounts ? (double)joining->dataset->amounts[event] : 0;
    return amount > 0 ? amount : 0;
}

/* Counts and sums grow without bound: their logarithms follow the outcome better. */
static void look_back(const struct joining *joining, const struct shoal_offer *offer, size_t end,
                      double covariates[SHOAL_LIFT_COVARIATES])
{
    const struct shoal_dataset *dataset = joining->dataset;
    double purchases = 0, spent = 0, events = (double)(end - dataset->first[offer->user]);
    for (size_t i = dataset->first[offer->user]; i < end; i++) {
        if (dataset->touches[i].behavior != SHOAL_BUY)
            continue;
        purchases++;
        spent += amount_of(joining, i);
    }
    covariates[0] = log1p(events);
    covariates[1] = log1p(purchases);
    covariates[2] = log1p(spent);
}

static void look_ahead(struct joining *joining, const struct shoal_offer *offer, size_t begin,
                       struct shoal_promotion_effect *effect, struct outcome *outcome)
{
    const struct shoal_dataset *dataset = joining->dataset;
    const char *name = joining->names->promotions.texts[offer->promotion];
    uint32_t hash = shoal_promotion_hash(name, strlen(name));
    int64_t until_ms = offer->time_ms + joining->options->window_ms;
    bool contacts[SHOAL_EXPOSURE_REDEEMED + 1] = {false};
    for (size_t i = begin;
         i < dataset->first[offer->user + 1] && dataset->touches[i].time_ms <= until_ms; i++) {
        if (dataset->promotions && dataset->exposures && dataset->promotions[i] == hash &&
            dataset->exposures[i] <= SHOAL_EXPOSURE_REDEEMED)
            contacts[dataset->exposures[i]] = true;
        if (dataset->touches[i].behavior != SHOAL_BUY)
            continue;
        outcome->bought = true;
        outcome->spent += amount_of(joining, i);
        joining->effects->amounts_missing +=
            joining->effects->has_amounts && isnan(dataset->amounts[i]);
    }
    effect->shown[offer->control] += contacts[SHOAL_EXPOSURE_SHOWN];
    effect->clicked[offer->control] += contacts[SHOAL_EXPOSURE_CLICKED];
    effect->redeemed[offer->control] += contacts[SHOAL_EXPOSURE_REDEEMED];
}

static void add(const struct joining *joining, struct shoal_effect *effect,
                const struct outcome *outcome)
{
    shoal_arm_add(&effect->bought[outcome->control], outcome->bought, outcome->covariates);
    if (joining->effects->has_amounts)
        shoal_arm_add(&effect->spent[outcome->control], outcome->spent, outcome->covariates);
}

static void join(struct joining *joining, size_t number)
{
    const struct shoal_dataset *dataset = joining->dataset;
    const struct shoal_offer *offer = &joining->offers->offers[number];
    struct shoal_promotion_effect *effect = &joining->effects->promotions[offer->promotion];
    if (offer->time_ms < dataset->first_ms || offer->time_ms > dataset->last_ms) {
        effect->outside++;
        return;
    }
    if (offer->time_ms + joining->options->window_ms > dataset->last_ms) {
        effect->open++;
        return;
    }
    struct outcome *outcome = &joining->outcomes[joining->outcomes_count++];
    *outcome = (struct outcome){.offer = (uint32_t)number, .control = offer->control};
    size_t begin = first_after(dataset, offer->user, offer->time_ms);
    look_back(joining, offer, begin, outcome->covariates);
    look_ahead(joining, offer, begin, effect, outcome);
    add(joining, &effect->effects[0], outcome);
    for (uint16_t d = 0; d < joining->names->dimensions.count; d++) {
        uint16_t row = shoal_report_row_of(joining->rows, d, offer->levels[d]);
        if (row != SHOAL_NAME_NONE)
            add(joining, &effect->effects[row], outcome);
    }
}

/* ---- cumulative gain ------------------------------------------------------------------------ */

/* A user in the ranking. */
struct ranked {
    float score;
    uint32_t user;
    bool bought, control;
};

/* Highest first; equal scores in the order of users, which has nothing to do with the groups. */
static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->score < right->score || left->score > right->score)
        return left->score > right->score ? -1 : 1;
    return (left->user > right->user) - (left->user < right->user);
}

static void set_point(const double users[2], const double buyers[2], size_t point,
                      struct shoal_gain *gain)
{
    double all = users[0] + users[1], square = 0, difference = 0;
    for (int group = 0; group < 2; group++) {
        double share =
            buyers[group] / users[group]; /* NaN for an empty group, and so is what follows */
        difference += group == 0 ? share : -share;
        square += share * (1 - share) / users[group];
    }
    /* z of 95 %, to the digits that a plot shows */
    double half = 1.959964 * sqrt(square) * all;
    gain->extra[point] = all > 0 ? difference * all : 0;
    gain->intervals[point] =
        all > 0 ? (struct shoal_interval){difference * all - half, difference * all + half}
                : (struct shoal_interval){0, 0};
}

static void fill_gain(const struct ranked *ranked, size_t count, struct shoal_gain *gain)
{
    double users[2] = {0}, buyers[2] = {0};
    size_t at = 0;
    gain->users = count;
    for (size_t point = 0; point < SHOAL_GAIN_POINTS; point++) {
        size_t end = count * point / (SHOAL_GAIN_POINTS - 1);
        for (; at < end; at++) {
            users[ranked[at].control]++;
            buyers[ranked[at].control] += ranked[at].bought;
        }
        set_point(users, buyers, point, gain);
    }
}

/* Curves of one promotion, for each score that its offers have. `ranked`: room for all outcomes. */
static void make_gains(const struct joining *joining, uint16_t promotion, struct ranked *ranked)
{
    struct shoal_promotion_effect *effect = &joining->effects->promotions[promotion];
    for (uint16_t score = 0; score < joining->names->scores.count; score++) {
        size_t count = 0, groups[2] = {0};
        for (size_t i = 0; i < joining->outcomes_count; i++) {
            const struct outcome *outcome = &joining->outcomes[i];
            const struct shoal_offer *offer = &joining->offers->offers[outcome->offer];
            if (offer->promotion != promotion || isnan(offer->scores[score]))
                continue;
            groups[offer->control]++;
            ranked[count++] =
                (struct ranked){offer->scores[score], offer->user, outcome->bought, offer->control};
        }
        if (groups[0] < SHOAL_LIFT_UNITS_MIN || groups[1] < SHOAL_LIFT_UNITS_MIN)
            continue;
        qsort(ranked, count, sizeof *ranked, compare_ranked);
        struct shoal_gain *gain = &effect->gains[effect->gains_count++];
        gain->score = score;
        fill_gain(ranked, count, gain);
    }
}

/* ---- all ------------------------------------------------------------------------------------ */

static double control_share(const struct joining *joining, const char *name)
{
    const struct shoal_policy *policy = joining->options->policy;
    for (size_t i = 0; policy && i < policy->count; i++)
        if (strcmp(policy->promotions[i].id, name) == 0)
            return (double)policy->promotions[i].control;
    return NAN;
}

static void judge(const struct joining *joining, uint16_t promotion)
{
    struct shoal_promotion_effect *effect = &joining->effects->promotions[promotion];
    for (size_t row = 0; row < joining->rows->count; row++) {
        struct shoal_effect *one = &effect->effects[row];
        shoal_lift_shares(&one->bought[0], &one->bought[1], &one->purchases);
        shoal_lift_means(&one->spent[0], &one->spent[1], &one->sales);
    }
    effect->share = control_share(joining, joining->names->promotions.texts[promotion]);
    effect->split_p = shoal_split_p_value(effect->effects[0].bought[0].count,
                                          effect->effects[0].bought[1].count, effect->share);
}

static enum shoal_status correct(struct shoal_effects *effects)
{
    double *p_values = malloc((effects->count + 1) * sizeof *p_values);
    if (!p_values)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < effects->count; i++)
        p_values[i] = shoal_lift_used(&effects->promotions[i].effects[0].purchases)->p_value;
    shoal_holm(p_values, effects->count);
    for (size_t i = 0; i < effects->count; i++)
        effects->promotions[i].holm_p = p_values[i];
    free(p_values);
    return SHOAL_OK;
}

static enum shoal_status make_rows(struct joining *joining)
{
    struct shoal_effects *effects = joining->effects;
    size_t count = joining->names->promotions.count;
    effects->promotions = calloc(count + 1, sizeof *effects->promotions);
    if (!effects->promotions)
        return SHOAL_NOMEM;
    for (; effects->count < count; effects->count++) {
        struct shoal_promotion_effect *effect = &effects->promotions[effects->count];
        effect->promotion = (uint16_t)effects->count;
        effect->effects = calloc(joining->rows->count, sizeof *effect->effects);
        if (!effect->effects)
            return SHOAL_NOMEM;
    }
    return SHOAL_OK;
}

enum shoal_status
shoal_effects_make(const struct shoal_dataset *dataset, const struct shoal_report_names *names,
                   const struct shoal_offers *offers, const struct shoal_report_rows *rows,
                   const struct shoal_effects_options *options, struct shoal_effects *effects)
{
    *effects = (struct shoal_effects){.has_amounts = dataset->amounts != NULL};
    struct joining joining = {dataset, names, offers, rows, options, effects, NULL, 0};
    struct ranked *ranked = calloc(offers->count + 1, sizeof *ranked);
    joining.outcomes = calloc(offers->count + 1, sizeof *joining.outcomes);
    enum shoal_status status = ranked && joining.outcomes ? make_rows(&joining) : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        for (size_t i = 0; i < offers->count; i++)
            join(&joining, i);
        for (uint16_t i = 0; i < effects->count; i++) {
            judge(&joining, i);
            make_gains(&joining, i, ranked);
        }
        status = correct(effects);
    }
    free(joining.outcomes);
    free(ranked);
    return status;
}
