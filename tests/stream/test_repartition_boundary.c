/* SPDX-License-Identifier: Apache-2.0 */
/* From where on the events of a partition belong to the new layout. */
#include <criterion/criterion.h>

#include "stream/repartition.h"

enum { FROM = 3 };

static enum shoal_status boundary(int32_t partition, int64_t saved, int64_t committed,
                                  int64_t recorded, int64_t *found)
{
    struct shoal_boundary_input input = {.partition = partition, .from = FROM, .saved = saved,
                                         .committed = committed, .low = 5, .recorded = recorded,
                                         .exactly_once = true};
    return shoal_boundary_find(&input, found, NULL);
}

Test(repartition_boundary, the_boundary_is_the_checkpoint_if_that_is_what_was_committed)
{
    int64_t at;
    cr_assert_eq(boundary(0, 100, 100, -1, &at), SHOAL_OK);
    cr_assert_eq(at, 100);
    cr_assert_eq(boundary(0, 99, 100, -1, &at), SHOAL_PARTITIONS_CHANGED); /* crashed before its save */
    cr_assert_eq(boundary(0, -1, 100, -1, &at), SHOAL_PARTITIONS_CHANGED); /* lost */
    cr_assert_eq(boundary(0, 101, 100, -1, &at), SHOAL_OFFSETS_MOVED);
    cr_assert_eq(boundary(0, -1, -1, -1, &at), SHOAL_OK); /* nobody was ever here */
    cr_assert_eq(at, 5);
    cr_assert_eq(boundary(FROM, -1, -1, -1, &at), SHOAL_OK); /* a new one */
    cr_assert_eq(at, 5);
}

Test(repartition_boundary, a_recorded_boundary_is_the_only_one)
{
    int64_t at;
    cr_assert_eq(boundary(0, 100, 900, 100, &at), SHOAL_OK);
    cr_assert_eq(at, 100);
    cr_assert_eq(boundary(0, 50, 900, 100, &at), SHOAL_PARTITIONS_CHANGED);
    cr_assert_eq(boundary(0, 101, 900, 100, &at), SHOAL_OFFSETS_MOVED);
    cr_assert_eq(boundary(FROM, -1, 900, 7, &at), SHOAL_OK);
    cr_assert_eq(at, 7);
}
