/* SPDX-License-Identifier: Apache-2.0 */
/* The states that clusters are learnt from: of each user, one event of each of its active days (UTC), the last
 * week's; which one is drawn by a hash of the user's id and the day, so that it is the same in every training
 * that knows the day. A drawn event rather than a day's last: clusters serve after every event, and a state at
 * the end of a visit is of another kind than one amid it. */
#ifndef SHOAL_LEARN_CLUSTER_POINTS_H
#define SHOAL_LEARN_CLUSTER_POINTS_H

#include "model/clusters.h"
#include "model/learn/dataset.h"

enum { SHOAL_CLUSTER_DAYS = 7 };

struct shoal_cluster_points {
    size_t count, users;
    size_t *events;    /* owned; index into the data set, rising: a user's side by side */
    uint32_t *owners;  /* owned; user of each */
    uint8_t *outcomes; /* owned; 1: bought within 24 hours after it */
    float *traits;     /* owned; count × SHOAL_CLUSTER_TRAITS, cluster_points.c says how */
    float *mix;        /* owned; count × SHOAL_BEHAVIOR_COUNT: shares of the week before */
};

/* Of a grouped data set, events with from_ms ≤ time < until_ms whose 24 hours end by end_ms; about `most`
 * points, for which whole users are left out (by a hash of the id). NOMEM: zeroed. */
enum shoal_status shoal_cluster_points_make(const struct shoal_dataset *dataset, int64_t from_ms,
                                            int64_t until_ms, int64_t end_ms, size_t most,
                                            struct shoal_cluster_points *points) SHOAL_MUST_CHECK;
void shoal_cluster_points_finish(struct shoal_cluster_points *points);
/* The hash by which users are chosen. */
uint64_t shoal_cluster_user_hash(const struct shoal_dataset *dataset, size_t user);

#endif
