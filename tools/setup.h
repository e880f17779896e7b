/* SPDX-License-Identifier: Apache-2.0 */
/* What most commands begin with: the configuration, the model and the promotions. */
#ifndef SHOAL_SETUP_H
#define SHOAL_SETUP_H

#include "model/model.h"
#include "stream/config.h"
#include "stream/models.h"
#include "stream/policy.h"
#include "tools/cli.h"

struct shoal_setup {
    struct shoal_config *config;
    struct shoal_models *models;
    const struct shoal_model *model; /* the one in service at the start; held */
    struct shoal_policy *policy; /* NULL: none configured */
};

/* Options that every command with a configuration has; put first in its table. */
#define SHOAL_SETUP_OPTIONS                                                                        \
    {"config", "FILE", NULL, "configuration (YAML); see shoal config", false, false},              \
    {                                                                                              \
        "set", "KEY=VALUE", NULL, "one option of the configuration", false, true  \
    }

/* Reads --config and every --set, and the files with secrets that they name. On failure prints the reason and returns an exit code. */
int shoal_setup_config(const struct shoal_cli_args *args, struct shoal_setup *setup);
/* Loads model.path (a file, or a folder with a model in service) and promotions.path as well; `model`
 * and `promotions` (may be NULL) override the configuration's. */
int shoal_setup_load(const struct shoal_cli_args *args, const char *model, const char *promotions,
                     struct shoal_setup *setup);
void shoal_setup_finish(struct shoal_setup *setup);
/* Exit code for a status that ends a command. */
int shoal_setup_exit(enum shoal_status status);

#endif
