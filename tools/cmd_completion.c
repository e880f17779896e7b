/* SPDX-License-Identifier: Apache-2.0 */
/* `shoal completion bash|zsh`: a script for the shell, made from the same tables as --help. */
#include <stdio.h>
#include <string.h>

#include "tools/commands.h"

static void print_names(void)
{
    for (size_t i = 0; shoal_commands[i]; i++)
        printf("%s%s", i ? " " : "", shoal_commands[i]->name);
}

static void print_bash(void)
{
    puts("# bash completion for shoal; install as\n"
         "# /usr/share/bash-completion/completions/shoal or source it.\n"
         "_shoal() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} options=''\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    fputs("        mapfile -t COMPREPLY < <(compgen -W '", stdout);
    print_names();
    puts(" --help --version' -- \"$word\")\n"
         "        return\n"
         "    fi\n"
         "    case ${COMP_WORDS[1]} in");
    for (size_t i = 0; shoal_commands[i]; i++) {
        printf("    %s) options='", shoal_commands[i]->name);
        const struct shoal_cli_option *option = shoal_commands[i]->options;
        for (; option && option->name; option++)
            printf("%s%s ", shoal_cli_dashes(option->name), option->name);
        puts("--help' ;;");
    }
    puts("    esac\n"
         "    if [[ $word == -* ]]; then\n"
         "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
         "    fi\n"
         "}\n"
         "complete -o default -F _shoal shoal");
}

/* Text inside 'single quotes' of a zsh specification: quotes, brackets and colons are special. */
static void print_zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void print_zsh_command(const struct shoal_cli_command *command)
{
    printf("    %s)\n        _arguments \\\n", command->name);
    const struct shoal_cli_option *option = command->options;
    for (; option && option->name; option++) {
        printf("            '%s%s%s%s[", option->repeats ? "*" : "", shoal_cli_dashes(option->name),
               option->name, option->argument ? option->name[1] ? "=" : "+" : "");
        print_zsh_text(option->help);
        putchar(']');
        if (option->argument) {
            putchar(':');
            print_zsh_text(option->argument);
            fputs(":_files", stdout);
        }
        puts("' \\");
    }
    puts("            '(- *)'{-h,--help}'[print help]' \\\n"
         "            '*:argument:_files'\n"
         "        ;;");
}

static void print_zsh(void)
{
    puts("#compdef shoal\n"
         "# zsh completion for shoal; install as _shoal in a folder of $fpath.\n"
         "_shoal() {\n"
         "    local -a commands=(");
    for (size_t i = 0; shoal_commands[i]; i++) {
        printf("        '%s:", shoal_commands[i]->name);
        print_zsh_text(shoal_commands[i]->summary);
        puts("'");
    }
    puts("    )\n"
         "    if (( CURRENT == 2 )); then\n"
         "        _describe command commands\n"
         "        return\n"
         "    fi\n"
         "    local command=$words[2]\n"
         "    shift words\n"
         "    (( CURRENT-- ))\n"
         "    case $command in");
    for (size_t i = 0; shoal_commands[i]; i++)
        print_zsh_command(shoal_commands[i]);
    puts("    esac\n"
         "}\n"
         "_shoal \"$@\"");
}

static int run(const struct shoal_cli_args *args)
{
    const char *shell = shoal_cli_positional(args, 0);
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else
        return shoal_cli_fail(args, SHOAL_EXIT_USAGE, "'%s' is not one of bash, zsh", shell);
    return SHOAL_EXIT_OK;
}

const struct shoal_cli_command shoal_cmd_completion = {
    .name = "completion",
    .summary = "print a completion script for a shell",
    .positional = "bash|zsh",
    .example = "source <(shoal completion bash)",
    .run = run,
};
