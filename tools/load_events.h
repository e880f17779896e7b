/* SPDX-License-Identifier: Apache-2.0 */
/* Events files into a data set, decoded as the live pipeline would decode them. */
#ifndef SHOAL_LOAD_EVENTS_H
#define SHOAL_LOAD_EVENTS_H

#include "model/learn/dataset.h"
#include "model/learn/item_names.h"
#include "tools/cli.h"

struct shoal_load {
    int64_t until_ms;         /* in: events from here on are left out; INT64_MAX: none */
    struct shoal_item_names *names; /* in: to be told the ids of the items; NULL: nobody asks */
    bool reached;             /* out: some were, so everything before until_ms is known */
    uint64_t messages, events, refused; /* out; refused: messages that cannot be read */
    uint64_t refused_for[SHOAL_STATUS_COUNT]; /* out: by their reason */
    struct shoal_message why; /* out: the reason of the first refusal */
};

/* Appends the events of `files` ("a,b,…") to an empty data set and groups it. Messages that cannot be
 * read are counted and left out, like the dead letters that they would be. NOT_FOUND, IO, CONFIG,
 * NOMEM, with the reason. */
enum shoal_status shoal_load_events(const char *files, struct shoal_load *load,
                                    struct shoal_dataset *dataset, struct shoal_message *message)
    SHOAL_MUST_CHECK;
/* The same for a command's --events: says on standard error what was left out, or why it failed. Returns an
 * exit code. */
int shoal_load_for(const struct shoal_cli_args *args, struct shoal_load *load,
                   struct shoal_dataset *dataset);

#endif
