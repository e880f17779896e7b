/* SPDX-License-Identifier: Apache-2.0 */
/* What a step reads from an event and the few before it. The same function serves training, the
 * live pipeline and the rebuild of a state from the ring. */
#ifndef SHOAL_FEATURES_H
#define SHOAL_FEATURES_H

#include "model/params.h"
#include "model/touch.h"

/* How many events back an item or category counts as repeated. Eight tell more than sixteen (tools/ablation
 * with the ring at these lengths: ROC-AUC +.011 ± .001 on made-up shoppers, +.002 ± .000 on Taobao's). */
enum { SHOAL_REPEAT_WINDOW = 8 };

struct shoal_features {
    uint32_t item_row, category_row; /* rows of the embedding tables */
    uint8_t behavior;
    /* 0 log gap: log2(1 + gap in s)/20   1,2 sin, cos of the hour (UTC, table of 24)
     * 3,4 sin, cos of the weekday (table of 7)   5 price level/64
     * 6 same item among the recent (1/0)   7 same category among the recent (1/0) */
    float numeric[SHOAL_NUMERIC];
};

/* recent[0 … recent_count−1]: the touches before `now`, oldest first (at most SHOAL_REPEAT_WINDOW are
 * looked at); gap_ms ≥ 0: time since the previous event, 0 for the first. Integers and tables
 * only: the same on every machine. */
void shoal_features_of(const struct shoal_dims *dims, const struct shoal_touch *recent,
                       size_t recent_count, const struct shoal_touch *now, int64_t gap_ms,
                       struct shoal_features *features);
/* Writes the D inputs of one step from features and the embedding tables. */
void shoal_features_gather(const struct shoal_params *params,
                           const struct shoal_features *features, float *x);

#endif
