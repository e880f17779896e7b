/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of items, and how a query is made of a user, learnt from what came next (equations in items_parts.h):
 * cross-entropy of a sampled softmax (sampled_softmax.h), in which the bias log p_j is given and stays, so
 * that vectors learn what popularity does not say.
 *
 * AdamW, for a row of the table only when it is met (as PyTorch's SparseAdam does): a catalogue has far more rows
 * than a batch. Entries of h and of what is pooled, and whole recent events, are dropped at random. */
#ifndef SHOAL_LEARN_ITEM_VECTORS_H
#define SHOAL_LEARN_ITEM_VECTORS_H

#include "model/items_parts.h"
#include "model/learn/item_data.h"

struct shoal_item_vectors_options {
    uint32_t batch, negatives;
    float alpha;        /* negatives are drawn ∝ support^alpha */
    float rate;         /* of AdamW, falling to a tenth over the epochs */
    float decay;
    float drop_events, drop_inputs;
    uint32_t ring;      /* recent events looked at */
    uint64_t seed;
};

struct shoal_item_vectors_options shoal_item_vectors_options_default(void);

struct shoal_item_learner;

/* Starts from small random vectors in `items`, which stays the caller's. states: H floats for each target. Nothing
 * is owned but what is made. NOMEM. */
enum shoal_status shoal_item_learner_create(const struct shoal_item_vectors_options *options,
                                            const struct shoal_dataset *dataset,
                                            const struct shoal_item_data *data,
                                            const struct shoal_item_targets *targets,
                                            const float *states, struct shoal_items *items,
                                            struct shoal_item_learner **learner) SHOAL_MUST_CHECK;
void shoal_item_learner_destroy(struct shoal_item_learner *learner);
/* Goes through all targets once; the mean loss. `share`: 0 … 1 of the training that is behind it. */
double shoal_item_learner_epoch(struct shoal_item_learner *learner, uint32_t epoch, double share,
                                double share_after);

#endif
