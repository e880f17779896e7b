/* SPDX-License-Identifier: Apache-2.0 */
/* Resampled clusterings; see cluster_stability.h. */
#include "model/learn/cluster_stability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_quality.h"
#include "model/learn/random.h"

enum { RESTARTS = 3, ITERATIONS = 50 };

static const double VALID = 0.75, DOUBTFUL = 0.6, SMALLEST = 0.02;

/* Where each user's points begin; the number of users. `first` has room for count + 1. */
static size_t find_users(const struct shoal_cluster_samples *samples, uint32_t *first)
{
    size_t users = 0;
    for (size_t i = 0; i < samples->count; i++)
        if (i == 0 || samples->owners[i] != samples->owners[i - 1])
            first[users++] = (uint32_t)i;
    first[users] = (uint32_t)samples->count;
    return users;
}

static size_t draw_users(const uint32_t *first, size_t users, uint64_t seed, uint32_t *rows,
                         size_t most)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_RESAMPLES);
    size_t drawn = 0;
    for (size_t u = 0; u < users; u++) {
        size_t user = shoal_random_below(key, u, (uint32_t)users);
        for (uint32_t i = first[user]; i < first[user + 1] && drawn < most; i++)
            rows[drawn++] = i;
    }
    return drawn;
}

size_t shoal_cluster_resample(const struct shoal_cluster_samples *samples, uint64_t seed,
                              uint32_t *rows, size_t most)
{
    uint32_t *first = malloc((samples->count + 1) * sizeof *first);
    if (!first)
        return 0;
    size_t users = find_users(samples, first);
    size_t drawn = draw_users(first, users, seed, rows, most);
    free(first);
    return drawn;
}

struct resample {
    uint32_t *first, *rows;
    float *points, *centroids;
    uint8_t *labels, *all;
};

static enum shoal_status repeat(const struct shoal_cluster_samples *samples, size_t users,
                                size_t clusters, uint64_t seed, struct resample *resample)
{
    size_t size = samples->size, most = 2 * samples->count;
    size_t drawn = draw_users(resample->first, users, seed, resample->rows, most);
    struct shoal_kmeans_options options = {
        .clusters = clusters, .restarts = RESTARTS, .iterations = ITERATIONS, .seed = seed};
    double inertia;
    for (size_t r = 0; r < drawn; r++)
        memcpy(resample->points + r * size, samples->points + resample->rows[r] * size,
               size * sizeof(float));
    enum shoal_status status = shoal_kmeans(resample->points, drawn, size, &options,
                                            resample->centroids, resample->labels, &inertia);
    if (status == SHOAL_OK)
        status = shoal_kmeans_assign(samples->points, samples->count, size, resample->centroids,
                                     clusters, resample->all, &inertia);
    return status;
}

static void sum_up(const uint8_t *labels, size_t count, size_t clusters, unsigned resamples,
                   struct shoal_cluster_stability *stability)
{
    size_t members[SHOAL_KMEANS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        members[labels[i]]++;
    stability->least = stability->smallest = 1;
    for (size_t j = 0; j < clusters; j++) {
        stability->each[j] /= resamples;
        stability->mean += stability->each[j] / (double)clusters;
        stability->least = fmin(stability->least, stability->each[j]);
        stability->smallest = fmin(stability->smallest, (double)members[j] / (double)count);
    }
}

enum shoal_status shoal_cluster_stability(const struct shoal_cluster_samples *samples,
                                          const uint8_t *labels, size_t clusters,
                                          unsigned resamples, uint64_t seed,
                                          struct shoal_cluster_stability *stability)
{
    size_t count = samples->count;
    struct resample resample = {
        .first = malloc((count + 1) * sizeof(uint32_t)),
        .rows = malloc(2 * count * sizeof(uint32_t)),
        .points = malloc(2 * count * samples->size * sizeof(float)),
        .centroids = malloc(clusters * samples->size * sizeof(float)),
        .labels = malloc(2 * count),
        .all = malloc(count),
    };
    bool there = resample.first && resample.rows && resample.points && resample.centroids &&
                 resample.labels && resample.all;
    enum shoal_status status = there ? SHOAL_OK : SHOAL_NOMEM;
    size_t users = there ? find_users(samples, resample.first) : 0;
    *stability = (struct shoal_cluster_stability){0};
    for (unsigned r = 0; r < resamples && status == SHOAL_OK; r++) {
        double jaccards[SHOAL_KMEANS_MAX];
        status = repeat(samples, users, clusters, seed + 1 + r, &resample);
        if (status != SHOAL_OK)
            break;
        shoal_cluster_jaccards(labels, clusters, resample.all, clusters, count, jaccards);
        for (size_t j = 0; j < clusters; j++)
            stability->each[j] += jaccards[j];
    }
    if (status == SHOAL_OK)
        sum_up(labels, count, clusters, resamples, stability);
    free(resample.first);
    free(resample.rows);
    free(resample.points);
    free(resample.centroids);
    free(resample.labels);
    free(resample.all);
    return status;
}

bool shoal_cluster_is_stable(const struct shoal_cluster_stability *stability)
{
    return stability->mean >= VALID && stability->least >= DOUBTFUL &&
           stability->smallest >= SMALLEST;
}

enum shoal_status shoal_cluster_choose(const struct shoal_cluster_samples *samples, size_t most,
                                       unsigned resamples, uint64_t seed,
                                       struct shoal_cluster_choice_of_k *choice)
{
    uint8_t *labels = malloc(samples->count + 1);
    float *centroids = malloc(most * samples->size * sizeof *centroids);
    enum shoal_status status = labels && centroids ? SHOAL_OK : SHOAL_NOMEM;
    *choice = (struct shoal_cluster_choice_of_k){0};
    for (size_t clusters = 2; clusters <= most && status == SHOAL_OK; clusters++) {
        struct shoal_kmeans_options options = {
            .clusters = clusters, .restarts = 2 * RESTARTS, .iterations = ITERATIONS, .seed = seed};
        struct shoal_cluster_stability stability;
        double inertia;
        status = shoal_kmeans(samples->points, samples->count, samples->size, &options, centroids,
                              labels, &inertia);
        if (status == SHOAL_OK)
            status = shoal_cluster_stability(samples, labels, clusters, resamples, seed, &stability);
        if (status != SHOAL_OK)
            break;
        bool stable = shoal_cluster_is_stable(&stability);
        if (stable || (!choice->stable && stability.mean > choice->stability.mean))
            *choice = (struct shoal_cluster_choice_of_k){clusters, stable, stability};
    }
    free(labels);
    free(centroids);
    return status;
}
