/* SPDX-License-Identifier: Apache-2.0 */
/* The ways between clusters, of a tally (tally.h).
 *
 * A model has 32 clusters at most, but over retrains 255 ids: all ways between these would be 65,000 counts. So
 * only the clusters of the model in service have a place of their own. With a model that has others the places are
 * dealt out anew, and the ways from, to and among clusters that it does not have are added up. The ways of a cluster
 * that an earlier model had, and a later one has again, begin anew. */
#ifndef SHOAL_TALLY_CLUSTERS_H
#define SHOAL_TALLY_CLUSTERS_H

#include "stream/tally.h"

/* The place of an id (0: none). */
uint8_t shoal_tally_place(const struct shoal_tally_clusters *tally, uint8_t id);
/* Places for these ids, rising. */
void shoal_tally_places(struct shoal_tally_clusters *tally, const uint8_t *ids, uint8_t count);
/* Places for the clusters of a model (NULL: they stay), if they are others than before. */
void shoal_tally_follow(struct shoal_tally_clusters *tally, const struct shoal_clusters *clusters);
void shoal_tally_clusters_add(struct shoal_tally_clusters *sum,
                              const struct shoal_tally_clusters *one);

#endif
