/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "model/base/arena.h"

Test(arena, hands_out_aligned_memory_that_does_not_overlap)
{
    struct shoal_arena arena;
    shoal_arena_init(&arena, 256);
    unsigned char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = shoal_arena_alloc(&arena, i + 1);
        cr_assert_not_null(pieces[i]);
        cr_assert_eq((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xff), i + 1);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j <= i; j++)
            cr_assert_eq(pieces[i][j], (i & 0xff));
    }
    shoal_arena_finish(&arena);
}

Test(arena, reuses_its_blocks_after_a_reset)
{
    struct shoal_arena arena;
    shoal_arena_init(&arena, 128);
    void *first = shoal_arena_alloc(&arena, 64);
    (void)shoal_arena_alloc(&arena, 1000);
    shoal_arena_reset(&arena);
    cr_assert_eq(shoal_arena_alloc(&arena, 64), first);
    shoal_arena_finish(&arena);
}

Test(arena, refuses_sizes_that_overflow)
{
    struct shoal_arena arena;
    shoal_arena_init(&arena, 128);
    cr_assert_null(shoal_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(shoal_arena_alloc(&arena, SIZE_MAX - 20));
    cr_assert_null(shoal_arena_copy(&arena, "", SIZE_MAX));
    shoal_arena_finish(&arena);
}

Test(arena, copies_end_with_a_zero_byte)
{
    struct shoal_arena arena;
    shoal_arena_init(&arena, 128);
    cr_assert_str_eq(shoal_arena_copy(&arena, "shoal", 5), "shoal");
    cr_assert_str_eq(shoal_arena_copy(&arena, NULL, 0), "");
    shoal_arena_finish(&arena);
}
