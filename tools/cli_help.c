/* SPDX-License-Identifier: Apache-2.0 */
/* Help pages from the tables of options; see cli.h. */
#include <string.h>

#include "tools/cli.h"

enum { LINE_WIDTH = 88, HELP_COLUMN = 26 };

/* Prints words in lines of at most LINE_WIDTH; `column` is where the cursor stands, further lines
 * are indented by `indent`. A newline in the text is kept. */
static void print_wrapped(FILE *out, const char *text, size_t column, size_t indent)
{
    bool first = true;
    while (*text) {
        if (*text == '\n') {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
            text++;
            continue;
        }
        if (*text == ' ') {
            text++;
            continue;
        }
        size_t word = strcspn(text, " \n");
        if (!first && column + 1 + word > LINE_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        fprintf(out, "%s%.*s", first ? "" : " ", (int)word, text);
        column += word + !first;
        first = false;
        text += word;
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const char *name, const char *argument, const char *help,
                         const char *note)
{
    int width = fprintf(out, "  %s%s%s", name, argument ? " " : "", argument ? argument : "");
    size_t column = width > 0 ? (size_t)width : 0;
    if (column + 2 > HELP_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(HELP_COLUMN - column), "");
    char text[1024];
    snprintf(text, sizeof text, "%s%s", help, note);
    print_wrapped(out, text, HELP_COLUMN, HELP_COLUMN);
}

void shoal_cli_print_help(const struct shoal_cli_command *command, FILE *out)
{
    fprintf(out, "Usage: shoal %s [OPTION...]%s%s\n\n", command->name,
            command->positional ? " " : "", command->positional ? command->positional : "");
    print_wrapped(out, command->summary, 0, 0);
    if (command->description) {
        fputc('\n', out);
        print_wrapped(out, command->description, 0, 0);
    }
    fputs("\nOptions:\n", out);
    const struct shoal_cli_option *option = command->options;
    for (; option && option->name; option++) {
        char name[64], note[256] = "";
        snprintf(name, sizeof name, "%s%s", shoal_cli_dashes(option->name), option->name);
        if (option->required)
            snprintf(note, sizeof note, " (required)");
        else if (option->standard)
            snprintf(note, sizeof note, " (default %s)", option->standard);
        if (option->repeats)
            strncat(note, " (may be repeated)", sizeof note - strlen(note) - 1);
        print_option(out, name, option->argument, option->help, note);
    }
    print_option(out, "-h, --help", NULL, "print this page", "");
    if (command->example) {
        fputs("\nExample:\n  ", out);
        for (const char *p = command->example; *p; p++) {
            fputc(*p, out);
            if (*p == '\n' && p[1])
                fputs("  ", out);
        }
        fputc('\n', out);
    }
}

void shoal_cli_print_overview(const struct shoal_cli_command *const *commands, FILE *out)
{
    fputs(
        "Usage: shoal COMMAND [OPTION...]\n\n"
        "Real-time purchase propensity, segments and promotion decisions from shopping events.\n\n"
        "Commands:\n",
        out);
    for (; *commands; commands++)
        print_option(out, (*commands)->name, NULL, (*commands)->summary, "");
    fputs("\n'shoal COMMAND --help' describes a command.\n"
          "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 configuration or model refused,\n"
          "4 another owner has taken over, 5 input data missing or damaged.\n",
          out);
}
