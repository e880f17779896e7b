/* SPDX-License-Identifier: Apache-2.0 */
/* Lays users' sequences one after another into B streams, so that a batch is full from the first
 * step to nearly the last, whatever the lengths.
 *
 * Which user is where depends on the order given and on the lengths only: the same run again puts
 * the same events into the same cells. */
#ifndef SHOAL_LEARN_STREAMS_H
#define SHOAL_LEARN_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_stream {
    size_t next, end; /* the next event of the current user, and behind its last */
};

struct shoal_streams {
    const size_t *first;   /* per user: its first event (not owned) */
    const size_t *lengths; /* per user: events to go through (not owned) */
    const uint32_t *order; /* users (not owned) */
    size_t users_count, users_taken;
    struct shoal_stream *streams; /* owned; B */
    size_t batch;
};

/* `first`, `lengths` and `order` (users_count each) must outlive it. NOMEM. */
enum shoal_status shoal_streams_init(struct shoal_streams *streams, size_t batch,
                                     const size_t *first, const size_t *lengths,
                                     const uint32_t *order, size_t users_count) SHOAL_MUST_CHECK;
void shoal_streams_finish(struct shoal_streams *streams);
/* The next event of stream b, *starts if a user begins with it; false when the stream has run dry. */
bool shoal_streams_next(struct shoal_streams *streams, size_t b, size_t *event, bool *starts);
/* Whether any stream has an event left. */
bool shoal_streams_left(const struct shoal_streams *streams);

#endif
