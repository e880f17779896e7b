/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW (Loshchilov & Hutter 2019): Adam with weight decay apart from the gradient, as PyTorch's
 * torch.optim.AdamW computes it, and clipping by the global norm as in its clip_grad_norm_.
 *
 *   w ← w − rate·decay·w                      (matrices only: no decay on biases and head_counters)
 *   m ← β1·m + (1 − β1)·g    v ← β2·v + (1 − β2)·g²
 *   w ← w − rate/(1 − β1^n)·m / (√v/√(1 − β2^n) + ε)
 *
 * Adam moves a row of a table that is met once as far as a weight that is met always. That is how a
 * network comes to know its users by what they looked at; hence the factor for the tables.
 */
#ifndef SHOAL_LEARN_ADAMW_H
#define SHOAL_LEARN_ADAMW_H

#include <stdint.h>

#include "model/params.h"

struct shoal_adamw_options {
    float beta1, beta2, epsilon;
    float weight_decay;
    float embedding_rate; /* factor of the learning rate for the item and category tables */
};

struct shoal_adamw {
    struct shoal_adamw_options options;
    struct shoal_params m, v; /* owned: first and second moment */
    uint64_t step;            /* n: updates done */
};

/* 0.9, 0.999, 1e-8, 0.01, 1 */
struct shoal_adamw_options shoal_adamw_options_default(void);
enum shoal_status shoal_adamw_init(struct shoal_adamw *adamw, const struct shoal_dims *dims,
                                   const struct shoal_adamw_options *options) SHOAL_MUST_CHECK;
void shoal_adamw_finish(struct shoal_adamw *adamw);
/* One update of `params` by `gradients`, with this learning rate. */
void shoal_adamw_update(struct shoal_adamw *adamw, struct shoal_params *params,
                        const struct shoal_params *gradients, float rate);

/* The same for `count` floats of any block (a multiple of 8, 32-byte aligned), as update number `step`. */
void shoal_adamw_update_block(const struct shoal_adamw_options *options, uint64_t step, float rate,
                              float decay, float *values, const float *gradients, float *m, float *v,
                              size_t count);

/* Euclidean norm of the whole block. */
double shoal_gradients_norm(const struct shoal_params *gradients);
/* Scales the gradients so that their norm is at most `norm_max`; returns the norm before. */
double shoal_gradients_clip(struct shoal_params *gradients, double norm_max);

#endif
