/* SPDX-License-Identifier: Apache-2.0 */
/* What a user is likely to turn to next: a catalogue of items, a vector and a bias of each, and how a query is
 * made of what a model knows of a user.
 *
 *   score_j = b_j + q·e_j + Σ_k w_k·c(item_k, j) + Σ_k r_k·1[item_k = j]    the greatest N of them, exactly
 *
 * e_j (W) is the vector of item j; q (W) comes from the hidden state and from the vectors of the items in the
 * ring of recent events; c(i, j) ≥ 0 is how much more often than by chance j came with i (sparse: some
 * neighbours of each item), w_k ≥ 0 and r_k depend on an event's place, behaviour and age. r_k says how likely
 * an item comes again: the one that a user has just turned to hardly ever does, so it stands far behind. All
 * items are scored, a block at a time, and the last two terms are added before any is chosen: nothing is
 * approximated. items_parts.h has the equations, items_top.c how they are computed.
 *
 * Goals: all behaviours, and purchases, each with its own bias and query, one table of vectors.
 *
 * Immutable, part of a model (model->items); NULL in a model that was trained without. */
#ifndef SHOAL_ITEMS_H
#define SHOAL_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "model/touch.h"

enum {
    SHOAL_ITEMS_MAX = 1 << 20, /* items of a catalogue */
    SHOAL_PICKS_MAX = 1000,    /* N at most */
    SHOAL_ITEM_ID_MAX = 64,    /* bytes of an item's id */
};

enum shoal_item_goal {
    SHOAL_GOAL_ANY, /* whatever the user does with the item */
    SHOAL_GOAL_BUY,
    SHOAL_ITEM_GOALS,
};

struct shoal_items;
struct shoal_model;

/* A user, as of now. Nothing is owned. */
struct shoal_item_query {
    const float *h;                 /* H, of the model; NULL with ring_count 0: a user without history */
    const float *rates;             /* SHOAL_COUNTERS, by shoal_counters_rates at now_ms; not looked at yet, may be NULL */
    const struct shoal_touch *ring; /* recent events, oldest first */
    size_t ring_count;
    int64_t now_ms;
    enum shoal_item_goal goal;
    bool without_bought;            /* leave out what a purchase in the ring names */
    bool without_prompts;           /* ask with the state as it is, whatever prompts (prompts.h) there are */
};

struct shoal_item_pick {
    uint32_t item; /* index into the catalogue */
    float score;   /* logit; comparable within one query */
};

/* Room for up to `batch` queries at once, of one thread, to any catalogue of the same width. */
struct shoal_items_room;
enum shoal_status shoal_items_room_create(const struct shoal_items *items, size_t batch,
                                          struct shoal_items_room **room) SHOAL_MUST_CHECK;
void shoal_items_room_destroy(struct shoal_items_room *room);

/* The n best items of each query, best first, of equal ones the lower index first, into picks[i·n …], and how
 * many there are (fewer than n only if the catalogue has no more) into counts[i]. count ≤ batch of the room,
 * n ≤ SHOAL_PICKS_MAX. A user without history gets popular items. A query's picks are the same bits whatever
 * else is in the batch. */
void shoal_items_top(const struct shoal_items *items, struct shoal_items_room *room,
                     const struct shoal_item_query *queries, size_t count, size_t n,
                     struct shoal_item_pick *picks, size_t *counts);
/* How many items of the catalogue come before item `item` for each query (0: it is the best): what HR, NDCG
 * and MRR over the full ranking are made of. */
void shoal_items_ranks(const struct shoal_items *items, struct shoal_items_room *room,
                       const struct shoal_item_query *queries, const uint32_t *targets, size_t count,
                       uint32_t *ranks);

/* 1 … SHOAL_ITEMS_MAX */
size_t shoal_items_count(const struct shoal_items *items);
/* W */
size_t shoal_items_width(const struct shoal_items *items);
/* The index of the item with this hash (shoal_touch.item); false if the catalogue does not have it. */
bool shoal_items_find(const struct shoal_items *items, uint32_t hash, uint32_t *item);
/* The item's id as it stood in the events, not zero-terminated; its size by *size. */
const char *shoal_items_id(const struct shoal_items *items, uint32_t item, size_t *size);
/* Its category (shoal_touch.category), 0: none; how many training events named it. */
uint16_t shoal_items_category(const struct shoal_items *items, uint32_t item);
uint32_t shoal_items_support(const struct shoal_items *items, uint32_t item);

/* The model file's section: writes a map (items NULL: nil), and reads it back, checked, for a model of
 * `hidden` units. DAMAGED, NOMEM. */
void shoal_items_pack(const struct shoal_items *items, struct shoal_buffer *out);
enum shoal_status shoal_items_unpack(struct shoal_unpack *in, size_t hidden,
                                     struct shoal_items **items,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_items_destroy(struct shoal_items *items);
/* Says whose items these are, which prompts (prompts.h) are run with; the model is to outlive them. To be called
 * once they are in their place. NULL items: nothing happens. */
void shoal_items_bind(struct shoal_items *items, const struct shoal_model *model);

#endif
