/* SPDX-License-Identifier: Apache-2.0 */
/* Users and passwords: the rights of deploy/redis.acl are enough and no more than are used; what goes
 * wrong is said in words, and no password among them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/state/leaks.h"
#include "tests/state/redis_server.h"
#include "tests/state/store_conformance.h"

static struct test_redis redis;
static struct shoal_message message;

/* The file that is shipped, with a server of its own. */
static void start(void)
{
    static char path[1024];
    const char *root = getenv("SHOAL_SOURCE");
    cr_assert_not_null(root, "SHOAL_SOURCE is not set");
    (void)snprintf(path, sizeof path, "%s/deploy/redis.acl", root);
    const char *options[] = {"--include", path, NULL};
    test_redis_start(&redis, options);
}

static void stop(void)
{
    test_redis_stop(&redis);
}

TestSuite(redis_login, .init = start, .fini = stop);

static struct shoal_store *make(struct shoal_redis_options options)
{
    struct shoal_store *store;
    options.url = options.url ? options.url : redis.url;
    options.topic = options.topic ? options.topic : "shoal.events";
    options.timeout_ms = 2000;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s",
                 message.text);
    return store;
}

static struct shoal_store *open_limited(struct conformance *self)
{
    (void)self;
    return make((struct shoal_redis_options){.login = {"shoal", "change-me"}});
}

#define X(name)                                                                                    \
    Test(redis_login, name)                                                                        \
    {                                                                                              \
        struct conformance self = {.open = open_limited};                                          \
        conformance_##name(&self);                                                                 \
        test_no_leaks();                                                                           \
    }
CONFORMANCE_LIST(X)
#undef X

/* An administrator of the server's own user. */
static const char *as_admin(const char *rule)
{
    return test_redis_command(&redis, "ACL", "SETUSER", "shoal", rule, NULL);
}

static void expect(enum shoal_status status, enum shoal_status expected, const char *words)
{
    cr_assert_eq(status, expected, "%s: %s", shoal_status_code(status), message.text);
    cr_assert_not_null(strstr(message.text, words), "no '%s' in: %s", words, message.text);
}

static enum shoal_status ignore_timer(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    (void)opaque, (void)user, (void)timer_ms;
    return SHOAL_OK;
}

static enum shoal_status ignore_user(void *opaque, int32_t partition, struct shoal_slice user,
                                     struct shoal_slice value)
{
    (void)opaque, (void)partition, (void)user, (void)value;
    return SHOAL_OK;
}

/* Everything that a store does, once. The first failure, or OK. */
static enum shoal_status use_all(void)
{
    struct shoal_store *store = open_limited(NULL);
    struct shoal_checkpoint before;
    struct shoal_slice user = test_slice("a"), value;
    struct shoal_save_item items[] = {
        {.user = test_slice("a"), .value = test_slice("1"), .timer_moves = true, .timer_ms = 5000},
        {.user = test_slice("b")},
    };
    int32_t partition;
    int64_t until_ms;
    char deep[512];
    (void)snprintf(deep, sizeof deep, "%s?db=1", redis.url);
    struct shoal_store *other = make((struct shoal_redis_options){
        .url = deep, .login = {"shoal", "change-me"}});
    enum shoal_status status = store->ops->open(store, 4, &message);
    if (status == SHOAL_OK)
        status = store->ops->acquire(store, 0, &before, &message);
    if (status == SHOAL_OK)
        status = store->ops->save(store, 0, items, 2, 1, 1, &message);
    if (status == SHOAL_OK)
        status = store->ops->load(store, 0, &user, 1, &value, &message);
    if (status == SHOAL_OK)
        status = store->ops->timers(store, 0, 0, 5, ignore_timer, NULL, &until_ms, &message);
    if (status == SHOAL_OK)
        status = store->ops->find(store, user, &partition, &value, &message);
    if (status == SHOAL_OK)
        status = store->ops->scan(store, ignore_user, NULL, &message);
    if (status == SHOAL_OK)
        status = other->ops->open(other, 4, &message);
    store->ops->destroy(store);
    other->ops->destroy(other);
    return status;
}

Test(redis_login, every_right_of_the_file_is_needed)
{
    static const char *const rights[] = {"-get",  "-set",     "-setnx",         "-mget",  "-mset",
                                         "-del",  "-zadd",    "-zrem",          "-watch", "-multi",
                                         "-exec", "-select",  "-zrangebyscore", "-scan"};
    cr_assert_eq(use_all(), SHOAL_OK, "%s", message.text);
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        char plus[32];
        (void)test_redis_command(&redis, "FLUSHALL", NULL);
        cr_assert_str_eq(as_admin(rights[i]), "OK");
        message.text[0] = '\0';
        enum shoal_status status = use_all();
        cr_assert_eq(status, SHOAL_CONFIG, "%s: %s", rights[i], shoal_status_code(status));
        expect(status, SHOAL_CONFIG, "NOPERM");
        expect(status, SHOAL_CONFIG, "deploy/redis.acl");
        (void)snprintf(plus, sizeof plus, "+%s", rights[i] + 1);
        cr_assert_str_eq(as_admin(plus), "OK");
    }
    test_no_leaks();
}

Test(redis_login, keys_of_another_topic_are_out_of_reach)
{
    struct shoal_store *store = make((struct shoal_redis_options){
        .topic = "other", .login = {"shoal", "change-me"}});
    struct shoal_checkpoint before;
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "NOPERM");
    expect(store->ops->acquire(store, 0, &before, &message), SHOAL_CONFIG, "NOPERM");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_login, wrong_login_is_named_and_not_shown)
{
    (void)test_redis_command(&redis, "ACL", "SETUSER", "default", ">other", NULL); /* from now on for all */
    struct shoal_store *store =
        make((struct shoal_redis_options){.login = {"shoal", "guessed"}});
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "WRONGPASS");
    cr_assert_null(strstr(message.text, "guessed"));
    store->ops->destroy(store);
    store = make((struct shoal_redis_options){.login = {"nobody", "change-me"}});
    expect(store->ops->open(store, 4, &message), SHOAL_CONFIG, "WRONGPASS");
    store->ops->destroy(store);
    test_no_leaks();
}

/* ---- where the password comes from ------------------------------------------------------------- */

static char path[128];

static void write_file(const char *text)
{
    (void)snprintf(path, sizeof path, "%s/password", redis.folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
}

static enum shoal_status create(struct shoal_redis_options options, struct shoal_store **store)
{
    options.url = options.url ? options.url : redis.url;
    options.topic = "shoal.events";
    return shoal_redis_store_create(&options, store, &message);
}

Test(redis_login, password_file_is_read_anew_by_every_store)
{
    struct shoal_store *store;
    struct shoal_redis_options options = {.login = {"shoal", "guessed", path}};
    write_file("guessed too\n");
    cr_assert_eq(create(options, &store), SHOAL_OK);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_CONFIG);
    cr_assert_null(strstr(message.text, "guessed"));
    store->ops->destroy(store);
    write_file("change-me\r\nand a second line\n");
    cr_assert_eq(create(options, &store), SHOAL_OK);
    cr_assert_eq(store->ops->open(store, 4, &message), SHOAL_OK, "%s", message.text);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(redis_login, password_file_that_holds_none_is_refused)
{
    struct shoal_store *store;
    struct shoal_redis_options options = {.login = {.user = "shoal", .password_file = path}};
    static char longest[2000];
    memset(longest, 'x', sizeof longest - 1);
    const char *const bad[] = {"", "\n", "\nchange-me\n", longest};
    for (size_t i = 0; i < 4; i++) {
        write_file(bad[i]);
        expect(create(options, &store), SHOAL_CONFIG, path);
        cr_assert_null(store);
        cr_assert_null(strstr(message.text, "xxxx"));
    }
    (void)unlink(path);
    expect(create(options, &store), SHOAL_CONFIG, "No such file");
    options.login.password_file = NULL;
    expect(create(options, &store), SHOAL_CONFIG, "redis.password_file");
    options.login.password = longest;
    expect(create(options, &store), SHOAL_CONFIG, "longer");
    cr_assert_null(strstr(message.text, "xxxx"));
    test_no_leaks();
}
