/* SPDX-License-Identifier: Apache-2.0 */
/* Figures made up for tests: two workers, three partitions, every family with a value. */
#ifndef SHOAL_TESTS_MADE_TELEMETRY_H
#define SHOAL_TESTS_MADE_TELEMETRY_H

#include "stream/telemetry.h"

/* As of this time. */
#define MADE_NOW_MS INT64_C(1735732800000)

/* A session of a worker that has applied `events` events by its last commit. */
struct shoal_meter made_meter(uint64_t events);
/* Partition `index`, `lag` messages behind. */
struct shoal_partition_standing made_standing(int32_t index, int64_t lag);
/* Both workers have published, and one HTTP request was answered; the caller destroys it. */
struct shoal_telemetry *made_telemetry(void);

#endif
