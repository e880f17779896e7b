/* SPDX-License-Identifier: Apache-2.0 */
/* The segment changes of a file, by user and in order of time, and from them who stood where when. */
#ifndef SHOAL_REPORT_CHANGES_H
#define SHOAL_REPORT_CHANGES_H

#include "tools/report_offers.h"

struct shoal_segment_change {
    int64_t time_ms;
    uint32_t user;            /* of the data set */
    uint32_t order;           /* in the file */
    uint16_t dimension;
    uint16_t from, to;        /* levels; SHOAL_NAME_NONE: none */
};

struct shoal_changes {
    struct shoal_segment_change *changes; /* owned; by user, then time, then order */
    size_t count, capacity;
    size_t *first; /* owned; users_count + 1 entries */
    struct shoal_lines lines;
    uint64_t strangers, repeated, broken; /* broken: `from` is not where the user stood before */
};

void shoal_changes_finish(struct shoal_changes *changes);
/* `changes` is zeroed, and finished by the caller also after a failure. Repeats of one change (a topic that is
 * written at least once) are left out. What shoal_lines_each fails with; BAD_FIELD. */
enum shoal_status shoal_changes_read(const char *files, const struct shoal_dataset *dataset,
                                     struct shoal_report_names *names,
                                     struct shoal_changes *changes,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;

/* Where one user stands in every dimension, moved on in time. */
struct shoal_standings {
    const struct shoal_changes *changes;
    size_t next, end;
    uint16_t levels[SHOAL_REPORT_DIMENSIONS];
};

/* Before the user's first change: no level in any dimension. */
void shoal_standings_begin(const struct shoal_changes *changes, uint32_t user,
                           struct shoal_standings *standings);
/* Applies what has changed up to and including `time_ms`. */
void shoal_standings_advance(struct shoal_standings *standings, int64_t time_ms);

#endif
