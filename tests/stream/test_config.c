/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "stream/config.h"

static struct shoal_config *config;
static struct shoal_message message;

static void setup(void)
{
    cr_assert_eq(shoal_config_create(&config), SHOAL_OK);
}

static void teardown(void)
{
    shoal_config_destroy(config);
}

TestSuite(config, .init = setup, .fini = teardown);

static enum shoal_status parse(const char *yaml)
{
    message.text[0] = '\0';
    return shoal_config_parse(config, yaml, strlen(yaml), "etc/shoal.yaml", &message);
}

static void refused(const char *yaml, const char *reason)
{
    cr_assert_eq(parse(yaml), SHOAL_CONFIG, "accepted: %s", yaml);
    cr_assert(strstr(message.text, reason), "wanted: %s\ngot: %s", reason, message.text);
}

Test(config, defaults_are_set_and_lie_in_their_ranges)
{
    /* create parses each default through the same door as a file's values */
    cr_assert_str_eq(config->redis_url, "redis://127.0.0.1:6379/0");
    cr_assert_eq(config->commit_interval, 100);
    cr_assert_eq(config->event_max_bytes, 1 << 20);
    cr_assert_eq(config->intent_hysteresis, 0.02);
    cr_assert_str_eq(config->delivery, "exactly_once");
    cr_assert_str_eq(shoal_config_kafka(config, "bootstrap.servers"), "127.0.0.1:9092");
    cr_assert_null(shoal_config_kafka(config, "security.protocol"));
}

Test(config, nested_and_dotted_keys_are_the_same)
{
    cr_assert_eq(parse("commit:\n  interval: 1s\nstate.flush.interval: 5m\nstate:\n  cache: 10\n"
                       "segments: {intent.dwell: 2h, lifecycle: {new: 3d}}\n"),
                 SHOAL_OK, "%s", message.text);
    cr_assert_eq(config->commit_interval, 1000);
    cr_assert_eq(config->state_flush_interval, 300000);
    cr_assert_eq(config->state_cache, 10);
    cr_assert_eq(config->intent_dwell, 7200000);
    cr_assert_eq(config->lifecycle_new, 3 * INT64_C(86400000));
}

Test(config, kafka_properties_pass_through_verbatim)
{
    cr_assert_eq(parse("kafka:\n  bootstrap.servers: a:1,b:2\n  ssl:\n    ca.location: ca.pem\n"
                       "kafka.fetch.wait.max.ms: 5\n"),
                 SHOAL_OK, "%s", message.text);
    cr_assert_str_eq(shoal_config_kafka(config, "bootstrap.servers"), "a:1,b:2");
    cr_assert_str_eq(shoal_config_kafka(config, "ssl.ca.location"), "ca.pem");
    cr_assert_str_eq(shoal_config_kafka(config, "fetch.wait.max.ms"), "5");
    cr_assert_eq(config->kafka_count, 3);
    cr_assert_eq(shoal_config_set(config, "kafka.bootstrap.servers=c:3=x", &message), SHOAL_OK);
    cr_assert_str_eq(shoal_config_kafka(config, "bootstrap.servers"), "c:3=x");
    refused("kafka: {a: [1]}\n", "etc/shoal.yaml:1: 'kafka.a' cannot be a list");
    refused("kafka.b: 1\nkafka: {b: 2}\n", "etc/shoal.yaml:2: 'kafka.b' is set twice");
}

Test(config, an_unknown_key_names_the_line_and_the_nearest_key)
{
    refused("workers: 2\ncommit:\n  intervall: 1s\n",
            "etc/shoal.yaml:3: unknown key 'commit.intervall' (did you mean 'commit.interval'?)");
    refused("worker: 2\n", "etc/shoal.yaml:1: unknown key 'worker' (did you mean 'workers'?)");
    refused("\n\ncomit: {interval: 1s}\n",
            "etc/shoal.yaml:3: unknown key 'comit' (did you mean 'commit'?)");
    refused("redis: {urll: x}\n", "did you mean 'redis.url'?");
    refused("entirely_else: 1\n", "unknown key 'entirely_else' ('shoal config' lists all keys)");
    refused("delivery.mode: x\n", "unknown key 'delivery.mode'");
    cr_assert_eq(shoal_config_set(config, "delivry=x", &message), SHOAL_CONFIG);
    cr_assert_str_eq(message.text, "--set: unknown key 'delivry' (did you mean 'delivery'?)");
}

Test(config, an_ill_typed_value_names_line_key_and_the_expected_form)
{
    refused(
        "\ncommit.interval: fast\n",
        "etc/shoal.yaml:2: commit.interval: 'fast' is not a duration with its unit, for example");
    refused("commit.interval: 100\n", "'100' is not a duration with its unit");
    refused("workers: two\n", "workers: 'two' is not a whole number, for example 4");
    refused("workers: 1.5\n", "is not a whole number");
    refused("workers:\n", "workers: '' is not a whole number");
    refused("event.max_bytes: 1MB\n", "is not a size in bytes, for example 100, 64KiB");
    refused("segments.intent.hysteresis: much\n", "is not a number, for example 0.02");
    refused("delivery: sometimes\n",
            "delivery: 'sometimes' is not one of exactly_once, at_least_once");
    refused("delivery: exactly\n", "is not one of");
    refused("topics.events: ''\n", "topics.events must not be empty");
}

Test(config, values_out_of_range_are_refused_with_the_range)
{
    refused("workers: 0\n", "workers: 0 is out of range: 1 to 256");
    refused("workers: 257\n", "out of range");
    refused("batch.events: 70000\n", "1 to 65536");
    refused("commit.interval: 2h\n", "1ms to 10m");
    refused("commit.interval: 0\n", "1ms to 10m");
    refused("segments.intent.hysteresis: 1.5\n", "0 to 1");
    refused("event.max_bytes: 1GiB\n", "64 to 64MiB");
    char yaml[300] = "topics.events: ";
    memset(yaml + strlen(yaml), 'x', 201);
    refused(yaml, "topics.events is longer than 200 bytes");
}

Test(config, shapes_that_do_not_fit_are_refused)
{
    refused("delivery: [a, b]\n", "etc/shoal.yaml:1: 'delivery' cannot be a list");
    refused("delivery: {a: b}\n", "'delivery' cannot be a map");
    refused("commit: 5s\n", "'commit' holds further keys, not a value");
    refused("commit: [5s]\n", "'commit' cannot be a list");
    refused("- a\n- b\n", "keys and values are expected, not a list");
    refused("hello\n", "keys and values are expected, not a text");
}

Test(config, a_key_set_twice_is_refused_in_any_spelling)
{
    refused("workers: 1\nworkers: 2\n", "etc/shoal.yaml:2: 'workers' stands here twice");
    refused("commit.interval: 1s\ncommit:\n  interval: 2s\n",
            "etc/shoal.yaml:3: 'commit.interval' is set twice (first in line 1)");
}

Test(config, a_section_whose_lines_are_all_comments_is_empty)
{
    cr_assert_eq(parse("commit:\n#  interval: 1s\nkafka:\nworkers: 3\n"), SHOAL_OK, "%s",
                 message.text);
    cr_assert_eq(config->workers, 3);
    cr_assert_eq(config->commit_interval, 100);
}

Test(config, relative_paths_are_relative_to_the_file)
{
    cr_assert_eq(parse("model.path: m.shoal\npromotions.path: /abs/p.yaml\n"), SHOAL_OK);
    cr_assert_str_eq(config->model_path, "etc/m.shoal");
    cr_assert_str_eq(config->promotions_path, "/abs/p.yaml");
    cr_assert_eq(shoal_config_set(config, "model.path=here.shoal", &message), SHOAL_OK);
    cr_assert_str_eq(config->model_path, "here.shoal");
    cr_assert_eq(parse("model.path: ''\n"), SHOAL_OK);
    cr_assert_str_eq(config->model_path, "");
    const char *yaml = "model.path: m\n";
    cr_assert_eq(shoal_config_parse(config, yaml, strlen(yaml), "bare.yaml", &message), SHOAL_OK);
    cr_assert_str_eq(config->model_path, "m");
    cr_assert_eq(shoal_config_parse(config, yaml, strlen(yaml), "/top.yaml", &message), SHOAL_OK);
    cr_assert_str_eq(config->model_path, "/m");
}

Test(config, later_assignments_win)
{
    cr_assert_eq(parse("workers: 2\n"), SHOAL_OK);
    cr_assert_eq(shoal_config_set(config, "workers=3", &message), SHOAL_OK);
    cr_assert_eq(shoal_config_set(config, "workers=4", &message), SHOAL_OK);
    cr_assert_eq(config->workers, 4);
    cr_assert_eq(shoal_config_set(config, "group.id=a=b", &message), SHOAL_OK);
    cr_assert_str_eq(config->group_id, "a=b");
    const char *bad[] = {"workers", "=3", "", "workers=", "kafka=x", "kafka.=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(shoal_config_set(config, bad[i], &message), SHOAL_CONFIG, "%s", bad[i]);
}

Test(config, a_missing_file_is_not_found)
{
    cr_assert_eq(shoal_config_read(config, "/nowhere/shoal.yaml", &message), SHOAL_NOT_FOUND);
    cr_assert(strstr(message.text, "/nowhere/shoal.yaml"));
}

Test(config, every_option_has_a_unit_a_help_and_a_key_of_its_own)
{
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    cr_assert_gt(count, 30);
    for (size_t i = 0; i < count; i++) {
        cr_assert(options[i].unit[0] && options[i].help[0], "%s", options[i].key);
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(options[i].key, options[j].key);
    }
}
