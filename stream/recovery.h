/* SPDX-License-Identifier: Apache-2.0 */
/* Where to start reading an assigned partition: a pure function of what the store and Kafka say
 * (the table of DESIGN §7). */
#ifndef SHOAL_RECOVERY_H
#define SHOAL_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"

enum shoal_when_moved { SHOAL_MOVED_REFUSE, SHOAL_MOVED_FOLLOW_STATES, SHOAL_MOVED_RESET_STATES };

struct shoal_recovery_input {
    int32_t partition;
    int64_t saved;      /* s: the checkpoint's next offset; −1 = none */
    int64_t committed;  /* k: the group's stable offset; −1 = none */
    int64_t low;        /* first offset that the log still has */
    int64_t grown_at;   /* events before it were applied to states of fewer partitions; −1 = none were */
    bool damaged;       /* a part of what was saved is missing, or something is there that was not saved */
    bool exactly_once;
    enum shoal_when_moved when_moved;
    bool continue_when_gone;
};

struct shoal_recovery {
    int64_t start;          /* read from here */
    int64_t suppress_until; /* outputs of events before this offset were written already */
    int64_t gone;           /* events that retention has taken and recovery would have needed */
    bool reset;             /* delete the partition's states first */
};

/* Damaged states are reset and rebuilt from the whole log; where it lacks events they are gone on with as they are, if
 * allowed.
 *
 * OFFSETS_MOVED, EVENTS_GONE, or PARTITIONS_CHANGED (the states that were moved when the topic grew are lost,
 * and this partition's log alone cannot build them), with the offsets and the ways out, when it may not go
 * on. */
enum shoal_status shoal_recovery_plan(const struct shoal_recovery_input *input,
                                      struct shoal_recovery *plan,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
