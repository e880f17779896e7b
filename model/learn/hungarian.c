/* SPDX-License-Identifier: Apache-2.0 */
/* The assignment problem; see hungarian.h. Rows come one after another; each finds the cheapest path that
 * ends in a free column, by Dijkstra over costs reduced by the potentials of both sides. The matrix is filled
 * up to a square with gains of zero. */
#include "model/learn/hungarian.h"

#include <math.h>
#include <stdbool.h>

enum { NONE = SHOAL_HUNGARIAN_MAX }; /* a column that no row has, and the column paths begin at */

struct search {
    const double *gains;
    size_t rows, columns, size;
    double row_potential[SHOAL_HUNGARIAN_MAX + 1], column_potential[SHOAL_HUNGARIAN_MAX + 1];
    size_t row_of[SHOAL_HUNGARIAN_MAX + 1]; /* of each column, or NONE */
};

static double cost(const struct search *search, size_t row, size_t column)
{
    return row < search->rows && column < search->columns
               ? -search->gains[row * search->columns + column]
               : 0;
}

static void place(struct search *search, size_t row)
{
    double least[SHOAL_HUNGARIAN_MAX + 1];
    size_t before[SHOAL_HUNGARIAN_MAX + 1], column = NONE;
    bool reached[SHOAL_HUNGARIAN_MAX + 1] = {false};
    search->row_of[NONE] = row;
    for (size_t j = 0; j < search->size; j++)
        least[j] = INFINITY;
    do {
        size_t from = search->row_of[column], next = NONE;
        double step = INFINITY;
        reached[column] = true;
        for (size_t j = 0; j < search->size; j++) {
            if (reached[j])
                continue;
            double reduced = cost(search, from, j) - search->row_potential[from] -
                             search->column_potential[j];
            if (reduced < least[j]) {
                least[j] = reduced;
                before[j] = column;
            }
            if (least[j] < step) {
                step = least[j];
                next = j;
            }
        }
        for (size_t j = 0; j <= NONE; j++) {
            if (j < search->size ? reached[j] : j == NONE) {
                search->row_potential[search->row_of[j]] += step;
                search->column_potential[j] -= step;
            } else if (j < search->size) {
                least[j] -= step;
            }
        }
        column = next;
    } while (search->row_of[column] != NONE);
    while (column != NONE) {
        search->row_of[column] = search->row_of[before[column]];
        column = before[column];
    }
}

void shoal_hungarian(const double *gains, size_t rows, size_t columns, int *column_of)
{
    struct search search = {
        .gains = gains, .rows = rows, .columns = columns, .size = rows > columns ? rows : columns};
    for (size_t j = 0; j <= NONE; j++)
        search.row_of[j] = NONE;
    for (size_t row = 0; row < search.size; row++)
        place(&search, row);
    for (size_t row = 0; row < rows; row++)
        column_of[row] = SHOAL_HUNGARIAN_NONE;
    for (size_t j = 0; j < columns; j++)
        if (search.row_of[j] < rows)
            column_of[search.row_of[j]] = (int)j;
}
