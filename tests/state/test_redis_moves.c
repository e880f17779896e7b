/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store while a slot of a real Redis Cluster moves from one master to another. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "tests/state/cluster_fixture.h"
#include "tests/state/leaks.h"
#include "tests/state/store_conformance.h"

SHARED_CLUSTER_BEFORE
SHARED_CLUSTER_AFTER

TestSuite(redis_moves, .init = shared_cluster_find);

Test(redis_moves, slot_that_has_moved_is_followed)
{
    struct moving m = begin_moving(&shared, "moved");
    while (test_cluster_move_step(&shared, m.slot, m.from, m.to, 10))
        ;
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    cr_assert_str_eq(test_load(m.store, 0, "u7"), "1");
    cr_assert_eq(save_all(&m, "2", 2), SHOAL_OK, "%s", message.text);
    cr_assert_eq(m.store->ops->verify(m.store, 0, &message), SHOAL_OK);
    cr_assert_str_eq(test_load(m.store, 0, "u39"), "2");
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

Test(redis_moves, new_users_are_not_written_while_their_slot_moves)
{
    struct moving m = begin_moving(&shared, "fresh");
    /* Asked for alone, a new user's key is said to be on the new node: where no checkpoint is. */
    expect(test_save(m.store, 0, "new", "1", 2, &message), SHOAL_UNAVAILABLE, "Redis at");
    cr_assert_not(m.store->lost_writes);
    cr_assert_eq(test_save(m.store, 0, "u0", "2", 2, &message), SHOAL_OK, "%s", message.text);
    while (test_cluster_move_step(&shared, m.slot, m.from, m.to, 100))
        ;
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    cr_assert_eq(test_save(m.store, 0, "new", "1", 3, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(m.store, 0, "u0"), "2");
    cr_assert_str_eq(test_load(m.store, 0, "new"), "1");
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

Test(redis_moves, half_moved_slot_is_never_written_in_part)
{
    struct moving m = begin_moving(&shared, "half");
    for (int i = 0; i < CLUSTER_USERS / 2; i++) {
        char tail[16];
        (void)snprintf(tail, sizeof tail, ":u%d", i);
        move_key(&m, tail);
    }
    int64_t began_ms = shoal_clock_ms();
    expect(save_all(&m, "2", 2), SHOAL_UNAVAILABLE, "TRYAGAIN");
    cr_assert_geq(shoal_clock_ms() - began_ms, CLUSTER_TIMEOUT_MS, "it was not waited for");
    cr_assert_str_eq(raw(&m, ":u39"), "1");
    /* The checkpoint too: now it is on the other side, and still a part of the users is not. */
    move_key(&m, "#checkpoint");
    expect(save_all(&m, "2", 2), SHOAL_UNAVAILABLE, "Redis at"); /* TRYAGAIN there, or ASK here */
    cr_assert_eq(m.store->ops->verify(m.store, 0, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(raw(&m, ":u39"), "1");
    while (test_cluster_move_step(&shared, m.slot, m.from, m.to, 3))
        ;
    /* All of it has moved, and the slot not yet: every command goes behind ASKING. */
    cr_assert_eq(save_all(&m, "3", 3), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(m.store, 0, "u5"), "3");
    struct shoal_slice many[CLUSTER_USERS], values[CLUSTER_USERS];
    for (int i = 0; i < CLUSTER_USERS; i++)
        many[i] = test_slice(m.ids[i]);
    cr_assert_eq(m.store->ops->load(m.store, 0, many, CLUSTER_USERS, values, &message), SHOAL_OK);
    for (int i = 0; i < CLUSTER_USERS; i++)
        cr_assert(values[i].size == 1 && memcmp(values[i].bytes, "3", 1) == 0);
    struct shoal_store *next = cluster_store(shared.url, m.topic);
    cr_assert_eq(take(next, 0).next_offset, 3);
    expect(save_all(&m, "4", 4), SHOAL_FENCED, "another owner");
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    next->ops->destroy(next);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

Test(redis_moves, scan_visits_each_user_once_while_a_slot_moves)
{
    struct moving m = begin_moving(&shared, "scanned");
    for (int round = 0; round < 6; round++) {
        int seen = 0;
        cr_assert_eq(m.store->ops->scan(m.store, count_visit, &seen, &message), SHOAL_OK, "%s",
                     message.text);
        cr_assert_eq(seen, CLUSTER_USERS);
        (void)test_cluster_move_step(&shared, m.slot, m.from, m.to, 9);
    }
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

Test(redis_moves, user_is_found_wherever_the_slot_is_at_the_moment)
{
    struct moving m = begin_moving(&shared, "found");
    struct shoal_store *looking = cluster_store(shared.url, m.topic);
    struct shoal_slice value;
    int32_t partition;
    cr_assert_eq(looking->ops->open(looking, 12, &message), SHOAL_OK, "%s", message.text);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < CLUSTER_USERS; i++) {
            cr_assert_eq(looking->ops->find(looking, test_slice(m.ids[i]), &partition, &value, &message),
                         SHOAL_OK, "%s: %s", m.ids[i], message.text);
            cr_assert(partition == 0 && value.size == 1 && memcmp(value.bytes, "1", 1) == 0);
        }
        cr_assert_eq(looking->ops->find(looking, test_slice("nobody"), &partition, &value, &message),
                     SHOAL_NOT_FOUND, "%s", message.text);
        (void)test_cluster_move_step(&shared, m.slot, m.from, m.to, 8);
        if (round == 6)
            cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    }
    looking->ops->destroy(looking);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

/* Between two nodes they cannot be counted; on one they can, and what is not a user's is not counted with them. */
Test(redis_moves, users_are_counted_where_all_of_them_are)
{
    struct moving m = begin_moving(&shared, "counted");
    uint64_t most;
    cr_assert_eq(m.store->ops->ceiling(m.store, 0, &most, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(most, UINT64_MAX);
    while (test_cluster_move_step(&shared, m.slot, m.from, m.to, 9)) {
        cr_assert_eq(m.store->ops->ceiling(m.store, 0, &most, &message), SHOAL_OK, "%s", message.text);
        cr_assert_eq(most, UINT64_MAX);
    }
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    cr_assert_eq(m.store->ops->ceiling(m.store, 0, &most, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(most, CLUSTER_USERS);
    cr_assert_eq(test_save(m.store, 0, "", "of all", 2, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(m.store->ops->ceiling(m.store, 0, &most, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(most, CLUSTER_USERS);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

struct behind_the_scan {
    unsigned slot;
    int users;
    bool moved;
};

/* With the first user, all keys of the slot go from the last node, still to be scanned, to the first. */
static enum shoal_status move_behind(void *opaque, int32_t partition, struct shoal_slice user,
                                     struct shoal_slice value)
{
    struct behind_the_scan *behind = opaque;
    (void)partition, (void)user, (void)value;
    behind->users++;
    if (behind->moved)
        return SHOAL_OK;
    behind->moved = true;
    while (test_cluster_move_step(&shared, behind->slot, 2, 0, 100))
        ;
    return SHOAL_OK;
}

Test(redis_moves, users_that_move_behind_the_scan_are_visited_too)
{
    struct shoal_store *store = cluster_store(shared.url, "behind");
    int32_t here = partition_of(&shared, "behind", 0), there = partition_of(&shared, "behind", 2);
    struct behind_the_scan behind = {.slot = slot_of("behind", there)};
    (void)take(store, here);
    (void)take(store, there);
    cr_assert_eq(test_save(store, here, "a", "1", 1, &message), SHOAL_OK);
    cr_assert_eq(test_save(store, there, "b", "1", 1, &message), SHOAL_OK);
    cr_assert(test_cluster_move_begin(&shared, behind.slot, 2, 0));
    cr_assert_eq(store->ops->scan(store, move_behind, &behind, &message), SHOAL_OK, "%s",
                 message.text);
    cr_assert_eq(behind.users, 2);
    cr_assert(test_cluster_move_end(&shared, behind.slot, 0));
    store->ops->destroy(store);
    test_no_leaks();
}

struct saver {
    struct moving *moving;
    atomic_bool stop;
    atomic_int saved, unavailable, other;
};

static void *save_on_and_on(void *opaque)
{
    struct saver *saver = opaque;
    for (int64_t n = 2; !atomic_load(&saver->stop);) {
        char value[24];
        (void)snprintf(value, sizeof value, "%" PRId64, n);
        enum shoal_status status = save_all(saver->moving, value, n);
        atomic_fetch_add(status == SHOAL_OK ? &saver->saved
                         : status == SHOAL_UNAVAILABLE ? &saver->unavailable
                                                       : &saver->other,
                         1);
        n += status == SHOAL_OK;
    }
    return NULL;
}

/* There and back again, a few keys at a time, under an owner that saves without a pause. */
Test(redis_moves, slot_moves_under_an_owner_that_saves)
{
    struct moving m = begin_moving(&shared, "busy");
    struct saver saver = {.moving = &m};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, save_on_and_on, &saver), 0);
    size_t from = m.from, to = m.to;
    for (int round = 0; round < 6; round++) {
        if (round)
            cr_assert(test_cluster_move_begin(&shared, m.slot, from, to));
        while (test_cluster_move_step(&shared, m.slot, from, to, 5))
            ;
        cr_assert(test_cluster_move_end(&shared, m.slot, to));
        int before = atomic_load(&saver.saved);
        for (int i = 0; i < 2000 && atomic_load(&saver.saved) < before + 5; i++)
            (void)usleep(5000);
        cr_assert_geq(atomic_load(&saver.saved), before + 5,
                      "round %d: %d saves since, %d unavailable, %d others: %s", round,
                      atomic_load(&saver.saved) - before, atomic_load(&saver.unavailable),
                      atomic_load(&saver.other), message.text);
        size_t turn = from;
        from = to;
        to = turn;
    }
    atomic_store(&saver.stop, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(atomic_load(&saver.other), 0, "%s", message.text);
    char expected[24];
    int64_t last = atomic_load(&saver.saved) + 1;
    (void)snprintf(expected, sizeof expected, "%" PRId64, last);
    for (int i = 0; i < CLUSTER_USERS; i++)
        cr_assert_str_eq(test_load(m.store, 0, m.ids[i]), expected);
    cr_assert_eq(take(m.store, 0).next_offset, last);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}
