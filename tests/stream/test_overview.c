/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/history.h"
#include "stream/partition_state.h"
#include "tests/state/leaks.h"

static const int64_t START = INT64_C(1512000000000);

static void save(struct shoal_store *store, int32_t partition, int64_t next_offset, uint64_t users)
{
    struct shoal_checkpoint before;
    struct shoal_buffer bytes = {0};
    struct shoal_partition_state state = {0};
    shoal_partition_state_init(&state);
    state.watermark.time_ms = START;
    state.tally.users = users;
    state.tally.events = 10 * users;
    for (uint64_t i = 0; i < users; i++)
        shoal_tally_move(&state.tally, NULL, SHOAL_INTENT, 0, i % 2 ? SHOAL_HOT : SHOAL_COLD);
    shoal_partition_state_encode(&state, &bytes);
    struct shoal_save_item item = {.user = {"", 0}, .value = {bytes.bytes, bytes.size}};
    cr_assert_eq(store->ops->acquire(store, partition, &before, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->save(store, partition, &item, 1, next_offset, 1, NULL), SHOAL_OK);
    shoal_buffer_finish(&bytes);
}

Test(overview, partitions_are_added_up_and_one_without_a_state_counts_nothing)
{
    struct shoal_store *store;
    struct shoal_overview overview;
    struct shoal_message message;
    cr_assert_eq(shoal_memory_store_create(&store), SHOAL_OK);
    save(store, 0, 100, 4);
    save(store, 2, 50, 3);
    cr_assert_eq(shoal_overview_read(store, 3, NULL, NULL, &overview, &message), SHOAL_OK);
    cr_assert_eq(overview.tally.users, 7);
    cr_assert_eq(shoal_tally_at(&overview.tally, SHOAL_INTENT, SHOAL_HOT), 3);
    cr_assert_eq(overview.partitions[0].next_offset, 100);
    cr_assert_eq(overview.partitions[1].next_offset, -1);
    cr_assert_eq(overview.partitions[1].event_ms, -1);
    cr_assert_eq(overview.partitions[2].event_ms, START);
    cr_assert_eq(shoal_overview_lag(&overview), -1, "the ends are not known");
    overview.partitions[0].end_offset = 130;
    overview.partitions[1].end_offset = 5;
    overview.partitions[2].end_offset = 40; /* of a moment before */
    cr_assert_eq(shoal_overview_lag(&overview), 35);
    shoal_overview_finish(&overview);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(overview, a_damaged_state_is_told_with_its_partition)
{
    struct shoal_store *store;
    struct shoal_overview overview;
    struct shoal_message message = {.text = ""};
    struct shoal_checkpoint before;
    struct shoal_save_item item = {.user = {"", 0}, .value = {"nonsense", 8}};
    cr_assert_eq(shoal_memory_store_create(&store), SHOAL_OK);
    cr_assert_eq(store->ops->acquire(store, 1, &before, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->save(store, 1, &item, 1, 1, 1, NULL), SHOAL_OK);
    cr_assert_eq(shoal_overview_read(store, 2, NULL, NULL, &overview, &message), SHOAL_DAMAGED);
    cr_assert_not_null(strstr(message.text, "partition 1"), "%s", message.text);
    shoal_overview_finish(&overview);
    store->ops->destroy(store);
    test_no_leaks();
}

/* ---- history ------------------------------------------------------------------------------- */

static struct shoal_overview *at(int64_t seconds, uint64_t events)
{
    static struct shoal_overview overview;
    overview.as_of_ms = START + seconds * 1000;
    overview.tally.events = events;
    return &overview;
}

static char *put(const struct shoal_history *history, unsigned minutes)
{
    char *text = NULL;
    size_t size;
    struct shoal_put json = {.out = open_memstream(&text, &size)};
    shoal_history_put(history, &json, minutes, NULL);
    fclose(json.out);
    return text;
}

Test(history, rates_are_those_between_samples_and_the_first_is_not_known)
{
    struct shoal_history *history = shoal_history_create();
    cr_assert(isnan(shoal_history_pace(history, at(0, 5))));
    shoal_history_add(history, at(0, 1000));
    shoal_history_add(history, at(10, 3000));
    shoal_history_add(history, at(20, 3500));
    shoal_history_add(history, at(30, 100)); /* states that began anew */
    char *text = put(history, 60);
    cr_assert_not_null(strstr(text, "\"interval_seconds\":10,"), "%s", text);
    cr_assert_not_null(strstr(text, "\"events_per_second\":[null,200,50,null]"), "%s", text);
    free(text);
    text = put(history, 1);
    cr_assert_not_null(strstr(text, "\"events_per_second\":[null,200,50,null]"), "%s", text);
    free(text);
    cr_assert_float_eq(shoal_history_pace(history, at(40, 600)), 50, 1e-9);
    shoal_history_destroy(history);
    test_no_leaks();
}

Test(history, a_day_is_kept_and_an_answer_has_a_bound_and_ends_with_the_newest)
{
    struct shoal_history *history = shoal_history_create();
    for (int i = 0; i < SHOAL_HISTORY_SAMPLES + 500; i++)
        shoal_history_add(history, at(10 * (int64_t)i, 100 * (uint64_t)i));
    char *text = put(history, SHOAL_HISTORY_MINUTES);
    unsigned points = 0;
    for (const char *point = text; (point = strstr(point, "Z\"")); point++)
        points++;
    cr_assert_leq(points, SHOAL_HISTORY_POINTS);
    cr_assert_gt(points, SHOAL_HISTORY_POINTS - 3);
    cr_assert_not_null(strstr(text, "\"interval_seconds\":120,"));
    cr_assert_not_null(strstr(text, ",10,10]"), "ten events a second, whatever the interval");
    free(text);
    text = put(history, 1);
    points = 0;
    for (const char *point = text; (point = strstr(point, "Z\"")); point++)
        points++;
    cr_assert_eq(points, 6);
    free(text);
    shoal_history_destroy(history);
    test_no_leaks();
}
