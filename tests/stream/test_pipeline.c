/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of the pipeline, as properties over random logs, cuts, crashes and workers: the
 * outputs and the records of any of them are those of one uninterrupted run, bit for bit. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/forget.h"
#include "tests/model/planted_items.h"
#include "tests/model/tiny_clusters.h"
#include "tests/model/tiny_model.h"
#include "tests/stream/pipeline_fixture.h"

enum { MESSAGES = 3000, USERS = 40 };

/* Users with different rates, late events, repeated event ids, dead letters; some are forgotten, some decline to be
 * processed and agree again. `online`: scores are corrected,
 * and the log takes days, so that outcomes are known. */
static struct log *make_log(uint64_t seed, bool online)
{
    static const char *const behaviors[] = {"pv", "pv", "pv", "pv", "cart", "fav", "buy"};
    struct log *log = log_create(MESSAGES);
    uint64_t state = seed * 77 + 1;
    int64_t time_ms = 1511660000000;
    log->online = online;
    for (int i = 0; i < MESSAGES; i++) {
        struct log_message *message = log_next(log);
        uint64_t r = next_random(&state);
        unsigned user = (unsigned)(r % USERS) * (unsigned)(r / 64 % 3 != 0);
        time_ms += (int64_t)(r / 256 % 60000) * (online ? 4 : 1);
        int64_t event_ms = time_ms - (r / 1024 % 29 == 0 ? 3600000 : 0);
        int key_size = snprintf(message->key, sizeof message->key, "u%u", user);
        uint64_t word = r / 8388608;
        if (word % 83 == 0) {
            log_append(log, (int)shoal_forget_print(message->key, (size_t)key_size, message->value),
                       key_size, 0);
            continue;
        }
        int size = snprintf(
            message->value, sizeof message->value,
            "{\"user_id\":\"u%u\",\"item_id\":%u,\"category_id\":%u,\"behavior\":\"%s\","
            "\"timestamp\":%lld,\"event_id\":\"e%u\"%s%s",
            user, (unsigned)(r / 4096 % 50), (unsigned)(r / 8192 % 7), behaviors[r / 16384 % 7],
            (long long)event_ms, (unsigned)(i - (r / 32768 % 31 == 0 ? 3 : 0)),
            word % 101 == 1  ? ",\"consent_processing\":false"
            : word % 19 == 2 ? ",\"consent_processing\":true"
                             : "",
            r / 65536 % 37 == 0 ? "" : "}"); /* unterminated: a dead letter */
        log_append(log, size, key_size, 0);
    }
    return log;
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

/* Of model 1 cluster 6 is no more: 5 goes on with its users. Of those of 7, and of 8 to 10 of model 2, nothing is
 * left under the others. */
static struct shoal_clusters *make_clusters(unsigned i, uint32_t hidden)
{
    struct shoal_clusters *clusters = tiny_clusters(hidden + SHOAL_COUNTERS, 3 + i, 5 + i);
    cr_assert_not_null(clusters);
    if (i == 1) {
        clusters->profiles[2].id = 5;
        clusters->profiles[3].id = 7;
        clusters->retired_count = 3;
        clusters->retired[2] = 6;
        clusters->successors[2] = 5;
        shoal_clusters_ready(clusters);
    }
    return clusters;
}

static void make_models(struct shoal_model *models[MODELS])
{
    for (unsigned i = 0; i < MODELS; i++) {
        struct shoal_dims dims = tiny_dims();
        struct shoal_buffer bytes = {0};
        if (i == 2)
            dims.hidden = 24;
        models[i] = tiny_model(&dims, 5 + i);
        if (i > 0) /* and one without a catalogue */
            models[i]->items = planted_items(40 + i, 8 * i, dims.hidden, 5 + i);
        models[i]->clusters = make_clusters(i, dims.hidden);
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
    fixture_start(&f, log, batch, workers, 5);
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

static void check_swapping(bool online)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct log *log = make_log(seed, online);
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
        log_destroy(log);
    }
}

Test(pipeline, any_batch_split_gives_identical_bits)
{
    struct log *log = make_log(1, false);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    cr_assert_gt(expected.count, MESSAGES / 4);
    size_t batches[] = {1, 2, 7, 64, 500};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        struct result got = run_plain(log, batches[i], 1, MESSAGES, i % 2 ? 99 + i : 0);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    log_destroy(log);
}

Test(pipeline, any_worker_count_gives_identical_bits)
{
    struct log *log = make_log(2, false);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    for (unsigned workers = 2; workers <= PARTITIONS; workers++) {
        struct result got = run_plain(log, 32, workers, MESSAGES, workers);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    log_destroy(log);
}

Test(pipeline, saving_and_loading_at_any_time_gives_identical_bits)
{
    struct log *log = make_log(3, false);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    int every[] = {1, 13, 250};
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        struct result got = run_plain(log, 100, 2, every[i], 0);
        assert_same(&got, &expected);
        result_finish(&got);
    }
    result_finish(&expected);
    log_destroy(log);
}

Test(pipeline, any_restart_point_gives_identical_bits)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct log *log = make_log(seed, false);
        unsigned crashes = 0;
        struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
        struct result got = run_crashing(log, seed * 1000003, &crashes);
        cr_assert_gt(crashes, 5);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        log_destroy(log);
    }
}

Test(pipeline, corrected_scores_are_identical_bits_however_the_log_is_cut)
{
    struct log *log = make_log(5, true);
    struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
    struct result by_one = run_plain(log, 1, 1, MESSAGES, 0);
    struct result saved = run_plain(log, 100, 3, 13, 77);
    assert_same(&by_one, &expected);
    assert_same(&saved, &expected);
    log->online = false;
    struct result plain = run_plain(log, 4096, 1, MESSAGES, 0);
    cr_expect(plain.count != expected.count ||
                  strcmp(plain.lines[plain.count - 1], expected.lines[expected.count - 1]) != 0,
              "the correction changes nothing");
    result_finish(&expected);
    result_finish(&by_one);
    result_finish(&saved);
    result_finish(&plain);
    log_destroy(log);
}

Test(pipeline, corrected_scores_survive_any_restart)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct log *log = make_log(seed, true);
        unsigned crashes = 0;
        struct result expected = run_plain(log, 4096, 1, MESSAGES, 0);
        struct result got = run_crashing(log, seed * 1000003, &crashes);
        cr_assert_gt(crashes, 3);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        log_destroy(log);
    }
}

Test(pipeline, swapping_at_given_messages_gives_identical_bits_whatever_the_batches)
{
    check_swapping(false);
}

/* A correction belongs to its model, and goes with it. */
Test(pipeline, swapping_with_corrected_scores_gives_identical_bits_whatever_the_batches)
{
    check_swapping(true);
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
    const struct log plain = {0};
    struct fixture f;
    struct shoal_model *models[MODELS];
    struct shoal_message message = {.text = ""};
    make_models(models);
    fixture_start(&f, &plain, 8, 1, 5);
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
    struct log *log = make_log(4, false);
    struct shoal_message message = {.text = ""};
    fixture_start(&f, log, MESSAGES, 1, 5);
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
    log_destroy(log);
}

Test(pipeline, counts_add_up)
{
    struct fixture f;
    struct log *log = make_log(6, false);
    struct shoal_message message = {.text = ""};
    fixture_start(&f, log, MESSAGES, 1, 5);
    for (int i = 0; i < MESSAGES; i++)
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], i % 2 == 0), &message);
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    const struct shoal_pipeline_counts *counts = shoal_pipeline_counts(f.pipelines[0]);
    cr_assert_eq(counts->messages, MESSAGES);
    size_t forgets = 0;
    for (int i = 0; i < MESSAGES; i++)
        forgets += strncmp(log->messages[i].value, "{\"shoal_forget", 14) == 0;
    cr_assert_eq(counts->events + counts->deadletters + counts->repeated + counts->declined + forgets, MESSAGES);
    cr_assert_gt(forgets, 10);
    cr_assert_gt(counts->declined, 10);
    cr_assert_gt(counts->forgotten, forgets);
    cr_assert_gt(counts->late, 0);
    cr_assert_gt(counts->repeated, 0);
    cr_assert_gt(counts->deadletters, 0);
    cr_assert_gt(counts->suppressed, MESSAGES / 3);
    uint64_t changes = 0, decisions = 0, deadletters = 0;
    for (int i = 0; i < SHOAL_DIMENSION_COUNT; i++)
        changes += counts->changes_by[i];
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++)
        deadletters += counts->deadletters_by[i];
    cr_assert_eq(counts->promotions.count, f.policy->count);
    for (size_t i = 0; i < counts->promotions.count; i++) {
        const struct shoal_promotion_count *one = &counts->promotions.list[i];
        cr_assert_str_eq(one->id, f.policy->promotions[i].id);
        decisions += one->decisions[0][0] + one->decisions[0][1] + one->decisions[1][0] +
                     one->decisions[1][1];
    }
    cr_assert_gt(changes, 0);
    cr_assert_eq(changes, counts->changes);
    cr_assert_gt(decisions, 0);
    cr_assert_eq(decisions, counts->decisions);
    /* Those that were suppressed are written by nobody. */
    cr_assert_gt(deadletters, 0);
    cr_assert_lt(deadletters, counts->deadletters);
    cr_assert_gt(counts->late, counts->late_suppressed);
    cr_assert_gt(counts->late_suppressed, 0);
    cr_assert_geq(counts->lookups, counts->events + counts->repeated);
    cr_assert_gt(counts->loaded, 0);
    cr_assert_lt(counts->loaded, counts->lookups);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline, a_state_of_another_model_is_rebuilt_from_the_ring)
{
    struct log *log = make_log(7, false);
    struct shoal_message message = {.text = ""};
    struct fixture f;
    struct shoal_dims dims = tiny_dims();
    fixture_start(&f, log, 64, 1, 5);
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
    log_destroy(log);
}
