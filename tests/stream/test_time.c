/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stream/event.h"

static int64_t parsed(const char *text)
{
    int64_t time_ms = -1;
    return shoal_time_parse(text, strlen(text), &time_ms) ? time_ms : -1;
}

Test(time, rfc3339_and_its_relatives_are_read)
{
    static const struct {
        const char *text;
        int64_t time_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2017-12-02T00:00:00Z", 1512172800000},
        {"2017-12-02T00:00:00+08:00", 1512144000000},
        {"2017-12-02T00:00+08:00", 1512144000000},
        {"2017-12-02T00:00:00-0130", 1512178200000},
        {"2017-12-02T00:00:00+08", 1512144000000},
        {"2017-12-02t00:00:00z", 1512172800000},
        {"2017-12-02 00:00:00 UTC", 1512172800000},
        {"2017-12-02 00:00:00 GMT", 1512172800000},
        {"2017-12-02 00:00:00 +0800", 1512144000000},
        {"2017-12-02 00:00:00", 1512172800000},
        {"2017-12-02T00:00:00", 1512172800000},
        {"2014-12-06 02", 1417831200000},
        {"2017-12-02", 1512172800000},
        {"2017-12-02T00:00:00.1Z", 1512172800100},
        {"2017-12-02T00:00:00.123456789Z", 1512172800123},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"2020-02-29", 1582934400000},
        {"2000-02-29", 951782400000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"1969-12-31T23:00:00-01:00", 0},
        {"1511539200", 1511539200000},
        {"1511539200123", 1511539200123},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(parsed(cases[i].text), cases[i].time_ms, "%s: %lld", cases[i].text,
                     (long long)parsed(cases[i].text));
}

Test(time, what_is_no_time_is_refused)
{
    static const char *const texts[] = {
        "",
        "yesterday",
        "2017",
        "2017-12",
        "2017-12-",
        "2017-12-2",
        "2017-00-01",
        "2017-13-01",
        "2017-12-00",
        "2017-12-32",
        "2017-02-29",
        "1900-02-29",
        "2017-12-02T",
        "2017-12-02 ",
        "2017-12-02T24:00:00Z",
        "2017-12-02T00:60:00Z",
        "2017-12-02T00:00:61Z",
        "2017-12-02T00:00:00.Z",
        "2017-12-02T00:00:00ZZ",
        "2017-12-02T00:00:00 PST",
        "2017-12-02T00:00:00+8",
        "2017-12-02T00:00:00+24:00",
        "2017-12-02T00:00:00+08:",
        "2017-12-02T00:00:00+08:60",
        "2017-12-02T0:00:00Z",
        "2017/12/02",
        "02.12.2017",
        "1969-12-31T23:59:59Z",
        "0000-01-01",
        "9999-12-31T23:59:59-01:00",
        "12017-01-01",
        "-1",
        "nan",
        "2017-12-02T00:00:00Z ",
        " 2017-12-02",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        /* "2017" is a number: 2017 seconds. */
        if (strcmp(texts[i], "2017") == 0)
            cr_assert_eq(parsed(texts[i]), 2017000);
        else
            cr_assert_eq(parsed(texts[i]), -1, "%s", texts[i]);
    }
}

Test(time, numbers_are_told_apart_by_magnitude)
{
    int64_t time_ms;
    cr_assert(shoal_time_from_number(99999999999.0, &time_ms));
    cr_assert_eq(time_ms, 99999999999000);
    cr_assert(shoal_time_from_number(100000000000.0, &time_ms));
    cr_assert_eq(time_ms, 100000000000);
    cr_assert(shoal_time_from_number(1511539200.001, &time_ms));
    cr_assert_eq(time_ms, 1511539200001);
    cr_assert(shoal_time_from_number(1511539200123.9, &time_ms));
    cr_assert_eq(time_ms, 1511539200123);
    cr_assert(shoal_time_from_number(0, &time_ms));
    const double wrong[] = {NAN, INFINITY, -INFINITY, -1, -0.001, 253402300800000.0, 1e300};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert(!shoal_time_from_number(wrong[i], &time_ms), "%g", wrong[i]);
}

Test(time, printed_times_agree_with_the_c_library_and_come_back)
{
    for (int64_t time_ms = 0; time_ms < 253402300799999; time_ms += 12345678901 * 7) {
        char text[25], wanted[25];
        time_t seconds = time_ms / 1000;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        size_t used = strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &utc);
        snprintf(wanted + used, sizeof wanted - used, ".%03dZ", (int)(time_ms % 1000));
        shoal_time_print(time_ms, text);
        cr_assert_str_eq(text, wanted);
        cr_assert_eq(parsed(text), time_ms);
    }
    char text[25];
    shoal_time_print(1512172800000, text);
    cr_assert_str_eq(text, "2017-12-02T00:00:00.000Z");
}

Test(time, every_day_of_the_calendar_comes_back)
{
    for (int64_t day = 0; day < 2932897; day += 1) {
        char text[25];
        shoal_time_print(day * 86400000, text);
        int64_t time_ms;
        cr_assert(shoal_time_parse(text, 10, &time_ms) && time_ms == day * 86400000, "%s", text);
    }
}
