/* SPDX-License-Identifier: Apache-2.0 */
/* Recency, frequency, monetary value: the segments that a marketer would contact without a model. Each of
 * those that the table has is cut into fifths (1 … 5 points, 5 the most recent, the most frequent, the most
 * valuable); customers with the same sum of points are a segment. */
#ifndef SHOAL_LEARN_UPLIFT_RFM_H
#define SHOAL_LEARN_UPLIFT_RFM_H

#include "model/base/status.h"
#include "model/learn/uplift_columns.h"

enum { SHOAL_RFM = 3, SHOAL_RFM_PARTS = 5 };

struct shoal_uplift_rfm {
    char column[SHOAL_RFM][SHOAL_COLUMN_NAME];        /* "": the table has none */
    double bounds[SHOAL_RFM][SHOAL_RFM_PARTS - 1];    /* never falling; at or above is the next part */
};

/* Which of the three a column is by its name (0 recency, 1 frequency, 2 monetary: also history, amount, value,
 * revenue), or −1. */
int shoal_rfm_of(const char *name);
/* Cuts dimension `which` by the rows' quantiles. NOMEM. */
enum shoal_status shoal_rfm_cut(const struct shoal_cells *cells, size_t column, const char *name, int which,
                                struct shoal_uplift_rfm *rfm) SHOAL_MUST_CHECK;
/* Points of a cell of that dimension; one that is no number gets 1. */
int shoal_rfm_points(const struct shoal_uplift_rfm *rfm, int which, const char *cell);

#endif
