/* SPDX-License-Identifier: Apache-2.0 */
/* The store behind Sentinel, and at a name whose server changes: a master, its replica and a sentinel
 * on loopback. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "tests/state/acl.h"
#include "tests/state/leaks.h"
#include "tests/state/redis_client.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

enum { DOWN_MS = 500 };

static struct test_redis master, replica;
static struct shoal_message message;
static int ports[3]; /* master, replica, sentinel */
static pid_t sentinel;
static char url[128], master_port[8], replica_port[8];
static const char *key; /* what the test's own commands log in with: "" or ":password@" */

static void start_sentinel(void)
{
    char conf[160];
    (void)snprintf(conf, sizeof conf, "%s/sentinel.conf", master.folder);
    FILE *file = fopen(conf, "w");
    cr_assert_not_null(file);
    fprintf(file,
            "port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor shop 127.0.0.1 %d 1\n"
            "sentinel down-after-milliseconds shop %d\nsentinel failover-timeout shop 3000\n",
            ports[2], master.folder, ports[0], DOWN_MS);
    (void)fclose(file);
    pid_t parent = getpid();
    sentinel = fork();
    if (sentinel == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || !freopen("/dev/null", "w", stdout))
            _exit(1);
        (void)execlp("redis-server", "redis-server", conf, "--sentinel", (char *)NULL);
        _exit(127);
    }
}

/* Until the reply of the server at this port contains the words. */
static void wait_for(int port, const char *const *words, size_t count, const char *expected)
{
    char at[64];
    const char *reply = NULL;
    (void)snprintf(at, sizeof at, "redis://%s127.0.0.1:%d", key, port);
    for (int i = 0; i < 3000; i++) {
        reply = test_redis_ask(at, words, count);
        if (reply && strstr(reply, expected))
            return;
        (void)usleep(10000);
    }
    cr_assert_fail("no '%s' in: %s", expected, reply ? reply : "(no answer)");
}

static void start(void)
{
    key = "";
    for (int i = 0; i < 3; i++)
        ports[i] = test_free_port();
    (void)snprintf(master_port, sizeof master_port, "%d", ports[0]);
    (void)snprintf(replica_port, sizeof replica_port, "%d", ports[1]);
    const char *first[] = {"--bind", "127.0.0.1", "--port", master_port, NULL};
    const char *second[] = {"--bind", "127.0.0.1", "--port", replica_port,
                            "--replicaof", "127.0.0.1", master_port, NULL};
    test_redis_start(&master, first);
    test_redis_start(&replica, second);
    const char *info[] = {"INFO", "replication"};
    wait_for(ports[1], info, 2, "master_link_status:up");
    start_sentinel();
    const char *replicas[] = {"SENTINEL", "REPLICAS", "shop"};
    wait_for(ports[2], replicas, 3, replica_port);
    (void)snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:1,127.0.0.1:%d/shop", ports[2]);
}

static void stop(void)
{
    if (sentinel > 0) {
        (void)kill(sentinel, SIGKILL);
        (void)waitpid(sentinel, NULL, 0);
    }
    test_redis_stop(&replica);
    test_redis_stop(&master);
}

TestSuite(redis_sentinel, .init = start, .fini = stop);

static struct shoal_store *make_of(struct shoal_redis_options options)
{
    struct shoal_store *store;
    options.timeout_ms = 1000;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s",
                 message.text);
    return store;
}

static struct shoal_store *make(const char *where)
{
    return make_of((struct shoal_redis_options){.url = where, .topic = "t"});
}

static struct shoal_store *make_owner(const char *where)
{
    struct shoal_store *store = make(where);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, &message), SHOAL_OK, "%s", message.text);
    return store;
}

static enum shoal_status save_until_served(struct shoal_store *store, const char *value,
                                           int64_t offset)
{
    enum shoal_status status = SHOAL_UNAVAILABLE;
    for (int64_t until_ms = shoal_clock_ms() + 30000;
         status == SHOAL_UNAVAILABLE && shoal_clock_ms() < until_ms;) {
        status = test_save(store, 0, "a", value, offset, &message);
        if (status == SHOAL_UNAVAILABLE)
            (void)usleep(50000);
    }
    return status;
}

static void wait_for_replication(void)
{
    const char *get[] = {"GET", "{t/0}:a"};
    wait_for(ports[1], get, 2, "1");
}

Test(redis_sentinel, master_is_found_and_a_failover_followed)
{
    struct shoal_store *store = make_owner(url);
    cr_assert_str_eq(test_redis_command(&master, "GET", "{t/0}:a", NULL), "1");
    wait_for_replication();
    test_redis_kill(&master);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    cr_assert_eq(save_until_served(store, "2", 2), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_redis_command(&replica, "GET", "{t/0}:a", NULL), "2");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_sentinel, replica_that_lacks_the_last_saves_is_found_out)
{
    struct shoal_store *store = make_owner(url);
    wait_for_replication();
    (void)test_redis_command(&replica, "CONFIG", "SET", "masterauth", "wrong", NULL);
    (void)test_redis_command(&replica, "CLIENT", "KILL", "TYPE", "master", NULL);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK, "%s", message.text);
    test_redis_kill(&master);
    cr_assert_eq(save_until_served(store, "3", 3), SHOAL_FENCED, "%s", message.text);
    cr_assert(store->lost_writes);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK);
    cr_assert_eq(before.next_offset, 1);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_sentinel, master_that_is_demoted_is_left)
{
    struct shoal_store *store = make_owner(url);
    wait_for_replication();
    const char *failover[] = {"SENTINEL", "FAILOVER", "shop"};
    wait_for(ports[2], failover, 3, "OK");
    const char *info[] = {"INFO", "replication"};
    wait_for(ports[1], info, 2, "role:master");
    wait_for(ports[0], info, 2, "role:slave");
    enum shoal_status status = save_until_served(store, "2", 2);
    /* What was written between the two is kept by neither. */
    if (status == SHOAL_FENCED)
        cr_assert(store->lost_writes);
    else
        cr_assert_eq(status, SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_redis_command(&replica, "GET", "{t/0}:a", NULL),
                     status == SHOAL_OK ? "2" : "1");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_sentinel, server_that_is_named_and_no_master_is_not_used)
{
    (void)test_redis_command(&replica, "REPLICAOF", "NO", "ONE", NULL);
    (void)test_redis_command(&master, "REPLICAOF", "127.0.0.1", replica_port, NULL);
    struct shoal_store *store = make(url);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_UNAVAILABLE);
    cr_assert_not_null(strstr(message.text, "no master"), "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_sentinel, master_of_an_unknown_name_is_a_matter_of_configuration)
{
    char other[128];
    (void)snprintf(other, sizeof other, "redis+sentinel://127.0.0.1:%d/shops", ports[2]);
    struct shoal_store *store = make(other);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "shops"), "%s", message.text);
    store->ops->destroy(store);
    store = make("redis+sentinel://127.0.0.1:1/shop");
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_UNAVAILABLE);
    store->ops->destroy(store);
    test_no_leaks();
}

/* ---- logins ------------------------------------------------------------------------------------ */

static void ask(int port, const char *expected, const char *const *words, size_t count)
{
    wait_for(port, words, count, expected);
}

#define ASK(port, ...)                                                                             \
    ask(port, "OK", (const char *const[]){__VA_ARGS__},                                            \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void give_user(int port, int of_sentinels, const char *password)
{
    const char *words[ACL_WORDS + 3] = {"ACL", "SETUSER", "shoal"};
    size_t count = test_acl_words(of_sentinels, words + 3);
    for (size_t i = 3; i < count + 3; i++)
        words[i] = strcmp(words[i], ">change-me") == 0 ? password : words[i];
    ask(port, "OK", words, count + 3);
}

/* Nobody gets anything anywhere without a login, and each kind of server has its own. */
static void lock(void)
{
    give_user(ports[0], false, ">of-servers");
    give_user(ports[1], false, ">of-servers");
    give_user(ports[2], true, ">of-sentinels");
    ASK(ports[2], "SENTINEL", "SET", "shop", "auth-pass", "locked");
    for (int i = 0; i < 2; i++)
        ASK(ports[i], "CONFIG", "SET", "masterauth", "locked");
    for (int i = 0; i < 2; i++)
        ASK(ports[i], "CONFIG", "SET", "requirepass", "locked");
    ASK(ports[2], "ACL", "SETUSER", "default", "resetpass", ">locked");
    key = ":locked@";
    const char *info[] = {"INFO", "replication"};
    wait_for(ports[1], info, 2, "master_link_status:up");
}

static struct shoal_store *make_login(struct shoal_redis_credentials of_sentinels)
{
    return make_of((struct shoal_redis_options){.url = url,
                                                .topic = "shoal.events",
                                                .login = {"shoal", "of-servers"},
                                                .sentinels = of_sentinels});
}

Test(redis_sentinel, sentinels_and_servers_have_logins_of_their_own)
{
    struct shoal_checkpoint before;
    lock();
    struct shoal_store *store = make_login((struct shoal_redis_credentials){"shoal", "of-sentinels", NULL});
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, &message), SHOAL_OK, "%s", message.text);
    const char *get[] = {"GET", "{shoal.events/0}:a"};
    wait_for(ports[1], get, 2, "1");
    test_redis_kill(&master);
    cr_assert_eq(save_until_served(store, "2", 2), SHOAL_OK, "%s", message.text);
    wait_for(ports[1], get, 2, "2");
    store->ops->destroy(store);
    /* Their default user's, without a name. */
    store = make_login((struct shoal_redis_credentials){.password = "locked"});
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

static void expect_refused(struct shoal_redis_credentials of_sentinels, const char *word,
                           const char *advice)
{
    struct shoal_store *store = make_login(of_sentinels);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_CONFIG, "%s", message.text);
    cr_assert(strstr(message.text, word) && strstr(message.text, advice) &&
                  strstr(message.text, "the sentinel at 127.0.0.1"),
              "no '%s', '%s' in: %s", word, advice, message.text);
    cr_assert_null(strstr(message.text, "of-se"), "%s", message.text);
    store->ops->destroy(store);
}

Test(redis_sentinel, sentinels_that_refuse_a_login_say_so_though_others_are_away)
{
    lock();
    expect_refused((struct shoal_redis_credentials){"shoal", "of-servers", NULL}, "WRONGPASS", "");
    /* The servers' login, which is tried where none is given. */
    expect_refused((struct shoal_redis_credentials){0}, "WRONGPASS", "");
    ASK(ports[2], "ACL", "SETUSER", "shoal", "-sentinel");
    expect_refused((struct shoal_redis_credentials){"shoal", "of-sentinels", NULL}, "NOPERM", "deploy/redis.acl");
    struct shoal_store *store = make(url);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "redis.sentinel.password_file"), "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_sentinel, sentinels_that_share_the_login_of_the_servers_need_none_of_their_own)
{
    lock();
    ASK(ports[2], "ACL", "SETUSER", "shoal", ">of-servers");
    struct shoal_store *store = make_login((struct shoal_redis_credentials){0});
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_sentinel, sentinels_user_without_a_password_is_refused)
{
    struct shoal_redis_options options = {.url = url, .topic = "t", .sentinels = {.user = "shoal"}};
    struct shoal_store *store;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "redis.sentinel.password_file"), "%s", message.text);
    cr_assert_not_null(strstr(message.text, "SHOAL_REDIS_SENTINEL_PASSWORD"), "%s", message.text);
    options.sentinels.password_file = "/none";
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "redis.sentinel.password_file: /none"), "%s", message.text);
    test_no_leaks();
}

/* An endpoint by name: the same address answers, and after READONLY the connection is made anew, so that
 * the name is resolved again. */
Test(redis_sentinel, read_only_server_is_left_and_its_name_resolved_anew)
{
    char one[64];
    (void)snprintf(one, sizeof one, "redis://localhost:%d", ports[0]);
    (void)kill(sentinel, SIGKILL);
    (void)waitpid(sentinel, NULL, 0);
    sentinel = 0;
    struct shoal_store *store = make_owner(one);
    int64_t before = test_redis_number(master.url, "stats", "total_connections_received");
    (void)test_redis_command(&replica, "REPLICAOF", "NO", "ONE", NULL);
    (void)test_redis_command(&master, "REPLICAOF", "127.0.0.1", replica_port, NULL);
    enum shoal_status status = test_save(store, 0, "a", "2", 2, &message);
    cr_assert_eq(status, SHOAL_UNAVAILABLE, "%s", message.text);
    (void)test_redis_command(&master, "REPLICAOF", "NO", "ONE", NULL);
    cr_assert_eq(save_until_served(store, "2", 2), SHOAL_OK, "%s", message.text);
    int64_t after = test_redis_number(master.url, "stats", "total_connections_received");
    /* Three by the commands of this test, and the one that counts. */
    cr_assert_geq(after - before, 4, "%d", (int)(after - before));
    store->ops->destroy(store);
    test_no_leaks();
}
