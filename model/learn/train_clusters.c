/* SPDX-License-Identifier: Apache-2.0 */
/* From events to the section `clusters`; see train_clusters.h. */
#include "model/learn/train_clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/cluster_match.h"
#include "model/learn/cluster_points.h"
#include "model/learn/cluster_profile.h"
#include "model/learn/examples.h"
#include "model/learn/labels.h"
#include "model/learn/score.h"
#include "model/user_vector.h"

/* What the steps of a training share. */
struct work {
    struct shoal_model *model;
    const struct shoal_dataset *dataset;
    const struct shoal_model *before; /* NULL: without clusters */
    const struct shoal_train_clusters_options *options;
    struct shoal_train_clusters_report *report;
    struct shoal_cluster_points points;
    size_t size;              /* V */
    float *vectors;           /* of the points, standardised */
    float *mean, *deviation;
    struct shoal_autoencoder coder;
    uint8_t *labels;
    struct shoal_clusters *clusters;
};

struct shoal_train_clusters_options shoal_train_clusters_options_default(uint64_t seed)
{
    struct shoal_train_clusters_options options = {
        .states = 50000, .search = {.resamples = 10, .repeats = 5, .idec = shoal_idec_options_default()}};
    options.search.idec.seed = seed;
    return options;
}

void shoal_cluster_standardize(float *points, size_t count, size_t size, float *mean,
                               float *deviation)
{
    size_t hidden = size > SHOAL_COUNTERS ? size - SHOAL_COUNTERS : 0;
    float spread = fmaxf(1, sqrtf((float)hidden / SHOAL_COUNTERS));
    for (size_t d = 0; d < size; d++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++)
            sum += (double)points[i * size + d];
        double middle = sum / (double)count;
        for (size_t i = 0; i < count; i++) {
            double gap = (double)points[i * size + d] - middle;
            squares += gap * gap;
        }
        double root = sqrt(squares / (double)count);
        mean[d] = (float)middle;
        deviation[d] = (root > 1e-4 ? (float)root : 1) * (d < hidden ? spread : 1);
        for (size_t i = 0; i < count; i++)
            points[i * size + d] = (points[i * size + d] - mean[d]) * (1.0f / deviation[d]);
    }
}

/* vectors[count × V] of events under a model. */
static enum shoal_status vectors_of(const struct shoal_model *model,
                                    const struct shoal_dataset *dataset, const size_t *events,
                                    size_t count, float *vectors)
{
    struct shoal_examples examples;
    enum shoal_status status = shoal_examples_make(dataset, &model->params.dims, &examples);
    if (status != SHOAL_OK)
        return status;
    status = shoal_score_vectors(model, dataset, &examples, SHOAL_FP16, events, count, vectors);
    shoal_examples_finish(&examples);
    return status;
}

static enum shoal_status prepare(struct work *work)
{
    size_t count = work->points.count;
    work->vectors = malloc(count * work->size * sizeof(float));
    work->mean = malloc(work->size * sizeof(float));
    work->deviation = malloc(work->size * sizeof(float));
    work->labels = malloc(count);
    if (!work->vectors || !work->mean || !work->deviation || !work->labels)
        return SHOAL_NOMEM;
    enum shoal_status status =
        vectors_of(work->model, work->dataset, work->points.events, count, work->vectors);
    if (status == SHOAL_OK)
        shoal_cluster_standardize(work->vectors, count, work->size, work->mean, work->deviation);
    return status;
}

static void copy_parts(const struct work *work)
{
    struct shoal_clusters *clusters = work->clusters;
    const struct shoal_autoencoder_layer *inner = &work->coder.layers[0];
    const struct shoal_autoencoder_layer *outer = &work->coder.layers[1];
    memcpy(clusters->mean, work->mean, work->size * sizeof(float));
    memcpy(clusters->deviation, work->deviation, work->size * sizeof(float));
    memcpy(clusters->inner, inner->weight, work->size * SHOAL_CLUSTER_INNER * sizeof(float));
    memcpy(clusters->inner_bias, inner->bias, sizeof clusters->inner_bias);
    memcpy(clusters->outer, outer->weight, sizeof clusters->outer);
    memcpy(clusters->outer_bias, outer->bias, sizeof clusters->outer_bias);
    memcpy(clusters->centroids, work->coder.centroids,
           clusters->count * SHOAL_CLUSTER_CODE * sizeof(float));
}

/* ---- ids ------------------------------------------------------------------------------------ */

/* The greatest cluster first, so that a first model's ids say it. */
static void sort_by_size(struct work *work)
{
    size_t members[SHOAL_CLUSTERS_MAX] = {0}, count = work->clusters->count;
    uint8_t order[SHOAL_CLUSTERS_MAX];
    for (size_t i = 0; i < work->points.count; i++)
        members[work->labels[i]]++;
    for (size_t j = 0; j < count; j++) {
        size_t place = 1;
        for (size_t k = 0; k < count; k++)
            place += members[k] > members[j] || (members[k] == members[j] && k < j);
        work->clusters->profiles[j].id = (uint8_t)place;
    }
    shoal_cluster_sort(work->clusters, order);
    for (size_t i = 0; i < work->points.count; i++)
        work->labels[i] = order[work->labels[i]];
}

struct member {
    uint64_t hash;
    size_t point;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return (left->point > right->point) - (left->point < right->point);
}

static int compare_points(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    return (left->point > right->point) - (left->point < right->point);
}

/* The last point of each user of the panel; their number. */
static size_t find_panel(const struct work *work, struct member *members)
{
    const struct shoal_cluster_points *points = &work->points;
    size_t users = 0;
    for (size_t i = 0; i < points->count; i++)
        if (i + 1 == points->count || points->owners[i] != points->owners[i + 1])
            members[users++] =
                (struct member){shoal_cluster_user_hash(work->dataset, points->owners[i]), i};
    qsort(members, users, sizeof *members, compare_members);
    users = users < SHOAL_CLUSTER_PANEL ? users : SHOAL_CLUSTER_PANEL;
    qsort(members, users, sizeof *members, compare_points);
    return users;
}

/* What the model before says of the panel. */
static enum shoal_status match(struct work *work)
{
    const struct shoal_model *before = work->before;
    size_t users = work->points.users, size = shoal_user_vector_size(before), panel = 0;
    struct member *members = malloc((users + 1) * sizeof *members);
    size_t *events = malloc((users + 1) * sizeof *events);
    float *vectors = malloc((users + 1) * size * sizeof *vectors);
    uint8_t *labels = malloc(users + 1), *ids = malloc(users + 1);
    enum shoal_status status =
        members && events && vectors && labels && ids ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        panel = find_panel(work, members);
        for (size_t i = 0; i < panel; i++) {
            events[i] = work->points.events[members[i].point];
            labels[i] = work->labels[members[i].point];
        }
        status = vectors_of(before, work->dataset, events, panel, vectors);
    }
    for (size_t i = 0; i < panel && status == SHOAL_OK; i++) {
        struct shoal_cluster_choice choice;
        shoal_clusters_assign(before->clusters, vectors + i * size, &choice);
        ids[i] = choice.id;
    }
    if (status == SHOAL_OK)
        shoal_cluster_match(before->clusters, ids, labels, panel, work->clusters);
    work->report->panel = panel;
    free(members);
    free(events);
    free(vectors);
    free(labels);
    free(ids);
    return status;
}

/* Ids, and everything in their order. */
static enum shoal_status identify(struct work *work)
{
    struct shoal_clusters *clusters = work->clusters;
    struct shoal_train_clusters_report *report = work->report;
    uint8_t order[SHOAL_CLUSTERS_MAX];
    enum shoal_status status = SHOAL_OK;
    sort_by_size(work);
    if (work->before)
        status = match(work);
    else
        shoal_cluster_match(NULL, NULL, NULL, 0, clusters);
    if (status != SHOAL_OK)
        return status;
    shoal_cluster_sort(clusters, order);
    for (size_t i = 0; i < work->points.count; i++)
        work->labels[i] = order[work->labels[i]];
    report->matched = work->before != NULL;
    for (size_t j = 0; j < clusters->count; j++)
        report->kept += clusters->profiles[j].from != 0;
    report->fresh = clusters->count - report->kept;
    for (size_t i = 0; report->matched && i < work->before->clusters->count; i++)
        report->retired += shoal_clusters_successor(
            clusters, work->before->clusters->profiles[i].id) !=
            work->before->clusters->profiles[i].id;
    return SHOAL_OK;
}

/* ---- course --------------------------------------------------------------------------------- */

static enum shoal_status learn(struct work *work)
{
    struct shoal_cluster_found *found = &work->report->found;
    enum shoal_status status = prepare(work);
    struct shoal_cluster_samples samples = {work->vectors, work->points.owners, work->points.count,
                                            work->size};
    struct shoal_cluster_search_options search = work->options->search;
    if (work->before && shoal_clusters_count(work->before->clusters) >= 2)
        search.preferred = shoal_clusters_count(work->before->clusters);
    if (status == SHOAL_OK)
        status = shoal_cluster_search(&samples, &search, &work->coder, work->labels,
                                      found);
    if (status == SHOAL_OK)
        status = shoal_clusters_create(work->size, found->clusters, &work->clusters);
    if (status != SHOAL_OK)
        return status;
    for (size_t j = 0; j < found->clusters; j++)
        work->clusters->profiles[j].stability = (float)found->stability.each[j];
    copy_parts(work);
    status = identify(work);
    if (status != SHOAL_OK)
        return status;
    shoal_cluster_profiles(&work->points, work->labels, found->clusters, work->clusters->profiles,
                           &work->clusters->summary);
    work->clusters->summary.everybody.stability = (float)found->stability.mean;
    status = shoal_clusters_check(work->clusters, &work->report->why_not);
    shoal_clusters_ready(work->clusters);
    return status;
}

static void finish(struct work *work)
{
    shoal_autoencoder_finish(&work->coder);
    shoal_cluster_points_finish(&work->points);
    free(work->vectors);
    free(work->mean);
    free(work->deviation);
    free(work->labels);
    shoal_clusters_destroy(work->clusters);
}

enum shoal_status shoal_train_clusters(struct shoal_model *model, const struct shoal_dataset *dataset,
                                       int64_t end_ms,
                                       const struct shoal_train_clusters_options *options,
                                       const struct shoal_model *before,
                                       struct shoal_train_clusters_report *report)
{
    struct work work = {
        .model = model,
        .dataset = dataset,
        .before = before && before->clusters ? before : NULL,
        .options = options,
        .report = report,
        .size = shoal_user_vector_size(model),
    };
    *report = (struct shoal_train_clusters_report){0};
    shoal_clusters_destroy(model->clusters);
    model->clusters = NULL;
    enum shoal_status status =
        shoal_cluster_points_make(dataset, INT64_MIN, end_ms - SHOAL_HORIZON_MS + 1, end_ms,
                                  options->states, &work.points);
    report->users = work.points.users;
    report->states = work.points.count;
    if (status == SHOAL_OK && report->users < SHOAL_CLUSTER_USERS_MIN)
        (void)shoal_fail(&report->why_not, SHOAL_OK,
                         "%zu users with events in the week before the last day; needed are %d",
                         report->users, SHOAL_CLUSTER_USERS_MIN);
    else if (status == SHOAL_OK)
        status = learn(&work);
    if (status == SHOAL_DAMAGED) /* a training that has run away is no clustering */
        status = SHOAL_OK;
    else if (status == SHOAL_OK) {
        model->clusters = work.clusters;
        work.clusters = NULL;
    }
    finish(&work);
    return status;
}
