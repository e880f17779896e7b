/* SPDX-License-Identifier: Apache-2.0 */
/* shoal pseudonym: makes the key of pseudonyms, and tells what stands for a user. */
#include <stdio.h>

#include "stream/pseudonym.h"
#include "tools/commands.h"
#include "tools/setup.h"

static int print(const struct shoal_cli_args *args, const struct shoal_config *config)
{
    char text[SHOAL_PSEUDONYM_SIZE + 1];
    const char *user;
    if (!config->pseudonyms)
        return shoal_cli_fail(args, SHOAL_EXIT_CONFIG,
                              "no key: set privacy.pseudonym_key in the configuration (--new-key makes one)");
    for (size_t i = 0; (user = shoal_cli_positional(args, i)); i++)
        puts(shoal_pseudonym_stored(config->pseudonyms, user, text));
    return SHOAL_EXIT_OK;
}

static int run(const struct shoal_cli_args *args)
{
    const char *path = shoal_cli_get(args, "new-key");
    struct shoal_message message = {.text = ""};
    if (!shoal_cli_positional(args, 0) == !path)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "give USERs, or --new-key FILE");
    if (path) {
        enum shoal_status status = shoal_pseudonyms_new_key(path, &message);
        return status == SHOAL_OK ? SHOAL_EXIT_OK
                                  : shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    }
    struct shoal_setup setup;
    int code = shoal_setup_config(args, &setup);
    if (code == SHOAL_EXIT_OK)
        code = print(args, setup.config);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"new-key", "FILE", NULL, "write a new random key to a file that is not there yet, mode 0600", false,
     false},
    SHOAL_SETUP_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_pseudonym = {
    .name = "pseudonym",
    .summary = "make a key for pseudonyms, or print what stands for a user",
    .positional = "[USER...]",
    .description =
        "With privacy.pseudonym_key, user ids become keyed hashes where events come in: Redis, outputs "
        "and logs hold only those. Look-ups (inspect, explain, recommend, forget) take the original id. Keep "
        "the key safe: without it, users cannot be looked up, and states kept under it are refused under another.",
    .example = "shoal pseudonym --new-key pseudonym.key",
    .options = options,
    .run = run,
};
