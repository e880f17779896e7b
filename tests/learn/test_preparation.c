/* SPDX-License-Identifier: Apache-2.0 */
/* What is left out before training, and that it is counted. */
#include <criterion/criterion.h>
#include <string.h>

#include "model/learn/preparation.h"

static void add(struct shoal_dataset *dataset, const char *user, int64_t time_ms, uint32_t item,
                enum shoal_behavior behavior)
{
    struct shoal_touch touch = {.time_ms = time_ms, .behavior = (uint8_t)behavior, .item = item};
    cr_assert_eq(shoal_dataset_append(dataset, user, strlen(user), &touch, 0), SHOAL_OK);
}

static void make(struct shoal_dataset *dataset)
{
    shoal_dataset_init(dataset, 16);
    add(dataset, "few", 1, 5, SHOAL_PV);
    add(dataset, "many", 2, 5, SHOAL_PV);
    add(dataset, "many", 3, 6, SHOAL_PV);
    add(dataset, "few", 4, 6, SHOAL_PV);
    add(dataset, "many", 5, 5, SHOAL_BUY);
    add(dataset, "few", 6, 7, SHOAL_CART);
    add(dataset, "many", 7, 0, SHOAL_PV);
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

static struct shoal_preparation prepare(struct shoal_dataset *dataset, uint32_t min_records,
                                        bool bought_items_only)
{
    struct shoal_preparation preparation;
    struct shoal_preparation_options options = {min_records, bought_items_only};
    cr_assert_eq(shoal_prepare(dataset, &options, &preparation), SHOAL_OK);
    return preparation;
}

Test(preparation, leaves_everything_where_nothing_is_asked_for)
{
    struct shoal_dataset dataset;
    make(&dataset);
    uint64_t fingerprint = dataset.fingerprint;
    struct shoal_preparation preparation = prepare(&dataset, 0, false);
    cr_expect_eq(dataset.events_count, 7);
    cr_expect_eq(dataset.fingerprint, fingerprint);
    cr_expect_eq(preparation.few_count + preparation.unbought_count, 0);
    shoal_dataset_finish(&dataset);
}

Test(preparation, users_with_too_few_records_are_left_out_and_counted)
{
    struct shoal_dataset dataset;
    make(&dataset);
    struct shoal_preparation preparation = prepare(&dataset, 4, false);
    cr_expect_eq(preparation.few_users, 1);
    cr_expect_eq(preparation.few_count, 3);
    cr_expect_eq(dataset.users_count, 1);
    cr_expect_eq(dataset.events_count, 4);
    cr_expect_str_eq(shoal_dataset_user_id(&dataset, 0), "many");
    shoal_dataset_finish(&dataset);
}

Test(preparation, records_of_items_that_nobody_buys_go_first)
{
    struct shoal_dataset dataset;
    make(&dataset);
    struct shoal_preparation preparation = prepare(&dataset, 2, true);
    cr_expect_eq(preparation.unbought_count, 4);
    cr_expect_eq(preparation.few_users, 1); /* one record is left to it */
    cr_expect_eq(preparation.few_count, 1);
    cr_expect_eq(dataset.events_count, 2);
    cr_expect_eq(dataset.touches[1].behavior, SHOAL_BUY);
    cr_expect_eq(dataset.first[1], 2);
    shoal_dataset_finish(&dataset);
}
