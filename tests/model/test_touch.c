/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>

#include "model/touch.h"

Test(touch, a_touch_takes_sixteen_bytes)
{
    cr_assert_eq(sizeof(struct shoal_touch), 16);
}

Test(touch, behaviours_have_the_names_of_the_data)
{
    cr_expect_str_eq(shoal_behavior_name(SHOAL_PV), "pv");
    cr_expect_str_eq(shoal_behavior_name(SHOAL_CART), "cart");
    cr_expect_str_eq(shoal_behavior_name(SHOAL_FAV), "fav");
    cr_expect_str_eq(shoal_behavior_name(SHOAL_BUY), "buy");
    cr_expect_str_eq(shoal_behavior_name((enum shoal_behavior)9), "unknown");
}

Test(touch, a_price_that_says_nothing_is_unknown)
{
    const double unknown[] = {NAN, 0, -0.0, -1, -INFINITY};
    for (int i = 0; i < 5; i++)
        cr_expect_eq(shoal_price_level(unknown[i]), 0, "%g", unknown[i]);
}

Test(touch, price_levels_follow_the_logarithm)
{
    for (double price = 0.005; price < 5e7; price *= 1.0037) {
        double level = 1 + 2 * log2(price / 0.01);
        if (fabs(level - floor(level) - 0.5) < 1e-9)
            continue; /* on a bound, libm may fall to either side */
        double expected = fmin(fmax(round(level), 1), 63);
        cr_assert_eq(shoal_price_level(price), (uint8_t)expected, "%g", price);
    }
}

Test(touch, price_levels_end_at_both_ends)
{
    cr_expect_eq(shoal_price_level(1e-300), 1);
    cr_expect_eq(shoal_price_level(0.01), 1);
    cr_expect_eq(shoal_price_level(1e12), 63);
    cr_expect_eq(shoal_price_level(INFINITY), 63);
}
