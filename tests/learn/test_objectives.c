/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of gaps, and negatives drawn as often as they should be. Gradients: tests/golden. */
#include <criterion/criterion.h>
#include <math.h>

#include "model/learn/objectives.h"

Test(objectives, gap_classes_begin_a_second_after_their_bounds)
{
    const int seconds[] = {5, 20, 60, 180, 600, 1800, 7200, 28800, 86400};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        float at = (float)(log2(1 + seconds[i]) / 20);
        cr_expect_eq(shoal_gap_class(at), i, "%d s", seconds[i]);
        float after = (float)(log2(1 + seconds[i] * 1.01) / 20);
        cr_expect_eq(shoal_gap_class(after), i + 1, "beyond %d s", seconds[i]);
    }
    cr_expect_eq(shoal_gap_class(0), 0);
}

Test(objectives, negatives_come_by_support_to_the_power_of_alpha)
{
    enum { ROWS = 4, DRAWS = 100000 };
    const uint32_t counts[ROWS] = {100, 0, 25, 1};
    static uint32_t drawn[DRAWS];
    struct shoal_support support;
    cr_assert_eq(shoal_support_init(&support, counts, ROWS, 0.5), SHOAL_OK);
    shoal_support_draw(&support, 7, 0, drawn, DRAWS);
    double met[ROWS] = {0}, sum = 10 + sqrt(0.5) + 5 + 1;
    const double expected[ROWS] = {10 / sum, sqrt(0.5) / sum, 5 / sum, 1 / sum};
    for (size_t i = 0; i < DRAWS; i++)
        met[drawn[i]] += 1.0 / DRAWS;
    for (size_t row = 0; row < ROWS; row++) {
        cr_expect_float_eq(met[row], expected[row], 0.005, "row %zu: %g", row, met[row]);
        cr_expect_float_eq((double)support.drawn[row], expected[row], 1e-6);
    }
    cr_expect_float_eq((double)support.share[0], 100 / 126.5, 1e-6);
    uint32_t again[10];
    shoal_support_draw(&support, 7, 90, again, 10);
    for (size_t i = 0; i < 10; i++)
        cr_expect_eq(again[i], drawn[90 + i]);
    shoal_support_finish(&support);
}
