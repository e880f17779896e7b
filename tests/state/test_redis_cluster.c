/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store on a real Redis Cluster: what every store must do, on three masters; and how its nodes are found. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/state/cluster_fixture.h"
#include "tests/state/leaks.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

SHARED_CLUSTER_BEFORE
SHARED_CLUSTER_AFTER

TestSuite(redis_cluster, .init = shared_cluster_find);

/* ---- what every store must do --------------------------------------------------------------- */

struct on_cluster {
    struct conformance base;
    const char *topic;
};

static struct shoal_store *open_cluster(struct conformance *self)
{
    return cluster_store(shared.url, ((struct on_cluster *)self)->topic);
}

#define X(name)                                                                                    \
    Test(redis_cluster, name)                                                                      \
    {                                                                                              \
        struct on_cluster self = {.base.open = open_cluster, .topic = #name};                      \
        conformance_##name(&self.base);                                                            \
        test_no_leaks();                                                                           \
    }
CONFORMANCE_LIST(X)
#undef X

static struct shoal_store *memory;

static struct shoal_store *open_memory(struct conformance *self)
{
    struct shoal_store *store;
    cr_assert_eq(shoal_memory_store_share(memory, &store), SHOAL_OK);
    return store;
}

Test(redis_cluster, long_random_series_has_the_answers_of_the_memory_store)
{
    enum { CALLS = 2000, SIZE = 1 << 20 };
    char *expected = malloc(SIZE), *journal = malloc(SIZE);
    struct conformance in_memory = {.open = open_memory};
    struct on_cluster in_redis = {.base.open = open_cluster, .topic = "series"};
    cr_assert_eq(shoal_memory_store_create(&memory), SHOAL_OK);
    conformance_random_series(&in_memory, 42, CALLS, expected, SIZE);
    conformance_random_series(&in_redis.base, 42, CALLS, journal, SIZE);
    memory->ops->destroy(memory);
    cr_assert_str_eq(journal, expected);
    free(expected);
    free(journal);
    test_no_leaks();
}

/* ---- finding the nodes ----------------------------------------------------------------------- */

Test(redis_cluster, node_given_as_a_single_server_is_recognised)
{
    for (size_t i = 0; i < 3; i++) {
        char topic[16];
        (void)snprintf(topic, sizeof topic, "single%zu", i);
        struct shoal_store *store = cluster_store(shared.nodes[i].url, topic);
        check_all_partitions(store, topic);
        store->ops->destroy(store);
    }
    test_no_leaks();
}

Test(redis_cluster, look_ups_by_a_single_address_see_all_nodes)
{
    struct shoal_store *store = cluster_store(shared.url, "seen"), *other = cluster_store(shared.nodes[1].url, "seen");
    check_all_partitions(store, "seen");
    struct shoal_slice value;
    int32_t partition;
    cr_assert_eq(other->ops->find(other, test_slice("u"), &partition, &value, &message), SHOAL_OK);
    cr_assert_eq(other->ops->find(other, test_slice("x"), &partition, &value, &message),
                 SHOAL_NOT_FOUND);
    other->ops->destroy(other);
    for (size_t i = 0; i < 3; i++) {
        int users = 0;
        other = cluster_store(shared.nodes[i].url, "seen");
        cr_assert_eq(other->ops->scan(other, count_visit, &users, &message), SHOAL_OK, "%s",
                     message.text);
        cr_assert_eq(users, 12);
        other->ops->destroy(other);
    }
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, node_that_hides_what_it_is_gives_itself_away_by_a_redirection)
{
    for (size_t i = 0; i < 3; i++)
        cr_assert_str_eq(test_cluster_command(&shared, i, "ACL", "SETUSER", "shy", "on", ">pw", "~*",
                                              "+@all", "-info", NULL),
                         "OK");
    char url[96];
    (void)snprintf(url, sizeof url, "redis://shy:pw@127.0.0.1:%d", shared.nodes[2].port);
    struct shoal_store *store = cluster_store(url, "shy");
    check_all_partitions(store, "shy");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, addresses_that_do_not_answer_are_passed_over)
{
    char url[128];
    (void)snprintf(url, sizeof url, "redis+cluster://127.0.0.1:1,127.0.0.1:2,127.0.0.1:%d",
                   shared.nodes[1].port);
    struct shoal_store *store = cluster_store(url, "passed");
    check_all_partitions(store, "passed");
    store->ops->destroy(store);
    store = cluster_store("redis+cluster://127.0.0.1:1,127.0.0.1:2", "passed");
    expect(store->ops->open(store, 4, &message), SHOAL_UNAVAILABLE, "127.0.0.1:");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, what_is_no_cluster_is_said_to_be_none)
{
    struct test_redis redis;
    char url[64], port[8];
    (void)snprintf(port, sizeof port, "%d", test_free_port());
    const char *options[] = {"--bind", "127.0.0.1", "--port", port, NULL};
    test_redis_start(&redis, options);
    (void)snprintf(url, sizeof url, "redis+cluster://127.0.0.1:%s", port);
    struct shoal_store *store = cluster_store(url, "t");
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "no node of a cluster");
    store->ops->destroy(store);
    test_redis_stop(&redis);
    test_no_leaks();
}

Test(redis_cluster, wrong_login_is_told_though_other_nodes_are_away)
{
    char url[160];
    (void)snprintf(url, sizeof url, "redis+cluster://nobody:guessed@127.0.0.1:%d,127.0.0.1:1",
                   shared.nodes[0].port);
    struct shoal_store *store = cluster_store(url, "t");
    for (int i = 0; i < 3; i++) {
        expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "WRONGPASS");
        cr_assert_null(strstr(message.text, "guessed"));
    }
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, another_database_than_0_is_a_matter_of_configuration)
{
    char url[96];
    (void)snprintf(url, sizeof url, "%s/3", shared.nodes[0].url);
    struct shoal_store *store = cluster_store(url, "t");
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_CONFIG, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, node_that_may_evict_states_is_refused)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 1, false, false, LIVES_MS));
    struct shoal_store *store = cluster_store(own.url, "t");
    (void)test_cluster_command(&own, 0, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", NULL);
    (void)test_cluster_command(&own, 0, "CONFIG", "SET", "maxmemory", "1gb", NULL);
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "noeviction");
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}
