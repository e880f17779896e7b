/* SPDX-License-Identifier: Apache-2.0 */
/* A table's columns as inputs of the uplift learners.
 *
 * A column of numbers is one input, as log(1 + x) if it is never negative and skewed to the right, with the mean
 * in place of what is missing and a second input that says so if anything was. A column of a few texts is an
 * input a text. Each is standardised by the training rows. Left out, with the reason: columns of many texts,
 * constant ones, and what can only be known afterwards: a column that is 0 wherever the outcome is 0 (spend),
 * or never 0 where the outcome is 1 and mostly 0 elsewhere (a visit that precedes every purchase). */
#ifndef SHOAL_LEARN_UPLIFT_COLUMNS_H
#define SHOAL_LEARN_UPLIFT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHOAL_COLUMN_NAME = 64, SHOAL_COLUMN_LEVELS = 24 };

enum shoal_input_kind { SHOAL_INPUT_NUMBER, SHOAL_INPUT_LOG, SHOAL_INPUT_MISSING, SHOAL_INPUT_LEVEL };

/* One input. */
struct shoal_input_column {
    char column[SHOAL_COLUMN_NAME]; /* name of the table's column */
    enum shoal_input_kind kind;
    char level[SHOAL_COLUMN_NAME];  /* LEVEL: the text that makes it 1 */
    double fill;                    /* NUMBER, LOG: in place of a missing number */
    double mean, deviation;         /* input = (value − mean)/deviation */
};

/* Where cells come from: text(table, row, column), zero-terminated. Rows are those used, 0 … rows − 1. */
struct shoal_cells {
    const void *table;
    const char *(*text)(const void *table, size_t row, size_t column);
    size_t rows;
};

/* Why a column is no input; static text, NULL: it is one. */
typedef void shoal_column_left(void *context, const char *name, const char *why);

/* Appends the inputs of a column to inputs[*count], of which there may be `most`; `left` is told instead of a
 * column that is none. Empty cells and "NA", "nan", "null" are missing. */
void shoal_columns_describe(const struct shoal_cells *cells, size_t column, const char *name,
                            const int8_t *outcome, struct shoal_input_column *inputs, size_t most,
                            size_t *count, shoal_column_left *left, void *context);
/* The value of an input for a cell of its column; a text that was never seen is none of the levels, one that is
 * no number is missing. */
double shoal_columns_value(const struct shoal_input_column *input, const char *cell);
/* The number in a cell; false if it is missing or none. */
bool shoal_columns_number(const char *cell, double *number);

#endif
