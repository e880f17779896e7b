/* SPDX-License-Identifier: Apache-2.0 */
/* Deep clustering; see idec.h. */
#include "model/learn/idec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/kmeans.h"
#include "model/learn/random.h"

enum { BATCH = SHOAL_AUTOENCODER_BATCH, CODE = SHOAL_CLUSTER_CODE, KMEANS_ITERATIONS = 100 };

_Static_assert((int)SHOAL_CLUSTERS_MAX <= (int)SHOAL_KMEANS_MAX, "k-means begins every clustering");

struct shoal_idec_options shoal_idec_options_default(void)
{
    return (struct shoal_idec_options){
        .gamma = 0.1f,
        .pretrain_rate = 0.0003f,
        .rate = 0.001f,
        .pretrain_epochs = 8,
        .epochs = 80,
        .steps_max = 2000,
        .refresh_steps = 100,
        .tolerance = 0.001f,
        .restarts = 8,
        .seed = 1,
    };
}

/* Batches of points drawn without return; when all have been had, in a new order. */
struct batches {
    const float *points;
    size_t count, size, next;
    uint64_t key, drawn;
    uint32_t *order;
    float *rows;    /* of the batch, side by side */
    float *targets; /* the same, K each */
};

static enum shoal_status batches_init(struct batches *batches, const float *points, size_t count,
                                      size_t size, uint64_t seed)
{
    *batches = (struct batches){
        .points = points,
        .count = count,
        .size = size,
        .next = count,
        .key = shoal_random_key(seed, SHOAL_RANDOM_SHUFFLE),
        .order = malloc(count * sizeof *batches->order),
        .rows = malloc(BATCH * size * sizeof *batches->rows),
        .targets = malloc(BATCH * SHOAL_CLUSTERS_MAX * sizeof *batches->targets),
    };
    for (size_t i = 0; batches->order && i < count; i++)
        batches->order[i] = (uint32_t)i;
    return batches->order && batches->rows && batches->targets ? SHOAL_OK : SHOAL_NOMEM;
}

static void batches_finish(struct batches *batches)
{
    free(batches->order);
    free(batches->rows);
    free(batches->targets);
}

/* The next batch into `rows`, and its rows of targets[count × clusters] (may be NULL); its size. */
static size_t batches_take(struct batches *batches, const float *targets, size_t clusters)
{
    if (batches->next >= batches->count) {
        for (size_t i = batches->count - 1; i > 0; i--) {
            uint32_t other = shoal_random_below(batches->key, batches->drawn++, (uint32_t)i + 1);
            uint32_t swapped = batches->order[i];
            batches->order[i] = batches->order[other];
            batches->order[other] = swapped;
        }
        batches->next = 0;
    }
    size_t left = batches->count - batches->next, rows = left < BATCH ? left : BATCH;
    for (size_t r = 0; r < rows; r++) {
        size_t i = batches->order[batches->next + r];
        memcpy(batches->rows + r * batches->size, batches->points + i * batches->size,
               batches->size * sizeof(float));
        if (targets)
            memcpy(batches->targets + r * clusters, targets + i * clusters,
                   clusters * sizeof(float));
    }
    batches->next += rows;
    return rows;
}

/* Updates in so many epochs, within what is allowed. */
static uint32_t steps_in(const struct shoal_idec_options *options, uint32_t epochs, size_t count)
{
    uint64_t steps = (uint64_t)epochs * ((count + BATCH - 1) / BATCH);
    return steps < options->steps_max ? (uint32_t)steps : options->steps_max;
}

/* Pre-training is taken for a third of the work. */
static void tell(const struct shoal_idec_options *options, bool joint, uint32_t done, uint32_t steps)
{
    if (options->progress)
        options->progress(options->context,
                          ((joint ? 1 : 0) + (joint ? 2 : 1) * (double)done / steps) / 3);
}

/* L_rec over all points, batch by batch. */
static double loss_of(struct shoal_autoencoder *coder, const float *points, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i += BATCH) {
        size_t rows = count - i < BATCH ? count - i : BATCH;
        sum += (double)rows * shoal_autoencoder_gradients(coder, points + i * coder->inputs, rows,
                                                          NULL, 0)
                                  .reconstruction;
    }
    return sum / (double)count;
}

enum shoal_status shoal_idec_pretrain(const float *points, size_t count, size_t size,
                                      const struct shoal_idec_options *options,
                                      struct shoal_autoencoder *coder, double *loss)
{
    struct batches batches = {0};
    enum shoal_status status = shoal_autoencoder_init(coder, size, options->seed);
    if (status == SHOAL_OK)
        status = shoal_autoencoder_begin(coder, points, count);
    if (status == SHOAL_OK)
        status = batches_init(&batches, points, count, size, options->seed);
    uint32_t steps = steps_in(options, options->pretrain_epochs, count);
    for (uint32_t step = 0; status == SHOAL_OK && step < steps; step++) {
        size_t rows = batches_take(&batches, NULL, 0);
        /* the rate falls to a tenth over the last half */
        float left = 2 * (1 - (float)step / (float)steps);
        shoal_autoencoder_gradients(coder, batches.rows, rows, NULL, 0);
        shoal_autoencoder_update(coder, options->pretrain_rate * fminf(1, fmaxf(0.1f, left)));
        if (step % 64 == 0)
            tell(options, false, step, steps);
    }
    if (status == SHOAL_OK)
        *loss = loss_of(coder, points, count);
    else
        shoal_autoencoder_finish(coder);
    batches_finish(&batches);
    return status;
}

void shoal_idec_targets(const float *shares, size_t count, size_t clusters, float *targets)
{
    double frequency[SHOAL_CLUSTERS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < clusters; j++)
            frequency[j] += (double)shares[i * clusters + j];
    for (size_t i = 0; i < count; i++) {
        double sharp[SHOAL_CLUSTERS_MAX], sum = 0;
        for (size_t j = 0; j < clusters; j++) {
            double q = (double)shares[i * clusters + j];
            sharp[j] = q * q / frequency[j];
            sum += sharp[j];
        }
        for (size_t j = 0; j < clusters; j++)
            targets[i * clusters + j] = (float)(sharp[j] / sum);
    }
}

/* What is kept of all points between two steps. */
struct look {
    float *codes, *shares, *targets;
};

/* Codes, shares and targets of all points; the share of those whose label has changed. */
static double refresh(struct shoal_autoencoder *coder, const float *points, size_t count,
                      struct look *look, uint8_t *labels)
{
    size_t clusters = coder->clusters, moved = 0;
    shoal_autoencoder_encode(coder, points, count, look->codes);
    shoal_autoencoder_shares(coder, look->codes, count, look->shares);
    shoal_idec_targets(look->shares, count, clusters, look->targets);
    for (size_t i = 0; i < count; i++) {
        const float *q = look->shares + i * clusters;
        uint8_t best = 0;
        for (size_t j = 1; j < clusters; j++)
            if (q[j] > q[best])
                best = (uint8_t)j;
        moved += best != labels[i];
        labels[i] = best;
    }
    return (double)moved / (double)count;
}

/* k-means in the code gives the first centroids and labels. */
static enum shoal_status begin(struct shoal_autoencoder *coder, const float *points, size_t count,
                               const struct shoal_idec_options *options, struct look *look,
                               uint8_t *labels)
{
    struct shoal_kmeans_options kmeans = {
        .clusters = coder->clusters,
        .restarts = options->restarts,
        .iterations = KMEANS_ITERATIONS,
        .seed = options->seed,
    };
    double inertia;
    shoal_autoencoder_encode(coder, points, count, look->codes);
    memset(coder->m, 0, coder->count * sizeof(float));
    memset(coder->v, 0, coder->count * sizeof(float));
    coder->step = 0;
    return shoal_kmeans(look->codes, count, CODE, &kmeans, coder->centroids, labels, &inertia);
}

static void join(struct shoal_autoencoder *coder, const float *points, size_t count,
                 const struct shoal_idec_options *options, struct look *look,
                 struct batches *batches, uint8_t *labels, struct shoal_idec_report *report)
{
    uint32_t steps = steps_in(options, options->epochs, count);
    for (uint32_t step = 0; step < steps; step++) {
        if (step % options->refresh_steps == 0) {
            report->moved = refresh(coder, points, count, look, labels);
            report->settled = step > 0 && report->moved < (double)options->tolerance;
            if (report->settled)
                return;
            tell(options, true, step, steps);
        }
        size_t rows = batches_take(batches, look->targets, coder->clusters);
        float left = 2 * (1 - (float)step / (float)steps);
        report->loss = shoal_autoencoder_gradients(coder, batches->rows, rows, batches->targets,
                                                   options->gamma);
        shoal_autoencoder_update(coder, options->rate * fminf(1, fmaxf(0.1f, left)));
        report->steps++;
    }
    report->moved = refresh(coder, points, count, look, labels);
}

enum shoal_status shoal_idec_cluster(struct shoal_autoencoder *coder, const float *points,
                                     size_t count, size_t clusters,
                                     const struct shoal_idec_options *options, uint8_t *labels,
                                     struct shoal_idec_report *report)
{
    struct look look = {
        .codes = malloc(count * CODE * sizeof(float)),
        .shares = malloc(count * clusters * sizeof(float)),
        .targets = malloc(count * clusters * sizeof(float)),
    };
    struct batches batches = {0};
    *report = (struct shoal_idec_report){0};
    coder->clusters = clusters;
    enum shoal_status status =
        look.codes && look.shares && look.targets ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = batches_init(&batches, points, count, coder->inputs, options->seed + 1);
    if (status == SHOAL_OK)
        status = begin(coder, points, count, options, &look, labels);
    if (status == SHOAL_OK)
        join(coder, points, count, options, &look, &batches, labels, report);
    batches_finish(&batches);
    free(look.codes);
    free(look.shares);
    free(look.targets);
    return status;
}
