/* SPDX-License-Identifier: Apache-2.0 */
/* A promotions file as a policy; see policy.h. */
#include "stream/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/policy_read.h"
#include "stream/segments.h"

_Static_assert(SHOAL_GRANTS_MAX <= 32, "sets of promotions are bits of a uint32_t");

/* ---- a promotion --------------------------------------------------------------------------- */

static enum shoal_status check_unique(struct shoal_policy_reading *r,
                                      const struct shoal_promotion *promotion, int line)
{
    for (size_t i = 0; i < r->policy->count; i++) {
        const struct shoal_promotion *other = &r->policy->promotions[i];
        if (strcmp(other->id, promotion->id) == 0)
            return shoal_policy_refuse(r, line, "promotion '%s' stands here twice", promotion->id);
        /* Records know promotions by their hash: two with one hash would share their history. */
        if (other->hash == promotion->hash)
            return shoal_policy_refuse(r, line,
                                       "promotions '%s' and '%s' have the same hash; rename one",
                                       other->id, promotion->id);
    }
    return SHOAL_OK;
}

/* The kind comes first, since it is what the other keys replace the defaults of. A promotion that says
 * itself what it waits for has none of its kind's triggers. */
static enum shoal_status begin_promotion(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node,
                                         struct shoal_promotion *promotion)
{
    const struct shoal_yaml *kind = shoal_policy_child(node, "kind");
    shoal_policy_begin(promotion, SHOAL_KIND_RECOMMENDATION);
    enum shoal_status status = kind ? shoal_policy_kind(r, kind, promotion) : SHOAL_OK;
    if (status != SHOAL_OK)
        return status;
    shoal_policy_begin(promotion, promotion->kind);
    promotion->lines.promotion = node->line;
    promotion->quiet = r->quiet;
    if (promotion->kind == SHOAL_KIND_RECOMMENDATION && !shoal_policy_child(node, "bundle"))
        promotion->items = SHOAL_OFFER_ITEMS;
    if (shoal_policy_child(node, "triggers") || shoal_policy_child(node, "enters"))
        promotion->triggers = promotion->timers = 0;
    return SHOAL_OK;
}

static enum shoal_status read_promotion(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node)
{
    static const struct shoal_policy_key keys[] = {
        {"id", shoal_policy_id},
        {"kind", shoal_policy_kind},
        {"triggers", shoal_policy_triggers},
        {"enters", shoal_policy_enters},
        {"segments", shoal_policy_segments},
        {"score", shoal_policy_score},
        {"prompted", shoal_policy_prompted},
        {"requires", shoal_policy_requires},
        {"cooldown", shoal_policy_cooldown},
        {"limit", shoal_policy_limit},
        {"budget", shoal_policy_budget},
        {"priority", shoal_policy_priority},
        {"group", shoal_policy_group},
        {"quiet", shoal_policy_quiet_own},
        {"active_hours", shoal_policy_active_hours},
        {"valid", shoal_policy_valid},
        {"offer", shoal_policy_offer},
        {"control", shoal_policy_control},
        {"items", shoal_policy_items},
        {"items_goal", shoal_policy_items_goal},
        {"without_bought", shoal_policy_without_bought},
        {"bundle", shoal_policy_bundle},
        {0},
    };
    struct shoal_promotion promotion;
    enum shoal_status status = begin_promotion(r, node, &promotion);
    if (status == SHOAL_OK)
        status = shoal_policy_map(r, node, keys, &promotion);
    if (status != SHOAL_OK)
        return status;
    if (!promotion.id[0])
        return shoal_policy_refuse(r, node->line, "a promotion needs an id");
    status = check_unique(r, &promotion, node->line);
    if (status == SHOAL_OK)
        status = shoal_policy_check_one(r, node, &promotion);
    if (status == SHOAL_OK)
        r->policy->promotions[r->policy->count++] = promotion;
    return status;
}

static enum shoal_status read_promotions(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *list)
{
    /* "promotions:" with nothing below it */
    if (list->kind == SHOAL_YAML_TEXT && !list->text[0])
        return SHOAL_OK;
    if (list->kind != SHOAL_YAML_LIST)
        return shoal_policy_wrong(r, list, "a list of promotions");
    if (list->count > SHOAL_GRANTS_MAX)
        return shoal_policy_refuse(r, list->line, "%zu promotions, at most %d can be kept",
                                   list->count, SHOAL_GRANTS_MAX);
    if (list->count == 0)
        return SHOAL_OK;
    r->policy->promotions = calloc(list->count, sizeof *r->policy->promotions);
    if (!r->policy->promotions)
        return SHOAL_NOMEM;
    enum shoal_status status = SHOAL_OK;
    for (const struct shoal_yaml *item = list->first; item && status == SHOAL_OK; item = item->next)
        status = read_promotion(r, item);
    return status;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Read last, wherever it stands: the other keys apply to every promotion. */
static enum shoal_status leave_for_later(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node, void *into)
{
    *(const struct shoal_yaml **)into = node;
    return SHOAL_OK;
}

static enum shoal_status read_file(struct shoal_policy_reading *r, const struct shoal_yaml *root)
{
    static const struct shoal_policy_key keys[] = {{"timezone", shoal_policy_timezone},
                                                   {"quiet", shoal_policy_quiet_all},
                                                   {"promotions", leave_for_later},
                                                   {0}};
    const struct shoal_yaml *promotions = NULL;
    enum shoal_status status = shoal_policy_map(r, root, keys, (void *)&promotions);
    const struct shoal_yaml *quiet = shoal_policy_child(root, "quiet");
    if (status == SHOAL_OK && quiet && shoal_hours_any(&r->quiet) &&
        !shoal_policy_child(root, "timezone"))
        status = shoal_policy_warn(r, quiet->line,
                                   "quiet: there is no timezone, so that these hours are UTC");
    if (status == SHOAL_OK && promotions)
        status = read_promotions(r, promotions);
    return status == SHOAL_OK ? shoal_policy_check_all(r) : status;
}

enum shoal_status shoal_policy_parse(const char *yaml, size_t size, const char *name,
                                     struct shoal_policy **policy, struct shoal_message *message)
{
    *policy = NULL;
    struct shoal_policy *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    struct shoal_arena arena;
    shoal_arena_init(&arena, 16384);
    struct shoal_policy_reading reading = {.name = name, .message = message, .policy = made};
    const struct shoal_yaml *root;
    enum shoal_status status = shoal_yaml_parse(yaml, size, name, &arena, &root, message);
    if (status == SHOAL_OK)
        status = read_file(&reading, root);
    shoal_arena_finish(&arena);
    if (status != SHOAL_OK) {
        shoal_policy_destroy(made);
        return status;
    }
    made->id = shoal_hash(yaml, size);
    snprintf(made->version, sizeof made->version, "%016llx", (unsigned long long)made->id);
    shoal_policy_settle(made);
    *policy = made;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_load(const char *path, struct shoal_policy **policy,
                                    struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    *policy = NULL;
    enum shoal_status status = shoal_yaml_slurp(path, &bytes, message);
    if (status == SHOAL_OK)
        status = shoal_policy_parse((const char *)bytes.bytes, bytes.size, path, policy, message);
    shoal_buffer_finish(&bytes);
    return status;
}

void shoal_policy_destroy(struct shoal_policy *policy)
{
    if (!policy)
        return;
    free(policy->promotions);
    free(policy->warnings);
    free(policy);
}

/* ---- what follows -------------------------------------------------------------------------- */

static void settle_triggers(struct shoal_policy *policy, size_t i)
{
    const struct shoal_promotion *promotion = &policy->promotions[i];
    uint32_t bit = UINT32_C(1) << i;
    for (unsigned b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        policy->by_behavior[b] |= promotion->triggers >> b & 1 ? bit : 0;
    for (unsigned t = 0; t < SHOAL_TIMER_COUNT; t++)
        policy->by_timer[t] |= promotion->timers >> t & 1 ? bit : 0;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        policy->by_entry[d] |= shoal_levels_any(&promotion->enters[d]) ? bit : 0;
    if (!shoal_policy_is_asked(promotion))
        policy->always |= bit;
}

/* By insertion, which keeps the file's order among equals. */
static void settle_order(struct shoal_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++) {
        size_t at = i;
        for (; at > 0 && policy->promotions[policy->order[at - 1]].priority <
                             policy->promotions[i].priority;
             at--)
            policy->order[at] = policy->order[at - 1];
        policy->order[at] = (uint8_t)i;
    }
}

/* May an event of behaviour `kind`, or with the last kind something that falls due, ask for the promotion? */
static bool may_ask(const struct shoal_promotion *promotion, unsigned kind)
{
    bool timer = kind == SHOAL_BEHAVIOR_COUNT;
    if (!shoal_policy_is_asked(promotion) || (!timer && promotion->triggers >> kind & 1) ||
        (timer && promotion->timers))
        return true;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        enum shoal_dimension dimension = (enum shoal_dimension)d;
        for (unsigned level = 0; level <= shoal_level_count(dimension); level++)
            if (shoal_levels_has(&promotion->enters[d], (uint8_t)level) &&
                shoal_segments_may_enter(dimension, (uint8_t)level, timer,
                                         (enum shoal_behavior)(timer ? 0 : kind)))
                return true;
    }
    return false;
}

void shoal_policy_settle(struct shoal_policy *policy)
{
    policy->wants_prompted = policy->has_budgets = false;
    policy->items_most = 0;
    policy->always = 0;
    memset(policy->by_behavior, 0, sizeof policy->by_behavior);
    memset(policy->by_timer, 0, sizeof policy->by_timer);
    memset(policy->by_entry, 0, sizeof policy->by_entry);
    memset(policy->peers, 0, sizeof policy->peers);
    memset(policy->spent_at, 0, sizeof policy->spent_at);
    settle_order(policy);
    for (size_t i = 0; i < policy->count; i++) {
        const struct shoal_promotion *promotion = &policy->promotions[i];
        settle_triggers(policy, i);
        policy->wants_prompted = policy->wants_prompted || promotion->min_prompted > 0;
        policy->has_budgets = policy->has_budgets || promotion->budget > 0;
        if (promotion->items > policy->items_most)
            policy->items_most = promotion->items;
        for (unsigned kind = 0; kind <= SHOAL_BEHAVIOR_COUNT; kind++)
            if (promotion->budget > 0 && may_ask(promotion, kind))
                policy->spent_at[kind] |= UINT32_C(1) << i;
        for (size_t j = 0; j < policy->count; j++) {
            if (j != i && promotion->group[0] &&
                strcmp(promotion->group, policy->promotions[j].group) == 0)
                policy->peers[i] |= UINT32_C(1) << j;
        }
    }
}
