/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-point functions against libm, and the moments of the distributions. */
#include "tools/random.h"

#include <criterion/criterion.h>
#include <math.h>

Test(random, exp2_agrees_with_libm)
{
    for (int64_t x_q16 = -5 * 65536; x_q16 < 20 * 65536; x_q16 += 977) {
        double expected = exp2((double)x_q16 / 65536) * 65536;
        cr_assert_float_eq((double)shoal_exp2_q16(x_q16), expected, 2 + expected * 3e-4);
    }
    cr_expect_eq(shoal_exp2_q16(0), SHOAL_Q16_ONE);
    cr_expect_eq(shoal_exp2_q16(-40 * 65536), 0);
}

Test(random, exp2_never_falls)
{
    int64_t previous = 0;

    for (int64_t x_q16 = -3 * 65536; x_q16 < 3 * 65536; x_q16++) {
        int64_t value = shoal_exp2_q16(x_q16);
        cr_assert_geq(value, previous);
        previous = value;
    }
}

Test(random, log2_agrees_with_libm)
{
    for (uint64_t value = 1; value < UINT64_C(1) << 62; value += 1 + value / 3)
        cr_assert_float_eq((double)shoal_log2_q16(value) / 65536, log2((double)value), 1e-4);
    cr_expect_eq(shoal_log2_q16(0), 0);
    cr_expect_eq(shoal_log2_q16(8), 3 * SHOAL_Q16_ONE);
    cr_expect_float_eq((double)shoal_log2_q16(UINT64_MAX) / 65536, 64, 1e-4);
}

Test(random, streams_of_a_seed_differ_and_repeat)
{
    struct shoal_random one = shoal_random_stream(5, 1);
    struct shoal_random again = shoal_random_stream(5, 1);
    struct shoal_random other = shoal_random_stream(5, 2);
    uint64_t first = shoal_random_next(&one);

    cr_expect_eq(first, shoal_random_next(&again));
    cr_expect_neq(first, shoal_random_next(&other));
}

Test(random, below_is_uniform_and_in_range)
{
    struct shoal_random random = shoal_random_stream(1, 0);
    int counts[10] = {0};

    for (int i = 0; i < 100000; i++) {
        uint32_t draw = shoal_random_below(&random, 10);
        cr_assert_lt(draw, 10);
        counts[draw]++;
    }
    for (int i = 0; i < 10; i++)
        cr_expect_float_eq(counts[i], 10000, 500);
    cr_expect_eq(shoal_random_below(&random, 0), 0);
}

Test(random, chance_of_nothing_never_and_of_a_million_always)
{
    struct shoal_random random = shoal_random_stream(1, 0);

    for (int i = 0; i < 1000; i++) {
        cr_assert_not(shoal_random_chance_ppm(&random, 0));
        cr_assert(shoal_random_chance_ppm(&random, 1000000));
    }
}

Test(random, distributions_have_their_moments)
{
    struct shoal_random random = shoal_random_stream(2, 0);
    const int n = 200000;
    double normal = 0;
    double square = 0;
    double exponential = 0;
    double log_sum = 0;

    for (int i = 0; i < n; i++) {
        double x = (double)shoal_random_normal_q16(&random) / 65536;
        normal += x;
        square += x * x;
        exponential += (double)shoal_random_exponential_q16(&random) / 65536;
        log_sum += log((double)shoal_random_lognormal(&random, 100000, 500));
    }
    cr_expect_float_eq(normal / n, 0, 0.01);
    cr_expect_float_eq(square / n, 1, 0.01);
    cr_expect_float_eq(exponential / n, 1, 0.01);
    cr_expect_float_eq(exp(log_sum / n), 100000, 1000);
}
