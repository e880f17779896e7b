/* SPDX-License-Identifier: Apache-2.0 */
/* What happens because nothing happens, as properties over logs that span weeks: outputs and records are the
 * same bits however a log is cut, saved, dropped, spread over workers and crashed into; and single promises. */
#include "tests/stream/timers_logs.h"

/* Thousands who come once, within minutes, most of whom leave a cart; then a few who go on, and whose messages
 * draw the timers of all of them, some at a time: first in a hurry, so that more fall due within one span than
 * it has room for, then for two days. */
static struct log *make_crowd(void)
{
    enum { CROWD = 3000, REST = 900 };
    struct log *log = log_create(CROWD + REST);
    log->cache_users = 16384;
    for (int i = 0; i < CROWD; i++)
        log_event(log, (unsigned)i, START + i * 100, i % 3 ? "cart" : "pv", i, "}");
    for (int i = 0; i < REST; i++)
        log_event(log, (unsigned)i % 16, START + 2 * HOUR + (i < 300 ? i * 100 : i * 5 * MIN), "pv",
                  CROWD + i, "}");
    return log;
}

/* ---- what happened ------------------------------------------------------------------------- */

/* Changes in a dimension to a level, because time passed (or because of an event). */
static size_t count_changes(const struct result *result, const char *dimension, const char *to,
                            bool timer)
{
    char change[100], level[100];
    size_t count = 0;
    (void)snprintf(change, sizeof change, "\"dimension\":\"%s\"", dimension);
    (void)snprintf(level, sizeof level, to ? "\"to\":\"%s\"" : "\"to\":null", to);
    for (size_t i = 0; i < result->count; i++) {
        const char *line = result->lines[i];
        const char *user = strstr(line, "\"user_id\"");
        const char *at = strchr(line, '@');
        if (strstr(line, change) && strstr(line, level))
            count += (at && at < user) == timer;
    }
    return count;
}

static void assert_everything_happened(const struct result *result)
{
    cr_assert_gt(count_changes(result, "lifecycle", "active", true), 20);
    cr_assert_gt(count_changes(result, "lifecycle", "lapsing", true), 100);
    cr_assert_gt(count_changes(result, "lifecycle", "inactive", true), 60);
    cr_assert_gt(count_changes(result, "lifecycle", "returning", false), 50);
    cr_assert_gt(count_changes(result, "intent", "cold", true), 20);
    cr_assert_gt(count_changes(result, "first_time_buyer", "yes", false), 20);
    cr_assert_gt(count_changes(result, "first_time_buyer", NULL, true), 0);
    cr_assert_eq(count_changes(result, "lifecycle", "returning", true), 0);
}

/* ---- identical bits ------------------------------------------------------------------------ */

static void assert_any_way(const struct log *log, const struct result *expected)
{
    static const struct {
        size_t batch, piece;
        unsigned workers;
        int save_every;
        uint64_t cut_seed;
    } ways[] = {
        {1, 0, 1, 1, 0},      {1, 3, 1, INT32_MAX, 0},  {7, 0, 2, INT32_MAX, 0},
        {64, 5, 3, 250, 91},  {4096, 1, 1, 1000, 0},    {500, 0, 4, 37, 5},
        {4096, 0, 2, 13, 0},  {64, 2, 1, INT32_MAX, 17},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct log as = *log;
        as.piece = ways[i].piece;
        struct result got = run_plain(&as, ways[i].batch, ways[i].workers,
                                      ways[i].save_every < log->count ? ways[i].save_every
                                                                      : log->count,
                                      ways[i].cut_seed);
        assert_same(&got, expected);
        result_finish(&got);
    }
}

static void check_weeks(bool online)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct log *log = make_weeks(seed, online);
        struct result expected = run_plain(log, 4096, 1, log->count, 0);
        assert_everything_happened(&expected);
        assert_any_way(log, &expected);
        result_finish(&expected);
        log_destroy(log);
    }
}

Test(pipeline_timers, weeks_with_silent_users_are_identical_bits_however_they_are_cut)
{
    check_weeks(false);
}

Test(pipeline_timers, the_same_with_corrected_scores)
{
    check_weeks(true);
}

static void check_crashes(bool online)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct log *log = make_weeks(seed, online);
        unsigned crashes = 0;
        struct result expected = run_plain(log, 4096, 1, log->count, 0);
        log->piece = seed % 3;
        struct result got = run_crashing(log, seed * 1000003, &crashes);
        cr_assert_gt(crashes, 5);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        log_destroy(log);
    }
}

Test(pipeline_timers, any_restart_point_gives_identical_bits)
{
    check_crashes(false);
}

Test(pipeline_timers, any_restart_point_gives_identical_bits_with_corrected_scores)
{
    check_crashes(true);
}

Test(pipeline_timers, thousands_due_at_once_are_identical_bits_however_they_are_cut)
{
    struct log *log = make_crowd();
    struct result expected = run_plain(log, 1, 1, log->count, 0);
    cr_assert_gt(count_changes(&expected, "lifecycle", "active", true), 2 * TIMERS_MAX);
    assert_any_way(log, &expected);
    unsigned crashes = 0;
    struct result crashed = run_crashing(log, 77, &crashes);
    cr_assert_gt(crashes, 5);
    assert_same(&crashed, &expected);
    result_finish(&crashed);
    result_finish(&expected);
    log_destroy(log);
}

/* A user of a partition, beyond `from`. */
static unsigned user_in(int32_t partition, unsigned from)
{
    char key[16];
    for (;; from++) {
        int size = snprintf(key, sizeof key, "u%u", from);
        if (shoal_partition_of(key, (size_t)size, PARTITIONS) == partition)
            return from;
    }
}

/* Sixteen of a partition's users fall due with an event, and are armed again for as soon as may be, which is
 * when the message after it comes: it has to see them, although both are in one span. (With corrected
 * scores, that event begins an hour, and so a span, that nothing else ends.) */
Test(pipeline_timers, what_a_timer_arms_is_seen_by_the_next_message_of_the_batch)
{
    enum { SILENT = 20 };
    struct log *log = log_create(2 * SILENT + 2);
    unsigned users[SILENT + 1], user = 0;
    log->online = true;
    for (int i = 0; i <= SILENT; i++, user++)
        user = users[i] = user_in(0, user);
    for (int i = 0; i < SILENT; i++) /* new until the next day */
        log_event(log, users[i], START, "pv", i, "}");
    for (int i = 0; i < SILENT; i++) /* with a cart half an hour before that */
        log_event(log, users[i], START + DAY - 30 * MIN, "cart", SILENT + i, "}");
    log_event(log, users[SILENT], START + DAY + 1000, "pv", 1000, "}");
    add_tick(log, 0, START + DAY + HOUR);
    struct result by_one = run_plain(log, 1, 1, log->count, 0);
    struct result at_once = run_plain(log, 4096, 1, log->count, 0);
    assert_same(&at_once, &by_one);
    result_finish(&by_one);
    result_finish(&at_once);
    log_destroy(log);
}

/* Two things fall due within the least delay, the second is looked for late, and an event that does not look
 * comes in between. */
Test(pipeline_timers, what_fell_due_before_the_last_event_is_told_as_of_that_event)
{
    struct log *log = log_create(16);
    unsigned user = user_in(0, 0);
    const int64_t bought_ms = START - START % HOUR + 35 * MIN, due_ms = bought_ms + 30 * DAY;
    char last[25];
    log_event(log, user, bought_ms, "buy", 0, "}");
    for (int i = 1; i <= 4; i++)
        log_event(log, user, bought_ms + i * 1000, "pv", i, "}");
    add_tick(log, 0, due_ms - 90 * MIN);
    log_event(log, user, due_ms - 80 * MIN, "cart", 5, "}");
    add_tick(log, 0, due_ms - 19 * MIN); /* cart_idle */
    log_event(log, user, due_ms - 15 * MIN, "pv", 6, "}");
    log_event(log, user, due_ms + 15 * MIN, "pv", 7, "}");
    add_tick(log, 0, due_ms + 60 * MIN);
    struct result result = run_plain(log, 64, 1, log->count, 0);
    shoal_time_print(due_ms + 15 * MIN, last);
    const char *left = NULL;
    for (size_t i = 0; i < result.count; i++)
        if (strstr(result.lines[i], "\"dimension\":\"first_time_buyer\",\"from\":\"yes\""))
            left = result.lines[i];
    cr_assert_not_null(left);
    cr_assert_not_null(strchr(left, '@'), "by a timer: %s", left);
    cr_assert_not_null(strstr(left, last), "%s, wanted at %s", left, last);
    result_finish(&result);
    log_destroy(log);
}

/* ---- single promises ----------------------------------------------------------------------- */

static void apply(struct fixture *f, const struct log *log, int from)
{
    struct shoal_message message = {.text = ""};
    for (int i = from; i < log->count; i++) {
        check(shoal_pipeline_add(f->pipelines[0], &log->inputs[i], false), &message);
        check(shoal_pipeline_run(f->pipelines[0], &message), &message);
    }
}

static uint64_t timers_of(const struct fixture *f)
{
    return shoal_pipeline_counts(f->pipelines[0])->timers;
}

Test(pipeline_timers, a_clock_far_ahead_in_one_message_does_not_fire_everyones_timers)
{
    struct log *log = log_create(200);
    struct fixture f;
    fixture_start(&f, log, 1, 1, 5);
    for (int i = 0; i < 50; i++)
        log_event(log, (unsigned)i, START + i * 1000, "pv", i, "}");
    log_event(log, 7, START + 30 * DAY, "pv", 50, "}");
    log_event(log, 7, START + 30 * DAY, "pv", 51, "}");
    for (int i = 0; i < 50; i++)
        log_event(log, (unsigned)i, START + MIN + i * 1000, "pv", 100 + i, "}");
    apply(&f, log, 0);
    cr_assert_eq(timers_of(&f), 0);
    int from = log->count;
    for (int i = 0; i < 50; i++)
        log_event(log, (unsigned)i, START + 30 * DAY + i, "pv", 200 + i, "}");
    apply(&f, log, from);
    cr_assert_gt(timers_of(&f), 50, "now all say so");
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline_timers, at_most_sixteen_fall_due_with_a_message_until_none_is_due)
{
    struct log *log = log_create(700);
    struct fixture f;
    struct shoal_message message = {.text = ""};
    fixture_start(&f, log, 1, 1, 5);
    f.options.cache_users = 4096;
    shoal_pipeline_destroy(f.pipelines[0]);
    check(shoal_pipeline_create(&f.options, f.store, &f.sink.base, &f.pipelines[0]), &message);
    size_t in_first = 0;
    for (int i = 0; i < 400; i++) {
        log_event(log, (unsigned)i, START, "pv", i, "}");
        in_first += log->inputs[i].partition == 0;
    }
    apply(&f, log, 0);
    size_t messages, left = in_first;
    int64_t watermark_ms;
    check(shoal_pipeline_due(f.pipelines[0], 0, START + DAY, &messages, &watermark_ms, &message),
          &message);
    cr_assert_eq(messages, (in_first + 15) / 16);
    cr_assert_eq(watermark_ms, START);
    for (size_t i = 0; i < messages; i++) {
        uint64_t before = timers_of(&f);
        int from = log->count;
        add_tick(log, 0, START + DAY);
        apply(&f, log, from);
        size_t fired = (size_t)(timers_of(&f) - before);
        cr_assert_eq(fired, left < 16 ? left : 16);
        left -= fired;
    }
    cr_assert_eq(left, 0);
    check(shoal_pipeline_due(f.pipelines[0], 0, START + DAY, &messages, &watermark_ms, &message),
          &message);
    cr_assert_eq(messages, 0);
    cr_assert_eq(watermark_ms, START + DAY);
    for (int32_t p = 0; p < PARTITIONS; p++)
        check(shoal_pipeline_save(f.pipelines[0], p, 1, &message), &message);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

/* Shoppers who come several times a day, for days. */
Test(pipeline_timers, an_event_costs_no_write_to_the_index_most_of_the_time)
{
    enum { STEADY = 100, EVENTS = 40000 };
    struct log *log = log_create(EVENTS);
    struct fixture f;
    struct shoal_message message = {.text = ""};
    uint64_t state = 4711;
    int64_t next[PARTITIONS] = {0};
    fixture_start(&f, log, 64, 1, 5);
    for (int i = 0; i < EVENTS; i++) {
        uint64_t r = next_random(&state);
        log_event(log, (unsigned)(r % STEADY), START + i * 10000, r / 128 % 50 ? "pv" : "cart", i,
                  "}");
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
        next[log->inputs[i].partition] = log->inputs[i].offset + 1;
        if (i % 20 != 19)
            continue;
        check(shoal_pipeline_run(f.pipelines[0], &message), &message);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[0], p, next[p], &message), &message);
    }
    const struct spying_counts *counts = spying_store_counts(f.store);
    cr_log_info("%zu records saved, %zu entries moved", counts->saved, counts->moved);
    cr_assert_gt(counts->saved, EVENTS / 2);
    cr_assert_gt(counts->moved, STEADY);
    cr_assert_lt(counts->moved * 20, counts->saved, "less than one in twenty");
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

/* Times with milliseconds: an entry is at a whole second, which is not before what falls due. */
Test(pipeline_timers, an_event_that_moves_no_timer_leaves_no_trace_in_the_queue)
{
    struct log *log = log_create(1000);
    struct fixture f;
    fixture_start(&f, log, 1, 1, 5);
    for (int i = 0; i < 1000; i++)
        log_event(log, 3, START + 1 + i * 20011, "pv", i, "}");
    apply(&f, log, 0);
    const struct shoal_partition_state *state =
        shoal_partition_states_known(&f.pipelines[0]->states, log->inputs[0].partition);
    cr_assert_not_null(state);
    cr_assert(state->timers.fetched);
    cr_assert_eq(state->timers.heap.count, 1);
    cr_assert_eq(state->timers.voided.count, 0);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline_timers, a_message_that_tells_a_time_in_its_future_is_a_dead_letter)
{
    struct log *log = log_create(2);
    struct fixture f;
    fixture_start(&f, log, 1, 1, 5);
    add_tick(log, 0, START + 3 * DAY);
    log->inputs[0].timestamp_ms = START;
    apply(&f, log, 0);
    cr_assert_eq(shoal_pipeline_counts(f.pipelines[0])->deadletters, 1);
    const struct shoal_partition_state *state =
        shoal_partition_states_known(&f.pipelines[0]->states, 0);
    cr_assert_eq(state->tally.deadletters, 1);
    cr_assert_eq(state->watermark.time_ms, -1);
    int from = log->count;
    add_tick(log, 0, START + 3 * DAY);
    log->inputs[from].timestamp_ms = START + 3 * DAY - 5;
    apply(&f, log, from);
    cr_assert_eq(shoal_pipeline_counts(f.pipelines[0])->deadletters, 1);
    cr_assert_eq(shoal_partition_states_known(&f.pipelines[0]->states, 0)->watermark.time_ms,
                 START + 3 * DAY);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}
