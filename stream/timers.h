/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that happen because nothing happens. What a timer does to a user depends on the user's record and
 * on the time at which it falls due alone, so it does not matter when it is looked at.
 *
 * A user has one entry at most in the partition's index of timers (record.timer_ms; struct shoal_store
 * keeps the index). The entry is not later than the first time at which something falls due
 * (shoal_segments_next), but for the least delay after an event (pipeline_event.c) and the rest of a second;
 * events move that time on without touching the entry, which is moved when its own time has come. */
#ifndef SHOAL_TIMERS_H
#define SHOAL_TIMERS_H

#include <stdint.h>

/*  X(NAME, "name in policies and outputs", "what has not happened") */
#define SHOAL_TIMER_LIST(X)                                                                        \
    X(CART, "cart_idle", "no purchase for `timers.cart` after something was put into the cart")

enum shoal_timer {
#define X(NAME, name, text) SHOAL_TIMER_##NAME,
    SHOAL_TIMER_LIST(X)
#undef X
        SHOAL_TIMER_COUNT
};

/* Static. */
const char *shoal_timer_name(enum shoal_timer timer);

#endif
