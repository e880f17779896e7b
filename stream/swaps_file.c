/* SPDX-License-Identifier: Apache-2.0 */
/* A file of swaps: lines of the models topic, or lines written by hand. JSON is read as the YAML that
 * it is: the lines are few, and messages name the line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/swaps.h"
#include "stream/units.h"
#include "stream/yaml_tree.h"

struct line {
    int32_t partition;
    struct shoal_swap swap;
    bool has_policy;   /* else it stays */
    uint64_t previous; /* 0: none */
    bool has_previous_policy;
    uint64_t previous_policy;
    bool begins;       /* "previous" is null: nothing is before it */
    size_t number;     /* from 1: keeps the order of equal offsets */
};

struct lines {
    struct line *list;
    size_t count, capacity;
};

static const char *text_of(const struct shoal_yaml *map, const char *key)
{
    for (const struct shoal_yaml *at = map->first; at; at = at->next) {
        if (strcmp(at->key, key) == 0)
            return at->kind == SHOAL_YAML_TEXT ? at->text : NULL;
    }
    return NULL;
}

/* A policy, or null for none. False if it is neither. */
static bool read_policy(const char *text, bool *given, uint64_t *policy)
{
    *given = text != NULL;
    *policy = 0;
    return !text || strcmp(text, "null") == 0 || shoal_swaps_id(text, strlen(text), policy);
}

/* Sets what the line says; NULL, or what is wrong with it. */
static const char *read_fields(const struct shoal_yaml *root, int32_t partitions, struct line *line)
{
    int64_t partition;
    if (root->kind != SHOAL_YAML_MAP)
        return "not a JSON object";
    const char *model = text_of(root, "model"), *previous = text_of(root, "previous");
    const char *offset = text_of(root, "offset"), *number = text_of(root, "partition");
    if (!model || !shoal_swaps_id(model, strlen(model), &line->swap.model))
        return "model must be a version of 16 hexadecimal digits";
    if (!number || !shoal_integer_parse(number, &partition) || partition < 0 ||
        partition >= partitions)
        return "partition must be a number below that of the partitions";
    if (!offset || !shoal_integer_parse(offset, &line->swap.offset) || line->swap.offset < 0)
        return "offset must be a number from 0";
    line->partition = (int32_t)partition;
    line->begins = previous && strcmp(previous, "null") == 0;
    if (previous && !line->begins &&
        !shoal_swaps_id(previous, strlen(previous), &line->previous))
        return "previous must be null or a version of 16 hexadecimal digits";
    if (!read_policy(text_of(root, "policy"), &line->has_policy, &line->swap.policy) ||
        !read_policy(text_of(root, "previous_policy"), &line->has_previous_policy,
                     &line->previous_policy))
        return "policy must be null or a version of 16 hexadecimal digits";
    return NULL;
}

static enum shoal_status add_line(struct lines *lines, const struct line *line)
{
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity ? 2 * lines->capacity : 64;
        struct line *list = realloc(lines->list, capacity * sizeof *list);
        if (!list)
            return SHOAL_NOMEM;
        lines->list = list;
        lines->capacity = capacity;
    }
    lines->list[lines->count++] = *line;
    return SHOAL_OK;
}

static enum shoal_status read_lines(const char *path, const struct shoal_buffer *bytes,
                                    int32_t partitions, struct lines *lines,
                                    struct shoal_message *message)
{
    struct shoal_arena arena;
    shoal_arena_init(&arena, 1 << 16);
    enum shoal_status status = SHOAL_OK;
    const char *at = (const char *)bytes->bytes, *end = at + bytes->size;
    for (size_t number = 1; at < end && status == SHOAL_OK; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        const struct shoal_yaml *root;
        struct line line = {.number = number};
        char name[600];
        snprintf(name, sizeof name, "%.500s:%zu", path, number);
        if (stop > at) {
            status = shoal_yaml_parse(at, (size_t)(stop - at), name, &arena, &root, message);
            const char *wrong =
                status == SHOAL_OK ? read_fields(root, partitions, &line) : NULL;
            if (wrong)
                status = shoal_fail(message, SHOAL_CONFIG, "%s: %s", name, wrong);
            if (status == SHOAL_OK && add_line(lines, &line) != SHOAL_OK)
                status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
        }
        shoal_arena_reset(&arena);
        at = stop + 1;
    }
    shoal_arena_finish(&arena);
    return status;
}

static int by_place(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    if (x->swap.offset != y->swap.offset)
        return x->swap.offset < y->swap.offset ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

/* Adds a line behind what is known of its partition. */
static enum shoal_status append(struct shoal_swaps *own, const struct line *line,
                                const struct shoal_swap *first)
{
    enum shoal_status status = SHOAL_OK;
    if (own->count == 0 && !line->begins)
        status = shoal_swaps_append(
            own, 0, line->previous ? line->previous : first->model,
            line->has_previous_policy ? line->previous_policy : first->policy);
    uint64_t before = own->count ? shoal_swaps_last(own).policy : first->policy;
    return status == SHOAL_OK
               ? shoal_swaps_append(own, line->swap.offset, line->swap.model,
                                    line->has_policy ? line->swap.policy : before)
               : status;
}

enum shoal_status shoal_swaps_read(const char *path, const struct shoal_swap *first,
                                   int32_t partitions,
                                   struct shoal_swaps *swaps, struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    struct lines lines = {0};
    enum shoal_status status = shoal_yaml_slurp(path, &bytes, message);
    if (status == SHOAL_OK && bytes.size > 0)
        status = read_lines(path, &bytes, partitions, &lines, message);
    if (status == SHOAL_OK && lines.count > 0)
        qsort(lines.list, lines.count, sizeof *lines.list, by_place);
    for (size_t i = 0; i < lines.count && status == SHOAL_OK; i++) {
        const struct line *line = &lines.list[i];
        enum shoal_status added = append(&swaps[line->partition], line, first);
        if (added != SHOAL_OK)
            status = shoal_fail(message, added, "%s: %s", path, shoal_status_text(added));
    }
    free(lines.list);
    shoal_buffer_finish(&bytes);
    return status;
}
