/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of targets, their loss over the catalogue, and AdamW; see prompt_tune.h.
 *
 *   q = q_0 + A·(state − plain state)     q_0: as asked without prompts
 *   dq (B×W) = (softmax − 1[target])·E,   dstate = dq·A */
#include "model/learn/prompt_tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/items_parts.h"
#include "model/learn/adamw.h"
#include "model/learn/prompt_batch.h"
#include "model/learn/random.h"
#include "model/learn/softmax.h"

enum { SLICE = 16, R = SHOAL_PROMPT_UNITS, Z = SHOAL_PROMPT_STATISTICS };

struct shoal_prompt_options shoal_prompt_options_default(void)
{
    return (struct shoal_prompt_options){
        .parts = SHOAL_PROMPT_PARTS,
        .lambda = 1e-2f,
        .rate = 1e-3f,
        .decay = 0.05f,
        .short_weight = 1,
        .batch = 128,
        .epochs = 12,
        .patience = 3,
        .extras = true,
        .seed = 1,
    };
}

/* What a batch needs beside the network's. */
struct tuner {
    const struct shoal_items *items;
    enum shoal_item_goal goal;
    bool extras;
    float short_weight;
    size_t room;
    struct shoal_prompt_batch *batch;     /* owned, as all below */
    struct shoal_item_query *queries;     /* B */
    size_t *which;                        /* B: target of each row */
    float *plain, *dstates;               /* B×H */
    float *q, *dq;                        /* B×W */
    float *scores;                        /* SLICE×N */
    struct shoal_item_extra *additions;   /* B×EXTRAS_MAX */
    size_t *added;                        /* B */
};

static void finish(struct tuner *tuner)
{
    shoal_prompt_batch_destroy(tuner->batch);
    free(tuner->queries);
    free(tuner->which);
    free(tuner->plain);
    free(tuner->dstates);
    free(tuner->q);
    free(tuner->dq);
    free(tuner->scores);
    free(tuner->additions);
    free(tuner->added);
}

static enum shoal_status init(struct tuner *tuner, const struct shoal_model *model,
                              const struct shoal_items *items, enum shoal_item_goal goal, size_t room)
{
    size_t hidden = items->hidden, width = items->width;
    *tuner = (struct tuner){.items = items, .goal = goal, .extras = true, .short_weight = 1, .room = room};
    tuner->queries = calloc(room, sizeof *tuner->queries);
    tuner->which = calloc(room, sizeof *tuner->which);
    tuner->plain = malloc(room * hidden * sizeof(float));
    tuner->dstates = malloc(room * hidden * sizeof(float));
    tuner->q = malloc(room * width * sizeof(float));
    tuner->dq = malloc(room * width * sizeof(float));
    tuner->scores = malloc(SLICE * items->count * sizeof(float));
    tuner->additions = malloc(room * SHOAL_ITEM_EXTRAS_MAX * sizeof *tuner->additions);
    tuner->added = calloc(room, sizeof *tuner->added);
    if (tuner->queries && tuner->which && tuner->plain && tuner->dstates && tuner->q && tuner->dq &&
        tuner->scores && tuner->additions && tuner->added &&
        shoal_prompt_batch_create(model, room, SHOAL_RING_MAX, &tuner->batch) == SHOAL_OK)
        return SHOAL_OK;
    finish(tuner);
    *tuner = (struct tuner){.room = 0};
    return SHOAL_NOMEM;
}

/* ---- a batch ------------------------------------------------------------------------------------ */

static size_t history_of(const struct shoal_item_asked *asked, size_t target)
{
    size_t last = asked->last[target];
    return last + 1 - asked->dataset->first[asked->dataset->owners[last]];
}

static float weight_of(const struct tuner *tuner, const struct shoal_item_asked *asked, size_t target)
{
    return history_of(asked, target) < SHOAL_SHORT_HISTORY ? tuner->short_weight : 1;
}

/* Targets into rows, the longest rings first and otherwise in their order. */
static void put_in_rows(struct tuner *tuner, const struct shoal_item_asked *asked,
                        const uint32_t *which, size_t count)
{
    size_t rows = 0;
    for (size_t length = asked->ring; length > 0; length--)
        for (size_t i = 0; i < count; i++) {
            size_t target = which[i], history = history_of(asked, target);
            if ((history < asked->ring ? history : asked->ring) == length)
                tuner->which[rows++] = target;
        }
}

/* q as asked without prompts, and the states without them. */
static void load(struct tuner *tuner, const struct shoal_item_asked *asked, const uint32_t *which,
                 size_t count)
{
    size_t hidden = tuner->items->hidden;
    put_in_rows(tuner, asked, which, count);
    for (size_t row = 0; row < count; row++) {
        size_t target = tuner->which[row];
        tuner->queries[row] = shoal_item_query_of(asked, target, tuner->goal);
        tuner->queries[row].without_prompts = true;
        tuner->added[row] = shoal_items_ask(tuner->items, &tuner->queries[row],
                                            tuner->q + row * tuner->items->width,
                                            tuner->additions + row * SHOAL_ITEM_EXTRAS_MAX);
    }
    shoal_prompt_batch_load(tuner->batch, tuner->queries, count);
    shoal_prompt_batch_forward(tuner->batch, NULL);
    memcpy(tuner->plain, tuner->batch->states, count * hidden * sizeof(float));
}

static void forward(struct tuner *tuner, const struct shoal_prompt_generator *generator, size_t count)
{
    size_t hidden = tuner->items->hidden, width = tuner->items->width;
    shoal_prompt_batch_forward(tuner->batch, generator);
    for (size_t i = 0; i < count * hidden; i++)
        tuner->dstates[i] = tuner->batch->states[i] - tuner->plain[i];
    shoal_gemm(false, true, count, width, hidden, 1, tuner->dstates, hidden,
               tuner->items->asking[tuner->goal].state, hidden, 1, tuner->q, width);
}

/* What the place of the target among the scores counts. */
static double ndcg20(const float *scores, size_t count, uint32_t target)
{
    size_t rank = 0;
    for (size_t j = 0; j < count; j++)
        rank += scores[j] > scores[target] || (scores[j] == scores[target] && j < target);
    return rank < 20 ? 1 / log2((double)rank + 2) : 0;
}

/* losses (B) of the rows' targets, and their NDCG@20 (B; NULL: not wanted); dq with each row's weight (NULL: no gradient is wanted). */
static void learn_rows(struct tuner *tuner, const struct shoal_item_asked *asked, size_t count,
                       const float *weights, double *losses, double *ndcgs)
{
    const struct shoal_items *items = tuner->items;
    const float *bias = items->asking[tuner->goal].bias;
    size_t width = items->width;
    for (size_t from = 0; from < count; from += SLICE) {
        size_t rows = count - from < SLICE ? count - from : SLICE;
        shoal_gemm(false, true, rows, items->count, width, 1, tuner->q + from * width, width,
                   items->vectors, width, 0, tuner->scores, items->count);
        for (size_t i = 0; i < rows; i++) {
            size_t row = from + i;
            float *scores = tuner->scores + i * items->count;
            const struct shoal_item_extra *additions = tuner->additions + row * SHOAL_ITEM_EXTRAS_MAX;
            for (size_t j = 0; j < items->count; j++)
                scores[j] += bias[j];
            for (size_t k = 0; tuner->extras && k < tuner->added[row]; k++)
                scores[additions[k].item] += additions[k].score;
            uint32_t target = asked->targets[tuner->which[row]];
            if (ndcgs)
                ndcgs[row] = ndcg20(scores, items->count, target);
            losses[row] =
                shoal_softmax_row(scores, items->count, target, weights ? weights[row] : 0);
        }
        if (weights)
            shoal_gemm(false, false, rows, width, items->count, 1, tuner->scores, items->count,
                       items->vectors, width, 0, tuner->dq + from * width, width);
    }
}

/* ---- judging ------------------------------------------------------------------------------------ */

enum { JUDGED_AT_ONCE = 128 };

/* losses of all the asked, in their order, and behind them as many NDCGs. generator NULL: without prompts. The spread of the last batch. */
static double judge_all(struct tuner *tuner, const struct shoal_item_asked *asked,
                        const struct shoal_prompt_generator *generator, double *losses)
{
    double spread = 0, by_row[JUDGED_AT_ONCE], ndcgs[JUDGED_AT_ONCE];
    uint32_t which[JUDGED_AT_ONCE];
    for (size_t at = 0; at < asked->count; at += JUDGED_AT_ONCE) {
        size_t count = asked->count - at < JUDGED_AT_ONCE ? asked->count - at : JUDGED_AT_ONCE;
        for (size_t i = 0; i < count; i++)
            which[i] = (uint32_t)(at + i);
        load(tuner, asked, which, count);
        if (generator) {
            forward(tuner, generator, count);
            spread = shoal_prompt_batch_spread(tuner->batch);
        }
        learn_rows(tuner, asked, count, NULL, by_row, ndcgs);
        for (size_t row = 0; row < count; row++) {
            losses[tuner->which[row]] = by_row[row];
            losses[asked->count + tuner->which[row]] = ndcgs[row];
        }
    }
    return spread;
}

static bool is_brief(const struct shoal_item_asked *asked, size_t target)
{
    return history_of(asked, target) < SHOAL_SHORT_HISTORY;
}

/* The standard error counts a user's targets as one. A user's are next to each other. */
static struct shoal_prompt_gain gain_of(const struct shoal_item_asked *asked, const double *before,
                                        const double *after, bool brief_only)
{
    struct shoal_prompt_gain gain = {.count = 0};
    double squares = 0, of_user = 0;
    for (size_t i = 0; i < asked->count; i++)
        if (!brief_only || is_brief(asked, i)) {
            gain.before += before[i];
            gain.after += after[i];
            gain.count++;
        }
    double count = gain.count ? (double)gain.count : 1;
    gain.before /= count;
    gain.after /= count;
    gain.gain = gain.before - gain.after;
    for (size_t i = 0; i < asked->count; i++) {
        const uint32_t *owners = asked->dataset->owners;
        if (!brief_only || is_brief(asked, i))
            of_user += before[i] - after[i] - gain.gain;
        if (i + 1 == asked->count || owners[asked->last[i + 1]] != owners[asked->last[i]]) {
            squares += of_user * of_user;
            of_user = 0;
        }
    }
    gain.error = sqrt(squares) / count;
    return gain;
}

enum shoal_status shoal_prompt_judge(const struct shoal_model *model, const struct shoal_items *items,
                                     enum shoal_item_goal goal, const struct shoal_item_asked *asked,
                                     const struct shoal_prompts *prompts, struct shoal_prompt_gain *all,
                                     struct shoal_prompt_gain *brief)
{
    struct tuner tuner;
    double *before = malloc(4 * (asked->count + 1) * sizeof *before);
    enum shoal_status status =
        before ? init(&tuner, model, items, goal, JUDGED_AT_ONCE) : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        double *after = before + 2 * asked->count;
        bool prompted = prompts && prompts->parts[goal];
        (void)judge_all(&tuner, asked, NULL, before);
        memcpy(after, before, asked->count * sizeof *after);
        if (prompted) {
            struct shoal_prompt_generator generator =
                shoal_prompt_generator_in(prompts->blocks[goal], prompts->hidden);
            (void)judge_all(&tuner, asked, &generator, after);
        }
        *all = gain_of(asked, before, after, false);
        *brief = gain_of(asked, before, after, true);
        finish(&tuner);
    }
    free(before);
    return status;
}

/* ---- epochs ------------------------------------------------------------------------------------- */

struct weights {
    size_t size;                               /* floats of each */
    float *values, *gradient, *m, *v, *best;   /* owned as one block, at `values` */
    float *row_weights;                        /* B; owned */
    double *losses;                            /* B; owned */
    uint32_t *order;                           /* owned */
    uint64_t step;
};

static void weights_finish(struct weights *weights)
{
    free(weights->values);
    free(weights->row_weights);
    free(weights->losses);
    free(weights->order);
}

/* W1 uniform within ±√(3/Z), which keeps the units' size; all else zero. */
static enum shoal_status weights_init(struct weights *weights, size_t hidden,
                                      const struct shoal_prompt_options *options, size_t targets)
{
    uint64_t key = shoal_random_key(options->seed, SHOAL_RANDOM_PROMPTS);
    *weights = (struct weights){.size = shoal_prompt_block(hidden)};
    size_t bytes = 5 * weights->size * sizeof(float);
    weights->values = aligned_alloc(64, bytes);
    weights->row_weights = malloc(options->batch * sizeof *weights->row_weights);
    weights->losses = malloc(options->batch * sizeof *weights->losses);
    weights->order = malloc((targets + 1) * sizeof *weights->order);
    if (!weights->values || !weights->row_weights || !weights->losses || !weights->order) {
        weights_finish(weights);
        *weights = (struct weights){.size = 0};
        return SHOAL_NOMEM;
    }
    memset(weights->values, 0, bytes);
    weights->gradient = weights->values + weights->size;
    weights->m = weights->gradient + weights->size;
    weights->v = weights->m + weights->size;
    weights->best = weights->v + weights->size;
    float reach = sqrtf(3.0f / Z);
    for (size_t i = 0; i < (size_t)R * Z; i++)
        weights->values[i] = reach * (2 * shoal_random_uniform(key, i) - 1);
    return SHOAL_OK;
}

/* Fisher-Yates by the epoch's key. */
static void shuffle(struct weights *weights, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        weights->order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        uint32_t other = shoal_random_below(key, i, (uint32_t)i), moved = weights->order[i - 1];
        weights->order[i - 1] = weights->order[other];
        weights->order[other] = moved;
    }
}

/* The loss of a batch, and its gradient. */
static double learn_batch(struct tuner *tuner, struct weights *weights,
                          const struct shoal_item_asked *learn, const uint32_t *which, size_t count,
                          const struct shoal_prompt_options *options)
{
    size_t hidden = tuner->items->hidden, width = tuner->items->width;
    struct shoal_prompt_generator generator = shoal_prompt_generator_in(weights->values, hidden);
    struct shoal_prompt_generator gradient = shoal_prompt_generator_in(weights->gradient, hidden);
    float sum = 0;
    load(tuner, learn, which, count);
    forward(tuner, &generator, count);
    for (size_t row = 0; row < count; row++)
        sum += weight_of(tuner, learn, tuner->which[row]);
    for (size_t row = 0; row < count; row++)
        weights->row_weights[row] = weight_of(tuner, learn, tuner->which[row]) / sum;
    learn_rows(tuner, learn, count, weights->row_weights, weights->losses, NULL);
    shoal_gemm(false, false, count, hidden, width, 1, tuner->dq, width,
               tuner->items->asking[tuner->goal].state, hidden, 0, tuner->dstates, hidden);
    double loss = (double)options->lambda * shoal_prompt_batch_spread(tuner->batch);
    memset(weights->gradient, 0, weights->size * sizeof(float));
    shoal_prompt_batch_backward(tuner->batch, &generator, options->parts, tuner->dstates,
                                options->lambda, &gradient);
    for (size_t row = 0; row < count; row++)
        loss += (double)weights->row_weights[row] * weights->losses[row];
    return loss;
}

static void learn_epoch(struct tuner *tuner, struct weights *weights,
                        const struct shoal_item_asked *learn,
                        const struct shoal_prompt_options *options, uint32_t epoch)
{
    uint64_t key = shoal_random_at(
        shoal_random_key(options->seed, SHOAL_RANDOM_PROMPTS) ^ 0x5eed, epoch);
    struct shoal_adamw_options adamw = shoal_adamw_options_default();
    tuner->extras = options->extras;
    tuner->short_weight = options->short_weight;
    shuffle(weights, learn->count, key);
    for (size_t at = 0; at < learn->count; at += options->batch) {
        size_t count = learn->count - at < options->batch ? learn->count - at : options->batch;
        double done = ((double)epoch + (double)at / (double)learn->count) / options->epochs;
        float rate = options->rate * (float)(1 - 0.9 * done);
        (void)learn_batch(tuner, weights, learn, weights->order + at, count, options);
        shoal_adamw_update_block(&adamw, ++weights->step, rate, rate * options->decay,
                                 weights->values, weights->gradient, weights->m, weights->v,
                                 weights->size);
    }
    tuner->extras = true;
}

/* Takes over what has done best, if this has. */
static void judge_epoch(struct tuner *tuner, struct weights *weights, const struct shoal_item_asked *judge,
                        const double *before, double *after, uint32_t epoch,
                        struct shoal_prompt_report *report)
{
    struct shoal_prompt_generator generator =
        shoal_prompt_generator_in(weights->values, tuner->items->hidden);
    double spread = judge_all(tuner, judge, &generator, after);
    struct shoal_prompt_gain all = gain_of(judge, before, after, false);
    if (epoch > 0 && !(all.after < report->all.after))
        return;
    report->all = all;
    report->brief = gain_of(judge, before, after, true);
    struct shoal_prompt_gain ndcg =
        gain_of(judge, before + judge->count, after + judge->count, false);
    report->ndcg_gain = -ndcg.gain;
    report->ndcg_error = ndcg.error;
    report->best = epoch;
    report->spread = spread;
    memcpy(weights->best, weights->values, weights->size * sizeof(float));
}

/* All epochs up to the best one; `best` of the weights is it. losses: room for 4·judged. */
static void learn_epochs(struct tuner *tuner, struct weights *weights,
                         const struct shoal_item_asked *learn, const struct shoal_item_asked *judge,
                         const struct shoal_prompt_options *options, double *losses,
                         struct shoal_prompt_report *report)
{
    double *before = losses, *after = losses + 2 * judge->count;
    (void)judge_all(tuner, judge, NULL, before);
    judge_epoch(tuner, weights, judge, before, after, 0, report);
    for (uint32_t epoch = 0; epoch < options->epochs; epoch++) {
        if (epoch >= report->best + options->patience)
            break;
        learn_epoch(tuner, weights, learn, options, epoch);
        report->epochs = epoch + 1;
        judge_epoch(tuner, weights, judge, before, after, epoch + 1, report);
    }
    report->kept = report->all.gain > 2 * report->all.error && report->ndcg_gain > 0;
}

enum shoal_status shoal_prompt_tune(const struct shoal_model *model, const struct shoal_items *items,
                                    enum shoal_item_goal goal, const struct shoal_item_asked *learn,
                                    const struct shoal_item_asked *judge,
                                    const struct shoal_prompt_options *options, const float *from,
                                    struct shoal_prompts *prompts, struct shoal_prompt_report *report)
{
    struct tuner tuner = {.room = 0};
    struct weights weights = {.size = 0};
    size_t room = options->batch > JUDGED_AT_ONCE ? options->batch : JUDGED_AT_ONCE;
    double *losses = malloc((4 * judge->count + 1) * sizeof *losses);
    *report = (struct shoal_prompt_report){.kept = false};
    prompts->parts[goal] = 0;
    enum shoal_status status =
        losses ? weights_init(&weights, items->hidden, options, learn->count) : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = init(&tuner, model, items, goal, room);
    if (status == SHOAL_OK) {
        if (from)
            memcpy(weights.values, from, weights.size * sizeof(float));
        learn_epochs(&tuner, &weights, learn, judge, options, losses, report);
        prompts->parts[goal] = report->kept ? options->parts : 0;
        memcpy(prompts->blocks[goal], weights.best, weights.size * sizeof(float));
    }
    weights_finish(&weights);
    finish(&tuner);
    free(losses);
    return status;
}

enum shoal_status shoal_prompt_gradient(const struct shoal_model *model, const struct shoal_items *items,
                                        enum shoal_item_goal goal, const struct shoal_item_asked *asked,
                                        const struct shoal_prompt_options *options,
                                        const float *block, float *gradient, double *loss)
{
    struct tuner tuner;
    struct weights weights;
    struct shoal_prompt_options all = *options;
    all.batch = (uint32_t)asked->count;
    enum shoal_status status = init(&tuner, model, items, goal, asked->count);
    if (status != SHOAL_OK)
        return status;
    status = weights_init(&weights, items->hidden, &all, asked->count);
    if (status != SHOAL_OK) {
        finish(&tuner);
        return status;
    }
    for (size_t i = 0; i < asked->count; i++)
        weights.order[i] = (uint32_t)i;
    memcpy(weights.values, block, weights.size * sizeof(float));
    tuner.extras = options->extras;
    tuner.short_weight = options->short_weight;
    *loss = learn_batch(&tuner, &weights, asked, weights.order, asked->count, &all);
    memcpy(gradient, weights.gradient, weights.size * sizeof(float));
    weights_finish(&weights);
    finish(&tuner);
    return SHOAL_OK;
}
