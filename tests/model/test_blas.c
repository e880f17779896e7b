/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "tests/model/tiny_model.h"

enum { M = 256, K = 112, N = 256 };

static void fill(float *values, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++)
        values[i] = tiny_random(&state);
}

/* Each row of C has the same bits in every batch: m = 1 … 256 against m = 256, at both ends of the
 * batch, so that a row meets every place in a micro-tile. */
static void expect_invariance(size_t k, size_t n)
{
    float *a = malloc(M * k * sizeof *a), *b = malloc(k * n * sizeof *b);
    float *whole = malloc(M * n * sizeof *whole), *part = malloc(M * n * sizeof *part);
    cr_assert(a && b && whole && part);
    fill(a, M * k, 11);
    fill(b, k * n, 12);
    shoal_gemm(false, false, M, n, k, 1.0f, a, k, b, n, 0.0f, whole, n);
    for (size_t m = 1; m <= M; m++) {
        shoal_gemm(false, false, m, n, k, 1.0f, a, k, b, n, 0.0f, part, n);
        cr_assert(!memcmp(part, whole, m * n * sizeof *part), "k %zu, n %zu, first %zu rows", k, n,
                  m);
        size_t first = M - m;
        shoal_gemm(false, false, m, n, k, 1.0f, a + first * k, k, b, n, 0.0f, part, n);
        cr_assert(!memcmp(part, whole + first * n, m * n * sizeof *part),
                  "k %zu, n %zu, last %zu rows", k, n, m);
    }
    free(a);
    free(b);
    free(whole);
    free(part);
}

Test(blas, a_row_has_the_same_bits_in_every_batch)
{
    expect_invariance(K, N);
}

Test(blas, a_row_has_the_same_bits_in_every_batch_of_other_models)
{
    expect_invariance(25, 64);   /* the smallest: H = 16 */
    expect_invariance(80, 128);  /* H = 32 */
    expect_invariance(560, 512); /* k beyond one block of BLIS */
}

Test(blas, a_row_has_the_same_bits_alone)
{
    static float a[M * K], b[K * N], whole[M * N], row[N];
    fill(a, M * K, 21);
    fill(b, K * N, 22);
    shoal_gemm(false, false, M, N, K, 1.0f, a, K, b, N, 0.0f, whole, N);
    for (size_t i = 0; i < M; i++) {
        shoal_gemm(false, false, 1, N, K, 1.0f, a + i * K, K, b, N, 0.0f, row, N);
        cr_assert(!memcmp(row, whole + i * N, sizeof row), "row %zu", i);
    }
}

Test(blas, transposes_scales_and_strides_are_honoured)
{
    enum { m = 13, n = 21, k = 17, PAD = 3 };
    float a[m * k + (m + k) * PAD], b[k * n + (k + n) * PAD], c[m * (n + PAD)];
    for (int variant = 0; variant < 4; variant++) {
        bool ta = variant & 1, tb = variant & 2;
        size_t lda = (ta ? m : k) + PAD, ldb = (tb ? k : n) + PAD, ldc = n + PAD;
        float start[m * (n + PAD)];
        fill(a, sizeof a / sizeof *a, 31);
        fill(b, sizeof b / sizeof *b, 32);
        fill(c, sizeof c / sizeof *c, 33);
        memcpy(start, c, sizeof c);
        shoal_gemm(ta, tb, m, n, k, 0.5f, a, lda, b, ldb, 2.0f, c, ldc);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < ldc; j++) {
                double expected = (double)start[i * ldc + j];
                if (j < n) {
                    double sum = 0;
                    for (size_t l = 0; l < k; l++)
                        sum += (double)(ta ? a[l * lda + i] : a[i * lda + l]) *
                               (double)(tb ? b[j * ldb + l] : b[l * ldb + j]);
                    expected = 0.5 * sum + 2 * expected;
                }
                cr_assert_float_eq((double)c[i * ldc + j], expected, 1e-5);
            }
    }
}

Test(blas, what_lay_in_c_does_not_matter_when_beta_is_zero)
{
    float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8}, c[4] = {NAN, INFINITY, NAN, -INFINITY};
    shoal_gemm(false, false, 2, 2, 2, 1.0f, a, 2, b, 2, 0.0f, c, 2);
    const float expected[4] = {19, 22, 43, 50};
    cr_assert(!memcmp(c, expected, sizeof c));
}
