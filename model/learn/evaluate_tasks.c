/* SPDX-License-Identifier: Apache-2.0 */
/* One pass of scoring, then task by task; see evaluate_tasks.h. */
#include "model/learn/evaluate_tasks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/labels.h"
#include "model/learn/score.h"

struct work {
    struct shoal_examples examples;
    float *targets, *predictions; /* SHOAL_TASKS an event */
    float *scores;                /* one an event; then those of a task, side by side */
    float *wanted;                /* of a task: its targets, */
    int8_t *labels;               /* whether above 0, */
    uint32_t *users;              /* and whose */
    size_t count;
};

static void finish(struct work *work)
{
    shoal_examples_finish(&work->examples);
    free(work->targets);
    free(work->predictions);
    free(work->scores);
    free(work->wanted);
    free(work->labels);
    free(work->users);
}

static enum shoal_status reserve(struct work *work, size_t events)
{
    work->targets = malloc((events + 1) * SHOAL_TASKS * sizeof *work->targets);
    work->predictions = malloc((events + 1) * SHOAL_TASKS * sizeof *work->predictions);
    work->scores = malloc((events + 1) * sizeof *work->scores);
    work->wanted = malloc((events + 1) * sizeof *work->wanted);
    work->labels = malloc(events + 1);
    work->users = malloc((events + 1) * sizeof *work->users);
    return work->targets && work->predictions && work->scores && work->wanted && work->labels &&
                   work->users
               ? SHOAL_OK
               : SHOAL_NOMEM;
}

static void pick(struct work *work, const struct shoal_dataset *dataset,
                 const struct shoal_evaluate_options *options, size_t task)
{
    work->count = 0;
    for (size_t i = 0; i < dataset->events_count; i++) {
        int64_t time_ms = dataset->touches[i].time_ms;
        float target = work->targets[i * SHOAL_TASKS + task];
        if (target < 0 || time_ms < options->from_ms || time_ms >= options->until_ms)
            continue;
        work->scores[work->count] = work->predictions[i * SHOAL_TASKS + task];
        work->wanted[work->count] = target;
        work->labels[work->count] = target > 0;
        work->users[work->count++] = dataset->owners[i];
    }
}

static void judge_count(const struct work *work, struct shoal_task_evaluation *evaluation)
{
    double n = (double)work->count, sum = 0, absolute = 0, squares = 0, relative = 0;
    double absolute_mean = 0, squares_mean = 0;
    size_t above = 0;
    for (size_t i = 0; i < work->count; i++)
        sum += (double)work->wanted[i];
    double mean = sum / n;
    for (size_t i = 0; i < work->count; i++) {
        double y = (double)work->wanted[i], off = y - (double)work->scores[i];
        absolute += fabs(off);
        squares += off * off;
        absolute_mean += fabs(y - mean);
        squares_mean += (y - mean) * (y - mean);
        if (y > 0) {
            relative += fabs(off) / y;
            above++;
        }
    }
    struct shoal_metrics *metrics = &evaluation->metrics;
    metrics->events_count = work->count;
    metrics->positives = above;
    metrics->base_rate = mean;
    for (size_t i = 0; i < work->count; i++) /* grouped: users do not come back */
        metrics->users_count += i == 0 || work->users[i] != work->users[i - 1];
    evaluation->mae = absolute / n;
    evaluation->rmse = sqrt(squares / n);
    evaluation->r2 = squares_mean > 0 ? 1 - squares / squares_mean : NAN;
    evaluation->mape = above ? relative / (double)above : NAN;
    evaluation->mae_mean = absolute_mean / n;
    evaluation->rmse_mean = sqrt(squares_mean / n);
}

enum shoal_status shoal_evaluate_tasks(const struct shoal_model *model,
                                       const struct shoal_dataset *dataset,
                                       const struct shoal_evaluate_options *options,
                                       struct shoal_task_evaluation evaluations[SHOAL_TASKS])
{
    memset(evaluations, 0, SHOAL_TASKS * sizeof *evaluations);
    struct work work = {0};
    enum shoal_status status = reserve(&work, dataset->events_count);
    if (status == SHOAL_OK)
        status = shoal_examples_make(dataset, &model->params.dims, &work.examples);
    if (status == SHOAL_OK) {
        shoal_targets_make(dataset, dataset->last_ms, work.targets);
        status = shoal_score_tasks(model, dataset, &work.examples, options->precision,
                                   options->until_ms, work.scores, work.predictions, NULL, NULL);
    }
    for (size_t task = 0; task < SHOAL_TASKS && status == SHOAL_OK; task++) {
        pick(&work, dataset, options, task);
        struct shoal_sample sample = {work.scores, work.labels, work.users, work.count,
                                      dataset->users_count};
        if (work.count == 0)
            continue;
        if (shoal_task_info((enum shoal_task)task)->kind == SHOAL_TASK_COUNT)
            judge_count(&work, &evaluations[task]);
        else
            status = shoal_metrics_compute(&sample, options->seed, &evaluations[task].metrics);
    }
    finish(&work);
    return status;
}
