/* SPDX-License-Identifier: Apache-2.0 */
/* Methods, models, seeds and resamples; see cluster_compare.h. */
#include "model/learn/cluster_compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_points.h"
#include "model/learn/cluster_quality.h"
#include "model/learn/cluster_stability.h"
#include "model/learn/examples.h"
#include "model/learn/labels.h"
#include "model/learn/metrics.h"
#include "model/learn/random.h"
#include "model/learn/score.h"
#include "model/learn/train_clusters.h"
#include "model/user_vector.h"

enum { JUDGED_MAX = 20000, SILHOUETTE_MAX = 3000, USER_RESAMPLES = 200, USERS_MIN = 50 };
enum { RUNS_MAX = SHOAL_CLUSTER_MODELS_MAX * SHOAL_CLUSTER_SEEDS_MAX };

static const struct {
    const char *name, *text;
} measures[] = {
#define X(name, text) {#name, text},
    SHOAL_CLUSTER_MEASURE_LIST(X)
#undef X
};

/* One model's view: the states it learns from, and the judged ones. */
struct view {
    struct shoal_cluster_points points;
    float *learn, *judge; /* standardised vectors */
    float *learn_rfm;
    struct shoal_cluster_states learn_states, judge_states;
};

struct comparison {
    const struct shoal_model *const *models;
    size_t count;
    const struct shoal_dataset *dataset;
    int64_t end_ms;
    const struct shoal_cluster_compare_options *options;
    struct shoal_cluster_table *table;
    struct shoal_cluster_points judged;
    float *judge_rfm;
    struct view views[SHOAL_CLUSTER_MODELS_MAX];
    uint8_t *labels;   /* of each method, model and seed: judged.count */
    uint8_t *resampled;
    float *space;      /* of one run */
    uint32_t *weights; /* of one resample of the users */
    size_t done, total;
    double values[SHOAL_CLUSTER_MEASURES][RUNS_MAX]; /* of one method */
};

struct shoal_cluster_compare_options shoal_cluster_compare_options_default(void)
{
    return (struct shoal_cluster_compare_options){
        .seeds = 3, .resamples = 10, .states = 20000, .idec = shoal_idec_options_default()};
}

const char *shoal_cluster_measure_name(enum shoal_cluster_measure measure)
{
    return measures[measure].name;
}

const char *shoal_cluster_measure_text(enum shoal_cluster_measure measure)
{
    return measures[measure].text;
}

/* ---- states --------------------------------------------------------------------------------- */

/* Purchases of each point's user up to it. */
static float *rfm_of(const struct shoal_dataset *dataset, const struct shoal_cluster_points *points)
{
    float *rfm = malloc((points->count + 1) * SHOAL_RFM * sizeof *rfm);
    for (size_t i = 0; rfm && i < points->count; i++) {
        size_t event = points->events[i];
        const struct shoal_touch *touches = dataset->touches;
        double purchases = 0, paid = 0, recency = INFINITY;
        for (size_t k = dataset->first[points->owners[i]]; k <= event; k++) {
            if (touches[k].behavior != SHOAL_BUY)
                continue;
            float amount = dataset->amounts ? dataset->amounts[k] : 1;
            purchases++;
            paid += isnan(amount) ? 1 : (double)amount;
            recency = (double)(touches[event].time_ms - touches[k].time_ms) / 86400e3;
        }
        rfm[i * SHOAL_RFM] = (float)recency;
        rfm[i * SHOAL_RFM + 1] = (float)purchases;
        rfm[i * SHOAL_RFM + 2] = (float)paid;
    }
    return rfm;
}

/* The learning states of model m and the judged ones, by the mean and deviation of the former. */
static enum shoal_status make_view(struct comparison *work, size_t m)
{
    const struct shoal_model *model = work->models[m];
    struct view *view = &work->views[m];
    struct shoal_examples examples = {0};
    size_t size = shoal_user_vector_size(model), judged = work->judged.count;
    float *scale = malloc(2 * size * sizeof *scale);
    enum shoal_status status = shoal_cluster_points_make(
        work->dataset, INT64_MIN, model->origin.train_until_ms, work->end_ms, work->options->states,
        &view->points);
    size_t learnt = view->points.count;
    view->learn = malloc((learnt + 1) * size * sizeof(float));
    view->judge = malloc((judged + 1) * size * sizeof(float));
    view->learn_rfm = rfm_of(work->dataset, &view->points);
    if (status == SHOAL_OK && (!scale || !view->learn || !view->judge || !view->learn_rfm))
        status = SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_examples_make(work->dataset, &model->params.dims, &examples);
    if (status == SHOAL_OK)
        status = shoal_score_vectors(model, work->dataset, &examples, SHOAL_FP16,
                                     view->points.events, learnt, view->learn);
    if (status == SHOAL_OK)
        status = shoal_score_vectors(model, work->dataset, &examples, SHOAL_FP16,
                                     work->judged.events, judged, view->judge);
    if (status == SHOAL_OK) {
        shoal_cluster_standardize(view->learn, learnt, size, scale, scale + size);
        for (size_t i = 0; i < judged * size; i++)
            view->judge[i] = (view->judge[i] - scale[i % size]) / scale[size + i % size];
    }
    view->learn_states =
        (struct shoal_cluster_states){view->learn, view->learn_rfm, learnt, size};
    view->judge_states =
        (struct shoal_cluster_states){view->judge, work->judge_rfm, judged, size};
    shoal_examples_finish(&examples);
    free(scale);
    return status;
}

/* K as training would choose it with the first model. */
static enum shoal_status choose(struct comparison *work)
{
    const struct view *view = &work->views[0];
    struct shoal_cluster_table *table = work->table;
    struct shoal_cluster_samples samples = {view->learn, view->points.owners,
                                            view->learn_states.count, view->learn_states.size};
    struct shoal_cluster_search_options options = {.resamples = 10, .repeats = 5,
                                                   .idec = work->options->idec};
    struct shoal_autoencoder coder = {0};
    struct shoal_cluster_found found;
    table->clusters = work->options->clusters;
    if (table->clusters)
        return SHOAL_OK;
    uint8_t *labels = malloc(samples.count + 1);
    enum shoal_status status = labels ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_cluster_search(&samples, &options, &coder, labels, &found);
    if (status == SHOAL_OK) {
        table->clusters = found.clusters;
        table->chosen = true;
    }
    shoal_autoencoder_finish(&coder);
    free(labels);
    return status;
}

/* ---- one run -------------------------------------------------------------------------------- */

static void tell(struct comparison *work)
{
    work->done++;
    if (work->options->progress)
        work->options->progress(work->options->context, (double)work->done / (double)work->total);
}

static uint8_t *labels_of(const struct comparison *work, size_t method, size_t m, size_t seed)
{
    size_t run = (method * work->count + m) * work->options->seeds + seed;
    return work->labels + run * work->judged.count;
}

static enum shoal_status run(struct comparison *work, enum shoal_cluster_method method, size_t m,
                             const uint32_t *rows, size_t rows_count, uint64_t seed, uint8_t *labels,
                             struct shoal_cluster_result *result)
{
    struct shoal_idec_options options = work->options->idec;
    options.seed += seed;
    options.progress = NULL;
    *result = (struct shoal_cluster_result){.labels = labels, .space = work->space};
    enum shoal_status status = shoal_cluster_method_run(
        method, &work->views[m].learn_states, rows, rows_count, work->table->clusters, &options,
        &work->views[m].judge_states, result);
    tell(work);
    return status;
}

static enum shoal_status measure(struct comparison *work, size_t m,
                                 const struct shoal_cluster_result *result, size_t run_index)
{
    size_t count = work->judged.count, size = work->views[m].judge_states.size;
    const float *common = work->views[m].judge;
    enum shoal_status status =
        shoal_silhouette(common, count, size, result->labels, result->clusters, SILHOUETTE_MAX, 1,
                         &work->values[SHOAL_CLUSTER_silhouette][run_index]);
    if (status == SHOAL_OK)
        status = shoal_silhouette(result->space, count, result->space_size, result->labels,
                                  result->clusters, SILHOUETTE_MAX, 1,
                                  &work->values[SHOAL_CLUSTER_silhouette_own][run_index]);
    if (status == SHOAL_OK)
        status = shoal_davies_bouldin(common, count, size, result->labels, result->clusters,
                                      &work->values[SHOAL_CLUSTER_davies_bouldin][run_index]);
    if (status == SHOAL_OK)
        status = shoal_davies_bouldin(result->space, count, result->space_size, result->labels,
                                      result->clusters,
                                      &work->values[SHOAL_CLUSTER_davies_bouldin_own][run_index]);
    return status;
}

static size_t count_used(const uint8_t *labels, size_t count)
{
    bool used[SHOAL_LABELS_MAX] = {false};
    size_t clusters = 0;
    for (size_t i = 0; i < count; i++) {
        clusters += !used[labels[i]];
        used[labels[i]] = true;
    }
    return clusters;
}

/* ---- summing up ----------------------------------------------------------------------------- */

static struct shoal_cluster_spread spread_of(const double *values, size_t count)
{
    struct shoal_cluster_spread spread = {NAN, NAN, NAN};
    double sum = 0;
    size_t numbers = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            continue;
        spread.low = fmin(spread.low, values[i]);
        spread.high = fmax(spread.high, values[i]);
        sum += values[i];
        numbers++;
    }
    if (numbers)
        spread.mean = sum / (double)numbers;
    return spread;
}

/* How often each user's points count in a resample of the users. */
static void draw_weights(struct comparison *work, uint64_t resample)
{
    const struct shoal_cluster_points *judged = &work->judged;
    uint64_t key = shoal_random_key(resample, SHOAL_RANDOM_BOOTSTRAP);
    uint32_t *drawn = work->weights + judged->count; /* of each user, in the points' order */
    memset(drawn, 0, judged->users * sizeof *drawn);
    for (size_t u = 0; u < judged->users; u++)
        drawn[shoal_random_below(key, u, (uint32_t)judged->users)]++;
    for (size_t i = 0, user = 0; i < judged->count; i++) {
        user += i > 0 && judged->owners[i] != judged->owners[i - 1];
        work->weights[i] = drawn[user];
    }
}

/* eta² and R² of every run, and of every resample. */
static enum shoal_status explain(struct comparison *work, size_t method, size_t clusters,
                                 struct shoal_cluster_row *row)
{
    const struct shoal_cluster_points *judged = &work->judged;
    size_t seeds = work->options->seeds, runs = work->count * seeds, all = runs * USER_RESAMPLES;
    double *pooled = malloc(2 * all * sizeof *pooled);
    if (!pooled)
        return SHOAL_NOMEM;
    for (size_t r = 0; r < runs; r++) {
        const uint8_t *labels = labels_of(work, method, r / seeds, r % seeds);
        struct shoal_explained explained;
        shoal_explained(judged->outcomes, labels, judged->owners, NULL, judged->count, clusters,
                        &explained);
        work->values[SHOAL_CLUSTER_eta2][r] = explained.eta2;
        work->values[SHOAL_CLUSTER_mcfadden_r2][r] = explained.mcfadden;
        for (size_t s = 0; s < USER_RESAMPLES; s++) {
            draw_weights(work, s);
            shoal_explained(judged->outcomes, labels, judged->owners, work->weights, judged->count,
                            clusters, &explained);
            pooled[r * USER_RESAMPLES + s] = explained.eta2;
            pooled[all + r * USER_RESAMPLES + s] = explained.mcfadden;
        }
    }
    for (size_t k = 0; k < 2; k++) {
        size_t name = k ? SHOAL_CLUSTER_mcfadden_r2 : SHOAL_CLUSTER_eta2;
        struct shoal_interval interval = shoal_interval_of(pooled + k * all, all);
        row->measures[name] = spread_of(work->values[name], runs);
        row->measures[name].low = interval.low;
        row->measures[name].high = interval.high;
    }
    free(pooled);
    return SHOAL_OK;
}

/* Pairs of models with the same seed; with one model, pairs of seeds. */
static struct shoal_cluster_spread agree(const struct comparison *work, size_t method)
{
    size_t seeds = work->options->seeds, things = work->count > 1 ? work->count : seeds;
    size_t repeats = work->count > 1 ? seeds : 1, pairs = 0;
    double *values = malloc((things * things * repeats + 1) * sizeof *values);
    for (size_t a = 0; values && a < things; a++)
        for (size_t b = 0; b < a; b++)
            for (size_t s = 0; s < repeats; s++) {
                const uint8_t *first = work->count > 1 ? labels_of(work, method, a, s)
                                                       : labels_of(work, method, 0, a);
                const uint8_t *second = work->count > 1 ? labels_of(work, method, b, s)
                                                        : labels_of(work, method, 0, b);
                values[pairs++] = shoal_adjusted_rand(first, second, work->judged.count);
            }
    struct shoal_cluster_spread spread = spread_of(values, pairs);
    free(values);
    return spread;
}

/* The method on resampled users, against its first run. */
static enum shoal_status resample(struct comparison *work, enum shoal_cluster_method method,
                                  struct shoal_cluster_row *row)
{
    const struct view *view = &work->views[0];
    size_t count = view->points.count, judged = work->judged.count;
    struct shoal_cluster_samples samples = {view->learn, view->points.owners, count,
                                            view->learn_states.size};
    uint32_t *rows = malloc(2 * count * sizeof *rows);
    double *values = malloc((work->options->resamples + 1) * sizeof *values);
    enum shoal_status status = rows && values ? SHOAL_OK : SHOAL_NOMEM;
    for (unsigned r = 0; r < work->options->resamples && status == SHOAL_OK; r++) {
        size_t drawn = shoal_cluster_resample(&samples, 1000 + r, rows, 2 * count);
        const uint8_t *reference = labels_of(work, method, 0, 0);
        struct shoal_cluster_result result;
        double jaccards[SHOAL_LABELS_MAX], sum = 0;
        status = drawn ? run(work, method, 0, rows, drawn, 0, work->resampled, &result) : SHOAL_NOMEM;
        if (status != SHOAL_OK)
            break;
        shoal_cluster_jaccards(reference, result.clusters, work->resampled, result.clusters, judged,
                               jaccards);
        for (size_t j = 0; j < result.clusters; j++)
            sum += jaccards[j];
        values[r] = sum / (double)count_used(reference, judged);
    }
    if (status == SHOAL_OK)
        row->measures[SHOAL_CLUSTER_bootstrap_jaccard] = spread_of(values, work->options->resamples);
    free(rows);
    free(values);
    return status;
}

static enum shoal_status compare_method(struct comparison *work, enum shoal_cluster_method method)
{
    struct shoal_cluster_row *row = &work->table->rows[method];
    struct shoal_cluster_result result = {0};
    size_t seeds = work->options->seeds, runs = work->count * seeds;
    enum shoal_status status = SHOAL_OK;
    for (size_t r = 0; r < runs && status == SHOAL_OK; r++) {
        uint8_t *labels = labels_of(work, method, r / seeds, r % seeds);
        status = run(work, method, r / seeds, NULL, 0, r % seeds, labels, &result);
        if (status == SHOAL_OK)
            status = measure(work, r / seeds, &result, r);
        row->clusters += (double)count_used(labels, work->judged.count) / (double)runs;
    }
    if (status != SHOAL_OK)
        return status;
    for (size_t name = 0; name <= SHOAL_CLUSTER_davies_bouldin_own; name++)
        row->measures[name] = spread_of(work->values[name], runs);
    row->measures[SHOAL_CLUSTER_retrain_ari] = agree(work, method);
    status = explain(work, method, result.clusters, row);
    return status == SHOAL_OK ? resample(work, method, row) : status;
}

/* ---- course --------------------------------------------------------------------------------- */

static enum shoal_status find_judged(struct comparison *work, struct shoal_message *message)
{
    struct shoal_cluster_table *table = work->table;
    table->until_ms = work->end_ms - SHOAL_HORIZON_MS + 1;
    for (size_t m = 0; m < work->count; m++)
        if (work->models[m]->origin.train_until_ms > table->from_ms)
            table->from_ms = work->models[m]->origin.train_until_ms;
    enum shoal_status status =
        shoal_cluster_points_make(work->dataset, table->from_ms, table->until_ms, work->end_ms,
                                  JUDGED_MAX, &work->judged);
    if (status != SHOAL_OK)
        return status;
    double bought = 0;
    for (size_t i = 0; i < work->judged.count; i++)
        bought += work->judged.outcomes[i];
    table->users = work->judged.users;
    table->states = work->judged.count;
    table->models = work->count;
    table->conversion = bought / (double)work->judged.count;
    if (table->users < USERS_MIN)
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "%zu users have events between the end of the models' training and the "
                          "last day; needed are %d",
                          table->users, USERS_MIN);
    return SHOAL_OK;
}

static enum shoal_status make_room(struct comparison *work)
{
    size_t count = work->judged.count, widest = SHOAL_CLUSTER_CODE;
    size_t runs = SHOAL_CLUSTER_METHODS * work->count * work->options->seeds;
    for (size_t m = 0; m < work->count; m++) {
        size_t size = shoal_user_vector_size(work->models[m]);
        widest = size > widest ? size : widest;
    }
    work->total = runs + SHOAL_CLUSTER_METHODS * work->options->resamples;
    work->labels = malloc(runs * count);
    work->resampled = malloc(count);
    work->space = malloc(count * widest * sizeof(float));
    work->weights = malloc((count + work->judged.users) * sizeof *work->weights);
    work->judge_rfm = rfm_of(work->dataset, &work->judged);
    return work->labels && work->resampled && work->space && work->weights && work->judge_rfm
               ? SHOAL_OK
               : SHOAL_NOMEM;
}

static void finish(struct comparison *work)
{
    for (size_t m = 0; m < work->count; m++) {
        shoal_cluster_points_finish(&work->views[m].points);
        free(work->views[m].learn);
        free(work->views[m].judge);
        free(work->views[m].learn_rfm);
    }
    shoal_cluster_points_finish(&work->judged);
    free(work->judge_rfm);
    free(work->labels);
    free(work->resampled);
    free(work->space);
    free(work->weights);
    free(work);
}

enum shoal_status shoal_cluster_compare(const struct shoal_model *const *models, size_t count,
                                        const struct shoal_dataset *dataset, int64_t end_ms,
                                        const struct shoal_cluster_compare_options *options,
                                        struct shoal_cluster_table *table,
                                        struct shoal_message *message)
{
    struct comparison *work = calloc(1, sizeof *work);
    *table = (struct shoal_cluster_table){0};
    if (!work)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    work->models = models;
    work->count = count;
    work->dataset = dataset;
    work->end_ms = end_ms;
    work->options = options;
    work->table = table;
    enum shoal_status status = find_judged(work, message);
    if (status == SHOAL_OK)
        status = make_room(work);
    for (size_t m = 0; m < count && status == SHOAL_OK; m++) {
        status = make_view(work, m);
        if (status == SHOAL_OK && work->views[m].points.users < USERS_MIN)
            status = shoal_fail(message, SHOAL_TOO_FEW, "model %s: %zu users to learn from",
                                models[m]->version, work->views[m].points.users);
    }
    if (status == SHOAL_OK)
        status = choose(work);
    for (unsigned method = 0; method < SHOAL_CLUSTER_METHODS && status == SHOAL_OK; method++)
        status = compare_method(work, (enum shoal_cluster_method)method);
    finish(work);
    return status == SHOAL_NOMEM ? shoal_fail(message, status, "out of memory") : status;
}
