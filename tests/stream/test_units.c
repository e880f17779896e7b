/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "stream/nearest.h"
#include "stream/units.h"

Test(units, durations_are_read_with_their_units)
{
    const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},
                {"0s", 0},
                {"100ms", 100},
                {"1s", 1000},
                {"5m", 300000},
                {"2h", 7200000},
                {"1d", 86400000},
                {"1.5h", 5400000},
                {"1h30m", 5400000},
                {"0.25s", 250},
                {"1d2h3m4s5ms", 93784005},
                {"100000d", INT64_C(8640000000000)}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ms = -1;
        cr_assert(shoal_duration_parse(good[i].text, &ms), "%s", good[i].text);
        cr_assert_eq(ms, good[i].ms, "%s", good[i].text);
    }
    const char *bad[] = {"",
                         "5",
                         "-1s",
                         "1 s",
                         "s",
                         "1.s",
                         ".5s",
                         "1w",
                         "1S",
                         "5m5m",
                         "30m1h",
                         "1sx",
                         "0.5ms",
                         "100001d",
                         "1e3s",
                         "ms",
                         "99999999999999999999s",
                         "+1s",
                         "1s ",
                         "0.0001s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms;
        cr_assert_not(shoal_duration_parse(bad[i], &ms), "%s", bad[i]);
    }
}

Test(units, sizes_integers_reals_and_shares_are_read)
{
    int64_t n;
    double x;
    cr_assert(shoal_bytes_parse("64MiB", &n) && n == 64 << 20);
    cr_assert(shoal_bytes_parse("1KiB", &n) && n == 1024);
    cr_assert(shoal_bytes_parse("100", &n) && n == 100);
    cr_assert(shoal_bytes_parse("2GiB", &n) && n == INT64_C(2) << 30);
    cr_assert_not(shoal_bytes_parse("1MB", &n));
    cr_assert_not(shoal_bytes_parse("1.5MiB", &n));
    cr_assert_not(shoal_bytes_parse("999999999999999GiB", &n));
    cr_assert(shoal_integer_parse("-9223372036854775808", &n) && n == INT64_MIN);
    cr_assert(shoal_integer_parse("9223372036854775807", &n) && n == INT64_MAX);
    cr_assert_not(shoal_integer_parse("9223372036854775808", &n));
    cr_assert_not(shoal_integer_parse("1x", &n));
    cr_assert_not(shoal_integer_parse("-", &n));
    cr_assert(shoal_real_parse("0.02", &x) && x == 0.02);
    cr_assert(shoal_real_parse("-1", &x) && x == -1);
    cr_assert(shoal_real_parse(".5", &x) && x == 0.5);
    cr_assert_not(shoal_real_parse("nan", &x));
    cr_assert_not(shoal_real_parse("1e3", &x));
    cr_assert_not(shoal_real_parse(".", &x));
    cr_assert(shoal_share_parse("10%", &x) && x == 0.1);
    cr_assert(shoal_share_parse("0.1", &x) && x == 0.1);
    cr_assert(shoal_share_parse("12.5 %", &x) && x == 0.125);
    cr_assert_not(shoal_share_parse("%", &x));
}

Test(units, durations_are_printed_in_their_two_largest_units)
{
    const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0s"},
                 {250, "250ms"},
                 {1000, "1s"},
                 {45678, "45s678ms"},
                 {86400000, "1d"},
                 {7980000, "2h13m"},
                 {7985999, "2h13m"},
                 {86405000, "1d"},
                 {3600000 + 5000, "1h"},
                 {-60000, "-1m"},
                 {INT64_C(86400000) * 30 + 3600000, "30d1h"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SHOAL_DURATION_TEXT];
        size_t size = shoal_duration_print(cases[i].ms, text);
        cr_assert_str_eq(text, cases[i].text);
        cr_assert_eq(size, strlen(text));
    }
    char text[SHOAL_DURATION_TEXT];
    cr_assert_lt(shoal_duration_print(INT64_MIN, text), sizeof text);
}

Test(units, the_nearest_name_is_found_and_a_far_one_is_not)
{
    cr_assert_eq(shoal_edit_distance("intervall", "interval"), 1);
    cr_assert_eq(shoal_edit_distance("ab", "ba"), 1);
    cr_assert_eq(shoal_edit_distance("", "abc"), 3);
    cr_assert_eq(shoal_edit_distance("kitten", "sitting"), 3);
    struct shoal_nearest nearest;
    shoal_nearest_init(&nearest, "wrokers");
    shoal_nearest_feed(&nearest, "delivery");
    cr_assert_null(nearest.best);
    shoal_nearest_feed(&nearest, "workers");
    cr_assert_str_eq(nearest.best, "workers");
    shoal_nearest_init(&nearest, "ab");
    shoal_nearest_feed(&nearest, "pv");
    cr_assert_null(nearest.best);
    shoal_nearest_init(&nearest, "comm");
    shoal_nearest_feed(&nearest, "commit.interval");
    cr_assert_not_null(nearest.best);
}
