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
