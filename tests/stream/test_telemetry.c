/* SPDX-License-Identifier: Apache-2.0 */
/* The list of metrics, what is written of it, and that the counts are those of the pipelines over all
 * sessions. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stream/exposition.h"
#include "tests/state/leaks.h"
#include "tests/stream/made_telemetry.h"

static char *text_of(const struct shoal_telemetry *metrics, int64_t now_ms)
{
    struct shoal_buffer out = {0};
    shoal_telemetry_write_at(metrics, now_ms, &out);
    shoal_buffer_append(&out, "", 1);
    cr_assert_not(out.failed);
    return (char *)out.bytes;
}

/* The value of the one line that begins with `series` and a blank. */
static double value_of(const char *text, const char *series)
{
    size_t size = strlen(series);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, series, size) == 0 && line[size] == ' ')
            return strtod(line + size + 1, NULL);
    }
    cr_assert(false, "no series %s in:\n%s", series, text);
    return NAN;
}

static bool has(const char *text, const char *series)
{
    char line[256];
    snprintf(line, sizeof line, "\n%s ", series);
    return strstr(text, line) != NULL;
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

/* ---- the list -------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

Test(metrics, names_follow_the_rules)
{
    for (int i = 0; i < SHOAL_METRIC_COUNT; i++) {
        const struct shoal_metric_about *about = shoal_metric_about((enum shoal_metric)i);
        const char *name = about->name;
        char end[64];
        bool counter = about->type == SHOAL_METRIC_COUNTER;
        cr_expect(strncmp(name, "shoal_", 6) == 0 || strncmp(name, "process_", 8) == 0, "%s", name);
        cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name), "%s", name);
        cr_expect_eq(ends_with(name, "_total"), counter, "%s", name);
        snprintf(end, sizeof end, "_%s%s", about->unit, counter ? "_total" : "");
        if (about->unit[0])
            cr_expect(ends_with(name, end), "%s does not end with its unit %s", name, about->unit);
        else
            cr_expect_not(strstr(name, "_seconds") || strstr(name, "_bytes"), "%s has no unit", name);
        cr_expect_eq(strpbrk(about->help, "\\\n"), NULL, "%s", name);
        cr_expect(about->help[0] && !ends_with(about->help, "."), "%s", name);
        cr_expect(about->type != SHOAL_METRIC_HISTOGRAM || !about->labels[0], "%s", name);
        cr_expect_eq(strstr(about->labels, "user"), NULL, "%s", name);
        for (int j = 0; j < i; j++)
            cr_expect_str_neq(name, shoal_metric_about((enum shoal_metric)j)->name);
    }
}

Test(metrics, every_name_is_written_once_and_has_a_value)
{
    struct shoal_telemetry *metrics = made_telemetry();
    char *text = text_of(metrics, MADE_NOW_MS);
    for (int i = 0; i < SHOAL_METRIC_COUNT; i++) {
        const struct shoal_metric_about *about = shoal_metric_about((enum shoal_metric)i);
        char line[300];
        snprintf(line, sizeof line, "# HELP %s ", about->name);
        cr_expect_eq(occurrences(text, line), 1, "%s", line);
        snprintf(line, sizeof line, "# TYPE %s %s\n", about->name,
                 shoal_metric_type_name(about->type));
        const char *type = strstr(text, line);
        cr_assert(type && occurrences(text, line) == 1, "%s", line);
        cr_expect_eq(strncmp(type + strlen(line), about->name, strlen(about->name)), 0,
                     "%s has no value", about->name);
    }
    free(text);
    shoal_telemetry_destroy(metrics);
    test_no_leaks();
}

Test(metrics, a_process_that_has_just_begun_has_every_name_too)
{
    const struct shoal_telemetry_options options = {.version = "x", .workers = 1};
    struct shoal_telemetry *metrics;
    cr_assert_eq(shoal_telemetry_create(&options, &metrics), SHOAL_OK);
    char *text = text_of(metrics, MADE_NOW_MS);
    cr_assert_eq(occurrences(text, "# TYPE "), SHOAL_METRIC_COUNT);
    cr_assert(has(text, "shoal_events_total{result=\"applied\"}"));
    cr_assert(has(text, "shoal_dead_letters_total{reason=\"bad_json\"}"));
    cr_assert(isnan(value_of(text, "shoal_calibration_observed_ratio")));
    free(text);
    shoal_telemetry_destroy(metrics);
}

/* ---- text ------------------------------------------------------------------------------------ */

Test(exposition, label_values_are_escaped)
{
    struct shoal_buffer out = {0};
    struct shoal_exposition e = {.out = &out, .family = SHOAL_METRIC_build_info};
    const char *value = "a\"b\\c\nd é";
    shoal_exposition_count(&e, &value, 1);
    shoal_buffer_append(&out, "", 1);
    cr_assert_str_eq((char *)out.bytes, "shoal_build_info{version=\"a\\\"b\\\\c\\nd é\"} 1\n");
    shoal_buffer_finish(&out);
}

Test(exposition, numbers_read_back_as_they_were)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"}, {0.1, "0.1"}, {1e-9, "1e-09"}, {1735732800.123, "1735732800.123"},
                 {NAN, "NaN"}, {INFINITY, "+Inf"}, {-INFINITY, "-Inf"}, {1.0 / 3, "0.3333333333333333"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shoal_buffer out = {0};
        struct shoal_exposition e = {.out = &out, .family = SHOAL_METRIC_workers};
        char line[64];
        shoal_exposition_real(&e, NULL, cases[i].value);
        shoal_buffer_append(&out, "", 1);
        snprintf(line, sizeof line, "shoal_workers %s\n", cases[i].text);
        cr_expect_str_eq((char *)out.bytes, line);
        shoal_buffer_finish(&out);
    }
}

Test(exposition, buckets_of_a_histogram_add_up)
{
    struct shoal_histogram histogram = {0};
    struct shoal_buffer out = {0};
    struct shoal_exposition e = {.out = &out, .family = SHOAL_METRIC_delay};
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, 1000, 3);
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, 1001, 4);
    shoal_histogram_observe(&histogram, SHOAL_SCALE_DELAY, 90000000, 2);
    shoal_exposition_histogram(&e, SHOAL_SCALE_DELAY, &histogram);
    shoal_buffer_append(&out, "", 1);
    const char *text = (char *)out.bytes;
    cr_assert_eq(strncmp(text, "shoal_delay_seconds_bucket{le=\"0.001\"} 3\n"
                               "shoal_delay_seconds_bucket{le=\"0.002\"} 7\n"
                               "shoal_delay_seconds_bucket{le=\"0.005\"} 7\n", 100), 0, "%s", text);
    cr_assert_eq(value_of(text, "shoal_delay_seconds_bucket{le=\"60\"}"), 7);
    cr_assert_eq(value_of(text, "shoal_delay_seconds_bucket{le=\"+Inf\"}"), 9);
    cr_assert_eq(value_of(text, "shoal_delay_seconds_count"), 9);
    cr_assert_float_eq(value_of(text, "shoal_delay_seconds_sum"), 180.007004, 1e-9);
    shoal_buffer_finish(&out);
}

/* ---- figures --------------------------------------------------------------------------------- */

Test(metrics, results_are_disjoint_and_add_up)
{
    struct shoal_telemetry *metrics = made_telemetry();
    char *text = text_of(metrics, MADE_NOW_MS);
    /* of 3000 events: 300 recovered (30 of them late), 150 late */
    cr_assert_eq(value_of(text, "shoal_events_total{result=\"recovered\"}"), 300);
    cr_assert_eq(value_of(text, "shoal_events_total{result=\"late\"}"), 150 - 30);
    cr_assert_eq(value_of(text, "shoal_events_total{result=\"applied\"}"), 3000 - 300 - 120);
    cr_assert_eq(value_of(text, "shoal_events_total{result=\"repeated\"}"), 60);
    cr_assert_eq(value_of(text, "shoal_events_total{result=\"deadletter\"}"), 30);
    cr_assert_eq(value_of(text, "shoal_dead_letters_total{reason=\"bad_json\"}"), 30);
    cr_assert_eq(value_of(text, "shoal_cache_hits_total"), 2250);
    cr_assert_eq(value_of(text, "shoal_cache_misses_total"), 750);
    cr_assert_eq(value_of(text, "shoal_decisions_total{promotion=\"hot-10\",eligible=\"true\","
                                "variant=\"treatment\"}"), 166 + 83);
    cr_assert_eq(value_of(text, "shoal_delay_seconds_count"), 3000);
    cr_assert_float_eq(value_of(text, "shoal_calibration_predicted_ratio"), 0.04, 1e-12);
    cr_assert_float_eq(value_of(text, "shoal_calibration_observed_ratio"), 0.05, 1e-12);
    cr_assert_eq(value_of(text, "shoal_calibration_correction{partition=\"1\"}"), -0.125);
    cr_assert_eq(value_of(text, "shoal_model_age_seconds{version=\"00112233445566aa\"}"), 86400);
    free(text);
    shoal_telemetry_destroy(metrics);
}

Test(metrics, counts_go_on_over_sessions_and_what_was_not_committed_does_not_count)
{
    const struct shoal_telemetry_options options = {.version = "x", .workers = 2};
    struct shoal_telemetry *metrics;
    cr_assert_eq(shoal_telemetry_create(&options, &metrics), SHOAL_OK);
    struct shoal_meter meter = made_meter(1000);
    shoal_telemetry_publish(metrics, 1, &meter, NULL, 0, MADE_NOW_MS);
    meter = made_meter(3000); /* a commit replaces the one before: counters are since the session began */
    shoal_telemetry_publish(metrics, 1, &meter, NULL, 0, MADE_NOW_MS);
    cr_assert_eq(shoal_telemetry_counts(metrics, 1).events, 3000);
    /* The session fails: what its counts were at the last commit stays, what failed is counted. */
    meter.store.failures = 4;
    shoal_telemetry_session_ended(metrics, 1, &meter, SHOAL_UNAVAILABLE);
    cr_assert_eq(shoal_telemetry_counts(metrics, 1).events, 3000);
    cr_assert_not(shoal_telemetry_working(metrics, 1));
    /* A session that never commits. */
    struct shoal_meter empty = {.store = {.failures = 1}};
    shoal_telemetry_session_ended(metrics, 1, &empty, SHOAL_UNAVAILABLE);
    cr_assert_eq(shoal_telemetry_counts(metrics, 1).events, 3000);
    meter = made_meter(600);
    shoal_telemetry_publish(metrics, 1, &meter, NULL, 0, MADE_NOW_MS);
    cr_assert(shoal_telemetry_working(metrics, 1));
    cr_assert_not(shoal_telemetry_working(metrics, 0));
    struct shoal_pipeline_counts counts = shoal_telemetry_counts(metrics, 1);
    cr_assert_eq(counts.events, 3600);
    cr_assert_eq(counts.stage_ns[0], 3600 * 250);
    cr_assert_eq(counts.promotions.count, 1);
    cr_assert_eq(counts.promotions.list[0].decisions[1][0], 250 + 50);
    char *text = text_of(metrics, MADE_NOW_MS);
    cr_assert_eq(value_of(text, "shoal_messages_total"), 3600 + 60 + 12);
    cr_assert_eq(value_of(text, "shoal_delay_seconds_count"), 3600);
    cr_assert_eq(value_of(text, "shoal_redis_failures_total"), 4 + 1 + 1);
    cr_assert_eq(value_of(text, "shoal_sessions_ended_total{reason=\"unavailable\"}"), 2);
    cr_assert_eq(value_of(text, "shoal_sessions_ended_total{reason=\"fenced\"}"), 0);
    /* What holds now is that of the session that runs. */
    cr_assert_eq(value_of(text, "shoal_cached_users"), 500);
    cr_assert_eq(value_of(text, "shoal_kafka_queued_messages{client=\"consumer\"}"), 20);
    free(text);
    shoal_telemetry_destroy(metrics);
    test_no_leaks();
}

Test(metrics, lag_grows_with_time_while_nothing_is_committed)
{
    struct shoal_telemetry *metrics = made_telemetry();
    char *text = text_of(metrics, MADE_NOW_MS);
    cr_assert_eq(value_of(text, "shoal_lag_messages{partition=\"0\"}"), 0);
    cr_assert_eq(value_of(text, "shoal_lag_messages{partition=\"1\"}"), 250);
    cr_assert_eq(value_of(text, "shoal_lag_seconds{partition=\"0\"}"), 0);
    cr_assert_eq(value_of(text, "shoal_lag_seconds{partition=\"1\"}"), 2.5);
    cr_assert_not(has(text, "shoal_lag_seconds{partition=\"3\"}"));
    free(text);
    text = text_of(metrics, MADE_NOW_MS + 60000);
    cr_assert_eq(value_of(text, "shoal_lag_seconds{partition=\"1\"}"), 62.5);
    /* Nothing was left to do when it committed last, but that was a minute ago. */
    cr_assert_eq(value_of(text, "shoal_lag_seconds{partition=\"0\"}"), 60.04);
    free(text);
    shoal_telemetry_destroy(metrics);
}

Test(metrics, a_partition_belongs_to_the_worker_that_spoke_last)
{
    struct shoal_telemetry *metrics = made_telemetry();
    struct shoal_meter meter = made_meter(10);
    struct shoal_partition_standing standing = made_standing(1, 7);
    standing.suppress_until = standing.position + 3;
    shoal_telemetry_session_ended(metrics, 0, &meter, SHOAL_UNAVAILABLE);
    shoal_telemetry_publish(metrics, 1, &meter, &standing, 1, MADE_NOW_MS + 100);
    char *text = text_of(metrics, MADE_NOW_MS + 200);
    cr_assert_eq(value_of(text, "shoal_lag_messages{partition=\"1\"}"), 7);
    cr_assert_eq(value_of(text, "shoal_recovering_messages{partition=\"1\"}"), 3);
    cr_assert_eq(occurrences(text, "\nshoal_lag_messages{partition=\"1\"}"), 1);
    cr_assert(has(text, "shoal_lag_messages{partition=\"0\"}"), "still that of worker 0");
    free(text);
    /* Who leaves in order has no partitions any more. */
    shoal_telemetry_session_ended(metrics, 1, &meter, SHOAL_OK);
    text = text_of(metrics, MADE_NOW_MS + 200);
    cr_assert_eq(value_of(text, "shoal_lag_messages{partition=\"1\"}"), 250);
    free(text);
    shoal_telemetry_destroy(metrics);
}

Test(metrics, requests_are_counted_by_code)
{
    struct shoal_telemetry *metrics = made_telemetry();
    shoal_telemetry_request(metrics, 200, 1000);
    shoal_telemetry_request(metrics, 404, 1000);
    shoal_telemetry_request(metrics, 7, 1000);
    char *text = text_of(metrics, MADE_NOW_MS);
    cr_assert_eq(value_of(text, "shoal_http_requests_total{code=\"200\"}"), 2);
    cr_assert_eq(value_of(text, "shoal_http_requests_total{code=\"404\"}"), 1);
    cr_assert_eq(value_of(text, "shoal_http_requests_total{code=\"500\"}"), 1);
    cr_assert_eq(value_of(text, "shoal_http_request_duration_seconds_count"), 4);
    cr_assert_eq(value_of(text, "shoal_http_files_refused"), 1);
    free(text);
    shoal_telemetry_destroy(metrics);
}

Test(metrics, the_process_is_this_one)
{
    struct shoal_telemetry *metrics = made_telemetry();
    char *text = text_of(metrics, MADE_NOW_MS);
    cr_assert_gt(value_of(text, "process_resident_memory_bytes"), 1e6);
    cr_assert_gt(value_of(text, "process_virtual_memory_bytes"),
                 value_of(text, "process_resident_memory_bytes"));
    cr_assert_geq(value_of(text, "process_open_fds"), 2);
    cr_assert_geq(value_of(text, "process_max_fds"), value_of(text, "process_open_fds"));
    cr_assert_float_eq(value_of(text, "process_start_time_seconds"), (double)time(NULL), 600);
    free(text);
    shoal_telemetry_destroy(metrics);
}

Test(promotion_counts, the_last_place_is_for_all_that_find_none)
{
    struct shoal_promotion_counts counts = {0}, sum = {0};
    char id[16];
    for (int i = 0; i < SHOAL_PROMOTIONS_COUNTED_MAX + 20; i++) {
        snprintf(id, sizeof id, "p%d", i);
        counts.list[shoal_promotion_counts_index(&counts, id)].decisions[1][0]++;
    }
    cr_assert_eq(counts.count, SHOAL_PROMOTIONS_COUNTED_MAX);
    cr_assert_str_eq(counts.list[SHOAL_PROMOTIONS_COUNTED_MAX - 1].id, "(other)");
    cr_assert_eq(counts.list[SHOAL_PROMOTIONS_COUNTED_MAX - 1].decisions[1][0], 21);
    cr_assert_eq(shoal_promotion_counts_index(&counts, "p5"), 5);
    shoal_promotion_counts_add(&sum, &counts);
    shoal_promotion_counts_add(&sum, &counts);
    cr_assert_eq(sum.list[SHOAL_PROMOTIONS_COUNTED_MAX - 1].decisions[1][0], 42);
    cr_assert_eq(sum.list[3].decisions[1][0], 2);
}
