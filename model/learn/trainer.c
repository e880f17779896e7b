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
    WEEKDAY_INPUT = 3, /* of the numeric inputs, features.h */
    WEEKDAY_INPUTS = 2,
};

/* values[i] uniform in ±bound */
static void draw(float *values, size_t count, float bound, uint64_t key, uint64_t first)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (2 * shoal_random_uniform(key, first + i) - 1) * bound;
}

/* Embeddings small, so that an item never seen is nearly no item; weights as PyTorch's LSTM draws
 * them (±1/√H), or by Glorot & Bengio for each gate; forget gates open (Jozefowicz et al. 2015). */
static void start_state(struct shoal_params *params, const struct shoal_train_options *options)
{
    uint64_t key = shoal_random_key(options->seed, SHOAL_RANDOM_INIT);
    size_t hidden = params->dims.hidden, width = shoal_dims_inputs(&params->dims) + hidden;
    float gates_bound = options->glorot ? sqrtf(6.0f / (float)(width + hidden))
                                        : 1.0f / sqrtf((float)hidden);
    for (unsigned t = 0; t <= SHOAL_TENSOR_gates_weight; t++) {
        struct shoal_tensor_info info = shoal_params_tensor(&params->dims, (enum shoal_tensor)t);
        float bound = t == SHOAL_TENSOR_gates_weight         ? gates_bound
                      : t == SHOAL_TENSOR_behavior_embedding ? 0.5f
                                                             : 0.02f;
        /* A table that does not learn is left out. */
        if (t < SHOAL_TENSOR_behavior_embedding && options->embedding_rate == 0)
            bound = 0;
        draw(params->block + info.offset, info.rows * info.columns, bound, key, info.offset);
    }
    for (size_t j = 0; j < hidden; j++)
        params->gates_bias[hidden + j] = 1;
}

/* Rows of gates_weight that take the weekday, for data of too few days: zero they are and zero they stay,
 * so that the model does not look at it when it serves either. */
static void leave_weekday(struct shoal_params *block, bool leave)
{
    const struct shoal_dims *d = &block->dims;
    size_t row = (size_t)d->item_width + d->category_width + d->behavior_width + WEEKDAY_INPUT;
    if (leave)
        memset(block->gates_weight + row * 4 * d->hidden, 0,
               WEEKDAY_INPUTS * 4 * (size_t)d->hidden * sizeof(float));
}

/* As in trainer.h. The heads come behind all that makes the state. */
static void start_params(struct shoal_params *params, const struct shoal_train_options *options,
                         const struct shoal_teaching *teaching)
{
    start_state(params, options);
    if (teaching->start)
        memcpy(params->block, teaching->start->block,
               shoal_params_tensor(&params->dims, SHOAL_TENSOR_head_hidden).offset * sizeof(float));
    leave_weekday(params, !teaching->weekday);
    for (size_t n = 0; n < SHOAL_TASKS && teaching->regressions; n++) {
        for (size_t k = 0; k < SHOAL_COUNTERS; k++)
            params->head_counters[n * SHOAL_COUNTERS + k] =
                (float)teaching->regressions[n].weights[k];
        params->head_bias[n] = (float)teaching->regressions[n].bias;
    }
}

/* The same float32 arithmetic as the served step's. */
static void standardise(struct shoal_trainer *trainer)
{
    const struct shoal_examples *examples = trainer->teaching.examples;
    const struct shoal_regression *regression = trainer->teaching.regressions;
    if (!regression)
        return;
    shoal_vlog1p(examples->counters, trainer->counters, examples->count * SHOAL_COUNTERS);
    for (size_t i = 0; i < examples->count; i++)
        for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
            float *value = &trainer->counters[i * SHOAL_COUNTERS + k];
            *value = (*value - (float)regression->mean[k]) / (float)regression->deviation[k];
        }
}

/* Bits of the tasks that event `event` teaches. */
static uint32_t tasks_of(const struct shoal_trainer *trainer, size_t event)
{
    const struct shoal_teaching *teaching = &trainer->teaching;
    int64_t time_ms = teaching->dataset->touches[event].time_ms;
    uint32_t tasks = 0;
    for (size_t n = 0; n < SHOAL_TASKS && teaching->targets; n++)
        if (teaching->targets[event * SHOAL_TASKS + n] >= 0 &&
            time_ms <= teaching->known_ms -
                           (teaching->every ? 0 : shoal_task_info((enum shoal_task)n)->horizon_ms))
            tasks |= 1u << n;
    return tasks;
}

/* Each user's sequence up to its last teaching event. */
static void measure_lengths(struct shoal_trainer *trainer)
{
    const struct shoal_dataset *dataset = trainer->teaching.dataset;
    bool every = shoal_objectives_wanted(&trainer->options->objectives);
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user], end = dataset->first[user + 1];
        while (end > first &&
               (every ? dataset->touches[end - 1].time_ms > trainer->teaching.known_ms
                      : tasks_of(trainer, end - 1) == 0))
            end--;
        trainer->lengths_whole[user] = end - first;
        trainer->total += end - first;
    }
}

/* Where this epoch begins in each user's history. With random starts, a user's epoch begins at its first
 * event or, as often as options->random_starts says, somewhere within: so that a state that began in the
 * middle, as after a swap it does with the ring, is no surprise. */
static void place_starts(struct shoal_trainer *trainer)
{
    const struct shoal_dataset *dataset = trainer->teaching.dataset;
    uint64_t key = shoal_random_mix(
        shoal_random_key(trainer->options->seed, SHOAL_RANDOM_STARTS) + trainer->epoch);
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t whole = trainer->lengths_whole[user], skipped = 0;
        if (whole > 1 && shoal_random_uniform(key, 2 * user) < trainer->options->random_starts)
            skipped = shoal_random_below(key, 2 * user + 1, (uint32_t)whole);
        trainer->firsts[user] = dataset->first[user] + skipped;
        trainer->lengths[user] = whole - skipped;
    }
}

/* As many as divide B with eight streams or more each. */
size_t shoal_trainer_shards(uint32_t batch)
{
    size_t shards = SHOAL_SHARDS_MAX;
    while (shards > 1 && (batch % shards || batch / shards < SHARD_STREAMS_MIN))
        shards /= 2;
    return shards;
}

static enum shoal_status make_shards(struct shoal_trainer *trainer)
{
    const struct shoal_train_options *options = trainer->options;
    size_t shards = shoal_trainer_shards(options->batch);
    trainer->shards_count = shards;
    size_t rank = (size_t)shoal_ranks_index(options->ranks);
    size_t ranks = (size_t)shoal_ranks_count(options->ranks);
    trainer->own_first = rank * shards / ranks;
    trainer->own_count = (rank + 1) * shards / ranks - trainer->own_first;
    for (size_t s = 0; s < shards; s++) {
        struct shoal_trainer_shard *shard = &trainer->shards[s];
        if (shoal_params_init(&shard->gradients, &options->dims) != SHOAL_OK ||
            shoal_unroll_create(&options->dims, options->batch / shards, options->steps,
                                &shard->unroll) != SHOAL_OK)
            return SHOAL_NOMEM;
        shard->unroll->mix = options->mix;
        if (shoal_objectives_wanted(&options->objectives) &&
            shoal_objectives_room_create(&trainer->objectives, shard->unroll, &shard->room) !=
                SHOAL_OK)
            return SHOAL_NOMEM;
    }
    return SHOAL_OK;
}

static enum shoal_status reserve(struct shoal_trainer *trainer)
{
    const struct shoal_train_options *options = trainer->options;
    const struct shoal_teaching *teaching = &trainer->teaching;
    const struct shoal_dims *dims = &options->dims;
    size_t users = teaching->dataset->users_count + 1;
    struct shoal_adamw_options adamw = shoal_adamw_options_default();
    adamw.weight_decay = options->weight_decay;
    adamw.embedding_rate = options->embedding_rate;
    trainer->counters = calloc((teaching->examples->count + 1) * SHOAL_COUNTERS, sizeof(float));
    trainer->firsts = calloc(users, sizeof *trainer->firsts);
    trainer->lengths = calloc(users, sizeof *trainer->lengths);
    trainer->lengths_whole = calloc(users, sizeof *trainer->lengths_whole);
    trainer->order = calloc(users, sizeof *trainer->order);
    if (!trainer->counters || !trainer->firsts || !trainer->lengths || !trainer->lengths_whole ||
        !trainer->order || shoal_params_init(&trainer->params, dims) != SHOAL_OK ||
        shoal_params_init(&trainer->mean, dims) != SHOAL_OK ||
        shoal_adamw_init(&trainer->adamw, dims, &adamw) != SHOAL_OK ||
        shoal_team_create(options->threads, &trainer->team) != SHOAL_OK)
        return SHOAL_NOMEM;
    if (shoal_objectives_wanted(&options->objectives) &&
        shoal_objectives_init(&trainer->objectives, &options->objectives, dims, teaching->examples,
                              options->seed) != SHOAL_OK)
        return SHOAL_NOMEM;
    return make_shards(trainer);
}

enum shoal_status shoal_trainer_init(struct shoal_trainer *trainer,
                                     const struct shoal_train_options *options,
                                     const struct shoal_teaching *teaching)
{
    *trainer = (struct shoal_trainer){.options = options, .teaching = *teaching};
    if (reserve(trainer) != SHOAL_OK) {
        shoal_trainer_finish(trainer);
        return SHOAL_NOMEM;
    }
    start_params(&trainer->params, options, teaching);
    memcpy(trainer->mean.block, trainer->params.block, trainer->params.count * sizeof(float));
    standardise(trainer);
    measure_lengths(trainer);
    return SHOAL_OK;
}

void shoal_trainer_finish(struct shoal_trainer *trainer)
{
    free(trainer->counters);
    free(trainer->firsts);
    free(trainer->lengths);
    free(trainer->lengths_whole);
    free(trainer->order);
    shoal_params_finish(&trainer->params);
    shoal_params_finish(&trainer->mean);
    shoal_adamw_finish(&trainer->adamw);
    shoal_objectives_finish(&trainer->objectives);
    for (size_t s = 0; s < trainer->shards_count; s++) {
        shoal_params_finish(&trainer->shards[s].gradients);
        shoal_unroll_destroy(trainer->shards[s].unroll);
        shoal_objectives_room_destroy(trainer->shards[s].room);
    }
    shoal_team_destroy(trainer->team);
    *trainer = (struct shoal_trainer){0};
}

/* Fisher–Yates from the identity: an epoch's order depends on seed and epoch alone. */
static void shuffle(struct shoal_trainer *trainer)
{
    uint64_t key = shoal_random_mix(
        shoal_random_key(trainer->options->seed, SHOAL_RANDOM_SHUFFLE) + trainer->epoch);
    size_t count = trainer->teaching.dataset->users_count;
    for (size_t i = 0; i < count; i++)
        trainer->order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t j = shoal_random_below(key, i, (uint32_t)i);
        uint32_t moved = trainer->order[i - 1];
        trainer->order[i - 1] = trainer->order[j];
        trainer->order[j] = moved;
    }
}

static void describe(struct shoal_trainer *trainer, size_t event, bool starts,
                     struct shoal_unroll_cell *cell)
{
    const struct shoal_teaching *teaching = &trainer->teaching;
    const struct shoal_dataset *dataset = teaching->dataset;
    size_t next = event + 1;
    bool follows = trainer->shards[0].room && /* an objective is wanted */
                   next < dataset->events_count && dataset->owners[next] == dataset->owners[event] &&
                   dataset->touches[next].time_ms <= teaching->known_ms;
    *cell = (struct shoal_unroll_cell){
        .features = &teaching->examples->features[event],
        .counters = trainer->counters + event * SHOAL_COUNTERS,
        .targets = teaching->targets ? teaching->targets + event * SHOAL_TASKS : NULL,
        .tasks = tasks_of(trainer, event),
        .next = follows ? &teaching->examples->features[next] : NULL,
        .weight = teaching->importance[event],
        .starts = starts,
    };
}

/* Fills the chunk's cells; the number of events put in. Streams that have run dry stay empty. */
static size_t fill(struct shoal_trainer *trainer, struct shoal_streams *streams)
{
    size_t batch = streams->batch, part = batch / trainer->shards_count, count = 0;
    for (size_t s = 0; s < trainer->shards_count; s++)
        trainer->shards[s].teaches = false;
    for (size_t t = 0; t < trainer->options->steps; t++)
        for (size_t b = 0; b < batch; b++) {
            struct shoal_trainer_shard *shard = &trainer->shards[b / part];
            struct shoal_unroll_cell *cell = &shard->unroll->cells[t * part + b % part];
            *cell = (struct shoal_unroll_cell){0};
            size_t event;
            bool starts;
            if (!shoal_streams_next(streams, b, &event, &starts))
                continue;
            describe(trainer, event, starts, cell);
            shard->teaches |= cell->tasks || cell->next;
            count++;
        }
    return count;
}

/* Forward and backward through one shard of the chunk, gradients of the summed loss. */
static void learn_shard(void *opaque, size_t index)
{
    struct shoal_trainer *trainer = opaque;
    size_t number = trainer->own_first + index;
    struct shoal_trainer_shard *shard = &trainer->shards[number];
    const struct shoal_train_options *options = trainer->options;
    struct shoal_dropout dropout = {
        .inputs = options->dropout_inputs,
        .hidden = options->dropout_hidden,
        .recurrent = options->dropout_recurrent,
        .inputs_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_INPUTS),
        .hidden_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_HIDDEN),
        .recurrent_key = shoal_random_key(options->seed, SHOAL_RANDOM_DROP_RECURRENT),
        .chunk = trainer->chunk * trainer->shards_count + number,
    };
    shoal_unroll_forward(shard->unroll, &trainer->params, shard->unroll->steps, &dropout);
    shard->loss = shoal_unroll_loss(shard->unroll, &shard->weight);
    memset(shard->gradients.block, 0, shard->gradients.count * sizeof(float));
    if (shard->room)
        shoal_objectives_run(&trainer->objectives, shard->room, shard->unroll, &trainer->params,
                             dropout.chunk, &shard->gradients, shard->objective_losses);
    shard->next_weight = 0;
    for (size_t i = 0; shard->room && i < shard->unroll->batch * shard->unroll->used; i++)
        if (shard->unroll->cells[i].next)
            shard->next_weight += (double)shard->unroll->cells[i].weight;
    if (shard->teaches)
        shoal_unroll_backward(shard->unroll, &trainer->params, 1.0f, &shard->gradients);
}

/* A piece of the block: sums the own shards' gradients into the first one's, always in the same order. */
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
    const struct shoal_trainer_shard *own = &trainer->shards[trainer->own_first];
    float *sum = own->gradients.block;
    for (size_t s = 1; s < trainer->own_count; s++) {
        const float *more = own[s].gradients.block;
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

/* L2 as a part of the loss, on the gates and the embeddings of behaviours (tables: weight decay). */
static void pull(const struct shoal_trainer *trainer, struct shoal_params *gradients)
{
    float l2 = trainer->options->l2;
    const struct shoal_dims *dims = &trainer->params.dims;
    size_t from = shoal_params_tensor(dims, SHOAL_TENSOR_behavior_embedding).offset;
    size_t until = shoal_params_tensor(dims, SHOAL_TENSOR_gates_bias).offset;
    for (size_t i = from; i < until && l2 > 0; i++)
        gradients->block[i] += 2 * l2 * trainer->params.block[i];
}

/* What an epoch has met so far. */
struct met {
    double loss, weight, objective_losses[SHOAL_OBJECTIVES], next_weight;
};

/* Sums of the chunk over its shards, those of the other ranks included; its weight. */
static double add_up(const struct shoal_trainer *trainer, struct met *met, bool *teaches)
{
    enum { LOSS, WEIGHT, NEXT, TEACH, LOSSES, SUMS = LOSSES + SHOAL_OBJECTIVES };
    double sums[SUMS] = {0};
    for (size_t s = 0; s < trainer->own_count; s++) {
        const struct shoal_trainer_shard *shard = &trainer->shards[trainer->own_first + s];
        sums[LOSS] += shard->loss;
        for (size_t o = 0; o < SHOAL_OBJECTIVES && shard->room; o++)
            sums[LOSSES + o] += shard->objective_losses[o];
        sums[WEIGHT] += shard->weight;
        sums[NEXT] += shard->next_weight;
        sums[TEACH] += shard->teaches;
    }
    shoal_ranks_sum_doubles(trainer->options->ranks, sums, SUMS);
    met->loss += sums[LOSS];
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        met->objective_losses[o] += sums[LOSSES + o];
    met->weight += sums[WEIGHT];
    met->next_weight += sums[NEXT];
    *teaches = sums[TEACH] > 0;
    return sums[WEIGHT] > 0 ? sums[WEIGHT] : sums[NEXT];
}

/* The chunk's gradient, times `scale`, in the first of the own shards. */
static struct shoal_params *sum_gradients(struct shoal_trainer *trainer, float scale)
{
    struct shoal_params *sum = &trainer->shards[trainer->own_first].gradients;
    bool alone = shoal_ranks_count(trainer->options->ranks) == 1;
    struct summing summing = {trainer, alone ? scale : 1};
    shoal_team_run(trainer->team, pieces(trainer), sum_piece, &summing);
    if (alone)
        return sum;
    shoal_ranks_sum(trainer->options->ranks, sum->block, sum->count);
    for (size_t i = 0; i < sum->count; i++)
        sum->block[i] *= scale;
    return sum;
}

/* Forward, backward and update by one chunk. */
static void learn(struct shoal_trainer *trainer, struct met *met)
{
    const struct shoal_train_options *options = trainer->options;
    shoal_team_run(trainer->team, trainer->own_count, learn_shard, trainer);
    trainer->chunk++;
    bool teaches;
    double here = add_up(trainer, met, &teaches);
    if (!teaches)
        return;
    /* The few events of a nearly empty last chunk must not count like a full one's. */
    double least = (double)(options->batch * options->steps) / 4;
    float scale = (float)(1 / (here > least ? here : least));
    struct shoal_params *gradients = sum_gradients(trainer, scale);
    pull(trainer, gradients);
    leave_weekday(gradients, !trainer->teaching.weekday);
    shoal_gradients_clip(gradients, (double)options->clip);
    shoal_adamw_update(&trainer->adamw, &trainer->params, gradients, options->learning_rate);
    if (trainer->shards[0].room) {
        struct shoal_objectives_room *rooms[SHOAL_SHARDS_MAX];
        for (size_t s = 0; s < trainer->own_count; s++)
            rooms[s] = trainer->shards[trainer->own_first + s].room;
        shoal_objectives_update(&trainer->objectives, options->ranks, rooms, trainer->own_count,
                                scale, &trainer->adamw.options, options->learning_rate);
    }
    average(trainer);
}

enum shoal_status shoal_trainer_epoch(struct shoal_trainer *trainer, double *loss,
                                      shoal_trainer_progress *progress, void *context)
{
    struct shoal_streams streams;
    shuffle(trainer);
    place_starts(trainer);
    if (shoal_streams_init(&streams, trainer->options->batch, trainer->firsts, trainer->lengths,
                           trainer->order, trainer->teaching.dataset->users_count) != SHOAL_OK)
        return SHOAL_NOMEM;
    struct met met = {0};
    uint64_t done = 0;
    while (shoal_streams_left(&streams)) {
        done += fill(trainer, &streams);
        learn(trainer, &met);
        if (progress)
            progress(context, done, trainer->total);
    }
    *loss = met.weight > 0 ? met.loss / met.weight : NAN;
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        trainer->objective_losses[o] = met.objective_losses[o] / fmax(met.next_weight, 1e-9);
    trainer->epoch++;
    shoal_streams_finish(&streams);
    return SHOAL_OK;
}
