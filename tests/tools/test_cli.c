/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"

/* What the last run of the command `work` saw. */
static struct {
    int runs;
    char events[64], out[64], sets[256], positional[64];
    bool verbose, times_fine, time_given;
    long long number, time_ms, n;
    double real;
} seen;

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "(null)");
}

static int work(const struct shoal_cli_args *args)
{
    memset(&seen, 0, sizeof seen);
    seen.runs = 1;
    copy(seen.events, sizeof seen.events, shoal_cli_get(args, "events"));
    copy(seen.out, sizeof seen.out, shoal_cli_get(args, "out"));
    copy(seen.positional, sizeof seen.positional, shoal_cli_positional(args, 0));
    seen.verbose = shoal_cli_get(args, "verbose") != NULL;
    for (size_t i = 0; shoal_cli_get_nth(args, "set", i); i++) {
        strcat(seen.sets, shoal_cli_get_nth(args, "set", i));
        strcat(seen.sets, ";");
    }
    if (!shoal_cli_int(args, "partitions", 1, 100, &seen.number) ||
        !shoal_cli_int(args, "n", 1, 100, &seen.n) ||
        !shoal_cli_real(args, "share", 0, 1, &seen.real) ||
        !shoal_cli_time(args, "until", &seen.time_given, &seen.time_ms))
        return SHOAL_EXIT_USAGE;
    return SHOAL_EXIT_OK;
}

static int fail(const struct shoal_cli_args *args)
{
    return shoal_cli_fail(args, SHOAL_EXIT_DATA, "%s is %d bytes short", "f", 3);
}

static const struct shoal_cli_option work_options[] = {
    {.name = "events", .argument = "FILE", .required = true, .help = "events to read"},
    {.name = "out", .argument = "DIR", .standard = "out", .help = "where to write"},
    {.name = "partitions", .argument = "N", .standard = "4", .help = "number of partitions"},
    {.name = "share", .argument = "X", .standard = "0.5", .help = "a share"},
    {.name = "until", .argument = "TIME", .help = "end"},
    {.name = "set", .argument = "KEY=VALUE", .repeats = true, .help = "an option"},
    {.name = "verbose", .help = "say more"},
    {.name = "n", .argument = "N", .standard = "7", .help = "how many"},
    {0},
};
static const struct shoal_cli_command work_command = {
    .name = "work",
    .summary = "do the work",
    .positional = "[USER]",
    .description = "A paragraph about the work.",
    .example = "shoal work --events e.csv",
    .options = work_options,
    .run = work,
};
static const struct shoal_cli_command fail_command = {
    .name = "fail", .summary = "fail", .run = fail};
static const struct shoal_cli_command file_command = {
    .name = "file", .summary = "wants a file", .positional = "FILE", .run = fail};
static const struct shoal_cli_command *const commands[] = {&work_command, &fail_command,
                                                           &file_command, NULL};

static char captured[8192];

/* Runs a command line with both outputs caught. */
static int run(const char *line)
{
    char words[512], *argv[32] = {(char *)"shoal"};
    int argc = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    FILE *file = tmpfile();
    fflush(stdout);
    fflush(stderr);
    int out = dup(1), err = dup(2);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    seen.runs = 0;
    int code = shoal_cli_main(commands, argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(file);
    captured[fread(captured, 1, sizeof captured - 1, file)] = '\0';
    fclose(file);
    return code;
}

static void says(const char *text)
{
    cr_assert(strstr(captured, text), "wanted: %s\ngot: %s", text, captured);
}

Test(cli, options_positionals_and_defaults_reach_the_command)
{
    cr_assert_eq(run("work --events e.csv --set a=1 --verbose u7 --set=b=2 --partitions 8"), 0,
                 "%s", captured);
    cr_assert_str_eq(seen.events, "e.csv");
    cr_assert_str_eq(seen.out, "out");
    cr_assert_str_eq(seen.sets, "a=1;b=2;");
    cr_assert_str_eq(seen.positional, "u7");
    cr_assert(seen.verbose);
    cr_assert_eq(seen.number, 8);
    cr_assert_eq(seen.real, 0.5);
    cr_assert_not(seen.time_given);
    cr_assert_eq(run("work --events first --events second"), 0);
    cr_assert_str_eq(seen.events, "second");
    cr_assert_not(seen.verbose);
    cr_assert_str_eq(seen.positional, "(null)");
    cr_assert_eq(run("work --events e -- --u8"), 0);
    cr_assert_str_eq(seen.positional, "--u8");
}

Test(cli, numbers_and_times_are_checked)
{
    cr_assert_eq(run("work --events e --until 2017-12-02T00:00+08:00"), 0);
    cr_assert(seen.time_given);
    cr_assert_eq(seen.time_ms, 1512144000000LL);
    cr_assert_eq(run("work --events e --partitions four"), SHOAL_EXIT_USAGE);
    says("shoal work: --partitions: 'four' is not a whole number from 1 to 100");
    cr_assert_eq(run("work --events e --partitions 101"), SHOAL_EXIT_USAGE);
    cr_assert_eq(run("work --events e --share 1.5"), SHOAL_EXIT_USAGE);
    says("--share: '1.5' is not a number from 0 to 1");
    cr_assert_eq(run("work --events e --until someday"), SHOAL_EXIT_USAGE);
    says("--until: 'someday' is not a time");
}

Test(cli, wrong_command_lines_name_the_nearest_right_one)
{
    cr_assert_eq(run("wrok"), SHOAL_EXIT_USAGE);
    says("unknown command 'wrok' (did you mean 'work'?)");
    cr_assert_eq(run("work --evnets e"), SHOAL_EXIT_USAGE);
    says("unknown option '--evnets' (did you mean '--events'?)");
    cr_assert_eq(run("work -x"), SHOAL_EXIT_USAGE);
    says("unknown option '-x'");
    cr_assert_eq(run("work --events e --zzzzzzz=3"), SHOAL_EXIT_USAGE);
    says("unknown option '--zzzzzzz=3'");
    cr_assert_eq(seen.runs, 0);
}

Test(cli, what_is_missing_or_too_much_is_refused)
{
    cr_assert_eq(run("work"), SHOAL_EXIT_USAGE);
    says("--events FILE is missing");
    cr_assert_eq(run("work --events"), SHOAL_EXIT_USAGE);
    says("--events needs a value");
    cr_assert_eq(run("work --events e u1 u2"), SHOAL_EXIT_USAGE);
    says("unexpected argument 'u2'");
    cr_assert_eq(run("fail x"), SHOAL_EXIT_USAGE);
    cr_assert_eq(run("file"), SHOAL_EXIT_USAGE);
    says("FILE is missing");
    cr_assert_eq(run(""), SHOAL_EXIT_USAGE);
    says("Usage: shoal COMMAND");
    cr_assert_eq(seen.runs, 0);
    char line[512] = "work --events e";
    for (int i = 0; i < 9; i++)
        strcat(line, " --set a=1");
    cr_assert_eq(run(line), 0);
}

Test(cli, more_repeats_than_fit_are_refused)
{
    char *argv[2 * SHOAL_CLI_REPEATS_MAX + 8] = {(char *)"shoal", (char *)"work",
                                                 (char *)"--events", (char *)"e"};
    int argc = 4;
    for (int i = 0; i <= SHOAL_CLI_REPEATS_MAX; i++)
        argv[argc++] = (char *)"--set=a=1";
    cr_assert_eq(shoal_cli_main(commands, argc, argv), SHOAL_EXIT_USAGE);
}

Test(cli, help_shows_synopsis_options_defaults_and_an_example)
{
    const char *lines[] = {"work --help", "work -h", "help work", "work --events --help --help"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(run(lines[i]), SHOAL_EXIT_OK);
        says("Usage: shoal work [OPTION...] [USER]");
        says("A paragraph about the work.");
        says("--events FILE");
        says("events to read (required)");
        says("where to write (default out)");
        says("(may be repeated)");
        says("Example:\n  shoal work --events e.csv\n");
        cr_assert_eq(seen.runs, 0);
    }
    cr_assert_eq(run("--help"), SHOAL_EXIT_OK);
    says("work");
    says("do the work");
    cr_assert_eq(run("help"), SHOAL_EXIT_OK);
    cr_assert_eq(run("help nothing"), SHOAL_EXIT_USAGE);
    cr_assert_eq(run("--version"), SHOAL_EXIT_USAGE, "there is no command of that name here");
}

Test(cli, the_commands_exit_code_and_message_come_through)
{
    cr_assert_eq(run("fail"), SHOAL_EXIT_DATA);
    cr_assert_str_eq(captured, "shoal fail: f is 3 bytes short\n");
}

Test(cli, progress_writes_nothing_where_there_is_no_terminal)
{
    FILE *file = tmpfile();
    fflush(stderr);
    int err = dup(2);
    dup2(fileno(file), 2);
    struct shoal_progress progress;
    shoal_progress_start(&progress, "work", "events");
    for (int i = 0; i <= 10; i++)
        shoal_progress_update(&progress, i / 10.0, (unsigned long long)i);
    shoal_progress_end(&progress);
    fflush(stderr);
    dup2(err, 2);
    fseek(file, 0, SEEK_END);
    cr_assert_eq(ftell(file), 0);
    fclose(file);
}

Test(cli, a_name_of_one_letter_is_a_short_option)
{
    const char *lines[] = {"work -n 12 --events e u7", "work -n12 --events e u7", "work --events e u7 -n 12"};
    cr_assert_eq(run("work --events e"), 0);
    cr_assert_eq(seen.n, 7);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(run(lines[i]), 0, "%s", captured);
        cr_assert_eq(seen.n, 12);
        cr_assert_str_eq(seen.positional, "u7");
    }
    cr_assert_eq(run("work --events e -n many"), SHOAL_EXIT_USAGE);
    says("shoal work: -n: 'many' is not a whole number from 1 to 100");
    cr_assert_eq(run("work --events e -n"), SHOAL_EXIT_USAGE);
    says("-n needs a value");
    cr_assert_eq(run("work --help"), 0);
    says("-n N ");
}
