/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/report_rows.h"

#include <stdlib.h>
#include <string.h>

#include "stream/policy.h"

/* qsort_r's context: how rows are compared. */
struct order {
    const struct shoal_report_names *names;
};

void shoal_report_rows_finish(struct shoal_report_rows *rows)
{
    free(rows->rows);
    free(rows->index);
    *rows = (struct shoal_report_rows){0};
}

uint16_t shoal_report_row_of(const struct shoal_report_rows *rows, uint16_t dimension,
                             uint16_t level)
{
    if (dimension == SHOAL_NAME_NONE || level == SHOAL_NAME_NONE)
        return SHOAL_NAME_NONE;
    return rows->index[dimension * rows->levels_count + level];
}

/* Where a dimension, or a level of it, stands among those that Shoal knows; beyond all of them if it does
 * not. */
static unsigned rank_of(const char *dimension, const char *level)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        if (strcmp(shoal_dimension_name((enum shoal_dimension)d), dimension) != 0)
            continue;
        unsigned count = shoal_level_count((enum shoal_dimension)d);
        for (unsigned l = 1; level && l <= count; l++)
            if (strcmp(shoal_level_name((enum shoal_dimension)d, (uint8_t)l), level) == 0)
                return l;
        return level ? UINT8_MAX : d;
    }
    return UINT8_MAX;
}

static int compare(const void *a, const void *b, void *context)
{
    const struct shoal_report_row *left = a, *right = b;
    const struct order *order = context;
    const char *dimensions[2], *levels[2];
    for (int i = 0; i < 2; i++) {
        const struct shoal_report_row *row = i ? right : left;
        dimensions[i] = order->names->dimensions.texts[row->dimension];
        levels[i] = order->names->levels.texts[row->level];
    }
    unsigned first = rank_of(dimensions[0], NULL), second = rank_of(dimensions[1], NULL);
    if (first != second)
        return first < second ? -1 : 1;
    if (left->dimension != right->dimension)
        return strverscmp(dimensions[0], dimensions[1]);
    first = rank_of(dimensions[0], levels[0]);
    second = rank_of(dimensions[0], levels[1]);
    if (first != second)
        return first < second ? -1 : 1;
    return strverscmp(levels[0], levels[1]);
}

static void mark(struct shoal_report_rows *rows, uint16_t by, uint16_t dimension, uint16_t level)
{
    if (level != SHOAL_NAME_NONE && (by == SHOAL_NAME_NONE || by == dimension))
        rows->index[dimension * rows->levels_count + level] = 0;
}

static enum shoal_status list(const struct shoal_report_names *names,
                              struct shoal_report_rows *rows)
{
    size_t cells = names->dimensions.count * rows->levels_count;
    rows->rows = calloc(cells + 1, sizeof *rows->rows);
    if (!rows->rows)
        return SHOAL_NOMEM;
    rows->rows[rows->count++] = (struct shoal_report_row){SHOAL_NAME_NONE, SHOAL_NAME_NONE};
    for (size_t i = 0; i < cells; i++)
        if (rows->index[i] == 0)
            rows->rows[rows->count++] = (struct shoal_report_row){
                (uint16_t)(i / rows->levels_count), (uint16_t)(i % rows->levels_count)};
    struct order order = {names};
    qsort_r(rows->rows + 1, rows->count - 1, sizeof *rows->rows, compare, &order);
    for (size_t i = 1; i < rows->count; i++)
        rows->index[rows->rows[i].dimension * rows->levels_count + rows->rows[i].level] =
            (uint16_t)i;
    return SHOAL_OK;
}

enum shoal_status shoal_report_rows_make(const struct shoal_report_names *names,
                                         const struct shoal_offers *offers,
                                         const struct shoal_changes *changes, uint16_t by,
                                         struct shoal_report_rows *rows)
{
    size_t cells = names->dimensions.count * names->levels.count;
    *rows = (struct shoal_report_rows){.levels_count = names->levels.count};
    rows->index = malloc((cells + 1) * sizeof *rows->index);
    if (!rows->index)
        return SHOAL_NOMEM;
    memset(rows->index, 0xff, (cells + 1) * sizeof *rows->index); /* SHOAL_NAME_NONE in each */
    for (size_t i = 0; i < offers->count; i++)
        for (uint16_t d = 0; d < names->dimensions.count; d++)
            mark(rows, by, d, offers->offers[i].levels[d]);
    for (size_t i = 0; i < changes->count; i++) {
        const struct shoal_segment_change *change = &changes->changes[i];
        mark(rows, by, change->dimension, change->from);
        mark(rows, by, change->dimension, change->to);
    }
    return list(names, rows);
}
