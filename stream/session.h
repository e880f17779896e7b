/* SPDX-License-Identifier: Apache-2.0 */
/* One session of a worker: from joining the group to the first failure or the request to stop. */
#ifndef SHOAL_SESSION_H
#define SHOAL_SESSION_H

#include "stream/worker.h"

struct shoal_session_hooks {
    void (*publish)(void *opaque, const struct shoal_pipeline_counts *before,
                    const struct shoal_pipeline_counts *session);
    void *opaque;
};

/* OK: asked to stop, everything committed. *worked: at least one commit succeeded. Other statuses by
 * their class, with the reason. */
enum shoal_status shoal_session_run(const struct shoal_worker_options *options,
                                    const struct shoal_pipeline_counts *before,
                                    const struct shoal_session_hooks *hooks, bool *worked,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
