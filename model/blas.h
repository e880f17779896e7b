/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to BLIS: single-precision GEMM on row-major matrices, one thread, with the
 * small-matrix path disabled, so that a row's bits do not depend on how many rows there are
 * (batch invariance, DESIGN §8). */
#ifndef SHOAL_BLAS_H
#define SHOAL_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* C (m×n) = alpha·op(A) (m×k) · op(B) (k×n) + beta·C, row-major, leading dimensions lda, ldb, ldc in
 * elements of the matrix as stored. With beta = 0, C need not be initialised. */
void shoal_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                size_t ldc);

#endif
