/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, small heads and the course of a chunk; see objectives.h. */
#include "model/learn/objectives.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/learn/random.h"
#include "model/vmath.h"

enum {
    ALIGNMENT_FLOATS = 16,
    /* What must outlive the exponentials of a row: of behavior and gap the target's logit, of repeat both. */
    KEPT = 4,
};

struct shoal_objectives_room {
    struct shoal_objective_tables gradients; /* owned */
    size_t rows, hidden, width; /* T×B; H; the wider of the two queries */
    float *block;               /* owned: all that follows */
    float *h;                   /* rows×H: of the cells that have a next event, the others zero */
    float *next;                /* rows×OUTPUTS: logits, then their gradient */
    float *kept;                /* rows×KEPT, see prepare_next */
    float *q, *dq;              /* rows×W */
    float *weights;             /* rows */
    float *dh;                  /* rows×H */
    float *candidates, *logits, *corrections; /* of a step, see sampled_softmax.h */
    uint32_t *targets, *extras; /* owned; rows; N */
};

struct shoal_objective_options shoal_objective_options_default(float weight)
{
    return (struct shoal_objective_options){
        .weights = {[SHOAL_OBJECTIVE_behavior] = weight,
                    [SHOAL_OBJECTIVE_gap] = weight,
                    [SHOAL_OBJECTIVE_repeat] = weight},
        .negatives = 256,
        .alpha = 0.5f,
    };
}

bool shoal_objectives_wanted(const struct shoal_objective_options *options)
{
    for (size_t o = 0; o < SHOAL_OBJECTIVES; o++)
        if (options->weights[o] > 0)
            return true;
    return false;
}

size_t shoal_gap_class(float log_gap)
{
    /* log2(1 + s) for s = 5, 20, 60, 180, 600, 1800, 7200, 28800 and 86400 */
    static const float bounds[SHOAL_GAP_CLASSES - 1] = {
        2.584963f, 4.392317f, 5.930737f, 7.499846f, 9.231221f, 10.814582f, 12.813981f, 14.813831f,
        16.398760f};
    size_t class = 0;
    while (class < SHOAL_GAP_CLASSES - 1 && log_gap * 20 > bounds[class] + 1e-3f)
        class++;
    return class;
}

/* ---- memory --------------------------------------------------------------------------------- */

static float *take(float *block, size_t *position, size_t count)
{
    float *taken = block ? block + *position : NULL;
    *position += (count + ALIGNMENT_FLOATS - 1) / ALIGNMENT_FLOATS * ALIGNMENT_FLOATS;
    return taken;
}

static enum shoal_status allocate(size_t floats, float **block)
{
    *block = aligned_alloc(64, floats * sizeof **block);
    if (!*block)
        return SHOAL_NOMEM;
    memset(*block, 0, floats * sizeof **block);
    return SHOAL_OK;
}

static void lay_out_tables(struct shoal_objective_tables *tables, const struct shoal_dims *d,
                           float *block)
{
    size_t position = 0;
    tables->block = block;
#define X(field, rows, columns)                                                                    \
    tables->field = take(block, &position, (size_t)(rows) * (size_t)(columns));
    SHOAL_OBJECTIVE_TABLES(X)
#undef X
    tables->count = position;
}

static enum shoal_status init_tables(struct shoal_objective_tables *tables,
                                     const struct shoal_dims *dims)
{
    float *block;
    lay_out_tables(tables, dims, NULL);
    enum shoal_status status = allocate(tables->count, &block);
    if (status == SHOAL_OK)
        lay_out_tables(tables, dims, block);
    return status;
}

/* Glorot & Bengio 2010: uniform in ±√(6/(inputs + outputs)). */
static void draw(float *values, size_t rows, size_t columns, uint64_t key, uint64_t first)
{
    float bound = sqrtf(6.0f / (float)(rows + columns));
    for (size_t i = 0; i < rows * columns; i++)
        values[i] = (2 * shoal_random_uniform(key, first + i) - 1) * bound;
}

static enum shoal_status count_support(struct shoal_objectives *objectives,
                                       const struct shoal_examples *examples)
{
    const struct shoal_dims *dims = &objectives->dims;
    double alpha = (double)objectives->options.alpha;
    uint32_t *items = calloc(dims->item_buckets, sizeof *items);
    uint32_t *categories = calloc(dims->category_buckets, sizeof *categories);
    enum shoal_status status = items && categories ? SHOAL_OK : SHOAL_NOMEM;
    for (size_t i = 0; i < examples->count && status == SHOAL_OK; i++) {
        items[examples->features[i].item_row]++;
        categories[examples->features[i].category_row]++;
    }
    if (status == SHOAL_OK)
        status = shoal_support_init(&objectives->items, items, dims->item_buckets, alpha);
    if (status == SHOAL_OK)
        status = shoal_support_init(&objectives->categories, categories, dims->category_buckets,
                                    alpha);
    free(items);
    free(categories);
    return status;
}

enum shoal_status shoal_objectives_init(struct shoal_objectives *objectives,
                                        const struct shoal_objective_options *options,
                                        const struct shoal_dims *dims,
                                        const struct shoal_examples *examples, uint64_t seed)
{
    *objectives = (struct shoal_objectives){.options = *options, .dims = *dims};
    objectives->key = shoal_random_key(seed, SHOAL_RANDOM_NEGATIVES);
    if (init_tables(&objectives->tables, dims) != SHOAL_OK ||
        init_tables(&objectives->m, dims) != SHOAL_OK ||
        init_tables(&objectives->v, dims) != SHOAL_OK ||
        count_support(objectives, examples) != SHOAL_OK) {
        shoal_objectives_finish(objectives);
        return SHOAL_NOMEM;
    }
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_OBJECTIVES);
    struct shoal_objective_tables *tables = &objectives->tables;
    draw(tables->next_weight, SHOAL_NEXT_OUTPUTS, dims->hidden, key, 0);
    draw(tables->category_query, dims->category_width, dims->hidden, key, 1u << 20);
    draw(tables->item_query, dims->item_width, dims->hidden, key, 1u << 21);
    return SHOAL_OK;
}

void shoal_objectives_finish(struct shoal_objectives *objectives)
{
    free(objectives->tables.block);
    free(objectives->m.block);
    free(objectives->v.block);
    shoal_support_finish(&objectives->items);
    shoal_support_finish(&objectives->categories);
    *objectives = (struct shoal_objectives){0};
}

static size_t lay_out_room(struct shoal_objectives_room *room, size_t batch, size_t negatives,
                           float *block)
{
    size_t position = 0, rows = room->rows, candidates = batch + negatives;
    room->block = block;
    room->h = take(block, &position, rows * room->hidden);
    room->next = take(block, &position, rows * SHOAL_NEXT_OUTPUTS);
    room->kept = take(block, &position, rows * KEPT);
    room->q = take(block, &position, rows * room->width);
    room->dq = take(block, &position, rows * room->width);
    room->weights = take(block, &position, rows);
    room->dh = take(block, &position, rows * room->hidden);
    room->candidates = take(block, &position, 2 * candidates * room->width);
    room->logits = take(block, &position, batch * candidates);
    room->corrections = take(block, &position, candidates);
    return position;
}

enum shoal_status shoal_objectives_room_create(const struct shoal_objectives *objectives,
                                               const struct shoal_unroll *unroll,
                                               struct shoal_objectives_room **room)
{
    const struct shoal_dims *dims = &objectives->dims;
    size_t negatives = objectives->options.negatives, batch = unroll->batch;
    *room = calloc(1, sizeof **room);
    if (!*room)
        return SHOAL_NOMEM;
    (*room)->rows = batch * unroll->steps;
    (*room)->hidden = dims->hidden;
    (*room)->width =
        dims->item_width > dims->category_width ? dims->item_width : dims->category_width;
    float *block;
    (*room)->targets = calloc((*room)->rows, sizeof *(*room)->targets);
    (*room)->extras = calloc(negatives + 1, sizeof *(*room)->extras);
    if (!(*room)->targets || !(*room)->extras ||
        init_tables(&(*room)->gradients, dims) != SHOAL_OK ||
        allocate(lay_out_room(*room, batch, negatives, NULL), &block) != SHOAL_OK) {
        shoal_objectives_room_destroy(*room);
        *room = NULL;
        return SHOAL_NOMEM;
    }
    lay_out_room(*room, batch, negatives, block);
    return SHOAL_OK;
}

void shoal_objectives_room_destroy(struct shoal_objectives_room *room)
{
    if (!room)
        return;
    free(room->gradients.block);
    free(room->block);
    free(room->targets);
    free(room->extras);
    free(room);
}

/* ---- a chunk -------------------------------------------------------------------------------- */

/* The cells that have something to learn from: their h, and their weight. */
static size_t collect(struct shoal_objectives_room *room, const struct shoal_unroll *unroll)
{
    size_t rows = unroll->used * unroll->batch, hidden = room->hidden;
    for (size_t row = 0; row < rows; row++) {
        const struct shoal_unroll_cell *cell = &unroll->cells[row];
        bool learns = cell->features && cell->next && cell->weight > 0;
        room->weights[row] = learns ? cell->weight : 0;
        if (learns)
            memcpy(room->h + row * hidden, unroll->h + row * hidden, hidden * sizeof *room->h);
        else
            memset(room->h + row * hidden, 0, hidden * sizeof *room->h);
    }
    return rows;
}

/* Of a softmax's logits (count) subtracts the greatest; returns what is left of the target's. */
static float lower(float *logits, size_t count, size_t target)
{
    float most = logits[0];
    for (size_t i = 1; i < count; i++)
        most = logits[i] > most ? logits[i] : most;
    for (size_t i = 0; i < count; i++)
        logits[i] = fmaxf(logits[i] - most, -80.0f);
    return logits[target];
}

/* exp(logits) (count) to factor·(softmax − 1[target]); the loss without the factor. */
static double softmax(float *logits, size_t count, size_t target, float own, float factor)
{
    float sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += logits[i];
    float scale = factor / sum;
    for (size_t i = 0; i < count; i++)
        logits[i] *= scale;
    logits[target] -= factor;
    return log((double)sum) - (double)own;
}

/* e^−|z| to factor·(σ(z) − target); the loss without the factor. */
static double sigmoid(float *value, float z, bool target, float factor)
{
    float e = *value, p = z >= 0 ? 1 / (1 + e) : e / (1 + e);
    *value = factor * (p - (target ? 1.0f : 0.0f));
    float wrong = target ? -z : z;
    return (double)fmaxf(wrong, 0) + log1p((double)e);
}

static void prepare_next(const struct shoal_features *next, float *logits, float kept[KEPT])
{
    float *gap = logits + SHOAL_BEHAVIOR_COUNT, *repeat = gap + SHOAL_GAP_CLASSES;
    kept[0] = lower(logits, SHOAL_BEHAVIOR_COUNT, next->behavior);
    kept[1] = lower(gap, SHOAL_GAP_CLASSES, shoal_gap_class(next->numeric[0]));
    for (size_t i = 0; i < 2; i++) {
        kept[2 + i] = repeat[i];
        repeat[i] = fmaxf(-fabsf(repeat[i]), -80.0f);
    }
}

/* behavior, gap and repeat of one cell: the exponentials of its 16 logits to their gradients. */
static void learn_next(const struct shoal_objectives *objectives, const struct shoal_features *next,
                       float weight, float *logits, const float kept[KEPT],
                       double losses[SHOAL_OBJECTIVES])
{
    const float *wanted = objectives->options.weights;
    float *gap = logits + SHOAL_BEHAVIOR_COUNT, *repeat = gap + SHOAL_GAP_CLASSES;
    double full = (double)weight;
    losses[SHOAL_OBJECTIVE_behavior] +=
        full * softmax(logits, SHOAL_BEHAVIOR_COUNT, next->behavior, kept[0],
                       weight * wanted[SHOAL_OBJECTIVE_behavior]);
    losses[SHOAL_OBJECTIVE_gap] +=
        full * softmax(gap, SHOAL_GAP_CLASSES, shoal_gap_class(next->numeric[0]), kept[1],
                       weight * wanted[SHOAL_OBJECTIVE_gap]);
    for (size_t i = 0; i < 2; i++)
        losses[SHOAL_OBJECTIVE_repeat] +=
            full * sigmoid(repeat + i, kept[2 + i], next->numeric[6 + i] > 0,
                           weight * wanted[SHOAL_OBJECTIVE_repeat]);
}

/* room->next: from the bare products to gradients. The exponentials of all rows go in one call. */
static void judge_next(const struct shoal_objectives *objectives, struct shoal_objectives_room *room,
                       const struct shoal_unroll *unroll, size_t rows,
                       double losses[SHOAL_OBJECTIVES])
{
    const struct shoal_objective_tables *tables = &objectives->tables;
    for (size_t row = 0; row < rows; row++) {
        float *logits = room->next + row * SHOAL_NEXT_OUTPUTS;
        for (size_t i = 0; i < SHOAL_NEXT_OUTPUTS; i++)
            logits[i] += tables->next_bias[i];
        if (room->weights[row] > 0)
            prepare_next(unroll->cells[row].next, logits, room->kept + row * KEPT);
    }
    shoal_vexp(room->next, room->next, rows * SHOAL_NEXT_OUTPUTS);
    for (size_t row = 0; row < rows; row++) {
        float *logits = room->next + row * SHOAL_NEXT_OUTPUTS;
        if (room->weights[row] == 0) {
            memset(logits, 0, SHOAL_NEXT_OUTPUTS * sizeof *logits);
            continue;
        }
        learn_next(objectives, unroll->cells[row].next, room->weights[row], logits,
                   room->kept + row * KEPT, losses);
        for (size_t i = 0; i < SHOAL_NEXT_OUTPUTS; i++)
            room->gradients.next_bias[i] += logits[i];
    }
}

static void run_next(const struct shoal_objectives *objectives, struct shoal_objectives_room *room,
                     const struct shoal_unroll *unroll, size_t rows,
                     double losses[SHOAL_OBJECTIVES])
{
    size_t hidden = room->hidden, outputs = SHOAL_NEXT_OUTPUTS;
    const struct shoal_objective_tables *tables = &objectives->tables;
    shoal_gemm(false, true, rows, outputs, hidden, 1.0f, room->h, hidden, tables->next_weight, hidden,
               0.0f, room->next, outputs);
    judge_next(objectives, room, unroll, rows, losses);
    shoal_gemm(true, false, outputs, hidden, rows, 1.0f, room->next, outputs, room->h, hidden, 0.0f,
               room->gradients.next_weight, hidden);
    shoal_gemm(false, false, rows, hidden, outputs, 1.0f, room->next, outputs, tables->next_weight,
               hidden, 1.0f, room->dh, hidden);
}

/* One of the two objectives with a sampled softmax. */
struct lookup {
    enum shoal_objective objective;
    size_t width;
    const struct shoal_support *support;
    const float *table, *query, *query_bias, *bias;
    float *table_gradient, *query_gradient, *query_bias_gradient, *bias_gradient;
};

/* q (rows×W) = h·Pᵀ + p */
static void ask(struct shoal_objectives_room *room, const struct lookup *lookup, size_t rows)
{
    size_t width = lookup->width;
    shoal_gemm(false, true, rows, width, room->hidden, 1.0f, room->h, room->hidden, lookup->query,
               room->hidden, 0.0f, room->q, width);
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < width; i++)
            room->q[row * width + i] += lookup->query_bias[i];
}

static double run_lookup(const struct shoal_objectives *objectives,
                         struct shoal_objectives_room *room, const struct shoal_unroll *unroll,
                         const struct lookup *lookup, uint64_t chunk, size_t rows)
{
    size_t batch = unroll->batch, width = lookup->width, hidden = room->hidden;
    size_t negatives = objectives->options.negatives;
    float factor = objectives->options.weights[lookup->objective];
    double loss = 0;
    shoal_support_draw(lookup->support, objectives->key + (uint64_t)lookup->objective,
                       chunk * negatives, room->extras, negatives);
    ask(room, lookup, rows);
    for (size_t t = 0; t < unroll->used; t++) {
        struct shoal_softmax_step step = {
            .batch = batch, .extra = negatives, .width = width,
            .table = lookup->table, .bias = lookup->bias,
            .table_gradient = lookup->table_gradient, .bias_gradient = lookup->bias_gradient,
            .support = lookup->support,
            .targets = room->targets + t * batch, .extras = room->extras,
            .weights = room->weights + t * batch,
            .q = room->q + t * batch * width, .dq = room->dq + t * batch * width,
            .candidates = room->candidates, .logits = room->logits,
            .corrections = room->corrections,
        };
        loss += shoal_softmax_step_run(&step);
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < width; i++)
            lookup->query_bias_gradient[i] += room->dq[row * width + i];
    shoal_gemm(true, false, width, hidden, rows, 1.0f, room->dq, width, room->h, hidden, 0.0f,
               lookup->query_gradient, hidden);
    shoal_gemm(false, false, rows, hidden, width, 1.0f, room->dq, width, lookup->query, hidden, 1.0f,
               room->dh, hidden);
    return factor > 0 ? loss / (double)factor : 0;
}

/* The softmax knows no weight of its objective: it is put into the cells' for its time. */
static void weigh(struct shoal_objectives_room *room, size_t rows, float factor)
{
    for (size_t row = 0; row < rows; row++)
        room->weights[row] *= factor;
}

static void run_lookups(const struct shoal_objectives *objectives,
                        struct shoal_objectives_room *room, struct shoal_unroll *unroll,
                        const struct shoal_params *params, uint64_t chunk, size_t rows,
                        struct shoal_params *gradients, double losses[SHOAL_OBJECTIVES])
{
    const struct shoal_objective_tables *tables = &objectives->tables;
    const struct lookup lookups[] = {
        {SHOAL_OBJECTIVE_category, objectives->dims.category_width, &objectives->categories,
         params->category_embedding, tables->category_query, tables->category_query_bias,
         tables->category_bias, gradients->category_embedding, room->gradients.category_query,
         room->gradients.category_query_bias, room->gradients.category_bias},
        {SHOAL_OBJECTIVE_item, objectives->dims.item_width, &objectives->items,
         params->item_embedding, tables->item_query, tables->item_query_bias, tables->item_bias,
         gradients->item_embedding, room->gradients.item_query, room->gradients.item_query_bias,
         room->gradients.item_bias},
    };
    for (size_t i = 0; i < 2; i++) {
        float factor = objectives->options.weights[lookups[i].objective];
        if (factor <= 0)
            continue;
        for (size_t row = 0; row < rows; row++) {
            const struct shoal_features *next = unroll->cells[row].next;
            room->targets[row] = SHOAL_NO_TARGET;
            if (room->weights[row] > 0)
                room->targets[row] = i == 1               ? next->item_row
                                     : next->category_row ? next->category_row
                                                          : SHOAL_NO_TARGET; /* none is no category */
        }
        weigh(room, rows, factor);
        losses[lookups[i].objective] =
            run_lookup(objectives, room, unroll, &lookups[i], chunk, rows);
        weigh(room, rows, 1 / factor);
    }
}

void shoal_objectives_run(const struct shoal_objectives *objectives,
                          struct shoal_objectives_room *room, struct shoal_unroll *unroll,
                          const struct shoal_params *params, uint64_t chunk,
                          struct shoal_params *gradients, double losses[SHOAL_OBJECTIVES])
{
    memset(losses, 0, SHOAL_OBJECTIVES * sizeof *losses);
    memset(room->gradients.block, 0, room->gradients.count * sizeof(float));
    size_t rows = collect(room, unroll);
    memset(room->dh, 0, rows * room->hidden * sizeof *room->dh);
    run_next(objectives, room, unroll, rows, losses);
    run_lookups(objectives, room, unroll, params, chunk, rows, gradients, losses);
    /* A cell without a next event had h = 0 here, but a query's bias reaches nothing of it either. */
    for (size_t row = 0; row < rows; row++)
        if (room->weights[row] > 0)
            for (size_t j = 0; j < room->hidden; j++)
                unroll->dh_more[row * room->hidden + j] += room->dh[row * room->hidden + j];
    unroll->more = true;
}

const struct shoal_objective_tables *
shoal_objectives_gradients(const struct shoal_objectives_room *room)
{
    return &room->gradients;
}

void shoal_objectives_update(struct shoal_objectives *objectives, const struct shoal_ranks *ranks,
                             struct shoal_objectives_room *const *rooms, size_t rooms_count,
                             float scale, const struct shoal_adamw_options *adamw, float rate)
{
    size_t count = objectives->tables.count;
    float *sum = rooms[0]->gradients.block;
    for (size_t s = 1; s < rooms_count; s++)
        for (size_t i = 0; i < count; i++)
            sum[i] += rooms[s]->gradients.block[i];
    shoal_ranks_sum(ranks, sum, count);
    for (size_t i = 0; i < count; i++)
        sum[i] *= scale;
    shoal_adamw_update_block(adamw, ++objectives->step, rate, 0, objectives->tables.block, sum,
                             objectives->m.block, objectives->v.block, count);
}
