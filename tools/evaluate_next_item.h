/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal evaluate --task next-item`: how well a model says which item comes next. */
#ifndef SHOAL_EVALUATE_NEXT_ITEM_H
#define SHOAL_EVALUATE_NEXT_ITEM_H

#include "model/model.h"
#include "tools/cli.h"

/* Reads --events, judges, prints and writes --ranks. Returns an exit code. */
int shoal_evaluate_next_item(const struct shoal_cli_args *args, const struct shoal_model *model);

#endif
