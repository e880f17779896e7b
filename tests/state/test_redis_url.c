/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "state/redis_tls.h"
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
    cr_assert_str_eq(address.login.password, "");
    address = parse("redis://cache.example/");
    cr_assert_eq(address.database, 0);
}

Test(redis_url, every_part_is_read)
{
    struct shoal_redis_address address = parse("redis://sho%61l:p%40ss:%2Fword@10.0.0.1:7000/12");
    cr_assert_str_eq(address.login.user, "shoal");
    cr_assert_str_eq(address.login.password, "p@ss:/word");
    cr_assert_str_eq(address.host, "10.0.0.1");
    cr_assert_eq(address.port, 7000);
    cr_assert_eq(address.database, 12);
    cr_assert_str_eq(address.label, "10.0.0.1:7000");
    address = parse("redis://:secret@h");
    cr_assert_str_eq(address.login.user, "");
    cr_assert_str_eq(address.login.password, "secret");
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
        "redis://h,i",
        "redis+cluster://",
        "redis+cluster://h,",
        "redis+cluster://u:secret@h/1",
        "redis+sentinel://u:secret@h",
        "redis+sentinel://h/",
        "redis+sentinel://h/mymaster/x",
        "redis+other://u:secret@h",
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

Test(redis_url, cluster_has_several_hosts_and_one_login)
{
    struct shoal_redis_url url;
    cr_assert_eq(shoal_redis_url_parse("redis+cluster://u:p%2c@a:7000,[::2]:7001,c", &url, NULL),
                 SHOAL_OK);
    cr_assert_eq(url.kind, SHOAL_REDIS_CLUSTER);
    cr_assert_eq(url.seeds_count, 3);
    cr_assert_str_eq(url.seeds[0].label, "a:7000");
    cr_assert_str_eq(url.seeds[1].label, "[::2]:7001");
    cr_assert_str_eq(url.seeds[2].label, "c:6379");
    for (size_t i = 0; i < 3; i++)
        cr_assert_str_eq(url.seeds[i].login.password, "p,");
    char many[400] = "redis+cluster://a";
    for (int i = 1; i < SHOAL_REDIS_SEEDS_MAX; i++)
        (void)strcat(many, ",a");
    cr_assert_eq(shoal_redis_url_parse(many, &url, NULL), SHOAL_OK);
    cr_assert_eq(shoal_redis_url_parse(strcat(many, ",a"), &url, NULL), SHOAL_CONFIG);
}

Test(redis_url, sentinels_have_a_port_of_their_own_and_a_master)
{
    struct shoal_redis_url url;
    cr_assert_eq(shoal_redis_url_parse("redis+sentinel://:pw@s1,s2:5000/the%20one/3", &url, NULL),
                 SHOAL_OK);
    cr_assert_eq(url.kind, SHOAL_REDIS_SENTINEL);
    cr_assert_eq(url.seeds_count, 2);
    cr_assert_eq(url.seeds[0].port, 26379);
    cr_assert_eq(url.seeds[1].port, 5000);
    cr_assert_str_eq(url.master, "the one");
    cr_assert_eq(url.seeds[0].database, 3);
    cr_assert_eq(shoal_redis_url_parse("redis+sentinel://s1/m", &url, NULL), SHOAL_OK);
    cr_assert_str_eq(url.master, "m");
    cr_assert_eq(url.seeds[0].database, 0);
}

Test(redis_url, tls_is_read_or_refused_with_what_to_do)
{
    struct shoal_redis_url url;
    struct shoal_message message = {{0}};
    if (shoal_redis_tls_supported()) {
        cr_assert_eq(shoal_redis_url_parse("rediss://h", &url, &message), SHOAL_OK);
        cr_assert(url.seeds[0].tls);
        cr_assert_eq(shoal_redis_url_parse("rediss+cluster://h,i", &url, &message), SHOAL_OK);
        cr_assert(url.seeds[1].tls);
        return;
    }
    cr_assert_eq(shoal_redis_url_parse("rediss://u:secret@h", &url, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "hiredis"));
    cr_assert_not_null(strstr(message.text, "stunnel"));
    cr_assert_null(strstr(message.text, "secret"));
}
