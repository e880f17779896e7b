/* SPDX-License-Identifier: Apache-2.0 */
/* One session of a worker: from joining the group to the first failure or the request to stop. */
#ifndef SHOAL_SESSION_H
#define SHOAL_SESSION_H

#include "stream/worker.h"

/* OK: asked to stop, everything committed. *worked: at least one commit succeeded. Other statuses by
 * their class, with the reason. What it did is in options->telemetry after each commit. */
enum shoal_status shoal_session_run(const struct shoal_worker_options *options, bool *worked,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

/* The worker comes around; see shoal_worker_turns. */
static inline void session_turn(const struct shoal_worker_options *options)
{
    atomic_fetch_add_explicit(options->turns, 1, memory_order_relaxed);
}

#endif
