/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be meant in a promotions file; see policy.h.
 *
 * Refused is what contradicts itself or can never happen, so that somebody waits in vain; a warning is for
 * what has no effect, or probably another one than was wished. */
#include <stdlib.h>
#include <string.h>

#include "model/user_vector.h"
#include "stream/policy_read.h"

/* ---- levels -------------------------------------------------------------------------------- */

static bool levels_meet(const struct shoal_levels *a, const struct shoal_levels *b)
{
    bool meet = false;
    for (unsigned i = 0; i < 4; i++)
        meet = meet || (a->bits[i] & b->bits[i]);
    return meet;
}

/* Are all levels of `levels` among the `count` ones in `among`? */
static bool only(const struct shoal_levels *levels, const uint8_t *among, size_t count)
{
    struct shoal_levels left = *levels;
    for (size_t i = 0; i < count; i++)
        left.bits[0] &= ~(UINT64_C(1) << among[i]);
    return shoal_levels_any(levels) && !shoal_levels_any(&left);
}

static bool accepts_all(const struct shoal_levels *levels, enum shoal_dimension dimension)
{
    unsigned first = shoal_dimension_is_trait(dimension) ? 0 : 1;
    unsigned last = shoal_level_count(dimension);
    for (unsigned level = first; level <= last; level++) {
        if (!shoal_levels_has(levels, (uint8_t)level))
            return false;
    }
    return true;
}

static enum shoal_status check_dimension(struct shoal_policy_reading *r,
                                         const struct shoal_promotion *promotion,
                                         enum shoal_dimension d)
{
    const struct shoal_levels *accepted = &promotion->levels[d];
    const char *name = shoal_dimension_name(d);
    if (!shoal_levels_any(accepted))
        return SHOAL_OK;
    if (shoal_levels_any(&promotion->enters[d]) && !levels_meet(&promotion->enters[d], accepted))
        return shoal_policy_refuse(r, promotion->lines.enters[d],
                                   "%s: who enters it here is in no level that line %d accepts, so "
                                   "that this trigger never leads to an offer",
                                   name, promotion->lines.levels[d]);
    if (accepts_all(accepted, d))
        return shoal_policy_warn(r, promotion->lines.levels[d],
                                 "%s: every level is accepted, so that this is no condition", name);
    return SHOAL_OK;
}

/* Levels that some user may have, but not the one who could be asked about. */
static enum shoal_status check_segments(struct shoal_policy_reading *r,
                                        const struct shoal_promotion *promotion)
{
    static const uint8_t silent[] = {SHOAL_LAPSING, SHOAL_LIFECYCLE_INACTIVE}, yes[] = {SHOAL_YES};
    const struct shoal_levels *levels = promotion->levels;
    enum shoal_status status = SHOAL_OK;
    bool enters = false;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT && status == SHOAL_OK; d++) {
        enters = enters || shoal_levels_any(&promotion->enters[d]);
        status = check_dimension(r, promotion, (enum shoal_dimension)d);
    }
    if (status != SHOAL_OK)
        return status;
    if (promotion->triggers && !promotion->timers && !enters &&
        only(&levels[SHOAL_LIFECYCLE], silent, 2))
        return shoal_policy_refuse(r, promotion->lines.levels[SHOAL_LIFECYCLE],
                                   "lifecycle: nobody is lapsing or inactive at an event of their "
                                   "own; wait for a timer, or use enters: {lifecycle: ...}");
    if (only(&levels[SHOAL_FIRST_TIME_BUYER], yes, 1) && only(&levels[SHOAL_FREQUENT_BUYER], yes, 1))
        return shoal_policy_refuse(r, promotion->lines.levels[SHOAL_FIRST_TIME_BUYER],
                                   "first_time_buyer: who has bought once is no frequent_buyer "
                                   "(line %d)",
                                   promotion->lines.levels[SHOAL_FREQUENT_BUYER]);
    return SHOAL_OK;
}

/* ---- times --------------------------------------------------------------------------------- */

/* Is every minute of `inner` in `outer`? */
static bool covers(const struct shoal_hours *outer, const struct shoal_hours *inner)
{
    for (int minute = 0; minute < SHOAL_DAY_MINUTES; minute++) {
        if (shoal_hours_has(inner, minute) && !shoal_hours_has(outer, minute))
            return false;
    }
    return true;
}

/* Is every minute from valid.from to valid.until quiet? */
static bool opens_never(const struct shoal_policy *policy, const struct shoal_promotion *promotion)
{
    int64_t from = promotion->valid_from_ms, until = promotion->valid_until_ms;
    if (from == INT64_MIN || until == INT64_MAX || !shoal_hours_any(&promotion->quiet) ||
        until - from >= INT64_C(86400000))
        return false;
    for (int64_t at = from; at < until; at += 60000) {
        if (!shoal_hours_has(&promotion->quiet, shoal_policy_minute(policy, at)))
            return false;
    }
    return shoal_hours_has(&promotion->quiet, shoal_policy_minute(policy, until - 1));
}

static int line_of(const struct shoal_yaml *node, const char *key)
{
    const struct shoal_yaml *child = shoal_policy_child(node, key);
    return child ? child->line : node->line;
}

static enum shoal_status check_times(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     const struct shoal_promotion *promotion)
{
    enum shoal_status status = SHOAL_OK;
    bool bounded =
        promotion->valid_from_ms != INT64_MIN && promotion->valid_until_ms != INT64_MAX;
    int64_t window_ms = bounded ? promotion->valid_until_ms - promotion->valid_from_ms : INT64_MAX;
    if (shoal_hours_any(&promotion->usual) && covers(&promotion->quiet, &promotion->usual))
        return shoal_policy_refuse(r, line_of(node, "active_hours"),
                                   "active_hours: the quiet hours cover them entirely");
    if (opens_never(r->policy, promotion))
        return shoal_policy_refuse(r, line_of(node, "valid"),
                                   "valid: the window lies in the quiet hours entirely, so that it "
                                   "never opens");
    if (promotion->offer_ms > window_ms)
        status = shoal_policy_warn(r, line_of(node, "offer"),
                                   "offer: it would stand for longer than the promotion is valid; "
                                   "it is withdrawn when that ends");
    if (status == SHOAL_OK && promotion->limit == 1 && shoal_policy_child(node, "cooldown") &&
        promotion->cooldown_ms > 0)
        status = shoal_policy_warn(r, line_of(node, "cooldown"),
                                   "cooldown: with a limit of 1 it has no effect");
    if (status == SHOAL_OK && promotion->limit > 1 &&
        promotion->cooldown_ms > (window_ms - 1) / (promotion->limit - 1))
        status = shoal_policy_warn(r, line_of(node, "limit"),
                                   "limit: nobody reaches %u offers, since the cool-down is too "
                                   "long for the time in which the promotion is valid",
                                   promotion->limit);
    return status;
}

/* ---- items --------------------------------------------------------------------------------- */

static enum shoal_status check_items(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     const struct shoal_promotion *promotion)
{
    enum shoal_status status = SHOAL_OK;
    if (promotion->bundle_count > 0 && promotion->items > 0)
        return shoal_policy_refuse(r, promotion->lines.items,
                                   "items: a bundle (line %d) names its items itself",
                                   promotion->lines.bundle);
    if (promotion->items > 0)
        return SHOAL_OK;
    if (shoal_policy_child(node, "items_goal"))
        status = shoal_policy_warn(r, line_of(node, "items_goal"),
                                   "items_goal: without items it has no effect");
    if (status == SHOAL_OK && shoal_policy_child(node, "without_bought"))
        status = shoal_policy_warn(r, line_of(node, "without_bought"),
                                   "without_bought: without items it has no effect");
    return status;
}

enum shoal_status shoal_policy_check_one(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node,
                                         const struct shoal_promotion *promotion)
{
    enum shoal_status status = check_segments(r, promotion);
    if (status == SHOAL_OK)
        status = check_times(r, node, promotion);
    if (status == SHOAL_OK && promotion->lines.prompted && !(promotion->min_prompted > 0))
        status = shoal_policy_warn(r, promotion->lines.prompted,
                                   "prompted: without a min above 0 this is no condition");
    if (status == SHOAL_OK)
        status = check_items(r, node, promotion);
    if (status == SHOAL_OK && shoal_policy_child(node, "priority") && !promotion->group[0])
        status = shoal_policy_warn(r, line_of(node, "priority"),
                                   "priority: it matters only between the promotions of a group");
    return status;
}

enum shoal_status shoal_policy_check_all(struct shoal_policy_reading *r)
{
    const struct shoal_policy *policy = r->policy;
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < policy->count && status == SHOAL_OK; i++) {
        const struct shoal_promotion *promotion = &policy->promotions[i];
        size_t members = 0;
        for (size_t j = 0; j < policy->count; j++)
            members += strcmp(promotion->group, policy->promotions[j].group) == 0;
        if (promotion->group[0] && members == 1)
            status = shoal_policy_warn(r, promotion->lines.group,
                                       "group: '%s' has no other member, so that it excludes nothing",
                                       promotion->group);
    }
    return status;
}

/* ---- where it is used ---------------------------------------------------------------------- */

static bool has_prompted(const struct shoal_model *model)
{
    float vector[SHOAL_VECTOR_MAX] = {0};
    struct shoal_uplift_choice choice = {.prompted = 0};
    if (!model->uplift)
        return false;
    shoal_uplift_apply(model->uplift, vector, &choice);
    return choice.prompted == choice.prompted; /* NaN: it had no contacts to learn from */
}

/* Can the model put anyone into one of these levels? */
static bool is_known(const struct shoal_model *model, enum shoal_dimension dimension,
                     const struct shoal_levels *levels)
{
    if (dimension == SHOAL_VALUE)
        return model->value != NULL;
    if (dimension == SHOAL_ENGAGEMENT)
        return model->uplift != NULL;
    if (dimension != SHOAL_CLUSTER)
        return true;
    bool known = false;
    for (unsigned id = 1; model->clusters && id <= SHOAL_CLUSTER_IDS; id++)
        known = known || (shoal_levels_has(levels, (uint8_t)id) &&
                          shoal_clusters_successor(model->clusters, (uint8_t)id) == id);
    return known;
}

static enum shoal_status check_model(struct shoal_policy_reading *r,
                                     const struct shoal_promotion *promotion,
                                     const struct shoal_model *model)
{
    enum shoal_status status = SHOAL_OK;
    for (unsigned i = 0; i < SHOAL_DIMENSION_COUNT && status == SHOAL_OK; i++) {
        enum shoal_dimension d = (enum shoal_dimension)i;
        const struct shoal_levels *enters = &promotion->enters[i], *levels = &promotion->levels[i];
        if (shoal_levels_any(enters) && !is_known(model, d, enters))
            return shoal_policy_refuse(r, promotion->lines.enters[i],
                                       "%s: model %s puts nobody there, so that this trigger never "
                                       "comes; train one with that section",
                                       shoal_dimension_name(d), model->version);
        if (shoal_levels_any(levels) && !is_known(model, d, levels))
            status = shoal_policy_warn(r, promotion->lines.levels[i],
                                       "%s: model %s puts nobody there, so that nobody is eligible",
                                       shoal_dimension_name(d), model->version);
    }
    if (status == SHOAL_OK && promotion->min_prompted > 0 && !has_prompted(model))
        status = shoal_policy_warn(r, promotion->lines.prompted,
                                   "prompted: model %s cannot say who buys only if prompted, so "
                                   "that nobody is eligible",
                                   model->version);
    if (status == SHOAL_OK && promotion->items > 0 && promotion->lines.items && !model->items)
        status = shoal_policy_warn(r, promotion->lines.items,
                                   "items: model %s has no catalogue of items, so that decisions "
                                   "carry none; train one with --items auto",
                                   model->version);
    return status;
}

int shoal_policy_lacks_items(const struct shoal_policy *policy, const struct shoal_model *model)
{
    for (size_t i = 0; policy && !model->items && i < policy->count; i++) {
        if (policy->promotions[i].items > 0 && policy->promotions[i].lines.items > 0)
            return policy->promotions[i].lines.items;
    }
    return 0;
}

enum shoal_status shoal_policy_check(struct shoal_policy *policy, const char *name,
                                     int32_t partitions, const struct shoal_model *model,
                                     struct shoal_message *message)
{
    struct shoal_policy_reading r = {.name = name,
                                     .message = message,
                                     .policy = policy,
                                     .warnings_capacity = policy->warnings_count};
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < policy->count && status == SHOAL_OK; i++) {
        const struct shoal_promotion *promotion = &policy->promotions[i];
        if (promotion->budget && promotion->budget < (uint32_t)partitions)
            status = shoal_policy_warn(&r, promotion->lines.budget,
                                       "budget: %u a day are shared out to %d partitions, so that "
                                       "some have none on a day%s",
                                       promotion->budget, partitions,
                                       promotion->control > 0
                                           ? ", and the two groups of control differ more by chance"
                                           : "");
        if (status == SHOAL_OK && model)
            status = check_model(&r, promotion, model);
    }
    return status;
}
