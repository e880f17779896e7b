/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal config`: what can be configured, and whether a file is right. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stream/config.h"
#include "stream/policy.h"
#include "stream/secrets.h"
#include "tools/commands.h"

static void lower(const char *text, char *out, size_t size)
{
    size_t i = 0;
    for (; text[i] && i + 1 < size; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

/* Allowed values in words: "1 to 256", "json, msgpack", "file". */
static void describe_values(const struct shoal_config_option *option, char *out, size_t size)
{
    bool choice = strcmp(option->type, "CHOICE") == 0;
    bool text = strcmp(option->type, "TEXT") == 0 || strcmp(option->type, "PATH") == 0;
    if (choice || text)
        snprintf(out, size, "%s", option->unit);
    else
        snprintf(out, size, "%s to %s", option->least, option->most);
}

/* "duration", "int: users": the type, and what it measures where that says more. */
static void describe_type(const struct shoal_config_option *option, char *out, size_t size)
{
    char type[16];
    lower(option->type, type, sizeof type);
    bool text = strcmp(option->type, "TEXT") == 0 || strcmp(option->type, "PATH") == 0;
    if (text || strcmp(option->type, "CHOICE") == 0 || strcmp(type, option->unit) == 0)
        snprintf(out, size, "%s", type);
    else
        snprintf(out, size, "%s (%s)", type, option->unit);
}

static void print_list(void)
{
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    for (size_t i = 0; i < count; i++) {
        char type[64], values[160];
        describe_type(&options[i], type, sizeof type);
        describe_values(&options[i], values, sizeof values);
        printf("%s: %s\n    %s\n    %s: %s\n", options[i].key,
               options[i].standard[0] ? options[i].standard : "\"\"", options[i].help, type,
               values);
    }
    puts("kafka.*:\n    passed on to librdkafka, for example kafka.security.protocol;\n"
         "    kafka.bootstrap.servers is 127.0.0.1:9092 unless set;\n"
         "    kafka.NAME_file: a file whose first line is the value, for passwords");
}

static void print_markdown(void)
{
    puts("# Options\n\n"
         "Every option of the configuration file, in nested or dotted form, and of `--set "
         "key=value`\n"
         "on the command line. Made by `shoal config --markdown`; a test keeps it current.\n\n"
         "Durations need a unit (`100ms`, `1s`, `5m`, `2h`, `1d`), sizes may have one (`64KiB`, "
         "`1MiB`,\n"
         "`1GiB`). Relative paths in a file are relative to the file's folder.\n\n"
         "| key | default | type | values | meaning |\n"
         "|---|---|---|---|---|");
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    for (size_t i = 0; i < count; i++) {
        char type[64], values[160];
        describe_type(&options[i], type, sizeof type);
        describe_values(&options[i], values, sizeof values);
        printf("| `%s` | %s%s%s | %s | %s | %s |\n", options[i].key,
               options[i].standard[0] ? "`" : "", options[i].standard,
               options[i].standard[0] ? "`" : "", type, values, options[i].help);
    }
    puts("| `kafka.*` | | text | any property of librdkafka | passed on as it stands; "
         "`kafka.bootstrap.servers` is `127.0.0.1:9092` unless set; `kafka.NAME_file` names a file whose first "
         "line is the value, for passwords (`kafka.sasl.password_file`, `kafka.ssl.key.password_file`) |");
}

static void show_text(const char *key, const char *value)
{
    char room[4096];
    printf("%s: %s\n", key, value[0] ? shoal_secret_mask(key, value, room, sizeof room) : "\"\"");
}

/* What is in force, a line each as a YAML file may have it, without what is secret. */
static void show(const struct shoal_config *config)
{
#define SHOW_TEXT(key, value) show_text(key, value)
#define SHOW_PATH(key, value) show_text(key, value)
#define SHOW_CHOICE(key, value) show_text(key, value)
#define SHOW_INT(key, value) printf("%s: %" PRId64 "\n", key, value)
#define SHOW_BYTES(key, value) printf("%s: %" PRId64 "\n", key, value)
#define SHOW_DURATION(key, value) printf("%s: %" PRId64 "ms\n", key, value)
#define SHOW_REAL(key, value) printf("%s: %.15g\n", key, value)
#define X(field, key, type, standard, least, most, unit, help) SHOW_##type(key, config->field);
    SHOAL_CONFIG_LIST(X)
#undef X
    for (size_t i = 0; i < config->kafka_count; i++) {
        char key[256];
        snprintf(key, sizeof key, "kafka.%s", config->kafka[i].name);
        show_text(key, config->kafka[i].value);
    }
}

/* The file, the assignments after it, and the promotions that it names. */
static int check(const struct shoal_cli_args *args, const char *path)
{
    struct shoal_config *config = NULL;
    struct shoal_policy *policy = NULL;
    struct shoal_message message = {""};
    enum shoal_status status = shoal_config_create(&config);
    if (status == SHOAL_OK && path)
        status = shoal_config_read(config, path, &message);
    const char *assignment;
    for (size_t i = 0; status == SHOAL_OK && (assignment = shoal_cli_get_nth(args, "set", i)); i++)
        status = shoal_config_set(config, assignment, &message);
    if (status == SHOAL_OK)
        status = shoal_config_secrets(config, &message);
    if (status == SHOAL_OK && config->promotions_path[0])
        status = shoal_policy_load(config->promotions_path, &policy, &message);
    int code = SHOAL_EXIT_OK;
    if (status == SHOAL_OK && shoal_cli_get(args, "show"))
        show(config);
    else if (status == SHOAL_OK)
        printf("%s: fine, %zu promotions\n", path ? path : "--set", policy ? policy->count : 0);
    else
        code = shoal_cli_fail(args, SHOAL_EXIT_CONFIG, "%s",
                              message.text[0] ? message.text : shoal_status_text(status));
    shoal_policy_destroy(policy);
    shoal_config_destroy(config);
    return code;
}

static int run(const struct shoal_cli_args *args)
{
    const char *path = shoal_cli_get(args, "check");
    if (path || shoal_cli_get_nth(args, "set", 0) || shoal_cli_get(args, "show"))
        return check(args, path);
    if (shoal_cli_get(args, "markdown"))
        print_markdown();
    else
        print_list();
    return SHOAL_EXIT_OK;
}

static const struct shoal_cli_option options[] = {
    {.name = "check",
     .argument = "FILE",
     .help = "check a configuration file and the promotions file that it names"},
    {.name = "set",
     .argument = "KEY=VALUE",
     .repeats = true,
     .help = "check an assignment as other commands take it"},
    {.name = "show", .help = "print what is in force, with --check and --set; secrets are masked"},
    {.name = "markdown", .help = "print the options as the table of deploy/options.md"},
    {0},
};

const struct shoal_cli_command shoal_cmd_config = {
    .name = "config",
    .summary = "list all options of the configuration, or check a file",
    .example = "shoal config --check deploy/shoal.yaml --set workers=2",
    .options = options,
    .run = run,
};
