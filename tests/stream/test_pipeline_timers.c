/* SPDX-License-Identifier: Apache-2.0 */
/* What happens because nothing happens, as properties over logs that span weeks: outputs and records are the
 * same bits however a log is cut, saved, dropped, spread over workers and crashed into, and they are those
 * that the rule of watermark.h asks for, message by message. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/pipeline_internal.h"
#include "stream/tick.h"
#include "tests/state/spying_store.h"
#include "tests/stream/pipeline_fixture.h"

enum { GROUPS = 6, GROUP_USERS = 12, USERS = GROUPS * GROUP_USERS, WEEKS_MESSAGES = 4000 };

static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;
static const int64_t START = INT64_C(1511654400000); /* midnight UTC */

/* ---- logs ---------------------------------------------------------------------------------- */

static void add_event(struct log *log, unsigned user, int64_t time_ms, const char *behavior,
                      int event_id, const char *end)
{
    struct log_message *message = log_next(log);
    int size = snprintf(message->value, sizeof message->value,
                        "{\"user_id\":\"u%u\",\"item_id\":%u,\"category_id\":%u,\"behavior\":\"%s\","
                        "\"timestamp\":%lld,\"price\":%u.5,\"event_id\":\"e%d\"%s",
                        user, (unsigned)event_id % 53, (unsigned)event_id % 7, behavior,
                        (long long)time_ms, 3 + (unsigned)event_id % 11, event_id, end);
    log_append(log, size, snprintf(message->key, sizeof message->key, "u%u", user), 0);
}

static void add_tick(struct log *log, int32_t partition, int64_t time_ms)
{
    char *text = log_next(log)->value;
    log_append(log, (int)shoal_tick_print(time_ms, text), 0, partition);
}

/* Two months in which groups of users take turns, so that most are silent for days or weeks, with nights,
 * days on which nobody comes, late events by hours and days, clocks that are days ahead, repeats, dead
 * letters, and messages that tell the time. */
static struct log *make_weeks(uint64_t seed, bool online)
{
    static const char *const behaviors[] = {"pv", "pv", "pv", "pv", "cart", "fav", "buy", "cart"};
    struct log *log = log_create(WEEKS_MESSAGES);
    uint64_t state = seed * 77 + 1;
    int64_t time_ms = START + HOUR + 345;
    log->online = online;
    for (int i = 0; i < WEEKS_MESSAGES; i++) {
        uint64_t r = next_random(&state), q = next_random(&state);
        unsigned kind = (unsigned)(r % 100);
        if (kind < 80)
            time_ms += (int64_t)(q % 240000);
        else if (kind < 98)
            time_ms += (int64_t)(q % 50) * MIN;
        else if (kind == 98)
            time_ms += HOUR + (int64_t)(q % 9) * HOUR;
        else if (q % 4 == 0)
            time_ms += (int64_t)(1 + q / 8 % 6) * DAY;
        if (r / 128 % 23 == 0) {
            add_tick(log, (int32_t)(q / 64 % PARTITIONS), time_ms + (q / 512 % 3 == 0) * HOUR);
            continue;
        }
        unsigned group = (unsigned)(i / 160) + (r / 4096 % 25 == 0) * (unsigned)(q / 4096 % GROUPS);
        unsigned user = group % GROUPS * GROUP_USERS + (unsigned)(r / 65536 % GROUP_USERS);
        int64_t event_ms = time_ms;
        if (r / 1048576 % 31 == 0)
            event_ms -= HOUR;
        else if (r / 1048576 % 47 == 0)
            event_ms -= (int64_t)(q / 65536 % 5) * DAY;
        else if (r / 1048576 % 89 == 0)
            event_ms += 3 * DAY;
        add_event(log, user, event_ms, behaviors[q / 1048576 % 8],
                  i - (r / 67108864 % 31 == 0 ? 3 : 0), r / 67108864 % 61 == 0 ? "" : "}");
    }
    return log;
}

/* Thousands who come once, within minutes, most of whom leave a cart; then a few who go on, and whose messages
 * draw the timers of all of them, some at a time: first in a hurry, so that more fall due within one span than
 * it has room for, then for two days. */
static struct log *make_crowd(void)
{
    enum { CROWD = 3000, REST = 900 };
    struct log *log = log_create(CROWD + REST);
    log->cache_users = 16384;
    for (int i = 0; i < CROWD; i++)
        add_event(log, (unsigned)i, START + i * 100, i % 3 ? "cart" : "pv", i, "}");
    for (int i = 0; i < REST; i++)
        add_event(log, (unsigned)i % 16, START + 2 * HOUR + (i < 300 ? i * 100 : i * 5 * MIN), "pv",
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
        add_event(log, users[i], START, "pv", i, "}");
    for (int i = 0; i < SILENT; i++) /* with a cart half an hour before that */
        add_event(log, users[i], START + DAY - 30 * MIN, "cart", SILENT + i, "}");
    add_event(log, users[SILENT], START + DAY + 1000, "pv", 1000, "}");
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
    add_event(log, user, bought_ms, "buy", 0, "}");
    for (int i = 1; i <= 4; i++)
        add_event(log, user, bought_ms + i * 1000, "pv", i, "}");
    add_tick(log, 0, due_ms - 90 * MIN);
    add_event(log, user, due_ms - 80 * MIN, "cart", 5, "}");
    add_tick(log, 0, due_ms - 19 * MIN); /* cart_idle */
    add_event(log, user, due_ms - 15 * MIN, "pv", 6, "}");
    add_event(log, user, due_ms + 15 * MIN, "pv", 7, "}");
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

/* ---- the rule, message by message ------------------------------------------------------------ */

/* The store's view of one user, and how it was before the message. */
struct seen {
    bool there;
    int32_t partition;
    struct shoal_record record, before;
    float hc[2 * 16], before_hc[2 * 16];
    uint64_t bytes, bytes_before; /* a hash of the record */
};

struct rule {
    struct seen users[USERS];
    struct shoal_watermark marks[PARTITIONS];
    size_t records, entries; /* found in the store's last look */
    size_t fired, carts, most_at_once, left_over;
};

static unsigned user_number(struct shoal_slice user)
{
    char text[16] = "";
    cr_assert_lt(user.size, sizeof text);
    memcpy(text, user.bytes, user.size);
    cr_assert_eq(text[0], 'u');
    unsigned number = (unsigned)atoi(text + 1);
    cr_assert_lt(number, USERS);
    return number;
}

static enum shoal_status see_record(void *opaque, int32_t partition, struct shoal_slice user,
                                    struct shoal_slice value)
{
    struct rule *rule = opaque;
    struct seen *seen = &rule->users[user_number(user)];
    seen->there = true;
    seen->partition = partition;
    seen->bytes = 14695981039346656037u;
    for (size_t i = 0; i < value.size; i++)
        seen->bytes = (seen->bytes ^ ((const uint8_t *)value.bytes)[i]) * 1099511628211u;
    rule->records += 1;
    return shoal_record_decode(&seen->record, value.bytes, value.size);
}

static enum shoal_status see_entry(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct rule *rule = opaque;
    cr_assert_eq(timer_ms, rule->users[user_number(user)].record.timer_ms);
    rule->entries++;
    return SHOAL_OK;
}

/* Looks at the whole store. The index has to say just what the records say. */
static void look(struct rule *rule, struct shoal_store *store)
{
    size_t armed = 0;
    int64_t until_ms;
    for (size_t u = 0; u < USERS; u++) {
        struct seen *seen = &rule->users[u];
        seen->before = seen->record;
        memcpy(seen->before_hc, seen->hc, sizeof seen->hc);
        seen->bytes_before = seen->bytes;
    }
    rule->entries = 0;
    cr_assert_eq(store->ops->scan(store, see_record, rule, NULL), SHOAL_OK);
    for (int32_t p = 0; p < PARTITIONS; p++)
        cr_assert_eq(store->ops->timers(store, p, 0, SIZE_MAX, see_entry, rule, &until_ms, NULL),
                     SHOAL_OK);
    for (size_t u = 0; u < USERS; u++)
        armed += rule->users[u].there && rule->users[u].record.timer_ms > 0;
    cr_assert_eq(rule->entries, armed, "a user has one entry at most, and only if the record says so");
}

static int64_t event_time(const struct shoal_input *input)
{
    const char *at = strstr(input->value, "\"timestamp\":");
    return at ? atoll(at + strlen("\"timestamp\":")) : -1;
}


/* Who falls due before a message: due[0 … result − 1], at most sixteen, in their order. */
static size_t predict(struct rule *rule, const struct shoal_input *input, unsigned due[16],
                      int64_t *tick_ms)
{
    struct shoal_watermark *mark = &rule->marks[input->partition];
    bool taken[USERS] = {false};
    size_t count = 0, all = 0;
    int64_t told_ms;
    if (shoal_tick_parse(input->value, input->value_size, &told_ms))
        shoal_watermark_tell(mark, told_ms);
    else if (((const char *)input->value)[input->value_size - 1] != '}')
        return 0; /* a dead letter */
    else
        shoal_watermark_see(mark, HOUR, shoal_hash(input->key, input->key_size), event_time(input));
    *tick_ms = shoal_watermark_tick(mark);
    if (!mark->draining)
        return 0;
    for (size_t u = 0; u < USERS; u++)
        all += rule->users[u].there && rule->users[u].partition == input->partition &&
               rule->users[u].record.timer_ms && rule->users[u].record.timer_ms <= *tick_ms;
    while (count < 16 && count < all) {
        unsigned first = USERS;
        char name[16], first_name[16];
        for (unsigned u = 0; u < USERS; u++) {
            const struct shoal_record *record = &rule->users[u].record;
            if (taken[u] || !rule->users[u].there || !record->timer_ms ||
                rule->users[u].partition != input->partition || record->timer_ms > *tick_ms)
                continue;
            (void)snprintf(name, sizeof name, "u%u", u);
            bool sooner = first == USERS ||
                          record->timer_ms < rule->users[first].record.timer_ms ||
                          (record->timer_ms == rule->users[first].record.timer_ms &&
                           strcmp(name, first_name) < 0);
            if (sooner) {
                first = u;
                memcpy(first_name, name, sizeof name);
            }
        }
        taken[first] = true;
        due[count++] = first;
    }
    mark->draining = all > count;
    rule->left_over += all > count;
    rule->most_at_once = count > rule->most_at_once ? count : rule->most_at_once;
    return count;
}

/* Where a user stands whose silence was looked at at tick_ms. */
static void assert_stands(const struct seen *seen, const struct shoal_segment_rules *rules,
                          int64_t tick_ms)
{
    const struct shoal_record *record = &seen->record;
    int64_t next_ms = shoal_segments_next(rules, record, 0), gap_ms = tick_ms - record->last_ms;
    cr_assert(record->timer_ms == 0 || record->timer_ms > tick_ms);
    cr_assert(next_ms == 0 || next_ms > tick_ms, "something that was due was left");
    cr_assert_eq(record->timer_ms != 0, next_ms != 0);
    uint8_t lifecycle = record->standings[SHOAL_LIFECYCLE].level;
    if (gap_ms >= rules->inactive_ms)
        cr_assert_eq(lifecycle, SHOAL_LIFECYCLE_INACTIVE);
    else if (gap_ms >= rules->lapsing_ms)
        cr_assert_eq(lifecycle, SHOAL_LAPSING);
    if (gap_ms >= rules->intent_lapse_ms)
        cr_assert_eq(record->standings[SHOAL_INTENT].level, SHOAL_COLD);
    if (record->cart_ms)
        cr_assert_lt(tick_ms - record->cart_ms, rules->cart_wait_ms);
}

/* What a message did, compared with what it had to do. */
static void compare(struct rule *rule, const struct fixture *f, const struct shoal_input *input,
                    const unsigned *due, size_t count, int64_t tick_ms)
{
    bool fired[USERS] = {false};
    unsigned own = input->key ? user_number((struct shoal_slice){input->key, input->key_size}) : USERS;
    for (size_t i = 0; i < count; i++)
        fired[due[i]] = true;
    for (unsigned u = 0; u < USERS; u++) {
        const struct seen *seen = &rule->users[u];
        if (u == own || !seen->there)
            continue;
        cr_assert_eq(seen->bytes != seen->bytes_before, fired[u],
                     "user %u of partition %d at offset %d", u, (int)input->partition,
                     (int)input->offset);
        if (!fired[u])
            continue;
        assert_stands(seen, &f->options.rules, tick_ms);
        rule->carts += seen->before.cart_ms && !seen->record.cart_ms;
    }
    rule->fired += count;
}

/* The order of the users of timers among the message's outputs. */
static void compare_order(const struct fixture *f, size_t from, const unsigned *due, size_t count)
{
    size_t at = 0;
    for (size_t i = from; i < f->sink.count; i++) {
        const char *line = f->sink.lines[i], *user = strstr(line, "\"user_id\":\"u");
        const char *sign = strchr(line, '@');
        if (!user || !sign || sign > user)
            continue;
        unsigned number = (unsigned)atoi(user + strlen("\"user_id\":\"u"));
        while (at < count && due[at] != number)
            at++;
        cr_assert_lt(at, count, "user %u fell due out of order, or was not due", number);
    }
}

Test(pipeline_timers, before_each_message_just_what_is_due_falls_due_in_order)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct log *log = make_weeks(seed, false);
        struct result expected = run_plain(log, 4096, 1, log->count, 0);
        struct rule *rule = calloc(1, sizeof *rule);
        struct shoal_message message = {.text = ""};
        struct fixture f;
        cr_assert_not_null(rule);
        fixture_start(&f, log, 1, 1, 5);
        for (size_t u = 0; u < USERS; u++)
            shoal_record_init(&rule->users[u].record, 16, rule->users[u].hc);
        for (int32_t p = 0; p < PARTITIONS; p++)
            shoal_watermark_init(&rule->marks[p]);
        for (int i = 0; i < log->count; i++) {
            const struct shoal_input *input = &log->inputs[i];
            unsigned due[16];
            int64_t tick_ms = -1;
            size_t count = predict(rule, input, due, &tick_ms), from = f.sink.count;
            check(shoal_pipeline_add(f.pipelines[0], input, false), &message);
            check(shoal_pipeline_run(f.pipelines[0], &message), &message);
            check(shoal_pipeline_save(f.pipelines[0], input->partition, input->offset + 1, &message),
                  &message);
            look(rule, f.store);
            compare(rule, &f, input, due, count, tick_ms);
            compare_order(&f, from, due, count);
        }
        cr_assert_gt(rule->fired, 500);
        cr_assert_gt(rule->carts, 50, "carts that were left");
        struct result got = fixture_end(&f);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        free(rule);
        log_destroy(log);
    }
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
        add_event(log, (unsigned)i, START + i * 1000, "pv", i, "}");
    add_event(log, 7, START + 30 * DAY, "pv", 50, "}");
    add_event(log, 7, START + 30 * DAY, "pv", 51, "}");
    for (int i = 0; i < 50; i++)
        add_event(log, (unsigned)i, START + MIN + i * 1000, "pv", 100 + i, "}");
    apply(&f, log, 0);
    cr_assert_eq(timers_of(&f), 0);
    int from = log->count;
    for (int i = 0; i < 50; i++)
        add_event(log, (unsigned)i, START + 30 * DAY + i, "pv", 200 + i, "}");
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
        add_event(log, (unsigned)i, START, "pv", i, "}");
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
        add_event(log, (unsigned)(r % STEADY), START + i * 10000, r / 128 % 50 ? "pv" : "cart", i,
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
        add_event(log, 3, START + 1 + i * 20011, "pv", i, "}");
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
