/* SPDX-License-Identifier: Apache-2.0 */
/* What every event teaches, whether anybody buys or not: what the same user does next. Each objective is a
 * head of its own on h, thrown away after training; what stays is the state that they shaped.
 *
 *   behavior   softmax over the behaviours                          of the next event
 *   gap        softmax over ten classes of the time until it        (5 s, 20 s, 1 min … 1 d and beyond)
 *   repeat     two sigmoids: an item, a category of the recent ones again
 *   category   sampled softmax over the rows of the category table  } inputs and outputs share the
 *   item       sampled softmax over the rows of the item table      } embeddings; sampled_softmax.h
 *
 * Invariant: nothing here depends on the number of threads. A shard of streams has a workspace and
 * gradients of its own; they are added in the shards' order. */
#ifndef SHOAL_LEARN_OBJECTIVES_H
#define SHOAL_LEARN_OBJECTIVES_H

#include "model/learn/adamw.h"
#include "model/learn/examples.h"
#include "model/learn/ranks.h"
#include "model/learn/sampled_softmax.h"
#include "model/learn/unroll.h"

#define SHOAL_OBJECTIVE_LIST(X) X(behavior) X(gap) X(repeat) X(category) X(item)

enum shoal_objective {
#define X(name) SHOAL_OBJECTIVE_##name,
    SHOAL_OBJECTIVE_LIST(X)
#undef X
        SHOAL_OBJECTIVES
};

enum {
    SHOAL_GAP_CLASSES = 10,
    SHOAL_NEXT_OUTPUTS = SHOAL_BEHAVIOR_COUNT + SHOAL_GAP_CLASSES + 2, /* behaviors | gap | repeat */
};

struct shoal_objective_options {
    float weights[SHOAL_OBJECTIVES]; /* of each loss beside that of buy_24h; 0: left out */
    uint32_t negatives;              /* N of the sampled softmax */
    float alpha;                     /* they are drawn ∝ support^alpha */
};

/* `weight` for behavior, gap and repeat, 0 for the tables; 256 negatives, 0.5 */
struct shoal_objective_options shoal_objective_options_default(float weight);
bool shoal_objectives_wanted(const struct shoal_objective_options *options);

/*  X(field, rows, columns) of the tables that are the objectives' own, in terms of `d` */
#define SHOAL_OBJECTIVE_TABLES(X)                                                                  \
    X(next_weight, SHOAL_NEXT_OUTPUTS, d->hidden)                                                  \
    X(next_bias, 1, SHOAL_NEXT_OUTPUTS)                                                            \
    X(category_query, d->category_width, d->hidden)                                                \
    X(category_query_bias, 1, d->category_width)                                                   \
    X(category_bias, 1, d->category_buckets)                                                       \
    X(item_query, d->item_width, d->hidden)                                                        \
    X(item_query_bias, 1, d->item_width)                                                           \
    X(item_bias, 1, d->item_buckets)

struct shoal_objective_tables {
    float *block; /* owned; every table starts on 64 bytes */
    size_t count;
#define X(field, rows, columns) float *field; /* into block */
    SHOAL_OBJECTIVE_TABLES(X)
#undef X
};

/* A shard's workspace. */
struct shoal_objectives_room;

struct shoal_objectives {
    struct shoal_objective_options options;
    struct shoal_dims dims;
    struct shoal_objective_tables tables, m, v; /* owned */
    struct shoal_support items, categories;
    uint64_t key, step;
};

/* The class of the time until the next event, whose log gap (features.h) this is. */
size_t shoal_gap_class(float log_gap);

/* Draws the tables from the seed and counts what follows in the examples. NOMEM. */
enum shoal_status shoal_objectives_init(struct shoal_objectives *objectives,
                                        const struct shoal_objective_options *options,
                                        const struct shoal_dims *dims,
                                        const struct shoal_examples *examples, uint64_t seed)
    SHOAL_MUST_CHECK;
void shoal_objectives_finish(struct shoal_objectives *objectives);

enum shoal_status shoal_objectives_room_create(const struct shoal_objectives *objectives,
                                               const struct shoal_unroll *unroll,
                                               struct shoal_objectives_room **room)
    SHOAL_MUST_CHECK;
void shoal_objectives_room_destroy(struct shoal_objectives_room *room);
/* After a forward pass: adds weight·dL/dh to the unroll's dh_more, the gradients of the shared tables to
 * `gradients`, and sets those of the own tables in the room. `chunk` picks the negatives. Losses (Σ over
 * cells of their weight·loss, not yet times the objectives' weights) go to losses[SHOAL_OBJECTIVES]. */
void shoal_objectives_run(const struct shoal_objectives *objectives,
                          struct shoal_objectives_room *room, struct shoal_unroll *unroll,
                          const struct shoal_params *params, uint64_t chunk,
                          struct shoal_params *gradients, double losses[SHOAL_OBJECTIVES]);
/* The own tables' gradients of the last run. */
const struct shoal_objective_tables *
shoal_objectives_gradients(const struct shoal_objectives_room *room);
/* One step of AdamW on the own tables by scale·Σ of the rooms' gradients, those of the other ranks included. */
void shoal_objectives_update(struct shoal_objectives *objectives, const struct shoal_ranks *ranks,
                             struct shoal_objectives_room *const *rooms, size_t rooms_count,
                             float scale, const struct shoal_adamw_options *adamw, float rate);

#endif
