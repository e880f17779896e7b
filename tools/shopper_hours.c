/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/shopper_hours.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)

/* Share of a day's sessions that begin in each hour, in thousandths: the three rhythms, mixed
 * 40:45:15, give the hours of the Taobao set. */
static const uint8_t HOURS[3][24] = {
    {8,  3,  2,  1,  4,  10, 28, 46, 56, 64, 72, 68,
     62, 70, 66, 76, 72, 56, 48, 50, 48, 44, 30, 16}, /* by day */
    {22, 8,  4,  2,  4,  5,  10, 18, 24,  27,  32,  32,
     34, 42, 40, 48, 48, 43, 53, 80, 106, 130, 112, 76}, /* in the evening */
    {119, 61, 43, 11, 11, 5,  2,  3,  12, 15,  19,  16,
     19,  27, 24, 33, 31, 28, 40, 53, 74, 106, 124, 109}, /* at night */
};

static uint32_t hour_weight(const struct shoal_shopper *shopper, int64_t time_ms)
{
    return HOURS[shopper->rhythm][time_ms / HOUR_MS % 24];
}

/* Sessions an hour, expected at a time. Saturday and Sunday are a fifth busier. */
static int64_t session_rate_q16(const struct shoal_shopper *shopper, int64_t time_ms)
{
    int64_t weekday = (time_ms / DAY_MS + 4) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
    int64_t busy_percent = weekday == 0 || weekday == 6 ? 120 : 100;

    return (int64_t)shopper->sessions_per_day_q16 * hour_weight(shopper, time_ms) * busy_percent /
           100000;
}

int64_t shoal_shopper_arrival(struct shoal_shopper *shopper, int64_t from_ms, int64_t end_ms)
{
    int64_t left_q16 = shoal_random_exponential_q16(&shopper->random);
    int64_t time_ms = from_ms;

    while (time_ms < end_ms) {
        int64_t hour_end_ms = (time_ms / HOUR_MS + 1) * HOUR_MS;
        int64_t rate_q16 = session_rate_q16(shopper, time_ms);
        int64_t hazard_q16 = rate_q16 * (hour_end_ms - time_ms) / HOUR_MS;
        if (hazard_q16 > left_q16)
            return time_ms + left_q16 * HOUR_MS / rate_q16 + 1;
        left_q16 -= hazard_q16;
        time_ms = hour_end_ms;
    }
    return SHOAL_SHOPPER_GONE_MS;
}

int64_t shoal_shopper_awake(const struct shoal_shopper *shopper, int64_t time_ms)
{
    for (int hours = 0; hours < 12 && hour_weight(shopper, time_ms) < 25; hours++)
        time_ms += HOUR_MS;
    return time_ms;
}
