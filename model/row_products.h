/* SPDX-License-Identifier: Apache-2.0 */
/* Products of a few vectors with many rows of a table, which is read once and where it lies:
 *
 *   C (m×n) = A (m×k) · Rᵀ      R (n×k), row-major as all of them
 *
 * Sixteen rows at a time are transposed into the first cache (4 KiB at k = 64) and multiplied as in few_rows.h.
 * So one vector costs about the memory's time for the table, and 64 cost few memory accesses each. BLIS packs
 * the table however few vectors there are: twice the time for one, and for 64 at k = 64 too.
 *
 * Each element is one chain of fused multiply-adds in the order of k: the same bits whatever m is. */
#ifndef SHOAL_ROW_PRODUCTS_H
#define SHOAL_ROW_PRODUCTS_H

#include <stddef.h>

enum {
    SHOAL_ROWS_TILE = 16,
    SHOAL_ROWS_K_MAX = 256,
};

/* k ≤ SHOAL_ROWS_K_MAX. C has room for n up to the next multiple of SHOAL_ROWS_TILE: what stands in a row of it
 * behind n is undefined. */
void shoal_row_products(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *rows,
                        size_t ldr, float *c, size_t ldc);

#endif
