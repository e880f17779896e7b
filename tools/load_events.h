/* SPDX-License-Identifier: Apache-2.0 */
/* Events files into a data set, as event_walk.h hands them over. */
#ifndef SHOAL_LOAD_EVENTS_H
#define SHOAL_LOAD_EVENTS_H

#include "model/learn/dataset.h"
#include "model/learn/item_names.h"
#include "tools/cli.h"
#include "tools/event_walk.h"

struct shoal_load {
    int64_t until_ms;         /* in: events from here on are left out; INT64_MAX: none */
    struct shoal_item_names *names; /* in: to be told the ids of the items; NULL: nobody asks */
    const char *pseudonym_key; /* in: its file; NULL: none */
    bool reached;             /* out: some were, so everything before until_ms is known */
    uint64_t events;          /* out */
    struct shoal_walked walked; /* out */
};

/* Appends the events of `files` ("a,b,…") to an empty data set and groups it. Who has users forgotten or declines
 * to be processed does so also from until_ms on. NOT_FOUND, IO, CONFIG, NOMEM, with the reason. */
enum shoal_status shoal_load_events(const char *files, struct shoal_load *load,
                                    struct shoal_dataset *dataset, struct shoal_message *message)
    SHOAL_MUST_CHECK;
/* The same for a command's --events, and its --pseudonym-key unless `load` names one: says on standard error what
 * was left out, or why it failed. Returns an exit code. */
int shoal_load_for(const struct shoal_cli_args *args, struct shoal_load *load,
                   struct shoal_dataset *dataset);

#endif
