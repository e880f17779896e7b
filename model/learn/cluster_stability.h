/* SPDX-License-Identifier: Apache-2.0 */
/* Whether clusters are still there in other users, and how many there are (Hennig 2007).
 *
 * Users are drawn with return, k-means is repeated on their points, and every cluster is looked for among the
 * new ones: its greatest Jaccard index over all points, averaged over the resamples. Above .75 a cluster is a
 * valid one; below .6 it should not be trusted. */
#ifndef SHOAL_LEARN_CLUSTER_STABILITY_H
#define SHOAL_LEARN_CLUSTER_STABILITY_H

#include <stdbool.h>

#include "model/learn/kmeans.h"

struct shoal_cluster_samples {
    const float *points;    /* count × size */
    const uint32_t *owners; /* user of each point; a user's points lie side by side */
    size_t count, size;
};

struct shoal_cluster_stability {
    double mean, least;             /* over the clusters */
    double smallest;                /* share of the points in the smallest one */
    double each[SHOAL_KMEANS_MAX];
};

/* The points of as many users as there are, drawn with return by `seed`: rows[] (room for `most`) and their
 * number, at most `most`. */
size_t shoal_cluster_resample(const struct shoal_cluster_samples *samples, uint64_t seed,
                              uint32_t *rows, size_t most);
/* Of labels[count] with this many clusters. NOMEM. */
enum shoal_status shoal_cluster_stability(const struct shoal_cluster_samples *samples,
                                          const uint8_t *labels, size_t clusters,
                                          unsigned resamples, uint64_t seed,
                                          struct shoal_cluster_stability *stability)
    SHOAL_MUST_CHECK;

/* The criterion: a mean of at least .75, no cluster below .6, none with less than a fiftieth of the points. */
bool shoal_cluster_is_stable(const struct shoal_cluster_stability *stability);

struct shoal_cluster_choice_of_k {
    size_t clusters;   /* the choice */
    bool stable;       /* it meets the criterion; else it is the one with the greatest mean */
    struct shoal_cluster_stability stability;
};

/* The greatest K of 2 … most that meets the criterion under k-means. NOMEM. */
enum shoal_status shoal_cluster_choose(const struct shoal_cluster_samples *samples, size_t most,
                                       unsigned resamples, uint64_t seed,
                                       struct shoal_cluster_choice_of_k *choice) SHOAL_MUST_CHECK;

#endif
