/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of an offer; see policy.h.
 *
 *     id: checkout-reminder
 *     kind: checkout_reminder
 *     limit: 3                              # offers a user
 *     budget: 1000                          # offers a day, to all users
 *     priority: 10
 *     group: discounts                      # promotions that exclude each other
 *     control: 10% */
#include <string.h>

#include "stream/event.h"
#include "stream/nearest.h"
#include "stream/policy_read.h"
#include "stream/units.h"

static const float CONTROL_DEFAULT = 0.1f;

enum { PRIORITY_MOST = 1000000, BUDGET_MOST = 1000000000 };

/* 1 to 64 bytes without control characters, with its zero byte into text[65]. */
static enum shoal_status read_name(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                   char text[65])
{
    if (node->kind != SHOAL_YAML_TEXT)
        return shoal_policy_wrong(r, node, "a name of 1 to 64 bytes");
    size_t size = strlen(node->text);
    bool fits = size >= 1 && size <= 64;
    for (size_t i = 0; i < size && fits; i++)
        fits = (unsigned char)node->text[i] >= 0x20 && node->text[i] != 0x7f;
    if (!fits)
        return shoal_policy_wrong(r, node, "a name of 1 to 64 bytes without control characters");
    memcpy(text, node->text, size + 1);
    return SHOAL_OK;
}

enum shoal_status shoal_policy_id(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                  void *into)
{
    struct shoal_promotion *promotion = into;
    enum shoal_status status = read_name(r, node, promotion->id);
    if (status == SHOAL_OK)
        promotion->hash = shoal_promotion_hash(promotion->id, strlen(promotion->id));
    return status;
}

enum shoal_status shoal_policy_group(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     void *into)
{
    struct shoal_promotion *promotion = into;
    promotion->lines.group = node->line;
    return read_name(r, node, promotion->group);
}

enum shoal_status shoal_policy_kind(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    void *into)
{
    struct shoal_nearest nearest;
    if (node->kind != SHOAL_YAML_TEXT)
        return shoal_policy_wrong(r, node, "a kind of promotion");
    shoal_nearest_init(&nearest, node->text);
    for (int i = 0; i < SHOAL_KIND_COUNT; i++) {
        const char *name = shoal_kind_info((enum shoal_kind)i)->name;
        shoal_nearest_feed(&nearest, name);
        if (strcmp(name, node->text) != 0)
            continue;
        ((struct shoal_promotion *)into)->kind = (enum shoal_kind)i;
        return SHOAL_OK;
    }
    return shoal_policy_refuse(r, node->line, "unknown kind '%s'%s%s%s", node->text,
                               nearest.best ? " (did you mean '" : "",
                               nearest.best ? nearest.best : "", nearest.best ? "'?)" : "");
}

void shoal_policy_begin(struct shoal_promotion *promotion, enum shoal_kind kind)
{
    const struct shoal_kind_info *info = shoal_kind_info(kind);
    *promotion = (struct shoal_promotion){
        .kind = kind,
        .triggers = info->triggers,
        .timers = info->timers,
        .max_score = 1,
        .valid_from_ms = INT64_MIN,
        .valid_until_ms = INT64_MAX,
        .control = CONTROL_DEFAULT,
    };
    /* they are ours, and can be read */
    (void)shoal_duration_parse(info->offer, &promotion->offer_ms);
    (void)shoal_duration_parse(info->cooldown, &promotion->cooldown_ms);
}

static bool read_integer(const struct shoal_yaml *node, int64_t *value)
{
    return node->kind == SHOAL_YAML_TEXT && shoal_integer_parse(node->text, value);
}

enum shoal_status shoal_policy_limit(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     void *into)
{
    int64_t value;
    if (!read_integer(node, &value) || value < 0 || value >= UINT16_MAX)
        return shoal_policy_wrong(r, node, "a number of offers from 0 (no limit) to 65534");
    ((struct shoal_promotion *)into)->limit = (uint16_t)value;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_budget(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                      void *into)
{
    struct shoal_promotion *promotion = into;
    int64_t value;
    if (!read_integer(node, &value) || value < 0 || value > BUDGET_MOST)
        return shoal_policy_wrong(r, node, "a number of offers a day from 1 to 1000000000");
    if (value == 0)
        return shoal_policy_refuse(r, node->line,
                                   "budget: with 0 offers a day nobody is ever offered anything; "
                                   "leave the promotion out instead");
    promotion->budget = (uint32_t)value;
    promotion->lines.budget = node->line;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_priority(struct shoal_policy_reading *r,
                                        const struct shoal_yaml *node, void *into)
{
    int64_t value;
    if (!read_integer(node, &value) || value < -PRIORITY_MOST || value > PRIORITY_MOST)
        return shoal_policy_wrong(r, node, "a whole number from -1000000 to 1000000");
    ((struct shoal_promotion *)into)->priority = (int32_t)value;
    return SHOAL_OK;
}

enum shoal_status shoal_policy_control(struct shoal_policy_reading *r,
                                       const struct shoal_yaml *node, void *into)
{
    double share;
    if (node->kind != SHOAL_YAML_TEXT || !shoal_share_parse(node->text, &share) || share < 0 ||
        share > 0.5)
        return shoal_policy_wrong(r, node,
                                  "a share of users from 0% to 50%, for example 10% or 0.1");
    ((struct shoal_promotion *)into)->control = (float)share;
    return SHOAL_OK;
}
