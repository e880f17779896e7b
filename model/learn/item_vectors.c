/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of targets forward and backward; see item_vectors.h.
 *
 *   P_p (B×W) = Σ_k α_k·e[ring_k]      Q (B×W) = H·Aᵀ + 1·aᵀ + Σ_p P_p·M_pᵀ
 *   dA = dQᵀ·H   dM_p = dQᵀ·P_p   dP_p = dQ·M_p
 *   dα_k = dP·e_k   de_k += α_k·dP   dpool_k = α_k·(dα_k − Σ α·dα) */
#include "model/learn/item_vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/learn/adamw.h"
#include "model/learn/random.h"
#include "model/learn/sampled_softmax.h"
#include "model/vmath.h"

enum { HEADS = SHOAL_ITEM_HEADS, ALIGNMENT = 64 };

/* The newest first. */
struct recents {
    size_t count;
    uint32_t items[SHOAL_RING_MAX];
    uint8_t places[SHOAL_RING_MAX], behaviors[SHOAL_RING_MAX], ages[SHOAL_RING_MAX];
};

struct shoal_item_learner {
    struct shoal_item_vectors_options options;
    struct shoal_adamw_options adamw;
    const struct shoal_dataset *dataset;
    const struct shoal_item_data *data;
    const struct shoal_item_targets *targets;
    const float *states;
    struct shoal_items *items;
    struct shoal_support support;
    size_t dense;                             /* floats of A, a, M and the tables */
    float *weights, *gradients, *m, *v;       /* dense each; owned */
    float *table_gradients, *table_m, *table_v; /* N×W; owned */
    float *bias, *bias_gradients;             /* N; owned */
    uint32_t *stamps, *touched;               /* N: batch that met the row; the rows; owned */
    size_t touched_count;
    uint64_t step;
    uint32_t *order;                          /* of the targets; owned */
    /* a batch: */
    struct recents *recents;                  /* B */
    float *alphas;                            /* B×HEADS×RING */
    float *inputs;                            /* B×H, then HEADS times B×W: after dropping */
    float *masks;                             /* of the same shape: 0, or 1/(1 − p) */
    float *q, *dq, *dpooled;                  /* B×W */
    float *candidates, *logits, *corrections; /* see sampled_softmax.h */
    uint32_t *batch_targets, *extras;
    float *batch_weights;
};

struct shoal_item_vectors_options shoal_item_vectors_options_default(void)
{
    return (struct shoal_item_vectors_options){
        .batch = 256,
        .negatives = 1024,
        .alpha = 0.5f,
        .rate = 3e-3f,
        .decay = 0.01f,
        .drop_events = 0.1f,
        .drop_inputs = 0.2f,
        .ring = SHOAL_RING_DEFAULT,
        .seed = 1,
    };
}

static float *floats(size_t count)
{
    size_t size = (count * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    float *made = aligned_alloc(ALIGNMENT, size);
    if (made)
        memset(made, 0, size);
    return made;
}

/* ---- what is learnt, in one block ------------------------------------------------------------- */

static float *state_of(const struct shoal_item_learner *learner, float *block)
{
    (void)learner;
    return block;
}

static float *offset_of(const struct shoal_item_learner *learner, float *block)
{
    return block + learner->items->width * learner->items->hidden;
}

static float *pooling_of(const struct shoal_item_learner *learner, float *block, int p)
{
    size_t width = learner->items->width;
    return offset_of(learner, block) + width + (size_t)p * width * width;
}

static struct shoal_item_table *pool_of(const struct shoal_item_learner *learner, float *block, int p)
{
    return (struct shoal_item_table *)(void *)(pooling_of(learner, block, HEADS) +
                                               p * SHOAL_ITEM_TABLE);
}

/* Small random numbers; M starts as the unit matrix, one head looks at the newest event, the other at all. */
static void draw_first(struct shoal_item_learner *learner)
{
    struct shoal_items *items = learner->items;
    uint64_t key = shoal_random_key(learner->options.seed, SHOAL_RANDOM_ITEMS);
    size_t width = items->width, count = items->count * width;
    float reach = 1 / sqrtf((float)width);
    for (size_t i = 0; i < count; i++)
        items->vectors[i] = (2 * shoal_random_uniform(key, i) - 1) * reach * 0.5f;
    float *state = state_of(learner, learner->weights);
    for (size_t i = 0; i < width * items->hidden; i++)
        state[i] = (2 * shoal_random_uniform(key, count + i) - 1) * reach * 0.2f;
    for (int p = 0; p < HEADS; p++)
        for (size_t i = 0; i < width; i++)
            pooling_of(learner, learner->weights, p)[i * width + i] = 1;
    for (size_t k = 0; k < SHOAL_RING_MAX; k++)
        pool_of(learner, learner->weights, 0)->place[k] = -0.5f * (float)k;
}

/* Into the catalogue, for both goals. */
static void hand_over(const struct shoal_item_learner *learner)
{
    struct shoal_items *items = learner->items;
    size_t width = items->width;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        struct shoal_item_asking *asking = &items->asking[g];
        memcpy(asking->state, state_of(learner, learner->weights),
               width * items->hidden * sizeof(float));
        memcpy(asking->offset, offset_of(learner, learner->weights), width * sizeof(float));
        memcpy(asking->pooling, pooling_of(learner, learner->weights, 0),
               HEADS * width * width * sizeof(float));
        for (int p = 0; p < HEADS; p++) {
            float *values = (float *)&asking->pool[p];
            asking->pool[p] = *pool_of(learner, learner->weights, p);
            for (size_t i = 0; i < SHOAL_ITEM_TABLE; i++)
                values[i] = fmaxf(-SHOAL_ITEM_TABLE_MAX, fminf(values[i], SHOAL_ITEM_TABLE_MAX));
        }
    }
}

/* ---- making ------------------------------------------------------------------------------------- */

static bool allocate(struct shoal_item_learner *learner)
{
    size_t rows = learner->items->count, width = learner->items->width;
    size_t hidden = learner->items->hidden, batch = learner->options.batch;
    size_t candidates = batch + learner->options.negatives;
    learner->dense = width * hidden + width + HEADS * width * width + HEADS * SHOAL_ITEM_TABLE;
    learner->dense = (learner->dense + 7) / 8 * 8;
    return (learner->weights = floats(learner->dense)) &&
           (learner->gradients = floats(learner->dense)) && (learner->m = floats(learner->dense)) &&
           (learner->v = floats(learner->dense)) &&
           (learner->table_gradients = floats(rows * width)) &&
           (learner->table_m = floats(rows * width)) && (learner->table_v = floats(rows * width)) &&
           (learner->bias = floats(rows)) && (learner->bias_gradients = floats(rows)) &&
           (learner->stamps = calloc(rows, sizeof *learner->stamps)) &&
           (learner->touched = calloc(rows, sizeof *learner->touched)) &&
           (learner->order = calloc(learner->targets->count + 1, sizeof *learner->order)) &&
           (learner->recents = calloc(batch, sizeof *learner->recents)) &&
           (learner->alphas = floats(batch * HEADS * SHOAL_RING_MAX)) &&
           (learner->inputs = floats(batch * (hidden + HEADS * width))) &&
           (learner->masks = floats(batch * (hidden + HEADS * width))) &&
           (learner->q = floats(batch * width)) && (learner->dq = floats(batch * width)) &&
           (learner->dpooled = floats(batch * width)) &&
           (learner->candidates = floats(2 * candidates * width)) &&
           (learner->logits = floats(batch * candidates)) &&
           (learner->corrections = floats(candidates)) &&
           (learner->batch_targets = calloc(batch, sizeof(uint32_t))) &&
           (learner->extras = calloc(learner->options.negatives + 1, sizeof(uint32_t))) &&
           (learner->batch_weights = floats(batch));
}

enum shoal_status shoal_item_learner_create(const struct shoal_item_vectors_options *options,
                                            const struct shoal_dataset *dataset,
                                            const struct shoal_item_data *data,
                                            const struct shoal_item_targets *targets,
                                            const float *states, struct shoal_items *items,
                                            struct shoal_item_learner **learner)
{
    struct shoal_item_learner *made = calloc(1, sizeof *made);
    *learner = NULL;
    if (!made)
        return SHOAL_NOMEM;
    made->options = *options;
    made->adamw = shoal_adamw_options_default();
    made->dataset = dataset;
    made->data = data;
    made->targets = targets;
    made->states = states;
    made->items = items;
    if (!allocate(made) ||
        shoal_support_init(&made->support, data->support, items->count, (double)options->alpha) !=
            SHOAL_OK) {
        shoal_item_learner_destroy(made);
        return SHOAL_NOMEM;
    }
    for (size_t j = 0; j < items->count; j++)
        made->bias[j] = logf(made->support.share[j]);
    draw_first(made);
    *learner = made;
    return SHOAL_OK;
}

void shoal_item_learner_destroy(struct shoal_item_learner *learner)
{
    if (!learner)
        return;
    void *owned[] = {learner->weights,        learner->gradients,      learner->m,
                     learner->v,              learner->table_gradients, learner->table_m,
                     learner->table_v,        learner->bias,           learner->bias_gradients,
                     learner->stamps,         learner->touched,        learner->order,
                     learner->recents,        learner->alphas,         learner->inputs,
                     learner->masks,          learner->q,              learner->dq,
                     learner->dpooled,        learner->candidates,     learner->logits,
                     learner->corrections,    learner->batch_targets,  learner->extras,
                     learner->batch_weights};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    shoal_support_finish(&learner->support);
    free(learner);
}

/* ---- a batch ------------------------------------------------------------------------------------ */

/* The catalogue's items among the recent events of a target; some are dropped. */
static void look_back(struct shoal_item_learner *learner, size_t target, uint64_t key,
                      struct recents *recents)
{
    const struct shoal_dataset *dataset = learner->dataset;
    size_t last = learner->targets->last[target];
    size_t first = dataset->first[dataset->owners[last]];
    recents->count = 0;
    for (size_t k = 0; k < learner->options.ring && first + k <= last; k++) {
        size_t event = last - k, at = recents->count;
        const struct shoal_touch *touch = &dataset->touches[event];
        if (learner->data->item_of[event] == SHOAL_NO_ITEM ||
            shoal_random_uniform(key, k) < learner->options.drop_events)
            continue;
        recents->items[at] = learner->data->item_of[event];
        recents->places[at] = (uint8_t)k;
        recents->behaviors[at] = touch->behavior;
        recents->ages[at] =
            (uint8_t)shoal_item_age(dataset->touches[last].time_ms - touch->time_ms);
        recents->count++;
    }
}

/* α and P of one head for one target. */
static void pool(const struct shoal_item_learner *learner, const struct shoal_item_table *table,
                 const struct recents *recents, float *alphas, float *pooled)
{
    size_t width = learner->items->width;
    float greatest = -INFINITY, sum = 0;
    memset(pooled, 0, width * sizeof *pooled);
    for (size_t k = 0; k < recents->count; k++) {
        alphas[k] = shoal_item_table_at(table, recents->places[k], recents->behaviors[k],
                                        recents->ages[k]);
        greatest = fmaxf(greatest, alphas[k]);
    }
    for (size_t k = 0; k < recents->count; k++)
        alphas[k] -= greatest;
    shoal_vexp(alphas, alphas, recents->count);
    for (size_t k = 0; k < recents->count; k++)
        sum += alphas[k];
    for (size_t k = 0; k < recents->count; k++) {
        const float *vector = learner->items->vectors + (size_t)recents->items[k] * width;
        alphas[k] /= sum;
        for (size_t i = 0; i < width; i++)
            pooled[i] += alphas[k] * vector[i];
    }
}

static void drop(const struct shoal_item_learner *learner, uint64_t key, float *values, float *masks,
                 size_t count)
{
    float share = learner->options.drop_inputs, kept = 1 / (1 - share);
    for (size_t i = 0; i < count; i++) {
        masks[i] = shoal_random_uniform(key, i) < share ? 0 : kept;
        values[i] *= masks[i];
    }
}

static float *pooled_of(const struct shoal_item_learner *learner, float *block, int p)
{
    size_t batch = learner->options.batch;
    return block + batch * learner->items->hidden + (size_t)p * batch * learner->items->width;
}

/* Fills inputs, masks, alphas, q for `count` targets. */
static void forward(struct shoal_item_learner *learner, const uint32_t *which, size_t count,
                    uint64_t key)
{
    const struct shoal_items *items = learner->items;
    size_t width = items->width, hidden = items->hidden;
    for (size_t b = 0; b < count; b++) {
        uint64_t own = shoal_random_at(key, which[b]);
        look_back(learner, which[b], own, &learner->recents[b]);
        memcpy(learner->inputs + b * hidden, learner->states + which[b] * hidden,
               hidden * sizeof(float));
        drop(learner, own + 1, learner->inputs + b * hidden, learner->masks + b * hidden, hidden);
        for (int p = 0; p < HEADS; p++) {
            float *pooled = pooled_of(learner, learner->inputs, p) + b * width;
            pool(learner, pool_of(learner, learner->weights, p), &learner->recents[b],
                 learner->alphas + (b * HEADS + (size_t)p) * SHOAL_RING_MAX, pooled);
            drop(learner, own + 2 + (uint64_t)p, pooled,
                 pooled_of(learner, learner->masks, p) + b * width, width);
        }
        memcpy(learner->q + b * width, offset_of(learner, learner->weights), width * sizeof(float));
    }
    shoal_gemm(false, true, count, width, hidden, 1, learner->inputs, hidden,
               state_of(learner, learner->weights), hidden, 1, learner->q, width);
    for (int p = 0; p < HEADS; p++)
        shoal_gemm(false, true, count, width, width, 1, pooled_of(learner, learner->inputs, p), width,
                   pooling_of(learner, learner->weights, p), width, 1, learner->q, width);
}

static void touch_row(struct shoal_item_learner *learner, uint32_t row)
{
    if (learner->stamps[row] == (uint32_t)learner->step)
        return;
    learner->stamps[row] = (uint32_t)learner->step;
    learner->touched[learner->touched_count++] = row;
}

/* From dP (W) of one target and head to its vectors and the head's table. */
static void pool_back(struct shoal_item_learner *learner, const struct recents *recents,
                      const float *alphas, const float *dpooled, struct shoal_item_table *gradient)
{
    size_t width = learner->items->width;
    float back[SHOAL_RING_MAX], mean = 0;
    for (size_t k = 0; k < recents->count; k++) {
        size_t at = (size_t)recents->items[k] * width;
        float *to = learner->table_gradients + at;
        back[k] = shoal_dot(dpooled, learner->items->vectors + at, width);
        mean += alphas[k] * back[k];
        touch_row(learner, recents->items[k]);
        for (size_t i = 0; i < width; i++)
            to[i] += alphas[k] * dpooled[i];
    }
    for (size_t k = 0; k < recents->count; k++) {
        float g = alphas[k] * (back[k] - mean);
        gradient->place[recents->places[k]] += g;
        gradient->behavior[recents->behaviors[k]] += g;
        gradient->age[recents->ages[k]] += g;
    }
}

static void backward(struct shoal_item_learner *learner, size_t count)
{
    const struct shoal_items *items = learner->items;
    size_t width = items->width, hidden = items->hidden;
    memset(learner->gradients, 0, learner->dense * sizeof(float));
    shoal_gemm(true, false, width, hidden, count, 1, learner->dq, width, learner->inputs, hidden, 0,
               state_of(learner, learner->gradients), hidden);
    float *offset = offset_of(learner, learner->gradients);
    for (size_t b = 0; b < count; b++)
        for (size_t i = 0; i < width; i++)
            offset[i] += learner->dq[b * width + i];
    for (int p = 0; p < HEADS; p++) {
        shoal_gemm(true, false, width, width, count, 1, learner->dq, width,
                   pooled_of(learner, learner->inputs, p), width, 0,
                   pooling_of(learner, learner->gradients, p), width);
        shoal_gemm(false, false, count, width, width, 1, learner->dq, width,
                   pooling_of(learner, learner->weights, p), width, 0, learner->dpooled, width);
        const float *masks = pooled_of(learner, learner->masks, p);
        for (size_t i = 0; i < count * width; i++)
            learner->dpooled[i] *= masks[i];
        for (size_t b = 0; b < count; b++)
            pool_back(learner, &learner->recents[b],
                      learner->alphas + (b * HEADS + (size_t)p) * SHOAL_RING_MAX,
                      learner->dpooled + b * width, pool_of(learner, learner->gradients, p));
    }
}

static double loss_of(struct shoal_item_learner *learner, const uint32_t *which, size_t count,
                      uint64_t key)
{
    for (size_t b = 0; b < count; b++) {
        learner->batch_targets[b] = learner->targets->items[which[b]];
        learner->batch_weights[b] = 1.0f / (float)count;
        touch_row(learner, learner->batch_targets[b]);
    }
    shoal_support_draw(&learner->support, key, learner->step * learner->options.negatives,
                       learner->extras, learner->options.negatives);
    for (size_t i = 0; i < learner->options.negatives; i++)
        touch_row(learner, learner->extras[i]);
    const struct shoal_softmax_step step = {
        .batch = count,
        .extra = learner->options.negatives,
        .width = learner->items->width,
        .table = learner->items->vectors,
        .bias = learner->bias,
        .table_gradient = learner->table_gradients,
        .bias_gradient = learner->bias_gradients,
        .support = &learner->support,
        .targets = learner->batch_targets,
        .extras = learner->extras,
        .weights = learner->batch_weights,
        .q = learner->q,
        .dq = learner->dq,
        .candidates = learner->candidates,
        .logits = learner->logits,
        .corrections = learner->corrections,
    };
    return shoal_softmax_step_run(&step);
}

static void update(struct shoal_item_learner *learner, float rate)
{
    size_t width = learner->items->width;
    float decay = rate * learner->options.decay;
    shoal_adamw_update_block(&learner->adamw, learner->step, rate, decay, learner->weights,
                             learner->gradients, learner->m, learner->v, learner->dense);
    for (size_t i = 0; i < learner->touched_count; i++) {
        size_t at = (size_t)learner->touched[i] * width;
        shoal_adamw_update_block(&learner->adamw, learner->step, rate, decay,
                                 learner->items->vectors + at, learner->table_gradients + at,
                                 learner->table_m + at, learner->table_v + at, width);
        memset(learner->table_gradients + at, 0, width * sizeof(float));
    }
    learner->touched_count = 0;
}

/* Fisher-Yates by the epoch's key. */
static void shuffle(struct shoal_item_learner *learner, uint64_t key)
{
    size_t count = learner->targets->count;
    for (size_t i = 0; i < count; i++)
        learner->order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        uint32_t other = shoal_random_below(key, i, (uint32_t)i), moved = learner->order[i - 1];
        learner->order[i - 1] = learner->order[other];
        learner->order[other] = moved;
    }
}

double shoal_item_learner_epoch(struct shoal_item_learner *learner, uint32_t epoch, double share,
                                double share_after)
{
    uint64_t key = shoal_random_at(
        shoal_random_key(learner->options.seed, SHOAL_RANDOM_ITEMS) ^ 0x5eed, epoch);
    size_t count = learner->targets->count, batch = learner->options.batch;
    double loss = 0, batches = 0;
    shuffle(learner, key);
    for (size_t at = 0; at < count; at += batch) {
        size_t size = count - at < batch ? count - at : batch;
        double done = share + (share_after - share) * (double)at / (double)count;
        learner->step++;
        forward(learner, learner->order + at, size, key);
        loss += loss_of(learner, learner->order + at, size, key + 1);
        backward(learner, size);
        update(learner, learner->options.rate * (float)(1 - 0.9 * done));
        batches++;
    }
    hand_over(learner);
    return batches > 0 ? loss / batches : 0;
}
