/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One synthetic shopper: fixed habits, a slowly moving intent, and what is remembered.
 *
 * A shopper is a small struct that the caller owns by value; a step gives one event and the time
 * of the next. It draws from its own generator, so its life is a function of the seed, its number
 * and the shop, whoever else shops there.
 *
 * What moves a shopper to buy is hidden from the events' counts on purpose; it shows in their
 * order (see shopper.c).
 */
#ifndef SHOAL_TOOLS_SHOPPER_H
#define SHOAL_TOOLS_SHOPPER_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/catalogue.h"
#include "tools/random.h"

enum shoal_shopper_action {
    SHOAL_SHOPPER_VIEW,
    SHOAL_SHOPPER_CART,
    SHOAL_SHOPPER_FAV,
    SHOAL_SHOPPER_BUY,
    SHOAL_SHOPPER_SHOWN,   /* a view that is a campaign contact */
    SHOAL_SHOPPER_CLICKED, /* the same, followed by the shopper */
};

/* What a contact does to a shopper, where shops ask for kinds. */
enum shoal_shopper_kind {
    SHOAL_SHOPPER_PERSUADABLE, /* buys what is promoted if contacted */
    SHOAL_SHOPPER_SURE,        /* buys it anyway */
    SHOAL_SHOPPER_LOST,        /* does not care */
    SHOAL_SHOPPER_DISTURBED,   /* gives up what it was about to buy if contacted */
};
/* "persuadable", "sure_thing", "lost_cause", "do_not_disturb". Static. */
const char *shoal_shopper_kind_name(enum shoal_shopper_kind kind);

/* What all shoppers share. Times are milliseconds since 1970, events lie in [start, end). */
struct shoal_shop {
    const struct shoal_catalogue *catalogue;
    uint64_t seed;
    int64_t start_ms;
    int64_t end_ms;
    bool campaigns;
    bool kinds; /* contacts work by the shopper's kind; else they persuade some and leave others alone */
};

struct shoal_shopper_event {
    int64_t time_ms;
    uint32_t item;
    uint32_t category;
    uint32_t price_cents;
    uint32_t quantity;  /* 0 but on a purchase */
    uint32_t promotion; /* campaign number from 1; 0: none. On a purchase: redeemed */
    enum shoal_shopper_action action;
};

enum {
    SHOAL_SHOPPER_FAVOURITES = 8,
    SHOAL_SHOPPER_RECENT = 12,
    SHOAL_SHOPPER_SHORTLIST = 4,
    SHOAL_SHOPPER_PENDING = 4,
};

struct shoal_shopper {
    struct shoal_random random;
    int64_t next_ms;    /* of the next event; shop end or later: gone for good */
    int64_t stop_ms;    /* leaves the shop then */
    int64_t decide_ms;  /* waiting: what becomes of the chosen item shows from then on */
    int64_t give_up_ms; /* the mission ends without a purchase */

    /* habits, fixed for life */
    uint32_t sessions_per_day_q16;
    uint32_t session_length_milli;
    uint32_t mission_ppm; /* a session begins a mission */
    uint32_t cart_ppm;    /* a browsed item is carted, saved, bought at once */
    uint32_t fav_ppm;
    uint32_t impulse_ppm;
    uint32_t price_sensitivity_q16; /* purchase odds halve when the price grows 2^(1 / this) */
    uint32_t favourites[SHOAL_SHOPPER_FAVOURITES];
    uint8_t rhythm;
    bool persuadable;
    enum shoal_shopper_kind kind; /* if the shop has kinds */

    /* the moment */
    uint32_t category;
    uint32_t recent[SHOAL_SHOPPER_RECENT];
    uint32_t shortlist[SHOAL_SHOPPER_SHORTLIST];
    uint32_t mission_category;
    uint32_t chosen;
    uint32_t pending_item;
    uint32_t promotion;      /* the last campaign that reached this shopper */
    uint32_t promotion_seen; /* the last campaign considered, reached or not */
    uint16_t session_left;   /* events */
    uint8_t pending[SHOAL_SHOPPER_PENDING];
    uint8_t pending_count;
    uint8_t recent_count;
    uint8_t shortlist_count;
    uint8_t shortlist_target;
    uint8_t intent;
    bool leave_category;
    bool session_fresh; /* no event of one's own yet */
    bool returned;      /* to the first of the shortlist, in this mission */
    bool earnest;       /* this mission ends in a purchase */
};

/* Makes the shopper of this number and sets the time of the first event. */
void shoal_shopper_init(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                        uint64_t number);

/* Gives the event due at next_ms and moves next_ms on, strictly. */
void shoal_shopper_step(struct shoal_shopper *shopper, const struct shoal_shop *shop,
                        struct shoal_shopper_event *event);

/*
 * The campaign that runs at a time: its number from 1 and the item it promotes.
 * Campaigns follow one another without a gap, two days each.
 */
struct shoal_shop_campaign {
    uint32_t number;
    uint32_t item;
};
struct shoal_shop_campaign shoal_shop_campaign_at(const struct shoal_shop *shop, int64_t time_ms);

#endif
