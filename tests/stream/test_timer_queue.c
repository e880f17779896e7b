/* SPDX-License-Identifier: Apache-2.0 */
/* The queue against an oracle: a plain list of who is due when, looked through each time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/timer_queue.h"
#include "tests/state/failing_store.h"
#include "tests/state/leaks.h"
#include "tests/state/spying_store.h"

enum { USERS = 300, PARTITION = 2, H = 1 };

static uint64_t state;
static uint64_t below(uint64_t bound)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state % bound;
}

/* ---- one owner of one partition ---------------------------------------------------------------- */

struct owner {
    struct shoal_store *store;
    struct shoal_cache *cache;
    struct shoal_timer_queue queue;
    int64_t due_ms[USERS]; /* the oracle; 0: no entry */
    int64_t offset;
    uint32_t batch;
};

/* Names of different lengths, some the beginning of others, some with a zero byte. */
static size_t name_of(unsigned user, char name[SHOAL_USER_MAX])
{
    int size = snprintf(name, SHOAL_USER_MAX, "%.*s%u", (int)(user % 7), "uuuuuuu", user / 3);
    if (user % 3 == 1)
        name[size++] = '\0';
    if (user % 3 == 2)
        name[size++] = '\xff';
    return (size_t)size;
}

static void start(struct owner *owner, size_t piece)
{
    struct shoal_checkpoint before;
    *owner = (struct owner){.batch = 1};
    cr_assert_eq(spying_store_create(piece, &owner->store), SHOAL_OK);
    cr_assert_eq(owner->store->ops->acquire(owner->store, PARTITION, &before, NULL), SHOAL_OK);
    cr_assert_eq(shoal_cache_create(2 * USERS, H, &owner->cache), SHOAL_OK);
}

static void end(struct owner *owner)
{
    shoal_timer_queue_finish(&owner->queue);
    shoal_cache_destroy(owner->cache);
    owner->store->ops->destroy(owner->store);
}

/* The entry of a user in the cache, filled from the oracle, which is what the store has. */
static struct shoal_cache_entry *entry_of(struct owner *owner, unsigned user)
{
    char name[SHOAL_USER_MAX];
    size_t size = name_of(user, name);
    struct shoal_cache_entry *entry =
        shoal_cache_get(owner->cache, PARTITION, name, size, owner->batch);
    cr_assert_not_null(entry);
    if (!entry->loaded) {
        entry->record.timer_ms = entry->timer_saved_ms = owner->due_ms[user];
        entry->loaded = true;
    }
    return entry;
}

/* What the pipeline does when a user's entry moves; popped: it was taken out of the queue before. */
static void move(struct owner *owner, unsigned user, int64_t due_ms, bool popped)
{
    struct shoal_cache_entry *entry = entry_of(owner, user);
    cr_assert_eq(entry->record.timer_ms, owner->due_ms[user]);
    shoal_cache_mark_dirty(owner->cache, entry);
    cr_assert_eq(shoal_timer_queue_move(&owner->queue, entry->user, entry->user_size,
                                        popped ? 0 : owner->due_ms[user], due_ms),
                 SHOAL_OK);
    entry->record.timer_ms = owner->due_ms[user] = due_ms;
}

static void save(struct owner *owner)
{
    struct shoal_save_item items[USERS];
    size_t count;
    struct shoal_cache_entry *const *dirty =
        shoal_cache_dirty_of(owner->cache, PARTITION, &count);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct shoal_save_item){
            .user = {dirty[i]->user, dirty[i]->user_size},
            .value = {"record", 6},
            .timer_moves = dirty[i]->record.timer_ms != dirty[i]->timer_saved_ms,
            .timer_ms = dirty[i]->record.timer_ms,
        };
    cr_assert_eq(owner->store->ops->save(owner->store, PARTITION, items, count, ++owner->offset, 1,
                                         NULL),
                 SHOAL_OK);
    for (size_t i = 0; i < count; i++)
        dirty[i]->timer_saved_ms = dirty[i]->record.timer_ms;
    shoal_cache_mark_clean(owner->cache, PARTITION);
}

/* Everything in memory is gone; what was not saved must be saved first. */
static void restart(struct owner *owner)
{
    save(owner);
    shoal_cache_drop(owner->cache, -1);
    shoal_timer_queue_clear(&owner->queue);
}

static enum shoal_status fetch(struct owner *owner, int64_t due_ms, struct shoal_message *message)
{
    return shoal_timer_queue_fetch(&owner->queue, owner->store, owner->cache, PARTITION, due_ms,
                                   message);
}

/* The user that is due first by the oracle, USERS if there is none. */
static unsigned first_of(const struct owner *owner)
{
    unsigned first = USERS;
    char a[SHOAL_USER_MAX], b[SHOAL_USER_MAX];
    for (unsigned user = 0; user < USERS; user++) {
        if (!owner->due_ms[user] || (first < USERS && owner->due_ms[user] > owner->due_ms[first]))
            continue;
        if (first < USERS && owner->due_ms[user] == owner->due_ms[first]) {
            size_t a_size = name_of(user, a), b_size = name_of(first, b);
            int bytes = memcmp(a, b, a_size < b_size ? a_size : b_size);
            if (bytes > 0 || (bytes == 0 && a_size > b_size))
                continue;
        }
        first = user;
    }
    return first;
}

/* Pops everything until due_ms, with the oracle's answer beside it; what is popped is armed again later, or
 * not at all, as by a timer that falls due. */
static size_t drain(struct owner *owner, int64_t due_ms, size_t most)
{
    size_t popped = 0;
    cr_assert_eq(fetch(owner, due_ms, NULL), SHOAL_OK);
    size_t expected = 0;
    for (unsigned user = 0; user < USERS; user++)
        expected += owner->due_ms[user] && owner->due_ms[user] <= due_ms;
    cr_assert_eq(shoal_timer_queue_count(&owner->queue, due_ms), expected);
    while (popped < most) {
        unsigned first = first_of(owner);
        int64_t next_ms = shoal_timer_queue_next(&owner->queue);
        if (first == USERS || owner->due_ms[first] > due_ms) {
            cr_assert_gt(next_ms, due_ms, "nobody is due");
            break;
        }
        struct shoal_timer_entry entry;
        char name[SHOAL_USER_MAX];
        cr_assert_eq(next_ms, owner->due_ms[first]);
        shoal_timer_queue_pop(&owner->queue, &entry);
        cr_assert_eq(entry.due_ms, owner->due_ms[first]);
        cr_assert_eq(entry.user_size, name_of(first, name));
        cr_assert_eq(memcmp(entry.user, name, entry.user_size), 0);
        move(owner, first, below(3) ? due_ms + 1000 * (int64_t)(1 + below(5000)) : 0, true);
        popped++;
    }
    return popped;
}

/* Any sequence of what happens to a partition's timers. */
static void check_any(size_t piece, uint64_t seed)
{
    struct owner owner;
    int64_t now_ms = 1000000;
    size_t popped = 0, restarts = 0;
    state = seed * 0x9e3779b97f4a7c15u + 1;
    start(&owner, piece);
    for (int i = 0; i < 6000; i++) {
        switch (below(12)) {
        default: /* armed, or moved to any time, before and behind */
            move(&owner, (unsigned)below(USERS), now_ms + 1000 * (int64_t)(1 + below(9000)), false);
            break;
        case 8: /* at the same time as others */
            move(&owner, (unsigned)below(USERS), now_ms / 100000 * 100000 + 100000, false);
            break;
        case 9:
            move(&owner, (unsigned)below(USERS), 0, false);
            break;
        case 10:
            now_ms += 1000 * (int64_t)below(300);
            popped += drain(&owner, now_ms, below(4) ? SIZE_MAX : below(16));
            break;
        case 11:
            owner.batch++;
            if (below(4) == 0)
                save(&owner);
            if (below(16) == 0) {
                restart(&owner);
                restarts++;
            }
            break;
        }
    }
    cr_assert_gt(popped, 500);
    cr_assert_gt(restarts, 10);
    drain(&owner, INT64_MAX - 10000000, SIZE_MAX);
    end(&owner);
}

Test(timer_queue, any_moves_pops_saves_and_restarts_are_those_of_a_sorted_list)
{
    for (uint64_t seed = 1; seed <= 10; seed++)
        check_any(0, seed);
    test_no_leaks();
}

Test(timer_queue, fetched_in_pieces_it_is_the_same)
{
    for (uint64_t seed = 1; seed <= 10; seed++)
        check_any(1 + seed * seed, seed);
    test_no_leaks();
}

Test(timer_queue, an_empty_queue_has_nothing_next)
{
    struct owner owner;
    start(&owner, 0);
    cr_assert_eq(shoal_timer_queue_next(&owner.queue), INT64_MAX);
    cr_assert_eq(fetch(&owner, 5000, NULL), SHOAL_OK);
    cr_assert_eq(shoal_timer_queue_next(&owner.queue), INT64_MAX);
    cr_assert_eq(shoal_timer_queue_count(&owner.queue, INT64_MAX), 0);
    end(&owner);
    test_no_leaks();
}

Test(timer_queue, the_store_is_asked_once_for_a_time_and_not_again_for_one_before)
{
    struct owner owner;
    start(&owner, 10);
    for (unsigned user = 0; user < 100; user++)
        move(&owner, user, 1000 * (1 + (int64_t)user), false);
    restart(&owner);
    cr_assert_eq(fetch(&owner, 5000, NULL), SHOAL_OK);
    cr_assert_eq(owner.queue.until_ms, 10000, "a piece more than was asked for");
    cr_assert_eq(owner.queue.heap.count, 10);
    size_t asked = spying_store_counts(owner.store)->pieces;
    cr_assert_eq(fetch(&owner, 10000, NULL), SHOAL_OK);
    cr_assert_eq(fetch(&owner, 1, NULL), SHOAL_OK);
    cr_assert_eq(spying_store_counts(owner.store)->pieces, asked);
    cr_assert_eq(fetch(&owner, 35000, NULL), SHOAL_OK);
    cr_assert_eq(spying_store_counts(owner.store)->pieces, asked + 3);
    cr_assert_eq(owner.queue.heap.count, 40);
    end(&owner);
    test_no_leaks();
}

Test(timer_queue, what_is_armed_beyond_what_was_fetched_waits_in_its_record)
{
    struct owner owner;
    struct shoal_timer_entry entry;
    char name[SHOAL_USER_MAX];
    start(&owner, 1);
    move(&owner, 0, 5000, false);
    move(&owner, 1, 9000, false);
    save(&owner);
    cr_assert_eq(fetch(&owner, 5000, NULL), SHOAL_OK);
    move(&owner, 2, 7000, false); /* never saved */
    move(&owner, 1, 8000, false); /* the store has 9000 */
    cr_assert_eq(owner.queue.heap.count, 1);
    cr_assert_eq(owner.queue.voided.count, 0);
    cr_assert_eq(fetch(&owner, 100000, NULL), SHOAL_OK);
    for (unsigned user = 0; user < 3; user++) {
        static const unsigned order[] = {0, 2, 1};
        cr_assert_lt(shoal_timer_queue_next(&owner.queue), INT64_MAX);
        shoal_timer_queue_pop(&owner.queue, &entry);
        cr_assert_eq(entry.user_size, name_of(order[user], name));
        cr_assert_eq(memcmp(entry.user, name, entry.user_size), 0);
    }
    cr_assert_eq(shoal_timer_queue_next(&owner.queue), INT64_MAX);
    end(&owner);
    test_no_leaks();
}

Test(timer_queue, an_entry_moved_away_and_back_is_there_once)
{
    struct owner owner;
    struct shoal_timer_entry entry;
    start(&owner, 0);
    move(&owner, 7, 5000, false);
    save(&owner);
    cr_assert_eq(fetch(&owner, 1, NULL), SHOAL_OK);
    for (int i = 0; i < 9; i++) {
        move(&owner, 7, 3000, false);
        move(&owner, 7, 5000, false);
    }
    cr_assert_eq(shoal_timer_queue_count(&owner.queue, INT64_MAX), 1);
    cr_assert_eq(shoal_timer_queue_next(&owner.queue), 5000);
    shoal_timer_queue_pop(&owner.queue, &entry);
    cr_assert_eq(shoal_timer_queue_next(&owner.queue), INT64_MAX);
    end(&owner);
    test_no_leaks();
}

Test(timer_queue, the_longest_user_ids_come_back_whole)
{
    struct shoal_timer_queue queue = {.fetched = true, .until_ms = INT64_MAX};
    struct shoal_timer_entry entry;
    char user[SHOAL_USER_MAX];
    for (int i = 0; i < 200; i++) {
        memset(user, 'a' + i % 26, sizeof user);
        user[SHOAL_USER_MAX - 1] = (char)i;
        cr_assert_eq(shoal_timer_queue_move(&queue, user, sizeof user, 0, 1000), SHOAL_OK);
    }
    for (int i = 0; i < 200; i++) {
        struct shoal_timer_entry before = entry;
        cr_assert_eq(shoal_timer_queue_next(&queue), 1000);
        shoal_timer_queue_pop(&queue, &entry);
        cr_assert_eq(entry.user_size, SHOAL_USER_MAX);
        cr_assert(i == 0 || memcmp(before.user, entry.user, SHOAL_USER_MAX) < 0);
    }
    shoal_timer_queue_finish(&queue);
    test_no_leaks();
}

/* Memory is used again: what comes and goes leaves no trace. */
Test(timer_queue, places_of_what_is_gone_are_used_again)
{
    struct shoal_timer_queue queue = {.fetched = true, .until_ms = INT64_MAX};
    struct shoal_timer_entry entry;
    for (int64_t i = 1; i < 100000; i++) {
        cr_assert_eq(shoal_timer_queue_move(&queue, "a", 1, 0, 1000 * i), SHOAL_OK);
        cr_assert_eq(shoal_timer_queue_move(&queue, "a", 1, 1000 * i, 1000 * i + 500), SHOAL_OK);
        cr_assert_eq(shoal_timer_queue_next(&queue), 1000 * i + 500);
        shoal_timer_queue_pop(&queue, &entry);
    }
    cr_assert_leq(queue.entries_capacity, 64);
    shoal_timer_queue_finish(&queue);
    test_no_leaks();
}

Test(timer_queue, a_store_that_fails_is_reported_with_its_words)
{
    struct shoal_store *inner, *store;
    struct shoal_cache *cache;
    struct shoal_timer_queue queue = {0};
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_memory_store_create(&inner), SHOAL_OK);
    cr_assert_eq(shoal_failing_store_create(inner, &store), SHOAL_OK);
    cr_assert_eq(shoal_cache_create(16, H, &cache), SHOAL_OK);
    shoal_failing_store_plan(store, SHOAL_CALL_timers,
                             (struct shoal_failure){1, 1, SHOAL_UNAVAILABLE, false, false});
    cr_assert_eq(shoal_timer_queue_fetch(&queue, store, cache, 0, 1000, &message),
                 SHOAL_UNAVAILABLE);
    cr_assert_str_eq(message.text, "failure planned by the test");
    cr_assert_not(queue.fetched);
    shoal_timer_queue_clear(&queue);
    cr_assert_eq(shoal_timer_queue_fetch(&queue, store, cache, 0, 1000, &message), SHOAL_OK);
    shoal_timer_queue_finish(&queue);
    shoal_cache_destroy(cache);
    store->ops->destroy(store);
    test_no_leaks();
}
