/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "state/record.h"

enum { H = 16 };

static struct shoal_touch touch_at(int64_t time_ms, uint32_t item)
{
    return (struct shoal_touch){.time_ms = time_ms, .item = item};
}

Test(record, new_record_is_empty)
{
    float hc[2 * H] = {1, 2, 3};
    struct shoal_record record;
    shoal_record_init(&record, H, hc);
    cr_assert_eq(record.offset, -1);
    cr_assert_eq(record.model, 0);
    cr_assert_eq(record.ring_count + record.ids_count + record.grants_count, 0);
    cr_assert_eq(record.c, hc + H);
    for (size_t i = 0; i < 2 * H; i++)
        cr_assert_eq(hc[i], 0);
}

Test(record, ring_keeps_the_newest_touches_in_whole_seconds)
{
    float hc[2 * H];
    struct shoal_record record;
    shoal_record_init(&record, H, hc);
    for (uint32_t i = 0; i < 20; i++) {
        struct shoal_touch touch = touch_at(1000 * (int64_t)i + 999, i);
        shoal_record_remember(&record, &touch, 16);
    }
    cr_assert_eq(record.ring_count, 16);
    cr_assert_eq(record.ring[0].item, 4);
    cr_assert_eq(record.ring[0].time_ms, 4000);
    cr_assert_eq(record.ring[15].item, 19);
    cr_assert_eq(record.ring[15].time_ms, 19000);
}

Test(record, ring_shrinks_when_a_model_keeps_fewer)
{
    float hc[2 * H];
    struct shoal_record record;
    shoal_record_init(&record, H, hc);
    struct shoal_touch touch = touch_at(1000, 0);
    for (touch.item = 0; touch.item < 100; touch.item++)
        shoal_record_remember(&record, &touch, 1000);
    cr_assert_eq(record.ring_count, SHOAL_RING_MAX);
    shoal_record_remember(&record, &touch, 4);
    cr_assert_eq(record.ring_count, 4);
    cr_assert_eq(record.ring[0].item, 97);
    cr_assert_eq(record.ring[3].item, 100);
}

Test(record, ring_never_goes_back_in_time)
{
    float hc[2 * H];
    struct shoal_record record;
    shoal_record_init(&record, H, hc);
    struct shoal_touch late = touch_at(9000, 1), early = touch_at(4000, 2);
    shoal_record_remember(&record, &late, 16);
    shoal_record_remember(&record, &early, 16);
    cr_assert_eq(record.ring[1].time_ms, 9000);
}

Test(record, grant_is_found_again_and_only_made_on_demand)
{
    float hc[2 * H];
    struct shoal_record record;
    shoal_record_init(&record, H, hc);
    cr_assert_null(shoal_record_grant(&record, 7, false));
    struct shoal_grant *grant = shoal_record_grant(&record, 7, true);
    grant->count = 3;
    cr_assert_eq(shoal_record_grant(&record, 7, false), grant);
    cr_assert_eq(shoal_record_grant(&record, 7, true), grant);
    cr_assert_eq(record.grants_count, 1);
}

Test(record, oldest_grant_makes_room_when_all_are_taken)
{
    float hc[2 * H];
    struct shoal_record record;
    shoal_record_init(&record, H, hc);
    for (uint32_t i = 0; i < SHOAL_GRANTS_MAX; i++)
        shoal_record_grant(&record, i + 1, true)->last_ms = i == 5 ? 10 : 100 + (int64_t)i;
    struct shoal_grant *grant = shoal_record_grant(&record, 1000, true);
    cr_assert_eq(grant, &record.grants[5]);
    cr_assert_eq(grant->last_ms, 0);
    cr_assert_eq(record.grants_count, SHOAL_GRANTS_MAX);
    cr_assert_null(shoal_record_grant(&record, 6, false));
}

Test(record, a_record_that_leaves_keeps_where_its_last_event_was)
{
    int32_t source;
    int64_t offset = shoal_record_leave(81250, 3);
    cr_assert_eq(shoal_record_leave(offset, 7), offset, "and again, without an event in between");
    shoal_record_source(offset, 7, &source, &offset);
    cr_assert_eq(source, 3);
    cr_assert_eq(offset, 81250);
    shoal_record_source(81250, 7, &source, &offset);
    cr_assert_eq(source, 7);
    cr_assert_eq(offset, 81250);
    cr_assert_eq(shoal_record_leave(-1, 3), -1);
    cr_assert_eq(shoal_record_leave(0, 131070), 131071 * (INT64_C(1) << 46));
    cr_assert_eq(shoal_record_leave(0, 131071), INT64_MIN);
}
