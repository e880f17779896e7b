/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery table; see recovery.h. */
#include "stream/recovery.h"

#include <inttypes.h>

/* s > k with exactly once: nobody but an operator (or expired offsets) can have done this. */
static enum shoal_status offsets_moved(const struct shoal_recovery_input *in,
                                       struct shoal_recovery *plan, struct shoal_message *message)
{
    int64_t k = in->committed < 0 ? in->low : in->committed;
    switch (in->when_moved) {
    case SHOAL_MOVED_FOLLOW_STATES:
        plan->start = in->saved;
        plan->suppress_until = in->saved;
        return SHOAL_OK;
    case SHOAL_MOVED_RESET_STATES:
        plan->reset = true;
        plan->start = in->low;
        plan->suppress_until = k;
        return SHOAL_OK;
    case SHOAL_MOVED_REFUSE:
        break;
    }
    return shoal_fail(message, SHOAL_OFFSETS_MOVED,
                      "partition %" PRId32 ": the group's offset is %" PRId64
                      ", but the states hold all events up to %" PRId64
                      ". Either set recovery.offsets_moved to follow_states (go on at %" PRId64
                      ") or to reset_states (rebuild the states from the log, then write outputs "
                      "again from %" PRId64 ")",
                      in->partition, in->committed, in->saved, in->saved, k);
}

/* Users who moved into the partition when the topic grew had their earlier events in others, and those who
 * left it had theirs here: replaying it from before the growth would build states of the wrong users. */
static enum shoal_status moved_states_lost(const struct shoal_recovery_input *in,
                                           struct shoal_recovery *plan,
                                           struct shoal_message *message)
{
    if (!in->continue_when_gone)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "partition %" PRId32 ": its states are lost, and at offset %" PRId64
                          " the topic had grown: users came from other partitions. Delete what is left of "
                          "the states, then shoal run --drain builds them as they lay before and shoal "
                          "repartition moves them; or set recovery.events_gone to continue to begin at "
                          "offset %" PRId64 " with users as if never seen",
                          in->partition, in->grown_at, in->grown_at);
    if (plan->start < in->grown_at) {
        plan->gone = in->grown_at - plan->start;
        plan->start = in->grown_at;
    }
    return SHOAL_OK;
}

/* Some of what was saved up to s is missing. The states cannot be trusted, but may be all there is. */
static enum shoal_status states_damaged(const struct shoal_recovery_input *in,
                                        struct shoal_recovery *plan, struct shoal_message *message)
{
    if (in->low <= 0 && in->grown_at < 0) {
        int64_t written = in->saved > in->committed ? in->saved : in->committed;
        *plan = (struct shoal_recovery){.start = 0, .suppress_until = written, .reset = true};
        return SHOAL_OK;
    }
    if (in->continue_when_gone)
        return SHOAL_OK;
    return shoal_fail(message, SHOAL_EVENTS_GONE,
                      "partition %" PRId32 ": a part of its states is gone, and the log from offset %" PRId64
                      " on cannot build them anew. Set recovery.events_gone to continue to go on with those "
                      "that are left, the other users as if never seen",
                      in->partition, in->grown_at > in->low ? in->grown_at : in->low);
}

enum shoal_status shoal_recovery_plan(const struct shoal_recovery_input *in,
                                      struct shoal_recovery *plan, struct shoal_message *message)
{
    *plan = (struct shoal_recovery){.start = in->saved, .suppress_until = in->committed};
    plan->reset = in->saved < 0 && in->damaged; /* what is left without a checkpoint */
    if (in->saved < 0)
        plan->start = in->committed < 0 ? in->low : 0;
    else if (in->exactly_once && in->saved > in->committed) {
        /* Offsets that were never committed and a log that begins at s: nothing has moved. */
        if (in->committed < 0 && in->saved <= in->low)
            plan->suppress_until = in->low;
        else {
            enum shoal_status status = offsets_moved(in, plan, message);
            if (status != SHOAL_OK)
                return status;
        }
    }
    if (in->grown_at >= 0 && (in->saved < in->grown_at || plan->reset)) {
        enum shoal_status status = moved_states_lost(in, plan, message);
        if (status != SHOAL_OK)
            return status;
    }
    if (in->damaged && !plan->reset) {
        enum shoal_status status = states_damaged(in, plan, message);
        if (status != SHOAL_OK)
            return status;
    }
    if (plan->start >= in->low)
        return SHOAL_OK;
    plan->gone += in->low - plan->start;
    if (!in->continue_when_gone)
        return shoal_fail(message, SHOAL_EVENTS_GONE,
                          "partition %" PRId32 ": recovery needs the events from offset %" PRId64
                          ", but the log begins at %" PRId64 ": %" PRId64
                          " events are past retention. Set recovery.events_gone to continue to go "
                          "on without them",
                          in->partition, plan->start, in->low, plan->gone);
    plan->start = in->low;
    return SHOAL_OK;
}
