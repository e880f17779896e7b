/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/secrets.h"

static char folder[] = "/tmp/shoal-secrets-XXXXXX";
static struct shoal_config *config;
static struct shoal_message message;

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(shoal_config_create(&config), SHOAL_OK);
}

static void end(void)
{
    char command[100];
    shoal_config_destroy(config);
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    (void)!system(command);
}

TestSuite(secrets, .init = begin, .fini = end);

static const char *put(const char *name, const char *text)
{
    static char path[100];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static void set(const char *key, const char *value)
{
    char assignment[300];
    (void)snprintf(assignment, sizeof assignment, "%s=%s", key, value);
    cr_assert_eq(shoal_config_set(config, assignment, &message), SHOAL_OK, "%s", message.text);
}

Test(secrets, the_first_line_of_a_file_is_the_value)
{
    set("kafka.sasl.password_file", put("password", "geheim wie nie\nsecond line\n"));
    set("kafka.ssl.key.password_file", put("other", "no line end"));
    cr_assert_eq(shoal_config_secrets(config, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(shoal_config_kafka(config, "sasl.password"), "geheim wie nie");
    cr_assert_str_eq(shoal_config_kafka(config, "ssl.key.password"), "no line end");
    cr_assert_null(shoal_config_kafka(config, "sasl.password_file"), "librdkafka would refuse it");
    cr_assert_eq(shoal_config_secrets(config, &message), SHOAL_OK, "a second call changes nothing");
}

Test(secrets, a_relative_path_in_a_file_is_relative_to_its_folder)
{
    char path[100];
    (void)put("password", "geheim\n");
    (void)snprintf(path, sizeof path, "%s", put("shoal.yaml", "kafka:\n  sasl:\n    password_file: password\n"));
    cr_assert_eq(shoal_config_read(config, path, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_config_secrets(config, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(shoal_config_kafka(config, "sasl.password"), "geheim");
}

Test(secrets, what_is_wrong_names_key_and_file_and_never_the_value)
{
    char path[100];
    (void)snprintf(path, sizeof path, "%s", put("password", "geheim\n"));
    set("kafka.sasl.password", "anders");
    set("kafka.sasl.password_file", path);
    cr_assert_eq(shoal_config_secrets(config, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "both kafka.sasl.password and"), "%s", message.text);
    cr_assert(!strstr(message.text, "geheim") && !strstr(message.text, "anders"), "%s", message.text);
}

Test(secrets, a_file_that_is_not_there_or_empty_is_refused)
{
    set("kafka.sasl.password_file", "/nowhere/at/all");
    cr_assert_eq(shoal_config_secrets(config, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "kafka.sasl.password_file: '/nowhere/at/all'"), "%s", message.text);
    set("kafka.sasl.password_file", put("empty", "\n"));
    cr_assert_eq(shoal_config_secrets(config, &message), SHOAL_CONFIG);
    cr_assert_not_null(strstr(message.text, "is empty"), "%s", message.text);
}

static const char *mask(const char *key, const char *value)
{
    static char room[200];
    return shoal_secret_mask(key, value, room, sizeof room);
}

Test(secrets, what_is_secret_is_masked_and_nothing_else)
{
    cr_assert_str_eq(mask("kafka.sasl.password", "geheim"), "***");
    cr_assert_str_eq(mask("kafka.ssl.key.password", "geheim"), "***");
    cr_assert_str_eq(mask("kafka.ssl.keystore.password", "geheim"), "***");
    cr_assert_str_eq(mask("kafka.sasl.oauthbearer.client.secret", "geheim"), "***");
    cr_assert_str_eq(mask("kafka.ssl.key.pem", "-----BEGIN"), "***");
    cr_assert_str_eq(mask("redis.password", "geheim"), "***");
    cr_assert_str_eq(mask("redis.password", ""), "");
    cr_assert_str_eq(mask("redis.password_file", "/run/secrets/redis"), "/run/secrets/redis");
    cr_assert_str_eq(mask("kafka.sasl.username", "shoal"), "shoal");
    cr_assert_str_eq(mask("redis.url", "redis://127.0.0.1:6379/0"), "redis://127.0.0.1:6379/0");
    cr_assert_str_eq(mask("redis.url", "redis://shoal:geheim@host:6379/0"), "redis://shoal:***@host:6379/0");
    cr_assert_str_eq(mask("redis.url", "redis://:ge@heim@host:6379/0"), "redis://:***@host:6379/0");
    cr_assert_str_eq(mask("redis.url", "redis+cluster://a:b@h1:1,h2:2"), "redis+cluster://a:***@h1:1,h2:2");
    cr_assert_str_eq(mask("redis.url", "unix:/run/a@b?db=1"), "unix:/run/a@b?db=1");
    cr_assert_str_eq(mask("redis.url", "redis://host:6379/?db"), "redis://host:6379/?***");
    cr_assert_str_eq(mask("group.id", "a@b"), "a@b");
}

/* Passwords with what URLs are divided by, URLs that are none, and properties that librdkafka does not know. */
Test(secrets, what_is_secret_is_not_shown_however_it_is_written)
{
    static const struct {
        const char *key, *value;
    } ways[] = {
        {"redis.url", "redis://u:a,geheim@host"},
        {"redis.url", "redis+cluster://u:a,geheim@h1:1,h2:2"},
        {"redis.url", "redis+sentinel://u:geheim@h1:1,u:geheim@h2/NAME"},
        {"redis.url", "redis://u:a/geheim@host/0"},
        {"redis.url", "redis://u:a?geheim@host/0"},
        {"redis.url", "redis://u:a://geheim@host/0"},
        {"redis.url", "rediss://geheim@host"},
        {"redis.url", "redis:/u:geheim@host"},
        {"redis.url", "u:geheim@host"},
        {"redis.url", "geheim@host"},
        {"redis.url", "redis://host/0?password=geheim"},
        {"redis.url", "redis://u:x@host/0?password=geheim"},
        {"some.proxy", "http://u:geheim@host"},
        {"kafka.sasl.passwrod", "geheim"},
        {"kafka.SASL.PASSWORD", "geheim"},
        {"kafka.ssl.key_pem", "geheim"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const char *shown = mask(ways[i].key, ways[i].value);
        cr_assert(!strstr(shown, "geheim") && strstr(shown, "***"), "%s: %s", ways[i].value, shown);
    }
}
