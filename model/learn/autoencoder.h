/* SPDX-License-Identifier: Apache-2.0 */
/* The autoencoder of IDEC (Guo, Gao, Liu, Yin 2017), with the loss on the clusters of its code (Xie, Girshick,
 * Farhadi 2016) and all gradients. The encoder is that of cluster_parts.h.
 *
 *   x (V) → max(0, ·) (E) → z (C) → max(0, ·) (E) → x̂ (V)      E = 32, C = 8
 *
 *   L_rec = 1/(B·V) Σ_i |x_i − x̂_i|²
 *   L_clu = 1/B Σ_i Σ_j p_ij ln(p_ij/q_ij),  q by Student's t of z_i and the centroids μ_j
 *   L     = L_rec + γ·L_clu
 *
 *   ∂L_clu/∂z_i = 2/B Σ_j (1 + |z_i − μ_j|²)⁻¹ (p_ij − q_ij)(z_i − μ_j),   ∂/∂μ_j the same with −Σ_i
 *
 * All parameters, the centroids included, lie in one block, as do their gradients and moments. */
#ifndef SHOAL_LEARN_AUTOENCODER_H
#define SHOAL_LEARN_AUTOENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/cluster_parts.h"

enum { SHOAL_AUTOENCODER_LAYERS = 4, SHOAL_AUTOENCODER_BATCH = 256 };

struct shoal_autoencoder_layer {
    size_t inputs, outputs;
    float *weight; /* inputs × outputs, into `values` */
    float *bias;   /* outputs */
    float *weight_gradient, *bias_gradient; /* into `gradients` */
};

struct shoal_autoencoder {
    size_t inputs;                       /* V */
    size_t clusters;                     /* K; 0: none yet */
    float *values, *gradients, *m, *v;   /* owned; `count` floats each, 64-byte aligned */
    size_t count;
    uint64_t step;                       /* updates done */
    struct shoal_autoencoder_layer layers[SHOAL_AUTOENCODER_LAYERS];
    float *centroids, *centroid_gradients; /* K × C, into values and gradients */
    float *work;                         /* owned; activations and their gradients of a batch */
};

/* Weights by He et al. 2015 from `seed`, biases zero. NOMEM: zeroed. */
enum shoal_status shoal_autoencoder_init(struct shoal_autoencoder *coder, size_t inputs,
                                         uint64_t seed) SHOAL_MUST_CHECK;
void shoal_autoencoder_finish(struct shoal_autoencoder *coder);
/* Makes it begin as the projection of points[count × V] to their first C principal components and back: a pair of
 * inner units, one for each sign, carries a component through the cut at zero. Where training begins then depends on
 * the points instead of chance, and so, mostly, do the clusters. NOMEM. */
enum shoal_status shoal_autoencoder_begin(struct shoal_autoencoder *coder, const float *points,
                                          size_t count) SHOAL_MUST_CHECK;
/* codes[count × C] of points[count × V]. */
void shoal_autoencoder_encode(struct shoal_autoencoder *coder, const float *points, size_t count,
                              float *codes);
/* q[count × K] of codes. */
void shoal_autoencoder_shares(const struct shoal_autoencoder *coder, const float *codes, size_t count,
                              float *shares);

struct shoal_autoencoder_loss {
    double reconstruction, clustering; /* L_rec, L_clu (0 without targets) */
};
/* L of a batch of `count` ≤ SHOAL_AUTOENCODER_BATCH points, and its gradients in coder->gradients.
 * targets: p[count × K], or NULL: L_rec alone. */
struct shoal_autoencoder_loss shoal_autoencoder_gradients(struct shoal_autoencoder *coder,
                                                          const float *points, size_t count,
                                                          const float *targets, float gamma);
/* One step of AdamW by the gradients, without weight decay. */
void shoal_autoencoder_update(struct shoal_autoencoder *coder, float rate);

#endif
