/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and their options from tables, so that parsing, --help, completion and manual pages come
 * from one source. */
#ifndef SHOAL_CLI_H
#define SHOAL_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes of every command. */
enum shoal_exit {
    SHOAL_EXIT_OK = 0,
    SHOAL_EXIT_FAILED = 1,   /* the work failed; the reason is on standard error */
    SHOAL_EXIT_USAGE = 2,    /* wrong command line */
    SHOAL_EXIT_CONFIG = 3,   /* configuration, promotions or model file refused */
    SHOAL_EXIT_FENCED = 4,   /* another owner has taken over */
    SHOAL_EXIT_DATA = 5,     /* input data missing, damaged or too little */
};

enum { SHOAL_CLI_OPTIONS_MAX = 64, SHOAL_CLI_REPEATS_MAX = 64 };

struct shoal_cli_option {
    const char *name;     /* long name without dashes; of one letter: a short option, -n */
    const char *argument; /* name of the argument in help; NULL: a flag */
    const char *standard; /* default as text; NULL: none */
    const char *help;     /* one sentence, with the unit */
    bool required;
    bool repeats;         /* may be given several times (--set) */
};

struct shoal_cli_args;

struct shoal_cli_command {
    const char *name;
    const char *summary;          /* one line */
    const char *positional;       /* "[USER]", "FILE", "check FILE", "FILE..." or NULL: none taken */
    const char *description;      /* a paragraph or NULL */
    const char *example;          /* shown under Example: */
    const struct shoal_cli_option *options; /* terminated by a NULL name */
    int (*run)(const struct shoal_cli_args *args); /* returns enum shoal_exit */
};

/* "--", or "-" before a name of one letter. */
const char *shoal_cli_dashes(const char *name);
/* Value of an option: as given, else its default, else NULL. For a flag, non-NULL if given. */
const char *shoal_cli_get(const struct shoal_cli_args *args, const char *name);
/* i-th value of a repeatable option, NULL beyond the last. */
const char *shoal_cli_get_nth(const struct shoal_cli_args *args, const char *name, size_t i);
/* i-th positional argument, NULL beyond the last. */
const char *shoal_cli_positional(const struct shoal_cli_args *args, size_t i);
/* Numbers with a usage error on standard error and false when the text is no number in range. */
bool shoal_cli_int(const struct shoal_cli_args *args, const char *name, long long min,
                   long long max, long long *value);
bool shoal_cli_real(const struct shoal_cli_args *args, const char *name, double min, double max,
                    double *value);
/* Time by shoal_time_parse. *given is false (and true returned) when the option is absent. */
bool shoal_cli_time(const struct shoal_cli_args *args, const char *name, bool *given,
                    long long *time_ms);
/* Prints "shoal NAME: text" on standard error and returns `code`. */
int shoal_cli_fail(const struct shoal_cli_args *args, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Parses the command line and runs the command; returns the exit code. `commands` ends with NULL.
 * Also understands --help, help [COMMAND], help --man [COMMAND] (the manual page, for the build), and
 * --version if there is a command "version". */
int shoal_cli_main(const struct shoal_cli_command *const *commands, int argc, char **argv);
/* Synopsis, options and example of one command; list of all commands. */
void shoal_cli_print_help(const struct shoal_cli_command *command, FILE *out);
void shoal_cli_print_overview(const struct shoal_cli_command *const *commands, FILE *out);
/* The same as manual pages, in roff: shoal-NAME(1) and shoal(1). */
void shoal_cli_print_man(const struct shoal_cli_command *command, const char *version, FILE *out);
void shoal_cli_print_man_overview(const struct shoal_cli_command *const *commands,
                                  const char *version, FILE *out);

/* Progress line on standard error when it is a terminal: "label 12.3 % 1.2 M/s 0:08 left". At most
 * ten times a second; total 0 = unknown. done == total ends the line. */
struct shoal_progress {
    const char *label, *unit;
    long long started_ms, shown_ms;
    bool shown;
};
void shoal_progress_start(struct shoal_progress *progress, const char *label, const char *unit);
/* `fraction` 0 … 1 of the work, negative if unknown; `count` units so far. */
void shoal_progress_update(struct shoal_progress *progress, double fraction,
                           unsigned long long count);
void shoal_progress_end(struct shoal_progress *progress);

#endif
