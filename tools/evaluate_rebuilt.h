/* SPDX-License-Identifier: Apache-2.0 */
/* shoal evaluate --rebuilt: how far scores are after a rebuild of the state from the ring. */
#ifndef SHOAL_EVALUATE_REBUILT_H
#define SHOAL_EVALUATE_REBUILT_H

#include "model/learn/rebuild.h"
#include "tools/cli.h"

/* Measures for rings of 1, 2, 4, 8, 16 and 32 events and prints a table, or with --json an object.
 * Returns an exit code. */
int shoal_evaluate_rebuilt(const struct shoal_cli_args *args, const struct shoal_model *model,
                           const struct shoal_dataset *dataset,
                           const struct shoal_rebuild_options *options);

#endif
