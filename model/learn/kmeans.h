/* SPDX-License-Identifier: Apache-2.0 */
/* k-means: Lloyd's iterations from centroids seeded by k-means++ (Arthur, Vassilvitskii 2007), the best of
 * several starts. One thread; the same points and seed give the same bits. */
#ifndef SHOAL_LEARN_KMEANS_H
#define SHOAL_LEARN_KMEANS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

enum { SHOAL_KMEANS_MAX = 32 }; /* clusters */

struct shoal_kmeans_options {
    size_t clusters;   /* K, 1 … SHOAL_KMEANS_MAX, at most the number of points */
    unsigned restarts; /* starts, of which the one with the least inertia is kept */
    unsigned iterations;
    uint64_t seed;
};

/* points[count × size] → centroids[K × size], labels[count] and the inertia Σ |x − its centroid|². A
 * centroid that loses all its points goes to the point farthest from its own. NOMEM. */
enum shoal_status shoal_kmeans(const float *points, size_t count, size_t size,
                               const struct shoal_kmeans_options *options, float *centroids,
                               uint8_t *labels, double *inertia) SHOAL_MUST_CHECK;
/* The nearest of centroids[K × size] to each point, the first of equals; the inertia. NOMEM. */
enum shoal_status shoal_kmeans_assign(const float *points, size_t count, size_t size,
                                      const float *centroids, size_t clusters, uint8_t *labels,
                                      double *inertia) SHOAL_MUST_CHECK;

#endif
