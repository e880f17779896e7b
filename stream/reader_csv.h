/* SPDX-License-Identifier: Apache-2.0 */
/* CSV rows as JSON events. Internal to the reader. */
#ifndef SHOAL_READER_CSV_H
#define SHOAL_READER_CSV_H

#include <stdbool.h>

#include "model/base/pack.h"
#include "model/base/status.h"

enum { SHOAL_CSV_COLUMNS_MAX = 64 };

enum shoal_csv_field {
    SHOAL_CSV_USER,
    SHOAL_CSV_ITEM,
    SHOAL_CSV_CATEGORY,
    SHOAL_CSV_BEHAVIOR,
    SHOAL_CSV_TIMESTAMP,
    SHOAL_CSV_PRICE,
    SHOAL_CSV_QUANTITY,
    SHOAL_CSV_EVENT_ID,
    SHOAL_CSV_PROMOTION_ID,
    SHOAL_CSV_EXPOSURE,
    SHOAL_CSV_CONSENT_MARKETING,
    SHOAL_CSV_CONSENT_PERSONALIZATION,
    SHOAL_CSV_CONSENT_PROCESSING,
    SHOAL_CSV_FIELD_COUNT,
};

struct shoal_csv_cell {
    const char *text; /* in the line, or in the row's own memory if it had doubled quotes */
    size_t size;
};

/* One row taken apart, and which column holds what. */
struct shoal_csv {
    int columns_count;                    /* 0 = not known yet */
    int column_of[SHOAL_CSV_FIELD_COUNT]; /* −1 = no such column */
    struct shoal_buffer unquoted;
    struct shoal_csv_cell cells[SHOAL_CSV_COLUMNS_MAX];
};

void shoal_csv_init(struct shoal_csv *csv);
void shoal_csv_finish(struct shoal_csv *csv);

/* Looks at the first line of a file. OK with *is_header true: it named the columns and is no event;
 * OK with false: it is none. CONFIG: it names columns, but not all that are needed. */
enum shoal_status shoal_csv_header(struct shoal_csv *csv, const char *line, size_t size,
                                   bool *is_header, struct shoal_message *message) SHOAL_MUST_CHECK;
/* Appends the row's JSON to `json`; *user is its user id, inside the line or `csv`. False if the
 * line is no row of the expected shape. Without a header the shape is found from the first row that
 * has one. Out of memory shows in json->failed. */
bool shoal_csv_row(struct shoal_csv *csv, const char *line, size_t size, struct shoal_buffer *json,
                   struct shoal_csv_cell *user);

#endif
