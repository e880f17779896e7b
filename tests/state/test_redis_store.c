/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store on a real server: what every store must do, and the same answers as memory gives
 * to a long series of calls. What only a server can do wrong is in test_redis_trouble.c. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/state/leaks.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

static struct test_redis redis;

static struct shoal_store *open_redis(struct conformance *self)
{
    struct shoal_redis_options options = {.url = redis.url, .topic = "shop.events"};
    struct shoal_store *store;
    struct shoal_message message = {{0}};
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s",
                 message.text);
    return store;
}

static void start(void)
{
    test_redis_start(&redis, NULL);
}

static void stop(void)
{
    test_redis_stop(&redis);
}

TestSuite(redis_store, .init = start, .fini = stop);

#define X(name)                                                                                    \
    Test(redis_store, name)                                                                        \
    {                                                                                              \
        struct conformance self = {.open = open_redis};                                            \
        conformance_##name(&self);                                                                 \
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

Test(redis_store, long_random_series_has_the_answers_of_the_memory_store)
{
    enum { CALLS = 3000, SIZE = 1 << 20 };
    char *expected = malloc(SIZE), *journal = malloc(SIZE);
    struct conformance in_memory = {.open = open_memory}, in_redis = {.open = open_redis};
    cr_assert_eq(shoal_memory_store_create(&memory), SHOAL_OK);
    conformance_random_series(&in_memory, 42, CALLS, expected, SIZE);
    conformance_random_series(&in_redis, 42, CALLS, journal, SIZE);
    memory->ops->destroy(memory);
    cr_assert_not_null(strstr(expected, "save ok"));
    cr_assert_not_null(strstr(expected, "save fenced"));
    cr_assert_str_eq(journal, expected);
    free(expected);
    free(journal);
    test_no_leaks();
}

/* ---- a race for one partition ------------------------------------------------------------- */

enum { TAKEOVERS = 300 };

/* Whose turn it is. */
enum phase { SAVER_BEGINS, SAVER_SAVES, SAVER_IS_FENCED, RACE_IS_OVER };

struct race {
    struct shoal_store *saver;
    atomic_int phase;
    atomic_int failures;
};

static int wait_for(struct race *race, enum phase phase)
{
    int now;
    while ((now = atomic_load(&race->phase)) != (int)phase && now != RACE_IS_OVER)
        (void)usleep(10);
    return now;
}

/* Saves value n with offset n as fast as it can until it is fenced. */
static void *save_until_fenced(void *opaque)
{
    struct race *race = opaque;
    int64_t n = 0;
    while (wait_for(race, SAVER_BEGINS) != RACE_IS_OVER) {
        struct shoal_checkpoint before;
        enum shoal_status status = race->saver->ops->acquire(race->saver, 0, &before, NULL);
        atomic_fetch_add(&race->failures, status != SHOAL_OK);
        atomic_store(&race->phase, SAVER_SAVES);
        while (status == SHOAL_OK) {
            char text[24];
            (void)snprintf(text, sizeof text, "%" PRId64, ++n);
            status = test_save(race->saver, 0, "a", text, n, NULL);
        }
        atomic_fetch_add(&race->failures, status != SHOAL_FENCED);
        atomic_store(&race->phase, SAVER_IS_FENCED);
    }
    return NULL;
}

/* Against an owner that saves without a pause it can take more attempts than one call makes. */
static struct shoal_checkpoint take_over(struct shoal_store *store)
{
    struct shoal_checkpoint before;
    enum shoal_status status;
    do {
        status = store->ops->acquire(store, 0, &before, NULL);
        cr_assert(status == SHOAL_OK || status == SHOAL_UNAVAILABLE);
    } while (status != SHOAL_OK);
    return before;
}

/* What the new owner finds must still be so once the old one has given up: a save of the old one
 * that was under way during the takeover came before it as a whole, or not at all. */
Test(redis_store, takeover_never_overlaps_a_save)
{
    struct race race = {.saver = open_redis(NULL)};
    struct shoal_store *taker = open_redis(NULL);
    struct shoal_checkpoint before = {0};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, save_until_fenced, &race), 0);
    for (int i = 0; i < TAKEOVERS; i++) {
        char expected[24];
        (void)wait_for(&race, SAVER_SAVES);
        before = take_over(taker);
        (void)wait_for(&race, SAVER_IS_FENCED);
        (void)snprintf(expected, sizeof expected, "%" PRId64, before.next_offset);
        if (before.next_offset >= 0)
            cr_assert_str_eq(test_load(taker, 0, "a"), expected);
        atomic_store(&race.phase, SAVER_BEGINS);
    }
    (void)wait_for(&race, SAVER_SAVES);
    before = take_over(taker);
    (void)wait_for(&race, SAVER_IS_FENCED);
    atomic_store(&race.phase, RACE_IS_OVER);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(atomic_load(&race.failures), 0);
    cr_assert_gt(before.next_offset, 100);
    race.saver->ops->destroy(race.saver);
    taker->ops->destroy(taker);
    test_no_leaks();
}

static enum shoal_status count(void *opaque, int32_t partition, struct shoal_slice user,
                               struct shoal_slice value)
{
    (void)partition, (void)user, (void)value;
    ++*(int *)opaque;
    return SHOAL_OK;
}

Test(redis_store, scan_sees_no_key_of_another_topic)
{
    static const char *const others[] = {
        "{shop.events2/0}:u",       "{shopxevents/0}:u", "{shop.events/0}#checkpoint",
        "{shop.events/0}#other",    "{shop.events/x}:u", "shop.events",
        "{shop.events}#partitions",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        (void)test_redis_command(&redis, "SET", others[i], "1", NULL);
    struct shoal_store *store = open_redis(NULL);
    int users = 0;
    cr_assert_eq(store->ops->scan(store, count, &users, NULL), SHOAL_OK);
    cr_assert_eq(users, 0);
    (void)test_redis_command(&redis, "SET", "{shop.events/0}:u", "1", NULL);
    cr_assert_eq(store->ops->scan(store, count, &users, NULL), SHOAL_OK);
    cr_assert_eq(users, 1);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_store, wildcards_in_a_topic_mean_themselves)
{
    struct shoal_redis_options options = {.url = redis.url, .topic = "a*[b]?"};
    struct shoal_store *store;
    int users = 0;
    (void)test_redis_command(&redis, "SET", "{a*[b]?/0}:u", "1", NULL);
    (void)test_redis_command(&redis, "SET", "{axbx/0}:u", "1", NULL);
    cr_assert_eq(shoal_redis_store_create(&options, &store, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->scan(store, count, &users, NULL), SHOAL_OK);
    cr_assert_eq(users, 1);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_store, keys_are_named_as_documented)
{
    struct shoal_store *store = open_redis(NULL);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->open(store, 4, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->acquire(store, 3, &before, NULL), SHOAL_OK);
    cr_assert_eq(test_save(store, 3, "u1", "record", 1, NULL), SHOAL_OK);
    cr_assert_str_eq(test_redis_command(&redis, "GET", "{shop.events/3}:u1", NULL), "record");
    cr_assert_str_eq(test_redis_command(&redis, "EXISTS", "{shop.events/3}#checkpoint", NULL), "1");
    cr_assert_str_eq(test_redis_command(&redis, "GET", "{shop.events}#partitions", NULL), "4");
    cr_assert_str_eq(test_redis_command(&redis, "DBSIZE", NULL), "3");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_store, database_comes_from_the_url)
{
    char url[256];
    struct shoal_store *store;
    struct shoal_checkpoint before;
    (void)snprintf(url, sizeof url, "%s?db=5", redis.url);
    struct shoal_redis_options options = {.url = url, .topic = "t"};
    cr_assert_eq(shoal_redis_store_create(&options, &store, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->acquire(store, 0, &before, NULL), SHOAL_OK);
    cr_assert_str_eq(test_redis_command(&redis, "DBSIZE", NULL), "0");
    cr_assert_eq(store->ops->acquire(store, 0, &before, NULL), SHOAL_OK);
    cr_assert_eq(before.epoch, 1);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_store, options_that_make_no_sense_are_refused)
{
    struct shoal_store *store;
    struct shoal_message message;
    struct shoal_redis_options options = {.url = "nowhere", .topic = "t"};
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    cr_assert_null(store);
    options = (struct shoal_redis_options){.url = redis.url, .topic = ""};
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_CONFIG);
    test_no_leaks();
}
