/* SPDX-License-Identifier: Apache-2.0 */
/* Takes one input away from a model by giving every event another event's value of it: the values stay
 * as they are distributed, what they say of their event is gone (Breiman 2001). */
#ifndef SHOAL_LEARN_PERMUTE_H
#define SHOAL_LEARN_PERMUTE_H

#include <stdbool.h>

#include "model/learn/examples.h"

/*  X(name, "what it is") — inputs of a step first, then the counters together and each by itself. */
#define SHOAL_INPUTS_LIST(X)                                                                       \
    X(behavior, "behaviour of the event")                                                          \
    X(item, "item")                                                                                \
    X(category, "category")                                                                        \
    X(gap, "time since the previous event")                                                        \
    X(hour, "hour of the day")                                                                     \
    X(weekday, "day of the week")                                                                  \
    X(price, "price level")                                                                        \
    X(repeats, "item or category seen lately")                                                     \
    X(step, "all of these together: what only the recurrent state can use")                        \
    X(counters, "all decayed counters together")                                                   \
    X(pv_1h, "views, half-life 1 h")                                                               \
    X(pv_1d, "views, half-life 1 d")                                                               \
    X(pv_7d, "views, half-life 7 d")                                                               \
    X(cart_1h, "carts, half-life 1 h")                                                             \
    X(cart_1d, "carts, half-life 1 d")                                                             \
    X(cart_7d, "carts, half-life 7 d")                                                             \
    X(fav_1h, "favourites, half-life 1 h")                                                         \
    X(fav_1d, "favourites, half-life 1 d")                                                         \
    X(fav_7d, "favourites, half-life 7 d")                                                         \
    X(buy_1h, "purchases, half-life 1 h")                                                          \
    X(buy_1d, "purchases, half-life 1 d")                                                          \
    X(buy_7d, "purchases, half-life 7 d")

enum shoal_input_group {
#define X(name, text) SHOAL_INPUT_##name,
    SHOAL_INPUTS_LIST(X)
#undef X
        SHOAL_INPUT_GROUPS
};

/* Static. */
const char *shoal_input_name(enum shoal_input_group group);
const char *shoal_input_text(enum shoal_input_group group);
/* False where no input has this name. */
bool shoal_input_find(const char *name, size_t size, enum shoal_input_group *group);

/* Writes into `to` what `from` has, with the values of one input dealt out anew among the events of
 * `events` (count of them, each below from->count, in any order, none twice). Features and counters of
 * the other events and all other inputs are left as they stand in `to`, which must be as large. The
 * same seed deals the same. NOMEM. */
enum shoal_status shoal_permute(const struct shoal_examples *from, enum shoal_input_group group,
                                const size_t *events, size_t count, uint64_t seed,
                                struct shoal_examples *to) SHOAL_MUST_CHECK;

#endif
