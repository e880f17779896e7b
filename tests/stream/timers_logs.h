/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that span weeks, made up, for tests of what happens because nothing happens. */
#ifndef TEST_TIMERS_LOGS_H
#define TEST_TIMERS_LOGS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/pipeline_internal.h"
#include "stream/tick.h"
#include "tests/state/spying_store.h"
#include "tests/stream/pipeline_fixture.h"

enum { GROUPS = 6, GROUP_USERS = 12, USERS = GROUPS * GROUP_USERS, WEEKS_MESSAGES = 4000 };

static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;
static const int64_t START = INT64_C(1511654400000); /* midnight UTC */

static inline void add_tick(struct log *log, int32_t partition, int64_t time_ms)
{
    char *text = log_next(log)->value;
    log_append(log, (int)shoal_tick_print(time_ms, text), 0, partition);
}

/* Two months in which groups of users take turns, so that most are silent for days or weeks, with nights,
 * days on which nobody comes, late events by hours and days, clocks that are days ahead, repeats, dead
 * letters, and messages that tell the time. */
static inline struct log *make_weeks(uint64_t seed, bool online)
{
    static const char *const behaviors[] = {"pv", "pv", "pv", "pv", "cart", "fav", "buy", "cart"};
    struct log *log = log_create(WEEKS_MESSAGES);
    uint64_t state = seed * 77 + 1;
    int64_t time_ms = START + HOUR + 345;
    log->online = online;
    for (int i = 0; i < WEEKS_MESSAGES; i++) {
        uint64_t r = next_random(&state), q = next_random(&state);
        unsigned kind = (unsigned)(r % 100);
        if (kind < 80)
            time_ms += (int64_t)(q % 240000);
        else if (kind < 98)
            time_ms += (int64_t)(q % 50) * MIN;
        else if (kind == 98)
            time_ms += HOUR + (int64_t)(q % 9) * HOUR;
        else if (q % 4 == 0)
            time_ms += (int64_t)(1 + q / 8 % 6) * DAY;
        if (r / 128 % 23 == 0) {
            add_tick(log, (int32_t)(q / 64 % PARTITIONS), time_ms + (q / 512 % 3 == 0) * HOUR);
            continue;
        }
        unsigned group = (unsigned)(i / 160) + (r / 4096 % 25 == 0) * (unsigned)(q / 4096 % GROUPS);
        unsigned user = group % GROUPS * GROUP_USERS + (unsigned)(r / 65536 % GROUP_USERS);
        int64_t event_ms = time_ms;
        if (r / 1048576 % 31 == 0)
            event_ms -= HOUR;
        else if (r / 1048576 % 47 == 0)
            event_ms -= (int64_t)(q / 65536 % 5) * DAY;
        else if (r / 1048576 % 89 == 0)
            event_ms += 3 * DAY;
        log_event(log, user, event_ms, behaviors[q / 1048576 % 8],
                  i - (r / 67108864 % 31 == 0 ? 3 : 0), r / 67108864 % 61 == 0 ? "" : "}");
    }
    return log;
}

#endif
