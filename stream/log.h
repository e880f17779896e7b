/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error: one structured line a fact, at the edges only.
 *
 *   text  2025-03-03T12:00:00.123Z info worker=0 partition 3: reading from offset 17 partition=3 offset=17
 *   json  {"time":"…","level":"info","worker":0,"partition":3,"offset":17,"text":"partition 3: …"}
 *
 * A line is a sentence for people, and where a machine is to look for it, fields. Their names are those of
 * deploy/formats.md, the same in every line. No secret is ever put in either.
 *
 * A `struct shoal_log` is read-only once made and may be shared by threads; a line is one write. */
#ifndef SHOAL_LOG_H
#define SHOAL_LOG_H

#include <stdbool.h>
#include <stddef.h>
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
enum shoal_log_kind { SHOAL_LOG_INT, SHOAL_LOG_REAL, SHOAL_LOG_TEXT };

struct shoal_log_field {
    const char *name; /* snake_case, a literal */
    enum shoal_log_kind kind;
    int64_t number;
    double real;
    const char *text; /* NULL is written as an empty text */
};

#define SHOAL_FIELD(name_, value_)                                                                 \
    {.name = name_, .kind = SHOAL_LOG_INT, .number = (int64_t)(value_)}
#define SHOAL_FIELD_REAL(name_, value_) {.name = name_, .kind = SHOAL_LOG_REAL, .real = (value_)}
#define SHOAL_FIELD_TEXT(name_, value_) {.name = name_, .kind = SHOAL_LOG_TEXT, .text = (value_)}

/* The same with fields. A line that would be too long loses its last fields, never its form. */
void shoal_log_fields(const struct shoal_log *log, enum shoal_log_level level,
                      const struct shoal_log_field *fields, size_t count, const char *format, ...)
    SHOAL_PRINTF(5, 6);
/* From the words of the configuration: debug, info, warning, error. */
enum shoal_log_level shoal_log_level_of(const char *name);

/* Says something at most once a minute, however often it happens. Zero-initialised. */
struct shoal_nag {
    int64_t said_ms;  /* monotonic; 0 = never */
    unsigned skipped;
};
bool shoal_nag_due(struct shoal_nag *nag);

#endif
