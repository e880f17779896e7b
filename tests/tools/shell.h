/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that run the program as a person does: a folder of their own, shell command lines, and what was
 * printed. SHOAL_PROGRAM is `shoal`. */
#ifndef TEST_SHELL_H
#define TEST_SHELL_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char printed[262144]; /* by the last command line, on either output */
static char shell_folder[] = "/tmp/shoal-test-XXXXXX";

/* To be a suite's .init, or called in it; the folder becomes the current one. */
static inline void shell_setup(void)
{
    cr_assert_not_null(getenv("SHOAL_PROGRAM"), "SHOAL_PROGRAM is not set");
    cr_assert_not_null(mkdtemp(shell_folder));
    cr_assert_eq(chdir(shell_folder), 0);
}

static inline void shell_teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", shell_folder);
    cr_assert_eq(system(command), 0);
}

/* The exit code; −1 if a signal ended it. */
static inline int shell(const char *line)
{
    static char command[16384];
    cr_assert_lt(snprintf(command, sizeof command, "( %s ) 2>&1", line), (int)sizeof command);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    printed[fread(printed, 1, sizeof printed - 1, pipe)] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void says(const char *text)
{
    cr_assert(strstr(printed, text), "wanted: %s\ngot: %s", text, printed);
}

#endif
