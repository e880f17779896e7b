/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks for measuring and for back-off. Nothing that reaches a state or an output may use them:
 * a replay must come to the same result. */
#ifndef SHOAL_BASE_CLOCK_H
#define SHOAL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock that never goes back. */
static inline int64_t shoal_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t shoal_clock_ms(void)
{
    return shoal_clock_ns() / 1000000;
}

/* Milliseconds since 1970 (wall clock). */
static inline int64_t shoal_clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
