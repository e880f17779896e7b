/* SPDX-License-Identifier: Apache-2.0 */
/* Command line from tables; see cli.h. */
#include "tools/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "stream/event.h"
#include "stream/nearest.h"
#include "stream/units.h"

struct shoal_cli_args {
    const struct shoal_cli_command *command;
    const char *values[SHOAL_CLI_OPTIONS_MAX]; /* last one given; NULL: not given */
    struct {
        int option;
        const char *value;
    } repeats[SHOAL_CLI_REPEATS_MAX]; /* of the options that may be repeated, in order */
    size_t repeats_count;
    char **positionals;
    size_t positionals_count;
};

/* ---- what commands ask --------------------------------------------------------------------- */

static int index_of(const struct shoal_cli_args *args, const char *name)
{
    const struct shoal_cli_option *options = args->command->options;
    for (int i = 0; options && options[i].name; i++) {
        if (strcmp(options[i].name, name) == 0)
            return i;
    }
    return -1;
}

const char *shoal_cli_get(const struct shoal_cli_args *args, const char *name)
{
    int index = index_of(args, name);
    if (index < 0)
        return NULL;
    return args->values[index] ? args->values[index] : args->command->options[index].standard;
}

const char *shoal_cli_get_nth(const struct shoal_cli_args *args, const char *name, size_t i)
{
    int index = index_of(args, name);
    for (size_t j = 0; j < args->repeats_count; j++) {
        if (args->repeats[j].option == index && i-- == 0)
            return args->repeats[j].value;
    }
    return NULL;
}

const char *shoal_cli_positional(const struct shoal_cli_args *args, size_t i)
{
    return i < args->positionals_count ? args->positionals[i] : NULL;
}

int shoal_cli_fail(const struct shoal_cli_args *args, int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "shoal %s: ", args->command->name);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return code;
}

const char *shoal_cli_dashes(const char *name)
{
    return name[0] && !name[1] ? "-" : "--";
}

bool shoal_cli_int(const struct shoal_cli_args *args, const char *name, long long min,
                   long long max, long long *value)
{
    const char *text = shoal_cli_get(args, name);
    int64_t number;
    if (text && shoal_integer_parse(text, &number) && number >= min && number <= max) {
        *value = number;
        return true;
    }
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                         "%s%s: '%s' is not a whole number from %lld to %lld",
                         shoal_cli_dashes(name), name, text ? text : "", min, max);
    return false;
}

bool shoal_cli_real(const struct shoal_cli_args *args, const char *name, double min, double max,
                    double *value)
{
    const char *text = shoal_cli_get(args, name);
    if (text && shoal_real_parse(text, value) && *value >= min && *value <= max)
        return true;
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "%s%s: '%s' is not a number from %g to %g",
                         shoal_cli_dashes(name), name, text ? text : "", min, max);
    return false;
}

bool shoal_cli_time(const struct shoal_cli_args *args, const char *name, bool *given,
                    long long *time_ms)
{
    const char *text = shoal_cli_get(args, name);
    *given = text != NULL;
    int64_t time;
    if (!text)
        return true;
    if (shoal_time_parse(text, strlen(text), &time)) {
        *time_ms = time;
        return true;
    }
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                         "--%s: '%s' is not a time, for example 2017-12-02T00:00+08:00", name,
                         text);
    return false;
}

/* ---- parsing ------------------------------------------------------------------------------- */

static void hint_help(const struct shoal_cli_args *args)
{
    fprintf(stderr, "'shoal %s --help' lists the options.\n", args->command->name);
}

static int unknown_option(const struct shoal_cli_args *args, const char *given)
{
    char name[64];
    const char *dashless = given + strspn(given, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(dashless, "="), dashless);
    struct shoal_nearest nearest;
    shoal_nearest_init(&nearest, name);
    const struct shoal_cli_option *option = args->command->options;
    for (; option && option->name; option++)
        shoal_nearest_feed(&nearest, option->name);
    if (nearest.best)
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "unknown option '%s' (did you mean '--%s'?)",
                             given, nearest.best);
    else
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "unknown option '%s'", given);
    hint_help(args);
    return SHOAL_EXIT_USAGE;
}

static int take(struct shoal_cli_args *args, int index, const char *value)
{
    const struct shoal_cli_option *option = &args->command->options[index];
    args->values[index] = value ? value : "";
    if (!option->repeats)
        return SHOAL_EXIT_OK;
    if (args->repeats_count == SHOAL_CLI_REPEATS_MAX)
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--%s: given more than %d times",
                              option->name, SHOAL_CLI_REPEATS_MAX);
    args->repeats[args->repeats_count].option = index;
    args->repeats[args->repeats_count++].value = args->values[index];
    return SHOAL_EXIT_OK;
}

/* "FILE" wants one, "check FILE" two, "[USER]" takes up to one, "FILE..." one or more, NULL none. */
static int check_positionals(const struct shoal_cli_args *args)
{
    const char *wanted = args->command->positional;
    bool many = wanted && strstr(wanted, "...");
    size_t most = wanted ? 1 : 0;
    for (const char *c = wanted; c && *c; c++)
        most += *c == ' ';
    if (wanted && wanted[0] != '[' && args->positionals_count < most) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "%s is missing", wanted);
        hint_help(args);
        return SHOAL_EXIT_USAGE;
    }
    if (!many && args->positionals_count > most) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "unexpected argument '%s'",
                             args->positionals[most]);
        hint_help(args);
        return SHOAL_EXIT_USAGE;
    }
    return SHOAL_EXIT_OK;
}

static int check_required(const struct shoal_cli_args *args)
{
    const struct shoal_cli_option *options = args->command->options;
    for (int i = 0; options && options[i].name; i++) {
        if (options[i].required && !args->values[i]) {
            (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--%s %s is missing", options[i].name,
                                 options[i].argument ? options[i].argument : "");
            hint_help(args);
            return SHOAL_EXIT_USAGE;
        }
    }
    return SHOAL_EXIT_OK;
}

static int letter_index(const struct shoal_cli_option *options, int letter)
{
    int i = 0;
    while (options[i].name[1] || options[i].name[0] != letter)
        i++;
    return i;
}

/* Parses argv[1 …] (argv[0] is the command's name). *help is set if the page was asked for. */
static int parse(struct shoal_cli_args *args, int argc, char **argv, bool *help)
{
    const struct shoal_cli_option *options = args->command->options;
    struct option table[SHOAL_CLI_OPTIONS_MAX + 2] = {{0}};
    char letters[2 * SHOAL_CLI_OPTIONS_MAX + 4] = ":h";
    size_t used = strlen(letters);
    int count = 0;
    for (; options && options[count].name && count < SHOAL_CLI_OPTIONS_MAX; count++) {
        table[count].name = options[count].name;
        table[count].has_arg = options[count].argument ? required_argument : no_argument;
        table[count].val = 256 + count;
        if (options[count].name[1])
            continue;
        table[count].val = (unsigned char)options[count].name[0];
        letters[used++] = options[count].name[0];
        if (options[count].argument)
            letters[used++] = ':';
    }
    table[count].name = "help";
    table[count].val = 'h';
    *help = false;
    opterr = 0;
    optind = 0; /* glibc: begin anew, also for a second command line */
    for (;;) {
        int before = optind > 0 ? optind : 1;
        int found = getopt_long(argc, argv, letters, table, NULL);
        int code = SHOAL_EXIT_OK;
        if (found == -1)
            break;
        if (found == 'h') {
            *help = true;
            return SHOAL_EXIT_OK;
        }
        if (found == ':') {
            code = shoal_cli_fail(args, SHOAL_EXIT_USAGE, "%s needs a value", argv[optind - 1]);
            hint_help(args);
        } else if (found == '?') {
            /* A bad short option may leave optind where it was. */
            code = unknown_option(args, argv[optind > before ? optind - 1 : before]);
        } else {
            code = take(args, found < 256 ? letter_index(options, found) : found - 256, optarg);
        }
        if (code != SHOAL_EXIT_OK)
            return code;
    }
    args->positionals = argv + optind;
    args->positionals_count = (size_t)(argc - optind);
    int code = check_positionals(args);
    return code == SHOAL_EXIT_OK ? check_required(args) : code;
}

/* ---- commands ------------------------------------------------------------------------------ */

static const struct shoal_cli_command *find(const struct shoal_cli_command *const *commands,
                                            const char *name)
{
    for (; *commands; commands++) {
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    }
    return NULL;
}

static int unknown_command(const struct shoal_cli_command *const *commands, const char *name)
{
    struct shoal_nearest nearest;
    shoal_nearest_init(&nearest, name);
    for (; *commands; commands++)
        shoal_nearest_feed(&nearest, (*commands)->name);
    if (nearest.best)
        fprintf(stderr, "shoal: unknown command '%s' (did you mean '%s'?)\n", name, nearest.best);
    else
        fprintf(stderr, "shoal: unknown command '%s'\n", name);
    fputs("'shoal --help' lists the commands.\n", stderr);
    return SHOAL_EXIT_USAGE;
}

/* help --man [COMMAND]: for the build, which installs what it prints. */
static int print_man(const struct shoal_cli_command *const *commands, const char *name)
{
    const struct shoal_cli_command *command = name ? find(commands, name) : NULL;
    if (name && !command)
        return unknown_command(commands, name);
    if (command)
        shoal_cli_print_man(command, SHOAL_PROGRAM_VERSION, stdout);
    else
        shoal_cli_print_man_overview(commands, SHOAL_PROGRAM_VERSION, stdout);
    return SHOAL_EXIT_OK;
}

int shoal_cli_main(const struct shoal_cli_command *const *commands, int argc, char **argv)
{
    if (argc < 2) {
        shoal_cli_print_overview(commands, stderr);
        return SHOAL_EXIT_USAGE;
    }
    const char *name = argv[1];
    bool help = strcmp(name, "help") == 0;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (help && argc < 3)) {
        shoal_cli_print_overview(commands, stdout);
        return SHOAL_EXIT_OK;
    }
    if (help && strcmp(argv[2], "--man") == 0)
        return print_man(commands, argc > 3 ? argv[3] : NULL);
    if (help)
        name = argv[2];
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct shoal_cli_command *command = find(commands, name);
    if (!command)
        return unknown_command(commands, name);
    struct shoal_cli_args args = {.command = command};
    int code = help ? SHOAL_EXIT_OK : parse(&args, argc - 1, argv + 1, &help);
    if (code != SHOAL_EXIT_OK)
        return code;
    if (help) {
        shoal_cli_print_help(command, stdout);
        return SHOAL_EXIT_OK;
    }
    return command->run(&args);
}
