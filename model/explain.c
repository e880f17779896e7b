/* SPDX-License-Identifier: Apache-2.0 */
/* Integrated gradients; see explain.h. Points of the path go through the network in batches (explain_paths.h) as
 * large as the room allows; gradients are single precision, sums over points and inputs double, in a fixed order. */
#include "model/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/explain_paths.h"
#include "model/user_vector.h"
#include "model/vmath.h"

/* Floats of the largest block of a batch of points (32 MiB): a ring's are always in one batch, and those of
 * thousands of events still in some, since a GEMM of few rows spends its time on packing the weights. */
enum { BLOCK_FLOATS = 1 << 23, ENDS = 2 };

struct shoal_explain {
    const struct shoal_model *model; /* not owned */
    struct shoal_explain_options options;
    struct shoal_paths paths;
    size_t starts[SHOAL_REASONS + 1]; /* of each kind of input within x, in the order of `order` */
    float *x;                         /* events_max×D, owned */
    double *points, *weights;         /* steps each, owned (one block) */
};

/* What visit needs of a batch of points. */
struct share {
    const struct shoal_explain *explain;
    const double *weights;
    size_t rows;
    struct shoal_explained_event *events;
};

static const struct {
    const char *name, *text;
} reasons[SHOAL_REASONS] = {
#define X(name, text) {#name, text},
    SHOAL_REASONS_LIST(X)
#undef X
};

/* Kinds of input as they lie in x (shoal_features_gather). */
static const enum shoal_reason order[SHOAL_REASONS] = {
    SHOAL_REASON_item, SHOAL_REASON_category, SHOAL_REASON_behavior, SHOAL_REASON_gap,
    SHOAL_REASON_hour, SHOAL_REASON_weekday,  SHOAL_REASON_price,    SHOAL_REASON_repeats,
};

const char *shoal_reason_name(enum shoal_reason reason)
{
    return reasons[reason].name;
}

const char *shoal_reason_text(enum shoal_reason reason)
{
    return reasons[reason].text;
}

static void set_starts(struct shoal_explain *explain)
{
    const struct shoal_dims *d = &explain->model->params.dims;
    const size_t widths[SHOAL_REASONS] = {
        d->item_width, d->category_width, d->behavior_width, 1, 2, 2, 1, 2,
    };
    for (size_t i = 0; i < SHOAL_REASONS; i++)
        explain->starts[i + 1] = explain->starts[i] + widths[i];
}

static size_t rows_of(const struct shoal_explain_options *options, size_t hidden)
{
    size_t rows = BLOCK_FLOATS / (options->events_max * 4 * hidden);
    if (rows > options->steps)
        rows = options->steps;
    return rows < ENDS ? ENDS : rows;
}

enum shoal_status shoal_explain_create(const struct shoal_model *model,
                                       const struct shoal_explain_options *options,
                                       struct shoal_explain **explain)
{
    *explain = NULL;
    if (options->events_max < 1 || options->events_max > SHOAL_EXPLAIN_EVENTS_MAX ||
        options->steps < 1 || options->steps > SHOAL_EXPLAIN_STEPS_MAX)
        return SHOAL_INVALID;
    struct shoal_explain *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    made->model = model;
    made->options = *options;
    set_starts(made);
    made->x = malloc(options->events_max * shoal_dims_inputs(&model->params.dims) *
                     sizeof *made->x);
    made->points = malloc(2 * options->steps * sizeof *made->points);
    enum shoal_status status =
        made->x && made->points
            ? shoal_paths_init(&made->paths, &model->params,
                               rows_of(options, model->params.dims.hidden), options->events_max)
            : SHOAL_NOMEM;
    if (status != SHOAL_OK) {
        shoal_explain_destroy(made);
        return status;
    }
    made->weights = made->points + options->steps;
    shoal_quadrature_make(options->rule, options->steps, made->points, made->weights);
    *explain = made;
    return SHOAL_OK;
}

void shoal_explain_destroy(struct shoal_explain *explain)
{
    if (!explain)
        return;
    shoal_paths_finish(&explain->paths);
    free(explain->x);
    free(explain->points);
    free(explain);
}

/* Adds weight·∂F/∂x·x of one event, point by point. */
static void add_event(void *context, size_t event, const float *dx, size_t stride)
{
    const struct share *share = context;
    const struct shoal_explain *e = share->explain;
    const float *x = e->x + event * e->paths.inputs;
    for (size_t r = 0; r < share->rows; r++)
        for (size_t kind = 0; kind < SHOAL_REASONS; kind++) {
            double sum = 0;
            for (size_t i = e->starts[kind]; i < e->starts[kind + 1]; i++)
                sum += (double)dx[r * stride + i] * (double)x[i];
            share->events[event].inputs[order[kind]] += share->weights[r] * sum;
        }
}

static void integrate(struct shoal_explain *explain, size_t count,
                      struct shoal_explained_event *events)
{
    float alphas[SHOAL_EXPLAIN_STEPS_MAX];
    size_t most = explain->paths.rows_max, steps = explain->options.steps;
    for (size_t start = 0; start < steps; start += most) {
        size_t rows = steps - start < most ? steps - start : most;
        struct share share = {explain, explain->weights + start, rows, events};
        for (size_t r = 0; r < rows; r++)
            alphas[r] = (float)explain->points[start + r];
        shoal_paths_forward(&explain->paths, explain->x, count, alphas, rows);
        shoal_paths_backward(&explain->paths, explain->model->params.head_hidden, count, rows,
                             add_event, &share);
    }
}

/* As step.c sums it, for the same bits. */
static float logit_of(const struct shoal_model *model, const float *h, const float *standardised)
{
    const struct shoal_params *params = &model->params;
    return shoal_dot(params->head_hidden, h, params->dims.hidden) +
           shoal_dot(params->head_counters, standardised, SHOAL_COUNTERS) + params->head_bias[0];
}

static float probability_of(const struct shoal_model *model, float logit)
{
    float p = shoal_calibration_apply(&model->calibration[SHOAL_buy_24h], logit);
    shoal_vsigmoid(&p, &p, 1);
    return p;
}

float shoal_explain_state(const struct shoal_model *model, const float *h, const float *rates)
{
    float vector[SHOAL_VECTOR_MAX];
    shoal_user_vector(model, h, rates, vector);
    return probability_of(model, logit_of(model, vector, vector + model->params.dims.hidden));
}

/* Where the two logits are (nearly) one, the slope around them. */
static double slope_of(const struct shoal_model *model, const struct shoal_explanation *e)
{
    const float least = 0x1p-6f;
    float low = e->base_logit, high = e->logit;
    if (fabsf(high - low) < least) {
        low = (high + low) / 2 - least;
        high = low + 2 * least;
    }
    return ((double)probability_of(model, high) - (double)probability_of(model, low)) /
           ((double)high - (double)low);
}

/* The two ends of the path, and what the counters add. */
static void set_ends(struct shoal_explain *explain, size_t count, const float *rates,
                     struct shoal_explanation *explanation)
{
    static const float ends[ENDS] = {1.0f, 0.0f}, mean[SHOAL_COUNTERS] = {0};
    const struct shoal_model *model = explain->model;
    float vector[SHOAL_VECTOR_MAX];
    shoal_paths_forward(&explain->paths, explain->x, count, ends, ENDS);
    const float *h = shoal_paths_state(&explain->paths, 0);
    const float *base_h = shoal_paths_state(&explain->paths, 1);
    shoal_user_vector(model, h, rates, vector);
    const float *z = vector + model->params.dims.hidden;
    explanation->logit = logit_of(model, h, z);
    explanation->base_logit = logit_of(model, base_h, mean);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        explanation->standardised[k] = z[k];
        explanation->each_counter[k] = (double)model->params.head_counters[k] * (double)z[k];
        explanation->counters += explanation->each_counter[k];
    }
}

void shoal_explain_run(struct shoal_explain *explain, const struct shoal_features *features,
                       size_t count, const float *rates, struct shoal_explained_event *events,
                       struct shoal_explanation *explanation)
{
    const struct shoal_model *model = explain->model;
    struct shoal_explanation *e = explanation;
    *e = (struct shoal_explanation){0};
    memset(events, 0, count * sizeof *events);
    for (size_t t = 0; t < count; t++)
        shoal_features_gather(&model->params, &features[t],
                              explain->x + t * explain->paths.inputs);
    set_ends(explain, count, rates, e);
    integrate(explain, count, events);
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < SHOAL_REASONS; i++) {
            events[t].sum += events[t].inputs[i];
            e->inputs[i] += events[t].inputs[i];
        }
        e->events += events[t].sum;
    }
    double wanted = (double)e->logit - (double)e->base_logit;
    e->error = e->events + e->counters - wanted;
    e->relative_error = wanted != 0 ? fabs(e->error / wanted) : NAN;
    e->probability = probability_of(model, e->logit);
    e->base_probability = probability_of(model, e->base_logit);
    e->slope = slope_of(model, e);
}

void shoal_explain_ring(const struct shoal_dims *dims, const struct shoal_touch *ring, size_t count,
                        struct shoal_features *features)
{
    for (size_t t = 0; t < count; t++) {
        int64_t gap_ms = t ? ring[t].time_ms - ring[t - 1].time_ms : 0;
        shoal_features_of(dims, ring, t, &ring[t], gap_ms, &features[t]);
    }
}
