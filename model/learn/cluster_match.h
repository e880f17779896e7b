/* SPDX-License-Identifier: Apache-2.0 */
/* Which cluster of a new model continues which of the old one: by the users that they share.
 *
 * A panel of users is assigned by both models. Old and new clusters are paired so that the sum of their Jaccard
 * indices is greatest (hungarian.h), of which those below .5 count as nothing. A pair keeps the id; every other new cluster gets an id that
 * no earlier model has used (the smallest), as long as there is one of the 255 left. An old id that is not kept is
 * retired: its successor is the cluster that holds at least half of its panel users, if there is one. */
#ifndef SHOAL_LEARN_CLUSTER_MATCH_H
#define SHOAL_LEARN_CLUSTER_MATCH_H

#include "model/cluster_parts.h"

/* Fills ids, from and jaccard of profiles[count] (`clusters->count` of them, in their present order) and the
 * retired ids of `clusters`. old_ids[i], labels[i]: the cluster of panel user i under `old` (its id), and
 * under `clusters` (its index). old NULL: ids 1, 2, … in the present order. */
void shoal_cluster_match(const struct shoal_clusters *old, const uint8_t *old_ids,
                         const uint8_t *labels, size_t panel, struct shoal_clusters *clusters);
/* Brings centroids and profiles into the order of their ids; order[j]: where cluster j has gone. */
void shoal_cluster_sort(struct shoal_clusters *clusters, uint8_t *order);

#endif
