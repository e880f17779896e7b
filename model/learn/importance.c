/* SPDX-License-Identifier: Apache-2.0 */
/* Permutes, scores, compares, input by input; see importance.h. */
#include "model/learn/importance.h"

#include <stdlib.h>
#include <string.h>

struct work {
    struct shoal_examples examples, permuted;
    size_t *others;   /* events that are read but not scored */
    size_t others_count;
    uint32_t *users;  /* one a scored event */
    float *all;
    float *scores;    /* draws × scored events */
    int64_t until_ms; /* behind the last scored event */
};

static void finish(struct work *work)
{
    shoal_examples_finish(&work->examples);
    shoal_examples_finish(&work->permuted);
    free(work->others);
    free(work->users);
    free(work->all);
    free(work->scores);
}

static enum shoal_status prepare(struct work *work, const struct shoal_model *model,
                                 const struct shoal_dataset *dataset,
                                 const struct shoal_evaluation *evaluation, size_t draws)
{
    size_t count = dataset->events_count;
    work->others = malloc((count + 1) * sizeof *work->others);
    work->users = malloc((count + 1) * sizeof *work->users);
    work->all = malloc((count + 1) * sizeof *work->all);
    work->scores = malloc(draws * (evaluation->count + 1) * sizeof *work->scores);
    if (!work->others || !work->users || !work->all || !work->scores)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < evaluation->count; i++) {
        int64_t time_ms = dataset->touches[evaluation->events[i]].time_ms;
        if (i == 0 || time_ms >= work->until_ms)
            work->until_ms = time_ms + 1;
        work->users[i] = dataset->owners[evaluation->events[i]];
    }
    /* evaluation->events rises. */
    for (size_t event = 0, next = 0; event < count; event++) {
        if (next < evaluation->count && evaluation->events[next] == event)
            next++;
        else if (dataset->touches[event].time_ms < work->until_ms)
            work->others[work->others_count++] = event;
    }
    enum shoal_status status =
        shoal_examples_make(dataset, &model->params.dims, &work->examples);
    if (status == SHOAL_OK)
        status = shoal_examples_make(dataset, &model->params.dims, &work->permuted);
    return status;
}

/* Scores with the input dealt out by `seed` into scores[evaluation->count]. */
static enum shoal_status score_dealt(struct work *work, const struct shoal_model *model,
                                     const struct shoal_dataset *dataset,
                                     enum shoal_precision precision,
                                     const struct shoal_evaluation *evaluation,
                                     enum shoal_input_group input, uint64_t seed, float *scores)
{
    size_t count = work->examples.count;
    memcpy(work->permuted.features, work->examples.features,
           count * sizeof *work->examples.features);
    memcpy(work->permuted.counters, work->examples.counters,
           count * SHOAL_COUNTERS * sizeof *work->examples.counters);
    enum shoal_status status = shoal_permute(&work->examples, input, evaluation->events,
                                             evaluation->count, seed, &work->permuted);
    if (status == SHOAL_OK)
        status = shoal_permute(&work->examples, input, work->others, work->others_count, seed,
                               &work->permuted);
    if (status == SHOAL_OK)
        status = shoal_score(model, dataset, &work->permuted, precision, work->until_ms, work->all,
                             NULL, NULL);
    for (size_t i = 0; i < evaluation->count && status == SHOAL_OK; i++)
        scores[i] = work->all[evaluation->events[i]];
    return status;
}

static enum shoal_status measure(struct work *work, const struct shoal_model *model,
                                 const struct shoal_dataset *dataset,
                                 const struct shoal_evaluate_options *options,
                                 const struct shoal_evaluation *evaluation, size_t draws,
                                 struct shoal_importance *importance)
{
    struct shoal_sample without[SHOAL_DRAWS_MAX];
    const struct shoal_sample with = {evaluation->scores, evaluation->labels, work->users,
                                      evaluation->count, dataset->users_count};
    for (size_t d = 0; d < draws; d++) {
        float *scores = work->scores + d * evaluation->count;
        enum shoal_status status =
            score_dealt(work, model, dataset, options->precision, evaluation, importance->input,
                        options->seed + d, scores);
        if (status != SHOAL_OK)
            return status;
        without[d] = with;
        without[d].scores = scores;
    }
    return shoal_metrics_compare_draws(without, draws, &with, options->seed,
                                       importance->difference, importance->intervals);
}

enum shoal_status shoal_importance_measure(const struct shoal_model *model,
                                           const struct shoal_dataset *dataset,
                                           const struct shoal_evaluate_options *options,
                                           const struct shoal_evaluation *evaluation,
                                           struct shoal_importance *importances, size_t count,
                                           size_t draws, shoal_importance_progress *progress,
                                           void *context)
{
    struct work work = {.until_ms = INT64_MIN};
    enum shoal_status status = prepare(&work, model, dataset, evaluation, draws);
    for (size_t i = 0; i < count && status == SHOAL_OK; i++) {
        if (progress)
            progress(context, i, count);
        status = measure(&work, model, dataset, options, evaluation, draws, &importances[i]);
    }
    finish(&work);
    return status;
}
