/* SPDX-License-Identifier: Apache-2.0 */
/* Items that came after the training, put into a catalogue until the next one: from events that name them.
 *
 *   e_i = (K·m + Σ_j w_ij·e_j) / (K + Σ_j w_ij)      m: the mean vector of its category, K = 4; 0 without one
 *   w_ij = n_ij + n_ji                               j in the catalogue, n as in item_pairs.h
 *   b_g[i] = α_g + β_g·log(r·n_i)                    n_i events name it; α, β: least squares of b_g on the log of
 *                                                    the support over the catalogue
 *   r = Σ support_j / Σ n_j                          over the catalogue's items among the events: how much longer
 *                                                    the log of the training was
 *
 * Its neighbours are those of item_pairs.h, and it becomes a neighbour of the items before it where these have
 * room for one more. Without category and company its vector is 0: then it has its popularity alone. Everything
 * that was in the catalogue keeps its index, vector, bias and neighbours. */
#ifndef SHOAL_LEARN_ITEMS_ADD_H
#define SHOAL_LEARN_ITEMS_ADD_H

#include "model/items.h"
#include "model/learn/dataset.h"
#include "model/learn/item_names.h"

struct shoal_items_added {
    size_t added;
    size_t rare;        /* new, and named by less than `least` events */
    size_t full;        /* no room was left for them in the catalogue */
    size_t by_category, by_company; /* of those added: whose vector has a part of either */
};

/* A catalogue with the items of the (grouped) data set that `items` does not have and that `least` events or more
 * name; names: their ids. Items without an id of at most SHOAL_ITEM_ID_MAX bytes are left out. *grown is the
 * caller's (shoal_items_destroy), NULL after a failure. The same bits for the same events. NOMEM. */
enum shoal_status shoal_items_add(const struct shoal_items *items, const struct shoal_dataset *dataset,
                                  const struct shoal_item_names *names, uint32_t least,
                                  struct shoal_items **grown,
                                  struct shoal_items_added *added) SHOAL_MUST_CHECK;

#endif
