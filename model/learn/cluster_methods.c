/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to segment; see cluster_methods.h. */
#include "model/learn/cluster_methods.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/counters.h"
#include "model/learn/kmeans.h"

enum { CODE = SHOAL_CLUSTER_CODE, ITERATIONS = 100, QUINTILES = 5 };

static const struct {
    const char *name, *text;
} methods[] = {
#define X(name, text) {#name, text},
    SHOAL_CLUSTER_METHOD_LIST(X)
#undef X
};

const char *shoal_cluster_method_name(enum shoal_cluster_method method)
{
    return methods[method].name;
}

const char *shoal_cluster_method_text(enum shoal_cluster_method method)
{
    return methods[method].text;
}

/* `width` of the columns from `from` on, of these rows (NULL: all). */
static float *gather(const struct shoal_cluster_states *states, const uint32_t *rows, size_t count,
                     size_t from, size_t width)
{
    float *points = malloc((count * width + 1) * sizeof *points);
    for (size_t i = 0; points && i < count; i++)
        memcpy(points + i * width, states->vectors + (rows ? rows[i] : i) * states->size + from,
               width * sizeof *points);
    return points;
}

static enum shoal_status run_idec(const struct shoal_cluster_states *learn, const uint32_t *rows,
                                  size_t count, size_t clusters,
                                  const struct shoal_idec_options *options,
                                  const struct shoal_cluster_states *judge,
                                  struct shoal_cluster_result *result)
{
    struct shoal_autoencoder coder = {0};
    struct shoal_idec_report report;
    float *points = gather(learn, rows, count, 0, learn->size);
    float *shares = malloc((judge->count * clusters + 1) * sizeof *shares);
    uint8_t *labels = malloc(count + 1);
    double loss;
    enum shoal_status status = points && shares && labels ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_idec_pretrain(points, count, learn->size, options, &coder, &loss);
    if (status == SHOAL_OK)
        status = shoal_idec_cluster(&coder, points, count, clusters, options, labels, &report);
    if (status == SHOAL_OK) {
        result->space_size = CODE;
        shoal_autoencoder_encode(&coder, judge->vectors, judge->count, result->space);
        shoal_autoencoder_shares(&coder, result->space, judge->count, shares);
        for (size_t i = 0; i < judge->count; i++) {
            const float *q = shares + i * clusters;
            result->labels[i] = 0;
            for (size_t j = 1; j < clusters; j++)
                if (q[j] > q[result->labels[i]])
                    result->labels[i] = (uint8_t)j;
        }
    }
    shoal_autoencoder_finish(&coder);
    free(points);
    free(shares);
    free(labels);
    return status;
}

static enum shoal_status run_kmeans(const struct shoal_cluster_states *learn, const uint32_t *rows,
                                    size_t count, size_t from, size_t clusters,
                                    const struct shoal_idec_options *options,
                                    const struct shoal_cluster_states *judge,
                                    struct shoal_cluster_result *result)
{
    struct shoal_kmeans_options kmeans = {.clusters = clusters,
                                          .restarts = options->restarts,
                                          .iterations = ITERATIONS,
                                          .seed = options->seed};
    size_t width = learn->size - from;
    float *points = gather(learn, rows, count, from, width);
    float *there = gather(judge, NULL, judge->count, from, width);
    float *centroids = malloc(clusters * width * sizeof *centroids);
    uint8_t *labels = malloc(count + 1);
    double inertia;
    enum shoal_status status = points && there && centroids && labels ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_kmeans(points, count, width, &kmeans, centroids, labels, &inertia);
    if (status == SHOAL_OK)
        status = shoal_kmeans_assign(there, judge->count, width, centroids, clusters,
                                     result->labels, &inertia);
    if (status == SHOAL_OK) {
        memcpy(result->space, there, judge->count * width * sizeof *there);
        result->space_size = width;
    }
    free(points);
    free(there);
    free(centroids);
    free(labels);
    return status;
}

/* ---- RFM ------------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

/* bounds[q]: the least value of the quintile after the q-th, among the buyers that are learnt from. False when
 * nobody has bought. */
static bool find_bounds(const struct shoal_cluster_states *learn, const uint32_t *rows, size_t count,
                        size_t field, float *scratch, float bounds[QUINTILES - 1])
{
    size_t buyers = 0;
    for (size_t i = 0; i < count; i++) {
        const float *rfm = learn->rfm + (rows ? rows[i] : i) * SHOAL_RFM;
        if (rfm[1] > 0)
            scratch[buyers++] = rfm[field];
    }
    qsort(scratch, buyers, sizeof *scratch, compare);
    for (size_t q = 0; q + 1 < QUINTILES; q++)
        bounds[q] = buyers ? scratch[buyers * (q + 1) / QUINTILES] : 0;
    return buyers > 0;
}

static size_t quintile(float value, const float bounds[QUINTILES - 1])
{
    size_t q = 0;
    while (q + 1 < QUINTILES && value >= bounds[q])
        q++;
    return q;
}

/* log1p of the three, recency of those who have not bought as one day more than the longest. */
static void rfm_space(const struct shoal_cluster_states *judge, float *space)
{
    float longest = 0;
    for (size_t i = 0; i < judge->count; i++)
        if (isfinite(judge->rfm[i * SHOAL_RFM]))
            longest = fmaxf(longest, judge->rfm[i * SHOAL_RFM]);
    for (size_t f = 0; f < SHOAL_RFM; f++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < judge->count; i++) {
            float value = judge->rfm[i * SHOAL_RFM + f];
            float *at = &space[i * SHOAL_RFM + f];
            *at = log1pf(isfinite(value) ? value : longest + 1);
            sum += (double)*at;
            squares += (double)*at * (double)*at;
        }
        double mean = sum / (double)judge->count;
        double root = sqrt(fmax(squares / (double)judge->count - mean * mean, 0));
        for (size_t i = 0; i < judge->count; i++)
            space[i * SHOAL_RFM + f] =
                (space[i * SHOAL_RFM + f] - (float)mean) / (root > 1e-6 ? (float)root : 1);
    }
}

static enum shoal_status run_rfm(const struct shoal_cluster_states *learn, const uint32_t *rows,
                                 size_t count, const struct shoal_cluster_states *judge,
                                 struct shoal_cluster_result *result)
{
    float bounds[SHOAL_RFM][QUINTILES - 1], *scratch = malloc((count + 1) * sizeof *scratch);
    bool bought = true;
    if (!scratch)
        return SHOAL_NOMEM;
    for (size_t f = 0; f < SHOAL_RFM; f++)
        bought = find_bounds(learn, rows, count, f, scratch, bounds[f]) && bought;
    for (size_t i = 0; i < judge->count; i++) {
        const float *rfm = judge->rfm + i * SHOAL_RFM;
        result->labels[i] = 0;
        if (!bought || !(rfm[1] > 0))
            continue;
        size_t recency = QUINTILES - 1 - quintile(rfm[0], bounds[0]); /* the latest score highest */
        result->labels[i] = (uint8_t)(recency + quintile(rfm[1], bounds[1]) +
                                      quintile(rfm[2], bounds[2]));
    }
    result->clusters = SHOAL_RFM_SEGMENTS;
    result->space_size = SHOAL_RFM;
    rfm_space(judge, result->space);
    free(scratch);
    return SHOAL_OK;
}

enum shoal_status shoal_cluster_method_run(enum shoal_cluster_method method,
                                           const struct shoal_cluster_states *learn,
                                           const uint32_t *rows, size_t rows_count, size_t clusters,
                                           const struct shoal_idec_options *options,
                                           const struct shoal_cluster_states *judge,
                                           struct shoal_cluster_result *result)
{
    size_t count = rows ? rows_count : learn->count;
    result->clusters = clusters;
    switch (method) {
    case SHOAL_METHOD_idec:
        return run_idec(learn, rows, count, clusters, options, judge, result);
    case SHOAL_METHOD_kmeans:
        return run_kmeans(learn, rows, count, 0, clusters, options, judge, result);
    case SHOAL_METHOD_counters:
        return run_kmeans(learn, rows, count, learn->size - SHOAL_COUNTERS, clusters, options, judge,
                          result);
    case SHOAL_METHOD_rfm:
    case SHOAL_CLUSTER_METHODS:
        break;
    }
    return run_rfm(learn, rows, count, judge, result);
}
