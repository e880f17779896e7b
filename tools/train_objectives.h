/* SPDX-License-Identifier: Apache-2.0 */
/* What a training learns beside the purchase, as it is written on the command line:
 * "behavior:0.5,gap:0.5,buy_72h:0.2", "none". */
#ifndef SHOAL_TRAIN_OBJECTIVES_H
#define SHOAL_TRAIN_OBJECTIVES_H

#include "model/learn/train.h"
#include "tools/cli.h"

/* Weights from --option into `objectives` and, of tasks, `mix`; mix NULL: tasks are not known
 * there. "auto" (with mix) leaves both as they are. False after a usage error. */
bool shoal_train_objectives_read(const struct shoal_cli_args *args, const char *option,
                                 struct shoal_objective_options *objectives,
                                 struct shoal_task_mix *mix);

#endif
