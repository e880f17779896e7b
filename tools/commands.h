/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `shoal`, each in its file cmd_<name>.c. main.c lists those of this build. */
#ifndef SHOAL_COMMANDS_H
#define SHOAL_COMMANDS_H

#include "tools/cli.h"

extern const struct shoal_cli_command shoal_cmd_run;
extern const struct shoal_cli_command shoal_cmd_top;
extern const struct shoal_cli_command shoal_cmd_replay;
extern const struct shoal_cli_command shoal_cmd_train;
extern const struct shoal_cli_command shoal_cmd_tune;
extern const struct shoal_cli_command shoal_cmd_evaluate;
extern const struct shoal_cli_command shoal_cmd_explain;
extern const struct shoal_cli_command shoal_cmd_uplift;
extern const struct shoal_cli_command shoal_cmd_features;
extern const struct shoal_cli_command shoal_cmd_export;
extern const struct shoal_cli_command shoal_cmd_segments;
extern const struct shoal_cli_command shoal_cmd_retrain;
extern const struct shoal_cli_command shoal_cmd_value;
extern const struct shoal_cli_command shoal_cmd_items;
extern const struct shoal_cli_command shoal_cmd_bundles;
extern const struct shoal_cli_command shoal_cmd_recommend;
extern const struct shoal_cli_command shoal_cmd_models;
extern const struct shoal_cli_command shoal_cmd_report;
extern const struct shoal_cli_command shoal_cmd_inspect;
extern const struct shoal_cli_command shoal_cmd_repartition;
extern const struct shoal_cli_command shoal_cmd_forget;
extern const struct shoal_cli_command shoal_cmd_pseudonym;
extern const struct shoal_cli_command shoal_cmd_generate;
extern const struct shoal_cli_command shoal_cmd_send;
extern const struct shoal_cli_command shoal_cmd_promotions;
extern const struct shoal_cli_command shoal_cmd_config;
extern const struct shoal_cli_command shoal_cmd_completion;
extern const struct shoal_cli_command shoal_cmd_version;

/* All of them, in the order of the overview; ends with NULL. */
extern const struct shoal_cli_command *const shoal_commands[];

#endif
