/* SPDX-License-Identifier: Apache-2.0 */
/* The ids behind the hashes of a data set's items: events keep 32 bits of an id, a catalogue has to print it.
 *
 * Collected while events are read. Two ids with the same 32 bits are one item ever after, under the name of the
 * one that was named more often (of equal ones, that came first). About 60 bytes and the id for each. */
#ifndef SHOAL_LEARN_ITEM_NAMES_H
#define SHOAL_LEARN_ITEM_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_item_name;

struct shoal_item_names {
    struct shoal_item_name *names; /* owned */
    size_t count, capacity;
    uint32_t *table; /* owned; open addressing by the hash of 32 bits, name + 1 or 0 */
    size_t table_size;
    char *text; /* owned */
    size_t text_size, text_capacity;
};

void shoal_item_names_init(struct shoal_item_names *names);
void shoal_item_names_finish(struct shoal_item_names *names);
/* Notes that an event named the item `id` with this hash. NOMEM. */
enum shoal_status shoal_item_names_add(struct shoal_item_names *names, uint32_t hash, const char *id,
                                       size_t size) SHOAL_MUST_CHECK;
/* The id of the item with this hash, valid until the next add; NULL if there is none. */
const char *shoal_item_names_find(const struct shoal_item_names *names, uint32_t hash, size_t *size);

#endif
