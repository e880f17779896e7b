/* SPDX-License-Identifier: Apache-2.0 */
/* Next items at the end of a training: learnt where --items says so, and told in some lines. */
#ifndef SHOAL_ITEMS_SHOW_H
#define SHOAL_ITEMS_SHOW_H

#include <stdio.h>

#include "model/learn/train_items.h"
#include "tools/cli.h"

/* For the options' table of a command that trains. */
#define SHOAL_ITEMS_OPTION                                                                         \
    {                                                                                              \
        "items", "auto|off|N", "off",                                                              \
            "learn which item a user turns to next, among the N that are named most often; auto: all, in a log " \
            "with more than 200000 those named at least twice, up to 1048576",                     \
            false, false                                                                           \
    }

/* Whether --items wants it, and how many (0: auto). False after a usage error. */
bool shoal_items_wanted(const struct shoal_cli_args *args, bool *wanted, size_t *most);
/* Some lines: what was learnt and how good it is, or why nothing was. */
void shoal_items_show(const struct shoal_train_items_report *report, FILE *out);

#endif
