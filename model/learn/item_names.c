/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of texts; see item_names.h. */
#include "model/learn/item_names.h"

#include <stdlib.h>
#include <string.h>

struct shoal_item_name {
    uint32_t hash, size;
    size_t at; /* into text */
    uint64_t count;
};

void shoal_item_names_init(struct shoal_item_names *names)
{
    *names = (struct shoal_item_names){0};
}

void shoal_item_names_finish(struct shoal_item_names *names)
{
    free(names->names);
    free(names->table);
    free(names->text);
    shoal_item_names_init(names);
}

static void put(struct shoal_item_names *names, size_t name)
{
    size_t mask = names->table_size - 1, at = names->names[name].hash & mask;
    while (names->table[at])
        at = (at + 1) & mask;
    names->table[at] = (uint32_t)name + 1;
}

static enum shoal_status grow_table(struct shoal_item_names *names)
{
    if (2 * (names->count + 1) <= names->table_size)
        return SHOAL_OK;
    size_t size = names->table_size ? 2 * names->table_size : 1024;
    uint32_t *table = calloc(size, sizeof *table);
    if (!table)
        return SHOAL_NOMEM;
    free(names->table);
    names->table = table;
    names->table_size = size;
    for (size_t i = 0; i < names->count; i++)
        put(names, i);
    return SHOAL_OK;
}

static enum shoal_status grow(struct shoal_item_names *names, size_t text)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? 2 * names->capacity : 512;
        void *grown = realloc(names->names, capacity * sizeof *names->names);
        if (!grown)
            return SHOAL_NOMEM;
        names->names = grown;
        names->capacity = capacity;
    }
    if (names->text_size + text > names->text_capacity) {
        size_t capacity = 2 * names->text_capacity + text + 4096;
        char *grown = realloc(names->text, capacity);
        if (!grown)
            return SHOAL_NOMEM;
        names->text = grown;
        names->text_capacity = capacity;
    }
    return grow_table(names);
}

enum shoal_status shoal_item_names_add(struct shoal_item_names *names, uint32_t hash, const char *id,
                                       size_t size)
{
    size_t mask = names->table_size - 1;
    for (size_t at = hash & mask; names->table_size && names->table[at]; at = (at + 1) & mask) {
        struct shoal_item_name *name = &names->names[names->table[at] - 1];
        if (name->hash == hash && name->size == size && !memcmp(names->text + name->at, id, size)) {
            name->count++;
            return SHOAL_OK;
        }
    }
    if (size > UINT32_MAX || names->count >= UINT32_MAX - 1 || grow(names, size) != SHOAL_OK)
        return SHOAL_NOMEM;
    names->names[names->count] =
        (struct shoal_item_name){hash, (uint32_t)size, names->text_size, 1};
    memcpy(names->text + names->text_size, id, size);
    names->text_size += size;
    put(names, names->count++);
    return SHOAL_OK;
}

const char *shoal_item_names_find(const struct shoal_item_names *names, uint32_t hash, size_t *size)
{
    const struct shoal_item_name *best = NULL;
    size_t mask = names->table_size - 1;
    for (size_t at = hash & mask; names->table_size && names->table[at]; at = (at + 1) & mask) {
        const struct shoal_item_name *name = &names->names[names->table[at] - 1];
        if (name->hash == hash &&
            (!best || name->count > best->count || (name->count == best->count && name < best)))
            best = name;
    }
    if (!best)
        return NULL;
    *size = best->size;
    return names->text + best->at;
}
