/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/row_products.h"
#include "tests/model/tiny_model.h"

enum { M = 67, N = 100, K = 96, PAD = 5, ROOM = 112 };

static float a[M * (K + PAD)], rows[N * (K + PAD)], c[M * ROOM];

static void fill(void)
{
    uint64_t state = 77;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++)
        a[i] = tiny_random(&state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        rows[i] = tiny_random(&state);
}

TestSuite(row_products, .init = fill);

Test(row_products, every_element_is_one_chain_of_fused_multiply_adds_for_any_shape)
{
    size_t ms[] = {1, 2, 6, 7, 64, 67}, ns[] = {1, 15, 16, 17, 48, 100}, ks[] = {1, 7, 8, 24, 29, 64, 96};
    for (size_t x = 0; x < 6 * 6 * 7; x++) {
        size_t m = ms[x % 6], n = ns[x / 6 % 6], k = ks[x / 36];
        shoal_row_products(m, n, k, a, K + PAD, rows, K + PAD, c, ROOM);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                float sum = 0;
                for (size_t l = 0; l < k; l++)
                    sum = fmaf(a[i * (K + PAD) + l], rows[j * (K + PAD) + l], sum);
                cr_assert_eq(c[i * ROOM + j], sum, "%zu×%zu×%zu, element %zu, %zu", m, n, k, i, j);
            }
    }
}

Test(row_products, nothing_is_written_behind_the_last_tile)
{
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        c[i] = 7;
    shoal_row_products(3, 17, 8, a, K + PAD, rows, K + PAD, c, ROOM);
    for (size_t i = 0; i < M * ROOM; i++)
        cr_assert(c[i] == 7 || (i / ROOM < 3 && i % ROOM < 32), "%zu", i);
}
