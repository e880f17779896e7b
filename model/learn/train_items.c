/* SPDX-License-Identifier: Apache-2.0 */
/* Parts, weights, parts again; see train_items.h. */
#include "model/learn/train_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/half.h"
#include "model/learn/item_pairs.h"
#include "model/learn/item_ranks.h"
#include "model/learn/item_vectors.h"

enum {
    WIDTH = 64,
    EPOCHS_MAX = 10,
    EPOCHS_DEFAULT = 6,
    PATIENCE = 2,
    SEEN_TWICE_FROM = 200000, /* a catalogue greater than that is of items seen twice */
    JUDGED_MIN = 50,          /* targets after the cut, for anything to be chosen */
    JUDGED_MAX = 4000,
    FITTED_MAX = 20000,
};

static const double VALIDATION_SHARE = 0.12;

/* All that is learnt up to some time. */
struct stage {
    const struct shoal_model *model;
    const struct shoal_dataset *dataset;
    const struct shoal_train_items_options *options;
    int64_t until_ms;
    struct shoal_item_data data;
    struct shoal_item_targets targets;
    float *states;             /* owned; of the targets */
    float *logs;               /* owned; popularities */
    struct shoal_items *items; /* owned */
    struct shoal_item_learner *learner; /* owned */
    struct shoal_prompts *prompts[SHOAL_PROMPT_VARIANTS]; /* owned; NULL: none */
    double done, share;        /* of all the work: behind it; its own */
};

static void finish(struct stage *stage)
{
    shoal_item_learner_destroy(stage->learner);
    shoal_item_data_finish(&stage->data);
    shoal_item_targets_finish(&stage->targets);
    shoal_items_destroy(stage->items);
    for (int v = 0; v < SHOAL_PROMPT_VARIANTS; v++)
        shoal_prompts_destroy(stage->prompts[v]);
    free(stage->states);
    free(stage->logs);
}

static void tell(const struct stage *stage, double done)
{
    if (stage->options->progress)
        stage->options->progress(stage->options->context, stage->done + stage->share * done);
}

/* ---- the parts ---------------------------------------------------------------------------------- */

static enum shoal_status make_catalogue(struct stage *stage, uint32_t *least)
{
    const struct shoal_train_items_options *options = stage->options;
    size_t most = options->most ? options->most : SHOAL_ITEMS_MAX;
    *least = 1;
    enum shoal_status status = shoal_item_data_make(stage->dataset, stage->until_ms, 1, most + 1,
                                                    options->names, &stage->data);
    if (status == SHOAL_OK && (stage->data.count > SEEN_TWICE_FROM || stage->data.count > most)) {
        shoal_item_data_finish(&stage->data);
        *least = options->most ? 1 : 2;
        status = shoal_item_data_make(stage->dataset, stage->until_ms, *least, most, options->names,
                                      &stage->data);
    }
    return status;
}

static size_t ids_size(const struct stage *stage)
{
    size_t total = 0, size;
    for (size_t j = 0; j < stage->data.count; j++)
        if (shoal_item_names_find(stage->options->names, stage->data.hashes[j], &size))
            total += size;
    return total;
}

static enum shoal_status make_items(struct stage *stage)
{
    const struct shoal_item_data *data = &stage->data;
    enum shoal_status status = shoal_items_create(
        data->count, WIDTH, stage->model->params.dims.hidden, ids_size(stage), &stage->items);
    if (status != SHOAL_OK)
        return status;
    struct shoal_items *items = stage->items;
    for (size_t j = 0; j < data->count; j++) {
        size_t size = 0;
        const char *id = shoal_item_names_find(stage->options->names, data->hashes[j], &size);
        items->hashes[j] = data->hashes[j];
        items->support[j] = data->support[j];
        items->categories[j] = data->categories[j];
        if (id)
            memcpy(items->ids + items->id_at[j], id, size);
        items->id_at[j + 1] = items->id_at[j] + (uint32_t)size;
    }
    return SHOAL_OK;
}

static enum shoal_status make_targets(struct stage *stage)
{
    size_t hidden = stage->model->params.dims.hidden;
    enum shoal_status status = shoal_item_targets_make(stage->dataset, &stage->data, INT64_MIN,
                                                       stage->until_ms, &stage->targets);
    if (status != SHOAL_OK)
        return status;
    stage->states = malloc((stage->targets.count + 1) * hidden * sizeof *stage->states);
    stage->logs = malloc(SHOAL_ITEM_POPULARITIES * stage->data.count * sizeof *stage->logs);
    if (!stage->states || !stage->logs)
        return SHOAL_NOMEM;
    shoal_item_popularities(stage->dataset, &stage->data, stage->until_ms, stage->logs);
    return shoal_item_states(stage->model, stage->dataset, stage->targets.last,
                             stage->targets.count, stage->states);
}

/* Everything but vectors, which are random yet. */
static enum shoal_status begin(struct stage *stage, uint32_t *least)
{
    const struct shoal_item_pairs_options pairs = {.shrink = 5, .fade = 0.6, .back = 0.5, .most = 48};
    struct shoal_item_vectors_options vectors = shoal_item_vectors_options_default();
    vectors.ring = stage->model->params.dims.ring;
    vectors.seed = stage->options->seed;
    enum shoal_status status = make_catalogue(stage, least);
    if (status != SHOAL_OK || stage->data.count == 0)
        return status;
    status = make_items(stage);
    if (status == SHOAL_OK)
        status = make_targets(stage);
    if (status == SHOAL_OK)
        status = shoal_item_pairs_learn(stage->dataset, &stage->data, stage->until_ms, &pairs,
                                        stage->items);
    if (status == SHOAL_OK)
        status = shoal_items_ready(stage->items);
    if (status == SHOAL_OK)
        status = shoal_item_learner_create(&vectors, stage->dataset, &stage->data, &stage->targets,
                                           stage->states, stage->items, &stage->learner);
    return status;
}

static double run_epoch(struct stage *stage, uint32_t epoch)
{
    return shoal_item_learner_epoch(stage->learner, epoch, (double)epoch / EPOCHS_MAX,
                                    (double)(epoch + 1) / EPOCHS_MAX);
}

/* ---- the validation ----------------------------------------------------------------------------- */

/* Targets after the cut with their states; of one goal. */
struct judge {
    struct shoal_item_targets targets;
    float *states;   /* owned */
    float *rates;    /* owned; NULL: nobody asks */
    uint32_t *ranks; /* owned */
    struct shoal_item_asked asked;
};

static void finish_judge(struct judge *judge)
{
    shoal_item_targets_finish(&judge->targets);
    free(judge->states);
    free(judge->rates);
    free(judge->ranks);
}

static void keep_bought(struct shoal_item_targets *targets)
{
    size_t kept = 0;
    for (size_t i = 0; i < targets->count; i++) {
        if (!targets->bought[i])
            continue;
        targets->last[kept] = targets->last[i];
        targets->items[kept] = targets->items[i];
        targets->bought[kept++] = true;
    }
    targets->count = kept;
}

static enum shoal_status make_judge(const struct stage *stage, int64_t end_ms,
                                    enum shoal_item_goal goal, struct judge *judge)
{
    size_t hidden = stage->model->params.dims.hidden;
    enum shoal_status status = shoal_item_targets_make(stage->dataset, &stage->data,
                                                       stage->until_ms, end_ms, &judge->targets);
    if (status != SHOAL_OK)
        return status;
    if (goal == SHOAL_GOAL_BUY)
        keep_bought(&judge->targets);
    shoal_item_targets_thin(&judge->targets, FITTED_MAX, stage->options->seed);
    size_t count = judge->targets.count;
    judge->states = malloc((count + 1) * hidden * sizeof *judge->states);
    judge->ranks = malloc((count + 1) * sizeof *judge->ranks);
    if (!judge->states || !judge->ranks)
        return SHOAL_NOMEM;
    judge->asked = (struct shoal_item_asked){
        .dataset = stage->dataset,
        .last = judge->targets.last,
        .targets = judge->targets.items,
        .count = count,
        .states = judge->states,
        .hidden = hidden,
        .ring = stage->model->params.dims.ring,
    };
    return shoal_item_states(stage->model, stage->dataset, judge->targets.last, count,
                             judge->states);
}

static struct shoal_item_figures figures_of(const uint32_t *ranks, size_t count)
{
    struct shoal_item_figures figures = {0};
    for (size_t i = 0; i < count; i++)
        if (ranks[i] < 20) {
            figures.hr20 += 1 / (double)count;
            figures.ndcg20 += 1 / log2((double)ranks[i] + 2) / (double)count;
        }
    return figures;
}

/* How well `mix` does on the judge's targets, up to `most` of them. The catalogue's own query is as it was
 * afterwards. */
static enum shoal_status try_mix(struct stage *stage, struct judge *judge, size_t most,
                                 const struct shoal_item_mix *mix,
                                 struct shoal_item_figures *figures)
{
    struct shoal_items *items = stage->items;
    struct shoal_item_asking *asking = &items->asking[SHOAL_GOAL_ANY];
    size_t width = items->width;
    size_t count = width * items->hidden + width + SHOAL_ITEM_HEADS * width * width;
    struct shoal_item_asked asked = judge->asked;
    float *kept = malloc(count * sizeof *kept);
    if (!kept)
        return SHOAL_NOMEM;
    memcpy(kept, asking->state, count * sizeof *kept);
    if (asked.count > most)
        asked.count = most;
    shoal_item_mix_apply(mix, stage->logs, items, SHOAL_GOAL_ANY);
    enum shoal_status status = shoal_item_ranks(items, &asked, SHOAL_GOAL_ANY, judge->ranks);
    memcpy(asking->state, kept, count * sizeof *kept);
    *figures = figures_of(judge->ranks, asked.count);
    free(kept);
    return status;
}

/* What is left of a mix for a part. */
static struct shoal_item_mix part_of(const struct shoal_item_mix *mix, enum shoal_item_part part)
{
    struct shoal_item_mix only = *mix;
    if (part == SHOAL_ITEM_PART_POPULAR)
        only = (struct shoal_item_mix){.popularity = {1}};
    if (part == SHOAL_ITEM_PART_NEAR || part == SHOAL_ITEM_PART_POPULAR)
        only.scale = 0;
    if (part == SHOAL_ITEM_PART_VECTORS || part == SHOAL_ITEM_PART_POPULAR) {
        only.again = (struct shoal_item_table){0};
        only.level = 0;
        for (size_t k = 0; k < SHOAL_RING_MAX; k++)
            only.follow.place[k] = -20; /* as good as nothing */
    }
    return only;
}

/* Epochs up to the best one, whose vectors and queries are those of the catalogue afterwards. */
static enum shoal_status find_epochs(struct stage *stage, struct judge *judge, uint32_t *epochs)
{
    struct shoal_items *items = stage->items;
    const struct shoal_item_mix mix = shoal_item_mix_default();
    size_t vectors = items->count * items->width;
    float *best_vectors = malloc(vectors * sizeof *best_vectors);
    struct shoal_item_asking *asking = &items->asking[SHOAL_GOAL_ANY];
    size_t dense = items->width * (items->hidden + 1 + SHOAL_ITEM_HEADS * items->width);
    float *best_dense = malloc(dense * sizeof *best_dense);
    struct shoal_item_asking best = *asking;
    enum shoal_status status = best_vectors && best_dense ? SHOAL_OK : SHOAL_NOMEM;
    double best_ndcg = -1;
    for (uint32_t epoch = 0; status == SHOAL_OK && epoch < EPOCHS_MAX; epoch++) {
        struct shoal_item_figures figures;
        (void)run_epoch(stage, epoch);
        tell(stage, 0.8 * (epoch + 1) / EPOCHS_MAX);
        status = try_mix(stage, judge, JUDGED_MAX, &mix, &figures);
        if (status == SHOAL_OK && figures.ndcg20 > best_ndcg) {
            best_ndcg = figures.ndcg20;
            *epochs = epoch + 1;
            memcpy(best_vectors, items->vectors, vectors * sizeof *best_vectors);
            memcpy(best_dense, asking->state, dense * sizeof *best_dense);
            best = *asking;
        } else if (epoch + 1 >= *epochs + PATIENCE) {
            break;
        }
    }
    if (status == SHOAL_OK) {
        memcpy(items->vectors, best_vectors, vectors * sizeof *best_vectors);
        memcpy(asking->state, best_dense, dense * sizeof *best_dense);
        memcpy(asking->pool, best.pool, sizeof best.pool);
    }
    free(best_vectors);
    free(best_dense);
    return status;
}

static enum shoal_status judge_goal(struct stage *stage, struct judge *judge,
                                    enum shoal_item_goal goal,
                                    struct shoal_train_items_report *report)
{
    enum shoal_status status = shoal_item_mix_fit(stage->items, stage->logs, &judge->asked,
                                                  stage->options->seed, &report->mix[goal]);
    report->judged[goal] = judge->asked.count;
    for (int part = 0; status == SHOAL_OK && part < SHOAL_ITEM_PARTS; part++) {
        struct shoal_item_mix mix = part_of(&report->mix[goal], (enum shoal_item_part)part);
        status = try_mix(stage, judge, FITTED_MAX, &mix, &report->figures[goal][part]);
    }
    return status;
}

/* Prompts for the catalogue with its weights as they were found. */
static enum shoal_status tune_prompts(struct stage *stage, struct judge *any, struct judge *buy,
                                      struct shoal_train_items_report *report)
{
    struct shoal_items *items = stage->items;
    struct judge *judges[SHOAL_ITEM_GOALS] = {any, buy};
    struct shoal_item_asked asked[SHOAL_ITEM_GOALS];
    size_t dense = items->width * (items->hidden + 1 + SHOAL_ITEM_HEADS * items->width);
    struct shoal_item_asking *asking = items->asking;
    enum shoal_status status = SHOAL_OK;
    memcpy(asking[SHOAL_GOAL_BUY].state, asking[SHOAL_GOAL_ANY].state, dense * sizeof(float));
    memcpy(asking[SHOAL_GOAL_BUY].pool, asking[SHOAL_GOAL_ANY].pool, sizeof asking->pool);
    for (int g = 0; status == SHOAL_OK && g < SHOAL_ITEM_GOALS; g++) {
        struct judge *judge = judges[g];
        size_t count = judge->asked.count;
        shoal_item_mix_apply(&report->mix[g], stage->logs, items, (enum shoal_item_goal)g);
        judge->rates = malloc((count + 1) * SHOAL_COUNTERS * sizeof *judge->rates);
        status = judge->rates && count ? shoal_item_rates(stage->model, stage->dataset, judge->targets.last,
                                                 count, judge->rates)
                              : SHOAL_OK;
        asked[g] = judge->asked;
        asked[g].rates = judge->rates;
    }
    return status == SHOAL_OK ? shoal_train_prompts(stage->model, items, asked,
                                                    stage->options->prompts,
                                                    stage->options->variant != NULL, stage->prompts,
                                                    &report->prompts)
                              : status;
}

/* Steps 1 and 2. */
static enum shoal_status choose(struct stage *stage, int64_t end_ms,
                                struct shoal_train_items_report *report)
{
    uint32_t least;
    struct judge any = {.states = NULL}, buy = {.states = NULL};
    enum shoal_status status = begin(stage, &least);
    if (status == SHOAL_OK && stage->data.count > 0)
        status = make_judge(stage, end_ms, SHOAL_GOAL_ANY, &any);
    if (status == SHOAL_OK && any.targets.count >= JUDGED_MIN) {
        status = find_epochs(stage, &any, &report->epochs);
        if (status == SHOAL_OK)
            status = judge_goal(stage, &any, SHOAL_GOAL_ANY, report);
        report->mix[SHOAL_GOAL_BUY] = report->mix[SHOAL_GOAL_ANY];
        if (status == SHOAL_OK)
            status = make_judge(stage, end_ms, SHOAL_GOAL_BUY, &buy);
        if (status == SHOAL_OK && buy.targets.count > 0)
            status = judge_goal(stage, &buy, SHOAL_GOAL_BUY, report);
        if (status == SHOAL_OK && stage->options->prompts)
            status = tune_prompts(stage, &any, &buy, report);
    }
    finish_judge(&any);
    finish_judge(&buy);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void summarise(const struct shoal_train_items_report *report, const struct stage *stage,
                      struct shoal_items_summary *summary)
{
    for (size_t j = 0; j < stage->data.count; j++)
        summary->events += stage->data.support[j];
    summary->targets = report->judged[SHOAL_GOAL_ANY];
    summary->epochs = report->epochs;
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        summary->hr20[g] = (float)report->figures[g][SHOAL_ITEM_PART_ALL].hr20;
        summary->ndcg20[g] = (float)report->figures[g][SHOAL_ITEM_PART_ALL].ndcg20;
        summary->popular_ndcg20[g] = (float)report->figures[g][SHOAL_ITEM_PART_POPULAR].ndcg20;
        memcpy(summary->popularity[g], report->mix[g].popularity, sizeof summary->popularity[g]);
        summary->scale[g] = report->mix[g].scale;
    }
}

/* To the model: each variant for as long as it is told, then the first. */
static enum shoal_status hand_prompts(struct stage *stage, struct shoal_model *model)
{
    const struct shoal_train_items_options *options = stage->options;
    enum shoal_status status = SHOAL_OK;
    for (int v = 0; options->variant && status == SHOAL_OK && v < SHOAL_PROMPT_VARIANTS; v++) {
        model->items->prompts = stage->prompts[v];
        status = options->variant(options->variant_context, model, (enum shoal_prompt_variant)v);
    }
    model->items->prompts = stage->prompts[SHOAL_PROMPT_VARIANT_all];
    stage->prompts[SHOAL_PROMPT_VARIANT_all] = NULL;
    return status;
}

/* Step 3; the catalogue is then the model's. */
static enum shoal_status learn_all(struct stage *stage, struct shoal_model *model,
                                   struct shoal_train_items_report *report)
{
    enum shoal_status status = begin(stage, &report->least);
    if (status != SHOAL_OK)
        return status;
    if (stage->data.count == 0) {
        (void)shoal_fail(&report->why, SHOAL_TOO_FEW, "no event of the log names an item");
        return SHOAL_OK;
    }
    struct shoal_items *items = stage->items;
    report->count = items->count;
    report->targets = stage->targets.count;
    for (uint32_t epoch = 0; epoch < report->epochs; epoch++) {
        (void)run_epoch(stage, epoch);
        tell(stage, (double)(epoch + 1) / report->epochs);
    }
    shoal_half_round(items->vectors, items->count * items->width);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        shoal_item_mix_apply(&report->mix[g], stage->logs, items, (enum shoal_item_goal)g);
    summarise(report, stage, &items->summary);
    shoal_items_destroy(model->items);
    model->items = items;
    stage->items = NULL;
    report->made = true;
    shoal_items_bind(items, model);
    status = shoal_items_ready(model->items);
    return status == SHOAL_OK ? hand_prompts(stage, model) : status;
}

static int by_time(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The time after which the last share of the events lies. */
static enum shoal_status find_cut(const struct shoal_dataset *dataset, int64_t *cut_ms)
{
    size_t count = dataset->events_count;
    int64_t *times = malloc((count + 1) * sizeof *times);
    if (!times)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < count; i++)
        times[i] = dataset->touches[i].time_ms;
    qsort(times, count, sizeof *times, by_time);
    *cut_ms = count ? times[(size_t)((double)count * (1 - VALIDATION_SHARE))] : 0;
    free(times);
    return SHOAL_OK;
}

enum shoal_status shoal_train_items(struct shoal_model *model, const struct shoal_dataset *dataset,
                                    int64_t end_ms, const struct shoal_train_items_options *options,
                                    struct shoal_train_items_report *report)
{
    *report = (struct shoal_train_items_report){.epochs = EPOCHS_DEFAULT};
    report->mix[SHOAL_GOAL_ANY] = report->mix[SHOAL_GOAL_BUY] = shoal_item_mix_default();
    struct stage before = {.model = model, .dataset = dataset, .options = options, .share = 0.5};
    struct stage all = {.model = model,
                        .dataset = dataset,
                        .options = options,
                        .until_ms = end_ms < INT64_MAX ? end_ms + 1 : end_ms,
                        .done = 0.5,
                        .share = 0.5};
    enum shoal_status status = find_cut(dataset, &report->cut_ms);
    before.until_ms = report->cut_ms;
    if (status == SHOAL_OK)
        status = choose(&before, all.until_ms, report);
    memcpy(all.prompts, before.prompts, sizeof all.prompts);
    memset(before.prompts, 0, sizeof before.prompts);
    finish(&before);
    if (status == SHOAL_OK)
        status = learn_all(&all, model, report);
    finish(&all);
    return status;
}
