/* SPDX-License-Identifier: Apache-2.0 */
/* The assignment problem against all assignments there are. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>

#include "model/learn/hungarian.h"
#include "model/learn/random.h"

/* The greatest sum over rows row …, with the columns not yet taken; rows may be left out where they are more. */
static double best_of(const double *gains, size_t rows, size_t columns, size_t row, unsigned taken,
                      size_t skips)
{
    double best = -INFINITY;
    if (row == rows)
        return 0;
    if (skips)
        best = best_of(gains, rows, columns, row + 1, taken, skips - 1);
    for (size_t j = 0; j < columns; j++)
        if (!(taken >> j & 1))
            best = fmax(best, gains[row * columns + j] +
                                  best_of(gains, rows, columns, row + 1, taken | 1u << j, skips));
    return best;
}

static void check(const double *gains, size_t rows, size_t columns)
{
    int column_of[SHOAL_HUNGARIAN_MAX];
    bool taken[SHOAL_HUNGARIAN_MAX] = {false};
    size_t paired = 0;
    double sum = 0;
    shoal_hungarian(gains, rows, columns, column_of);
    for (size_t row = 0; row < rows; row++) {
        if (column_of[row] == SHOAL_HUNGARIAN_NONE)
            continue;
        size_t column = (size_t)column_of[row];
        cr_assert_lt(column, columns);
        cr_assert_not(taken[column], "column %zu is taken twice", column);
        taken[column] = true;
        sum += gains[row * columns + column];
        paired++;
    }
    cr_assert_eq(paired, rows < columns ? rows : columns);
    double best = best_of(gains, rows, columns, 0, 0, rows > columns ? rows - columns : 0);
    cr_assert_float_eq(sum, best, 1e-9, "%zu × %zu: %g, best is %g", rows, columns, sum, best);
}

Test(hungarian, finds_the_best_of_all_assignments)
{
    double gains[49];
    for (uint64_t seed = 0; seed < 20; seed++)
        for (size_t rows = 0; rows <= 6; rows++)
            for (size_t columns = 0; columns <= 6; columns++) {
                uint64_t key = shoal_random_mix(seed * 100 + rows * 10 + columns);
                for (size_t i = 0; i < rows * columns; i++)
                    gains[i] = (double)shoal_random_uniform(key, i) - (seed % 3 == 0 ? 0.5 : 0);
                check(gains, rows, columns);
            }
}

Test(hungarian, copes_with_ties_and_zeros)
{
    double gains[49] = {0};
    check(gains, 5, 5);
    check(gains, 3, 6);
    for (size_t i = 0; i < 36; i++)
        gains[i] = (double)(shoal_random_mix(i) % 3);
    check(gains, 6, 6);
    check(gains, 6, 4);
}

Test(hungarian, takes_its_greatest_size)
{
    static double gains[SHOAL_HUNGARIAN_MAX * SHOAL_HUNGARIAN_MAX];
    int column_of[SHOAL_HUNGARIAN_MAX];
    for (size_t i = 0; i < SHOAL_HUNGARIAN_MAX; i++)
        gains[i * SHOAL_HUNGARIAN_MAX + (i * 7 + 3) % SHOAL_HUNGARIAN_MAX] = 1 + (double)i;
    shoal_hungarian(gains, SHOAL_HUNGARIAN_MAX, SHOAL_HUNGARIAN_MAX, column_of);
    for (size_t i = 0; i < SHOAL_HUNGARIAN_MAX; i++)
        cr_assert_eq(column_of[i], (int)((i * 7 + 3) % SHOAL_HUNGARIAN_MAX));
}
