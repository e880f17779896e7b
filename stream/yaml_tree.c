/* SPDX-License-Identifier: Apache-2.0 */
/* YAML tree; see yaml_tree.h. */
#include "stream/yaml_tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { NESTING_MAX = 16, NODES_MAX = 10000, FILE_MAX_BYTES = 4 << 20 };

struct building {
    yaml_document_t *document;
    const char *name;
    struct shoal_arena *arena;
    struct shoal_message *message;
    size_t nodes;
};

const char *shoal_yaml_kind_name(enum shoal_yaml_kind kind)
{
    switch (kind) {
    case SHOAL_YAML_TEXT:
        return "a text";
    case SHOAL_YAML_MAP:
        return "a map";
    case SHOAL_YAML_LIST:
        return "a list";
    }
    return "nothing";
}

static int line_of(const yaml_node_t *node)
{
    return (int)node->start_mark.line + 1;
}

static enum shoal_status build(struct building *b, const yaml_node_t *node, int depth,
                               struct shoal_yaml **out);

static enum shoal_status build_text(struct building *b, const yaml_node_t *node, const char **text)
{
    const char *value = (const char *)node->data.scalar.value;
    if (memchr(value, '\0', node->data.scalar.length))
        return shoal_fail(b->message, SHOAL_CONFIG, "%s:%d: a text must not contain zero bytes",
                          b->name, line_of(node));
    *text = shoal_arena_copy(b->arena, value, node->data.scalar.length);
    return *text ? SHOAL_OK : SHOAL_NOMEM;
}

static enum shoal_status build_key(struct building *b, const yaml_node_t *key,
                                   struct shoal_yaml *map, struct shoal_yaml *child)
{
    if (key->type != YAML_SCALAR_NODE)
        return shoal_fail(b->message, SHOAL_CONFIG, "%s:%d: a key must be a text", b->name,
                          line_of(key));
    enum shoal_status status = build_text(b, key, &child->key);
    if (status != SHOAL_OK)
        return status;
    child->line = line_of(key);
    for (const struct shoal_yaml *other = map->first; other; other = other->next) {
        if (strcmp(other->key, child->key) == 0)
            return shoal_fail(b->message, SHOAL_CONFIG,
                              "%s:%d: '%s' stands here twice (first in line %d)", b->name,
                              child->line, child->key, other->line);
    }
    return SHOAL_OK;
}

static enum shoal_status build_map(struct building *b, const yaml_node_t *node, int depth,
                                   struct shoal_yaml *map)
{
    const struct shoal_yaml **end = &map->first;
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        struct shoal_yaml *child;
        enum shoal_status status =
            build(b, yaml_document_get_node(b->document, pair->value), depth + 1, &child);
        if (status == SHOAL_OK)
            status = build_key(b, yaml_document_get_node(b->document, pair->key), map, child);
        if (status != SHOAL_OK)
            return status;
        *end = child;
        end = &child->next;
        map->count++;
    }
    return SHOAL_OK;
}

static enum shoal_status build_list(struct building *b, const yaml_node_t *node, int depth,
                                    struct shoal_yaml *list)
{
    const struct shoal_yaml **end = &list->first;
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; item < node->data.sequence.items.top; item++) {
        struct shoal_yaml *child;
        enum shoal_status status =
            build(b, yaml_document_get_node(b->document, *item), depth + 1, &child);
        if (status != SHOAL_OK)
            return status;
        *end = child;
        end = &child->next;
        list->count++;
    }
    return SHOAL_OK;
}

/* An alias is a second reference to the same node, perhaps from inside it: the bounds on depth and
 * nodes end that. */
static enum shoal_status build(struct building *b, const yaml_node_t *node, int depth,
                               struct shoal_yaml **out)
{
    if (depth > NESTING_MAX)
        return shoal_fail(b->message, SHOAL_CONFIG, "%s:%d: nested too deeply", b->name,
                          line_of(node));
    if (++b->nodes > NODES_MAX)
        return shoal_fail(b->message, SHOAL_CONFIG, "%s:%d: too many entries", b->name,
                          line_of(node));
    struct shoal_yaml *made = shoal_arena_alloc(b->arena, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    *made = (struct shoal_yaml){.line = line_of(node)};
    *out = made;
    switch (node->type) {
    case YAML_MAPPING_NODE:
        made->kind = SHOAL_YAML_MAP;
        return build_map(b, node, depth, made);
    case YAML_SEQUENCE_NODE:
        made->kind = SHOAL_YAML_LIST;
        return build_list(b, node, depth, made);
    case YAML_SCALAR_NODE:
        made->kind = SHOAL_YAML_TEXT;
        return build_text(b, node, &made->text);
    default:
        return shoal_fail(b->message, SHOAL_CONFIG, "%s:%d: cannot be read", b->name,
                          line_of(node));
    }
}

static enum shoal_status parser_failed(const yaml_parser_t *parser, const char *name,
                                       struct shoal_message *message)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return SHOAL_NOMEM;
    /* A broken encoding has no mark, only a byte offset. */
    if (parser->error == YAML_READER_ERROR)
        return shoal_fail(message, SHOAL_CONFIG, "%s: not a text file: %s at byte %zu", name,
                          parser->problem, parser->problem_offset);
    return shoal_fail(message, SHOAL_CONFIG, "%s:%zu: not YAML: %s", name,
                      parser->problem_mark.line + 1, parser->problem);
}

/* There must be nothing after the first document. */
static enum shoal_status check_end(yaml_parser_t *parser, const char *name,
                                   struct shoal_message *message)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second))
        return parser_failed(parser, name, message);
    const yaml_node_t *root = yaml_document_get_root_node(&second);
    int line = root ? line_of(root) : 0;
    yaml_document_delete(&second);
    if (line)
        return shoal_fail(message, SHOAL_CONFIG, "%s:%d: more than one document in the file", name,
                          line);
    return SHOAL_OK;
}

enum shoal_status shoal_yaml_parse(const void *bytes, size_t size, const char *name,
                                   struct shoal_arena *arena, const struct shoal_yaml **root,
                                   struct shoal_message *message)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return SHOAL_NOMEM;
    /* libyaml wants a pointer even where there are no bytes. */
    yaml_parser_set_input_string(&parser, bytes ? bytes : (const yaml_char_t *)"", size);
    enum shoal_status status = SHOAL_OK;
    if (!yaml_parser_load(&parser, &document)) {
        status = parser_failed(&parser, name, message);
        yaml_parser_delete(&parser);
        return status;
    }
    struct building b = {&document, name, arena, message, 0};
    const yaml_node_t *top = yaml_document_get_root_node(&document);
    struct shoal_yaml *made = NULL;
    if (top) {
        status = build(&b, top, 0, &made);
        /* A file of comments only is one empty text. */
        if (status == SHOAL_OK && made->kind == SHOAL_YAML_TEXT && !made->text[0])
            *made = (struct shoal_yaml){.kind = SHOAL_YAML_MAP, .line = 1};
        if (status == SHOAL_OK)
            status = check_end(&parser, name, message);
    } else {
        made = shoal_arena_alloc(arena, sizeof *made);
        if (made)
            *made = (struct shoal_yaml){.kind = SHOAL_YAML_MAP, .line = 1};
        else
            status = SHOAL_NOMEM;
    }
    *root = made;
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return status;
}

enum shoal_status shoal_yaml_slurp(const char *path, struct shoal_buffer *bytes,
                                   struct shoal_message *message)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return shoal_fail(message, errno == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO, "%s: %s", path,
                          strerror(errno));
    enum shoal_status status = SHOAL_OK;
    size_t start = bytes->size, got;
    do {
        uint8_t *room = shoal_buffer_reserve(bytes, 65536);
        got = room ? fread(room, 1, 65536, file) : 0;
        bytes->size += got;
    } while (got > 0 && bytes->size - start <= FILE_MAX_BYTES);
    if (bytes->failed)
        status = SHOAL_NOMEM;
    else if (ferror(file))
        status = shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    else if (bytes->size - start > FILE_MAX_BYTES)
        status =
            shoal_fail(message, SHOAL_CONFIG, "%s: larger than %d MiB", path, FILE_MAX_BYTES >> 20);
    fclose(file);
    return status;
}
