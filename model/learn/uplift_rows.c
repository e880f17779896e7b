/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of uplift's rows; see uplift_learners.h. */
#include <stdlib.h>
#include <string.h>

#include "model/learn/uplift_learners.h"

enum shoal_status shoal_uplift_rows_make(size_t count, size_t width, struct shoal_uplift_rows *rows)
{
    *rows = (struct shoal_uplift_rows){
        .x = calloc(count * width + 1, sizeof *rows->x),
        .treated = calloc(count + 1, 1),
        .outcome = calloc(count + 1, 1),
        .stage = calloc(count + 1, 1),
        .count = count,
        .width = width,
    };
    if (rows->x && rows->treated && rows->outcome && rows->stage)
        return SHOAL_OK;
    shoal_uplift_rows_finish(rows);
    return SHOAL_NOMEM;
}

void shoal_uplift_rows_finish(struct shoal_uplift_rows *rows)
{
    free(rows->x);
    free(rows->treated);
    free(rows->outcome);
    free(rows->stage);
    *rows = (struct shoal_uplift_rows){0};
}

enum shoal_status shoal_uplift_rows_copy(const struct shoal_uplift_rows *from, const uint8_t *member,
                                         uint8_t wanted, struct shoal_uplift_rows *rows)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < from->count; i++)
        count += !member || member[i] == wanted;
    enum shoal_status status = shoal_uplift_rows_make(count, from->width, rows);
    for (size_t i = 0; status == SHOAL_OK && i < from->count; i++)
        if (!member || member[i] == wanted) {
            memcpy(rows->x + at * from->width, from->x + i * from->width, from->width * sizeof *rows->x);
            rows->treated[at] = from->treated[i];
            rows->outcome[at] = from->outcome[i];
            rows->stage[at++] = from->stage[i];
        }
    return status;
}
