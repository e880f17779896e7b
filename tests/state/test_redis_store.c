/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store on a real server: what every store must do, and the same answers as memory gives to
 * a long series of calls. What only a server can do wrong is in test_redis_trouble.c. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        "{shop.events2/0}:u", "{shopxevents/0}:u", "{shop.events/0}#checkpoint",
        "{shop.events/0}#other", "{shop.events/x}:u", "shop.events", "{shop.events}#partitions",
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
}

Test(redis_store, keys_are_named_as_documented)
{
    struct shoal_store *store = open_redis(NULL);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->open(store, 4, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->acquire(store, 3, &before, NULL), SHOAL_OK);
    cr_assert_eq(test_save(store, 3, "u1", "record", 1, NULL), SHOAL_OK);
    cr_assert_str_eq(test_redis_command(&redis, "GET", "{shop.events/3}:u1", NULL), "record");
    cr_assert_str_eq(test_redis_command(&redis, "EXISTS", "{shop.events/3}#checkpoint", NULL),
                     "1");
    cr_assert_str_eq(test_redis_command(&redis, "GET", "{shop.events}#partitions", NULL), "4");
    cr_assert_str_eq(test_redis_command(&redis, "DBSIZE", NULL), "3");
    store->ops->destroy(store);
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
}
