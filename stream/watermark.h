/* SPDX-License-Identifier: Apache-2.0 */
/* What time it is in a partition: the watermark, by which timers fall due.
 *
 * It follows the latest event time, and never goes back. An event that is further ahead than `jump` is not
 * believed by itself, since one clock that is wrong must not make everyone's timers fall due: the
 * watermark goes there (to the earliest of their times) when three users, or sixteen events, in a row say
 * so. Any event in between that is not ahead takes it back.
 *
 *   10:00  10:01  15:00!  10:01        the 15:00 is forgotten
 *   10:00  10:01  15:00!  15:01!  15:02! → 15:00
 *
 * Timers are looked at when the watermark enters another minute, a few with each message, until none is due.
 * All of this is a function of the partition's log. */
#ifndef SHOAL_WATERMARK_H
#define SHOAL_WATERMARK_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/pack.h"

enum { SHOAL_WITNESSES = 3, SHOAL_AHEAD_MAX = 16 };
#define SHOAL_TICK_MS INT64_C(60000)

struct shoal_watermark {
    int64_t time_ms;  /* −1: no event yet */
    int64_t ahead_ms; /* the earliest time of those in a row that are further ahead */
    uint32_t ahead;   /* how many there are */
    uint32_t witnesses_count; /* their different users */
    uint64_t witnesses[SHOAL_WITNESSES]; /* hashes of those */
    bool draining;    /* timers until the tick may still be due */
};

void shoal_watermark_init(struct shoal_watermark *watermark);
/* An event of the user with this hash. If the watermark enters another minute, it begins draining; who has
 * seen to all timers that are due ends that. */
void shoal_watermark_see(struct shoal_watermark *watermark, int64_t jump_ms, uint64_t user,
                         int64_t time_ms);
/* The same of a message of our own that tells the time, which is believed. */
void shoal_watermark_tell(struct shoal_watermark *watermark, int64_t time_ms);
/* Timers up to this time are due: the beginning of the watermark's minute. */
int64_t shoal_watermark_tick(const struct shoal_watermark *watermark);

/* A MessagePack array [time, draining, ahead_ms, ahead, witness …]. */
void shoal_watermark_pack(const struct shoal_watermark *watermark, struct shoal_buffer *out);
/* Fails the reader on anything else. */
void shoal_watermark_unpack(struct shoal_unpack *in, struct shoal_watermark *watermark);

#endif
