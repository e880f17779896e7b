/* SPDX-License-Identifier: Apache-2.0 */
/* shoal inspect: user records as they stand in Redis. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/replay.h"
#include "tools/commands.h"
#include "tools/setup.h"

/* H of the stored records: from the model if one is configured, else as large as any: a record of
 * another size would be read as stale. */
static uint32_t hidden_of(const struct shoal_setup *setup)
{
    return setup->model ? setup->model->params.dims.hidden : shoal_dims_default().hidden;
}

static enum shoal_status print_user(struct shoal_store *store, const struct shoal_setup *setup,
                                    const char *user, struct shoal_message *message)
{
    int32_t partition;
    struct shoal_slice value;
    enum shoal_status status = store->ops->find(
        store, (struct shoal_slice){user, strlen(user)}, &partition, &value, message);
    if (status != SHOAL_OK)
        return status;
    uint32_t hidden = hidden_of(setup);
    struct shoal_record record;
    float *hc = calloc(2 * (size_t)hidden, sizeof *hc);
    if (!hc)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    shoal_record_init(&record, hidden, hc);
    status = shoal_record_decode(&record, value.bytes, value.size);
    if (status != SHOAL_OK) {
        shoal_fail(message, status, "record of user '%s': %s", user, shoal_status_text(status));
    } else {
        struct shoal_buffer text = {0};
        bool fp32 = strcmp(setup->config->state_precision, "fp32") == 0;
        shoal_record_print(&record, user, strlen(user), partition, fp32 ? SHOAL_FP32 : SHOAL_FP16,
                           &text);
        fwrite(text.bytes, 1, text.size, stdout);
        putchar('\n');
        shoal_buffer_finish(&text);
    }
    free(hc);
    return status;
}

static int inspect(const struct shoal_cli_args *args, struct shoal_setup *setup)
{
    struct shoal_message message = {.text = ""};
    const char *user = shoal_cli_positional(args, 0);
    bool all = shoal_cli_get(args, "all") != NULL;
    if (all == (user != NULL))
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give a USER, or --all");
    const char *model = shoal_cli_get(args, "model");
    if (!model)
        model = setup->config->model_path;
    enum shoal_status status = SHOAL_OK;
    if (model[0])
        status = shoal_model_load(model, &setup->model, &message);
    struct shoal_redis_options redis = {
        .url = setup->config->redis_url,
        .topic = setup->config->topic_events,
        .timeout_ms = (int)setup->config->redis_timeout,
    };
    struct shoal_store *store = NULL;
    if (status == SHOAL_OK)
        status = shoal_redis_store_create(&redis, &store, &message);
    if (status == SHOAL_OK && all)
        status = shoal_states_write(
            store, hidden_of(setup),
            strcmp(setup->config->state_precision, "fp32") == 0 ? SHOAL_FP32 : SHOAL_FP16, "-",
            &message);
    else if (status == SHOAL_OK)
        status = print_user(store, setup, user, &message);
    if (store)
        store->ops->destroy(store);
    return status == SHOAL_OK ? SHOAL_EXIT_OK
                              : shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_setup setup;
    int code = shoal_setup_config(args, &setup);
    if (code == SHOAL_EXIT_OK)
        code = inspect(args, &setup);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    SHOAL_SETUP_OPTIONS,
    {"all", NULL, NULL, "every user, sorted by id: the lines of states.jsonl", false, false},
    {"model", "FILE", NULL, "model that the states belong to (default: model.path)", false, false},
    {0},
};

const struct shoal_cli_command shoal_cmd_inspect = {
    .name = "inspect",
    .summary = "print users' states as they stand in Redis",
    .positional = "[USER]",
    .example = "shoal inspect --config deploy/shoal.yaml 1002166",
    .options = options,
    .run = run,
};
