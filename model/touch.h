/* SPDX-License-Identifier: Apache-2.0 */
/* A touch: what the model sees of one event. Sixteen bytes, kept in each user's ring of recent
 * events, so that a state can be rebuilt under a new model. Hashes, not ids: the full 32 (16) bits
 * stand here and a model reduces them to its own table sizes. */
#ifndef SHOAL_TOUCH_H
#define SHOAL_TOUCH_H

#include <stdint.h>

enum shoal_behavior {
    SHOAL_PV,
    SHOAL_CART,
    SHOAL_FAV,
    SHOAL_BUY,
    SHOAL_BEHAVIOR_COUNT,
};

enum {
    SHOAL_RING_MAX = 32,      /* most recent events kept a user; the model says how many */
    SHOAL_RING_DEFAULT = 16,
    SHOAL_PRICE_LEVELS = 64,  /* price_level < this; 0 = unknown */
};

struct shoal_touch {
    int64_t time_ms;     /* ms since 1970; whole seconds once it is in the ring */
    uint32_t item;       /* low 32 bits of the hash of the item id's text */
    uint16_t category;   /* low 16 bits of the hash of the category id's text; 0 = none */
    uint8_t behavior;    /* enum shoal_behavior */
    uint8_t price_level; /* see shoal_price_level */
};

/* Behaviour as text ("pv", "cart", "fav", "buy"). Static. */
const char *shoal_behavior_name(enum shoal_behavior behavior);

/* Price on a logarithmic scale: 0 = unknown (NaN, zero, negative), else 1 + round(2·log2(price/0.01))
 * held within 1 … 63: a step is a factor of sqrt 2, the range 0.01 to 21 million. Compared through
 * a table of bounds, so that it is the same on every machine. */
uint8_t shoal_price_level(double price);

#endif
