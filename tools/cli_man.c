/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages from the tables of options, which --help prints too; see cli.h. */
#include <string.h>

#include "tools/cli.h"
#include "tools/roff.h"

static void print_name(FILE *out, const char *name, const char *summary)
{
    fputs(".SH NAME\n", out);
    shoal_roff_literal(out, name);
    fputs(" \\- ", out);
    shoal_roff_text(out, summary);
}

static void print_option(FILE *out, const struct shoal_cli_option *option)
{
    fputs(".TP\n\\fB", out);
    shoal_roff_literal(out, shoal_cli_dashes(option->name));
    shoal_roff_literal(out, option->name);
    fputs("\\fR", out);
    if (option->argument) {
        fputs(" \\fI", out);
        shoal_roff_literal(out, option->argument);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    char text[1024], note[256] = "";
    if (option->required)
        snprintf(note, sizeof note, " (required)");
    else if (option->standard)
        snprintf(note, sizeof note, " (default %s)", option->standard);
    snprintf(text, sizeof text, "%s%s%s", option->help, note,
             option->repeats ? " (may be repeated)" : "");
    shoal_roff_text(out, text);
}

/* What shoal_exit says, as far as it can concern a command. */
static void print_exit_status(FILE *out)
{
    static const struct {
        int code;
        const char *meaning;
    } codes[] = {
        {SHOAL_EXIT_OK, "done"},
        {SHOAL_EXIT_FAILED, "the work failed; the reason is on standard error"},
        {SHOAL_EXIT_USAGE, "wrong command line"},
        {SHOAL_EXIT_CONFIG, "configuration, promotions, model or recovery refused"},
        {SHOAL_EXIT_FENCED, "another owner has taken over"},
        {SHOAL_EXIT_DATA, "input data missing, damaged or too little"},
    };
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        fprintf(out, ".TP\n\\fB%d\\fR\n%s\n", codes[i].code, codes[i].meaning);
}

/* `name` runs behind a comma as ".BR name (section)," but for the last. */
static void print_see_also(FILE *out, const char *name, int section, bool last)
{
    fputs(".BR ", out);
    shoal_roff_literal(out, name);
    fprintf(out, " (%d)%s\n", section, last ? "" : ",");
}

void shoal_cli_print_man(const struct shoal_cli_command *command, const char *version, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "shoal-%s", command->name);
    shoal_roff_title(out, name, 1, version);
    print_name(out, name, command->summary);
    fputs(".SH SYNOPSIS\n\\fBshoal ", out);
    shoal_roff_literal(out, command->name);
    fputs("\\fR [\\fIOPTION\\fR...]", out);
    if (command->positional) {
        fputs(" \\fI", out);
        shoal_roff_literal(out, command->positional);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    if (command->description) {
        fputs(".SH DESCRIPTION\n", out);
        shoal_roff_text(out, command->description);
    }
    fputs(".SH OPTIONS\n", out);
    for (const struct shoal_cli_option *o = command->options; o && o->name; o++)
        print_option(out, o);
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint what this page says, shortly\n", out);
    print_exit_status(out);
    if (command->example) {
        fputs(".SH EXAMPLES\n", out);
        shoal_roff_example(out, command->example);
    }
    fputs(".SH SEE ALSO\n", out);
    print_see_also(out, "shoal", 1, false);
    print_see_also(out, "shoal.yaml", 5, true);
}

void shoal_cli_print_man_overview(const struct shoal_cli_command *const *commands,
                                  const char *version, FILE *out)
{
    shoal_roff_title(out, "shoal", 1, version);
    print_name(out, "shoal", "real-time segments and promotion decisions from shopping events");
    fputs(".SH SYNOPSIS\n\\fBshoal\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n", out);
    shoal_roff_text(
        out,
        "Reads shoppers' events from Kafka, keeps a state for each user in Redis, and writes two "
        "things to output topics the moment they become true: this user changed segment, and this "
        "user is (no longer) eligible for this promotion, with the reasons. Its models are trained "
        "by the same program.\n"
        "Each command has a page of its own; \"shoal help COMMAND\" prints it shortly.");
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; commands[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "shoal-%s", commands[i]->name);
        fputs(".TP\n", out);
        print_see_also(out, name, 1, true);
        shoal_roff_text(out, commands[i]->summary);
    }
    print_exit_status(out);
    fputs(".SH SEE ALSO\n", out);
    for (size_t i = 0; commands[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "shoal-%s", commands[i]->name);
        print_see_also(out, name, 1, false);
    }
    print_see_also(out, "shoal.yaml", 5, true);
}
