/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal evaluate` says of each task. */
#ifndef SHOAL_TASKS_PRINT_H
#define SHOAL_TASKS_PRINT_H

#include <stdio.h>

#include "model/learn/evaluate_tasks.h"

/* ,"tasks":{…}: an object a task. Of a probability the keys of the top level; of a count n, users, mean,
 * share_zero, mae, rmse, r2, mape (over the events that are followed by any), mae_of_mean, rmse_of_mean.
 * null where no event can be scored, and for a figure that is not defined. */
void shoal_tasks_print_json(const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out);
/* A line a task. */
void shoal_tasks_print_table(const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out);

#endif
