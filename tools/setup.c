/* SPDX-License-Identifier: Apache-2.0 */
/* Common beginnings of commands; see setup.h. */
#include "tools/setup.h"

#include "stream/secrets.h"

int shoal_setup_exit(enum shoal_status status)
{
    switch (status) {
    case SHOAL_OK:
        return SHOAL_EXIT_OK;
    case SHOAL_CONFIG:
    case SHOAL_VERSION:
    case SHOAL_SELF_TEST:
    case SHOAL_PARTITIONS_CHANGED:
    case SHOAL_OFFSETS_MOVED:
    case SHOAL_EVENTS_GONE:
        return SHOAL_EXIT_CONFIG;
    case SHOAL_FENCED:
        return SHOAL_EXIT_FENCED;
    case SHOAL_NOT_FOUND:
    case SHOAL_DAMAGED:
    case SHOAL_TOO_FEW:
    case SHOAL_IO:
        return SHOAL_EXIT_DATA;
    default:
        return SHOAL_EXIT_FAILED;
    }
}

int shoal_setup_config(const struct shoal_cli_args *args, struct shoal_setup *setup)
{
    struct shoal_message message = {.text = ""};
    *setup = (struct shoal_setup){0};
    enum shoal_status status = shoal_config_create(&setup->config);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, SHOAL_EXIT_FAILED, "%s", shoal_status_text(status));
    const char *path = shoal_cli_get(args, "config");
    if (path)
        status = shoal_config_read(setup->config, path, &message);
    const char *assignment;
    for (size_t i = 0; status == SHOAL_OK && (assignment = shoal_cli_get_nth(args, "set", i)); i++)
        status = shoal_config_set(setup->config, assignment, &message);
    if (status == SHOAL_OK)
        status = shoal_config_secrets(setup->config, &message);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
}

int shoal_setup_load(const struct shoal_cli_args *args, const char *model, const char *promotions,
                     struct shoal_setup *setup)
{
    struct shoal_message message = {.text = ""};
    int code = shoal_setup_config(args, setup);
    if (code != SHOAL_EXIT_OK)
        return code;
    if (!model)
        model = setup->config->model_path;
    if (!promotions)
        promotions = setup->config->promotions_path;
    if (!model[0])
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG,
                              "no model: set model.path in the configuration (or make one with "
                              "shoal train)");
    enum shoal_status status = shoal_models_open(model, &setup->models, &message);
    if (status == SHOAL_OK)
        setup->model = shoal_models_latest(setup->models);
    if (status == SHOAL_OK && promotions[0])
        status = shoal_policy_load(promotions, &setup->policy, &message);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s", message.text);
}

void shoal_setup_finish(struct shoal_setup *setup)
{
    shoal_policy_destroy(setup->policy);
    if (setup->models)
        shoal_models_release(setup->models, setup->model);
    shoal_models_close(setup->models);
    shoal_config_destroy(setup->config);
    *setup = (struct shoal_setup){0};
}
