/* SPDX-License-Identifier: Apache-2.0 */
/* Users who are forgotten, and users who decline to be processed, as properties over logs that span weeks:
 * outputs, tombstones, records and what is kept of partitions are the same bits however a log is cut, saved,
 * dropped, spread over workers and crashed into; nothing is left of who is forgotten last; and who comes back
 * is what a user is who never was there before. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/consent.h"
#include "stream/forget.h"
#include "tests/stream/pipeline_fixture.h"
#include "tests/state/leaks.h"

enum { USERS = 48, LOG_MESSAGES = 4000 };

static const int64_t MIN = 60000, DAY = 86400000;
static const int64_t START = INT64_C(1511654400000); /* midnight UTC */

/* ---- logs ---------------------------------------------------------------------------------- */

enum word { NOTHING, FORGET, WITHDRAW, GIVE };

/* What the log says, message by message, for whoever checks the results by hand. */
struct script {
    unsigned user[LOG_MESSAGES];
    uint8_t word[LOG_MESSAGES]; /* enum word */
    bool bad[LOG_MESSAGES];     /* a dead letter */
};

static void add_forget(struct log *log, const char *user)
{
    struct log_message *message = log_next(log);
    int key_size = snprintf(message->key, sizeof message->key, "%s", user);
    log_append(log, (int)shoal_forget_print(user, strlen(user), message->value), key_size, 0);
}

/* Weeks with silences in which timers fall due, late events, repeats and dead letters; every twentieth message has
 * a user forgotten, often in the midst of its events, some say no, and some of those yes again. */
static struct log *make_log(uint64_t seed, bool online, struct script *script)
{
    static const char *const behaviors[] = {"pv", "pv", "pv", "pv", "cart", "fav", "buy", "cart"};
    struct log *log = log_create(LOG_MESSAGES);
    uint64_t state = seed * 77 + 1;
    int64_t time_ms = START + 3600345;
    log->online = online;
    for (int i = 0; i < LOG_MESSAGES; i++) {
        uint64_t r = next_random(&state), q = next_random(&state);
        /* Bursts of few users: several messages of one in a micro-batch. */
        unsigned user = (unsigned)(i / 100 * 5 + (int)(r % 6)) % USERS;
        time_ms += r / 64 % 100 < 95 ? (int64_t)(q % 200000) : (int64_t)(q % 300) * MIN;
        time_ms += r / 64 % 500 == 0 ? 2 * DAY : 0;
        int64_t event_ms = time_ms - (r / 8192 % 31 == 0 ? 3600000 : 0);
        script->user[i] = user;
        script->word[i] = NOTHING;
        if (q / 1048576 % 20 == 0) {
            char id[16];
            (void)snprintf(id, sizeof id, "u%u", user);
            add_forget(log, id);
            script->word[i] = FORGET;
            continue;
        }
        const char *end = "}";
        script->bad[i] = r / 67108864 % 61 == 0;
        if (script->bad[i]) {
            end = "";
        } else if (q / 33554432 % 25 == 0) {
            end = ",\"consent_processing\":false}";
            script->word[i] = WITHDRAW;
        } else if (q / 33554432 % 7 == 1) {
            end = ",\"consent_processing\":true,\"consent_marketing\":true}";
            script->word[i] = GIVE;
        }
        log_event(log, user, event_ms, behaviors[r / 1048576 % 8],
                  i - (r / 8388608 % 31 == 0 ? 3 : 0), end);
    }
    return log;
}

/* ---- identical bits ------------------------------------------------------------------------ */

static void check_cuts(bool online)
{
    struct script *script = calloc(1, sizeof *script);
    static const struct {
        size_t batch;
        unsigned workers;
        int save_every;
        size_t piece;
    } ways[] = {{1, 1, LOG_MESSAGES, 0}, {7, 1, 13, 3}, {64, 3, 250, 1}, {500, 4, 1000, 0}, {33, 2, 1, 0}};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct log *log = make_log(seed, online, script);
        struct result expected = run_plain(log, 4096, 1, LOG_MESSAGES, 0);
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            log->piece = ways[i].piece;
            struct result got = run_plain(log, ways[i].batch, ways[i].workers, ways[i].save_every,
                                          i % 2 ? seed * 99 + i : 0);
            assert_same(&got, &expected);
            result_finish(&got);
        }
        result_finish(&expected);
        log_destroy(log);
    }
    free(script);
}

Test(pipeline_forget, forgetting_gives_identical_bits_however_the_log_is_cut)
{
    check_cuts(false);
}

Test(pipeline_forget, forgetting_gives_identical_bits_with_corrected_scores)
{
    check_cuts(true);
}

/* A thousand leave a cart, half of them are forgotten, and what is due of the others is drawn some at a time: the
 * timers of those who are gone take no turns, be they in memory or read anew. The log ends before all are drawn. */
Test(pipeline_forget, timers_of_the_forgotten_take_no_turns_of_others)
{
    enum { CROWD = 1000, REST = 20 };
    struct log *log = log_create(2 * CROWD + REST);
    log->cache_users = 16384;
    for (int i = 0; i < CROWD; i++)
        log_event(log, (unsigned)i, START + i * 100, "cart", i, "}");
    for (int i = 0; i < CROWD; i += 2) {
        char user[16];
        (void)snprintf(user, sizeof user, "u%d", i);
        add_forget(log, user);
    }
    for (int i = 0; i < REST; i++)
        log_event(log, (unsigned)i % 16, START + 120 * MIN + i * MIN, "pv", CROWD + i, "}");
    struct result expected = run_plain(log, 4096, 1, log->count, 0);
    struct result saved = run_plain(log, 64, 2, 250, 0);
    struct result by_one = run_plain(log, 1, 1, 1, 0);
    assert_same(&saved, &expected);
    assert_same(&by_one, &expected);
    result_finish(&expected);
    result_finish(&saved);
    result_finish(&by_one);
    log_destroy(log);
}

Test(pipeline_forget, forgetting_survives_any_restart)
{
    struct script *script = calloc(1, sizeof *script);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct log *log = make_log(seed, seed % 2 == 0, script);
        unsigned crashes = 0;
        struct result expected = run_plain(log, 4096, 1, LOG_MESSAGES, 0);
        struct result got = run_crashing(log, seed * 1000003, &crashes);
        cr_assert_gt(crashes, 5);
        assert_same(&got, &expected);
        result_finish(&got);
        result_finish(&expected);
        log_destroy(log);
    }
    free(script);
}

/* ---- what is left -------------------------------------------------------------------------- */

/* A run of a log whose store can be looked at afterwards. */
struct run {
    struct fixture fixture;
    struct shoal_pipeline_counts counts;
};

static void run_all(struct run *run, const struct log *log, size_t batch)
{
    struct shoal_message message = {.text = ""};
    struct fixture *f = &run->fixture;
    fixture_start(f, log, batch, 1, 5);
    for (int i = 0; i < log->count; i++) {
        check(shoal_pipeline_add(f->pipelines[0], &log->inputs[i], false), &message);
        if (shoal_pipeline_waiting(f->pipelines[0]) >= batch)
            check(shoal_pipeline_run(f->pipelines[0], &message), &message);
    }
    check(shoal_pipeline_run(f->pipelines[0], &message), &message);
    for (int32_t p = 0; p < PARTITIONS; p++)
        check(shoal_pipeline_save(f->pipelines[0], p, 1, &message), &message);
    run->counts = *shoal_pipeline_counts(f->pipelines[0]);
}

static void end_run(struct run *run)
{
    struct result result = fixture_end(&run->fixture);
    result_finish(&result);
}

/* A user's record as it is saved; false if there is none. */
static bool find_record(struct run *run, const char *user, struct shoal_record *record, float *hc)
{
    struct shoal_store *store = run->fixture.store;
    int32_t partition;
    struct shoal_slice value;
    enum shoal_status status = store->ops->find(store, (struct shoal_slice){user, strlen(user)},
                                                &partition, &value, NULL);
    if (status == SHOAL_NOT_FOUND)
        return false;
    cr_assert_eq(status, SHOAL_OK);
    shoal_record_init(record, (uint32_t)run->fixture.model->params.dims.hidden, hc);
    cr_assert_eq(shoal_record_decode(record, value.bytes, value.size), SHOAL_OK);
    return true;
}

struct timers {
    const char *user;
    size_t of_user, all;
};

static enum shoal_status count_timer(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct timers *timers = opaque;
    timers->all++;
    timers->of_user += user.size == strlen(timers->user) &&
                       memcmp(user.bytes, timers->user, user.size) == 0;
    return SHOAL_OK;
}

static size_t count_timers(struct run *run, const char *user, size_t *all)
{
    struct timers timers = {.user = user};
    int64_t until_ms;
    for (int32_t p = 0; p < PARTITIONS; p++)
        for (int64_t after_ms = 0; after_ms != INT64_MAX; after_ms = until_ms)
            cr_assert_eq(run->fixture.store->ops->timers(run->fixture.store, p, after_ms, 100000, count_timer,
                                                         &timers, &until_ms, NULL),
                         SHOAL_OK);
    *all += timers.all;
    return timers.of_user;
}

static size_t count_tombstones(const struct memory_sink *sink, const char *user)
{
    char wanted[60];
    size_t count = 0;
    (void)snprintf(wanted, sizeof wanted, " tombstone of %s:", user);
    for (size_t i = 0; i < sink->count; i++)
        count += strstr(sink->lines[i], wanted) != NULL;
    return count;
}

/* Where the user's present life begins, from what the script says alone: behind the last message that ended one.
 * `wipes`: how often that was. */
static int life_of(const struct log *log, const struct script *script, unsigned user, bool *declined,
                   size_t *wipes)
{
    int from = 0;
    *declined = false;
    *wipes = 0;
    for (int i = 0; i < log->count; i++) {
        if (script->user[i] != user || script->bad[i])
            continue;
        if (script->word[i] == GIVE && *declined) {
            *declined = false;
            from = i;
        }
        bool withdraws = script->word[i] == WITHDRAW && !*declined;
        if (script->word[i] != FORGET && !withdraws)
            continue;
        *declined = *declined || withdraws; /* a refusal survives */
        from = i + 1;
        ++*wipes;
    }
    return from;
}

/* The user's present life alone, as the whole log of a store that never knew the user. */
static struct log *cut_life(const struct log *log, const struct script *script, unsigned user, int from)
{
    struct log *life = log_create(log->count);
    for (int i = from; i < log->count; i++)
        if (script->user[i] == user)
            life->inputs[life->count++] = log->inputs[i];
    return life;
}

static void assert_same_life(const struct shoal_record *got, const struct shoal_record *wanted,
                             unsigned user)
{
    cr_assert_eq(got->events_count, wanted->events_count, "u%u: %llu events, not %llu", user,
                 (unsigned long long)got->events_count, (unsigned long long)wanted->events_count);
    cr_assert_eq(got->offset, wanted->offset);
    cr_assert_eq(got->first_ms, wanted->first_ms);
    cr_assert_eq(got->consent, wanted->consent);
    cr_assert_eq(got->ring_count, wanted->ring_count);
    cr_assert_eq(memcmp(got->ring, wanted->ring, got->ring_count * sizeof *got->ring), 0);
    cr_assert_eq(memcmp(got->h, wanted->h, got->hidden * sizeof *got->h), 0);
    cr_assert_eq(memcmp(got->c, wanted->c, got->hidden * sizeof *got->c), 0);
    cr_assert_eq(memcmp(got->counters, wanted->counters, sizeof got->counters), 0);
    cr_assert_eq(memcmp(&got->purchases, &wanted->purchases, sizeof got->purchases), 0);
}

static void assert_nothing_kept(const struct shoal_record *record)
{
    cr_assert(shoal_consent_declined(record));
    cr_assert_eq(record->consent, SHOAL_CONSENT_PROCESSING << SHOAL_CONSENT_KNOWN_SHIFT);
    cr_assert_geq(record->offset, 0);
    cr_assert_eq(record->events_count, 0);
    cr_assert_eq(record->ring_count + record->ids_count + record->grants_count, 0);
    cr_assert_eq(record->first_ms | record->last_ms | record->cart_ms | record->timer_ms, 0);
    for (unsigned d = 0; d < SHOAL_DIMENSIONS_MAX; d++)
        cr_assert_eq(record->standings[d].level, 0);
    for (uint32_t i = 0; i < record->hidden; i++)
        cr_assert(record->h[i] == 0 && record->c[i] == 0);
}

Test(pipeline_forget, nothing_is_left_but_what_came_afterwards)
{
    struct script *script = calloc(1, sizeof *script);
    struct log *log = make_log(3, false, script);
    struct run run;
    struct shoal_record record, again;
    float hc[2 * SHOAL_HIDDEN_MAX], other[2 * SHOAL_HIDDEN_MAX];
    size_t gone = 0, declined_count = 0, returned = 0, wipes_sum = 0, timers = 0;
    run_all(&run, log, 256);
    for (unsigned u = 0; u < USERS; u++) {
        char user[16];
        bool declined;
        size_t wipes;
        (void)snprintf(user, sizeof user, "u%u", u);
        int from = life_of(log, script, u, &declined, &wipes);
        wipes_sum += wipes;
        cr_assert_eq(count_tombstones(&run.fixture.sink, user), 2 * wipes);
        struct log *life = cut_life(log, script, u, from);
        struct run fresh;
        run_all(&fresh, life, 16);
        bool wanted = find_record(&fresh, user, &again, other);
        bool found = find_record(&run, user, &record, hc);
        cr_assert_eq(found, wanted || declined, "u%u", u);
        if (found && declined)
            assert_nothing_kept(&record);
        else if (found)
            assert_same_life(&record, &again, u);
        if (!found || declined)
            cr_assert_eq(count_timers(&run, user, &timers), 0, "u%u has a timer", u);
        gone += !found;
        declined_count += declined;
        returned += found && !declined && wipes > 0;
        end_run(&fresh);
        log_destroy(life);
    }
    (void)count_timers(&run, "", &timers);
    cr_assert_gt(timers, 0);
    cr_assert_eq(run.counts.forgotten, wipes_sum);
    cr_assert_gt(run.counts.declined, 50);
    cr_assert(gone > 0 && declined_count > 2 && returned > 10, "%zu gone, %zu declined, %zu returned", gone,
              declined_count, returned);
    end_run(&run);
    log_destroy(log);
    free(script);
}

Test(pipeline_forget, a_user_forgotten_before_the_first_save_is_never_written)
{
    struct log *log = log_create(8);
    struct run run;
    struct shoal_record record;
    float hc[2 * SHOAL_HIDDEN_MAX];
    log_event(log, 1, START, "cart", 1, "}");
    log_event(log, 1, START + MIN, "buy", 2, "}");
    add_forget(log, "u1");
    add_forget(log, "nobody");
    run_all(&run, log, 16);
    cr_assert_not(find_record(&run, "u1", &record, hc));
    cr_assert_not(find_record(&run, "nobody", &record, hc));
    size_t timers = 0;
    cr_assert_eq(count_timers(&run, "u1", &timers), 0);
    cr_assert_eq(timers, 0);
    cr_assert_eq(count_tombstones(&run.fixture.sink, "u1"), 2);
    cr_assert_eq(count_tombstones(&run.fixture.sink, "nobody"), 2, "subscribers may know who is not known here");
    end_run(&run);
    log_destroy(log);
    test_no_leaks();
}

Test(pipeline_forget, told_to_all_partitions_one_writes_tombstones_of_who_is_not_known)
{
    struct log *log = log_create(16);
    struct run run;
    for (int32_t p = 0; p < PARTITIONS; p++)
        log_append(log, (int)shoal_forget_print("nobody", 6, log_next(log)->value), 0, p);
    log_event(log, 1, START, "pv", 1, "}");
    for (int32_t p = 0; p < PARTITIONS; p++)
        log_append(log, (int)shoal_forget_print("u1", 2, log_next(log)->value), 0, p);
    run_all(&run, log, 16);
    cr_assert_eq(count_tombstones(&run.fixture.sink, "nobody"), 2);
    cr_assert_eq(count_tombstones(&run.fixture.sink, "u1"), 2);
    cr_assert_eq(run.counts.forgotten, 2);
    end_run(&run);
    log_destroy(log);
}

Test(pipeline_forget, in_recovery_a_user_is_forgotten_without_tombstones)
{
    struct log *log = log_create(8);
    struct fixture f;
    struct shoal_message message = {.text = ""};
    log_event(log, 1, START, "cart", 1, "}");
    add_forget(log, "u1");
    fixture_start(&f, log, 8, 1, 5);
    for (int i = 0; i < log->count; i++)
        check(shoal_pipeline_add(f.pipelines[0], &log->inputs[i], true), &message);
    check(shoal_pipeline_run(f.pipelines[0], &message), &message);
    cr_assert_eq(f.sink.count, 0);
    cr_assert_eq(shoal_pipeline_counts(f.pipelines[0])->forgotten, 1);
    struct result result = fixture_end(&f);
    result_finish(&result);
    log_destroy(log);
}

Test(pipeline_forget, who_declined_and_is_forgotten_stays_declined)
{
    struct log *log = log_create(16);
    struct run run;
    struct shoal_record record;
    float hc[2 * SHOAL_HIDDEN_MAX];
    log_event(log, 1, START, "pv", 1, "}");
    log_event(log, 1, START + MIN, "pv", 2, ",\"consent_processing\":false}");
    add_forget(log, "u1");
    add_forget(log, "u1");
    log_event(log, 1, START + 2 * MIN, "buy", 3, "}");
    run_all(&run, log, 16);
    cr_assert(find_record(&run, "u1", &record, hc));
    assert_nothing_kept(&record);
    cr_assert_eq(record.offset, 1, "since the event that declined");
    cr_assert_eq(run.counts.events, 1);
    cr_assert_eq(run.counts.declined, 2);
    cr_assert_eq(count_tombstones(&run.fixture.sink, "u1"), 6, "subscribers are told each time");
    end_run(&run);
    log_event(log, 1, START + 3 * MIN, "pv", 4, ",\"consent_processing\":true}");
    add_forget(log, "u1");
    run_all(&run, log, 16);
    cr_assert_not(find_record(&run, "u1", &record, hc), "who took it back leaves nothing");
    end_run(&run);
    log_destroy(log);
}

Test(pipeline_forget, events_of_who_declines_are_dropped_until_consent_is_given)
{
    struct log *log = log_create(16);
    struct run run;
    struct shoal_record record;
    float hc[2 * SHOAL_HIDDEN_MAX];
    log_event(log, 1, START, "pv", 1, ",\"consent_marketing\":true}");
    log_event(log, 1, START + MIN, "pv", 2, ",\"consent_processing\":false}");
    log_event(log, 1, START + 2 * MIN, "buy", 3, ",\"consent_marketing\":true}");
    log_event(log, 1, START + 3 * MIN, "pv", 4, ",\"consent_processing\":false}");
    log_event(log, 1, START + 4 * MIN, "pv", 5, ",\"consent_processing\":true}");
    log_event(log, 1, START + 5 * MIN, "cart", 6, "}");
    run_all(&run, log, 16);
    cr_assert(find_record(&run, "u1", &record, hc));
    cr_assert_eq(record.events_count, 2);
    cr_assert_eq(shoal_consent_state(&record, SHOAL_CONSENT_MARKETING), -1, "said in another life");
    cr_assert_eq(shoal_consent_state(&record, SHOAL_CONSENT_PROCESSING), 1);
    cr_assert_eq(run.counts.events, 3);
    cr_assert_eq(run.counts.declined, 3);
    cr_assert_eq(run.counts.forgotten, 1);
    cr_assert_eq(count_tombstones(&run.fixture.sink, "u1"), 2);
    end_run(&run);
    log_destroy(log);
}
