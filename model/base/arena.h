/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one micro-batch: handed out by moving a pointer, given back all at once.
 *
 * Why: nothing is allocated per event. Blocks grow on demand, survive a reset and are reused, so
 * that a worker in steady state calls malloc never. Not thread-safe: one arena, one owner.
 *
 *   block 0            block 1
 *   [used......|free]  [used|free.........]   reset: all blocks become free again
 */
#ifndef SHOAL_BASE_ARENA_H
#define SHOAL_BASE_ARENA_H

#include <stddef.h>

#include "model/base/status.h"

struct shoal_arena_block;

struct shoal_arena {
    struct shoal_arena_block *first;   /* owned list */
    struct shoal_arena_block *current; /* block being filled */
    size_t used_bytes;                 /* bytes used in `current` */
    size_t block_bytes;                /* size of a new block */
};

/* Prepares an empty arena in the caller's memory; allocates nothing yet. */
void shoal_arena_init(struct shoal_arena *arena, size_t block_bytes);
/* Frees all blocks; accepts a zeroed arena. */
void shoal_arena_finish(struct shoal_arena *arena);
/* `size` bytes aligned to 16, undefined content, valid until reset; NULL when out of memory. */
void *shoal_arena_alloc(struct shoal_arena *arena, size_t size);
/* Copy of `size` bytes with a terminating zero byte behind them; NULL when out of memory. */
char *shoal_arena_copy(struct shoal_arena *arena, const void *bytes, size_t size);
/* Everything handed out becomes invalid; the blocks are kept. */
void shoal_arena_reset(struct shoal_arena *arena);

#endif
