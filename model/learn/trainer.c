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

enum {
    PIECE_FLOATS = 1 << 14, /* of the block, summed in one go */
    SHARD_STREAMS_MIN = 8,
};

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

/* As many as divide B with eight streams or more each. */
static enum shoal_status make_shards(struct shoal_trainer *trainer)
{
    const struct shoal_train_options *options = trainer->options;
    size_t shards = SHOAL_SHARDS_MAX;
    while (shards > 1 && (options->batch % shards || options->batch / shards < SHARD_STREAMS_MIN))
        shards /= 2;
    trainer->shards_count = shards;
    for (size_t s = 0; s < shards; s++) {
        struct shoal_trainer_shard *shard = &trainer->shards[s];
        if (shoal_params_init(&shard->gradients, &options->dims) != SHOAL_OK ||
            shoal_unroll_create(&options->dims, options->batch / shards, options->steps,
                                &shard->unroll) != SHOAL_OK)
            return SHOAL_NOMEM;
    }
    return SHOAL_OK;
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
        shoal_adamw_init(&trainer->adamw, dims, &adamw) != SHOAL_OK ||
        shoal_team_create(options->threads, &trainer->team) != SHOAL_OK ||
        make_shards(trainer) != SHOAL_OK) {
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
    shoal_adamw_finish(&trainer->adamw);
    for (size_t s = 0; s < trainer->shards_count; s++) {
        shoal_params_finish(&trainer->shards[s].gradients);
        shoal_unroll_destroy(trainer->shards[s].unroll);
    }
    shoal_team_destroy(trainer->team);
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
    size_t batch = streams->batch, part = batch / trainer->shards_count, count = 0;
    for (size_t t = 0; t < trainer->options->steps; t++)
        for (size_t b = 0; b < batch; b++) {
            struct shoal_unroll_cell *cell =
                &trainer->shards[b / part].unroll->cells[t * part + b % part];
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

/* Forward and backward through one shard of the chunk, gradients of the summed loss. */
static void learn_shard(void *opaque, size_t index)
{
    struct shoal_trainer *trainer = opaque;
    struct shoal_trainer_shard *shard = &trainer->shards[index];
    const struct shoal_train_options *options = trainer->options;
    struct shoal_dropout dropout = {
        .inputs = options->dropout_inputs,
        .hidden = options->dropout_hidden,
        .inputs_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_INPUTS),
        .hidden_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_HIDDEN),
        .chunk = trainer->chunk * trainer->shards_count + index,
    };
    shoal_unroll_forward(shard->unroll, &trainer->params, shard->unroll->steps, &dropout);
    shard->loss = shoal_unroll_loss(shard->unroll, &shard->weight);
    memset(shard->gradients.block, 0, shard->gradients.count * sizeof(float));
    if (shard->weight > 0)
        shoal_unroll_backward(shard->unroll, &trainer->params, 1.0f, &shard->gradients);
}

/* A piece of the block: sums the shards' gradients into the first one's, always in the same order. */
struct summing {
    struct shoal_trainer *trainer;
    float scale;
};

static void sum_piece(void *opaque, size_t index)
{
    const struct summing *summing = opaque;
    struct shoal_trainer *trainer = summing->trainer;
    size_t count = trainer->params.count, from = index * PIECE_FLOATS;
    size_t until = count - from < PIECE_FLOATS ? count : from + PIECE_FLOATS;
    float *sum = trainer->shards[0].gradients.block;
    for (size_t s = 1; s < trainer->shards_count; s++) {
        const float *more = trainer->shards[s].gradients.block;
        for (size_t i = from; i < until; i++)
            sum[i] += more[i];
    }
    for (size_t i = from; i < until; i++)
        sum[i] *= summing->scale;
}

static size_t pieces(const struct shoal_trainer *trainer)
{
    return (trainer->params.count + PIECE_FLOATS - 1) / PIECE_FLOATS;
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

/* Forward, backward and update by one chunk; its loss and weight are added. */
static void learn(struct shoal_trainer *trainer, double *loss, double *weight)
{
    const struct shoal_train_options *options = trainer->options;
    double here = 0;
    shoal_team_run(trainer->team, trainer->shards_count, learn_shard, trainer);
    trainer->chunk++;
    for (size_t s = 0; s < trainer->shards_count; s++) {
        *loss += trainer->shards[s].loss;
        here += trainer->shards[s].weight;
    }
    *weight += here;
    if (here == 0)
        return;
    /* The few events of a nearly empty last chunk must not count like a full one's. */
    double least = (double)(options->batch * options->steps) / 4;
    struct summing summing = {trainer, (float)(1 / (here > least ? here : least))};
    struct shoal_params *gradients = &trainer->shards[0].gradients;
    shoal_team_run(trainer->team, pieces(trainer), sum_piece, &summing);
    shoal_gradients_clip(gradients, (double)options->clip);
    shoal_adamw_update(&trainer->adamw, &trainer->params, gradients, options->learning_rate);
    average(trainer);
}

enum shoal_status shoal_trainer_epoch(struct shoal_trainer *trainer, double *loss,
                                      shoal_trainer_progress *progress, void *context)
{
    struct shoal_streams streams;
    shuffle(trainer);
    if (shoal_streams_init(&streams, trainer->options->batch, trainer->dataset->first,
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
