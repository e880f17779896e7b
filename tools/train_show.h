/* SPDX-License-Identifier: Apache-2.0 */
/* A training on the terminal: the progress line within an epoch, and a line for each epoch that is done. */
#ifndef SHOAL_TRAIN_SHOW_H
#define SHOAL_TRAIN_SHOW_H

#include "model/learn/train.h"
#include "tools/cli.h"

struct shoal_train_show {
    struct shoal_progress line; /* started and ended by the caller */
    uint32_t epochs;            /* at most, for the share done */
    uint64_t done_before, seen; /* events of earlier epochs; of this one */
};

/* As struct shoal_train_report calls them, with the show as context. */
void shoal_train_show_progress(void *show, bool refit, uint32_t epoch, uint64_t done,
                               uint64_t total);
void shoal_train_show_epoch(void *show, const struct shoal_train_epoch *epoch);

#endif
