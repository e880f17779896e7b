/* SPDX-License-Identifier: Apache-2.0 */
/* A message of our own in the events topic that tells a partition the time, so that its timers fall due
 * although no event comes:
 *
 *   {"shoal_tick":1512000000000}      ms since 1970, no key
 *
 * It stands in the log like an event, and therefore a recovery and a replay do at it what was done before.
 * Written by whoever owns the partition, only while a timer is due (timers.idle in config.h). */
#ifndef SHOAL_TICK_H
#define SHOAL_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHOAL_TICK_BYTES = 48 };

/* False for anything that print would not have written. */
bool shoal_tick_parse(const void *value, size_t size, int64_t *time_ms);
/* Returns the length. */
size_t shoal_tick_print(int64_t time_ms, char text[SHOAL_TICK_BYTES]);

#endif
