/* SPDX-License-Identifier: Apache-2.0 */
/* See teacher.h. */
#include "tools/teacher.h"

#include <stdio.h>

int shoal_teacher_load(const struct shoal_cli_args *args, struct shoal_train_options *options,
                       struct shoal_model **teacher)
{
    struct shoal_message message = {.text = ""};
    const char *path = shoal_cli_get(args, "distil");
    double weight;
    *teacher = NULL;
    if (!shoal_cli_real(args, "distil-weight", 0, 1, &weight))
        return SHOAL_EXIT_USAGE;
    options->teacher_weight = (float)weight;
    if (path && shoal_model_load(path, teacher, &message) != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "--distil: %s", message.text);
    options->teacher = *teacher;
    return SHOAL_EXIT_OK;
}

void shoal_teacher_print(const struct shoal_train_options *options)
{
    if (options->teacher)
        printf("taught by   %s (%u units), weight %g\n", options->teacher->version,
               options->teacher->params.dims.hidden, (double)options->teacher_weight);
}
