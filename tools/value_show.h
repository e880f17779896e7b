/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value at the end of a training: learnt where --value says so, and told in two lines. */
#ifndef SHOAL_VALUE_SHOW_H
#define SHOAL_VALUE_SHOW_H

#include "model/learn/train_value.h"
#include "tools/cli.h"

/* For the options' table of a command that trains. */
#define SHOAL_VALUE_OPTION                                                                         \
    {                                                                                              \
        "value", "auto|off", "auto",                                                               \
            "what users are expected to spend: the better of BG/NBD and ZILN where the log suffices; or not", \
            false, false                                                                           \
    }

/* Whether --value wants it. False after a usage error. */
bool shoal_value_wanted(const struct shoal_cli_args *args, bool *wanted);
/* Two lines: what was learnt and how good it is, or why nothing was. */
void shoal_value_show(const struct shoal_train_value_report *report, FILE *out);

#endif
