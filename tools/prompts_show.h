/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a training for prompts (model/prompts.h), and what it says of them. */
#ifndef SHOAL_PROMPTS_SHOW_H
#define SHOAL_PROMPTS_SHOW_H

#include <stdio.h>

#include "model/learn/train_prompts.h"
#include "tools/cli.h"

/* For the options' table of a command that trains. */
#define SHOAL_PROMPTS_OPTIONS                                                                      \
    {"prompts", "off|on|PART[,…]|each", "off",                                                     \
     "with --items: tune prompts that make the frozen network suit a user and a goal; PARTS of them are start, " \
     "gates and state, on: all; kept for a goal only where they are better after the cut; each: all, and beside " \
     "the model FILE.NAME for every NAME of all, start, gates, state, brief, shared",              \
     false, false},                                                                                \
        {"prompts-lambda", "NUMBER", "-1",                                                         \
         "penalty on how far users' prompts lie from their mean (-1: the best of 0.001, 0.01 and 0.1 after the cut)", \
         false, false},                                                                            \
    {                                                                                              \
        "prompts-short", "NUMBER", "1",                                                            \
            "weight of histories of fewer than ten events when prompts are tuned; others have 1", false, \
            false                                                                                  \
    }

/* Whether --prompts wants any, and how. False after a usage error. */
bool shoal_prompts_wanted(const struct shoal_cli_args *args, bool *wanted, bool *each,
                          struct shoal_prompt_options *options);
/* Some lines: what was gained on the judged part, or that nothing was. */
void shoal_prompts_show(const struct shoal_train_prompts_report *report, FILE *out);

#endif
