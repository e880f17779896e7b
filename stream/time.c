/* SPDX-License-Identifier: Apache-2.0 */
/* Times in events: RFC 3339 and its public-data relatives, and numbers, to ms since 1970.
 *
 * No C library calendar is used: it depends on the machine's time zone and locale, and a replay
 * must come to the same result everywhere. Dates are proleptic Gregorian; the day arithmetic is
 * that of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil and its
 * inverse). */
#include "stream/event.h"

#include <math.h>
#include <string.h>

#include "stream/event_fields.h"

#define DAY_MS 86400000LL
#define TIME_MAX_MS 253402300799999LL /* 9999-12-31T23:59:59.999Z */

/* A cursor over the text; every step says whether it matched. */
struct scan {
    const char *at, *end;
};

static bool take_char(struct scan *scan, char wanted)
{
    if (scan->at == scan->end || *scan->at != wanted)
        return false;
    scan->at++;
    return true;
}

static bool take_digits(struct scan *scan, int count, int *number)
{
    if (scan->end - scan->at < count)
        return false;
    int sum = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned)(scan->at[i] - '0');
        if (digit > 9)
            return false;
        sum = sum * 10 + (int)digit;
    }
    scan->at += count;
    *number = sum;
    return true;
}

static int64_t days_from_civil(int year, int month, int day)
{
    year -= month <= 2;
    int era = year / 400; /* years here are positive */
    int year_of_era = year - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct scan *scan, int64_t *days)
{
    int year, month, day;
    if (!take_digits(scan, 4, &year) || !take_char(scan, '-') || !take_digits(scan, 2, &month) ||
        !take_char(scan, '-') || !take_digits(scan, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* "HH", "HH:MM", "HH:MM:SS", "HH:MM:SS.f…" (digits after the third are cut). Second 60 is the leap
 * second of RFC 3339 and counts as the next minute's first. */
static bool take_clock(struct scan *scan, int64_t *ms)
{
    int hour, minute = 0, second = 0, milli = 0;
    if (!take_digits(scan, 2, &hour))
        return false;
    if (take_char(scan, ':')) {
        if (!take_digits(scan, 2, &minute))
            return false;
        if (take_char(scan, ':')) {
            if (!take_digits(scan, 2, &second))
                return false;
            if (take_char(scan, '.')) {
                int digit, weight = 100;
                if (!take_digits(scan, 1, &digit))
                    return false;
                do {
                    milli += digit * weight;
                    weight /= 10;
                } while (take_digits(scan, 1, &digit));
            }
        }
    }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ms = ((hour * 60 + minute) * 60 + second) * 1000LL + milli;
    return true;
}

/* Nothing, "Z", "UTC", "GMT", "+HH", "+HHMM", "+HH:MM". */
static bool take_offset(struct scan *scan, int64_t *ms)
{
    *ms = 0;
    if (scan->at == scan->end)
        return true;
    (void)take_char(scan, ' ');
    size_t left = (size_t)(scan->end - scan->at);
    if (left == 1 && (*scan->at == 'Z' || *scan->at == 'z')) {
        scan->at++;
        return true;
    }
    if (left == 3 && (memcmp(scan->at, "UTC", 3) == 0 || memcmp(scan->at, "GMT", 3) == 0)) {
        scan->at += 3;
        return true;
    }
    bool west = take_char(scan, '-');
    if (!west && !take_char(scan, '+'))
        return false;
    int hour, minute = 0;
    if (!take_digits(scan, 2, &hour))
        return false;
    bool colon = take_char(scan, ':');
    if (scan->at != scan->end || colon) {
        if (!take_digits(scan, 2, &minute))
            return false;
    }
    if (hour > 23 || minute > 59)
        return false;
    *ms = (hour * 60 + minute) * 60000LL;
    if (west)
        *ms = -*ms;
    return true;
}

static bool in_range(int64_t ms)
{
    return ms >= 0 && ms <= TIME_MAX_MS;
}

bool shoal_time_parse(const char *text, size_t size, int64_t *time_ms)
{
    double number;
    if (shoal_number_parse(text, size, &number))
        return shoal_time_from_number(number, time_ms);
    struct scan scan = {text, text + size};
    int64_t days, clock_ms = 0, offset_ms = 0;
    if (!take_date(&scan, &days))
        return false;
    if (scan.at != scan.end) {
        if (!take_char(&scan, 'T') && !take_char(&scan, ' ') && !take_char(&scan, 't'))
            return false;
        if (!take_clock(&scan, &clock_ms) || !take_offset(&scan, &offset_ms))
            return false;
    }
    int64_t ms = days * DAY_MS + clock_ms - offset_ms;
    if (scan.at != scan.end || !in_range(ms))
        return false;
    *time_ms = ms;
    return true;
}

bool shoal_time_from_number(double number, int64_t *time_ms)
{
    if (!(number >= 0) || number > (double)TIME_MAX_MS) /* NaN fails the first */
        return false;
    /* A double holds seconds with six decimals exactly enough: the nearest ms is the one meant. */
    int64_t ms = number < 1e11 ? (int64_t)floor(number * 1000 + 0.5) : (int64_t)number;
    if (!in_range(ms))
        return false;
    *time_ms = ms;
    return true;
}

static void put_digits(char *text, int count, int64_t number)
{
    while (count--) {
        text[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

void shoal_time_print(int64_t time_ms, char text[25])
{
    if (time_ms < 0)
        time_ms = 0;
    if (time_ms > TIME_MAX_MS)
        time_ms = TIME_MAX_MS;
    int64_t days = time_ms / DAY_MS + 719468, ms = time_ms % DAY_MS;
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    memcpy(text, "0000-00-00T00:00:00.000Z", 25);
    put_digits(text, 4, year_of_era + era * 400 + (month <= 2));
    put_digits(text + 5, 2, month);
    put_digits(text + 8, 2, day);
    put_digits(text + 11, 2, ms / 3600000);
    put_digits(text + 14, 2, ms / 60000 % 60);
    put_digits(text + 17, 2, ms / 1000 % 60);
    put_digits(text + 20, 3, ms % 1000);
}
