/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/blas.h"
#include "model/few_rows.h"
#include "tests/model/tiny_model.h"

enum { M = 20, N = 48, K = 29, PAD = 5 };

static float a[M * (K + PAD)], b[K * (N + PAD)], c[M * (N + PAD)];

static void fill(void)
{
    uint64_t state = 77;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        a[i] = tiny_random(&state);
    for (size_t i = 0; i < sizeof b / sizeof *b; i++)
        b[i] = tiny_random(&state);
}

TestSuite(few_rows, .init = fill);

Test(few_rows, every_element_is_one_chain_of_fused_multiply_adds)
{
    for (size_t m = 1; m <= M; m++) {
        for (size_t i = 0; i < sizeof c / sizeof *c; i++)
            c[i] = 7;
        shoal_few_rows_gemm(m, N, K, a, K + PAD, b, N + PAD, c, N + PAD);
        for (size_t i = 0; i < M; i++)
            for (size_t j = 0; j < N + PAD; j++) {
                float sum = i < m && j < N ? 0.0f : 7.0f;
                for (size_t l = 0; i < m && j < N && l < K; l++)
                    sum = fmaf(a[i * (K + PAD) + l], b[l * (N + PAD) + j], sum);
                cr_assert_eq(c[i * (N + PAD) + j], sum, "m %zu, element %zu, %zu", m, i, j);
            }
    }
}

Test(few_rows, where_the_trial_agrees_blis_gives_the_same_bits_for_other_rows)
{
    static float blis[M * N], own[M * N];
    if (!shoal_few_rows_agree(N, K, b, N + PAD)) {
        cr_log_warn("BLIS adds in another order on this processor: its kernel serves every batch");
        return;
    }
    for (size_t m = 1; m <= M; m++) {
        shoal_gemm(false, false, m, N, K, 1.0f, a, K + PAD, b, N + PAD, 0.0f, blis, N);
        shoal_few_rows_gemm(m, N, K, a, K + PAD, b, N + PAD, own, N);
        cr_assert(!memcmp(blis, own, m * N * sizeof *own), "m %zu", m);
    }
}
