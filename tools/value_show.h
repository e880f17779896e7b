/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value at the end of a training: learnt where --value says so, and told in two lines. */
#ifndef SHOAL_VALUE_SHOW_H
#define SHOAL_VALUE_SHOW_H

#include "model/learn/train_value.h"
#include "tools/cli.h"

/* For the options' table of a command that trains. */
#define SHOAL_VALUE_OPTION                                                                         \
    {                                                                                              \
        "value", "auto|off|DURATION", "auto",                                                      \
            "learn what users are expected to spend within the next DURATION (auto: 30d, in a short log a " \
            "third of it), by BG/NBD or ZILN, whichever is better on users held out",              \
            false, false                                                                           \
    }

/* Whether --value wants it, and its horizon (0: auto). False after a usage error. */
bool shoal_value_wanted(const struct shoal_cli_args *args, bool *wanted, int64_t *horizon_ms);
/* Two lines: what was learnt and how good it is, or why nothing was. */
void shoal_value_show(const struct shoal_train_value_report *report, FILE *out);

#endif
