/* SPDX-License-Identifier: Apache-2.0 */
/* GEMM for a few rows: C (m×n) = A (m×k) · B (k×n), row-major, without the 9 µs that BLIS needs to
 * pack B however few rows there are.
 *
 * Each element is one chain of fused multiply-adds in the order of k. BLIS's kernels for processors
 * with FMA (haswell, skx, zen) do the same as long as k fits one of their blocks, so the bits are
 * the same; for others they are not. Whoever mixes the two must have asked shoal_few_rows_agree. */
#ifndef SHOAL_FEW_ROWS_H
#define SHOAL_FEW_ROWS_H

#include <stdbool.h>
#include <stddef.h>

/* Up to here this is faster than BLIS (tests/bench/bench_model.c: at K = 112, N = 256, 1.5 µs
 * instead of 9.4 for one row, 4.5 instead of 13 for eight; at 64 rows 10–25 % less). */
enum { SHOAL_FEW_ROWS = 64 };

/* n must be a multiple of 16. */
void shoal_few_rows_gemm(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                         size_t ldb, float *c, size_t ldc);
/* True if, on this processor and with this B, shoal_gemm gives the same bits: tried out on eight
 * rows, of which another order of additions would change most elements. False when out of memory.
 */
bool shoal_few_rows_agree(size_t n, size_t k, const float *b, size_t ldb);

#endif
