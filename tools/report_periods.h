/* SPDX-License-Identifier: Apache-2.0 */
/* What users did in each day or week (weeks from Monday), everyone and by segment. A day begins at midnight of
 * a clock that runs ahead of UTC by a fixed offset.
 *
 * A user belongs in a period to the levels that hold right after the period's first event: not to those that
 * the period's own purchases lead to. */
#ifndef SHOAL_REPORT_PERIODS_H
#define SHOAL_REPORT_PERIODS_H

#include "tools/report_rows.h"

enum { SHOAL_PERIODS_MAX = 4000 };

struct shoal_period_cell {
    uint64_t active;    /* users with an event */
    uint64_t retained;  /* of them, with an event in the next period too */
    uint64_t buyers;    /* users with a purchase */
    uint64_t repeaters; /* buyers with purchases on two days or more, up to the period's end */
    uint64_t purchases; /* buy events */
    uint64_t carts, abandoned; /* carts: a cart event and those in the 24 h after it; without a purchase in them */
    double sales;       /* Σ price × quantity of purchases; those without a price count as 0 */
    int64_t size;       /* users who stand at this level when the period ends; row 0: with any change */
};

struct shoal_periods {
    int64_t first_ms, length_ms, offset_ms, data_first_ms, data_last_ms;
    size_t count, rows_count;
    struct shoal_period_cell *cells; /* owned; [period][row] */
    uint64_t *transitions;           /* owned; [row from][row to] of the same dimension; row 0: no level */
    uint64_t outside;                /* segment changes beyond the events; they count at the nearest end */
};

void shoal_periods_finish(struct shoal_periods *periods);
/* The data set is grouped and not empty. Finished by the caller, also after a failure. NOMEM; INVALID for more
 * than SHOAL_PERIODS_MAX periods. */
enum shoal_status shoal_periods_make(const struct shoal_dataset *dataset,
                                     const struct shoal_changes *changes,
                                     const struct shoal_report_rows *rows, int64_t length_ms,
                                     int64_t offset_ms, struct shoal_periods *periods,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;

/* When a period begins; that of `count` is the end of the last one. */
int64_t shoal_period_start(const struct shoal_periods *periods, size_t period);
/* The date of its first day by the clock with the offset: "2025-03-10". */
void shoal_period_date(const struct shoal_periods *periods, size_t period, char date[11]);
/* Whether the events reach over all of it, but for a twentieth at either end. */
bool shoal_period_is_whole(const struct shoal_periods *periods, size_t period);
const struct shoal_period_cell *shoal_period_cell(const struct shoal_periods *periods,
                                                  size_t period, size_t row);

#endif
