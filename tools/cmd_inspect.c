/* SPDX-License-Identifier: Apache-2.0 */
/* shoal inspect: user records as they stand in Redis. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/pseudonym.h"
#include "stream/replay.h"
#include "stream/store_options.h"
#include "tools/commands.h"
#include "tools/print_user.h"
#include "tools/setup.h"

static void print(const struct shoal_record *record, const struct shoal_setup *setup,
                  const char *user, int32_t partition, enum shoal_precision precision, bool json)
{
    if (!json) {
        shoal_print_user(stdout, record, user, partition, setup->policy);
        return;
    }
    struct shoal_buffer text = {0};
    shoal_record_print(record, user, strlen(user), partition, precision, &text);
    fwrite(text.bytes, 1, text.size, stdout);
    putchar('\n');
    shoal_buffer_finish(&text);
}

static enum shoal_status print_user(struct shoal_store *store, const struct shoal_setup *setup,
                                    const char *user, bool json, struct shoal_message *message)
{
    int32_t partition;
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    struct shoal_slice value;
    user = shoal_pseudonym_stored(setup->config->pseudonyms, user, room);
    enum shoal_status status = store->ops->find(store, (struct shoal_slice){user, strlen(user)},
                                                &partition, &value, message);
    if (status != SHOAL_OK)
        return status;
    uint32_t hidden;
    enum shoal_precision precision;
    struct shoal_record record;
    float *hc = NULL;
    status = shoal_record_shape(value.bytes, value.size, &hidden, &precision);
    if (status == SHOAL_OK) {
        hc = calloc(2 * (size_t)hidden, sizeof *hc);
        if (!hc)
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
        shoal_record_init(&record, hidden, hc);
        status = shoal_record_decode(&record, value.bytes, value.size);
    }
    if (status != SHOAL_OK)
        shoal_fail(message, status, "record of user '%s': %s", user, shoal_status_text(status));
    else
        print(&record, setup, user, partition, precision, json);
    free(hc);
    return status;
}

static int inspect(const struct shoal_cli_args *args, struct shoal_setup *setup)
{
    struct shoal_message message = {.text = ""};
    const char *user = shoal_cli_positional(args, 0);
    bool all = shoal_cli_get(args, "all") != NULL;
    bool partitions = shoal_cli_get(args, "partitions") != NULL;
    if (all + partitions + (user != NULL) != 1)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give a USER, or --all, or --partitions");
    enum shoal_status status = SHOAL_OK;
    if (setup->config->promotions_path[0])
        status = shoal_policy_load(setup->config->promotions_path, &setup->policy, &message);
    struct shoal_redis_options redis = shoal_store_options(setup->config);
    struct shoal_store *store = NULL;
    if (status == SHOAL_OK)
        status = shoal_redis_store_create(&redis, &store, &message);
    if (status == SHOAL_OK && all)
        status = shoal_states_write(store, "-", &message);
    else if (status == SHOAL_OK && partitions)
        status = shoal_partitions_write(store, "-", &message);
    else if (status == SHOAL_OK)
        status = print_user(store, setup, user, shoal_cli_get(args, "json") != NULL, &message);
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
    {"partitions", NULL, NULL, "what is kept of each partition: the lines of partitions.jsonl", false, false},
    {"json", NULL, NULL, "USER as its line of states.jsonl", false, false},
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
