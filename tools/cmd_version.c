/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal version`. */
#include <stdio.h>

#include "tools/commands.h"

static int run(const struct shoal_cli_args *args)
{
    printf("shoal %s\n", SHOAL_PROGRAM_VERSION);
    return SHOAL_EXIT_OK;
}

const struct shoal_cli_command shoal_cmd_version = {
    .name = "version",
    .summary = "print the version (also --version)",
    .example = "shoal --version",
    .run = run,
};
