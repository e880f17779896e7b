/* SPDX-License-Identifier: Apache-2.0 */
/* Fifths of recency, frequency and value; see uplift_rfm.h. */
#include "model/learn/uplift_rfm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int shoal_rfm_of(const char *name)
{
    static const struct {
        const char *name;
        int which;
    } names[] = {{"recency", 0}, {"frequency", 1}, {"monetary", 2}, {"history", 2},
                 {"amount", 2},  {"value", 2},     {"revenue", 2}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcasecmp(name, names[i].name))
            return names[i].which;
    return -1;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

enum shoal_status shoal_rfm_cut(const struct shoal_cells *cells, size_t column, const char *name, int which,
                                struct shoal_uplift_rfm *rfm)
{
    double *numbers = malloc((cells->rows + 1) * sizeof *numbers);
    size_t count = 0;
    if (!numbers)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < cells->rows; i++)
        count += shoal_columns_number(cells->text(cells->table, i, column), &numbers[count]);
    qsort(numbers, count, sizeof *numbers, compare);
    if (count > 0 && strlen(name) < SHOAL_COLUMN_NAME) {
        strcpy(rfm->column[which], name);
        for (size_t k = 1; k < SHOAL_RFM_PARTS; k++)
            rfm->bounds[which][k - 1] = numbers[count * k / SHOAL_RFM_PARTS];
    }
    free(numbers);
    return SHOAL_OK;
}

int shoal_rfm_points(const struct shoal_uplift_rfm *rfm, int which, const char *cell)
{
    double number;
    int part = 1;
    if (!shoal_columns_number(cell, &number))
        return 1;
    for (int k = 0; k < SHOAL_RFM_PARTS - 1; k++)
        part += number >= rfm->bounds[which][k];
    return which == 0 ? SHOAL_RFM_PARTS + 1 - part : part; /* recency: time since, less is more */
}
