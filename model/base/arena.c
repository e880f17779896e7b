/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation over a list of blocks; see arena.h. */
#include "model/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16u

struct shoal_arena_block {
    struct shoal_arena_block *next;
    size_t size_bytes;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

void shoal_arena_init(struct shoal_arena *arena, size_t block_bytes)
{
    *arena = (struct shoal_arena){.block_bytes = block_bytes};
}

void shoal_arena_finish(struct shoal_arena *arena)
{
    struct shoal_arena_block *block = arena->first;
    while (block) {
        struct shoal_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct shoal_arena){.block_bytes = arena->block_bytes};
}

/* Makes a block with room for `size` bytes the current one: the next kept block that is large
 * enough, else a new one put right behind the current. */
static int advance(struct shoal_arena *arena, size_t size)
{
    struct shoal_arena_block **link = arena->current ? &arena->current->next : &arena->first;
    if (!*link || (*link)->size_bytes < size) {
        size_t want = size > arena->block_bytes ? size : arena->block_bytes;
        if (want > SIZE_MAX - sizeof(struct shoal_arena_block))
            return -1;
        struct shoal_arena_block *block = malloc(sizeof *block + want);
        if (!block)
            return -1;
        block->size_bytes = want;
        block->next = *link;
        *link = block;
    }
    arena->current = *link;
    arena->used_bytes = 0;
    return 0;
}

void *shoal_arena_alloc(struct shoal_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!arena->current || arena->current->size_bytes - arena->used_bytes < size) {
        if (advance(arena, size) != 0)
            return NULL;
    }
    void *result = arena->current->bytes + arena->used_bytes;
    arena->used_bytes += size;
    return result;
}

char *shoal_arena_copy(struct shoal_arena *arena, const void *bytes, size_t size)
{
    char *copy = size < SIZE_MAX ? shoal_arena_alloc(arena, size + 1) : NULL;
    if (!copy)
        return NULL;
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

void shoal_arena_reset(struct shoal_arena *arena)
{
    arena->current = arena->first;
    arena->used_bytes = 0;
}
