/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping probabilities honest while the base rate moves: a bounded correction of the logit, learnt from
 * outcomes as they arrive in the stream.
 *
 *   p = σ(calibrated logit + delta)
 *
 * Every event is a sample: the uncorrected p that its user had after it, and whether the user buys in the
 * 24 hours that follow. Samples are kept by the hour of their event. An hour is closed when 24 hours have
 * passed since; the closed hours of the last day say
 *
 *   delta = logit((Y + m·p̄)/(n + m)) − logit(p̄),   within ±SHOAL_CORRECTION_MAX
 *
 * with n samples, Y of them positive, p̄ the mean of their uncorrected p, and m samples' worth of doubt
 * (SHOAL_CORRECTION_DOUBT): little data moves little. Events that taught the model are no samples: what it
 * says of them is better than what it will say of others. Its training knew outcomes until
 * `known_until_ms`, so events count from 24 hours before that.
 *
 *   hours   |  closed, count for delta  |   outcomes still come in   | now
 *           now−48                   now−25                        now−1
 *
 * Exactly once and reproducible: all sums are integers, so the order of users within an hour does not
 * matter; delta changes only at the first event of a new hour of its partition, and what an event
 * adds depends on that event and its user's earlier ones alone. So the state is a function of the
 * partition's log, like a user's.
 *
 * What remains of a user is how many of its events of each of the last 25 hours have no purchase after
 * them yet: a nibble each, thirteen bytes. More than fifteen in an hour are not sampled. An event and a
 * purchase 24 hours apart by the clock's hours are within 24 hours in half of the cases: they count
 * half. */
#ifndef SHOAL_CORRECTION_H
#define SHOAL_CORRECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "model/touch.h"

enum {
    SHOAL_CORRECTION_HORIZON = 24, /* hours until an outcome is known */
    SHOAL_CORRECTION_WINDOW = 24,  /* closed hours that count */
    SHOAL_CORRECTION_HOURS = SHOAL_CORRECTION_HORIZON + SHOAL_CORRECTION_WINDOW + 1,
    SHOAL_PENDING_BYTES = 13, /* 25 nibbles */
};

#define SHOAL_CORRECTION_MAX 1.0f
#define SHOAL_CORRECTION_DOUBT 2000

struct shoal_correction_hour {
    uint32_t samples;
    uint32_t positives_twice; /* 2 for each positive sample, 1 for one of which half counts */
    uint64_t predicted;       /* Σ uncorrected p, in units of 2^−24 */
};

/* Of one partition, under one model. */
struct shoal_correction {
    uint64_t model;  /* id; samples of another model say nothing */
    int64_t from;    /* hour of the first event that counts, hours since 1970 */
    int64_t hour;    /* of the newest event; −1: none yet */
    float delta;     /* in force since that hour began */
    struct shoal_correction_hour hours[SHOAL_CORRECTION_HOURS]; /* hour h in element h mod HOURS */
};

/* Of one user: nibble i (low one first) counts the events of the i-th hour before the last event's. */
struct shoal_pending {
    uint8_t nibbles[SHOAL_PENDING_BYTES];
};

void shoal_correction_init(struct shoal_correction *correction, uint64_t model,
                           int64_t known_until_ms);
/* True if an event of this time begins a new hour: everything before it in the log must have been
 * counted, and turn be called, before it is scored. */
bool shoal_correction_due(const struct shoal_correction *correction, int64_t time_ms);
/* Begins the hour of `time_ms` (later than the current one): sets delta, forgets the hours behind. */
void shoal_correction_turn(struct shoal_correction *correction, int64_t time_ms);
/* What the closed hours that count say. */
struct shoal_correction_sums {
    uint64_t samples;
    double predicted; /* Σ uncorrected p */
    double positives; /* how many turned out to be positive */
};
struct shoal_correction_sums shoal_correction_sums(const struct shoal_correction *correction);
/* Counts an event. previous_ms: the user's last event before it (the same as time_ms for the first);
 * uncorrected: the user's p after this event. */
void shoal_correction_count(struct shoal_correction *correction, struct shoal_pending *pending,
                            int64_t previous_ms, int64_t time_ms, enum shoal_behavior behavior,
                            float uncorrected);

/* Bytes: a MessagePack array [1, model, from, hour, delta, [samples, positives_twice, predicted …]] with
 * the hours as they lie in memory. */
void shoal_correction_encode(const struct shoal_correction *correction, struct shoal_buffer *out);
/* VERSION or DAMAGED. */
enum shoal_status shoal_correction_decode(const void *bytes, size_t size,
                                          struct shoal_correction *correction) SHOAL_MUST_CHECK;

#endif
