/* SPDX-License-Identifier: Apache-2.0 */
/* Maps, lists of names and refusals of a promotions file; see policy_read.h. */
#include "stream/policy_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/nearest.h"

enum shoal_status shoal_policy_wrong(struct shoal_policy_reading *r, const struct shoal_yaml *node,
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

enum shoal_status shoal_policy_refuse(struct shoal_policy_reading *r, int line, const char *format,
                                      ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return shoal_fail(r->message, SHOAL_CONFIG, "%s:%d: %s", r->name, line, text);
}

enum shoal_status shoal_policy_warn(struct shoal_policy_reading *r, int line, const char *format,
                                    ...)
{
    struct shoal_policy *policy = r->policy;
    if (policy->warnings_count >= r->warnings_capacity) {
        size_t capacity = policy->warnings_count * 2 + 8;
        void *more = realloc(policy->warnings, capacity * sizeof *policy->warnings);
        if (!more)
            return shoal_fail(r->message, SHOAL_NOMEM, "out of memory");
        policy->warnings = more;
        r->warnings_capacity = capacity;
    }
    struct shoal_policy_warning *warning = &policy->warnings[policy->warnings_count++];
    warning->line = line;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(warning->text, sizeof warning->text, format, arguments);
    va_end(arguments);
    return SHOAL_OK;
}

static enum shoal_status unknown(struct shoal_policy_reading *r, int line, const char *what,
                                 const char *name, const struct shoal_nearest *nearest)
{
    if (nearest->best)
        return shoal_policy_refuse(r, line, "unknown %s '%s' (did you mean '%s'?)", what, name,
                                   nearest->best);
    return shoal_policy_refuse(r, line, "unknown %s '%s'", what, name);
}

enum shoal_status shoal_policy_map(struct shoal_policy_reading *r, const struct shoal_yaml *map,
                                   const struct shoal_policy_key *keys, void *into)
{
    if (map->kind != SHOAL_YAML_MAP)
        return shoal_policy_wrong(r, map, "a map of keys and values");
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        const struct shoal_policy_key *key = keys;
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

enum shoal_status shoal_policy_list(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    const struct shoal_policy_names *names, int which,
                                    struct shoal_levels *numbers)
{
    if (node->kind == SHOAL_YAML_MAP || (node->kind == SHOAL_YAML_LIST && !node->first))
        return shoal_policy_wrong(r, node, "a list of one or more names");
    const struct shoal_yaml *item = node->kind == SHOAL_YAML_LIST ? node->first : node;
    for (; item; item = node->kind == SHOAL_YAML_LIST ? item->next : NULL) {
        if (item->kind != SHOAL_YAML_TEXT)
            return shoal_policy_wrong(r, item, "a name");
        int number = names->number_of(item->text, which);
        if (number < 0) {
            struct shoal_nearest nearest;
            shoal_nearest_init(&nearest, item->text);
            for (int i = 0; i <= SHOAL_LEVELS_MAX; i++)
                if (names->name_of(i, which))
                    shoal_nearest_feed(&nearest, names->name_of(i, which));
            return unknown(r, item->line, names->what, item->text, &nearest);
        }
        shoal_levels_add(numbers, (uint8_t)number);
    }
    return SHOAL_OK;
}

const struct shoal_yaml *shoal_policy_child(const struct shoal_yaml *map, const char *key)
{
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        if (node->key && strcmp(node->key, key) == 0)
            return node;
    }
    return NULL;
}
