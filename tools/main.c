/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal`: the table of commands. */
#include "tools/commands.h"

const struct shoal_cli_command *const shoal_commands[] = {
    &shoal_cmd_run,
    &shoal_cmd_top,
    &shoal_cmd_replay,
    &shoal_cmd_train,
    &shoal_cmd_tune,
    &shoal_cmd_evaluate,
    &shoal_cmd_explain,
    &shoal_cmd_uplift,
    &shoal_cmd_features,
    &shoal_cmd_export,
    &shoal_cmd_segments,
    &shoal_cmd_retrain,
    &shoal_cmd_value,
    &shoal_cmd_recommend,
    &shoal_cmd_items,
    &shoal_cmd_bundles,
    &shoal_cmd_models,
    &shoal_cmd_report,
    &shoal_cmd_inspect,
    &shoal_cmd_repartition,
    &shoal_cmd_forget,
    &shoal_cmd_pseudonym,
    &shoal_cmd_generate,
    &shoal_cmd_send,
    &shoal_cmd_promotions,
    &shoal_cmd_config,
    &shoal_cmd_completion,
    &shoal_cmd_version,
    NULL,
};

int main(int argc, char **argv)
{
    return shoal_cli_main(shoal_commands, argc, argv);
}
