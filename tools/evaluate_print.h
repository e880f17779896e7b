/* SPDX-License-Identifier: Apache-2.0 */
/* The results of `shoal evaluate` for people and for scripts. */
#ifndef SHOAL_EVALUATE_PRINT_H
#define SHOAL_EVALUATE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/learn/evaluate.h"
#include "model/learn/evaluate_tasks.h"
#include "tools/evaluate_details.h"

/* One JSON object: n, users, base_rate, each measure with its _ci, the same under user_level; with
 * `baseline` also regression, prior (same keys) and difference (model − regression). A figure that is
 * not defined is null. `details` and `tasks` (or NULL) add their own keys. */
void shoal_evaluate_print_json(const struct shoal_evaluation *evaluation, bool baseline,
                               const struct shoal_evaluate_details *details,
                               const struct shoal_task_evaluation *tasks, FILE *out);
/* An aligned table: the model and what there is of the baselines, side by side. */
void shoal_evaluate_print_table(const struct shoal_evaluation *evaluation, FILE *out);

#endif
