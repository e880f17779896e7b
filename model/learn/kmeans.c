/* SPDX-License-Identifier: Apache-2.0 */
/* k-means; see kmeans.h. Distances are computed to eight centroids at a time, whose coordinates are stored
 * turned for it: columns[d][j]. */
#include "model/learn/kmeans.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"
#include "model/vmath_lanes.h"

struct start {
    const float *points;
    size_t count, size, clusters;
    uint64_t key, drawn; /* random numbers and how many were taken */
    float *columns;      /* size × SHOAL_KMEANS_MAX */
    float *centroids;
    double *sums;        /* clusters × size */
    size_t *members;     /* clusters */
    float *nearest;      /* squared distance of each point to its centroid */
    uint8_t *labels;
};

static void turn(const float *centroids, size_t clusters, size_t size, float *columns)
{
    for (size_t d = 0; d < size; d++)
        for (size_t j = 0; j < SHOAL_KMEANS_MAX; j++)
            columns[d * SHOAL_KMEANS_MAX + j] = j < clusters ? centroids[j * size + d] : 0;
}

/* The nearest centroid, and its squared distance. */
static uint8_t nearest_of(const float *point, size_t size, const float *columns, size_t clusters,
                          float *distance)
{
    float squares[SHOAL_KMEANS_MAX];
    squares[0] = INFINITY;
    for (size_t l = 0; l < clusters; l += V8_WIDTH) {
        v8 sum = v8_set(0.0f);
        for (size_t d = 0; d < size; d++) {
            v8 gap = v8_set(point[d]) - v8_load(columns + d * SHOAL_KMEANS_MAX + l);
            sum = v8_fma(gap, gap, sum);
        }
        v8_store(squares + l, sum);
    }
    size_t best = 0;
    for (size_t j = 1; j < clusters; j++)
        if (squares[j] < squares[best])
            best = j;
    *distance = squares[best];
    return (uint8_t)best;
}

/* Assigns every point; true if one has moved. */
static bool assign(struct start *start, double *inertia)
{
    bool moved = false;
    *inertia = 0;
    turn(start->centroids, start->clusters, start->size, start->columns);
    for (size_t i = 0; i < start->count; i++) {
        uint8_t label = nearest_of(start->points + i * start->size, start->size, start->columns,
                                   start->clusters, &start->nearest[i]);
        moved |= label != start->labels[i];
        start->labels[i] = label;
        *inertia += (double)start->nearest[i];
    }
    return moved;
}

/* The point farthest from its centroid becomes centroid j. */
static void refill(struct start *start, size_t j)
{
    size_t farthest = 0;
    for (size_t i = 1; i < start->count; i++)
        if (start->nearest[i] > start->nearest[farthest])
            farthest = i;
    memcpy(start->centroids + j * start->size, start->points + farthest * start->size,
           start->size * sizeof(float));
    start->nearest[farthest] = 0;
}

static void move_centroids(struct start *start)
{
    size_t size = start->size;
    memset(start->sums, 0, start->clusters * size * sizeof *start->sums);
    memset(start->members, 0, start->clusters * sizeof *start->members);
    for (size_t i = 0; i < start->count; i++) {
        double *sum = start->sums + start->labels[i] * size;
        for (size_t d = 0; d < size; d++)
            sum[d] += (double)start->points[i * size + d];
        start->members[start->labels[i]]++;
    }
    for (size_t j = 0; j < start->clusters; j++) {
        if (!start->members[j])
            refill(start, j);
        for (size_t d = 0; d < size && start->members[j]; d++)
            start->centroids[j * size + d] =
                (float)(start->sums[j * size + d] / (double)start->members[j]);
    }
}

/* Each further centroid is a point drawn by its squared distance to those that are there. */
static void seed(struct start *start)
{
    size_t size = start->size, chosen = shoal_random_below(start->key, start->drawn++,
                                                           (uint32_t)start->count);
    for (size_t i = 0; i < start->count; i++)
        start->nearest[i] = INFINITY;
    for (size_t j = 0;; j++) {
        const float *centroid = start->centroids + j * size;
        double total = 0;
        memcpy(start->centroids + j * size, start->points + chosen * size, size * sizeof(float));
        if (j + 1 == start->clusters)
            return;
        for (size_t i = 0; i < start->count; i++) {
            float square = 0;
            for (size_t d = 0; d < size; d++) {
                float gap = start->points[i * size + d] - centroid[d];
                square += gap * gap;
            }
            start->nearest[i] = fminf(start->nearest[i], square);
            total += (double)start->nearest[i];
        }
        double left = total * (double)shoal_random_uniform(start->key, start->drawn++);
        for (chosen = 0; chosen + 1 < start->count; chosen++) {
            left -= (double)start->nearest[chosen];
            if (left < 0)
                break;
        }
    }
}

static double run(struct start *start, unsigned iterations)
{
    double inertia;
    seed(start);
    memset(start->labels, UINT8_MAX, start->count);
    for (unsigned i = 0; assign(start, &inertia) && i < iterations; i++)
        move_centroids(start);
    return inertia;
}

enum shoal_status shoal_kmeans(const float *points, size_t count, size_t size,
                               const struct shoal_kmeans_options *options, float *centroids,
                               uint8_t *labels, double *inertia)
{
    size_t clusters = options->clusters;
    struct start start = {
        .points = points,
        .count = count,
        .size = size,
        .clusters = clusters,
        .key = shoal_random_key(options->seed, SHOAL_RANDOM_KMEANS),
        .columns = malloc(size * SHOAL_KMEANS_MAX * sizeof(float)),
        .centroids = malloc(clusters * size * sizeof(float)),
        .sums = malloc(clusters * size * sizeof(double)),
        .members = malloc(clusters * sizeof(size_t)),
        .nearest = malloc(count * sizeof(float)),
        .labels = malloc(count),
    };
    bool there = start.columns && start.centroids && start.sums && start.members && start.nearest &&
                 start.labels;
    *inertia = INFINITY;
    for (unsigned r = 0; there && r < options->restarts; r++) {
        double this_inertia = run(&start, options->iterations);
        if (r > 0 && !(this_inertia < *inertia))
            continue;
        *inertia = this_inertia;
        memcpy(centroids, start.centroids, clusters * size * sizeof(float));
        memcpy(labels, start.labels, count);
    }
    free(start.columns);
    free(start.centroids);
    free(start.sums);
    free(start.members);
    free(start.nearest);
    free(start.labels);
    return there ? SHOAL_OK : SHOAL_NOMEM;
}

enum shoal_status shoal_kmeans_assign(const float *points, size_t count, size_t size,
                                      const float *centroids, size_t clusters, uint8_t *labels,
                                      double *inertia)
{
    float *columns = malloc(size * SHOAL_KMEANS_MAX * sizeof(float));
    if (!columns)
        return SHOAL_NOMEM;
    turn(centroids, clusters, size, columns);
    *inertia = 0;
    for (size_t i = 0; i < count; i++) {
        float distance;
        labels[i] = nearest_of(points + i * size, size, columns, clusters, &distance);
        *inertia += (double)distance;
    }
    free(columns);
    return SHOAL_OK;
}
