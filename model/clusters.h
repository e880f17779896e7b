/* SPDX-License-Identifier: Apache-2.0 */
/* Segments found by deep clustering (Xie, Girshick, Farhadi 2016: DEC; Guo, Gao, Liu, Yin 2017: IDEC), as
 * they are served: an encoder of the user vector and centroids in its code.
 *
 * A cluster keeps its id over retrains as long as it keeps its users (learn/cluster_match.h), so a
 * model may know ids such as 1, 2, 5 and 9. Immutable, part of a model (model->clusters). */
#ifndef SHOAL_CLUSTERS_H
#define SHOAL_CLUSTERS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"

enum { SHOAL_CLUSTER_IDS = 255 }; /* ids are 1 … 255 */

struct shoal_clusters;

struct shoal_cluster_choice {
    uint8_t id;   /* of the nearest centroid */
    float margin; /* q of the nearest less q of the next, 0 … 1 (Student's t assignment) */
    /* q of a given cluster is asked for with shoal_clusters_share */
};

/* The cluster of a user vector u[V] (user_vector.h). The same bits whatever else is computed. */
void shoal_clusters_assign(const struct shoal_clusters *clusters, const float *vector,
                           struct shoal_cluster_choice *choice);
/* Under which id users of cluster `id` of earlier models are to be counted: `id` itself if the model has
 * it, the id of the cluster that took it over, or 0 if it has none. */
uint8_t shoal_clusters_successor(const struct shoal_clusters *clusters, uint8_t id);

/* The model file's section: writes a map (clusters NULL: nil), and reads it back, checked, for vectors of
 * size `vector`. DAMAGED, NOMEM. */
void shoal_clusters_pack(const struct shoal_clusters *clusters, struct shoal_buffer *out);
enum shoal_status shoal_clusters_unpack(struct shoal_unpack *in, size_t vector,
                                        struct shoal_clusters **clusters,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_clusters_destroy(struct shoal_clusters *clusters);

#endif
