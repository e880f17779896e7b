/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of promotions: one list, from which the policy's reader, the outputs and the documentation
 * take their names and defaults. A kind means nothing more to a decision than its defaults; it tells
 * subscribers what to make of an offer. */
#ifndef SHOAL_KINDS_H
#define SHOAL_KINDS_H

#include <stdint.h>

/*  X(NAME, "name", triggers by default, offer, cooldown, "what it is")
 *
 *  Triggers: behaviours, timers; durations as in the policy. A promotion that says nothing of its kind is a
 *  recommendation. */
#define SHOAL_KIND_LIST(X)                                                                         \
    X(RECOMMENDATION, "recommendation", 0, 0, "1h", "0",                                           \
      "something to look at; every event is looked at, and only a change of the answer is written") \
    X(CHECKOUT_REMINDER, "checkout_reminder", 0, 1u << SHOAL_TIMER_CART, "1d", "1d",               \
      "something was left in the cart; asked for by the timer cart_idle")                          \
    X(LIMITED_TIME_OFFER, "limited_time_offer", 0, 0, "2h", "3d", "a price that ends soon")        \
    X(MEMBER_REWARD, "member_reward", 0, 0, "7d", "30d", "a thank-you for loyalty")                \
    X(SOCIAL, "social", 1u << SHOAL_BUY, 0, "1d", "7d",                                            \
      "share or invite; asked for by a purchase")

enum shoal_kind {
#define X(NAME, name, triggers, timers, offer, cooldown, text) SHOAL_KIND_##NAME,
    SHOAL_KIND_LIST(X)
#undef X
        SHOAL_KIND_COUNT
};

struct shoal_kind_info {
    const char *name;
    uint32_t triggers, timers; /* bits, as in struct shoal_promotion */
    const char *offer, *cooldown;
    const char *text;
};

/* Static. */
const struct shoal_kind_info *shoal_kind_info(enum shoal_kind kind);

#endif
