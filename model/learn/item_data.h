/* SPDX-License-Identifier: Apache-2.0 */
/* A log as questions about the next item: the items that it names, and after which events which of them
 * follows.
 *
 * A target is an event of another item than its user's event directly before it; its history is all of that
 * user before it. */
#ifndef SHOAL_LEARN_ITEM_DATA_H
#define SHOAL_LEARN_ITEM_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/learn/dataset.h"
#include "model/learn/item_names.h"

enum { SHOAL_NO_ITEM = UINT32_MAX };

/* Items by how often events before some time named them, the most often named first. */
struct shoal_item_data {
    size_t count;         /* N */
    uint32_t *hashes;     /* owned; N */
    uint32_t *support;    /* owned; N */
    uint16_t *categories; /* owned; N: the last one that an event gave; 0: none */
    uint32_t *item_of;    /* owned; of each event of the data set, of whatever time; or SHOAL_NO_ITEM */
};

/* Counts the items of events before until_ms, and keeps the `most` most frequent of those named `least` times
 * or more. names: only items that have an id of at most SHOAL_ITEM_ID_MAX bytes there; NULL: all. NOMEM. */
enum shoal_status shoal_item_data_make(const struct shoal_dataset *dataset, int64_t until_ms,
                                       uint32_t least, size_t most,
                                       const struct shoal_item_names *names,
                                       struct shoal_item_data *data) SHOAL_MUST_CHECK;
void shoal_item_data_finish(struct shoal_item_data *data);

struct shoal_item_targets {
    size_t count;
    size_t *last;    /* owned; the last event of the history; the target is the next one */
    uint32_t *items; /* owned */
    bool *bought;    /* owned: the target is a purchase */
};

/* Targets with from_ms ≤ time < until_ms whose item is in the catalogue, in the data set's order. NOMEM. */
enum shoal_status shoal_item_targets_make(const struct shoal_dataset *dataset,
                                          const struct shoal_item_data *data, int64_t from_ms,
                                          int64_t until_ms,
                                          struct shoal_item_targets *targets) SHOAL_MUST_CHECK;
void shoal_item_targets_finish(struct shoal_item_targets *targets);
/* Keeps `most` of them, drawn by the seed, in their order. */
void shoal_item_targets_thin(struct shoal_item_targets *targets, size_t most, uint64_t seed);

#endif
