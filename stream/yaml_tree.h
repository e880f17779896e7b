/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML file as a small tree of texts, maps and lists, each with its line.
 *
 * Why: configuration and promotions want to say "file:line: what is wrong", and libyaml's own tree
 * says neither what is a duplicate nor stops at aliases that contain themselves. This pair of files
 * is the only place that sees libyaml. Values stay texts; whoever reads a key knows its type. */
#ifndef SHOAL_YAML_TREE_H
#define SHOAL_YAML_TREE_H

#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/pack.h"
#include "model/base/status.h"

enum shoal_yaml_kind {
    SHOAL_YAML_TEXT,
    SHOAL_YAML_MAP,
    SHOAL_YAML_LIST,
};

struct shoal_yaml {
    enum shoal_yaml_kind kind;
    int line;                       /* from 1; inside a map: the line of the key */
    const char *key;                /* inside a map: the key, else NULL */
    const char *text;               /* TEXT: zero-terminated, without zero bytes; else NULL */
    const struct shoal_yaml *first; /* MAP, LIST: first child */
    const struct shoal_yaml *next;  /* next sibling */
    size_t count;                   /* children */
};

/* One document into a tree that lives in `arena`. An empty document gives an empty map. CONFIG with
 * "name:line: reason" for what is not YAML, keys that are not texts, duplicate keys, more than one
 * document, nesting over 16, more than 10,000 nodes (aliases are copied, so they count); NOMEM. */
enum shoal_status shoal_yaml_parse(const void *bytes, size_t size, const char *name,
                                   struct shoal_arena *arena, const struct shoal_yaml **root,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* Appends a whole file of at most 4 MiB to `bytes`. NOT_FOUND, IO, CONFIG (too large), NOMEM. */
enum shoal_status shoal_yaml_slurp(const char *path, struct shoal_buffer *bytes,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* "a text", "a map", "a list". */
const char *shoal_yaml_kind_name(enum shoal_yaml_kind kind);

#endif
