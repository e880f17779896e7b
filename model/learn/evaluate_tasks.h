/* SPDX-License-Identifier: Apache-2.0 */
/* Judges each of a model's tasks (tasks.h) on events it has not seen. An event counts for a task if the
 * task's own horizon after it lies within the data, so that a task that looks far sees fewer of them. */
#ifndef SHOAL_LEARN_EVALUATE_TASKS_H
#define SHOAL_LEARN_EVALUATE_TASKS_H

#include "model/learn/evaluate.h"
#include "model/tasks.h"

struct shoal_task_evaluation {
    /* Of a probability: all of it. Of a count: events_count and users_count; positives are events with
     * more than none, base_rate is the mean number. */
    struct shoal_metrics metrics;
    /* Of a count:
     *   mae, rmse   in events
     *   r2          1 − Σ (y − ŷ)²/Σ (y − ȳ)², NaN when all are equal
     *   mape        mean of |y − ŷ|/y over the events with y > 0, for it is not defined at 0; how many
     *               that leaves out is events_count − positives
     *   mae_mean, rmse_mean   of the constant ȳ, to compare with */
    double mae, rmse, r2, mape, mae_mean, rmse_mean;
};

/* evaluations[task]; events_count is 0 where none can be scored. Of the options from, until, precision and
 * seed are read. The data set must be grouped, with the model's ring. NOMEM. */
enum shoal_status shoal_evaluate_tasks(const struct shoal_model *model,
                                       const struct shoal_dataset *dataset,
                                       const struct shoal_evaluate_options *options,
                                       struct shoal_task_evaluation evaluations[SHOAL_TASKS])
    SHOAL_MUST_CHECK;

#endif
