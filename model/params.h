/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters: names and shapes from one list, all tensors in one aligned block of floats, so that
 * gradients and optimiser moments are further blocks of the same layout.
 *
 * Letters: B users in a batch, T steps, H hidden units, D inputs of a step, K decayed counters,
 * R rows of an embedding table, W its width. Row-major everywhere.
 *
 *   x_t (D) = [ item_embedding[row] | category_embedding[row] | behavior_embedding[b] | numeric ]
 *   z_t (4H) = [x_t | h_{t-1}] · gates_weight + gates_bias,   gate order i, f, g, o
 *   c_t = σ(f)∘c_{t-1} + σ(i)∘tanh(g),   h_t = σ(o)∘tanh(c_t)
 *   logit_n = head_hidden[n]·h_t + head_counters[n]·((log1p(rates_t) − mean)/deviation) + head_bias[n]
 *   for each task n (tasks.h); rates_t by shoal_counters_rates from the decayed counters
 */
#ifndef SHOAL_PARAMS_H
#define SHOAL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/counters.h"
#include "model/tasks.h"

enum {
    SHOAL_NUMERIC = 8, /* numeric inputs of a step, see features.h */
    SHOAL_HIDDEN_MAX = 512,
};

struct shoal_dims {
    uint32_t hidden;           /* H: 16 … 512, a multiple of 8 */
    uint32_t item_buckets;     /* rows of the item table; row = item hash mod buckets */
    uint32_t item_width;
    uint32_t category_buckets; /* row 0 is "no category"; row = 1 + hash mod (buckets − 1) */
    uint32_t category_width;
    uint32_t behavior_width;
    uint32_t ring;             /* recent events kept a user, 1 … SHOAL_RING_MAX */
};

/* H 64, items 4096×16, categories 1024×16, behaviour width 8, ring 16: D = 48, K of the GEMM 112 */
struct shoal_dims shoal_dims_default(void);
/* SHOAL_INVALID with the reason if a dimension is out of range. */
enum shoal_status shoal_dims_check(const struct shoal_dims *dims, struct shoal_message *message);
/* D = item_width + category_width + behavior_width + SHOAL_NUMERIC */
size_t shoal_dims_inputs(const struct shoal_dims *dims);

/*  X(field, rows, columns), in terms of `d` (struct shoal_dims *) */
#define SHOAL_PARAMS_LIST(X)                                                                       \
    X(item_embedding, d->item_buckets, d->item_width)                                              \
    X(category_embedding, d->category_buckets, d->category_width)                                  \
    X(behavior_embedding, SHOAL_BEHAVIOR_COUNT, d->behavior_width)                                 \
    X(gates_weight, shoal_dims_inputs(d) + d->hidden, 4 * (size_t)d->hidden)                       \
    X(gates_bias, 1, 4 * (size_t)d->hidden)                                                        \
    X(head_hidden, SHOAL_TASKS, d->hidden)                                                         \
    X(head_counters, SHOAL_TASKS, SHOAL_COUNTERS)                                                  \
    X(head_bias, 1, SHOAL_TASKS)

enum shoal_tensor {
#define X(field, rows, columns) SHOAL_TENSOR_##field,
    SHOAL_PARAMS_LIST(X)
#undef X
        SHOAL_TENSOR_COUNT
};

struct shoal_params {
    struct shoal_dims dims;
    float *block;     /* owned; 64-byte aligned; every tensor starts on 64 bytes, gaps are zero */
    size_t count;     /* floats in the block */
#define X(field, rows, columns) float *field; /* into block */
    SHOAL_PARAMS_LIST(X)
#undef X
};

struct shoal_tensor_info {
    const char *name;
    size_t rows, columns;
    size_t offset; /* floats from the block's start */
};

/* Allocates a zeroed block; dims must have been checked. On failure `params` is zeroed. */
enum shoal_status shoal_params_init(struct shoal_params *params, const struct shoal_dims *dims)
    SHOAL_MUST_CHECK;
void shoal_params_finish(struct shoal_params *params);
struct shoal_tensor_info shoal_params_tensor(const struct shoal_dims *dims,
                                             enum shoal_tensor tensor);

#endif
