/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of the pipeline, as properties over random logs, cuts, crashes and workers: the
 * outputs and the records of any of them are those of one uninterrupted run, bit for bit. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/pipeline.h"
#include "tests/model/tiny_model.h"

enum { MESSAGES = 3000, USERS = 40, PARTITIONS = 4 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Set by tests of the online correction, each in a process of its own: scores are corrected, and the log
 * takes days, so that outcomes are known. */
static bool online;

/* ---- a log ---------------------------------------------------------------------------------- */

struct log {
    struct shoal_input inputs[MESSAGES];
    char values[MESSAGES][256];
    char keys[MESSAGES][16];
};

/* Users with different rates, late events, repeated event ids, dead letters. */
static struct log *make_log(uint64_t seed)
{
    static const char *const behaviors[] = {"pv", "pv", "pv", "pv", "cart", "fav", "buy"};
    struct log *log = calloc(1, sizeof *log);
    int64_t offsets[PARTITIONS] = {0};
    uint64_t state = seed * 77 + 1;
    int64_t time_ms = 1511660000000;
    for (int i = 0; i < MESSAGES; i++) {
        uint64_t r = next_random(&state);
        unsigned user = (unsigned)(r % USERS) * (unsigned)(r / 64 % 3 != 0);
        time_ms += (int64_t)(r / 256 % 60000) * (online ? 4 : 1);
        int64_t event_ms = time_ms - (r / 1024 % 29 == 0 ? 3600000 : 0);
        int size = snprintf(
            log->values[i], sizeof log->values[i],
            "{\"user_id\":\"u%u\",\"item_id\":%u,\"category_id\":%u,\"behavior\":\"%s\","
            "\"timestamp\":%lld,\"event_id\":\"e%u\"%s",
            user, (unsigned)(r / 4096 % 50), (unsigned)(r / 8192 % 7), behaviors[r / 16384 % 7],
            (long long)event_ms, (unsigned)(i - (r / 32768 % 31 == 0 ? 3 : 0)),
            r / 65536 % 37 == 0 ? "" : "}"); /* unterminated: a dead letter */
        int key_size = snprintf(log->keys[i], sizeof log->keys[i], "u%u", user);
        int32_t partition = shoal_partition_of(log->keys[i], (size_t)key_size, PARTITIONS);
        log->inputs[i] = (struct shoal_input){.partition = partition,
                                              .offset = offsets[partition]++,
                                              .timestamp_ms = -1,
                                              .key = log->keys[i],
                                              .key_size = (size_t)key_size,
                                              .value = log->values[i],
                                              .value_size = (size_t)size};
    }
    return log;
}

/* ---- a sink that commits --------------------------------------------------------------------- */

struct memory_sink {
    struct shoal_sink base;
    char **lines;
    size_t count, committed; /* lines[committed … count) are of the open transaction */
};

static enum shoal_status sink_emit(struct shoal_sink *base, const struct shoal_output *output)
{
    struct memory_sink *sink = (struct memory_sink *)base;
    sink->lines = realloc((void *)sink->lines, (sink->count + 1) * sizeof *sink->lines);
    char *line = malloc(output->value_size + 3);
    line[0] = (char)('0' + (int)output->topic);
    line[1] = ' ';
    memcpy(line + 2, output->value, output->value_size);
    line[output->value_size + 2] = '\0';
    sink->lines[sink->count++] = line;
    return SHOAL_OK;
}

static const struct shoal_sink_ops sink_ops = {.emit = sink_emit};

static void sink_commit(struct memory_sink *sink)
{
    sink->committed = sink->count;
}

static void sink_abort(struct memory_sink *sink)
{
    while (sink->count > sink->committed)
        free(sink->lines[--sink->count]);
}

/* ---- results --------------------------------------------------------------------------------- */

struct result {
    char **lines; /* outputs and records, sorted */
    size_t count;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum shoal_status add_record(void *opaque, int32_t partition, struct shoal_slice user,
                                    struct shoal_slice value)
{
    struct result *result = opaque;
    char *line = malloc(2 * value.size + 100);
    int size = sprintf(line, "record %d %.*s ", (int)partition, (int)user.size,
                       (const char *)user.bytes);
    for (size_t i = 0; i < value.size; i++)
        size += sprintf(line + size, "%02x", ((const uint8_t *)value.bytes)[i]);
    result->lines = realloc((void *)result->lines, (result->count + 1) * sizeof *result->lines);
    result->lines[result->count++] = line;
    return SHOAL_OK;
}

/* Takes the sink's lines over. */
static struct result collect(struct memory_sink *sink, struct shoal_store *store)
{
    struct result result = {sink->lines, sink->committed};
    cr_assert_eq(sink->count, sink->committed);
    cr_assert_eq(store->ops->scan(store, add_record, &result, NULL), SHOAL_OK);
    qsort((void *)result.lines, result.count, sizeof *result.lines, compare_lines);
    return result;
}

static void result_finish(struct result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->lines[i]);
    free((void *)result->lines);
}

static void assert_same(const struct result *got, const struct result *expected)
{
    for (size_t i = 0; i < got->count && i < expected->count; i++)
        cr_assert_str_eq(got->lines[i], expected->lines[i]);
    cr_assert_eq(got->count, expected->count);
}

/* ---- fixture --------------------------------------------------------------------------------- */

struct fixture {
    struct shoal_model *model;
    struct shoal_policy *policy;
    struct shoal_store *store;
    struct memory_sink sink;
    struct shoal_pipeline *pipelines[PARTITIONS];
    struct shoal_pipeline_options options;
};

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
                                 "    cooldown: 10m\n";

static void acquire_all(struct fixture *f)
{
    struct shoal_checkpoint before;
    cr_assert_eq(f->store->ops->open(f->store, PARTITIONS, NULL), SHOAL_OK);
    for (int32_t i = 0; i < PARTITIONS; i++)
        cr_assert_eq(f->store->ops->acquire(f->store, i, &before, NULL), SHOAL_OK);
}

static void fixture_start(struct fixture *f, size_t batch_events, unsigned workers, uint64_t seed)
{
    struct shoal_dims dims = tiny_dims();
    *f = (struct fixture){.sink = {.base = {&sink_ops}}};
    f->model = tiny_model(&dims, seed);
    cr_assert_not_null(f->model);
    f->model->origin.train_until_ms = 1511660000000; /* the log comes after the training */
    struct shoal_buffer bytes = {0};
    cr_assert_eq(shoal_model_serialize(f->model, &bytes), SHOAL_OK); /* sets the id */
    shoal_buffer_finish(&bytes);
    cr_assert_eq(shoal_policy_parse(promotions, strlen(promotions), "test", &f->policy, NULL),
                 SHOAL_OK);
    cr_assert_eq(shoal_memory_store_create(&f->store), SHOAL_OK);
    f->options = (struct shoal_pipeline_options){
        .model = f->model,
        .policy = f->policy,
        .rules = shoal_segment_rules_default(),
        .decode = shoal_decode_options_default(),
        .online = online,
        .topic = "shoal.events",
        .partitions = PARTITIONS,
        .timers_jump_ms = 3600000,
        .cache_users = 1,
        .batch_events = batch_events,
    };
    acquire_all(f);
    for (unsigned i = 0; i < workers; i++)
        cr_assert_eq(
            shoal_pipeline_create(&f->options, f->store, &f->sink.base, &f->pipelines[i]),
            SHOAL_OK);
}

static struct result fixture_end(struct fixture *f)
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

static void check(enum shoal_status status, const struct shoal_message *message)
{
    cr_assert_eq(status, SHOAL_OK, "%s", message->text);
}

/* One uninterrupted run by `workers` pipelines, in batches of at most `batch` messages, cut at random
 * below that, with a save (and an emptied cache) every `save_every` messages. */
static struct result run_plain(const struct log *log, size_t batch, unsigned workers,
                               int save_every, uint64_t cut_seed)
{
    struct fixture f;
    struct shoal_message message = {.text = ""};
    int64_t next[PARTITIONS] = {0};
    fixture_start(&f, batch, workers, 5);
    for (int i = 0; i < MESSAGES; i++) {
        const struct shoal_input *input = &log->inputs[i];
        struct shoal_pipeline *pipeline = f.pipelines[(unsigned)input->partition % workers];
        check(shoal_pipeline_add(pipeline, input, false), &message);
        next[input->partition] = input->offset + 1;
        if (shoal_pipeline_waiting(pipeline) >= batch ||
            (cut_seed && next_random(&cut_seed) % 9 == 0))
            check(shoal_pipeline_run(pipeline, &message), &message);
        if ((i + 1) % save_every != 0 && i + 1 != MESSAGES)
            continue;
        for (unsigned w = 0; w < workers; w++)
            check(shoal_pipeline_run(f.pipelines[w], &message), &message);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[(unsigned)p % workers], p, next[p], &message),
                  &message);
        for (unsigned w = 0; w < workers; w++)
            shoal_pipeline_drop(f.pipelines[w], -1);
    }
    return fixture_end(&f);
}

/* A worker that dies at random: between batches, between the commit of the outputs and the save, in
 * the middle of recovery. What was not committed is gone, what was not saved is replayed silently:
 * the session of worker.h in miniature, over one partition's messages at a time. */
static struct result run_crashing(const struct log *log, uint64_t seed, unsigned *crashes)
{
    struct fixture f;
    struct shoal_message message = {.text = ""};
    fixture_start(&f, 64, 1, 5);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        const struct shoal_input *mine[MESSAGES];
        int64_t count = 0, saved = 0, committed = 0, position = 0;
        for (int i = 0; i < MESSAGES; i++) {
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
    }
    return fixture_end(&f);
}

/* ---- swaps ----------------------------------------------------------------------------------- */

enum { MODELS = 3, SWAPS = 7 };

/* Which model each offset of a partition is applied under: random points, models that come back, one
 * of another H. */
struct history {
    int64_t offset[SWAPS];
    unsigned model[SWAPS];
};

static void make_histories(uint64_t seed, struct history histories[PARTITIONS])
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        int64_t offset = 0;
        for (int i = 0; i < SWAPS; i++) {
            histories[p].offset[i] = offset;
            histories[p].model[i] = (unsigned)(next_random(&seed) % MODELS);
            offset += (int64_t)(next_random(&seed) % 250);
        }
    }
}

static unsigned model_of(const struct history *history, int64_t offset)
{
    int i = SWAPS - 1;
    while (i > 0 && history->offset[i] > offset)
        i--;
    return history->model[i];
}

static void make_models(struct shoal_model *models[MODELS])
{
    for (unsigned i = 0; i < MODELS; i++) {
        struct shoal_dims dims = tiny_dims();
        struct shoal_buffer bytes = {0};
        if (i == 2)
            dims.hidden = 24;
        models[i] = tiny_model(&dims, 5 + i);
        cr_assert_eq(shoal_model_serialize(models[i], &bytes), SHOAL_OK);
        shoal_buffer_finish(&bytes);
    }
}

/* As run_plain, each message under the model that the histories name. With another H everything is
 * saved first, as a session does. */
static struct result run_swapping(const struct log *log, const struct history *histories,
                                  size_t batch, unsigned workers, int save_every, uint64_t cut_seed,
                                  uint64_t *rebuilt)
{
    struct fixture f;
    struct shoal_model *models[MODELS];
    struct shoal_message message = {.text = ""};
    int64_t next[PARTITIONS] = {0};
    make_models(models);
    fixture_start(&f, batch, workers, 5);
    for (int i = 0; i < MESSAGES; i++) {
        const struct shoal_input *input = &log->inputs[i];
        struct shoal_pipeline *pipeline = f.pipelines[(unsigned)input->partition % workers];
        const struct shoal_model *model =
            models[model_of(&histories[input->partition], input->offset)];
        bool resized =
            model->params.dims.hidden != shoal_pipeline_model(pipeline)->params.dims.hidden;
        if (model != shoal_pipeline_model(pipeline)) {
            check(shoal_pipeline_run(pipeline, &message), &message);
            for (int32_t p = 0; p < PARTITIONS && resized; p++) {
                if (f.pipelines[(unsigned)p % workers] == pipeline)
                    check(shoal_pipeline_save(pipeline, p, next[p], &message), &message);
            }
            check(shoal_pipeline_use(pipeline, model), &message);
        }
        check(shoal_pipeline_add(pipeline, input, false), &message);
        next[input->partition] = input->offset + 1;
        if (shoal_pipeline_waiting(pipeline) >= batch ||
            (cut_seed && next_random(&cut_seed) % 9 == 0))
            check(shoal_pipeline_run(pipeline, &message), &message);
        if ((i + 1) % save_every != 0 && i + 1 != MESSAGES)
            continue;
        for (unsigned w = 0; w < workers; w++)
            check(shoal_pipeline_run(f.pipelines[w], &message), &message);
        for (int32_t p = 0; p < PARTITIONS; p++)
            check(shoal_pipeline_save(f.pipelines[(unsigned)p % workers], p, next[p], &message),
                  &message);
        for (unsigned w = 0; w < workers; w++)
            shoal_pipeline_drop(f.pipelines[w], -1);
    }
    *rebuilt = 0;
    for (unsigned w = 0; w < workers; w++)
        *rebuilt += shoal_pipeline_counts(f.pipelines[w])->rebuilt;
    struct result result = fixture_end(&f);
    for (unsigned i = 0; i < MODELS; i++)
        shoal_model_destroy(models[i]);
    return result;
}

/* ---- properties ------------------------------------------------------------------------------ */

static void check_swapping(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct log *log = make_log(seed);
        struct history histories[PARTITIONS];
        uint64_t rebuilt, again;
        make_histories(seed * 31 + 7, histories);
        struct result expected = run_swapping(log, histories, 1, 1, MESSAGES, 0, &rebuilt);
        cr_assert_gt(rebuilt, 30);
        static const struct {
            size_t batch;
            unsigned workers;
            int save_every;
        } ways[] = {{64, 1, MESSAGES}, {7, 4, 501}, {500, 2, 37}, {33, 3, 1}};
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            struct result got =
                run_swapping(log, histories, ways[i].batch, ways[i].workers, ways[i].save_every,
                             i % 2 ? seed + i : 0, &again);
            assert_same(&got, &expected);
            result_finish(&got);
        }
        result_finish(&expected);
        free(log);
    }
}

Test(pipeline, any_batch_split_gives_identical_bits)
{
    struct log *log = make_log(1);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    cr_assert_gt(expected.count, MESSAGES / 4);
    size_t batches[] = {1, 2, 7, 64, 500};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        struct result got = run_plain(log, batches[i], 1, MESSAGES, i % 2 ? 99 + i : 0);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    free(log);
}

Test(pipeline, any_worker_count_gives_identical_bits)
{
    struct log *log = make_log(2);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    for (unsigned workers = 2; workers <= PARTITIONS; workers++) {
        struct result got = run_plain(log, 32, workers, MESSAGES, workers);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    free(log);
}

Test(pipeline, saving_and_loading_at_any_time_gives_identical_bits)
{
    struct log *log = make_log(3);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    int every[] = {1, 13, 250};
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        struct result got = run_plain(log, 100, 2, every[i], 0);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    free(log);
}

Test(pipeline, any_restart_point_gives_identical_bits)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct log *log = make_log(seed);
        unsigned crashes = 0;
        struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
        struct result got = run_crashing(log, seed * 1000003, &crashes);
        cr_assert_gt(crashes, 5);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        free(log);
    }
}

Test(pipeline, corrected_scores_are_identical_bits_however_the_log_is_cut)
{
    online = true;
    struct log *log = make_log(5);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    struct result by_one = run_plain(log, 1, 1, MESSAGES, 0);
    struct result saved = run_plain(log, 100, 3, 13, 77);
    assert_same(&by_one, &expected);
    assert_same(&saved, &expected);
    online = false;
    struct result plain = run_plain(log, 4096, 1, MESSAGES, 0);
    cr_expect(plain.count != expected.count ||
                  strcmp(plain.lines[plain.count - 1], expected.lines[expected.count - 1]) != 0,
              "the correction changes nothing");
    result_finish(&expected);
    result_finish(&by_one);
    result_finish(&saved);
    result_finish(&plain);
    free(log);
}

Test(pipeline, corrected_scores_survive_any_restart)
{
    online = true;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct log *log = make_log(seed);
        unsigned crashes = 0;
        struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
        struct result got = run_crashing(log, seed * 1000003, &crashes);
        cr_assert_gt(crashes, 3);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        free(log);
    }
}

Test(pipeline, swapping_at_given_messages_gives_identical_bits_whatever_the_batches)
{
    check_swapping();
}

/* A correction belongs to its model, and goes with it. */
Test(pipeline, swapping_with_corrected_scores_gives_identical_bits_whatever_the_batches)
{
    online = true;
    check_swapping();
}

/* More events than the ring holds under model 0, a repeat of the last under model 1, one more under
 * model 0; with `forget`, what is clean leaves the memory after each step. */
static struct result run_repeat(bool forget)
{
    static const struct {
        unsigned model;
        int64_t time;
        const char *id;
    } steps[] = {{0, 10, "a"},  {0, 60, "b"},  {0, 100, "c"}, {0, 160, "d"},
                 {0, 200, "e"}, {0, 900, "f"}, {1, 900, "f"}, {0, 950, "g"}};
    struct fixture f;
    struct shoal_model *models[MODELS];
    struct shoal_message message = {.text = ""};
    make_models(models);
    fixture_start(&f, 8, 1, 5);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char value[200];
        int size = snprintf(value, sizeof value,
                            "{\"user_id\":\"u\",\"item_id\":%zu,\"behavior\":\"pv\","
                            "\"timestamp\":%lld,\"event_id\":\"%s\"}",
                            i, 1511660000LL + (long long)steps[i].time, steps[i].id);
        struct shoal_input input = {.offset = (int64_t)i,
                                    .timestamp_ms = -1,
                                    .value = value,
                                    .value_size = (size_t)size};
        check(shoal_pipeline_use(f.pipelines[0], models[steps[i].model]), &message);
        check(shoal_pipeline_add(f.pipelines[0], &input, false), &message);
        check(shoal_pipeline_run(f.pipelines[0], &message), &message);
        check(shoal_pipeline_save(f.pipelines[0], 0, (int64_t)i + 1, &message), &message);
        if (forget)
            shoal_pipeline_drop(f.pipelines[0], -1);
    }
    cr_assert_eq(shoal_pipeline_counts(f.pipelines[0])->repeated, 1);
    struct result result = fixture_end(&f);
    for (unsigned i = 0; i < MODELS; i++)
        shoal_model_destroy(models[i]);
    return result;
}

/* The repeat is not applied, but it rebuilds the state under the other model, and the first model comes
 * back to a state that is then not its own: cached or loaded, the result has to be the same. */
Test(pipeline, a_repeat_between_two_swaps_gives_identical_bits_cached_or_loaded)
{
    struct result cached = run_repeat(false), loaded = run_repeat(true);
    assert_same(&loaded, &cached);
    result_finish(&cached);
    result_finish(&loaded);
}

Test(pipeline, outputs_come_in_the_order_of_their_messages)
{
    struct fixture f;
    struct log *log = make_log(4);
    struct shoal_message message = {.text = ""};
    fixture_start(&f, MESSAGES, 1, 5);
    for (int i = 0; i < MESSAGES; i++) {
        if (log->inputs[i].partition == 0)
            check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
    }
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    long long last = -1;
    for (size_t i = 0; i < f.sink.count; i++) {
        const char *id = strstr(f.sink.lines[i], "shoal.events/0/");
        if (!id || strcspn(id, "@") < strcspn(id, "\""))
            continue; /* a dead letter, or a timer, which bears the offset of its user's last event */
        long long offset = atoll(id + strlen("shoal.events/0/"));
        cr_assert_geq(offset, last);
        last = offset;
    }
    cr_assert_gt(last, 0);
    struct result result = fixture_end(&f);
    result_finish(&result);
    free(log);
}

Test(pipeline, counts_add_up)
{
    struct fixture f;
    struct log *log = make_log(6);
    struct shoal_message message = {.text = ""};
    fixture_start(&f, MESSAGES, 1, 5);
    for (int i = 0; i < MESSAGES; i++)
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], i % 2 == 0), &message);
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    const struct shoal_pipeline_counts *counts = shoal_pipeline_counts(f.pipelines[0]);
    cr_assert_eq(counts->messages, MESSAGES);
    cr_assert_eq(counts->events + counts->deadletters + counts->repeated, MESSAGES);
    cr_assert_gt(counts->late, 0);
    cr_assert_gt(counts->repeated, 0);
    cr_assert_gt(counts->deadletters, 0);
    cr_assert_gt(counts->suppressed, MESSAGES / 3);
    struct result result = fixture_end(&f);
    result_finish(&result);
    free(log);
}

Test(pipeline, a_state_of_another_model_is_rebuilt_from_the_ring)
{
    struct log *log = make_log(7);
    struct shoal_message message = {.text = ""};
    struct fixture f;
    struct shoal_dims dims = tiny_dims();
    fixture_start(&f, 64, 1, 5);
    for (int i = 0; i < MESSAGES / 2; i++) {
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
        if (i % 50 == 0)
            check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    }
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    for (int32_t p = 0; p < PARTITIONS; p++)
        check(shoal_pipeline_save(f.pipelines[0], p, 1, &message), &message);
    struct shoal_model *other = tiny_model(&dims, 6);
    struct shoal_buffer bytes = {0};
    cr_assert_eq(shoal_model_serialize(other, &bytes), SHOAL_OK);
    shoal_buffer_finish(&bytes);
    shoal_pipeline_destroy(f.pipelines[0]);
    f.options.model = other;
    check(shoal_pipeline_create(&f.options, f.store, &f.sink.base, &f.pipelines[0]), &message);
    for (int i = MESSAGES / 2; i < MESSAGES; i++) {
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], false), &message);
        if (i % 50 == 0)
            check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    }
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    const struct shoal_pipeline_counts *counts = shoal_pipeline_counts(f.pipelines[0]);
    cr_assert_gt(counts->rebuilt, USERS / 3);
    cr_assert_leq(counts->rebuilt, USERS);
    struct result result = fixture_end(&f);
    result_finish(&result);
    shoal_model_destroy(other);
    free(log);
}
