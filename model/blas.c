/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that sees BLIS; see blas.h.
 *
 * BLIS has two ways through a GEMM. The one for small matrices ("sup") picks kernels by the edge
 * case, and their order of additions differs, so a row's last bits would depend on m. The other one
 * packs both operands and computes every micro-tile, edges included, with one kernel over the whole
 * of k: a row comes out the same in every batch (property test in test_blas.c). The runtime object
 * of each call says so; the environment's BLIS_NUM_THREADS has no effect. */
#include "model/blas.h"

#include <blis.h>

void shoal_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
                const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                size_t ldc)
{
    rntm_t runtime = BLIS_RNTM_INITIALIZER;
    bli_rntm_set_num_threads(1, &runtime);
    bli_rntm_disable_l3_sup(&runtime);
    /* BLIS's interface has no const; it does not write through these. */
    bli_sgemm_ex(transpose_a ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE,
                 transpose_b ? BLIS_TRANSPOSE : BLIS_NO_TRANSPOSE, (dim_t)m, (dim_t)n, (dim_t)k,
                 &alpha, (float *)a, (inc_t)lda, 1, (float *)b, (inc_t)ldb, 1, &beta, c, (inc_t)ldc,
                 1, NULL, &runtime);
}
