/* SPDX-License-Identifier: Apache-2.0 */
/* The synthetic catalogue: every item is found in its category, and popularity has a long tail. */
#include "tools/catalogue.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(catalogue, drawn_items_lie_in_their_category)
{
    struct shoal_catalogue *catalogue = shoal_catalogue_create(1, 50000);
    struct shoal_random random = shoal_random_stream(1, 1);

    cr_assert_not_null(catalogue);
    for (int i = 0; i < 20000; i++) {
        uint32_t category = shoal_catalogue_draw_category(catalogue, &random);
        uint32_t item = shoal_catalogue_draw_item(catalogue, category, &random);
        cr_assert_lt(category, shoal_catalogue_categories_count(catalogue));
        cr_assert_lt(item, 50000);
        cr_assert_eq(shoal_catalogue_category_of(catalogue, item), category);
    }
    shoal_catalogue_destroy(catalogue);
}

Test(catalogue, few_items_make_one_category)
{
    struct shoal_catalogue *catalogue = shoal_catalogue_create(1, 3);
    struct shoal_random random = shoal_random_stream(1, 1);

    cr_assert_not_null(catalogue);
    cr_expect_eq(shoal_catalogue_categories_count(catalogue), 1);
    for (int i = 0; i < 100; i++)
        cr_assert_lt(shoal_catalogue_draw_item(catalogue, 0, &random), 3);
    shoal_catalogue_destroy(catalogue);
}

Test(catalogue, popular_categories_take_their_real_share)
{
    struct shoal_catalogue *catalogue = shoal_catalogue_create(1, 200000);
    struct shoal_random random = shoal_random_stream(1, 1);
    int top_ten = 0;

    cr_assert_not_null(catalogue);
    for (int i = 0; i < 100000; i++)
        top_ten += shoal_catalogue_draw_category(catalogue, &random) < 10;
    cr_expect_float_eq(top_ten / 1000.0, 25, 5, "%.1f %%", top_ten / 1000.0);
    shoal_catalogue_destroy(catalogue);
}

Test(catalogue, dearer_items_have_a_higher_level)
{
    struct shoal_catalogue *catalogue = shoal_catalogue_create(1, 20); /* one category */

    cr_assert_not_null(catalogue);
    for (uint32_t item = 1; item < 20; item++) {
        uint32_t price = shoal_catalogue_price_cents(catalogue, item);
        uint32_t first = shoal_catalogue_price_cents(catalogue, 0);
        cr_assert_eq(price % 100, 90);
        if (price > first)
            cr_assert_gt(shoal_catalogue_price_level_q16(catalogue, item),
                         shoal_catalogue_price_level_q16(catalogue, 0));
    }
    shoal_catalogue_destroy(catalogue);
}

Test(catalogue, counts_out_of_range_are_refused)
{
    cr_expect_null(shoal_catalogue_create(1, 0));
    cr_expect_null(shoal_catalogue_create(1, UINT32_MAX));
    shoal_catalogue_destroy(NULL);
}
