/* SPDX-License-Identifier: Apache-2.0 */
/* How much popularity, vectors, neighbours and repeats count beside each other: about a hundred numbers a goal,
 * fitted on targets that come after everything that the parts were learnt from.
 *
 *   b_j = Σ_m β_m·log popularity_m(j)
 *   score_j = b_j + s·q·e_j + Σ_k exp(follow[k])·c(ring_k, j) + Σ_k again[k]·1[ring_k = j]
 *             − level·b_j·1[j is in the ring]
 *
 * The least cross-entropy over the whole catalogue, with a Gaussian prior around what they start from: the goal of
 * purchases starts from what was found for all behaviours, so a log with few purchases stays there. */
#ifndef SHOAL_LEARN_ITEM_MIX_H
#define SHOAL_LEARN_ITEM_MIX_H

#include "model/items_parts.h"
#include "model/learn/item_data.h"
#include "model/learn/item_ranks.h"

struct shoal_item_mix {
    float popularity[SHOAL_ITEM_POPULARITIES]; /* β */
    float scale;                               /* s */
    float level;                               /* of items_parts.h */
    struct shoal_item_table follow, again;
};

/* Popularity and vectors as they are, neighbours by place. */
struct shoal_item_mix shoal_item_mix_default(void);
/* logs (SHOAL_ITEM_POPULARITIES×N): of each item's share of the events before until_ms. */
void shoal_item_popularities(const struct shoal_dataset *dataset, const struct shoal_item_data *data,
                             int64_t until_ms, float *logs);
/* From `mix` on, which is the prior, to the best for these targets. items: with vectors as learnt, asking[0] not yet
 * mixed. NOMEM. */
enum shoal_status shoal_item_mix_fit(const struct shoal_items *items, const float *logs,
                                     const struct shoal_item_asked *asked, uint64_t seed,
                                     struct shoal_item_mix *mix) SHOAL_MUST_CHECK;
/* Puts it into the query of a goal. Once: it scales what is there. */
void shoal_item_mix_apply(const struct shoal_item_mix *mix, const float *logs,
                          struct shoal_items *items, enum shoal_item_goal goal);

#endif
