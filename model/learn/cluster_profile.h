/* SPDX-License-Identifier: Apache-2.0 */
/* What the users of each cluster are like: the readable part of model/clusters.h. */
#ifndef SHOAL_LEARN_CLUSTER_PROFILE_H
#define SHOAL_LEARN_CLUSTER_PROFILE_H

#include "model/learn/cluster_points.h"

/* Fills share, conversion, mix and traits of profiles[clusters] by the labels of the points, and the summary:
 * everybody's and the traits' deviations. `points` has at least one. */
void shoal_cluster_profiles(const struct shoal_cluster_points *points, const uint8_t *labels,
                            size_t clusters, struct shoal_cluster_profile *profiles,
                            struct shoal_cluster_summary *summary);

#endif
