/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis Cluster that wants logins: the rights of deploy/redis.acl are enough on every node, also behind redirections
 * and on a replica that takes over. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/state/acl.h"
#include "tests/state/cluster_fixture.h"
#include "tests/state/leaks.h"
#include "tests/state/redis_client.h"
#include "tests/state/store_conformance.h"

SHARED_CLUSTER_BEFORE
SHARED_CLUSTER_AFTER

TestSuite(redis_cluster_login, .init = shared_cluster_find);

/* The file's user, by another name and for another topic, on all nodes. */
static void give_user(struct test_cluster *cluster, const char *name, const char *topic)
{
    const char *rules[ACL_WORDS], *words[ACL_WORDS + 3] = {"ACL", "SETUSER", name};
    char patterns[ACL_WORDS][96];
    size_t count = test_acl_words(false, rules);
    for (size_t i = 0; i < count; i++) {
        const char *at = strstr(rules[i], "shoal.events");
        words[i + 3] = rules[i];
        if (!at)
            continue;
        (void)snprintf(patterns[i], sizeof patterns[i], "%.*s%s%s", (int)(at - rules[i]), rules[i], topic,
                       at + strlen("shoal.events"));
        words[i + 3] = patterns[i];
    }
    for (size_t i = 0; i < cluster->count; i++)
        cr_assert_str_eq(test_redis_ask(cluster->nodes[i].url, words, count + 3), "OK");
}

static struct shoal_store *store_as(const char *url, const char *topic, const char *name, const char *password)
{
    return cluster_store_of(&(struct shoal_redis_options){
        .url = url, .topic = topic, .login = {.user = name, .password = password}});
}

/* ---- rights ------------------------------------------------------------------------------------ */

struct limited {
    struct conformance base;
    const char *topic;
};

static struct shoal_store *open_limited(struct conformance *self)
{
    const char *topic = ((struct limited *)self)->topic;
    return store_as(shared.url, topic, topic, "change-me");
}

#define X(name)                                                                                    \
    Test(redis_cluster_login, name)                                                                \
    {                                                                                              \
        struct limited self = {.base.open = open_limited, .topic = #name};                         \
        give_user(&shared, #name, #name);                                                          \
        conformance_##name(&self.base);                                                            \
        test_no_leaks();                                                                           \
    }
CONFORMANCE_LIST(X)
#undef X

static void change_right(const char *name, const char *rule)
{
    for (size_t i = 0; i < shared.count; i++)
        cr_assert_str_eq(test_cluster_command(&shared, i, "ACL", "SETUSER", name, rule, NULL), "OK");
}

Test(redis_cluster_login, rights_that_only_a_cluster_needs_are_named_where_they_lack)
{
    struct shoal_store *store;
    uint64_t most;
    give_user(&shared, "rights", "rights");
    change_right("rights", "-cluster|slots");
    store = store_as(shared.url, "rights", "rights", "change-me");
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "NOPERM");
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "deploy/redis.acl");
    change_right("rights", "+cluster|slots");
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    (void)take(store, 0);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, &message), SHOAL_OK);
    cr_assert_eq(store->ops->ceiling(store, 0, &most, &message), SHOAL_OK);
    cr_assert_eq(most, 1);
    const char *const dispensable[] = {"cluster|countkeysinslot", "exists"};
    for (size_t i = 0; i < 2; i++) {
        char rule[40];
        (void)snprintf(rule, sizeof rule, "-%s", dispensable[i]);
        change_right("rights", rule);
        cr_assert_eq(store->ops->ceiling(store, 0, &most, &message), SHOAL_OK, "%s", message.text);
        cr_assert_eq(most, UINT64_MAX);
        (void)snprintf(rule, sizeof rule, "+%s", dispensable[i]);
        change_right("rights", rule);
    }
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster_login, slot_that_moves_is_followed_with_these_rights)
{
    struct moving m = begin_moving(&shared, "guarded");
    give_user(&shared, "guarded", "guarded");
    struct shoal_store *store = store_as(shared.nodes[m.from].url, "guarded", "guarded", "change-me");
    while (test_cluster_move_step(&shared, m.slot, m.from, m.to, 20))
        ;
    change_right("guarded", "-asking");
    struct shoal_checkpoint before;
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_CONFIG, "asking");
    change_right("guarded", "+asking");
    cr_assert_eq(take(store, 0).next_offset, 1);
    cr_assert_eq(test_save(store, 0, "u1", "2", 2, &message), SHOAL_OK, "%s", message.text);
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    cr_assert_eq(test_save(store, 0, "u1", "3", 3, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

/* ---- passwords everywhere ------------------------------------------------------------------------ */

/* Nobody is let in without a password, the nodes themselves included. */
static void lock(struct test_cluster *cluster)
{
    give_user(cluster, "shoal", "shoal.events");
    for (size_t i = 0; i < cluster->count; i++)
        (void)test_cluster_command(cluster, i, "CONFIG", "SET", "masterauth", "secret", NULL);
    for (size_t i = 0; i < cluster->count; i++) {
        struct test_cluster_node *node = &cluster->nodes[i];
        (void)test_cluster_command(cluster, i, "CONFIG", "SET", "requirepass", "secret", NULL);
        (void)snprintf(node->url, sizeof node->url, "redis://:secret@127.0.0.1:%d", node->port);
        (void)test_cluster_command(cluster, i, "CLIENT", "KILL", "TYPE", "replica", NULL);
    }
}

static void wait_for_replica(struct test_cluster *cluster, size_t node, const char *expected)
{
    for (int i = 0; i < 1000; i++) {
        if (strstr(test_cluster_command(cluster, node, "INFO", "keyspace", NULL), expected) &&
            strstr(test_cluster_command(cluster, node, "INFO", "replication", NULL), "link_status:up"))
            return;
        (void)usleep(10000);
    }
    cr_assert_fail("the replica is not in step");
}

Test(redis_cluster_login, replica_that_takes_over_lets_us_in_as_its_master_did)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 3, true, false, DIES_SOON_MS));
    lock(&own);
    int32_t p = partition_of(&own, "shoal.events", 0);
    struct shoal_store *store = store_as(own.url, "shoal.events", "shoal", "change-me");
    cr_assert_eq(store->ops->open(store, 12, &message), SHOAL_OK, "%s", message.text);
    (void)take(store, p);
    cr_assert_eq(test_save(store, p, "a", "1", 1, &message), SHOAL_OK, "%s", message.text);
    struct shoal_store *other = cluster_store(own.url, "shoal.events");
    expect(other->ops->open(other, 12, &message), SHOAL_CONFIG, "redis.password_file");
    other->ops->destroy(other);
    wait_for_replica(&own, 3, "keys=");
    test_cluster_kill(&own, 0);
    cr_assert_eq(save_until_served(store, p, "2", 2), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}
