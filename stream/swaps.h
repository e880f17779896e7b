/* SPDX-License-Identifier: Apache-2.0 */
/* Which model and which policy the events of one partition are applied under: the history of its swaps.
 *
 * A swap (offset, model, policy) says: events from this offset on are applied under this pair, until the
 * next swap. The history is kept as the metadata of the group's committed offset, so that it moves with the
 * offset, in the same transaction, and a recovery applies each event under the pair it was applied
 * under before:
 *
 *   m2 0035d1367cb6474c+870ba20886b3e65a@0 5e0f3a2b11c0d9e8+870ba20886b3e65a@81250
 *
 * oldest first, offsets never fall; a policy of zeros is none.
 *
 * If the topic has grown since its beginning, the history also says so, before the swaps:
 *
 *   m3 g4>6@81250 0035d1367cb6474c+870ba20886b3e65a@0 …
 *
 * At offset 81250 of this partition the states were moved from 4 to 6 partitions (repartition.h): what lies
 * before it was applied to states that lay otherwise, and cannot be applied to those of today.
 *
 * Invariant: what an event is applied under is a pure function of its offset and the history. Before the
 * first swap, the first one's pair holds. */
#ifndef SHOAL_SWAPS_H
#define SHOAL_SWAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/* Brokers take 4,096 bytes of metadata unless told otherwise (offset.metadata.max.bytes). */
enum { SHOAL_SWAPS_BYTES = 4000 };

struct shoal_swap {
    int64_t offset;
    uint64_t model;  /* id, never 0 */
    uint64_t policy; /* id; 0: none */
};

/* The topic has grown. */
struct shoal_growth {
    int32_t from, to;
    int64_t offset; /* the first one of the partition that belongs to the new layout */
};

enum { SHOAL_GROWTHS_MAX = 8 };

/* Zero-initialised: empty. */
struct shoal_swaps {
    struct shoal_swap *list;
    size_t count, capacity;
    struct shoal_growth growths[SHOAL_GROWTHS_MAX]; /* oldest first */
    size_t growths_count;
};

void shoal_swaps_finish(struct shoal_swaps *swaps);
/* INVALID if `offset` is negative or lies before the last swap, or the model is 0; NOMEM. A swap to the
 * pair that holds already adds nothing. */
enum shoal_status shoal_swaps_append(struct shoal_swaps *swaps, int64_t offset, uint64_t model,
                                     uint64_t policy) SHOAL_MUST_CHECK;
/* The last swap; of offset −1 and model 0: none yet. */
struct shoal_swap shoal_swaps_last(const struct shoal_swaps *swaps);
/* Does the pair hold at the end? */
bool shoal_swaps_holds(const struct shoal_swaps *swaps, uint64_t model, uint64_t policy);
/* Index of the swap that holds at `offset` (0 before the first one); there must be one. */
size_t shoal_swaps_find(const struct shoal_swaps *swaps, int64_t offset);
/* The offset at which the swap behind `index` begins; INT64_MAX behind the last. */
int64_t shoal_swaps_until(const struct shoal_swaps *swaps, size_t index);
/* Forgets swaps at offsets above `offset`. */
void shoal_swaps_cut(struct shoal_swaps *swaps, int64_t offset);
/* Forgets swaps that no offset from `low` on asks for. */
void shoal_swaps_trim(struct shoal_swaps *swaps, int64_t low);
/* Adds a growth; the oldest is forgotten if there are too many. INVALID unless from < to, the offset is not
 * negative, and it follows the growth before. */
enum shoal_status shoal_swaps_grow(struct shoal_swaps *swaps,
                                   const struct shoal_growth *growth) SHOAL_MUST_CHECK;
/* The growth from this number of partitions, NULL if there is none. */
const struct shoal_growth *shoal_swaps_growth_from(const struct shoal_swaps *swaps, int32_t from);
/* The offset from which on events belong to a layout of so many partitions; −1: all do, as far as is
 * known. */
int64_t shoal_swaps_grown_to(const struct shoal_swaps *swaps, int32_t partitions);
/* Reads a history over what is there. DAMAGED (and empty) for what print would not have written. */
enum shoal_status shoal_swaps_parse(const char *text, size_t size,
                                    struct shoal_swaps *swaps) SHOAL_MUST_CHECK;
/* Writes the history, zero-terminated. If it has more than SHOAL_SWAPS_BYTES, the oldest swaps are
 * forgotten first; returns how many. */
size_t shoal_swaps_print(struct shoal_swaps *swaps, char text[SHOAL_SWAPS_BYTES + 1]);

/* Reads a file of swaps: lines of the models topic, {"model","policy","partition","offset","previous",
 * "previous_policy"} and whatever else. swaps[0 … partitions − 1] are added to; lines of one partition may stand in any order.
 * What held before the first line of a partition is its "previous" (null: nothing was before it) and
 * "previous_policy"; where it does not say, that of `first`. A line without "policy" swaps the model only.
 * CONFIG with "file:line: reason", NOT_FOUND, IO, NOMEM. */
enum shoal_status shoal_swaps_read(const char *path, const struct shoal_swap *first,
                                   int32_t partitions, struct shoal_swaps *swaps,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* A version (16 hex digits) as an id, and back. False for anything else. */
bool shoal_swaps_id(const char *text, size_t size, uint64_t *id);
void shoal_swaps_version(uint64_t id, char version[17]);

#endif
