/* SPDX-License-Identifier: Apache-2.0 */
/* Logs, sinks and runs of tests of whole pipelines; see pipeline_fixture.h. */
#include "tests/stream/pipeline_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/partition_state.h"
#include "tests/model/planted_items.h"
#include "tests/model/tiny_model.h"
#include "tests/state/spying_store.h"

uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- a log ---------------------------------------------------------------------------------- */

struct log *log_create(int capacity)
{
    struct log *log = calloc(1, sizeof *log);
    cr_assert_not_null(log);
    log->inputs = calloc((size_t)capacity, sizeof *log->inputs);
    log->messages = calloc((size_t)capacity, sizeof *log->messages);
    cr_assert(log->inputs && log->messages);
    return log;
}

void log_destroy(struct log *log)
{
    free(log->inputs);
    free(log->messages);
    free(log);
}

struct log_message *log_next(struct log *log)
{
    return &log->messages[log->count];
}

void log_append(struct log *log, int value_size, int key_size, int32_t partition)
{
    const struct log_message *message = &log->messages[log->count];
    if (key_size)
        partition = shoal_partition_of(message->key, (size_t)key_size, PARTITIONS);
    log->inputs[log->count++] = (struct shoal_input){
        .partition = partition,
        .offset = log->offsets[partition]++,
        .timestamp_ms = -1,
        .key = key_size ? message->key : NULL,
        .key_size = (size_t)key_size,
        .value = message->value,
        .value_size = (size_t)value_size,
    };
}

void log_event(struct log *log, unsigned user, int64_t time_ms, const char *behavior, int event_id,
               const char *end)
{
    struct log_message *message = log_next(log);
    int size = snprintf(message->value, sizeof message->value,
                        "{\"user_id\":\"u%u\",\"item_id\":%u,\"category_id\":%u,\"behavior\":\"%s\","
                        "\"timestamp\":%lld,\"price\":%u.5,\"event_id\":\"e%d\"%s",
                        user, (unsigned)event_id % 53, (unsigned)event_id % 7, behavior,
                        (long long)time_ms, 3 + (unsigned)event_id % 11, event_id, end);
    log_append(log, size, snprintf(message->key, sizeof message->key, "u%u", user), 0);
}

/* ---- a sink that commits --------------------------------------------------------------------- */

static enum shoal_status sink_emit(struct shoal_sink *base, const struct shoal_output *output)
{
    struct memory_sink *sink = (struct memory_sink *)base;
    sink->lines = realloc((void *)sink->lines, (sink->count + 1) * sizeof *sink->lines);
    const void *text = output->value;
    char tombstone[400];
    size_t size = output->value_size;
    if (!text) { /* of whom, and which one */
        size = (size_t)snprintf(tombstone, sizeof tombstone, "tombstone of %.*s: %.*s at %lld",
                                (int)output->key_size, output->key, (int)output->id_size,
                                output->id, (long long)output->time_ms);
        text = tombstone;
    }
    char *line = malloc(size + 3);
    line[0] = (char)('0' + (int)output->topic);
    line[1] = ' ';
    memcpy(line + 2, text, size);
    line[size + 2] = '\0';
    sink->lines[sink->count++] = line;
    return SHOAL_OK;
}

static const struct shoal_sink_ops sink_ops = {.emit = sink_emit};

void sink_commit(struct memory_sink *sink)
{
    sink->committed = sink->count;
}

void sink_abort(struct memory_sink *sink)
{
    while (sink->count > sink->committed)
        free(sink->lines[--sink->count]);
}

/* ---- results --------------------------------------------------------------------------------- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_line(struct result *result, const char *head, struct shoal_slice value)
{
    size_t used = strlen(head);
    char *line = malloc(used + 2 * value.size + 1);
    cr_assert_not_null(line);
    memcpy(line, head, used + 1);
    for (size_t i = 0; i < value.size; i++)
        used += (size_t)sprintf(line + used, "%02x", ((const uint8_t *)value.bytes)[i]);
    result->lines = realloc((void *)result->lines, (result->count + 1) * sizeof *result->lines);
    result->lines[result->count++] = line;
}

static enum shoal_status add_record(void *opaque, int32_t partition, struct shoal_slice user,
                                    struct shoal_slice value)
{
    char head[SHOAL_USER_MAX + 40];
    (void)snprintf(head, sizeof head, "record %d %.*s ", (int)partition, (int)user.size,
                   (const char *)user.bytes);
    add_line(opaque, head, value);
    return SHOAL_OK;
}

/* What is kept of each partition as a whole. */
static void add_states(struct result *result, struct shoal_store *store)
{
    struct shoal_slice nobody = {"", 0}, value;
    char head[40];
    for (int32_t p = 0; p < PARTITIONS; p++) {
        cr_assert_eq(store->ops->load(store, p, &nobody, 1, &value, NULL), SHOAL_OK);
        (void)snprintf(head, sizeof head, "partition %d ", (int)p);
        add_line(result, head, value);
    }
}

/* ---- counts of partitions ------------------------------------------------------------------- */

/* What is counted by reading every record and every output. */
struct recount {
    uint64_t users[PARTITIONS];
    uint64_t at[PARTITIONS][SHOAL_DIMENSION_COUNT][256];
};

static enum shoal_status recount_user(void *opaque, int32_t partition, struct shoal_slice user,
                                      struct shoal_slice value)
{
    struct recount *recount = opaque;
    struct shoal_record record;
    enum shoal_precision precision;
    uint32_t hidden;
    (void)user;
    cr_assert_eq(shoal_record_shape(value.bytes, value.size, &hidden, &precision), SHOAL_OK);
    float *hc = calloc(2 * (size_t)hidden, sizeof *hc);
    shoal_record_init(&record, hidden, hc);
    cr_assert_eq(shoal_record_decode(&record, value.bytes, value.size), SHOAL_OK);
    recount->users[partition] += record.events_count > 0; /* of who declined only that is kept */
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++)
        recount->at[partition][d][record.standings[d].level]++;
    free(hc);
    return SHOAL_OK;
}

/* Offers made, among the decisions written. */
static uint64_t count_offers(const struct memory_sink *sink)
{
    uint64_t offers = 0;
    for (size_t i = 0; i < sink->count; i++) {
        const char *line = sink->lines[i];
        offers += line[0] == '0' + SHOAL_TOPIC_DECISIONS && strstr(line, "\"eligible\":true") &&
                  !strstr(line, "\"condition\":\"offer\"");
    }
    return offers;
}

static bool read_state(struct shoal_store *store, int32_t partition,
                       struct shoal_partition_state *state)
{
    struct shoal_slice nobody = {"", 0}, value;
    cr_assert_eq(store->ops->load(store, partition, &nobody, 1, &value, NULL), SHOAL_OK);
    cr_assert_leq(value.size, 4096);
    return value.bytes && shoal_partition_state_decode(value.bytes, value.size, state) == SHOAL_OK;
}

/* The partitions' tallies have the offers that were written, and no more answers than offers. For runs of which
 * everything is written and saved. */
static void check_offers(const struct fixture *f)
{
    struct shoal_partition_state state = {0};
    struct shoal_tally *sum = calloc(1, sizeof *sum);
    uint64_t offers = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        if (read_state(f->store, p, &state)) /* else no event has come to it */
            shoal_tally_add(sum, &state.tally);
    }
    for (uint32_t i = 0; i < sum->promotions_count; i++) {
        for (unsigned v = 0; v < SHOAL_VARIANT_COUNT; v++) {
            const struct shoal_tally_variant *variant = &sum->promotions[i].variants[v];
            offers += variant->offers;
            cr_assert_leq(variant->conversions, variant->offers);
            cr_assert_leq(variant->withdrawals, variant->offers);
        }
    }
    cr_assert_gt(offers, 0);
    cr_assert_eq(offers, count_offers(&f->sink));
    free(sum);
}

/* The partitions' tallies are what reading every record gives. */
static void check_tallies(struct shoal_store *store)
{
    struct recount *recount = calloc(1, sizeof *recount);
    struct shoal_partition_state state = {0};
    cr_assert_eq(store->ops->scan(store, recount_user, recount, NULL), SHOAL_OK);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        if (!read_state(store, p, &state))
            continue; /* nothing was saved, or what the test put there */
        cr_assert_eq(state.tally.users, recount->users[p], "users of partition %d", (int)p);
        for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
            for (unsigned level = 1; level < 256; level++)
                cr_assert_eq(shoal_tally_at(&state.tally, (enum shoal_dimension)d, (uint8_t)level),
                             recount->at[p][d][level], "partition %d, dimension %u, level %u",
                             (int)p, d, level);
        }
    }
    free(recount);
}

/* Takes the sink's lines over. */
static struct result collect(struct memory_sink *sink, struct shoal_store *store)
{
    struct result result = {sink->lines, sink->committed};
    cr_assert_eq(sink->count, sink->committed);
    check_tallies(store);
    cr_assert_eq(store->ops->scan(store, add_record, &result, NULL), SHOAL_OK);
    add_states(&result, store);
    qsort((void *)result.lines, result.count, sizeof *result.lines, compare_lines);
    return result;
}

void result_finish(struct result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->lines[i]);
    free((void *)result->lines);
}

void assert_same(const struct result *got, const struct result *expected)
{
    cr_assert_gt(expected->count, 0, "nothing is compared");
    for (size_t i = 0; i < got->count && i < expected->count; i++)
        cr_assert_str_eq(got->lines[i], expected->lines[i]);
    cr_assert_eq(got->count, expected->count);
}

/* ---- fixture --------------------------------------------------------------------------------- */

static const char promotions[] = "promotions:\n"
                                 "  - id: reminder\n"
                                 "    triggers: [cart, fav]\n"
                                 "    segments: {intent: [cold, warm, hot]}\n"
                                 "    cooldown: 30m\n"
                                 "    limit: 5\n"
                                 "    offer: 10m\n"
                                 "    control: 20%\n"
                                 "  - id: deal\n"
                                 "    score: {min: 0.4}\n"
                                 "    cooldown: 10m\n"
                                 "    items: 7\n"
                                 "    items_goal: buy\n"
                                 "    without_bought: yes\n"
                                 "  - id: few\n"
                                 "    triggers: [fav, pv]\n"
                                 "    budget: 23\n"
                                 "    offer: 5m\n"
                                 "  - id: back\n"
                                 "    triggers: [cart_idle]\n"
                                 "    enters: {lifecycle: [lapsing]}\n"
                                 "    budget: 9\n"
                                 "    group: letters\n"
                                 "  - id: both\n"
                                 "    kind: limited_time_offer\n"
                                 "    bundle: [\"3\", \"7\", \"11\"]\n"
                                 "    cooldown: 5m\n"
                                 "    offer: 3m\n";

static void acquire_all(struct fixture *f)
{
    struct shoal_checkpoint before;
    cr_assert_eq(f->store->ops->open(f->store, PARTITIONS, NULL), SHOAL_OK);
    for (int32_t i = 0; i < PARTITIONS; i++)
        cr_assert_eq(f->store->ops->acquire(f->store, i, &before, NULL), SHOAL_OK);
}

void fixture_start(struct fixture *f, const struct log *log, size_t batch_events, unsigned workers,
                   uint64_t seed)
{
    struct shoal_dims dims = tiny_dims();
    *f = (struct fixture){.sink = {.base = {&sink_ops}}};
    f->model = tiny_model(&dims, seed);
    cr_assert_not_null(f->model);
    f->model->origin.train_until_ms = 1511660000000; /* the log comes after the training */
    f->model->items = planted_items(45, 8, dims.hidden, seed); /* of the log's 50 */
    cr_assert_not_null(f->model->items);
    struct shoal_buffer bytes = {0};
    cr_assert_eq(shoal_model_serialize(f->model, &bytes), SHOAL_OK); /* sets the id */
    shoal_buffer_finish(&bytes);
    cr_assert_eq(shoal_policy_parse(promotions, strlen(promotions), "test", &f->policy, NULL),
                 SHOAL_OK);
    cr_assert_eq(spying_store_create(log->piece, &f->store), SHOAL_OK);
    f->options = (struct shoal_pipeline_options){
        .model = f->model,
        .policy = f->policy,
        .rules = shoal_segment_rules_default(),
        .decode = shoal_decode_options_default(),
        .online = log->online,
        .topic = "shoal.events",
        .partitions = PARTITIONS,
        .timers_jump_ms = 3600000,
        .cache_users = log->cache_users ? log->cache_users : 1,
        .batch_events = batch_events,
    };
    acquire_all(f);
    for (unsigned i = 0; i < workers; i++)
        cr_assert_eq(
            shoal_pipeline_create(&f->options, f->store, &f->sink.base, &f->pipelines[i]),
            SHOAL_OK);
}

struct result fixture_end(struct fixture *f)
{
    for (int i = 0; i < PARTITIONS; i++)
        shoal_pipeline_destroy(f->pipelines[i]);
    sink_commit(&f->sink);
    struct result result = collect(&f->sink, f->store);
    f->store->ops->destroy(f->store);
    shoal_policy_destroy(f->policy);
    shoal_model_destroy(f->model);
    return result;
}

void check(enum shoal_status status, const struct shoal_message *message)
{
    cr_assert_eq(status, SHOAL_OK, "%s", message->text);
}

struct result run_plain(const struct log *log, size_t batch, unsigned workers, int save_every,
                        uint64_t cut_seed)
{
    struct fixture f;
    struct shoal_message message = {.text = ""};
    int64_t next[PARTITIONS] = {0};
    fixture_start(&f, log, batch, workers, 5);
    for (int i = 0; i < log->count; i++) {
        const struct shoal_input *input = &log->inputs[i];
        struct shoal_pipeline *pipeline = f.pipelines[(unsigned)input->partition % workers];
        check(shoal_pipeline_add(pipeline, input, false), &message);
        next[input->partition] = input->offset + 1;
        if (shoal_pipeline_waiting(pipeline) >= batch ||
            (cut_seed && next_random(&cut_seed) % 9 == 0))
            check(shoal_pipeline_run(pipeline, &message), &message);
        if ((i + 1) % save_every != 0 && i + 1 != log->count)
            continue;
        for (unsigned w = 0; w < workers; w++)
            check(shoal_pipeline_run(f.pipelines[w], &message), &message);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[(unsigned)p % workers], p, next[p], &message),
                  &message);
        for (unsigned w = 0; w < workers; w++)
            shoal_pipeline_drop(f.pipelines[w], -1);
    }
    check_offers(&f);
    return fixture_end(&f);
}

struct result run_crashing(const struct log *log, uint64_t seed, unsigned *crashes)
{
    struct fixture f;
    struct shoal_message message = {.text = ""};
    fixture_start(&f, log, 64, 1, 5);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        const struct shoal_input **mine = calloc((size_t)log->count, sizeof *mine);
        cr_assert_not_null(mine);
        int64_t count = 0, saved = 0, committed = 0, position = 0;
        for (int i = 0; i < log->count; i++) {
            if (log->inputs[i].partition == p)
                mine[count++] = &log->inputs[i];
        }
        while (saved < count) {
            uint64_t r = next_random(&seed);
            for (uint64_t n = r % 40; n > 0 && position < count; n--, position++)
                check(shoal_pipeline_add(f.pipelines[0], mine[position], position < committed),
                      &message);
            check(shoal_pipeline_run(f.pipelines[0], &message), &message);
            bool crash = r / 64 % 7 == 0;
            if (!crash || r / 512 % 2) { /* a commit, before the crash if there is one */
                sink_commit(&f.sink);
                if (position > committed)
                    committed = position;
            }
            if (!crash && r / 1024 % 3 == 0) {
                check(shoal_pipeline_save(f.pipelines[0], p, position, &message), &message);
                saved = position;
            }
            if (!crash)
                continue;
            struct shoal_checkpoint before;
            ++*crashes;
            sink_abort(&f.sink);
            shoal_pipeline_destroy(f.pipelines[0]);
            check(shoal_pipeline_create(&f.options, f.store, &f.sink.base, &f.pipelines[0]),
                  &message);
            check(f.store->ops->acquire(f.store, p, &before, &message), &message);
            cr_assert_eq(before.next_offset < 0 ? 0 : before.next_offset, saved);
            position = saved;
        }
        free((void *)mine);
    }
    check_offers(&f);
    return fixture_end(&f);
}
