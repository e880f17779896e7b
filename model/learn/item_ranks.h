/* SPDX-License-Identifier: Apache-2.0 */
/* The places of many targets among all items, by the very code that serves. */
#ifndef SHOAL_LEARN_ITEM_RANKS_H
#define SHOAL_LEARN_ITEM_RANKS_H

#include "model/items.h"
#include "model/learn/examples.h"
#include "model/model.h"

struct shoal_item_asked {
    const struct shoal_dataset *dataset;
    const size_t *last;      /* of each target: the last event of the history */
    const uint32_t *targets; /* index into the catalogue */
    size_t count;
    const float *states;     /* H floats each, after that event */
    const float *rates;      /* SHOAL_COUNTERS each, as of that event; NULL: not known */
    size_t hidden, ring;
    bool without_prompts;
};

/* The user after event `last`, as of that event. */
struct shoal_item_query shoal_item_query_after(const struct shoal_dataset *dataset, size_t last,
                                               size_t ring, const float *state,
                                               enum shoal_item_goal goal);
/* Target i of the asked. */
struct shoal_item_query shoal_item_query_of(const struct shoal_item_asked *asked, size_t i,
                                            enum shoal_item_goal goal);
/* Rates (SHOAL_COUNTERS each, shoal_counters_rates) after these events. NOMEM. */
enum shoal_status shoal_item_rates(const struct shoal_model *model,
                                   const struct shoal_dataset *dataset, const size_t *events,
                                   size_t count, float *rates) SHOAL_MUST_CHECK;
/* States (H floats each) of the model after these events, each user's in order. NOMEM. */
enum shoal_status shoal_item_states(const struct shoal_model *model,
                                    const struct shoal_dataset *dataset, const size_t *events,
                                    size_t count, float *states) SHOAL_MUST_CHECK;
/* ranks[i] (0: first) of target i, on as many threads as there are processors, which changes nothing. NOMEM. */
enum shoal_status shoal_item_ranks(const struct shoal_items *items,
                                   const struct shoal_item_asked *asked, enum shoal_item_goal goal,
                                   uint32_t *ranks) SHOAL_MUST_CHECK;

#endif
