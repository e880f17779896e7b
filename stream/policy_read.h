/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read promotions (policy.h) share: tables of keys, and the words for what is wrong.
 *
 * Each map of the file has a table of its keys; a key's function reads its value into the promotion, or
 * into the policy. Internal to policy_*.c. */
#ifndef SHOAL_POLICY_READ_H
#define SHOAL_POLICY_READ_H

#include "stream/policy.h"
#include "stream/yaml_tree.h"

struct shoal_policy_reading {
    const char *name; /* of the file, for messages */
    struct shoal_message *message;
    struct shoal_policy *policy;
    struct shoal_hours quiet; /* of the file, for promotions that have none of their own */
    size_t warnings_capacity;
};

typedef enum shoal_status shoal_policy_read(struct shoal_policy_reading *r,
                                            const struct shoal_yaml *node, void *into);

struct shoal_policy_key {
    const char *name;
    shoal_policy_read *read;
};

/* CONFIG: "name:line: key: 'text' is not <expected>". */
enum shoal_status shoal_policy_wrong(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                     const char *expected) SHOAL_MUST_CHECK;
/* CONFIG: "name:line: reason". */
enum shoal_status shoal_policy_refuse(struct shoal_policy_reading *r, int line, const char *format,
                                      ...) __attribute__((format(printf, 3, 4))) SHOAL_MUST_CHECK;
/* NOMEM. */
enum shoal_status shoal_policy_warn(struct shoal_policy_reading *r, int line, const char *format,
                                    ...) __attribute__((format(printf, 3, 4))) SHOAL_MUST_CHECK;
/* Reads a map key by key through a table that ends with a NULL name. */
enum shoal_status shoal_policy_map(struct shoal_policy_reading *r, const struct shoal_yaml *map,
                                   const struct shoal_policy_key *keys, void *into) SHOAL_MUST_CHECK;

/* A set of names: number_of gives −1 for an unknown one; name_of, for numbers from 0, NULL where there is
 * none. `which` is handed on to both. */
struct shoal_policy_names {
    const char *what; /* "behaviour" */
    int (*number_of)(const char *text, int which);
    const char *(*name_of)(int number, int which);
};
/* Adds the number of each text of a list; a single text is a list of one. */
enum shoal_status shoal_policy_list(struct shoal_policy_reading *r, const struct shoal_yaml *node,
                                    const struct shoal_policy_names *names, int which,
                                    struct shoal_levels *numbers) SHOAL_MUST_CHECK;

/* The value of `key` in a map, NULL if it is not there. */
const struct shoal_yaml *shoal_policy_child(const struct shoal_yaml *map, const char *key);

/* Keys of a promotion; each reads into a struct shoal_promotion. */
shoal_policy_read shoal_policy_id, shoal_policy_kind, shoal_policy_limit, shoal_policy_budget,
    shoal_policy_priority, shoal_policy_group, shoal_policy_control;
shoal_policy_read shoal_policy_triggers, shoal_policy_enters, shoal_policy_segments,
    shoal_policy_score, shoal_policy_prompted, shoal_policy_requires;
shoal_policy_read shoal_policy_valid, shoal_policy_cooldown, shoal_policy_offer,
    shoal_policy_quiet_own, shoal_policy_active_hours;
shoal_policy_read shoal_policy_items, shoal_policy_items_goal, shoal_policy_without_bought,
    shoal_policy_bundle;
/* Keys of the file. */
shoal_policy_read shoal_policy_timezone, shoal_policy_quiet_all;

/* What a promotion has by its kind, before its keys are read. */
void shoal_policy_begin(struct shoal_promotion *promotion, enum shoal_kind kind);
/* True if the promotion says by itself what asks for it. */
bool shoal_policy_is_asked(const struct shoal_promotion *promotion);

/* Refuses what contradicts itself in a promotion that was read from `node`, quiet hours settled, and warns
 * of what has no effect. */
enum shoal_status shoal_policy_check_one(struct shoal_policy_reading *r,
                                         const struct shoal_yaml *node,
                                         const struct shoal_promotion *promotion) SHOAL_MUST_CHECK;
/* Of all promotions together. */
enum shoal_status shoal_policy_check_all(struct shoal_policy_reading *r) SHOAL_MUST_CHECK;

#endif
