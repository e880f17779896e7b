/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal top` reads and shows: the text format, rates and quantiles over several processes, the lines. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/state/leaks.h"
#include "tools/top_print.h"

/* ---- the text format ------------------------------------------------------------------------- */

static enum shoal_status parse(struct shoal_samples *samples, const char *text,
                               struct shoal_message *message)
{
    return shoal_samples_read(samples, text, strlen(text), message);
}

Test(samples, names_labels_and_values_are_read)
{
    struct shoal_samples samples = {0};
    struct shoal_message message = {.text = ""};
    cr_assert_eq(parse(&samples, "# HELP a x\n# TYPE a counter\na 1.5\n\nb{x=\"1\",y=\"q\\\"\\\\\\n}\"} +Inf 17\n"
                                 "c{} NaN\nd{x=\"1\",} -2e3", &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(samples.count, 4);
    cr_assert_str_eq(samples.list[0].name, "a");
    cr_assert_eq(samples.list[0].value, 1.5);
    cr_assert_str_eq(shoal_sample_label(&samples.list[1], "y"), "q\"\\\n}");
    cr_assert(isinf(samples.list[1].value));
    cr_assert(isnan(samples.list[2].value));
    cr_assert_eq(samples.list[3].value, -2000);
    cr_assert(shoal_sample_is(&samples.list[3], "d", "x", "1"));
    cr_assert_not(shoal_sample_is(&samples.list[3], "d", "x", "2"));
    cr_assert_not(shoal_sample_is(&samples.list[3], "d", "z", "1"));
    shoal_samples_finish(&samples);
    test_no_leaks();
}

Test(samples, what_is_not_the_format_is_refused_with_its_line)
{
    static const char *const texts[] = {
        "a 1\n<html>",   "a 1\nb",          "a 1\nb{x=\"1\" 2",  "a 1\nb{x=\"1\"}2", "a 1\nb{x=1} 2",
        "a 1\nb{=\"1\"} 2", "a 1\nb{x=\"1} 2", "a 1\nb{x=\"\\q\"} 2", "a 1\nb x",        "a 1\nb 2x",
        "a 1\nb{x=\"1\"y=\"2\"} 2", "a 1\nb{x=\"\\", "a 1\nb{",
        "a 1\nb{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\"} 1",
    };
    struct shoal_samples samples = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct shoal_message message = {.text = ""};
        cr_expect_eq(parse(&samples, texts[i], &message), SHOAL_DAMAGED, "%s", texts[i]);
        cr_expect(strstr(message.text, "line 2"), "%s: %s", texts[i], message.text);
        cr_expect_eq(samples.count, 0);
    }
    struct shoal_message message;
    cr_assert_eq(shoal_samples_read(&samples, "a 1\0b 2", 7, &message), SHOAL_DAMAGED);
    cr_assert_eq(parse(&samples, "", &message), SHOAL_OK);
    shoal_samples_finish(&samples);
    test_no_leaks();
}

/* ---- several processes ----------------------------------------------------------------------- */

static void take(struct shoal_instances *all, size_t i, const char *text, double seconds, double now_s)
{
    struct shoal_message message = {.text = ""};
    if (all->count <= i)
        all->count = i + 1;
    all->list[i].url = "http://x";
    cr_assert_eq(shoal_instances_take(&all->list[i], text, strlen(text), seconds, now_s, &message),
                 SHOAL_OK, "%s", message.text);
    all->list[i].up = true;
}

Test(instances, rates_are_over_the_time_between_two_looks)
{
    struct shoal_instances all = {0};
    take(&all, 0, "process_start_time_seconds 1000\nc_total{x=\"1\"} 50\nc_total{x=\"2\"} 10\n", 0, 1100);
    cr_assert_float_eq(shoal_instances_rate(&all, "c_total", NULL, NULL), 0.6, 1e-12); /* since the start */
    take(&all, 0, "process_start_time_seconds 1000\nc_total{x=\"1\"} 70\nc_total{x=\"2\"} 10\n", 2, 1102);
    cr_assert_float_eq(shoal_instances_rate(&all, "c_total", NULL, NULL), 10, 1e-12);
    cr_assert_float_eq(shoal_instances_rate(&all, "c_total", "x", "2"), 0, 1e-12);
    take(&all, 1, "process_start_time_seconds 1090\nc_total{x=\"1\"} 24\n", 0, 1102);
    cr_assert_float_eq(shoal_instances_rate(&all, "c_total", "x", "1"), 12, 1e-12);
    cr_assert_float_eq(shoal_instances_sum(&all, "c_total", NULL, NULL), 104, 1e-12);
    all.list[1].up = false;
    cr_assert_float_eq(shoal_instances_sum(&all, "c_total", NULL, NULL), 80, 1e-12);
    shoal_instances_finish(&all);
    test_no_leaks();
}

Test(instances, a_process_that_was_started_again_counts_from_its_start)
{
    struct shoal_instances all = {0};
    take(&all, 0, "process_start_time_seconds 1000\nc_total 5000\n", 0, 1100);
    take(&all, 0, "process_start_time_seconds 1108\nc_total 6000\n", 2, 1110);
    cr_assert_float_eq(shoal_instances_rate(&all, "c_total", NULL, NULL), 3000, 1e-9);
    shoal_instances_finish(&all);
}

Test(instances, quantiles_are_interpolated_over_what_was_counted_meanwhile)
{
    struct shoal_instances all = {0};
    take(&all, 0, "process_start_time_seconds 1\nd_bucket{le=\"0.1\"} 100\nd_bucket{le=\"0.2\"} 100\n"
                  "d_bucket{le=\"+Inf\"} 100\n", 0, 10);
    cr_assert_float_eq(shoal_instances_quantile(&all, "d", 0.5), 0.05, 1e-12);
    take(&all, 0, "process_start_time_seconds 1\nd_bucket{le=\"0.1\"} 110\nd_bucket{le=\"0.2\"} 150\n"
                  "d_bucket{le=\"+Inf\"} 150\n", 2, 12);
    /* 10 in the first bucket, 40 in the second */
    cr_assert_float_eq(shoal_instances_quantile(&all, "d", 0.5), 0.1 + 0.1 * 15 / 40, 1e-12);
    cr_assert(isnan(shoal_instances_quantile(&all, "e", 0.5)));
    take(&all, 0, "process_start_time_seconds 1\nd_bucket{le=\"0.1\"} 110\nd_bucket{le=\"0.2\"} 150\n"
                  "d_bucket{le=\"+Inf\"} 160\n", 2, 14);
    cr_assert_float_eq(shoal_instances_quantile(&all, "d", 0.99), 0.2, 1e-12); /* the last bound */
    take(&all, 0, "process_start_time_seconds 1\nd_bucket{le=\"0.1\"} 110\nd_bucket{le=\"0.2\"} 150\n"
                  "d_bucket{le=\"+Inf\"} 160\n", 2, 16);
    cr_assert(isnan(shoal_instances_quantile(&all, "d", 0.99))); /* nothing */
    shoal_instances_finish(&all);
}

Test(instances, urls_without_a_path_mean_their_metrics)
{
    struct shoal_instances all = {0};
    struct shoal_message message;
    cr_assert_eq(shoal_instances_add(&all, "ftp://x", NULL, 100, &message), SHOAL_CONFIG);
    cr_assert_eq(shoal_instances_add(&all, "127.0.0.1:8642", NULL, 100, &message), SHOAL_CONFIG);
    cr_assert_eq(shoal_instances_add(&all, "http://127.0.0.1:1", NULL, 500, &message), SHOAL_OK);
    cr_assert_eq(shoal_instances_look(&all, 5), 0);
    cr_assert(strstr(all.list[0].problem.text, "http://127.0.0.1:1/metrics"), "%s",
              all.list[0].problem.text);
    shoal_instances_finish(&all);
}

/* ---- the lines ------------------------------------------------------------------------------- */

Test(top, numbers_have_three_digits)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},          {7, "7"},         {0.1234, "0.12"}, {12.345, "12.3"}, {123.4, "123"},
                 {999.6, "1.00 k"}, {1234, "1.23 k"}, {56789, "56.8 k"}, {1e6, "1.00 M"},  {NAN, "-"}};
    static const struct {
        double seconds;
        const char *text;
    } times[] = {{0.0001, "100 us"}, {0.00123, "1.2 ms"}, {0.083, "83 ms"}, {1.234, "1.2 s"}, {90, "90 s"},
                 {600, "10 min"},    {86400, "24 h"},     {864000, "10 days"}, {NAN, "-"}};
    char text[16];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        shoal_top_number(cases[i].value, text);
        cr_expect_str_eq(text, cases[i].text);
    }
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        shoal_top_duration(times[i].seconds, text);
        cr_expect_str_eq(text, times[i].text);
    }
}

static const char figures[] =
    "process_start_time_seconds 1000\n"
    "shoal_events_total{result=\"applied\"} 1000\nshoal_events_total{result=\"late\"} 10\n"
    "shoal_lag_messages{partition=\"0\"} 0\nshoal_lag_messages{partition=\"1\"} 12\n"
    "shoal_lag_seconds{partition=\"0\"} 0\nshoal_lag_seconds{partition=\"1\"} 2.5\n"
    "shoal_decisions_total{promotion=\"a\\n\\\"b\",eligible=\"true\",variant=\"treatment\"} 50\n"
    "shoal_model_info{version=\"00ff\"} 1\nshoal_model_age_seconds{version=\"00ff\"} 300\n"
    "shoal_dead_letters_total{reason=\"bad_json\"} 5\n";

static char *print(const struct shoal_top_view *view, struct shoal_buffer *out)
{
    struct shoal_instances all = {.since_s = 100, .from_start = true};
    take(&all, 0, figures, 0, 1100);
    shoal_top_print(&all, view, out);
    shoal_buffer_append(out, "", 1);
    shoal_instances_finish(&all);
    return (char *)out->bytes;
}

Test(top, no_line_is_wider_than_the_terminal_and_there_are_no_more_than_it_has)
{
    for (int columns = 20; columns <= 120; columns += 10) {
        struct shoal_top_view view = {.columns = columns, .rows = 12};
        struct shoal_buffer out = {0};
        int lines = 0;
        for (const char *line = print(&view, &out); *line; line += strcspn(line, "\n") + 1) {
            cr_expect_leq((int)strcspn(line, "\n"), columns, "%d: %.*s", columns,
                          (int)strcspn(line, "\n"), line);
            lines++;
        }
        cr_expect_leq(lines, 12);
        shoal_buffer_finish(&out);
    }
}

Test(top, colours_are_only_where_they_are_wanted)
{
    struct shoal_top_view plain = {0}, coloured = {.colour = true};
    struct shoal_buffer a = {0}, b = {0};
    cr_assert_not(strchr(print(&plain, &a), '\033'));
    cr_assert(strstr(print(&coloured, &b), "\033[31mbad_json 0.05/s\033[0m"));
    shoal_buffer_finish(&a);
    shoal_buffer_finish(&b);
}

Test(top, what_comes_from_outside_does_not_steer_the_terminal)
{
    struct shoal_top_view view = {0};
    struct shoal_buffer out = {0};
    cr_assert(strstr(print(&view, &out), "a?\"b"), "%s", (char *)out.bytes);
    cr_assert(strstr((char *)out.bytes, "[1] 12, 2.5 s"));
    cr_assert(strstr((char *)out.bytes, "00ff, 5 min old"));
    shoal_buffer_finish(&out);
}
