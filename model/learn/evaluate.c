/* SPDX-License-Identifier: Apache-2.0 */
/* Scores, picks, compares; see evaluate.h. */
#include "model/learn/evaluate.h"

#include <stdlib.h>

#include "model/learn/labels.h"
#include "model/learn/online.h"
#include "model/learn/regression.h"

static const double ridge_standard = 0.03;

struct work {
    const struct shoal_dataset *dataset;
    const struct shoal_evaluate_options *options;
    struct shoal_examples examples;
    int8_t *labels;      /* one an event */
    int8_t *past;        /* one an event: known by `from`, else SHOAL_UNLABELLED */
    int8_t *validation;  /* one an event: the last part of them */
    float *all_scores;   /* one an event */
    /* one a scored event: */
    float *scores[SHOAL_PREDICTOR_COUNT];
    uint32_t *users;
    /* one a scored user, gathered for the user level: */
    float *last_scores;
    int8_t *last_labels;
    uint32_t *last_users;
};

static void finish(struct work *work)
{
    shoal_examples_finish(&work->examples);
    free(work->labels);
    free(work->past);
    free(work->validation);
    free(work->all_scores);
    for (size_t i = 0; i < SHOAL_PREDICTOR_COUNT; i++)
        free(work->scores[i]);
    free(work->users);
    free(work->last_scores);
    free(work->last_labels);
    free(work->last_users);
}

static enum shoal_status reserve(struct work *work, struct shoal_evaluation *evaluation)
{
    size_t count = work->dataset->events_count + 1;
    work->labels = malloc(count);
    work->past = malloc(count);
    work->validation = malloc(count);
    work->all_scores = malloc(count * sizeof(float));
    work->users = malloc(count * sizeof *work->users);
    work->last_scores = malloc(count * sizeof(float));
    work->last_labels = malloc(count);
    work->last_users = malloc(count * sizeof *work->last_users);
    evaluation->events = malloc(count * sizeof *evaluation->events);
    evaluation->scores = malloc(count * sizeof(float));
    evaluation->labels = malloc(count);
    bool failed = !work->labels || !work->past || !work->validation || !work->all_scores ||
                  !work->users || !work->last_scores || !work->last_labels || !work->last_users ||
                  !evaluation->events || !evaluation->scores || !evaluation->labels;
    for (size_t i = 0; i < SHOAL_PREDICTOR_COUNT; i++) {
        work->scores[i] = malloc(count * sizeof(float));
        failed |= !work->scores[i];
    }
    return failed ? SHOAL_NOMEM : SHOAL_OK;
}

/* Labels, and the events to be scored. */
static enum shoal_status pick(struct work *work, struct shoal_evaluation *evaluation,
                              struct shoal_message *message)
{
    const struct shoal_dataset *dataset = work->dataset;
    const struct shoal_evaluate_options *options = work->options;
    shoal_labels_make(dataset, dataset->last_ms, work->labels);
    for (size_t i = 0; i < dataset->events_count; i++) {
        int64_t time_ms = dataset->touches[i].time_ms;
        if (work->labels[i] == SHOAL_UNLABELLED || time_ms < options->from_ms ||
            time_ms >= options->until_ms)
            continue;
        evaluation->events[evaluation->count] = i;
        evaluation->labels[evaluation->count] = work->labels[i];
        work->users[evaluation->count++] = dataset->owners[i];
    }
    if (evaluation->count == 0)
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "none of %zu events can be scored: an event must lie in the given time, "
                          "and the 24 h after it within the data",
                          dataset->events_count);
    return SHOAL_OK;
}

static enum shoal_status score_model(struct work *work, const struct shoal_model *model,
                                     struct shoal_evaluation *evaluation)
{
    const struct shoal_evaluate_options *options = work->options;
    int64_t until_ms = work->dataset->last_ms - SHOAL_HORIZON_MS + 1;
    if (options->until_ms < until_ms)
        until_ms = options->until_ms;
    enum shoal_status status =
        shoal_score(model, work->dataset, &work->examples, options->precision, until_ms,
                    work->all_scores, options->progress, options->context);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < evaluation->count; i++) {
        evaluation->scores[i] = work->all_scores[evaluation->events[i]];
        work->scores[SHOAL_PREDICTOR_MODEL][i] = evaluation->scores[i];
    }
    evaluation->there[SHOAL_PREDICTOR_MODEL] = true;
    if (options->partitions == 0)
        return SHOAL_OK;
    float *corrected = malloc((work->dataset->events_count + 1) * sizeof *corrected);
    if (!corrected)
        return SHOAL_NOMEM;
    status = shoal_online_correct(work->dataset, options->partitions,
                                  model->origin.train_until_ms, work->all_scores, corrected, NULL);
    for (size_t i = 0; i < evaluation->count && status == SHOAL_OK; i++)
        work->scores[SHOAL_PREDICTOR_CORRECTED][i] = corrected[evaluation->events[i]];
    evaluation->there[SHOAL_PREDICTOR_CORRECTED] = status == SHOAL_OK;
    free(corrected);
    return status;
}

/* What was known at `from`, and the last part of it; counts positives and all. */
static void look_back(struct work *work, size_t *known, size_t *positives)
{
    const struct shoal_dataset *dataset = work->dataset;
    *known = *positives = 0;
    for (size_t i = 0; i < dataset->events_count; i++) {
        bool is_known = work->options->from_ms != INT64_MIN &&
                        dataset->touches[i].time_ms <= work->options->from_ms - SHOAL_HORIZON_MS;
        work->past[i] = is_known ? work->labels[i] : SHOAL_UNLABELLED;
        work->validation[i] = SHOAL_UNLABELLED;
        *known += work->past[i] != SHOAL_UNLABELLED;
        *positives += work->past[i] == 1;
    }
}

/* The ridge that is best on the last part of the past; the standard one where that is too little. */
static enum shoal_status choose_ridge(struct work *work, double *ridge)
{
    const struct shoal_dataset *dataset = work->dataset;
    struct shoal_split split;
    *ridge = ridge_standard;
    if (shoal_split_make(dataset, work->options->from_ms, work->past, &split, NULL) != SHOAL_OK)
        return SHOAL_OK;
    int8_t *early = malloc(dataset->events_count);
    if (!early)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < dataset->events_count; i++) {
        int64_t time_ms = dataset->touches[i].time_ms;
        early[i] = time_ms <= split.train_until_ms ? work->past[i] : SHOAL_UNLABELLED;
        if (time_ms >= split.valid_from_ms)
            work->validation[i] = work->past[i];
    }
    struct shoal_regression_data data = {
        .counters = work->examples.counters, .labels = early, .count = dataset->events_count};
    struct shoal_regression_data judge = {
        .counters = work->examples.counters, .labels = work->validation, .count = dataset->events_count};
    struct shoal_regression tried;
    enum shoal_status status = shoal_regression_choose(&data, &judge, ridge, &tried, NULL);
    free(early);
    return status;
}

static enum shoal_status score_baselines(struct work *work, struct shoal_evaluation *evaluation)
{
    size_t known, positives;
    look_back(work, &known, &positives);
    if (known == 0)
        return SHOAL_OK;
    evaluation->there[SHOAL_PREDICTOR_PRIOR] = true;
    for (size_t i = 0; i < evaluation->count; i++)
        work->scores[SHOAL_PREDICTOR_PRIOR][i] = (float)positives / (float)known;
    if (!work->options->regression || positives == 0 || positives == known)
        return SHOAL_OK;
    struct shoal_regression_data data = {.counters = work->examples.counters, .labels = work->past,
                                         .count = work->dataset->events_count};
    struct shoal_regression regression;
    double ridge;
    enum shoal_status status = choose_ridge(work, &ridge);
    if (status == SHOAL_OK)
        status = shoal_regression_fit(&data, ridge, &regression, NULL);
    if (status != SHOAL_OK)
        return status;
    evaluation->there[SHOAL_PREDICTOR_REGRESSION] = true;
    for (size_t i = 0; i < evaluation->count; i++)
        work->scores[SHOAL_PREDICTOR_REGRESSION][i] = (float)shoal_regression_predict(
            &regression, work->examples.counters + evaluation->events[i] * SHOAL_COUNTERS);
    return SHOAL_OK;
}

/* One sample a user: its last scored event. Scored events are in the order of users. */
static struct shoal_sample last_of_users(struct work *work,
                                         const struct shoal_evaluation *evaluation,
                                         const float *scores)
{
    size_t count = 0;
    for (size_t i = 0; i < evaluation->count; i++) {
        if (i + 1 < evaluation->count && work->users[i + 1] == work->users[i])
            continue;
        work->last_scores[count] = scores[i];
        work->last_labels[count] = evaluation->labels[i];
        work->last_users[count++] = work->users[i];
    }
    return (struct shoal_sample){work->last_scores, work->last_labels, work->last_users, count,
                                 work->dataset->users_count};
}

static enum shoal_status judge(struct work *work, struct shoal_evaluation *evaluation)
{
    enum shoal_status status = SHOAL_OK;
    uint64_t seed = work->options->seed;
    struct shoal_sample samples[SHOAL_PREDICTOR_COUNT];
    for (size_t p = 0; p < SHOAL_PREDICTOR_COUNT && status == SHOAL_OK; p++) {
        if (!evaluation->there[p])
            continue;
        samples[p] = (struct shoal_sample){work->scores[p], evaluation->labels, work->users,
                                           evaluation->count, work->dataset->users_count};
        status = shoal_metrics_compute(&samples[p], seed, &evaluation->event_level[p]);
        if (status != SHOAL_OK)
            break;
        struct shoal_sample last = last_of_users(work, evaluation, work->scores[p]);
        status = shoal_metrics_compute(&last, seed, &evaluation->user_level[p]);
    }
    if (status == SHOAL_OK && evaluation->there[SHOAL_PREDICTOR_REGRESSION])
        status = shoal_metrics_compare(&samples[SHOAL_PREDICTOR_MODEL],
                                       &samples[SHOAL_PREDICTOR_REGRESSION], seed,
                                       evaluation->difference, evaluation->difference_intervals);
    if (status == SHOAL_OK && evaluation->there[SHOAL_PREDICTOR_CORRECTED])
        status = shoal_metrics_compare(&samples[SHOAL_PREDICTOR_CORRECTED],
                                       &samples[SHOAL_PREDICTOR_MODEL], seed,
                                       evaluation->online_difference,
                                       evaluation->online_difference_intervals);
    return status;
}

enum shoal_status shoal_evaluate(const struct shoal_model *model,
                                 const struct shoal_dataset *dataset,
                                 const struct shoal_evaluate_options *options,
                                 struct shoal_evaluation *evaluation,
                                 struct shoal_message *message)
{
    *evaluation = (struct shoal_evaluation){0};
    struct work work = {.dataset = dataset, .options = options};
    enum shoal_status status = reserve(&work, evaluation);
    if (status == SHOAL_OK)
        status = pick(&work, evaluation, message);
    if (status == SHOAL_OK)
        status = shoal_examples_make(dataset, &model->params.dims, &work.examples);
    if (status == SHOAL_OK)
        status = score_model(&work, model, evaluation);
    if (status == SHOAL_OK)
        status = score_baselines(&work, evaluation);
    if (status == SHOAL_OK)
        status = judge(&work, evaluation);
    if (status == SHOAL_NOMEM)
        shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    finish(&work);
    return status;
}

void shoal_evaluation_finish(struct shoal_evaluation *evaluation)
{
    free(evaluation->events);
    free(evaluation->scores);
    free(evaluation->labels);
    *evaluation = (struct shoal_evaluation){0};
}
