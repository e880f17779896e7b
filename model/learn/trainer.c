/* SPDX-License-Identifier: Apache-2.0 */
/* A network's start and its epochs; see trainer.h. */
#include "model/learn/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/labels.h"
#include "model/learn/random.h"
#include "model/learn/streams.h"
#include "model/vmath.h"

/* values[i] uniform in ±bound */
static void draw(float *values, size_t count, float bound, uint64_t key, uint64_t first)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (2 * shoal_random_uniform(key, first + i) - 1) * bound;
}

/* Embeddings small, so that an item never seen is nearly no item; weights as PyTorch's LSTM draws
 * them (±1/√H); forget gates open (Jozefowicz et al. 2015); the head as in trainer.h. */
static void start_params(struct shoal_params *params, uint64_t seed,
                         const struct shoal_regression *regression)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_INIT);
    size_t hidden = params->dims.hidden;
    for (unsigned t = 0; t <= SHOAL_TENSOR_gates_weight; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(&params->dims, (enum shoal_tensor)t);
        float bound = t == SHOAL_TENSOR_gates_weight     ? 1.0f / sqrtf((float)hidden)
                      : t == SHOAL_TENSOR_behavior_embedding ? 0.5f
                                                             : 0.02f;
        draw(params->block + info.offset, info.rows * info.columns, bound, key, info.offset);
    }
    for (size_t j = 0; j < hidden; j++)
        params->gates_bias[hidden + j] = 1;
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        params->head_counters[k] = (float)regression->weights[k];
    params->head_bias[0] = (float)regression->bias;
}

/* The same float32 arithmetic as the served step's. */
static void standardise(struct shoal_trainer *trainer, const struct shoal_regression *regression)
{
    size_t count = trainer->examples->count;
    shoal_vlog1p(trainer->examples->counters, trainer->counters, count * SHOAL_COUNTERS);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
            float *value = &trainer->counters[i * SHOAL_COUNTERS + k];
            *value = (*value - (float)regression->mean[k]) / (float)regression->deviation[k];
        }
}

/* Each user's sequence up to its last teaching event. */
static void measure_lengths(struct shoal_trainer *trainer)
{
    const struct shoal_dataset *dataset = trainer->dataset;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user], end = dataset->first[user + 1];
        while (end > first && (trainer->labels[end - 1] == SHOAL_UNLABELLED ||
                               dataset->touches[end - 1].time_ms > trainer->until_ms))
            end--;
        trainer->lengths[user] = end - first;
        trainer->total += end - first;
    }
}

enum shoal_status shoal_trainer_init(struct shoal_trainer *trainer,
                                     const struct shoal_train_options *options,
                                     const struct shoal_dataset *dataset,
                                     const struct shoal_examples *examples, const int8_t *labels,
                                     const float *importance, int64_t until_ms,
                                     const struct shoal_regression *regression)
{
    *trainer = (struct shoal_trainer){.options = options, .dataset = dataset, .examples = examples,
                                      .labels = labels, .importance = importance,
                                      .until_ms = until_ms};
    const struct shoal_dims *dims = &options->dims;
    struct shoal_adamw_options adamw = shoal_adamw_options_default();
    adamw.weight_decay = options->weight_decay;
    adamw.embedding_rate = options->embedding_rate;
    trainer->counters = malloc((examples->count + 1) * SHOAL_COUNTERS * sizeof(float));
    trainer->lengths = calloc(dataset->users_count + 1, sizeof *trainer->lengths);
    trainer->order = calloc(dataset->users_count + 1, sizeof *trainer->order);
    if (!trainer->counters || !trainer->lengths || !trainer->order ||
        shoal_params_init(&trainer->params, dims) != SHOAL_OK ||
        shoal_params_init(&trainer->mean, dims) != SHOAL_OK ||
        shoal_params_init(&trainer->gradients, dims) != SHOAL_OK ||
        shoal_adamw_init(&trainer->adamw, dims, &adamw) != SHOAL_OK ||
        shoal_unroll_create(dims, options->batch, options->steps, &trainer->unroll) != SHOAL_OK) {
        shoal_trainer_finish(trainer);
        return SHOAL_NOMEM;
    }
    start_params(&trainer->params, options->seed, regression);
    memcpy(trainer->mean.block, trainer->params.block, trainer->params.count * sizeof(float));
    standardise(trainer, regression);
    measure_lengths(trainer);
    return SHOAL_OK;
}

void shoal_trainer_finish(struct shoal_trainer *trainer)
{
    free(trainer->counters);
    free(trainer->lengths);
    free(trainer->order);
    shoal_params_finish(&trainer->params);
    shoal_params_finish(&trainer->mean);
    shoal_params_finish(&trainer->gradients);
    shoal_adamw_finish(&trainer->adamw);
    shoal_unroll_destroy(trainer->unroll);
    *trainer = (struct shoal_trainer){0};
}

/* Fisher–Yates from the identity: an epoch's order depends on seed and epoch alone. */
static void shuffle(struct shoal_trainer *trainer)
{
    uint64_t key = shoal_random_mix(
        shoal_random_key(trainer->options->seed, SHOAL_RANDOM_SHUFFLE) + trainer->epoch);
    size_t count = trainer->dataset->users_count;
    for (size_t i = 0; i < count; i++)
        trainer->order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = shoal_random_below(key, i, (uint32_t)i);
        uint32_t moved = trainer->order[i - 1];
        trainer->order[i - 1] = trainer->order[j];
        trainer->order[j] = moved;
    }
}

/* Fills the chunk's cells; the number of events put in. Streams that have run dry stay empty. */
static size_t fill(struct shoal_trainer *trainer, struct shoal_streams *streams)
{
    const struct shoal_dataset *dataset = trainer->dataset;
    size_t batch = trainer->unroll->batch, count = 0;
    for (size_t t = 0; t < trainer->unroll->steps; t++)
        for (size_t b = 0; b < batch; b++) {
            struct shoal_unroll_cell *cell = &trainer->unroll->cells[t * batch + b];
            *cell = (struct shoal_unroll_cell){0};
            size_t event;
            if (!shoal_streams_next(streams, b, &event, &cell->starts))
                continue;
            bool teaches = trainer->labels[event] != SHOAL_UNLABELLED &&
                           dataset->touches[event].time_ms <= trainer->until_ms;
            cell->features = &trainer->examples->features[event];
            cell->counters = trainer->counters + event * SHOAL_COUNTERS;
            cell->positive = trainer->labels[event] == 1;
            cell->weight = teaches ? trainer->importance[event] : 0.0f;
            count++;
        }
    return count;
}

/* mean ← d·mean + (1 − d)·params, with a shorter memory at the beginning. */
static void average(struct shoal_trainer *trainer)
{
    float n = (float)++trainer->updates, decay = trainer->options->averaging;
    if ((1 + n) / (10 + n) < decay)
        decay = (1 + n) / (10 + n);
    for (size_t i = 0; i < trainer->params.count; i++)
        trainer->mean.block[i] += (1 - decay) * (trainer->params.block[i] - trainer->mean.block[i]);
}

/* Forward, backward and update by one chunk of `count` events; its loss and weight are added. */
static void learn(struct shoal_trainer *trainer, double *loss, double *weight)
{
    const struct shoal_train_options *options = trainer->options;
    struct shoal_dropout dropout = {
        .inputs = options->dropout_inputs,
        .hidden = options->dropout_hidden,
        .inputs_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_INPUTS),
        .hidden_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_HIDDEN),
        .chunk = trainer->chunk++,
    };
    struct shoal_unroll *unroll = trainer->unroll;
    shoal_unroll_forward(unroll, &trainer->params, unroll->steps, &dropout);
    double here_weight, here = shoal_unroll_loss(unroll, &here_weight);
    *loss += here;
    *weight += here_weight;
    if (here_weight == 0)
        return;
    /* The few events of a nearly empty last chunk must not count like a full one's. */
    double least = (double)(unroll->batch * unroll->steps) / 4;
    float scale = (float)(1 / (here_weight > least ? here_weight : least));
    memset(trainer->gradients.block, 0, trainer->gradients.count * sizeof(float));
    shoal_unroll_backward(unroll, &trainer->params, scale, &trainer->gradients);
    shoal_gradients_clip(&trainer->gradients, (double)options->clip);
    shoal_adamw_update(&trainer->adamw, &trainer->params, &trainer->gradients,
                       options->learning_rate);
    average(trainer);
}

enum shoal_status shoal_trainer_epoch(struct shoal_trainer *trainer, double *loss,
                                      shoal_trainer_progress *progress, void *context)
{
    struct shoal_streams streams;
    shuffle(trainer);
    if (shoal_streams_init(&streams, trainer->unroll->batch, trainer->dataset->first,
                           trainer->lengths, trainer->order,
                           trainer->dataset->users_count) != SHOAL_OK)
        return SHOAL_NOMEM;
    double weight = 0;
    uint64_t done = 0;
    *loss = 0;
    while (shoal_streams_left(&streams)) {
        done += fill(trainer, &streams);
        learn(trainer, loss, &weight);
        if (progress)
            progress(context, done, trainer->total);
    }
    *loss = weight > 0 ? *loss / weight : NAN;
    trainer->epoch++;
    shoal_streams_finish(&streams);
    return SHOAL_OK;
}
