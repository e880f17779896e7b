/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "state/redis_url.h"

static struct shoal_redis_address parse(const char *url)
{
    struct shoal_redis_url parsed;
    struct shoal_message message = {{0}};
    cr_assert_eq(shoal_redis_url_parse(url, &parsed, &message), SHOAL_OK, "%s: %s", url,
                 message.text);
    cr_assert_eq(parsed.kind, SHOAL_REDIS_ONE);
    cr_assert_eq(parsed.seeds_count, 1);
    return parsed.seeds[0];
}

Test(redis_url, host_alone_gets_the_usual_port_and_database)
{
    struct shoal_redis_address address = parse("redis://cache.example");
    cr_assert_not(address.is_unix);
    cr_assert_str_eq(address.host, "cache.example");
    cr_assert_eq(address.port, 6379);
    cr_assert_eq(address.database, 0);
    cr_assert_str_eq(address.password, "");
    address = parse("redis://cache.example/");
    cr_assert_eq(address.database, 0);
}

Test(redis_url, every_part_is_read)
{
    struct shoal_redis_address address = parse("redis://sho%61l:p%40ss:%2Fword@10.0.0.1:7000/12");
    cr_assert_str_eq(address.user, "shoal");
    cr_assert_str_eq(address.password, "p@ss:/word");
    cr_assert_str_eq(address.host, "10.0.0.1");
    cr_assert_eq(address.port, 7000);
    cr_assert_eq(address.database, 12);
    cr_assert_str_eq(address.label, "10.0.0.1:7000");
    address = parse("redis://:secret@h");
    cr_assert_str_eq(address.user, "");
    cr_assert_str_eq(address.password, "secret");
    address = parse("redis://[::1]:7000/3");
    cr_assert_str_eq(address.host, "::1");
    cr_assert_eq(address.port, 7000);
    cr_assert_str_eq(address.label, "[::1]:7000");
}

Test(redis_url, unix_socket_may_have_a_database)
{
    struct shoal_redis_address address = parse("unix:/run/redis.sock?db=2");
    cr_assert(address.is_unix);
    cr_assert_str_eq(address.host, "/run/redis.sock");
    cr_assert_eq(address.database, 2);
    address = parse("unix:///run/redis.sock");
    cr_assert_str_eq(address.host, "/run/redis.sock");
    cr_assert_eq(address.database, 0);
}

Test(redis_url, what_cannot_be_read_is_refused_without_showing_the_password)
{
    static const char *const bad[] = {
        "",
        "redis:",
        "redis://",
        "http://h",
        "localhost:6379",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:x",
        "redis://h:",
        "redis://h/x",
        "redis://h/1/2",
        "redis://secret@h",
        "redis://u:secret%2@h",
        "redis://u:secret%00@h",
        "redis://u:secret@",
        "redis://[::1",
        "redis://[::1]x",
        "rediss://u:secret@h",
        "unix:",
        "unix:relative",
        "unix:/a?secret=1",
        "unix:/a?db=",
        "unix:/a?db=-1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct shoal_redis_url address;
        struct shoal_message message = {{0}};
        cr_assert_eq(shoal_redis_url_parse(bad[i], &address, &message), SHOAL_CONFIG, "%s", bad[i]);
        cr_assert_neq(message.text[0], '\0');
        cr_assert_null(strstr(message.text, "secret"), "%s", message.text);
    }
    struct shoal_redis_url address;
    char longest[400] = "unix:/";
    memset(longest + 6, 'x', 200);
    cr_assert_eq(shoal_redis_url_parse(longest, &address, NULL), SHOAL_CONFIG);
    cr_assert_eq(shoal_redis_url_parse(NULL, &address, NULL), SHOAL_CONFIG);
}
