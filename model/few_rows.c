/* SPDX-License-Identifier: Apache-2.0 */
/* A few rows of a GEMM; see few_rows.h. Tiles of up to six rows by sixteen columns: twelve sums in
 * registers, and B read where it lies. */
#include "model/few_rows.h"

#include <stdlib.h>

#include "model/blas.h"
#include "model/vmath_lanes.h"

enum { TILE_ROWS = 6, TILE_COLUMNS = 2 * V8_WIDTH, TRIAL_ROWS = 8 };

/* `rows` is a constant at every call, so that the loops unroll and the sums live in registers. */
static inline __attribute__((always_inline)) void tile(size_t rows, size_t k, const float *a,
                                                       size_t lda, const float *b, size_t ldb,
                                                       float *c, size_t ldc)
{
    v8 left[TILE_ROWS], right[TILE_ROWS];
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++)
        left[r] = right[r] = v8_set(0.0f);
    for (size_t l = 0; l < k; l++) {
        v8 b_left = v8_load(b + l * ldb), b_right = v8_load(b + l * ldb + V8_WIDTH);
#pragma GCC unroll 6
        for (size_t r = 0; r < rows; r++) {
            v8 factor = v8_set(a[r * lda + l]);
            left[r] = v8_fma(factor, b_left, left[r]);
            right[r] = v8_fma(factor, b_right, right[r]);
        }
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
        v8_store(c + r * ldc, left[r]);
        v8_store(c + r * ldc + V8_WIDTH, right[r]);
    }
}

static void strip(size_t rows, size_t n, size_t k, const float *a, size_t lda, const float *b,
                  size_t ldb, float *c, size_t ldc)
{
    for (size_t j = 0; j < n; j += TILE_COLUMNS) {
        switch (rows) {
#define CASE(count)                                                                                \
    case count:                                                                                    \
        tile(count, k, a, lda, b + j, ldb, c + j, ldc);                                            \
        break;
            CASE(1)
            CASE(2)
            CASE(3)
            CASE(4)
            CASE(5)
            CASE(6)
#undef CASE
        }
    }
}

void shoal_few_rows_gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                         size_t ldb, float *c, size_t ldc)
{
    /* Even strips: eight rows as 4 + 4, since two rows alone would wait for their sums. */
    for (size_t strips = (m + TILE_ROWS - 1) / TILE_ROWS; strips > 0; strips--) {
        size_t rows = (m + strips - 1) / strips;
        strip(rows, n, k, a, lda, b, ldb, c, ldc);
        a += rows * lda;
        c += rows * ldc;
        m -= rows;
    }
}

bool shoal_few_rows_agree(size_t n, size_t k, const float *b, size_t ldb)
{
    float *a = malloc(TRIAL_ROWS * (k + 2 * n) * sizeof *a);
    if (!a)
        return false;
    float *blis = a + TRIAL_ROWS * k, *own = blis + TRIAL_ROWS * n;
    uint32_t state = 1;
    for (size_t i = 0; i < TRIAL_ROWS * k; i++) {
        state = state * 1664525u + 1013904223u;
        a[i] = (float)(int32_t)state * 0x1p-31f;
    }
    shoal_gemm(false, false, TRIAL_ROWS, n, k, 1.0f, a, k, b, ldb, 0.0f, blis, n);
    shoal_few_rows_gemm(TRIAL_ROWS, n, k, a, k, b, ldb, own, n);
    bool agree = !memcmp(blis, own, TRIAL_ROWS * n * sizeof *own);
    free(a);
    return agree;
}
