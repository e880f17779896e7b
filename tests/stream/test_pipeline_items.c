/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions that carry items: which, in any batches, and that nobody else pays for them. That they are the same
 * bits however a log is cut is also shown by test_pipeline.c, whose model and policy have items too. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/pipeline_internal.h"
#include "tests/model/planted_items.h"
#include "tests/stream/pipeline_fixture.h"

enum { MANY_USERS = 300, ROUNDS = 4, WANTED = 4 };

static const char carrying[] = "promotions:\n"
                               "- {id: a, triggers: [pv, cart, buy], items: 4, items_goal: buy,\n"
                               "   without_bought: yes, control: 0%}\n"
                               "- {id: b, triggers: [cart], kind: social, limit: 1}\n";
static const char bare[] = "promotions:\n"
                           "- {id: a, triggers: [pv, cart, buy], items: none, control: 0%}\n"
                           "- {id: b, triggers: [cart], kind: social, limit: 1}\n";

/* Everyone has one event in each round. */
static struct log *make_log(void)
{
    static const char *const behaviors[] = {"pv", "cart", "buy", "fav"};
    struct log *log = log_create(MANY_USERS * ROUNDS);
    uint64_t state = 77;
    for (int i = 0; i < MANY_USERS * ROUNDS; i++) {
        struct log_message *message = log_next(log);
        uint64_t r = next_random(&state);
        int size = snprintf(message->value, sizeof message->value,
                            "{\"user_id\":\"u%d\",\"item_id\":%u,\"category_id\":%u,"
                            "\"behavior\":\"%s\",\"timestamp\":%d}",
                            i % MANY_USERS, (unsigned)(r % 45), (unsigned)(r / 64 % 7),
                            behaviors[r / 1024 % 4], 1511660000 + i * 7);
        int key_size = snprintf(message->key, sizeof message->key, "u%d", i % MANY_USERS);
        log_append(log, size, key_size, 0);
    }
    return log;
}

static struct shoal_policy *policy_of(const char *yaml)
{
    struct shoal_policy *policy;
    struct shoal_message message = {.text = ""};
    check(shoal_policy_parse(yaml, strlen(yaml), "test", &policy, &message), &message);
    return policy;
}

/* The fixture with another policy, in force before the first event. */
static void start(struct fixture *f, const struct log *log, size_t batch, const char *yaml)
{
    fixture_start(f, log, batch, 1, 5);
    shoal_policy_destroy(f->policy);
    f->policy = policy_of(yaml);
    shoal_pipeline_use_policy(f->pipelines[0], f->policy);
}

static void run_log(struct fixture *f, const struct log *log, size_t batch)
{
    struct shoal_message message = {.text = ""};
    for (int i = 0; i < log->count; i++) {
        check(shoal_pipeline_add(f->pipelines[0], &log->inputs[i], false), &message);
        if (shoal_pipeline_waiting(f->pipelines[0]) >= batch)
            check(shoal_pipeline_run(f->pipelines[0], &message), &message);
    }
    check(shoal_pipeline_run(f->pipelines[0], &message), &message);
}

/* `,"items":[…]}` as it should end the decision, from the user's record as it was saved after the event. */
static void wanted_end(struct fixture *f, const struct log_message *message, int32_t partition,
                       char *text)
{
    struct shoal_slice key = {message->key, strlen(message->key)}, value;
    struct shoal_record record;
    float hc[32], rates[SHOAL_COUNTERS];
    struct shoal_items_room *room;
    struct shoal_item_pick picks[WANTED];
    size_t count;
    cr_assert_eq(f->store->ops->load(f->store, partition, &key, 1, &value, NULL), SHOAL_OK);
    shoal_record_init(&record, 16, hc);
    cr_assert_eq(shoal_record_decode(&record, value.bytes, value.size), SHOAL_OK);
    shoal_counters_rates(record.counters, record.last_ms - record.first_ms, rates);
    struct shoal_item_query query = {.h = record.h,
                                     .rates = rates,
                                     .ring = record.ring,
                                     .ring_count = record.ring_count,
                                     .now_ms = record.last_ms,
                                     .goal = SHOAL_GOAL_BUY,
                                     .without_bought = true};
    cr_assert_eq(shoal_items_room_create(f->model->items, 1, &room), SHOAL_OK);
    shoal_items_top(f->model->items, room, &query, 1, WANTED, picks, &count);
    shoal_items_room_destroy(room);
    int used = sprintf(text, ",\"items\":[");
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *id = shoal_items_id(f->model->items, picks[i].item, &size);
        used += sprintf(text + used, "%s{\"item\":\"%.*s\",\"score\":%.6f}", i ? "," : "", (int)size,
                        id, (double)picks[i].score);
    }
    sprintf(text + used, "]}");
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

Test(pipeline_items, they_are_what_the_catalogue_has_for_the_users_record_at_that_event)
{
    struct fixture f;
    struct log *log = make_log();
    struct shoal_message message = {.text = ""};
    int compared = 0;
    start(&f, log, 1, carrying);
    for (int i = 0; i < log->count; i++) {
        const struct shoal_input *input = &log->inputs[i];
        size_t before = f.sink.count;
        check(shoal_pipeline_add(f.pipelines[0], input, false), &message);
        check(shoal_pipeline_run(f.pipelines[0], &message), &message);
        check(shoal_pipeline_save(f.pipelines[0], input->partition, input->offset + 1, &message),
              &message);
        char end[1024];
        wanted_end(&f, &log->messages[i], input->partition, end);
        for (size_t line = before; line < f.sink.count; line++) {
            if (!strstr(f.sink.lines[line], "\"promotion\":\"a\""))
                continue;
            cr_assert(ends_with(f.sink.lines[line], end), "%s\nwanted: %s", f.sink.lines[line], end);
            compared++;
        }
    }
    cr_assert_gt(compared, MANY_USERS);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline_items, hundreds_that_wait_together_get_what_each_gets_alone)
{
    struct log *log = make_log();
    size_t batches[] = {1, 63, 64, 65, 4096};
    struct result expected = {0};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        struct fixture f;
        struct shoal_message message = {.text = ""};
        start(&f, log, batches[i], carrying);
        run_log(&f, log, batches[i]);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[0], p, 1, &message), &message);
        struct result got = fixture_end(&f);
        if (i == 0) {
            expected = got;
            continue;
        }
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    log_destroy(log);
}

Test(pipeline_items, only_what_is_eligible_and_asks_for_them_carries_any)
{
    struct fixture f;
    struct log *log = make_log();
    size_t with = 0, without = 0;
    fixture_start(&f, log, 100, 1, 5);
    run_log(&f, log, 100);
    for (size_t i = 0; i < f.sink.count; i++) {
        const char *line = f.sink.lines[i];
        bool carries = strstr(line, "\"items\":[{\"item\":") != NULL;
        bool recommends = strstr(line, "\"kind\":\"recommendation\"") != NULL;
        bool bundle = strstr(line, "\"bundle\":[\"3\",\"7\",\"11\"],\"items\":[") != NULL;
        bool eligible = strstr(line, "\"eligible\":true") != NULL;
        cr_assert_eq(carries, eligible && (recommends || bundle), "%s", line);
        with += carries;
        without += !carries && strstr(line, "\"eligible\":false");
    }
    cr_assert(with > 100 && without > 100, "%zu, %zu", with, without);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline_items, a_policy_without_items_says_what_it_said_before_and_has_no_room)
{
    struct log *log = make_log();
    struct result results[2];
    for (int with = 0; with < 2; with++) {
        struct fixture f;
        start(&f, log, 64, bare);
        if (!with) {
            shoal_items_destroy(f.model->items);
            f.model->items = NULL;
        }
        run_log(&f, log, 64);
        cr_assert_null(f.pipelines[0]->next_items);
        struct shoal_message message = {.text = ""};
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[0], p, 1, &message), &message);
        results[with] = fixture_end(&f);
    }
    assert_same(&results[1], &results[0]);
    result_finish(&results[0]);
    result_finish(&results[1]);
    log_destroy(log);
}

Test(pipeline_items, a_model_without_a_catalogue_decides_the_same_and_carries_none)
{
    struct log *log = make_log();
    struct fixture f;
    start(&f, log, 64, carrying);
    shoal_items_destroy(f.model->items);
    f.model->items = NULL;
    run_log(&f, log, 64);
    size_t eligible = 0;
    for (size_t i = 0; i < f.sink.count; i++) {
        cr_assert_null(strstr(f.sink.lines[i], "items"), "%s", f.sink.lines[i]);
        eligible += strstr(f.sink.lines[i], "\"eligible\":true") != NULL;
    }
    cr_assert_gt(eligible, MANY_USERS);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline_items, room_is_there_after_a_swap_of_policy_or_model)
{
    struct fixture f;
    struct log *log = make_log();
    struct shoal_message message = {.text = ""};
    fixture_start(&f, log, 64, 1, 5);
    struct shoal_policy *policies[2] = {policy_of(bare), policy_of(carrying)};
    struct shoal_items *items[2] = {f.model->items, planted_items(20, 24, 16, 6)};
    struct shoal_model other = *f.model; /* the same but for the catalogue */
    other.items = items[1];
    for (int i = 0; i < log->count; i++) {
        int part = i / 100 % 4;
        if (i % 100 == 0) {
            check(shoal_pipeline_run(f.pipelines[0], &message), &message);
            shoal_pipeline_use_policy(f.pipelines[0], policies[part % 2]);
            check(shoal_pipeline_use(f.pipelines[0], part / 2 ? &other : f.model), &message);
        }
        size_t before = f.sink.count;
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
        check(shoal_pipeline_run(f.pipelines[0], &message), &message);
        for (size_t line = before; line < f.sink.count; line++) {
            if (strstr(f.sink.lines[line], "\"promotion\":\"a\""))
                cr_assert_eq(strstr(f.sink.lines[line], "\"items\":[{") != NULL, part % 2 == 1);
        }
        cr_assert_eq(f.pipelines[0]->next_items != NULL, i >= 100); /* once made, it stays */
    }
    shoal_pipeline_use_policy(f.pipelines[0], NULL);
    check(shoal_pipeline_use(f.pipelines[0], f.model), &message);
    struct result result = fixture_end(&f);
    result_finish(&result);
    shoal_policy_destroy(policies[0]);
    shoal_policy_destroy(policies[1]);
    shoal_items_destroy(items[1]);
    log_destroy(log);
}
