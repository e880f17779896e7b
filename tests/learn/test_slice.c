/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "model/learn/slice.h"

static void append(struct shoal_dataset *dataset, const char *user, int64_t time_ms, uint32_t item)
{
    struct shoal_touch touch = {.time_ms = time_ms, .item = item, .behavior = SHOAL_PV};
    cr_assert_eq(shoal_dataset_append(dataset, user, strlen(user), &touch, 0), SHOAL_OK);
}

Test(slice, holds_what_lies_in_the_time_by_user_in_order)
{
    struct shoal_dataset dataset, slice;
    shoal_dataset_init(&dataset, 4);
    append(&dataset, "early", 10, 1);
    append(&dataset, "both", 20, 2);
    append(&dataset, "late", 90, 3);
    append(&dataset, "both", 30, 4);
    append(&dataset, "both", 40, 5);
    append(&dataset, "late", 35, 6); /* counts as of 90 */
    append(&dataset, "early", 39, 7);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(dataset.late_count, 1);
    cr_assert_eq(shoal_dataset_slice(&dataset, 20, 40, &slice), SHOAL_OK);
    cr_assert_eq(slice.events_count, 3);
    cr_assert_eq(slice.users_count, 2);
    cr_assert_eq(slice.first_ms, 20);
    cr_assert_eq(slice.last_ms, 39);
    cr_assert_eq(slice.late_count, 0);
    cr_assert_str_eq(shoal_dataset_user_id(&slice, 0), "early");
    cr_assert_str_eq(shoal_dataset_user_id(&slice, 1), "both");
    static const uint32_t items[] = {7, 2, 4};
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(slice.touches[i].item, items[i]);
    cr_assert(slice.first[0] == 0 && slice.first[1] == 1 && slice.first[2] == 3);
    shoal_dataset_finish(&slice);
    cr_assert_eq(shoal_dataset_slice(&dataset, 200, 300, &slice), SHOAL_OK);
    cr_assert_eq(slice.events_count, 0);
    shoal_dataset_finish(&slice);
    shoal_dataset_finish(&dataset);
}

/* What one trains on is recorded by it: other days, or another event, give another one. */
Test(slice, the_fingerprint_is_that_of_the_events_in_it)
{
    struct shoal_dataset dataset, one, same, other;
    shoal_dataset_init(&dataset, 4);
    append(&dataset, "a", 10, 1);
    append(&dataset, "b", 20, 2);
    append(&dataset, "a", 30, 3);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(shoal_dataset_slice(&dataset, 5, 25, &one), SHOAL_OK);
    cr_assert_eq(shoal_dataset_slice(&dataset, 0, 30, &same), SHOAL_OK);
    cr_assert_eq(shoal_dataset_slice(&dataset, 0, 31, &other), SHOAL_OK);
    cr_assert_eq(one.fingerprint, same.fingerprint);
    cr_assert_neq(one.fingerprint, other.fingerprint);
    shoal_dataset_finish(&one);
    shoal_dataset_finish(&same);
    shoal_dataset_finish(&other);
    shoal_dataset_finish(&dataset);
}
