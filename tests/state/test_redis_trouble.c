/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store with a server that is away, full, restarted, emptied or not ours. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "model/base/crash.h"
#include "state/checkpoint.h"
#include "tests/state/leaks.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

enum { TIMEOUT_MS = 300 };

#define CHECKPOINT "{t/0}#checkpoint"

static struct test_redis redis;
static struct shoal_message message;

static struct shoal_store *make(const char *password)
{
    struct shoal_redis_options options = {
        .url = redis.url, .topic = "t", .login = {.password = password}, .timeout_ms = TIMEOUT_MS};
    struct shoal_store *store;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s",
                 message.text);
    return store;
}

/* A store that owns partition 0 and has saved user a = "1" at offset 1. */
static struct shoal_store *make_owner(void)
{
    struct shoal_store *store = make(NULL);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, &message), SHOAL_OK, "%s", message.text);
    return store;
}

static int64_t next_offset(void)
{
    struct shoal_store *store = make(NULL);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, 0, &before, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    return before.next_offset;
}

static void expect(enum shoal_status status, enum shoal_status expected, const char *words)
{
    cr_assert_eq(status, expected, "%s: %s", shoal_status_code(status), message.text);
    cr_assert_not_null(strstr(message.text, words), "%s", message.text);
}

static void start(void)
{
    test_redis_start(&redis, NULL);
}

static void stop(void)
{
    test_redis_stop(&redis);
}

TestSuite(redis_trouble, .init = start, .fini = stop);

Test(redis_trouble, server_that_is_not_there_is_unavailable_until_it_comes)
{
    struct shoal_store *store = make(NULL);
    test_redis_kill(&redis);
    expect(store->ops->open(store, 4, &message), SHOAL_UNAVAILABLE, redis.socket);
    struct shoal_checkpoint before;
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_UNAVAILABLE, redis.socket);
    test_redis_restart(&redis);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, restart_with_everything_on_disk_goes_unnoticed_after_one_failure)
{
    static const char *const options[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    test_redis_stop(&redis);
    test_redis_start(&redis, options);
    struct shoal_store *store = make_owner();
    test_redis_kill(&redis);
    /* Twice: the second finds no connection at all. Neither may raise SIGPIPE. */
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    test_redis_restart(&redis);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(store, 0, "a"), "2");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, restart_without_the_last_writes_is_noticed_by_the_next_save)
{
    struct shoal_store *store = make_owner();
    cr_assert_str_eq(test_redis_command(&redis, "SAVE", NULL), "OK");
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK);
    test_redis_kill(&redis);
    test_redis_restart(&redis);
    cr_assert_eq(test_save(store, 0, "a", "3", 3, &message), SHOAL_UNAVAILABLE);
    expect(test_save(store, 0, "a", "3", 3, &message), SHOAL_FENCED, "lost writes");
    cr_assert(store->lost_writes);
    cr_assert_str_eq(test_load(store, 0, "a"), "1");
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, 0, &before, NULL), SHOAL_OK);
    cr_assert_eq(before.next_offset, 1);
    cr_assert_eq(test_save(store, 0, "a", "3", 3, &message), SHOAL_OK);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, restart_with_nothing_is_noticed_by_the_next_save)
{
    struct shoal_store *store = make_owner();
    test_redis_kill(&redis);
    test_redis_restart(&redis);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_FENCED, "lost writes");
    cr_assert(store->lost_writes);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, flushall_is_noticed_before_outputs_are_committed)
{
    struct shoal_store *store = make_owner();
    (void)test_redis_command(&redis, "FLUSHALL", NULL);
    cr_assert_eq(store->ops->verify(store, 0, NULL), SHOAL_FENCED);
    cr_assert(store->lost_writes);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, flushall_is_noticed_by_the_next_save)
{
    struct shoal_store *store = make_owner();
    (void)test_redis_command(&redis, "FLUSHALL", NULL);
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_FENCED, "lost writes");
    cr_assert(store->lost_writes);
    cr_assert_str_eq(test_redis_command(&redis, "DBSIZE", NULL), "0");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, owner_of_a_lost_epoch_is_fenced_by_one_who_took_the_same_number)
{
    struct shoal_store *first = make_owner(), *second = make(NULL);
    struct shoal_checkpoint before;
    (void)test_redis_command(&redis, "FLUSHALL", NULL);
    cr_assert_eq(second->ops->acquire(second, 0, &before, NULL), SHOAL_OK);
    cr_assert_eq(before.next_offset, -1);
    expect(test_save(first, 0, "a", "2", 2, &message), SHOAL_FENCED, "another owner");
    cr_assert_not(first->lost_writes);
    first->ops->destroy(first);
    second->ops->destroy(second);
    test_no_leaks();
}

Test(redis_trouble, stopped_server_is_given_up_in_time_and_used_again_later)
{
    struct shoal_store *store = make_owner();
    cr_assert_eq(kill(redis.pid, SIGSTOP), 0);
    int64_t begin_ms = shoal_clock_ms();
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE, "in time");
    cr_assert_lt(shoal_clock_ms() - begin_ms, 4 * TIMEOUT_MS);
    cr_assert_eq(kill(redis.pid, SIGCONT), 0);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(store, 0, "a"), "2");
    store->ops->destroy(store);
    test_no_leaks();
}

/* The transaction is held up in the server until the store gives up on it. */
static void lose_an_answer(struct shoal_store *store)
{
    (void)test_redis_command(&redis, "CLIENT", "PAUSE", "100000", "WRITE", NULL);
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE, "in time");
    (void)test_redis_command(&redis, "CLIENT", "UNPAUSE", NULL);
}

Test(redis_trouble, save_without_an_answer_can_be_repeated_if_it_was_not_done)
{
    struct shoal_store *store = make_owner();
    lose_an_answer(store);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(test_load(store, 0, "a"), "2");
    cr_assert_eq(next_offset(), 2);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, save_without_an_answer_can_be_repeated_if_it_was_done)
{
    struct shoal_store *store = make_owner();
    struct shoal_redis_options options = {.url = redis.url, .topic = "other"};
    lose_an_answer(store);
    /* As if the server had carried it out: the checkpoint with the number that was tried. */
    struct shoal_store *probe;
    cr_assert_eq(shoal_redis_store_create(&options, &probe, NULL), SHOAL_OK);
    (void)test_redis_command(&redis, "COPY", CHECKPOINT, "{other/0}:c", NULL);
    struct shoal_slice key = test_slice("c"), value;
    struct shoal_checkpoint checkpoint;
    cr_assert_eq(probe->ops->load(probe, 0, &key, 1, &value, NULL), SHOAL_OK);
    cr_assert_eq(shoal_checkpoint_decode(value.bytes, value.size, &checkpoint), SHOAL_OK);
    cr_assert_eq(checkpoint.saves, 1);
    checkpoint.saves = 2;
    checkpoint.next_offset = 2;
    struct shoal_buffer bytes = {0};
    struct shoal_checkpoint before;
    shoal_checkpoint_encode(&checkpoint, &bytes);
    struct shoal_save_item item = {.user = test_slice("c"), .value = {bytes.bytes, bytes.size}};
    cr_assert_eq(probe->ops->acquire(probe, 0, &before, NULL), SHOAL_OK);
    cr_assert_eq(probe->ops->save(probe, 0, &item, 1, 0, 0, NULL), SHOAL_OK);
    (void)test_redis_command(&redis, "COPY", "{other/0}:c", CHECKPOINT, "REPLACE", NULL);
    cr_assert_eq(test_save(store, 0, "a", "3", 3, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(next_offset(), 3);
    shoal_buffer_finish(&bytes);
    probe->ops->destroy(probe);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, server_out_of_memory_is_unavailable_and_writes_nothing)
{
    struct shoal_store *store = make_owner();
    static char ids[1500][8];
    struct shoal_save_item items[1500];
    for (int i = 0; i < 1500; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "n%d", i);
        items[i] = (struct shoal_save_item){.user = test_slice(ids[i]), .value = test_slice("value")};
    }
    (void)test_redis_command(&redis, "CONFIG", "SET", "maxmemory", "1", NULL);
    expect(store->ops->save(store, 0, items, 1500, 2, 1, &message), SHOAL_UNAVAILABLE, "OOM");
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_UNAVAILABLE);
    cr_assert_str_eq(test_redis_command(&redis, "DBSIZE", NULL), "2");
    cr_assert_str_eq(test_load(store, 0, "a"), "1");
    (void)test_redis_command(&redis, "CONFIG", "SET", "maxmemory", "0", NULL);
    cr_assert_eq(store->ops->save(store, 0, items, 1500, 2, 1, &message), SHOAL_OK, "%s",
                 message.text);
    cr_assert_str_eq(test_load(store, 0, "n1499"), "value");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, server_that_cannot_write_to_its_disk_is_unavailable)
{
    static const char *const options[] = {"--save", "3600 1", NULL};
    test_redis_stop(&redis);
    test_redis_start(&redis, options);
    struct shoal_store *store = make_owner();
    cr_assert_eq(rmdir(redis.data), 0);
    (void)test_redis_command(&redis, "BGSAVE", NULL);
    for (int i = 0; i < 400; i++) {
        if (strstr(test_redis_command(&redis, "INFO", "persistence", NULL),
                   "rdb_last_bgsave_status:err"))
            break;
        (void)usleep(5000);
    }
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE, "MISCONF");
    cr_assert_str_eq(test_load(store, 0, "a"), "1");
    cr_assert_eq(mkdir(redis.data, 0700), 0);
    (void)test_redis_command(&redis, "CONFIG", "SET", "stop-writes-on-bgsave-error", "no", NULL);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, replica_is_unavailable_for_writing)
{
    struct shoal_store *store = make_owner();
    (void)test_redis_command(&redis, "REPLICAOF", "127.0.0.1", "1", NULL);
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE, "READONLY");
    (void)test_redis_command(&redis, "CONFIG", "SET", "replica-serve-stale-data", "no", NULL);
    struct shoal_slice user = test_slice("a"), value;
    expect(store->ops->load(store, 0, &user, 1, &value, &message), SHOAL_UNAVAILABLE, "MASTERDOWN");
    (void)test_redis_command(&redis, "REPLICAOF", "NO", "ONE", NULL);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, login_that_is_missing_or_wrong_is_a_matter_of_configuration)
{
    struct shoal_store *store = make(NULL), *wrong = make("guess"), *right = make("sesame");
    struct shoal_checkpoint before;
    (void)test_redis_command(&redis, "CONFIG", "SET", "requirepass", "sesame", NULL);
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "NOAUTH");
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_CONFIG, "NOAUTH");
    expect(wrong->ops->acquire(wrong, 0, &before, &message), SHOAL_CONFIG, "WRONGPASS");
    cr_assert_null(strstr(message.text, "guess"));
    cr_assert_eq(right->ops->open(right, 4, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(right->ops->acquire(right, 0, &before, &message), SHOAL_OK);
    store->ops->destroy(store);
    wrong->ops->destroy(wrong);
    right->ops->destroy(right);
    test_no_leaks();
}

Test(redis_trouble, database_that_does_not_exist_is_a_matter_of_configuration)
{
    char url[256];
    struct shoal_store *store;
    (void)snprintf(url, sizeof url, "%s?db=500", redis.url);
    struct shoal_redis_options options = {.url = url, .topic = "t"};
    cr_assert_eq(shoal_redis_store_create(&options, &store, NULL), SHOAL_OK);
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "out of range");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, server_that_may_evict_states_is_refused)
{
    struct shoal_store *store = make(NULL);
    (void)test_redis_command(&redis, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", NULL);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK);
    (void)test_redis_command(&redis, "CONFIG", "SET", "maxmemory", "1gb", NULL);
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "noeviction");
    (void)test_redis_command(&redis, "CONFIG", "SET", "maxmemory-policy", "volatile-lru", NULL);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK);
    (void)test_redis_command(&redis, "CONFIG", "SET", "maxmemory-policy", "noeviction", NULL);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, server_that_hides_its_settings_is_trusted)
{
    (void)test_redis_command(&redis, "ACL", "SETUSER", "default", "-info", NULL);
    struct shoal_store *store = make(NULL);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, keys_of_another_type_are_damaged_and_named)
{
    struct shoal_store *store = make_owner();
    struct shoal_checkpoint before;
    struct shoal_slice value;
    int32_t partition;
    cr_assert_eq(store->ops->open(store, 4, NULL), SHOAL_OK);
    (void)test_redis_command(&redis, "DEL", CHECKPOINT, NULL);
    (void)test_redis_command(&redis, "RPUSH", CHECKPOINT, "1", NULL);
    expect(test_save(store, 0, "a", "2", 2, &message), SHOAL_DAMAGED, "WRONGTYPE");
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_DAMAGED, "WRONGTYPE");
    (void)test_redis_command(&redis, "SET", CHECKPOINT, "hello", NULL);
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_DAMAGED, CHECKPOINT);
    (void)test_redis_command(&redis, "SET", CHECKPOINT, "\x91\x09", NULL);
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_VERSION, CHECKPOINT);
    (void)test_redis_command(&redis, "DEL", "{t/0}:a", NULL);
    (void)test_redis_command(&redis, "RPUSH", "{t/0}:a", "1", NULL);
    cr_assert_null(test_load(store, 0, "a"));
    expect(store->ops->find(store, test_slice("a"), &partition, &value, &message), SHOAL_DAMAGED,
           "WRONGTYPE");
    (void)test_redis_command(&redis, "SET", "{t}#partitions", "four", NULL);
    expect(store->ops->open(store, 4, &message), SHOAL_DAMAGED, "{t}#partitions");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_trouble, death_inside_a_save_leaves_all_of_it_undone)
{
#ifndef SHOAL_CRASH_POINTS
    cr_skip("built without crash points");
#endif
    /* All in the child: the variable is read at the first crash point that is passed. */
    pid_t child = fork();
    if (child == 0) {
        (void)setenv("SHOAL_CRASH", "save.inside:3", 1);
        struct shoal_store *store = make_owner();
        if (test_save(store, 0, "a", "2", 2, NULL) == SHOAL_OK)
            (void)test_save(store, 0, "a", "3", 3, NULL);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_assert_eq(next_offset(), 2);
    cr_assert_str_eq(test_redis_command(&redis, "GET", "{t/0}:a", NULL), "2");
    test_no_leaks();
}
