/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store when nodes of a real Redis Cluster die, and their replicas take over with all that they had or not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "state/redis_keys.h"
#include "state/redis_slots.h"
#include "tests/state/cluster_fixture.h"
#include "tests/state/leaks.h"
#include "tests/state/store_conformance.h"

Test(redis_failover, replica_that_has_everything_is_followed_without_a_loss)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 3, true, false, DIES_SOON_MS));
    int32_t p = partition_of(&own, "t", 0);
    struct shoal_store *store = cluster_store(own.url, "t");
    (void)take(store, p);
    cr_assert_eq(test_save(store, p, "a", "1", 1, &message), SHOAL_OK);
    cr_assert_str_eq(test_cluster_command(&own, 0, "WAIT", "1", "5000", NULL), "1");
    for (int i = 0; i < 500 && !strstr(test_cluster_command(&own, 3, "INFO", "keyspace", NULL), "keys=2"); i++)
        (void)usleep(10000);
    test_cluster_kill(&own, 0);
    cr_assert_eq(test_save(store, p, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    cr_assert_eq(save_until_served(store, p, "2", 2), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(store, p, "a"), "2");
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}

/* The replica is cut off, the owner saves on, the master dies: what takes over is older than what the
 * owner knows, and would hand out old records. */
Test(redis_failover, replica_that_lacks_the_last_saves_is_found_out)
{
    struct test_cluster own;
    struct shoal_checkpoint before;
    cr_assert(test_cluster_start(&own, 3, true, false, DIES_SOON_MS));
    int32_t p = partition_of(&own, "t", 0);
    struct shoal_store *store = cluster_store(own.url, "t");
    (void)take(store, p);
    cr_assert_eq(test_save(store, p, "a", "1", 1, &message), SHOAL_OK);
    for (int i = 0; i < 500 && !strstr(test_cluster_command(&own, 3, "INFO", "keyspace", NULL), "keys=2"); i++)
        (void)usleep(10000);
    /* A password that the master does not have: the replica cannot come back. */
    (void)test_cluster_command(&own, 3, "CONFIG", "SET", "masterauth", "wrong", NULL);
    (void)test_cluster_command(&own, 3, "CLIENT", "KILL", "TYPE", "master", NULL);
    cr_assert_eq(test_save(store, p, "a", "2", 2, &message), SHOAL_OK);
    cr_assert_eq(test_save(store, p, "a", "3", 3, &message), SHOAL_OK);
    test_cluster_kill(&own, 0);
    enum shoal_status status = save_until_served(store, p, "4", 4);
    expect(status, SHOAL_FENCED, "lost writes");
    cr_assert(store->lost_writes);
    cr_assert_eq(store->ops->verify(store, p, &message), SHOAL_FENCED);
    cr_assert(store->lost_writes);
    cr_assert_str_eq(test_load(store, p, "a"), "1");
    cr_assert_eq(store->ops->acquire(store, p, &before, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(before.next_offset, 1, "recovery would not begin where the replica is");
    cr_assert_eq(test_save(store, p, "a", "4", 4, &message), SHOAL_OK);
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}

Test(redis_failover, cluster_that_is_down_is_unavailable_until_it_is_back)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 3, false, true, DIES_SOON_MS));
    int32_t p = partition_of(&own, "t", 0), other = partition_of(&own, "t", 1);
    struct shoal_store *store = cluster_store(own.url, "t");
    (void)take(store, p);
    (void)take(store, other);
    cr_assert_eq(test_save(store, p, "a", "1", 1, &message), SHOAL_OK);
    test_cluster_kill(&own, 0);
    cr_assert_eq(test_save(store, p, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    /* Without its slots no other node serves either, once it is known. */
    enum shoal_status status = SHOAL_OK;
    for (int64_t n = 1; n < 300 && status == SHOAL_OK; n++) {
        status = test_save(store, other, "a", "1", n, &message);
        (void)usleep(20000);
    }
    expect(status, SHOAL_UNAVAILABLE, "CLUSTERDOWN");
    cr_assert(test_cluster_restart(&own, 0));
    cr_assert_eq(save_until_served(store, p, "2", 2), SHOAL_OK, "%s", message.text);
    cr_assert_eq(save_until_served(store, other, "2", 1000), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(store, p, "a"), "2");
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}

/* ---- a slot that was half moved ------------------------------------------------------------------ */

/* Every second user of a partition goes over, and the checkpoint stays; the replica knows it. */
static struct moving begin_half_moved(struct test_cluster *own)
{
    cr_assert(test_cluster_start(own, 3, true, false, DIES_SOON_MS));
    struct moving m = begin_moving(own, "half");
    for (int i = 0; i < CLUSTER_USERS; i += 2) {
        char tail[16];
        (void)snprintf(tail, sizeof tail, ":u%d", i);
        move_key(&m, tail);
    }
    for (int i = 0; i < 500 && !strstr(test_cluster_command(own, m.from + 3, "DBSIZE", NULL), "22"); i++)
        (void)usleep(10000);
    return m;
}

/* With a new store for every try, which asks its one address first: so does a processor that starts over. */
static struct shoal_store *take_once_served(const char *url, const char *topic)
{
    for (int i = 0; i < 400; i++) {
        struct shoal_store *store = cluster_store(url, topic);
        struct shoal_checkpoint before;
        enum shoal_status status = store->ops->acquire(store, 0, &before, &message);
        if (status == SHOAL_OK) {
            cr_assert_eq(before.next_offset, 1);
            return store;
        }
        cr_assert_eq(status, SHOAL_UNAVAILABLE, "%s", message.text);
        store->ops->destroy(store);
        (void)usleep(50000);
    }
    cr_assert_fail("%s", message.text);
    return NULL;
}

/* The new master has the checkpoint and half of the users, and answers as if the others had never been. The node
 * to which the others went does not know who owns the slot now. */
Test(redis_failover, half_of_a_slot_that_is_lost_shows_in_the_count)
{
    struct test_cluster own;
    struct moving m = begin_half_moved(&own);
    uint64_t most = 0;
    test_cluster_kill(&own, m.from);
    struct shoal_store *store = take_once_served(own.nodes[m.to].url, m.topic);
    cr_assert_null(test_load(store, 0, "u0"));
    cr_assert_str_eq(test_load(store, 0, "u1"), "1");
    cr_assert_eq(store->ops->ceiling(store, 0, &most, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(most, CLUSTER_USERS / 2);
    store->ops->destroy(store);
    m.store->ops->destroy(m.store);
    test_cluster_stop(&own);
    test_no_leaks();
}

/* The old master lives and sends its clients on: the owner must not go on with what it finds there. */
Test(redis_failover, owner_that_is_sent_to_a_replica_that_took_over_starts_over)
{
    struct test_cluster own;
    struct moving m = begin_half_moved(&own);
    uint64_t most = 0;
    cr_assert_str_eq(test_cluster_command(&own, m.from + 3, "CLUSTER", "FAILOVER", NULL), "OK");
    for (int i = 0; i < 1000 && !strstr(test_cluster_command(&own, m.from + 3, "ROLE", NULL), "master"); i++)
        (void)usleep(10000);
    enum shoal_status status = SHOAL_OK;
    for (int i = 0; i < 200 && status == SHOAL_OK; i++) {
        status = m.store->ops->verify(m.store, 0, &message);
        (void)usleep(10000);
    }
    expect(status, SHOAL_UNAVAILABLE, "taken over");
    expect(test_save(m.store, 0, "u1", "2", 2, &message), SHOAL_UNAVAILABLE, "taken over");
    cr_assert_eq(take(m.store, 0).next_offset, 1);
    cr_assert_eq(m.store->ops->ceiling(m.store, 0, &most, &message), SHOAL_OK);
    cr_assert_eq(most, CLUSTER_USERS / 2);
    cr_assert_eq(test_save(m.store, 0, "u1", "2", 2, &message), SHOAL_OK, "%s", message.text);
    m.store->ops->destroy(m.store);
    test_cluster_stop(&own);
    test_no_leaks();
}

/* ---- nodes that nobody named --------------------------------------------------------------------- */

Test(redis_failover, replica_that_takes_over_is_found_though_nobody_else_is_left_to_ask)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 1, true, false, DIES_SOON_MS));
    struct shoal_store *store = cluster_store(own.url, "t");
    (void)take(store, 0);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, &message), SHOAL_OK, "%s", message.text);
    for (int i = 0; i < 500 && !strstr(test_cluster_command(&own, 1, "INFO", "keyspace", NULL), "keys=2"); i++)
        (void)usleep(10000);
    test_cluster_kill(&own, 0);
    cr_assert_str_eq(test_cluster_command(&own, 1, "CLUSTER", "FAILOVER", "TAKEOVER", NULL), "OK");
    cr_assert_eq(save_until_served(store, 0, "2", 2), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}

Test(redis_failover, node_that_is_away_holds_up_only_its_own_partitions)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 3, false, false, DIES_SOON_MS));
    for (size_t i = 0; i < 3; i++)
        (void)test_cluster_command(&own, i, "CONFIG", "SET", "cluster-require-full-coverage", "no", NULL);
    /* The one that has none of the topic's number of partitions. */
    struct shoal_redis_key key = shoal_redis_key_partitions("t");
    size_t dead = (test_cluster_owner(&own, shoal_redis_slot(key.text, key.size)) + 1) % 3;
    test_cluster_kill(&own, dead);
    struct shoal_store *store = cluster_store(own.url, "t");
    cr_assert_eq(store->ops->open(store, 12, &message), SHOAL_OK, "%s", message.text);
    for (size_t i = 0; i < 3; i++) {
        struct shoal_checkpoint before;
        enum shoal_status expected = i == dead ? SHOAL_UNAVAILABLE : SHOAL_OK;
        cr_assert_eq(store->ops->acquire(store, partition_of(&own, "t", i), &before, &message), expected,
                     "%s", message.text);
    }
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}
