/* SPDX-License-Identifier: Apache-2.0 */
/* Forward, backward, update; see autoencoder.h. */
#include "model/learn/autoencoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/learn/adamw.h"
#include "model/learn/principal.h"
#include "model/learn/random.h"

enum { BLOCK = 16, BATCH = SHOAL_AUTOENCODER_BATCH, CODE = SHOAL_CLUSTER_CODE, CODE_LAYER = 1 };

static size_t whole_blocks(size_t floats)
{
    return (floats + BLOCK - 1) / BLOCK * BLOCK;
}

static float *zeros(size_t floats)
{
    float *block = aligned_alloc(64, whole_blocks(floats) * sizeof *block);
    if (block)
        memset(block, 0, whole_blocks(floats) * sizeof *block);
    return block;
}

/* Sizes of the layers, and where they lie; the number of floats. */
static size_t lay_out(struct shoal_autoencoder *coder)
{
    const size_t sizes[] = {coder->inputs, SHOAL_CLUSTER_INNER, CODE, SHOAL_CLUSTER_INNER,
                            coder->inputs};
    size_t at = 0;
    for (size_t l = 0; l < SHOAL_AUTOENCODER_LAYERS; l++) {
        struct shoal_autoencoder_layer *layer = &coder->layers[l];
        layer->inputs = sizes[l];
        layer->outputs = sizes[l + 1];
        if (coder->values) {
            layer->weight = coder->values + at;
            layer->weight_gradient = coder->gradients + at;
        }
        at += whole_blocks(layer->inputs * layer->outputs);
        if (coder->values) {
            layer->bias = coder->values + at;
            layer->bias_gradient = coder->gradients + at;
        }
        at += whole_blocks(layer->outputs);
    }
    if (coder->values) {
        coder->centroids = coder->values + at;
        coder->centroid_gradients = coder->gradients + at;
    }
    return at + whole_blocks(SHOAL_CLUSTERS_MAX * CODE);
}

static void draw_weights(struct shoal_autoencoder *coder, uint64_t seed)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_AUTOENCODER), index = 0;
    for (size_t l = 0; l < SHOAL_AUTOENCODER_LAYERS; l++) {
        struct shoal_autoencoder_layer *layer = &coder->layers[l];
        float scale = sqrtf(6.0f / (float)layer->inputs);
        for (size_t i = 0; i < layer->inputs * layer->outputs; i++)
            layer->weight[i] = scale * (2 * shoal_random_uniform(key, index++) - 1);
    }
}

enum shoal_status shoal_autoencoder_init(struct shoal_autoencoder *coder, size_t inputs,
                                         uint64_t seed)
{
    *coder = (struct shoal_autoencoder){.inputs = inputs};
    coder->count = lay_out(coder);
    coder->values = zeros(coder->count);
    coder->gradients = zeros(coder->count);
    coder->m = zeros(coder->count);
    coder->v = zeros(coder->count);
    /* outputs of the four layers; gradients of the last, of an inner one and of the code */
    coder->work = zeros(BATCH * (2 * inputs + 3 * SHOAL_CLUSTER_INNER + 2 * CODE));
    if (!coder->values || !coder->gradients || !coder->m || !coder->v || !coder->work) {
        shoal_autoencoder_finish(coder);
        return SHOAL_NOMEM;
    }
    lay_out(coder);
    draw_weights(coder, seed);
    return SHOAL_OK;
}

enum shoal_status shoal_autoencoder_begin(struct shoal_autoencoder *coder, const float *points,
                                          size_t count)
{
    size_t inputs = coder->inputs, pairs = SHOAL_CLUSTER_INNER / 2;
    size_t wanted = inputs < pairs ? inputs : pairs;
    float *components = malloc(wanted * inputs * sizeof *components);
    enum shoal_status status =
        components ? shoal_principal(points, count, inputs, wanted, components) : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        memset(coder->layers[1].weight, 0, SHOAL_CLUSTER_INNER * CODE * sizeof(float));
        memset(coder->layers[3].weight, 0, SHOAL_CLUSTER_INNER * inputs * sizeof(float));
    }
    for (size_t k = 0; k < wanted && status == SHOAL_OK; k++)
        for (size_t sign = 0; sign < 2; sign++) {
            size_t unit = 2 * k + sign;
            float factor = sign ? -1 : 1;
            for (size_t d = 0; d < inputs; d++)
                coder->layers[0].weight[d * SHOAL_CLUSTER_INNER + unit] =
                    factor * components[k * inputs + d];
            if (k >= CODE) /* there to be learnt from */
                continue;
            coder->layers[1].weight[unit * CODE + k] = factor;
            for (size_t c = 0; c < CODE; c++)
                coder->layers[2].weight[c * SHOAL_CLUSTER_INNER + unit] = c == k ? factor : 0;
            for (size_t d = 0; d < inputs; d++)
                coder->layers[3].weight[unit * inputs + d] = factor * components[k * inputs + d];
        }
    free(components);
    return status;
}

void shoal_autoencoder_finish(struct shoal_autoencoder *coder)
{
    free(coder->values);
    free(coder->gradients);
    free(coder->m);
    free(coder->v);
    free(coder->work);
    *coder = (struct shoal_autoencoder){0};
}

/* out[count × outputs] = in · weight + bias, cut at zero where the layer is an inner one. */
static void forward(const struct shoal_autoencoder *coder, size_t index, const float *in,
                    size_t count, float *out)
{
    const struct shoal_autoencoder_layer *layer = &coder->layers[index];
    size_t outputs = layer->outputs;
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * outputs, layer->bias, outputs * sizeof *out);
    shoal_gemm(false, false, count, outputs, layer->inputs, 1, in, layer->inputs, layer->weight,
               outputs, 1, out, outputs);
    for (size_t i = 0; index % 2 == 0 && i < count * outputs; i++)
        out[i] = out[i] > 0 ? out[i] : 0;
}

/* Gradients of layer `index` from that of its output, and that of its input (NULL: not wanted), the latter
 * through the cut at zero of the layer before, whose output `in` is. */
static void backward(struct shoal_autoencoder *coder, size_t index, const float *in, size_t count,
                     const float *out_gradient, float *in_gradient)
{
    struct shoal_autoencoder_layer *layer = &coder->layers[index];
    size_t inputs = layer->inputs, outputs = layer->outputs;
    shoal_gemm(true, false, inputs, outputs, count, 1, in, inputs, out_gradient, outputs, 0,
               layer->weight_gradient, outputs);
    memset(layer->bias_gradient, 0, outputs * sizeof(float));
    for (size_t i = 0; i < count; i++)
        for (size_t o = 0; o < outputs; o++)
            layer->bias_gradient[o] += out_gradient[i * outputs + o];
    if (!in_gradient)
        return;
    shoal_gemm(false, true, count, inputs, outputs, 1, out_gradient, outputs, layer->weight, outputs,
               0, in_gradient, inputs);
    for (size_t i = 0; index % 2 == 1 && i < count * inputs; i++)
        in_gradient[i] = in[i] > 0 ? in_gradient[i] : 0;
}

void shoal_autoencoder_encode(struct shoal_autoencoder *coder, const float *points, size_t count,
                              float *codes)
{
    for (size_t i = 0; i < count; i += BATCH) {
        size_t rows = count - i < BATCH ? count - i : BATCH;
        forward(coder, 0, points + i * coder->inputs, rows, coder->work);
        forward(coder, CODE_LAYER, coder->work, rows, codes + i * CODE);
    }
}

/* 1/(1 + |z − μ_j|²) for all j; their sum. */
static float nearness(const struct shoal_autoencoder *coder, const float *code, float *near)
{
    float sum = 0;
    for (size_t j = 0; j < coder->clusters; j++) {
        float square = 0;
        for (size_t d = 0; d < CODE; d++) {
            float gap = code[d] - coder->centroids[j * CODE + d];
            square += gap * gap;
        }
        near[j] = 1 / (1 + square);
        sum += near[j];
    }
    return sum;
}

void shoal_autoencoder_shares(const struct shoal_autoencoder *coder, const float *codes, size_t count,
                              float *shares)
{
    for (size_t i = 0; i < count; i++) {
        float near[SHOAL_CLUSTERS_MAX], sum = nearness(coder, codes + i * CODE, near);
        for (size_t j = 0; j < coder->clusters; j++)
            shares[i * coder->clusters + j] = near[j] / sum;
    }
}

/* L_clu of the batch; γ times its gradients are added to that of the code and written to the centroids'. */
static double add_clustering(struct shoal_autoencoder *coder, const float *codes, size_t count,
                             const float *targets, float gamma, float *code_gradient)
{
    double loss = 0;
    float scale = 2 * gamma / (float)count;
    memset(coder->centroid_gradients, 0, SHOAL_CLUSTERS_MAX * CODE * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        const float *code = codes + i * CODE, *p = targets + i * coder->clusters;
        float near[SHOAL_CLUSTERS_MAX], sum = nearness(coder, code, near);
        for (size_t j = 0; j < coder->clusters; j++) {
            float q = near[j] / sum, factor = scale * near[j] * (p[j] - q);
            loss += p[j] > 0 ? (double)p[j] * log((double)p[j] / (double)q) : 0;
            for (size_t d = 0; d < CODE; d++) {
                float pull = factor * (code[d] - coder->centroids[j * CODE + d]);
                code_gradient[i * CODE + d] += pull;
                coder->centroid_gradients[j * CODE + d] -= pull;
            }
        }
    }
    return loss / (double)count;
}

struct shoal_autoencoder_loss shoal_autoencoder_gradients(struct shoal_autoencoder *coder,
                                                          const float *points, size_t count,
                                                          const float *targets, float gamma)
{
    struct shoal_autoencoder_loss loss = {0};
    size_t inputs = coder->inputs;
    float *inner = coder->work, *code = inner + BATCH * SHOAL_CLUSTER_INNER;
    float *outer = code + BATCH * CODE, *out = outer + BATCH * SHOAL_CLUSTER_INNER;
    float *out_gradient = out + BATCH * inputs, *inner_gradient = out_gradient + BATCH * inputs;
    float *code_gradient = inner_gradient + BATCH * SHOAL_CLUSTER_INNER;
    forward(coder, 0, points, count, inner);
    forward(coder, 1, inner, count, code);
    forward(coder, 2, code, count, outer);
    forward(coder, 3, outer, count, out);
    float scale = 2 / (float)(count * inputs);
    for (size_t i = 0; i < count * inputs; i++) {
        float gap = out[i] - points[i];
        loss.reconstruction += (double)gap * (double)gap;
        out_gradient[i] = scale * gap;
    }
    loss.reconstruction /= (double)(count * inputs);
    backward(coder, 3, outer, count, out_gradient, inner_gradient);
    backward(coder, 2, code, count, inner_gradient, code_gradient);
    if (targets)
        loss.clustering = add_clustering(coder, code, count, targets, gamma, code_gradient);
    backward(coder, 1, inner, count, code_gradient, inner_gradient);
    backward(coder, 0, points, count, inner_gradient, NULL);
    return loss;
}

void shoal_autoencoder_update(struct shoal_autoencoder *coder, float rate)
{
    struct shoal_adamw_options options = shoal_adamw_options_default();
    coder->step++;
    shoal_adamw_update_block(&options, coder->step, rate, 0, coder->values, coder->gradients,
                             coder->m, coder->v, coder->count);
}
