/* SPDX-License-Identifier: Apache-2.0 */
/* What a promotion asks of the user; see policy.h.
 *
 *     triggers: [cart, cart_idle]           # behaviours and timers
 *     enters: {lifecycle: [lapsing], night_active: yes}
 *     segments: {intent: [warm, hot], price_sensitive: no}
 *     score: {min: 0.2, max: 0.9}
 *     prompted: {min: 0.3}
 *     requires: [marketing] */
#include <string.h>

#include "stream/consent.h"
#include "stream/event.h"
#include "stream/nearest.h"
#include "stream/policy_read.h"
#include "stream/units.h"

/* ---- triggers ------------------------------------------------------------------------------ */

/* Behaviours have the numbers from 0, timers those behind them. */
static int trigger_number(const char *text, int which)
{
    enum shoal_behavior behavior;
    for (int i = 0; i < SHOAL_TIMER_COUNT; i++) {
        if (strcmp(shoal_timer_name((enum shoal_timer)i), text) == 0)
            return SHOAL_BEHAVIOR_COUNT + i;
    }
    return shoal_behavior_parse(text, strlen(text), &behavior) ? (int)behavior : -1;
}

static const char *trigger_name(int number, int which)
{
    if (number < SHOAL_BEHAVIOR_COUNT)
        return shoal_behavior_name((enum shoal_behavior)number);
    if (number < SHOAL_BEHAVIOR_COUNT + SHOAL_TIMER_COUNT)
        return shoal_timer_name((enum shoal_timer)(number - SHOAL_BEHAVIOR_COUNT));
    return NULL;
}

enum shoal_status shoal_policy_triggers(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    static const struct shoal_policy_names names = {"behaviour or timer", trigger_number,
                                                    trigger_name};
    struct shoal_promotion *promotion = into;
    struct shoal_levels numbers = {0};
    promotion->triggers = promotion->timers = 0;
    if (node->kind == SHOAL_YAML_LIST && !node->first)
        return SHOAL_OK; /* written out: no triggers */
    enum shoal_status status = shoal_policy_list(r, node, &names, 0, &numbers);
    promotion->triggers = (uint32_t)numbers.bits[0] & ((1u << SHOAL_BEHAVIOR_COUNT) - 1);
    promotion->timers = (uint32_t)(numbers.bits[0] >> SHOAL_BEHAVIOR_COUNT);
    return status;
}

bool shoal_policy_is_asked(const struct shoal_promotion *promotion)
{
    bool asked = promotion->triggers || promotion->timers;
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        asked = asked || shoal_levels_any(&promotion->enters[d]);
    return asked;
}

/* ---- levels -------------------------------------------------------------------------------- */

/* Of a trait, level 0 is "no": not in it. */
static const char *level_name(int number, int dimension)
{
    enum shoal_dimension d = (enum shoal_dimension)dimension;
    if (number == 0)
        return shoal_dimension_is_trait(d) ? "no" : NULL;
    return shoal_level_name(d, (uint8_t)number);
}

static int level_number(const char *text, int dimension)
{
    for (int i = 0; i <= SHOAL_LEVELS_MAX; i++) {
        if (level_name(i, dimension) && strcmp(level_name(i, dimension), text) == 0)
            return i;
    }
    return -1;
}

static int find_dimension(const char *name, struct shoal_nearest *nearest)
{
    int found = -1;
    shoal_nearest_init(nearest, name);
    for (int i = 0; i < SHOAL_DIMENSION_COUNT; i++) {
        const char *known = shoal_dimension_name((enum shoal_dimension)i);
        shoal_nearest_feed(nearest, known);
        if (strcmp(known, name) == 0)
            found = i;
    }
    return found;
}

static enum shoal_status read_levels(struct shoal_policy_reading *r, const struct shoal_yaml *map,
                                     struct shoal_levels *levels, int *lines)
{
    static const struct shoal_policy_names names = {"level", level_number, level_name};
    if (map->kind != SHOAL_YAML_MAP)
        return shoal_policy_wrong(r, map, "a map of dimensions and levels");
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        struct shoal_nearest nearest;
        int found = find_dimension(node->key, &nearest);
        if (found < 0)
            return shoal_policy_refuse(r, node->line, "unknown segment dimension '%s'%s%s%s",
                                       node->key, nearest.best ? " (did you mean '" : "",
                                       nearest.best ? nearest.best : "", nearest.best ? "'?)" : "");
        lines[found] = node->line;
        enum shoal_status status = shoal_policy_list(r, node, &names, found, &levels[found]);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_policy_enters(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                      void *into)
{
    struct shoal_promotion *promotion = into;
    return read_levels(r, node, promotion->enters, promotion->lines.enters);
}

enum shoal_status shoal_policy_segments(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    struct shoal_promotion *promotion = into;
    return read_levels(r, node, promotion->levels, promotion->lines.levels);
}

/* ---- probabilities ------------------------------------------------------------------------- */

static enum shoal_status read_probability(struct shoal_policy_reading *r,
                                          const struct shoal_yaml *node, float *probability)
{
    double value;
    if (node->kind != SHOAL_YAML_TEXT || !shoal_real_parse(node->text, &value) || value < 0 ||
        value > 1)
        return shoal_policy_wrong(r, node, "a probability from 0 to 1, for example 0.25");
    *probability = (float)value;
    return SHOAL_OK;
}

static enum shoal_status read_score_min(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    return read_probability(r, node, &((struct shoal_promotion *)into)->min_score);
}

static enum shoal_status read_score_max(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    return read_probability(r, node, &((struct shoal_promotion *)into)->max_score);
}

enum shoal_status shoal_policy_score(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     void *into)
{
    static const struct shoal_policy_key keys[] = {
        {"min", read_score_min}, {"max", read_score_max}, {0}};
    const struct shoal_promotion *promotion = into;
    enum shoal_status status = shoal_policy_map(r, node, keys, into);
    if (status == SHOAL_OK && promotion->min_score > promotion->max_score)
        return shoal_policy_refuse(r, node->line, "score: min is above max");
    return status;
}

static enum shoal_status read_prompted_min(struct shoal_policy_reading *r,
                                           const struct shoal_yaml *node, void *into)
{
    return read_probability(r, node, &((struct shoal_promotion *)into)->min_prompted);
}

enum shoal_status shoal_policy_prompted(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    static const struct shoal_policy_key keys[] = {{"min", read_prompted_min}, {0}};
    struct shoal_promotion *promotion = into;
    promotion->lines.prompted = node->line;
    return shoal_policy_map(r, node, keys, into);
}

/* ---- consent ------------------------------------------------------------------------------- */

static int consent_number(const char *text, int which)
{
    unsigned bit = shoal_consent_of(text);
    return bit ? __builtin_ctz(bit) : -1;
}

static const char *consent_name(int number, int which)
{
    return number < SHOAL_CONSENT_KNOWN_SHIFT ? shoal_consent_name(1u << number) : NULL;
}

enum shoal_status shoal_policy_requires(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    static const struct shoal_policy_names names = {"consent", consent_number, consent_name};
    struct shoal_promotion *promotion = into;
    struct shoal_levels numbers = {0};
    enum shoal_status status = shoal_policy_list(r, node, &names, 0, &numbers);
    promotion->consents = (uint8_t)numbers.bits[0];
    return status;
}
