/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of data that are no events (purchases, results of a test), in memory as a whole: CSV with a header
 * (RFC 4180: quotes, doubled quotes, line breaks within quotes), or words between blanks without a header;
 * plain, gzip or zstd.
 *
 * Every refusal begins with "FILE:LINE: " and says what to do. Rows and columns count from 0, lines from 1. */
#ifndef SHOAL_TABLE_H
#define SHOAL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_table;

enum shoal_table_form {
    SHOAL_TABLE_ANY,   /* WORDS if the first line has no comma and all its words are numbers, else CSV */
    SHOAL_TABLE_CSV,   /* the first line names the columns */
    SHOAL_TABLE_WORDS, /* columns have no names */
};

/* Reads all of it; "-" is standard input. *table is the caller's (shoal_table_close), NULL after a failure.
 * NOT_FOUND, IO, NOMEM; DAMAGED: an empty file, a header that names a column twice, a row with another number
 * of cells, quotes that do not close, no text, more than 2 GiB. */
enum shoal_status shoal_table_open(const char *path, enum shoal_table_form form, struct shoal_table **table,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_table_close(struct shoal_table *table);

size_t shoal_table_rows(const struct shoal_table *table); /* without the header */
size_t shoal_table_columns(const struct shoal_table *table);
/* As it was found: CSV or WORDS. */
enum shoal_table_form shoal_table_form(const struct shoal_table *table);
/* The name of a column, "" in WORDS; lives as long as the table, like all that is returned below. */
const char *shoal_table_name(const struct shoal_table *table, size_t column);

/* The column of this name, in any case. NOT_FOUND without one: the message has the nearest name and lists those
 * that there are. */
enum shoal_status shoal_table_column_of(const struct shoal_table *table, const char *name, size_t *column,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;

/* A cell as text, zero-terminated, without its quotes; "" where it is empty. */
const char *shoal_table_text(const struct shoal_table *table, size_t row, size_t column);
/* A finite number, blanks around it allowed. DAMAGED. */
enum shoal_status shoal_table_number(const struct shoal_table *table, size_t row, size_t column, double *number,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* A time by shoal_time_parse, or a date of eight digits (YYYYMMDD), to ms since 1970, UTC. DAMAGED. */
enum shoal_status shoal_table_time(const struct shoal_table *table, size_t row, size_t column, int64_t *time_ms,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* Refuses a cell: "FILE:LINE: column 'NAME': 'CELL' WHAT". Returns DAMAGED. */
enum shoal_status shoal_table_refuse(const struct shoal_table *table, size_t row, size_t column, const char *what,
                                     struct shoal_message *message);
/* The line of the file on which a row begins, and the file's path, for messages. */
size_t shoal_table_line(const struct shoal_table *table, size_t row);
const char *shoal_table_path(const struct shoal_table *table);

#endif
