/* SPDX-License-Identifier: Apache-2.0 */
/* What a promotion is about; see policy.h.
 *
 *     items: 3                              # next items from the model's catalogue; or none
 *     items_goal: buy                       # or any
 *     without_bought: yes
 *     bundle: ["85123A", "22423"]           # items bought together, of which the user knows one */
#include <string.h>

#include "stream/event.h"
#include "stream/policy_read.h"
#include "stream/units.h"

static bool is(const struct shoal_yaml *node, const char *text)
{
    return node->kind == SHOAL_YAML_TEXT && strcmp(node->text, text) == 0;
}

enum shoal_status shoal_policy_items(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     void *into)
{
    struct shoal_promotion *promotion = into;
    int64_t value = 0;
    bool number = node->kind == SHOAL_YAML_TEXT && shoal_integer_parse(node->text, &value);
    if (!is(node, "none") && (!number || value < 1 || value > SHOAL_OFFER_ITEMS_MAX))
        return shoal_policy_wrong(r, node, "a number of items from 1 to 20, or none");
    promotion->items = (uint8_t)value;
    promotion->lines.items = node->line;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_items_goal(struct shoal_policy_reading *r,
                                          const struct shoal_yaml *node, void *into)
{
    bool buy = is(node, "buy");
    if (!buy && !is(node, "any"))
        return shoal_policy_wrong(r, node, "buy (what the user may buy next) or any (what the user "
                                           "may turn to next)");
    ((struct shoal_promotion *)into)->items_goal = buy ? SHOAL_GOAL_BUY : SHOAL_GOAL_ANY;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_without_bought(struct shoal_policy_reading *r,
                                              const struct shoal_yaml *node, void *into)
{
    bool yes = is(node, "yes") || is(node, "true");
    if (!yes && !is(node, "no") && !is(node, "false"))
        return shoal_policy_wrong(r, node, "yes or no");
    ((struct shoal_promotion *)into)->without_bought = yes;
    return SHOAL_OK;
}

static enum shoal_status read_item(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                   struct shoal_promotion *promotion)
{
    size_t size = node->kind == SHOAL_YAML_TEXT ? strlen(node->text) : 0;
    if (size < 1 || size > SHOAL_ITEM_ID_MAX)
        return shoal_policy_wrong(r, node, "the id of an item, 1 to 64 bytes");
    uint32_t hash = shoal_item_hash(node->text, size);
    for (size_t i = 0; i < promotion->bundle_count; i++) {
        if (promotion->bundle[i].hash == hash)
            return shoal_policy_refuse(r, node->line, "bundle: '%s' stands here twice", node->text);
    }
    if (promotion->bundle_count == SHOAL_BUNDLE_ITEMS_MAX)
        return shoal_policy_refuse(r, node->line, "bundle: at most %d items",
                                   SHOAL_BUNDLE_ITEMS_MAX);
    struct shoal_bundle_item *item = &promotion->bundle[promotion->bundle_count++];
    memcpy(item->id, node->text, size + 1);
    item->hash = hash;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_bundle(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                      void *into)
{
    struct shoal_promotion *promotion = into;
    enum shoal_status status = SHOAL_OK;
    promotion->lines.bundle = node->line;
    if (node->kind != SHOAL_YAML_LIST)
        return shoal_policy_wrong(r, node, "a list of items, for example [\"85123A\", \"22423\"]");
    for (const struct shoal_yaml *item = node->first; item && status == SHOAL_OK; item = item->next)
        status = read_item(r, item, promotion);
    if (status == SHOAL_OK && promotion->bundle_count < 2)
        return shoal_policy_refuse(r, node->line, "bundle: at least two items are needed");
    return status;
}
