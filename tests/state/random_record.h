/* SPDX-License-Identifier: Apache-2.0 */
/* Records made up from a seed, for tests and benchmarks. The same seed gives the same record. */
#ifndef SHOAL_TESTS_RANDOM_RECORD_H
#define SHOAL_TESTS_RANDOM_RECORD_H

#include "state/record.h"

/* splitmix64 */
uint64_t test_random(uint64_t *seed);

/* Any record that is allowed: every field over its whole range, sizes from empty to full. h and c
 * are halves if `precision` says so. `record` is initialised. */
void test_random_record(struct shoal_record *record, uint64_t *seed,
                        enum shoal_precision precision);
/* A record as shoppers have them: a full ring of 16 over some days in sessions, mostly views, two
 * standings, no grants. */
void test_usual_record(struct shoal_record *record, uint64_t *seed);
/* Are all fields the same, bit for bit? */
bool test_same_record(const struct shoal_record *a, const struct shoal_record *b);

#endif
