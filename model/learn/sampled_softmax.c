/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing rows, and the sampled softmax of one step; see sampled_softmax.h. */
#include "model/learn/sampled_softmax.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/learn/random.h"
#include "model/learn/softmax.h"

enum shoal_status shoal_support_init(struct shoal_support *support, const uint32_t *counts,
                                     size_t rows, double alpha)
{
    *support = (struct shoal_support){.rows = rows};
    support->share = malloc(rows * sizeof(float));
    support->drawn = malloc(rows * sizeof(float));
    support->up_to = malloc(rows * sizeof(float));
    if (!support->share || !support->drawn || !support->up_to) {
        shoal_support_finish(support);
        return SHOAL_NOMEM;
    }
    double sum = 0, drawn_sum = 0, reached = 0;
    for (size_t i = 0; i < rows; i++) {
        double count = counts[i] ? (double)counts[i] : 0.5;
        sum += count;
        drawn_sum += pow(count, alpha);
    }
    for (size_t i = 0; i < rows; i++) {
        double count = counts[i] ? (double)counts[i] : 0.5, drawn = pow(count, alpha) / drawn_sum;
        support->share[i] = (float)(count / sum);
        support->drawn[i] = (float)drawn;
        support->up_to[i] = (float)(reached += drawn);
    }
    return SHOAL_OK;
}

void shoal_support_finish(struct shoal_support *support)
{
    free(support->share);
    free(support->drawn);
    free(support->up_to);
    *support = (struct shoal_support){0};
}

void shoal_support_draw(const struct shoal_support *support, uint64_t key, uint64_t first,
                        uint32_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float u = shoal_random_uniform(key, first + i);
        size_t low = 0, high = support->rows - 1; /* the first row with u < up_to */
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (u < support->up_to[middle])
                high = middle;
            else
                low = middle + 1;
        }
        rows[i] = (uint32_t)low;
    }
}

static uint32_t candidate(const struct shoal_softmax_step *step, size_t c)
{
    return c < step->batch ? step->targets[c] : step->extras[c - step->batch];
}

/* candidates (C×W) and what is added to each one's logit: bias − log Q. Streams without a target offer a
 * candidate that nobody sees. */
static void gather(const struct shoal_softmax_step *step)
{
    size_t count = step->batch + step->extra;
    for (size_t c = 0; c < count; c++) {
        uint32_t row = candidate(step, c);
        float *to = step->candidates + c * step->width;
        step->corrections[c] = -INFINITY;
        if (row == SHOAL_NO_TARGET) {
            memset(to, 0, step->width * sizeof *to);
            continue;
        }
        memcpy(to, step->table + (size_t)row * step->width, step->width * sizeof *to);
        double expected = (double)step->batch * (double)step->support->share[row] +
                          (double)step->extra * (double)step->support->drawn[row];
        step->corrections[c] = step->bias[row] - (float)log(expected);
    }
}

/* logits (C) of stream b to weight·(softmax − 1[target]); its loss. */
static double learn_row(const struct shoal_softmax_step *step, size_t b, float *logits)
{
    size_t count = step->batch + step->extra;
    uint32_t target = step->targets[b];
    if (target == SHOAL_NO_TARGET || step->weights[b] == 0) {
        memset(logits, 0, count * sizeof *logits);
        return 0;
    }
    for (size_t c = 0; c < count; c++) {
        logits[c] += step->corrections[c];
        if (c != b && candidate(step, c) == target)
            logits[c] = -INFINITY;
    }
    return (double)step->weights[b] * shoal_softmax_row(logits, count, b, step->weights[b]);
}

static void scatter(const struct shoal_softmax_step *step, const float *gradient)
{
    size_t count = step->batch + step->extra;
    float *biases = step->corrections; /* no longer needed */
    memset(biases, 0, count * sizeof *biases);
    for (size_t b = 0; b < step->batch; b++)
        for (size_t c = 0; c < count; c++)
            biases[c] += step->logits[b * count + c];
    for (size_t c = 0; c < count; c++) {
        uint32_t row = candidate(step, c);
        if (row == SHOAL_NO_TARGET)
            continue;
        float *to = step->table_gradient + (size_t)row * step->width;
        for (size_t i = 0; i < step->width; i++)
            to[i] += gradient[c * step->width + i];
        step->bias_gradient[row] += biases[c];
    }
}

double shoal_softmax_step_run(const struct shoal_softmax_step *step)
{
    size_t batch = step->batch, count = batch + step->extra, width = step->width;
    float *gradient = step->candidates + count * width;
    double loss = 0;
    gather(step);
    shoal_gemm(false, true, batch, count, width, 1.0f, step->q, width, step->candidates, width, 0.0f,
               step->logits, count);
    for (size_t b = 0; b < batch; b++)
        loss += learn_row(step, b, step->logits + b * count);
    shoal_gemm(false, false, batch, width, count, 1.0f, step->logits, count, step->candidates, width,
               0.0f, step->dq, width);
    shoal_gemm(true, false, count, width, batch, 1.0f, step->logits, count, step->q, width, 0.0f,
               gradient, width);
    scatter(step, gradient);
    return loss;
}
