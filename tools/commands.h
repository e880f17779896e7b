/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `shoal`, one file each: cmd_<name>.c. */
#ifndef SHOAL_COMMANDS_H
#define SHOAL_COMMANDS_H

#include "tools/cli.h"

extern const struct shoal_cli_command shoal_cmd_run;
extern const struct shoal_cli_command shoal_cmd_replay;
extern const struct shoal_cli_command shoal_cmd_train;
extern const struct shoal_cli_command shoal_cmd_evaluate;
extern const struct shoal_cli_command shoal_cmd_inspect;
extern const struct shoal_cli_command shoal_cmd_generate;
extern const struct shoal_cli_command shoal_cmd_send;
extern const struct shoal_cli_command shoal_cmd_config;

#endif
