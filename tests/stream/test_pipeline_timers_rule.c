/* SPDX-License-Identifier: Apache-2.0 */
/* Over a log that spans weeks, what falls due is what the rule of watermark.h asks for, message by message. */
#include "tests/stream/timers_logs.h"

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

Test(pipeline_timers_rule, before_each_message_just_what_is_due_falls_due_in_order)
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
