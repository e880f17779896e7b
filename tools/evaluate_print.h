/* SPDX-License-Identifier: Apache-2.0 */
/* The results of `shoal evaluate` for people and for scripts. */
#ifndef SHOAL_EVALUATE_PRINT_H
#define SHOAL_EVALUATE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/learn/evaluate.h"
#include "model/learn/evaluate_tasks.h"

/* One JSON object: n, users, base_rate, each measure with its _ci, the same under user_level; with
 * `baseline` also regression, prior (same keys) and difference (model − regression). A figure that is
 * not defined is null. "tasks": an object a task, the same keys of a probability; of a count n, users,
 * mean, share_zero, mae, rmse, r2, mape, mae_of_mean, rmse_of_mean; null where none can be scored. */
void shoal_evaluate_print_json(const struct shoal_evaluation *evaluation,
                               const struct shoal_task_evaluation tasks[SHOAL_TASKS], bool baseline,
                               FILE *out);
/* An aligned table: the model and what there is of the baselines, side by side. */
void shoal_evaluate_print_table(const struct shoal_evaluation *evaluation,
                                const struct shoal_task_evaluation tasks[SHOAL_TASKS], FILE *out);

#endif
