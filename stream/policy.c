/* SPDX-License-Identifier: Apache-2.0 */
/* Promotions from YAML; see policy.h.
 *
 *   promotions:
 *     - id: checkout-reminder
 *       triggers: [cart]                     # none: every event
 *       segments: {intent: [warm, hot]}      # none: any level
 *       score: {min: 0.2, max: 0.9}
 *       cooldown: 1d
 *       limit: 3                             # offers a user
 *       valid: {from: 2025-03-01T00:00:00Z, until: 2025-04-01T00:00:00Z}   # event time, half open
 *       offer: 30m                           # how long an offer stands
 *       control: 10%
 *
 * Each map of the file has its table of keys below; a key's function reads its value. */
#include "stream/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/event.h"
#include "stream/nearest.h"
#include "stream/units.h"
#include "stream/yaml_tree.h"

static const int64_t OFFER_DEFAULT_MS = INT64_C(3600) * 1000;
static const int64_t OFFER_MOST_MS = INT64_C(86400) * 1000 * 3650;
static const float CONTROL_DEFAULT = 0.1f;

struct reading {
    const char *name; /* of the file, for messages */
    struct shoal_message *message;
    struct shoal_policy *policy;
};

struct key {
    const char *name;
    enum shoal_status (*read)(struct reading *r, const struct shoal_yaml *node, void *into);
};

static enum shoal_status wrong(struct reading *r, const struct shoal_yaml *node,
                               const char *expected)
{
    if (node->kind == SHOAL_YAML_TEXT)
        return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: %s%s'%s' is not %s", r->name,
                          node->line, node->key ? node->key : "", node->key ? ": " : "", node->text,
                          expected);
    return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: %s%s%s is expected, not %s", r->name,
                      node->line, node->key ? node->key : "", node->key ? ": " : "", expected,
                      shoal_yaml_kind_name(node->kind));
}

static enum shoal_status unknown(struct reading *r, int line, const char *what, const char *name,
                                 const struct shoal_nearest *nearest)
{
    if (nearest->best)
        return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: unknown %s '%s' (did you mean '%s'?)",
                          r->name, line, what, name, nearest->best);
    return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: unknown %s '%s'", r->name, line, what,
                      name);
}

/* Reads a map key by key through a table that ends with a NULL name. */
static enum shoal_status read_map(struct reading *r, const struct shoal_yaml *map,
                                  const struct key *keys, void *into)
{
    if (map->kind != SHOAL_YAML_MAP)
        return wrong(r, map, "a map of keys and values");
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        const struct key *key = keys;
        while (key->name && strcmp(key->name, node->key) != 0)
            key++;
        if (!key->name) {
            struct shoal_nearest nearest;
            shoal_nearest_init(&nearest, node->key);
            for (key = keys; key->name; key++)
                shoal_nearest_feed(&nearest, key->name);
            return unknown(r, node->line, "key", node->key, &nearest);
        }
        enum shoal_status status = key->read(r, node, into);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

/* Adds `number_of(text)` for each text of a list; a single text is a list of one. */
static enum shoal_status read_names(struct reading *r, const struct shoal_yaml *node,
                                    int (*number_of)(const char *text, int which),
                                    const char *(*name_of)(int number, int which), int which,
                                    const char *what, struct shoal_levels *numbers)
{
    if (node->kind == SHOAL_YAML_MAP || (node->kind == SHOAL_YAML_LIST && !node->first))
        return wrong(r, node, "a list of one or more names");
    const struct shoal_yaml *item = node->kind == SHOAL_YAML_LIST ? node->first : node;
    for (; item; item = node->kind == SHOAL_YAML_LIST ? item->next : NULL) {
        if (item->kind != SHOAL_YAML_TEXT)
            return wrong(r, item, "a name");
        int number = number_of(item->text, which);
        if (number < 0) {
            struct shoal_nearest nearest;
            shoal_nearest_init(&nearest, item->text);
            for (int i = 0; i <= SHOAL_LEVELS_MAX; i++)
                if (name_of(i, which))
                    shoal_nearest_feed(&nearest, name_of(i, which));
            return unknown(r, item->line, what, item->text, &nearest);
        }
        shoal_levels_add(numbers, (uint8_t)number);
    }
    return SHOAL_OK;
}

/* ---- one promotion's values ---------------------------------------------------------------- */

static enum shoal_status read_id(struct reading *r, const struct shoal_yaml *node, void *into)
{
    struct shoal_promotion *promotion = into;
    if (node->kind != SHOAL_YAML_TEXT)
        return wrong(r, node, "a name of 1 to 64 bytes");
    size_t size = strlen(node->text);
    bool fits = size >= 1 && size < sizeof promotion->id;
    for (size_t i = 0; i < size && fits; i++)
        fits = (unsigned char)node->text[i] >= 0x20 && node->text[i] != 0x7f;
    if (!fits)
        return wrong(r, node, "a name of 1 to 64 bytes without control characters");
    memcpy(promotion->id, node->text, size + 1);
    promotion->hash = shoal_promotion_hash(node->text, size);
    return SHOAL_OK;
}

static int behavior_number(const char *text, int which)
{
    enum shoal_behavior behavior;
    return shoal_behavior_parse(text, strlen(text), &behavior) ? (int)behavior : -1;
}

static const char *behavior_name(int number, int which)
{
    return number < SHOAL_BEHAVIOR_COUNT ? shoal_behavior_name((enum shoal_behavior)number) : NULL;
}

static enum shoal_status read_triggers(struct reading *r, const struct shoal_yaml *node, void *into)
{
    struct shoal_promotion *promotion = into;
    if (node->kind == SHOAL_YAML_LIST && !node->first)
        return SHOAL_OK; /* written out: no triggers */
    struct shoal_levels numbers = {0};
    enum shoal_status status =
        read_names(r, node, behavior_number, behavior_name, 0, "behaviour", &numbers);
    promotion->triggers = (uint32_t)numbers.bits[0];
    return status;
}

static const char *level_name(int number, int dimension)
{
    return shoal_level_name((enum shoal_dimension)dimension, (uint8_t)number);
}

static int level_number(const char *text, int dimension)
{
    for (int i = 1; i <= SHOAL_LEVELS_MAX; i++) {
        if (level_name(i, dimension) && strcmp(level_name(i, dimension), text) == 0)
            return i;
    }
    return -1;
}

static enum shoal_status read_segments(struct reading *r, const struct shoal_yaml *map, void *into)
{
    struct shoal_promotion *promotion = into;
    if (map->kind != SHOAL_YAML_MAP)
        return wrong(r, map, "a map of dimensions and levels");
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        struct shoal_nearest nearest;
        shoal_nearest_init(&nearest, node->key);
        int found = -1;
        for (int i = 0; i < SHOAL_DIMENSION_COUNT; i++) {
            const char *name = shoal_dimension_name((enum shoal_dimension)i);
            shoal_nearest_feed(&nearest, name);
            if (strcmp(name, node->key) == 0)
                found = i;
        }
        if (found < 0)
            return unknown(r, node->line, "segment dimension", node->key, &nearest);
        enum shoal_status status =
            read_names(r, node, level_number, level_name, found, "level", &promotion->levels[found]);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

static enum shoal_status read_score(struct reading *r, const struct shoal_yaml *node, float *score)
{
    double value;
    if (node->kind != SHOAL_YAML_TEXT || !shoal_real_parse(node->text, &value) || value < 0 ||
        value > 1)
        return wrong(r, node, "a probability from 0 to 1, for example 0.25");
    *score = (float)value;
    return SHOAL_OK;
}

static enum shoal_status read_score_min(struct reading *r, const struct shoal_yaml *node,
                                        void *into)
{
    return read_score(r, node, &((struct shoal_promotion *)into)->min_score);
}

static enum shoal_status read_score_max(struct reading *r, const struct shoal_yaml *node,
                                        void *into)
{
    return read_score(r, node, &((struct shoal_promotion *)into)->max_score);
}

static enum shoal_status read_scores(struct reading *r, const struct shoal_yaml *node, void *into)
{
    static const struct key keys[] = {{"min", read_score_min}, {"max", read_score_max}, {0}};
    const struct shoal_promotion *promotion = into;
    enum shoal_status status = read_map(r, node, keys, into);
    if (status == SHOAL_OK && promotion->min_score > promotion->max_score)
        return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: score: min is above max", r->name,
                          node->line);
    return status;
}

static enum shoal_status read_duration(struct reading *r, const struct shoal_yaml *node,
                                       int64_t least_ms, int64_t *duration_ms)
{
    if (node->kind != SHOAL_YAML_TEXT || !shoal_duration_parse(node->text, duration_ms))
        return wrong(r, node, "a duration with its unit, for example 30m, 2h or 1d");
    if (*duration_ms < least_ms || *duration_ms > OFFER_MOST_MS)
        return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: %s: %s is out of range: %s to 3650d",
                          r->name, node->line, node->key, node->text, least_ms ? "1s" : "0");
    return SHOAL_OK;
}

static enum shoal_status read_cooldown(struct reading *r, const struct shoal_yaml *node, void *into)
{
    return read_duration(r, node, 0, &((struct shoal_promotion *)into)->cooldown_ms);
}

static enum shoal_status read_offer(struct reading *r, const struct shoal_yaml *node, void *into)
{
    return read_duration(r, node, 1000, &((struct shoal_promotion *)into)->offer_ms);
}

static enum shoal_status read_limit(struct reading *r, const struct shoal_yaml *node, void *into)
{
    int64_t value;
    if (node->kind != SHOAL_YAML_TEXT || !shoal_integer_parse(node->text, &value) || value < 0 ||
        value >= UINT16_MAX)
        return wrong(r, node, "a number of offers from 0 (no limit) to 65534");
    ((struct shoal_promotion *)into)->limit = (uint16_t)value;
    return SHOAL_OK;
}

static enum shoal_status read_time(struct reading *r, const struct shoal_yaml *node,
                                   int64_t *time_ms)
{
    if (node->kind != SHOAL_YAML_TEXT || !shoal_time_parse(node->text, strlen(node->text), time_ms))
        return wrong(r, node, "a time, for example 2025-03-01T00:00:00Z");
    return SHOAL_OK;
}

static enum shoal_status read_from(struct reading *r, const struct shoal_yaml *node, void *into)
{
    return read_time(r, node, &((struct shoal_promotion *)into)->valid_from_ms);
}

static enum shoal_status read_until(struct reading *r, const struct shoal_yaml *node, void *into)
{
    return read_time(r, node, &((struct shoal_promotion *)into)->valid_until_ms);
}

static enum shoal_status read_valid(struct reading *r, const struct shoal_yaml *node, void *into)
{
    static const struct key keys[] = {{"from", read_from}, {"until", read_until}, {0}};
    const struct shoal_promotion *promotion = into;
    enum shoal_status status = read_map(r, node, keys, into);
    if (status == SHOAL_OK && promotion->valid_from_ms >= promotion->valid_until_ms)
        return shoal_fail(r->message, SHOAL_CONFIG,
                          "%s:%d: valid: the window is empty, 'from' must be before 'until'",
                          r->name, node->line);
    return status;
}

static enum shoal_status read_control(struct reading *r, const struct shoal_yaml *node, void *into)
{
    double share;
    if (node->kind != SHOAL_YAML_TEXT || !shoal_share_parse(node->text, &share) || share < 0 ||
        share > 0.5)
        return wrong(r, node, "a share of users from 0% to 50%, for example 10% or 0.1");
    ((struct shoal_promotion *)into)->control = (float)share;
    return SHOAL_OK;
}

/* ---- the file ------------------------------------------------------------------------------ */

static enum shoal_status check_unique(struct reading *r, const struct shoal_promotion *promotion,
                                      int line)
{
    for (size_t i = 0; i < r->policy->count; i++) {
        const struct shoal_promotion *other = &r->policy->promotions[i];
        if (strcmp(other->id, promotion->id) == 0)
            return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: promotion '%s' stands here twice",
                              r->name, line, promotion->id);
        /* Records know promotions by their hash: two with one hash would share their history. */
        if (other->hash == promotion->hash)
            return shoal_fail(r->message, SHOAL_CONFIG,
                              "%s:%d: promotions '%s' and '%s' have the same hash; rename one",
                              r->name, line, other->id, promotion->id);
    }
    return SHOAL_OK;
}

static enum shoal_status read_promotion(struct reading *r, const struct shoal_yaml *node)
{
    static const struct key keys[] = {
        {"id", read_id},
        {"triggers", read_triggers},
        {"segments", read_segments},
        {"score", read_scores},
        {"cooldown", read_cooldown},
        {"limit", read_limit},
        {"valid", read_valid},
        {"offer", read_offer},
        {"control", read_control},
        {0},
    };
    struct shoal_promotion promotion = {
        .max_score = 1,
        .valid_from_ms = INT64_MIN,
        .valid_until_ms = INT64_MAX,
        .offer_ms = OFFER_DEFAULT_MS,
        .control = CONTROL_DEFAULT,
    };
    enum shoal_status status = read_map(r, node, keys, &promotion);
    if (status != SHOAL_OK)
        return status;
    if (!promotion.id[0])
        return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: a promotion needs an id", r->name,
                          node->line);
    status = check_unique(r, &promotion, node->line);
    if (status == SHOAL_OK)
        r->policy->promotions[r->policy->count++] = promotion;
    return status;
}

static enum shoal_status read_promotions(struct reading *r, const struct shoal_yaml *list,
                                         void *into)
{
    /* "promotions:" with nothing below it */
    if (list->kind == SHOAL_YAML_TEXT && !list->text[0])
        return SHOAL_OK;
    if (list->kind != SHOAL_YAML_LIST)
        return wrong(r, list, "a list of promotions");
    if (list->count > SHOAL_GRANTS_MAX)
        return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: %zu promotions, at most %d can be kept",
                          r->name, list->line, list->count, SHOAL_GRANTS_MAX);
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

enum shoal_status shoal_policy_parse(const char *yaml, size_t size, const char *name,
                                     struct shoal_policy **policy, struct shoal_message *message)
{
    static const struct key keys[] = {{"promotions", read_promotions}, {0}};
    *policy = NULL;
    struct shoal_policy *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    struct shoal_arena arena;
    shoal_arena_init(&arena, 16384);
    struct reading reading = {.name = name, .message = message, .policy = made};
    const struct shoal_yaml *root;
    enum shoal_status status = shoal_yaml_parse(yaml, size, name, &arena, &root, message);
    if (status == SHOAL_OK)
        status = read_map(&reading, root, keys, NULL);
    shoal_arena_finish(&arena);
    if (status != SHOAL_OK) {
        shoal_policy_destroy(made);
        return status;
    }
    snprintf(made->version, sizeof made->version, "%016llx",
             (unsigned long long)shoal_hash(yaml, size));
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
    free(policy);
}
