/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object as a tree whose values are looked up by key, on jsmn. For lines of files that are read once
 * (events have stream/decode_json.c). jsmn tokenises and checks strings and brackets; what it lets pass (a
 * missing comma) is read as if it were right.
 *
 * A value is a number of the tree, −1 for none; every question may be asked of −1. */
#ifndef SHOAL_REPORT_JSON_H
#define SHOAL_REPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/status.h"

struct shoal_json_tree;

/* A text without its escapes; in the line, or in the tree until its next parse. Not zero-terminated. */
struct shoal_json_slice {
    const char *text;
    size_t size;
};

/* NULL when out of memory. */
struct shoal_json_tree *shoal_json_tree_create(void);
void shoal_json_tree_destroy(struct shoal_json_tree *tree);
/* The object is value 0. `text` must stay as long as the tree is asked. BAD_JSON with the reason, NOMEM. */
enum shoal_status shoal_json_tree_parse(struct shoal_json_tree *tree, const char *text, size_t size,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

/* The value under `key` of an object. */
int shoal_json_tree_find(const struct shoal_json_tree *tree, int object, const char *key);
/* Keys of an object one after another: first, then next until −1; the value of a key is key + 1. */
int shoal_json_tree_first(const struct shoal_json_tree *tree, int object);
int shoal_json_tree_next(const struct shoal_json_tree *tree, int key);

/* False if the value is none, or of another type. */
bool shoal_json_tree_text(struct shoal_json_tree *tree, int value, struct shoal_json_slice *slice);
bool shoal_json_tree_number(const struct shoal_json_tree *tree, int value, double *number);
bool shoal_json_tree_flag(const struct shoal_json_tree *tree, int value, bool *flag);
bool shoal_json_tree_is_null(const struct shoal_json_tree *tree, int value);
bool shoal_json_tree_is_object(const struct shoal_json_tree *tree, int value);

#endif
