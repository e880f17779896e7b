/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of a clustering; see cluster_quality.h. Sums in double, one thread, fixed order. */
#include "model/learn/cluster_quality.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"

enum { FOLDS = 5 };

/* Pseudo-points of the common rate in each cluster's. */
static const double SHRINK = 10;

static double distance(const float *a, const float *b, size_t size)
{
    double lanes[4] = {0};
    size_t d = 0;
    for (; d + 4 <= size; d += 4)
        for (size_t l = 0; l < 4; l++) {
            double gap = (double)a[d + l] - (double)b[d + l];
            lanes[l] += gap * gap;
        }
    for (; d < size; d++) {
        double gap = (double)a[d] - (double)b[d];
        lanes[0] += gap * gap;
    }
    return sqrt((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
}

/* ---- silhouette ----------------------------------------------------------------------------- */

/* The first `most` of a shuffled order, or everything. */
static uint32_t *draw(size_t count, size_t most, uint64_t seed)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_BOOTSTRAP);
    uint32_t *chosen = malloc((count + 1) * sizeof *chosen);
    for (size_t i = 0; chosen && i < count; i++)
        chosen[i] = (uint32_t)i;
    for (size_t i = 0; chosen && count > most && i < most; i++) {
        size_t other = i + shoal_random_below(key, i, (uint32_t)(count - i));
        uint32_t swapped = chosen[i];
        chosen[i] = chosen[other];
        chosen[other] = swapped;
    }
    return chosen;
}

static double silhouette_of(const double *sums, const size_t *members, size_t clusters, size_t own)
{
    if (members[own] < 2)
        return 0;
    double a = sums[own] / (double)(members[own] - 1), b = INFINITY;
    for (size_t j = 0; j < clusters; j++)
        if (j != own && members[j])
            b = fmin(b, sums[j] / (double)members[j]);
    return a == b ? 0 : (b - a) / fmax(a, b);
}

enum shoal_status shoal_silhouette(const float *points, size_t count, size_t size,
                                   const uint8_t *labels, size_t clusters, size_t most, uint64_t seed,
                                   double *silhouette)
{
    uint32_t *chosen = draw(count, most, seed);
    size_t used = count < most ? count : most, members[SHOAL_LABELS_MAX] = {0}, there = 0;
    double *sums = calloc(used * clusters + 1, sizeof *sums), total = 0;
    if (!chosen || !sums) {
        free(chosen);
        free(sums);
        return SHOAL_NOMEM;
    }
    for (size_t i = 0; i < used; i++)
        there += members[labels[chosen[i]]]++ == 0;
    for (size_t i = 0; i < used; i++)
        for (size_t k = 0; k < i; k++) {
            double gap = distance(points + chosen[i] * size, points + chosen[k] * size, size);
            sums[i * clusters + labels[chosen[k]]] += gap;
            sums[k * clusters + labels[chosen[i]]] += gap;
        }
    for (size_t i = 0; i < used; i++)
        total += silhouette_of(sums + i * clusters, members, clusters, labels[chosen[i]]);
    *silhouette = there < 2 ? NAN : total / (double)used;
    free(chosen);
    free(sums);
    return SHOAL_OK;
}

/* ---- Davies-Bouldin ------------------------------------------------------------------------- */

static void centres(const float *points, size_t count, size_t size, const uint8_t *labels,
                    size_t clusters, double *sums, float *means, size_t *members)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t d = 0; d < size; d++)
            sums[labels[i] * size + d] += (double)points[i * size + d];
        members[labels[i]]++;
    }
    for (size_t j = 0; j < clusters; j++)
        for (size_t d = 0; d < size && members[j]; d++)
            means[j * size + d] = (float)(sums[j * size + d] / (double)members[j]);
}

enum shoal_status shoal_davies_bouldin(const float *points, size_t count, size_t size,
                                       const uint8_t *labels, size_t clusters, double *index)
{
    double *sums = calloc(clusters * size, sizeof *sums), spread[SHOAL_LABELS_MAX] = {0}, total = 0;
    float *means = calloc(clusters * size, sizeof *means);
    size_t members[SHOAL_LABELS_MAX] = {0}, there = 0;
    if (!sums || !means) {
        free(sums);
        free(means);
        return SHOAL_NOMEM;
    }
    centres(points, count, size, labels, clusters, sums, means, members);
    for (size_t i = 0; i < count; i++)
        spread[labels[i]] += distance(points + i * size, means + labels[i] * size, size) /
                             (double)members[labels[i]];
    for (size_t i = 0; i < clusters; i++) {
        double worst = 0;
        there += members[i] > 0;
        for (size_t j = 0; j < clusters; j++)
            if (j != i && members[i] && members[j])
                worst = fmax(worst, (spread[i] + spread[j]) /
                                        distance(means + i * size, means + j * size, size));
        total += worst;
    }
    *index = there < 2 ? NAN : total / (double)there;
    free(sums);
    free(means);
    return SHOAL_OK;
}

/* ---- agreement ------------------------------------------------------------------------------ */

static double pairs(double members)
{
    return members * (members - 1) / 2;
}

double shoal_adjusted_rand(const uint8_t *first, const uint8_t *second, size_t count)
{
    uint32_t both[SHOAL_LABELS_MAX][SHOAL_LABELS_MAX] = {{0}};
    double rows[SHOAL_LABELS_MAX] = {0}, columns[SHOAL_LABELS_MAX] = {0};
    double together = 0, in_first = 0, in_second = 0;
    for (size_t i = 0; i < count; i++) {
        both[first[i]][second[i]]++;
        rows[first[i]]++;
        columns[second[i]]++;
    }
    for (size_t i = 0; i < SHOAL_LABELS_MAX; i++) {
        in_first += pairs(rows[i]);
        in_second += pairs(columns[i]);
        for (size_t j = 0; j < SHOAL_LABELS_MAX; j++)
            together += pairs(both[i][j]);
    }
    double chance = count > 1 ? in_first * in_second / pairs((double)count) : 0;
    double most = (in_first + in_second) / 2;
    return most == chance ? 1 : (together - chance) / (most - chance);
}

void shoal_cluster_jaccards(const uint8_t *first, size_t first_clusters, const uint8_t *second,
                            size_t second_clusters, size_t count, double *jaccards)
{
    uint32_t both[SHOAL_LABELS_MAX][SHOAL_LABELS_MAX] = {{0}};
    size_t rows[SHOAL_LABELS_MAX] = {0}, columns[SHOAL_LABELS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        both[first[i]][second[i]]++;
        rows[first[i]]++;
        columns[second[i]]++;
    }
    for (size_t i = 0; i < first_clusters; i++) {
        jaccards[i] = 0;
        for (size_t j = 0; j < second_clusters && rows[i]; j++)
            jaccards[i] = fmax(jaccards[i], (double)both[i][j] /
                                                (double)(rows[i] + columns[j] - both[i][j]));
    }
}

/* ---- what is explained ---------------------------------------------------------------------- */

struct tally {
    double points, bought;
};

static double deviance(double y, double p)
{
    return y > 0 ? -log(p) : -log1p(-p);
}

void shoal_explained(const uint8_t *outcomes, const uint8_t *labels, const uint32_t *owners,
                     const uint32_t *weights, size_t count, size_t clusters,
                     struct shoal_explained *explained)
{
    struct tally cells[FOLDS][SHOAL_LABELS_MAX] = {{{0}}}, folds[FOLDS] = {{0}}, all = {0};
    struct tally of[SHOAL_LABELS_MAX] = {{0}};
    double square[2] = {0}, surprise[2] = {0}; /* of the common rate, of the clusters' */
    for (size_t i = 0; i < count; i++) {
        size_t fold = shoal_random_mix(owners[i] + UINT64_C(1)) % FOLDS;
        double weight = weights ? weights[i] : 1, bought = weight * outcomes[i];
        struct tally *tallies[] = {&cells[fold][labels[i]], &folds[fold], &of[labels[i]], &all};
        for (size_t t = 0; t < 4; t++) {
            tallies[t]->points += weight;
            tallies[t]->bought += bought;
        }
    }
    for (size_t f = 0; f < FOLDS; f++) {
        /* half a point of each outcome, so that no rate is 0 or 1 */
        double common = (all.bought - folds[f].bought + 0.5) / (all.points - folds[f].points + 1);
        for (size_t j = 0; j < clusters; j++) {
            const struct tally *cell = &cells[f][j];
            double rate = (of[j].bought - cell->bought + SHRINK * common) /
                          (of[j].points - cell->points + SHRINK);
            for (size_t outcome = 0; outcome < 2; outcome++) {
                double n = outcome ? cell->bought : cell->points - cell->bought;
                double y = (double)outcome;
                square[0] += n * (y - common) * (y - common);
                square[1] += n * (y - rate) * (y - rate);
                surprise[0] += n > 0 ? n * deviance(y, common) : 0;
                surprise[1] += n > 0 ? n * deviance(y, rate) : 0;
            }
        }
    }
    bool both = all.bought > 0 && all.bought < all.points;
    explained->eta2 = both ? 1 - square[1] / square[0] : NAN;
    explained->mcfadden = both ? 1 - surprise[1] / surprise[0] : NAN;
}
