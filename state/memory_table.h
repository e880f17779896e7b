/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from user id to bytes, for the memory store. Open addressing over items that own
 * their bytes; deterministic: the same calls give the same order. Not thread-safe. */
#ifndef SHOAL_MEMORY_TABLE_H
#define SHOAL_MEMORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shoal_table_item {
    uint64_t hash;
    size_t user_size, value_size;
    int64_t timer_ms; /* the user's entry among the timers; 0: none */
    unsigned char bytes[]; /* user, then value */
};

struct shoal_table {
    struct shoal_table_item **slots; /* NULL = free */
    size_t slots_count;              /* 0 or a power of two */
    size_t count;
};

/* Frees all items; accepts a zeroed table. */
void shoal_table_finish(struct shoal_table *table);
/* Room for `more` items, so that as many puts cannot fail. False when out of memory. */
bool shoal_table_reserve(struct shoal_table *table, size_t more);
/* An item with copies of both; NULL when out of memory. The caller's (free) until it is put. */
struct shoal_table_item *shoal_table_item(const void *user, size_t user_size, const void *value,
                                          size_t value_size);
/* Takes the item over and frees the one it replaces. Room must have been reserved. */
void shoal_table_put(struct shoal_table *table, struct shoal_table_item *item);
void shoal_table_remove(struct shoal_table *table, const void *user, size_t user_size);
/* NULL if there is none. */
const struct shoal_table_item *shoal_table_find(const struct shoal_table *table, const void *user,
                                                size_t user_size);
/* Goes through all items; *at starts at 0. NULL at the end. */
const struct shoal_table_item *shoal_table_next(const struct shoal_table *table, size_t *at);
const void *shoal_table_user(const struct shoal_table_item *item);
const void *shoal_table_value(const struct shoal_table_item *item);

#endif
