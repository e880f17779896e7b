/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do with timers, and a long series of random calls that goes through all of it; see
 * store_conformance.h. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/state/random_record.h"
#include "tests/state/store_conformance.h"

/* ---- timers ------------------------------------------------------------------------------- */

enum { TIMERS_MAX = 600 };

struct timers {
    size_t count;
    char users[TIMERS_MAX][16];
    int64_t due_ms[TIMERS_MAX];
};

static enum shoal_status note_timer(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct timers *timers = opaque;
    cr_assert_lt(timers->count, TIMERS_MAX);
    cr_assert_lt(user.size, sizeof timers->users[0]);
    memcpy(timers->users[timers->count], user.bytes, user.size);
    timers->users[timers->count][user.size] = '\0';
    timers->due_ms[timers->count++] = timer_ms;
    return SHOAL_OK;
}

/* Everything later than after_ms, asked for `limit` at a time. */
static void all_timers(struct shoal_store *store, int32_t partition, int64_t after_ms, size_t limit,
                       struct timers *timers)
{
    struct shoal_message message = {{0}};
    timers->count = 0;
    for (int64_t until_ms = 0; until_ms != INT64_MAX; after_ms = until_ms) {
        size_t before = timers->count;
        cr_assert_eq(store->ops->timers(store, partition, after_ms, limit, note_timer, timers,
                                        &until_ms, &message),
                     SHOAL_OK, "%s", message.text);
        cr_assert(until_ms == INT64_MAX || timers->count > before, "a call that brings nothing");
        for (size_t i = before; i < timers->count; i++)
            cr_assert(timers->due_ms[i] > after_ms && timers->due_ms[i] <= until_ms);
    }
}

static int64_t due_of(const struct timers *timers, const char *user)
{
    int64_t due_ms = 0;
    for (size_t i = 0; i < timers->count; i++) {
        if (strcmp(timers->users[i], user) == 0) {
            cr_assert_eq(due_ms, 0, "two entries of one user");
            due_ms = timers->due_ms[i];
        }
    }
    return due_ms;
}

static void save_timer(struct shoal_store *store, const char *user, const char *value, bool moves,
                       int64_t timer_ms)
{
    struct shoal_message message = {{0}};
    struct shoal_save_item item = {.user = test_slice(user),
                                   .value = test_slice(value),
                                   .timer_moves = moves,
                                   .timer_ms = timer_ms};
    cr_assert_eq(store->ops->save(store, 0, &item, 1, 1, 1, &message), SHOAL_OK, "%s",
                 message.text);
}

void conformance_timers_move_with_their_records(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    struct timers timers;
    test_acquire(store, 0);
    save_timer(store, "a", "1", true, 5000);
    save_timer(store, "b", "1", true, 7000);
    save_timer(store, "c", "1", false, 0);
    all_timers(store, 0, 0, 100, &timers);
    cr_assert_eq(timers.count, 2);
    cr_assert_eq(due_of(&timers, "a"), 5000);
    cr_assert_eq(due_of(&timers, "b"), 7000);
    save_timer(store, "a", "2", false, 0);
    all_timers(store, 0, 0, 100, &timers);
    cr_assert_eq(due_of(&timers, "a"), 5000, "a save that says nothing leaves the entry");
    save_timer(store, "a", "3", true, 9000);
    all_timers(store, 0, 7000, 100, &timers);
    cr_assert_eq(timers.count, 1, "after 7 s");
    cr_assert_eq(due_of(&timers, "a"), 9000);
    save_timer(store, "a", "4", true, 0);
    save_timer(store, "b", NULL, false, 0);
    all_timers(store, 0, 0, 100, &timers);
    cr_assert_eq(timers.count, 0, "moved to none, and gone with the record");
    all_timers(store, 1, 0, 100, &timers);
    cr_assert_eq(timers.count, 0);
    store->ops->destroy(store);
}

void conformance_timers_come_in_pieces_that_split_no_due_time(struct conformance *self)
{
    enum { USERS = 500 };
    struct shoal_store *store = self->open(self);
    struct timers timers;
    struct shoal_message message = {{0}};
    struct shoal_save_item items[USERS];
    char users[USERS][8];
    test_acquire(store, 0);
    for (int i = 0; i < USERS; i++) {
        snprintf(users[i], sizeof users[i], "u%d", i);
        /* 40 share each due time: more than some of the limits below */
        items[i] = (struct shoal_save_item){.user = test_slice(users[i]),
                                            .value = test_slice("x"),
                                            .timer_moves = true,
                                            .timer_ms = 1000 + i / 40 * 1000};
    }
    cr_assert_eq(store->ops->save(store, 0, items, USERS, 1, 1, &message), SHOAL_OK);
    static const size_t limits[] = {1, 7, 40, 41, 100, 499, 500, 501};
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        all_timers(store, 0, 0, limits[k], &timers);
        cr_assert_eq(timers.count, USERS, "limit %zu gives %zu", limits[k], timers.count);
        for (int i = 0; i < USERS; i += 13)
            cr_assert_eq(due_of(&timers, users[i]), 1000 + i / 40 * 1000);
    }
    store->ops->destroy(store);
}

/* ---- random series ------------------------------------------------------------------------ */

enum { WORKERS = 3, PARTITIONS = 3, USERS = 20 };

static size_t random_save(struct shoal_store *store, int32_t partition, uint64_t *seed,
                          char *journal, size_t size)
{
    char ids[USERS][8], values[USERS][24];
    struct shoal_save_item items[USERS];
    size_t count = test_random(seed) % USERS;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "u%zu", i);
        (void)snprintf(values[i], sizeof values[i], "%" PRIx64, test_random(seed));
        items[i] = (struct shoal_save_item){
            .user = test_slice(ids[i]),
            .value = test_slice(test_random(seed) % 5 ? values[i] : NULL),
            .timer_moves = test_random(seed) % 2,
            .timer_ms = (int64_t)(test_random(seed) % 4) * 1000};
    }
    struct shoal_message message = {{0}};
    store->lost_writes = false;
    enum shoal_status status =
        store->ops->save(store, partition, items, count, (int64_t)(test_random(seed) % 1000),
                         test_random(seed), &message);
    return (size_t)snprintf(journal, size, "save %s %d %s\n", shoal_status_code(status),
                            store->lost_writes, message.text);
}

static size_t random_load(struct shoal_store *store, int32_t partition, uint64_t *seed,
                          char *journal, size_t size)
{
    char id[8];
    (void)snprintf(id, sizeof id, "u%d", (int)(test_random(seed) % USERS));
    const char *value = test_load(store, partition, id);
    size_t used = (size_t)snprintf(journal, size, "load %s", value ? value : "(none)");
    struct timers timers;
    all_timers(store, partition, 0, 5, &timers);
    return used + (size_t)snprintf(journal + used, size - used, ", due %" PRId64 " of %zu\n",
                                   due_of(&timers, id), timers.count);
}

static size_t random_acquire(struct shoal_store *store, int32_t partition, char *journal,
                             size_t size)
{
    struct shoal_checkpoint before = test_acquire(store, partition);
    return (size_t)snprintf(journal, size,
                            "acquire %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                            before.next_offset, before.epoch, before.model, before.saves);
}

void conformance_random_series(struct conformance *self, uint64_t seed, size_t calls, char *journal,
                               size_t size)
{
    struct shoal_store *workers[WORKERS];
    for (size_t i = 0; i < WORKERS; i++)
        workers[i] = self->open(self);
    size_t used = 0;
    for (size_t i = 0; i < calls; i++) {
        struct shoal_store *store = workers[test_random(&seed) % WORKERS];
        int32_t partition = (int32_t)(test_random(&seed) % PARTITIONS);
        uint64_t draw = test_random(&seed) % 20;
        cr_assert_lt(used + 700, size, "the journal is too small");
        if (draw < 10)
            used += random_save(store, partition, &seed, journal + used, size - used);
        else if (draw < 16)
            used += random_load(store, partition, &seed, journal + used, size - used);
        else if (draw < 19)
            used += random_acquire(store, partition, journal + used, size - used);
        else
            store->ops->release(store, partition);
    }
    for (size_t i = 0; i < WORKERS; i++)
        workers[i]->ops->destroy(workers[i]);
}
