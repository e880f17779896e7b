/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines over stores that fail, and over stores that hold what they should not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/tick.h"
#include "tests/state/failing_store.h"
#include "tests/stream/pipeline_fixture.h"

enum { MESSAGES = 1500, USERS = 30 };

static const int64_t HOUR = 3600000, DAY = 86400000;
static const int64_t START = INT64_C(1511654400000);

static void add_event(struct log *log, unsigned user, int64_t time_ms, const char *behavior)
{
    struct log_message *message = log_next(log);
    int size = snprintf(message->value, sizeof message->value,
                        "{\"user_id\":\"u%u\",\"item_id\":%d,\"behavior\":\"%s\",\"timestamp\":%lld}",
                        user, log->count % 50, behavior, (long long)time_ms);
    log_append(log, size, snprintf(message->key, sizeof message->key, "u%u", user), 0);
}

/* Three weeks in which users come and go. */
static struct log *make_log(uint64_t seed)
{
    static const char *const behaviors[] = {"pv", "pv", "pv", "cart", "fav", "buy"};
    struct log *log = log_create(MESSAGES);
    uint64_t state = seed * 77 + 1;
    int64_t time_ms = START;
    for (int i = 0; i < MESSAGES; i++) {
        uint64_t r = next_random(&state);
        time_ms += (int64_t)(r % 100 < 98 ? r / 128 % 1800000 : r / 128 % (uint64_t)(2 * DAY));
        unsigned user = (unsigned)(i / 100 * 7 + (int)(r / 4096 % 8)) % USERS;
        add_event(log, user, time_ms, behaviors[r / 65536 % 6]);
    }
    return log;
}

/* Starts with the fixture's store inside another one. */
static void start_within(struct fixture *f, const struct log *log, struct shoal_store **store)
{
    fixture_start(f, log, 64, 0, 5);
    cr_assert_eq(shoal_failing_store_create(f->store, store), SHOAL_OK);
    f->store = *store;
    cr_assert_eq(shoal_pipeline_create(&f->options, f->store, &f->sink.base, &f->pipelines[0]),
                 SHOAL_OK);
}

/* ---- stores that fail ------------------------------------------------------------------------ */

/* A worker over a store that fails now and then, in any call: it forgets everything, takes the partition
 * again, and replays what was not saved, silently as far as its outputs were committed. */
static struct result run_failing(const struct log *log, uint64_t seed, unsigned failures[])
{
    static const enum shoal_store_call calls[] = {SHOAL_CALL_load, SHOAL_CALL_save,
                                                    SHOAL_CALL_timers};
    struct fixture f;
    struct shoal_store *store;
    struct shoal_message message = {.text = ""};
    struct shoal_checkpoint before;
    start_within(&f, log, &store);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        int64_t saved = 0, committed = 0, position = 0, count = log->offsets[p];
        const struct shoal_input **mine = calloc((size_t)count + 1, sizeof *mine);
        cr_assert_not_null(mine);
        for (int i = 0; i < log->count; i++) {
            if (log->inputs[i].partition == p)
                mine[log->inputs[i].offset] = &log->inputs[i];
        }
        while (saved < count) {
            uint64_t r = next_random(&seed);
            enum shoal_store_call call = calls[r / 64 % 3];
            if (r / 256 % 4 == 0)
                shoal_failing_store_plan(store, call,
                                         (struct shoal_failure){1 + r / 1024 % 2, 1,
                                                                SHOAL_UNAVAILABLE,
                                                                r / 4096 % 2, false});
            for (uint64_t n = r % 40; n > 0 && position < count; n--, position++)
                check(shoal_pipeline_add(f.pipelines[0], mine[position], position < committed),
                      &message);
            enum shoal_status status = shoal_pipeline_run(f.pipelines[0], &message);
            if (status == SHOAL_OK) {
                sink_commit(&f.sink);
                committed = position > committed ? position : committed;
                if (r / 8192 % 3 == 0)
                    status = shoal_pipeline_save(f.pipelines[0], p, position, &message);
                if (status == SHOAL_OK && r / 8192 % 3 == 0)
                    saved = position;
            }
            if (status == SHOAL_OK)
                continue;
            cr_assert_eq(status, SHOAL_UNAVAILABLE);
            cr_assert_str_eq(message.text, "failure planned by the test");
            failures[call]++;
            sink_abort(&f.sink);
            shoal_pipeline_drop(f.pipelines[0], -1);
            check(store->ops->acquire(store, p, &before, &message), &message);
            saved = position = before.next_offset < 0 ? 0 : before.next_offset;
        }
        shoal_failing_store_plan(store, SHOAL_CALL_load, (struct shoal_failure){0});
        free((void *)mine);
    }
    return fixture_end(&f);
}

Test(pipeline_faults, a_store_that_fails_in_any_call_changes_no_bit_of_the_result)
{
    unsigned failures[SHOAL_STORE_CALLS_COUNT] = {0};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct log *log = make_log(seed);
        struct result expected = run_plain(log, 4096, 1, log->count, 0);
        log->piece = seed % 3; /* more calls that can fail */
        struct result got = run_failing(log, seed * 1000003, failures);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        log_destroy(log);
    }
    cr_assert_gt(failures[SHOAL_CALL_timers], 5);
    cr_assert_gt(failures[SHOAL_CALL_load], 20);
    cr_assert_gt(failures[SHOAL_CALL_save], 20);
}

Test(pipeline_faults, timers_that_cannot_be_fetched_stop_the_batch_before_anything_is_said)
{
    struct log *log = make_log(1);
    struct fixture f;
    struct shoal_store *store;
    struct shoal_message message = {.text = ""};
    start_within(&f, log, &store);
    shoal_failing_store_plan(store, SHOAL_CALL_timers,
                             (struct shoal_failure){1, 1, SHOAL_TIMED_OUT, false, false});
    check(shoal_pipeline_add(f.pipelines[0], &log->inputs[0], false), &message);
    cr_assert_eq(shoal_pipeline_run(f.pipelines[0], &message), SHOAL_TIMED_OUT);
    cr_assert_str_eq(message.text, "failure planned by the test");
    cr_assert_eq(f.sink.count, 0);
    shoal_pipeline_drop(f.pipelines[0], -1);
    check(shoal_pipeline_add(f.pipelines[0], &log->inputs[0], false), &message);
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    cr_assert_gt(f.sink.count, 0);
    size_t messages;
    int64_t watermark_ms;
    shoal_pipeline_drop(f.pipelines[0], -1);
    shoal_failing_store_plan(store, SHOAL_CALL_timers,
                             (struct shoal_failure){1, 1, SHOAL_TIMED_OUT, false, false});
    cr_assert_eq(shoal_pipeline_due(f.pipelines[0], 0, START, &messages, &watermark_ms, &message),
                 SHOAL_TIMED_OUT);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

/* ---- stores that hold what they should not --------------------------------------------------------- */

static void put(struct shoal_store *store, int32_t partition, const char *user, const void *bytes,
                size_t size, int64_t timer_ms)
{
    struct shoal_save_item item = {
        .user = {user, strlen(user)},
        .value = {bytes, size},
        .timer_moves = timer_ms > 0,
        .timer_ms = timer_ms,
    };
    cr_assert_eq(store->ops->save(store, partition, &item, 1, 1, 1, NULL), SHOAL_OK);
}

Test(pipeline_faults, a_damaged_state_of_the_partition_is_reported_and_nothing_is_said)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum shoal_status status;
    } cases[] = {
        {"", 0, SHOAL_DAMAGED},
        {"garbage", 7, SHOAL_DAMAGED},
        {"\x95\x02\x94\x00\xc2\x00\x00\x91\xff\xc4\x01\x00", 12, SHOAL_DAMAGED},
        {"\x95\x63\xc0\xc0\xc0\xc0", 6, SHOAL_VERSION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct log *log = make_log(1);
        struct fixture f;
        struct shoal_message message = {.text = ""};
        char expected[40];
        int32_t partition = log->inputs[0].partition;
        fixture_start(&f, log, 64, 1, 5);
        put(f.store, partition, "", cases[i].bytes, cases[i].size, 0);
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[0], false), &message);
        cr_assert_eq(shoal_pipeline_run(f.pipelines[0], &message), cases[i].status);
        (void)snprintf(expected, sizeof expected, "partition %d: ", (int)partition);
        cr_assert_eq(strncmp(message.text, expected, strlen(expected)), 0, "%s", message.text);
        cr_assert(strstr(message.text, shoal_status_text(cases[i].status)), "%s", message.text);
        cr_assert_eq(f.sink.count, 0);
        struct result result = fixture_end(&f);
        result_finish(&result);
        log_destroy(log);
    }
}

/* The real store's answers, and one entry more that no record knows of. */
struct haunted_store {
    struct shoal_store base;
    struct shoal_store *inner;
    struct shoal_store_ops ops;
    const char *user;
    int64_t timer_ms;
    size_t shown;
};

static struct haunted_store haunted; /* one a test, and tests are processes of their own */

static enum shoal_status haunted_timers(struct shoal_store *store, int32_t partition,
                                        int64_t after_ms, size_t limit,
                                        shoal_store_visit_timer visit, void *opaque,
                                        int64_t *until_ms, struct shoal_message *message)
{
    enum shoal_status status =
        haunted.inner->ops->timers(store, partition, after_ms, limit, visit, opaque, until_ms,
                                   message);
    bool shows = status == SHOAL_OK && haunted.timer_ms > after_ms && haunted.timer_ms <= *until_ms;
    haunted.shown += shows;
    return shows ? visit(opaque, (struct shoal_slice){haunted.user, strlen(haunted.user)},
                         haunted.timer_ms)
                 : status;
}

/* As run_plain in batches of one partition's, over a haunted store. */
static struct result run_haunted(const struct log *log, const char *user, int64_t timer_ms)
{
    struct fixture f;
    struct shoal_store real;
    struct shoal_message message = {.text = ""};
    int64_t next[PARTITIONS] = {0};
    fixture_start(&f, log, 64, 1, 5);
    real = *f.store;
    haunted = (struct haunted_store){
        .inner = &real, .ops = *f.store->ops, .user = user, .timer_ms = timer_ms};
    haunted.ops.timers = haunted_timers;
    f.store->ops = &haunted.ops;
    for (int i = 0; i < log->count; i++) {
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
        next[log->inputs[i].partition] = log->inputs[i].offset + 1;
        if (i % 50 != 49 && i + 1 != log->count)
            continue;
        check(shoal_pipeline_run(f.pipelines[0], &message), &message);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[0], p, next[p], &message), &message);
        shoal_pipeline_drop(f.pipelines[0], -1);
    }
    cr_assert_gt(haunted.shown, 2);
    f.store->ops = real.ops;
    return fixture_end(&f);
}

Test(pipeline_faults, an_entry_without_a_record_is_ignored)
{
    struct log *log = make_log(3);
    struct result expected = run_plain(log, 64, 1, log->count, 0);
    struct result got = run_haunted(log, "ghost", START + 5 * DAY);
    assert_same(&got, &expected);
    result_finish(&got);
    result_finish(&expected);
    log_destroy(log);
}

Test(pipeline_faults, an_entry_with_another_due_time_than_its_record_is_ignored)
{
    struct log *log = make_log(3);
    struct result expected = run_plain(log, 64, 1, log->count, 0);
    for (int64_t hours = 1; hours < 500; hours += 83) {
        struct result got = run_haunted(log, "u3", START + hours * HOUR);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    log_destroy(log);
}

/* ---- the end of time ----------------------------------------------------------------------- */

/* A record that could be written but not read again would stop its partition for ever. */
Test(pipeline_faults, an_event_in_the_last_second_of_time_leaves_a_record_that_can_be_read)
{
    struct log *log = log_create(3);
    struct fixture f;
    struct shoal_message message = {.text = ""};
    fixture_start(&f, log, 64, 1, 5);
    add_event(log, 1, SHOAL_TIME_MAX_MS, "buy");
    add_event(log, 1, SHOAL_TIME_MAX_MS, "cart");
    for (int i = 0; i < log->count; i++) {
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
        check(shoal_pipeline_run(f.pipelines[0], &message), &message);
        check(shoal_pipeline_save(f.pipelines[0], log->inputs[i].partition, i + 1, &message),
              &message);
        shoal_pipeline_drop(f.pipelines[0], -1);
    }
    cr_assert_eq(shoal_pipeline_counts(f.pipelines[0])->events, 2);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}
