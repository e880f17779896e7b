/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store on a real Redis Cluster: what every store must do, on three masters; and slots that
 * move, nodes that die, replicas that take over. The first cluster is shared by all tests, each with a
 * topic of its own; who kills nodes makes one for itself. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "state/redis_keys.h"
#include "state/redis_slots.h"
#include "tests/state/leaks.h"
#include "tests/state/redis_cluster.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

enum { TIMEOUT_MS = 500, USERS = 40, DIES_SOON_MS = 2500, LIVES_MS = 20000 };

static struct test_cluster shared;

/* Tests run in processes that know nothing of this one but its environment: there the shared cluster is
 * left for them, as the name of a file with its bytes. */
static const char SHARED[] = "SHOAL_TEST_CLUSTER";

static FILE *open_shared(const char *mode)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/cluster", getenv(SHARED) ? getenv(SHARED) : "/nowhere");
    return fopen(path, mode);
}

ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    if (!test_cluster_start(&shared, 3, false, false, LIVES_MS))
        return;
    (void)setenv(SHARED, shared.folder, 1);
    FILE *file = open_shared("wb");
    if (file && fwrite(&shared, sizeof shared, 1, file) != 1)
        (void)unsetenv(SHARED);
    if (file)
        (void)fclose(file);
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    (void)stats;
    test_cluster_stop(&shared);
}

static void find_shared(void)
{
    FILE *file = open_shared("rb");
    cr_assert(file && fread(&shared, sizeof shared, 1, file) == 1, "the cluster does not stand");
    (void)fclose(file);
}

TestSuite(redis_cluster, .init = find_shared);

static struct shoal_message message;

static struct shoal_store *make(const char *url, const char *topic)
{
    struct shoal_redis_options options = {.url = url, .topic = topic, .timeout_ms = TIMEOUT_MS};
    struct shoal_store *store;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s",
                 message.text);
    return store;
}

static void expect(enum shoal_status status, enum shoal_status expected, const char *words)
{
    cr_assert_eq(status, expected, "%s: %s", shoal_status_code(status), message.text);
    cr_assert_not_null(strstr(message.text, words), "%s", message.text);
}

static struct shoal_checkpoint take(struct shoal_store *store, int32_t partition)
{
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, partition, &before, &message), SHOAL_OK, "%s",
                 message.text);
    return before;
}

static unsigned slot_of(const char *topic, int32_t partition)
{
    struct shoal_redis_key key = shoal_redis_key_users(topic, partition);
    return shoal_redis_slot(key.text, key.size);
}

/* ---- what every store must do --------------------------------------------------------------- */

struct on_cluster {
    struct conformance base;
    const char *topic;
};

static struct shoal_store *open_cluster(struct conformance *self)
{
    return make(shared.url, ((struct on_cluster *)self)->topic);
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

/* Partitions on every node, by a store that was given one address. */
static void check_all_partitions(struct shoal_store *store, const char *topic)
{
    bool used[3] = {false};
    cr_assert_eq(store->ops->open(store, 12, &message), SHOAL_OK, "%s", message.text);
    for (int32_t p = 0; p < 12; p++) {
        (void)take(store, p);
        cr_assert_eq(test_save(store, p, "u", "1", 1, &message), SHOAL_OK, "%s", message.text);
        cr_assert_str_eq(test_load(store, p, "u"), "1");
        used[test_cluster_owner(&shared, slot_of(topic, p))] = true;
    }
    cr_assert(used[0] && used[1] && used[2], "the partitions do not lie on all nodes");
}

Test(redis_cluster, node_given_as_a_single_server_is_recognised)
{
    for (size_t i = 0; i < 3; i++) {
        char topic[16];
        (void)snprintf(topic, sizeof topic, "single%zu", i);
        struct shoal_store *store = make(shared.nodes[i].url, topic);
        check_all_partitions(store, topic);
        store->ops->destroy(store);
    }
    test_no_leaks();
}

static enum shoal_status count_visit(void *opaque, int32_t partition, struct shoal_slice user,
                                     struct shoal_slice value)
{
    (void)partition, (void)user, (void)value;
    ++*(int *)opaque;
    return SHOAL_OK;
}

Test(redis_cluster, look_ups_by_a_single_address_see_all_nodes)
{
    struct shoal_store *store = make(shared.url, "seen"), *other = make(shared.nodes[1].url, "seen");
    check_all_partitions(store, "seen");
    struct shoal_slice value;
    int32_t partition;
    cr_assert_eq(other->ops->find(other, test_slice("u"), &partition, &value, &message), SHOAL_OK);
    cr_assert_eq(other->ops->find(other, test_slice("x"), &partition, &value, &message),
                 SHOAL_NOT_FOUND);
    other->ops->destroy(other);
    for (size_t i = 0; i < 3; i++) {
        int users = 0;
        other = make(shared.nodes[i].url, "seen");
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
    struct shoal_store *store = make(url, "shy");
    check_all_partitions(store, "shy");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, addresses_that_do_not_answer_are_passed_over)
{
    char url[128];
    (void)snprintf(url, sizeof url, "redis+cluster://127.0.0.1:1,127.0.0.1:2,127.0.0.1:%d",
                   shared.nodes[1].port);
    struct shoal_store *store = make(url, "passed");
    check_all_partitions(store, "passed");
    store->ops->destroy(store);
    store = make("redis+cluster://127.0.0.1:1,127.0.0.1:2", "passed");
    expect(store->ops->open(store, 4, &message), SHOAL_UNAVAILABLE, "127.0.0.1:");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, what_is_no_cluster_is_said_to_be_none)
{
    struct test_redis redis;
    char url[64], port[8];
    (void)snprintf(port, sizeof port, "%d", 11000 + (int)getpid() % 1000);
    const char *options[] = {"--bind", "127.0.0.1", "--port", port, NULL};
    test_redis_start(&redis, options);
    (void)snprintf(url, sizeof url, "redis+cluster://127.0.0.1:%s", port);
    struct shoal_store *store = make(url, "t");
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
    struct shoal_store *store = make(url, "t");
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
    struct shoal_store *store = make(url, "t");
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_CONFIG, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_cluster, node_that_may_evict_states_is_refused)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 1, false, false, LIVES_MS));
    struct shoal_store *store = make(own.url, "t");
    (void)test_cluster_command(&own, 0, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", NULL);
    (void)test_cluster_command(&own, 0, "CONFIG", "SET", "maxmemory", "1gb", NULL);
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "noeviction");
    store->ops->destroy(store);
    test_cluster_stop(&own);
    test_no_leaks();
}

/* ---- slots that move -------------------------------------------------------------------------- */

struct moving {
    const char *topic;
    unsigned slot;
    size_t from, to;
    struct shoal_store *store;
    char ids[USERS][8];
    struct shoal_save_item items[USERS];
};

/* Saves all users with this value at this offset. */
static enum shoal_status save_all(struct moving *m, const char *value, int64_t offset)
{
    for (int i = 0; i < USERS; i++)
        m->items[i] = (struct shoal_save_item){.user = test_slice(m->ids[i]),
                                               .value = test_slice(value),
                                               .timer_moves = true,
                                               .timer_ms = 5000};
    return m->store->ops->save(m->store, 0, m->items, USERS, offset, 1, &message);
}

static struct moving begin_moving(const char *topic)
{
    struct moving m = {.topic = topic, .slot = slot_of(topic, 0), .store = make(shared.url, topic)};
    m.from = test_cluster_owner(&shared, m.slot);
    m.to = (m.from + 1) % 3;
    for (int i = 0; i < USERS; i++)
        (void)snprintf(m.ids[i], sizeof m.ids[i], "u%d", i);
    (void)take(m.store, 0);
    cr_assert_eq(save_all(&m, "1", 1), SHOAL_OK, "%s", message.text);
    cr_assert(test_cluster_move_begin(&shared, m.slot, m.from, m.to));
    return m;
}

static void move_key(const struct moving *m, const char *tail)
{
    char key[64];
    (void)snprintf(key, sizeof key, "{%s/0}%s", m->topic, tail);
    cr_assert(test_cluster_move_key(&shared, key, m->from, m->to), "%s", key);
}

/* One key of the partition, on whichever of the two nodes it is. */
static const char *raw(const struct moving *m, const char *tail)
{
    char key[64];
    (void)snprintf(key, sizeof key, "{%s/0}%s", m->topic, tail);
    for (size_t i = 0; i < 2; i++) {
        const char *reply = test_cluster_command(&shared, i ? m->to : m->from, "GET", key, NULL);
        if (reply[0] != '-' && strcmp(reply, "(nil)") != 0)
            return reply;
    }
    return NULL;
}

Test(redis_cluster, slot_that_has_moved_is_followed)
{
    struct moving m = begin_moving("moved");
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

Test(redis_cluster, new_users_are_not_written_while_their_slot_moves)
{
    struct moving m = begin_moving("fresh");
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

Test(redis_cluster, half_moved_slot_is_never_written_in_part)
{
    struct moving m = begin_moving("half");
    for (int i = 0; i < USERS / 2; i++) {
        char tail[16];
        (void)snprintf(tail, sizeof tail, ":u%d", i);
        move_key(&m, tail);
    }
    int64_t began_ms = shoal_clock_ms();
    expect(save_all(&m, "2", 2), SHOAL_UNAVAILABLE, "TRYAGAIN");
    cr_assert_geq(shoal_clock_ms() - began_ms, TIMEOUT_MS, "it was not waited for");
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
    struct shoal_slice many[USERS], values[USERS];
    for (int i = 0; i < USERS; i++)
        many[i] = test_slice(m.ids[i]);
    cr_assert_eq(m.store->ops->load(m.store, 0, many, USERS, values, &message), SHOAL_OK);
    for (int i = 0; i < USERS; i++)
        cr_assert(values[i].size == 1 && memcmp(values[i].bytes, "3", 1) == 0);
    struct shoal_store *next = make(shared.url, m.topic);
    cr_assert_eq(take(next, 0).next_offset, 3);
    expect(save_all(&m, "4", 4), SHOAL_FENCED, "another owner");
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    next->ops->destroy(next);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

Test(redis_cluster, scan_visits_each_user_once_while_a_slot_moves)
{
    struct moving m = begin_moving("scanned");
    for (int round = 0; round < 6; round++) {
        int seen = 0;
        cr_assert_eq(m.store->ops->scan(m.store, count_visit, &seen, &message), SHOAL_OK, "%s",
                     message.text);
        cr_assert_eq(seen, USERS);
        (void)test_cluster_move_step(&shared, m.slot, m.from, m.to, 9);
    }
    cr_assert(test_cluster_move_end(&shared, m.slot, m.to));
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

Test(redis_cluster, user_is_found_wherever_the_slot_is_at_the_moment)
{
    struct moving m = begin_moving("found");
    struct shoal_store *looking = make(shared.url, m.topic);
    struct shoal_slice value;
    int32_t partition;
    cr_assert_eq(looking->ops->open(looking, 12, &message), SHOAL_OK, "%s", message.text);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < USERS; i++) {
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

/* A partition of the topic whose slot was dealt to this node. */
static int32_t partition_of(struct test_cluster *cluster, const char *topic, size_t node)
{
    int32_t p = 0;
    while (test_cluster_owner(cluster, slot_of(topic, p)) != node)
        p++;
    return p;
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

Test(redis_cluster, users_that_move_behind_the_scan_are_visited_too)
{
    struct shoal_store *store = make(shared.url, "behind");
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
Test(redis_cluster, slot_moves_under_an_owner_that_saves)
{
    struct moving m = begin_moving("busy");
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
    for (int i = 0; i < USERS; i++)
        cr_assert_str_eq(test_load(m.store, 0, m.ids[i]), expected);
    cr_assert_eq(take(m.store, 0).next_offset, last);
    m.store->ops->destroy(m.store);
    test_no_leaks();
}

/* ---- nodes that die ---------------------------------------------------------------------------- */

static enum shoal_status save_until_served(struct shoal_store *store, int32_t partition,
                                           const char *value, int64_t offset)
{
    enum shoal_status status = SHOAL_UNAVAILABLE;
    for (int64_t until_ms = shoal_clock_ms() + 30000;
         status == SHOAL_UNAVAILABLE && shoal_clock_ms() < until_ms;) {
        status = test_save(store, partition, "a", value, offset, &message);
        if (status == SHOAL_UNAVAILABLE)
            (void)usleep(50000);
    }
    return status;
}

Test(redis_cluster, replica_that_has_everything_is_followed_without_a_loss)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 3, true, false, DIES_SOON_MS));
    int32_t p = partition_of(&own, "t", 0);
    struct shoal_store *store = make(own.url, "t");
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
Test(redis_cluster, replica_that_lacks_the_last_saves_is_found_out)
{
    struct test_cluster own;
    struct shoal_checkpoint before;
    cr_assert(test_cluster_start(&own, 3, true, false, DIES_SOON_MS));
    int32_t p = partition_of(&own, "t", 0);
    struct shoal_store *store = make(own.url, "t");
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

Test(redis_cluster, cluster_that_is_down_is_unavailable_until_it_is_back)
{
    struct test_cluster own;
    cr_assert(test_cluster_start(&own, 3, false, true, DIES_SOON_MS));
    int32_t p = partition_of(&own, "t", 0), other = partition_of(&own, "t", 1);
    struct shoal_store *store = make(own.url, "t");
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
