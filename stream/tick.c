/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that tell the time; see tick.h. */
#include "stream/tick.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/record.h"

static const char HEAD[] = "{\"shoal_tick\":";

size_t shoal_tick_print(int64_t time_ms, char text[SHOAL_TICK_BYTES])
{
    return (size_t)snprintf(text, SHOAL_TICK_BYTES, "%s%" PRId64 "}", HEAD, time_ms);
}

bool shoal_tick_parse(const void *value, size_t size, int64_t *time_ms)
{
    const char *text = value;
    char again[SHOAL_TICK_BYTES];
    size_t head = sizeof HEAD - 1;
    if (size <= head || size >= SHOAL_TICK_BYTES || memcmp(text, HEAD, head) != 0)
        return false;
    *time_ms = 0;
    for (size_t i = head; i + 1 < size; i++) {
        if (text[i] < '0' || text[i] > '9' || *time_ms > SHOAL_TIME_MAX_MS)
            return false;
        *time_ms = *time_ms * 10 + (text[i] - '0');
    }
    return *time_ms <= SHOAL_TIME_MAX_MS && shoal_tick_print(*time_ms, again) == size &&
           memcmp(again, text, size) == 0;
}
