/* SPDX-License-Identifier: Apache-2.0 */
/* The model that teaches a smaller one: --distil and --distil-weight of `shoal train`. */
#ifndef SHOAL_TEACHER_H
#define SHOAL_TEACHER_H

#include "model/learn/train.h"
#include "tools/cli.h"

#define SHOAL_TEACHER_OPTIONS                                                                      \
    {"distil", "MODEL", NULL,                                                                      \
     "a trained model that teaches this one (--hidden 16 …): its probabilities are learned beside the labels, on " \
     "every event; train it on the same events up to the same --until",                           \
     false, false},                                                                                \
    {                                                                                              \
        "distil-weight", "W", "0.5",                                                               \
            "a target is W of the teacher's probability and 1 - W of the label; 1: labels only judge", false, false \
    }

/* Loads the teacher, if one is wanted, into *teacher (the caller's: shoal_model_destroy; NULL if none) and
 * into `options`. An exit code; what is wrong has been said. */
int shoal_teacher_load(const struct shoal_cli_args *args, struct shoal_train_options *options,
                       struct shoal_model **teacher);
/* A line of the summary, if there is a teacher. */
void shoal_teacher_print(const struct shoal_train_options *options);

#endif
