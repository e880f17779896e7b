/* SPDX-License-Identifier: Apache-2.0 */
/* The groups that figures are told by: row 0 is everyone, each other row one level of one dimension, in the
 * order in which a page shows them. */
#ifndef SHOAL_REPORT_ROWS_H
#define SHOAL_REPORT_ROWS_H

#include "tools/report_changes.h"

struct shoal_report_row {
    uint16_t dimension, level; /* SHOAL_NAME_NONE: everyone */
};

struct shoal_report_rows {
    struct shoal_report_row *rows; /* owned */
    size_t count;
    uint16_t *index; /* owned; [dimension][level] → row, SHOAL_NAME_NONE: there is none */
    size_t levels_count;
};

void shoal_report_rows_finish(struct shoal_report_rows *rows);
/* Each level that an offer or a change names; with `by` not SHOAL_NAME_NONE those of this dimension only. Levels
 * that Shoal knows stand in their own order (cold, warm, hot), others by name with numbers as numbers (c2
 * before c10). NOMEM. */
enum shoal_status shoal_report_rows_make(const struct shoal_report_names *names,
                                         const struct shoal_offers *offers,
                                         const struct shoal_changes *changes, uint16_t by,
                                         struct shoal_report_rows *rows) SHOAL_MUST_CHECK;
/* SHOAL_NAME_NONE if there is none. */
uint16_t shoal_report_row_of(const struct shoal_report_rows *rows, uint16_t dimension,
                             uint16_t level);

#endif
