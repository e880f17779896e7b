/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream/log.h"

/* What `log` writes to standard error for one call. */
static void capture(const struct shoal_log *log, enum shoal_log_level level, const char *text,
                    char out[4096])
{
    int ends[2], saved = dup(STDERR_FILENO);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    shoal_log_write(log, level, "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t size = read(ends[0], out, 4095);
    out[size > 0 ? size : 0] = '\0';
    close(ends[0]);
}

Test(log, a_line_has_time_level_worker_and_text)
{
    struct shoal_log log = {.level = SHOAL_INFO, .worker = 3};
    char line[4096];
    capture(&log, SHOAL_WARNING, "hello", line);
    cr_assert(strstr(line, "Z warning worker=3 hello\n"), "%s", line);
}

Test(log, less_severe_lines_are_left_out)
{
    struct shoal_log log = {.level = SHOAL_WARNING, .worker = -1};
    char line[4096];
    capture(&log, SHOAL_INFO, "hello", line);
    cr_assert_str_eq(line, "");
}

Test(log, json_lines_escape_their_text)
{
    struct shoal_log log = {.level = SHOAL_INFO, .json = true, .worker = -1};
    char line[4096];
    capture(&log, SHOAL_INFO, "a \"b\" \\ \n\x01", line);
    cr_assert(strstr(line, "\"text\":\"a \\\"b\\\" \\\\ \\u000a\\u0001\"}\n"), "%s", line);
}

/* The same for a line with fields. */
static void capture_fields(const struct shoal_log *log, const struct shoal_log_field *fields,
                           size_t count, const char *text, char out[8192])
{
    int ends[2], saved = dup(STDERR_FILENO);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    shoal_log_fields(log, SHOAL_INFO, fields, count, "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t size = read(ends[0], out, 8191);
    out[size > 0 ? size : 0] = '\0';
    close(ends[0]);
}

static const struct shoal_log_field some_fields[] = {
    SHOAL_FIELD("partition", 3),         SHOAL_FIELD("offset", INT64_MIN),
    SHOAL_FIELD_REAL("seconds", 0.25),   SHOAL_FIELD_REAL("share", 0.0 / 0.0),
    SHOAL_FIELD_TEXT("status", "fenced"), SHOAL_FIELD_TEXT("what", "a \"b\" = c\n"),
    SHOAL_FIELD_TEXT("nothing", NULL),
};

Test(log, fields_stand_behind_the_text_as_words)
{
    struct shoal_log log = {.level = SHOAL_INFO, .worker = 2};
    char line[8192];
    capture_fields(&log, some_fields, 7, "hello", line);
    cr_assert(strstr(line, "Z info worker=2 hello partition=3 offset=-9223372036854775808 seconds=0.25 "
                           "share=nan status=fenced what=\"a \\\"b\\\" = c\\u000a\" nothing=\"\"\n"),
              "%s", line);
}

Test(log, fields_are_members_of_json_lines)
{
    struct shoal_log log = {.level = SHOAL_INFO, .json = true, .worker = 2};
    char line[8192];
    capture_fields(&log, some_fields, 7, "hello", line);
    cr_assert(strstr(line, "\"level\":\"info\",\"worker\":2,\"partition\":3,"
                           "\"offset\":-9223372036854775808,\"seconds\":0.25,\"share\":null,"
                           "\"status\":\"fenced\",\"what\":\"a \\\"b\\\" = c\\u000a\",\"nothing\":\"\","
                           "\"text\":\"hello\"}\n"), "%s", line);
}

Test(log, a_line_with_too_many_fields_loses_the_last_ones_and_keeps_its_form)
{
    static char text[900];
    struct shoal_log_field fields[8];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 8; i++)
        fields[i] = (struct shoal_log_field)SHOAL_FIELD_TEXT("field", text);
    for (int json = 0; json < 2; json++) {
        struct shoal_log log = {.level = SHOAL_INFO, .json = json, .worker = -1};
        char line[8192];
        capture_fields(&log, fields, 8, "hello \x01\x01", line);
        size_t size = strlen(line);
        cr_assert_leq(size, 4096);
        cr_assert_eq(line[size - 1], '\n');
        cr_assert(strstr(line, "field"));
        cr_assert(!json || strcmp(line + size - 29, "\"text\":\"hello \\u0001\\u0001\"}\n") == 0, "%s", line);
    }
}

Test(log, a_text_too_long_is_cut_to_one_line)
{
    struct shoal_log log = {.level = SHOAL_INFO, .json = true, .worker = 0};
    char text[3000], line[4096];
    memset(text, '\x02', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    capture(&log, SHOAL_INFO, text, line);
    cr_assert_eq(line[strlen(line) - 1], '\n');
}

Test(log, a_nag_speaks_once_a_minute)
{
    struct shoal_nag nag = {0};
    cr_assert(shoal_nag_due(&nag));
    cr_assert_not(shoal_nag_due(&nag));
    nag.said_ms -= 61000;
    cr_assert(shoal_nag_due(&nag));
}
