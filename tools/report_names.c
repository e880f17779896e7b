/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/report_names.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"

void shoal_names_finish(struct shoal_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->texts[i]);
    free(names->texts);
    free(names->table);
    *names = (struct shoal_names){0};
}

static size_t slot_of(const struct shoal_names *names, const char *text, size_t size)
{
    size_t mask = names->table_size - 1, slot = shoal_hash(text, size) & mask;
    for (; names->table[slot]; slot = (slot + 1) & mask) {
        const char *there = names->texts[names->table[slot] - 1];
        if (strncmp(there, text, size) == 0 && there[size] == '\0')
            break;
    }
    return slot;
}

static enum shoal_status grow(struct shoal_names *names)
{
    if (names->count < names->capacity)
        return SHOAL_OK;
    size_t capacity = names->capacity ? 2 * names->capacity : 16;
    char **texts = reallocarray(names->texts, capacity, sizeof *texts);
    if (!texts)
        return SHOAL_NOMEM;
    names->texts = texts;
    uint32_t *table = calloc(4 * capacity, sizeof *table);
    if (!table)
        return SHOAL_NOMEM;
    free(names->table);
    names->table = table;
    names->table_size = 4 * capacity;
    names->capacity = capacity;
    for (size_t i = 0; i < names->count; i++)
        table[slot_of(names, texts[i], strlen(texts[i]))] = (uint32_t)i + 1;
    return SHOAL_OK;
}

uint16_t shoal_names_find(const struct shoal_names *names, const char *text, size_t size)
{
    if (memchr(text, '\0', size))
        return SHOAL_NAME_NONE;
    uint32_t found = names->table_size ? names->table[slot_of(names, text, size)] : 0;
    return found ? (uint16_t)(found - 1) : SHOAL_NAME_NONE;
}

enum shoal_status shoal_names_add(struct shoal_names *names, const char *text, size_t size,
                                  size_t most, const char *what, uint16_t *number,
                                  struct shoal_message *message)
{
    if (size == 0 || size > SHOAL_NAME_BYTES || memchr(text, '\0', size))
        return shoal_fail(message, SHOAL_BAD_FIELD, "the name of a %s must have 1 to %d bytes",
                          what, SHOAL_NAME_BYTES);
    *number = shoal_names_find(names, text, size);
    if (*number != SHOAL_NAME_NONE)
        return SHOAL_OK;
    if (names->count >= most)
        return shoal_fail(message, SHOAL_BAD_FIELD, "more than %zu different names of a %s", most,
                          what);
    char *copy = malloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    if (!copy || grow(names) != SHOAL_OK) {
        free(copy);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    *number = (uint16_t)names->count;
    names->table[slot_of(names, text, size)] = (uint32_t)names->count + 1;
    names->texts[names->count++] = copy;
    return SHOAL_OK;
}
