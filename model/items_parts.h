/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct shoal_items, for those who make it (items.c, items_file.c, learn/train_items.c), ask it
 * (items_query.c, items_top.c) and nobody else.
 *
 *   q_g = A_g·h + a_g + Σ_p M_gp·pooled_gp                          (W)
 *   pooled_gp = Σ_k α_k·e[ring_k],   α = softmax_k(pool_gp[k])      two heads p
 *   score_j = b_g[j] + q_g·e_j + Σ_k exp(follow_g[k])·c(ring_k, j)
 *             + Σ_k again_g[k]·1[ring_k = j] − level_g·b_g[j]·1[j is in the ring]
 *
 * (level near 1: whether a user comes back to an item hardly depends on how popular it is)
 * where x[k] stands for x.place[k] + x.behavior[of k] + x.age[of k]; k counts from the newest event, 0. An
 * event whose item the catalogue does not have counts in the pool with the mean vector of its category, and is
 * left out if that is not known either. */
#ifndef SHOAL_ITEMS_PARTS_H
#define SHOAL_ITEMS_PARTS_H

#include "model/items.h"
#include "model/prompts.h"

enum {
    SHOAL_ITEM_HEADS = 2,
    SHOAL_ITEM_AGES = 12,          /* classes of an event's age, see shoal_item_age */
    SHOAL_ITEM_NEIGHBOURS_MAX = 64, /* of one item */
    SHOAL_ITEM_WIDTH_MAX = 256,
    SHOAL_ITEM_POPULARITIES = 5, /* of all time; with half-lives of 14 d, 3 d, 12 h; purchases */
};

/* Entries of a table lie within ± this: three are added and exp is taken. */
#define SHOAL_ITEM_TABLE_MAX 20.0f

/* A number for each recent event: the sum of one out of each row. */
struct shoal_item_table {
    float place[SHOAL_RING_MAX];
    float behavior[SHOAL_BEHAVIOR_COUNT];
    float age[SHOAL_ITEM_AGES];
};

enum { SHOAL_ITEM_TABLE = SHOAL_RING_MAX + SHOAL_BEHAVIOR_COUNT + SHOAL_ITEM_AGES };
_Static_assert(sizeof(struct shoal_item_table) == SHOAL_ITEM_TABLE * sizeof(float),
               "a table is so many floats and nothing else");

/* How a query of one goal is made. */
struct shoal_item_asking {
    float *state;       /* A: W×H; owned by items->block */
    float *offset;      /* a: W */
    float *pooling;     /* M: heads × W×W */
    float *bias;        /* b: N */
    struct shoal_item_table pool[SHOAL_ITEM_HEADS], follow, again;
    float level;
};

/* What the validation chose, and what it came to (see learn/train_items.h). */
struct shoal_items_summary {
    uint64_t events, targets; /* learnt from; judged */
    uint32_t epochs;
    float hr20[SHOAL_ITEM_GOALS], ndcg20[SHOAL_ITEM_GOALS]; /* of the whole */
    float popular_ndcg20[SHOAL_ITEM_GOALS];                 /* of popularity alone */
    /* weights that are in the biases and in A, a, M already; those of neighbours and repeats are their tables */
    float popularity[SHOAL_ITEM_GOALS][SHOAL_ITEM_POPULARITIES];
    float scale[SHOAL_ITEM_GOALS];
};

struct shoal_items {
    size_t count, width, hidden; /* N, W, H */
    float *vectors;              /* N×W, each exactly a half; owned */
    uint32_t *hashes;            /* N; owned */
    uint16_t *categories;        /* N; owned */
    uint32_t *support;           /* N; owned */
    uint32_t *id_at;             /* N + 1; into ids; owned */
    char *ids;                   /* owned */
    size_t *near_at;             /* N + 1; into near; owned */
    uint32_t *near;              /* j of c(i, j), rising within i; owned */
    float *near_weight;          /* c(i, j) ≥ 0, each exactly a half; owned */
    float *block;                /* of the askings; owned */
    struct shoal_item_asking asking[SHOAL_ITEM_GOALS];
    struct shoal_items_summary summary;
    struct shoal_prompts *prompts;   /* owned; NULL: none */
    const struct shoal_model *model; /* of which this is a part; not owned; what prompts are run with */
    /* made by shoal_items_ready */
    uint32_t *table;             /* open addressing, item + 1 or 0; owned */
    size_t table_size;           /* a power of two */
    uint32_t *category_row;      /* 65536: row + 1 or 0; owned */
    float *category_vectors;     /* rows×W; owned */
};

/* An empty catalogue with room for all but the neighbours; everything zero. NOMEM. */
enum shoal_status shoal_items_create(size_t count, size_t width, size_t hidden, size_t ids_size,
                                     struct shoal_items **items) SHOAL_MUST_CHECK;
/* Room for `count` neighbours. NOMEM. */
enum shoal_status shoal_items_create_near(struct shoal_items *items, size_t count) SHOAL_MUST_CHECK;
/* To be called when the parts are there: the table of hashes and the categories' vectors. NOMEM; DAMAGED if two
 * items have one hash. */
enum shoal_status shoal_items_ready(struct shoal_items *items) SHOAL_MUST_CHECK;
/* The mean vector (W) of a category; NULL if no item is of it. */
const float *shoal_items_category_vector(const struct shoal_items *items, uint16_t category);

/* The class of an age: below 1 min, 5 min, 15 min, 1 h, 3 h, 12 h, 1 d, 2 d, 4 d, 7 d, 14 d, and above. */
unsigned shoal_item_age(int64_t age_ms);
/* x[k] of an event `place` before the newest. */
static inline float shoal_item_table_at(const struct shoal_item_table *table, size_t place,
                                        unsigned behavior, unsigned age)
{
    return table->place[place] + table->behavior[behavior] + table->age[age];
}

/* What is added to the score of single items; excluded: −∞. */
struct shoal_item_extra {
    uint32_t item;
    float score;
};

enum { SHOAL_ITEM_EXTRAS_MAX = SHOAL_RING_MAX * (SHOAL_ITEM_NEIGHBOURS_MAX + 1) };

/* q[W], and the extras by rising item, each item once; returns how many. `room`: for twice as many. */
size_t shoal_items_ask(const struct shoal_items *items, const struct shoal_item_query *query,
                       float *q, struct shoal_item_extra *extras);

#endif
