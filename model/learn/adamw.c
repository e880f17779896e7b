/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW over the block of parameters, tensor by tensor; see adamw.h. The gaps between tensors are
 * zero in all blocks and stay so. */
#include "model/learn/adamw.h"

#include <math.h>
#include <stdbool.h>

#include "model/vmath_lanes.h"

enum { BLOCK_FLOATS = 16 }; /* every tensor starts on a multiple of this */

struct shoal_adamw_options shoal_adamw_options_default(void)
{
    return (struct shoal_adamw_options){
        .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f, .weight_decay = 0.01f, .embedding_rate = 1};
}

enum shoal_status shoal_adamw_init(struct shoal_adamw *adamw, const struct shoal_dims *dims,
                                   const struct shoal_adamw_options *options)
{
    *adamw = (struct shoal_adamw){.options = *options};
    if (shoal_params_init(&adamw->m, dims) != SHOAL_OK ||
        shoal_params_init(&adamw->v, dims) != SHOAL_OK) {
        shoal_adamw_finish(adamw);
        return SHOAL_NOMEM;
    }
    return SHOAL_OK;
}

void shoal_adamw_finish(struct shoal_adamw *adamw)
{
    shoal_params_finish(&adamw->m);
    shoal_params_finish(&adamw->v);
}

/* Biases move an output as a whole, and head_counters starts from a fitted regression: neither is
 * pulled to zero. */
static bool decays(enum shoal_tensor tensor)
{
    return tensor != SHOAL_TENSOR_gates_bias && tensor != SHOAL_TENSOR_head_bias &&
           tensor != SHOAL_TENSOR_head_counters;
}

static bool is_table(enum shoal_tensor tensor)
{
    return tensor == SHOAL_TENSOR_item_embedding || tensor == SHOAL_TENSOR_category_embedding;
}

static v8 square_root(v8 values)
{
    for (int lane = 0; lane < V8_WIDTH; lane++)
        values[lane] = sqrtf(values[lane]);
    return values;
}

void shoal_adamw_update_block(const struct shoal_adamw_options *options, uint64_t step, float rate,
                              float decay, float *values, const float *gradients, float *m, float *v,
                              size_t count)
{
    double n = (double)step;
    double correction1 = 1 - pow((double)options->beta1, n);
    double correction2 = 1 - pow((double)options->beta2, n);
    v8 beta1 = v8_set(options->beta1), beta2 = v8_set(options->beta2);
    v8 rest1 = v8_set(1.0f) - beta1, rest2 = v8_set(1.0f) - beta2;
    v8 epsilon = v8_set(options->epsilon), shrink = v8_set(1 - decay);
    v8 length = v8_set((float)((double)rate / correction1));
    v8 root = v8_set((float)(1 / sqrt(correction2)));
    for (size_t i = 0; i < count; i += V8_WIDTH) {
        v8 g = v8_load(gradients + i);
        v8 m_now = beta1 * v8_load(m + i) + rest1 * g;
        v8 v_now = beta2 * v8_load(v + i) + rest2 * g * g;
        v8 w = v8_load(values + i) * shrink;
        w -= length * m_now / (square_root(v_now) * root + epsilon);
        v8_store(m + i, m_now);
        v8_store(v + i, v_now);
        v8_store(values + i, w);
    }
}

void shoal_adamw_update(struct shoal_adamw *adamw, struct shoal_params *params,
                        const struct shoal_params *gradients, float rate)
{
    adamw->step++;
    for (unsigned t = 0; t < SHOAL_TENSOR_COUNT; t++) {
        enum shoal_tensor tensor = (enum shoal_tensor)t;
        struct shoal_tensor_info info = shoal_params_tensor(&params->dims, tensor);
        size_t floats = info.rows * info.columns, at = info.offset;
        floats = (floats + BLOCK_FLOATS - 1) / BLOCK_FLOATS * BLOCK_FLOATS;
        float here = is_table(tensor) ? rate * adamw->options.embedding_rate : rate;
        shoal_adamw_update_block(&adamw->options, adamw->step, here,
                                 decays(tensor) ? rate * adamw->options.weight_decay : 0,
                                 params->block + at, gradients->block + at, adamw->m.block + at,
                                 adamw->v.block + at, floats);
    }
}

double shoal_gradients_norm(const struct shoal_params *gradients)
{
    double sum = 0;
    for (size_t i = 0; i < gradients->count; i++)
        sum += (double)gradients->block[i] * (double)gradients->block[i];
    return sqrt(sum);
}

double shoal_gradients_clip(struct shoal_params *gradients, double norm_max)
{
    double norm = shoal_gradients_norm(gradients);
    float scale = (float)(norm_max / (norm + 1e-6));
    if (scale < 1)
        for (size_t i = 0; i < gradients->count; i++)
            gradients->block[i] *= scale;
    return norm;
}
