/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error: one structured line a fact, at the edges only.
 *
 *   text  2025-03-03T12:00:00.123Z info worker=0 joined the group
 *   json  {"time":"…","level":"info","worker":0,"text":"joined the group"}
 *
 * A `struct shoal_log` is read-only once made and may be shared by threads; a line is one write. */
#ifndef SHOAL_LOG_H
#define SHOAL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/status.h"

enum shoal_log_level { SHOAL_DEBUG, SHOAL_INFO, SHOAL_WARNING, SHOAL_ERROR };

struct shoal_log {
    enum shoal_log_level level; /* least severe that is written */
    bool json;
    int worker;                 /* −1: not of a worker */
};

void shoal_log_write(const struct shoal_log *log, enum shoal_log_level level, const char *format,
                     ...) SHOAL_PRINTF(3, 4);
/* From the words of the configuration: debug, info, warning, error. */
enum shoal_log_level shoal_log_level_of(const char *name);

/* Says something at most once a minute, however often it happens. Zero-initialised. */
struct shoal_nag {
    int64_t said_ms;  /* monotonic; 0 = never */
    unsigned skipped;
};
bool shoal_nag_due(struct shoal_nag *nag);

#endif
