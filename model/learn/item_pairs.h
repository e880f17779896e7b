/* SPDX-License-Identifier: Apache-2.0 */
/* Which items go together: how much more often than by chance one came soon after another.
 *
 *   n_ij = Σ fade^(d − 1) over events of i followed d ≤ 16 events later by j, plus `back` times as much the other
 *          way round
 *   c(i, j) = log(1 + n_ij/(s·p_j)) ≥ 0          p_j: share of the events, s: shrinks what was seen seldom
 *
 * Beside the bias log p_j, p_j·exp(c(i, j)) is p_j + n_ij/s: the chance of j after i, with the shares of all
 * items as s events seen before. Of each item the neighbours with the greatest n_ij are kept. */
#ifndef SHOAL_LEARN_ITEM_PAIRS_H
#define SHOAL_LEARN_ITEM_PAIRS_H

#include "model/items_parts.h"
#include "model/learn/item_data.h"

struct shoal_item_pairs_options {
    double shrink; /* s */
    double fade;   /* 0 … 1 */
    double back;   /* weight of what came before */
    size_t most;   /* neighbours of an item, up to SHOAL_ITEM_NEIGHBOURS_MAX */
};

/* Sets the neighbours of `items`, whose catalogue is that of `data`, from events before until_ms. NOMEM. */
enum shoal_status shoal_item_pairs_learn(const struct shoal_dataset *dataset,
                                         const struct shoal_item_data *data, int64_t until_ms,
                                         const struct shoal_item_pairs_options *options,
                                         struct shoal_items *items) SHOAL_MUST_CHECK;

#endif
