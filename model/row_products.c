/* SPDX-License-Identifier: Apache-2.0 */
/* Transposing sixteen rows and multiplying them; see row_products.h. */
#include "model/row_products.h"

#include "model/few_rows.h"
#include "model/vmath_lanes.h"

enum { AHEAD_TILES = 2, LINE_FLOATS = 16 };

/* 8×8: from[r][l] → to[l][r], in three rounds that swap halves of ever larger pieces. */
static inline __attribute__((always_inline)) void turn(const float *from, size_t ldf, float *to)
{
    typedef int32_t order __attribute__((vector_size(32)));
    static const order low = {0, 8, 1, 9, 4, 12, 5, 13}, high = {2, 10, 3, 11, 6, 14, 7, 15};
    static const order first = {0, 1, 8, 9, 4, 5, 12, 13}, second = {2, 3, 10, 11, 6, 7, 14, 15};
    static const order left = {0, 1, 2, 3, 8, 9, 10, 11}, right = {4, 5, 6, 7, 12, 13, 14, 15};
    v8 a[8], b[8];
#pragma GCC unroll 8
    for (size_t r = 0; r < 8; r++)
        a[r] = v8_load(from + r * ldf);
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        b[2 * r] = __builtin_shuffle(a[2 * r], a[2 * r + 1], low);
        b[2 * r + 1] = __builtin_shuffle(a[2 * r], a[2 * r + 1], high);
    }
#pragma GCC unroll 2
    for (size_t r = 0; r < 8; r += 4) {
        a[r] = __builtin_shuffle(b[r], b[r + 2], first);
        a[r + 1] = __builtin_shuffle(b[r], b[r + 2], second);
        a[r + 2] = __builtin_shuffle(b[r + 1], b[r + 3], first);
        a[r + 3] = __builtin_shuffle(b[r + 1], b[r + 3], second);
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        v8_store(to + r * SHOAL_ROWS_TILE, __builtin_shuffle(a[r], a[r + 4], left));
        v8_store(to + (r + 4) * SHOAL_ROWS_TILE, __builtin_shuffle(a[r], a[r + 4], right));
    }
}

/* tile[l][r] = rows[r][l]; rows beyond `count` are zeros. */
static void transpose(const float *rows, size_t count, size_t ldr, size_t k, float *tile)
{
    size_t whole = count == SHOAL_ROWS_TILE ? k / 8 * 8 : 0;
    for (size_t l = 0; l < whole; l += 8) {
        turn(rows + l, ldr, tile + l * SHOAL_ROWS_TILE);
        turn(rows + 8 * ldr + l, ldr, tile + l * SHOAL_ROWS_TILE + 8);
    }
    for (size_t l = whole; l < k; l++)
        for (size_t r = 0; r < SHOAL_ROWS_TILE; r++)
            tile[l * SHOAL_ROWS_TILE + r] = r < count ? rows[r * ldr + l] : 0;
}

/* Sends for the tile after the next: the processor's own looking ahead ends at a page, which is a tile. */
static void expect(const float *rows, size_t ldr)
{
    for (size_t at = 0; at < SHOAL_ROWS_TILE * ldr; at += LINE_FLOATS)
        __builtin_prefetch(rows + at);
}

void shoal_row_products(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *rows,
                        size_t ldr, float *c, size_t ldc)
{
    float tile[SHOAL_ROWS_TILE * SHOAL_ROWS_K_MAX] __attribute__((aligned(64)));
    for (size_t j = 0; j < n; j += SHOAL_ROWS_TILE) {
        size_t count = n - j < SHOAL_ROWS_TILE ? n - j : SHOAL_ROWS_TILE;
        if (n - j >= (AHEAD_TILES + 1) * SHOAL_ROWS_TILE)
            expect(rows + (j + AHEAD_TILES * SHOAL_ROWS_TILE) * ldr, ldr);
        transpose(rows + j * ldr, count, ldr, k, tile);
        shoal_few_rows_gemm(m, SHOAL_ROWS_TILE, k, a, lda, tile, SHOAL_ROWS_TILE, c + j, ldc);
    }
}
