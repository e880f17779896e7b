/* SPDX-License-Identifier: Apache-2.0 */
/* Next items on top of a trained model, which stays as it is: a catalogue with its vectors and neighbours, and how
 * to ask it (items.h).
 *
 *   first ──── vectors, neighbours, popularity ────┤cut├── validation ──┤end
 *
 * 1  learn the parts from the targets before the cut; keep the epoch whose vectors and neighbours do best after
 *    it by NDCG@20
 * 2  fit the weights of the parts (item_mix.h) to the targets after the cut, for each goal
 *    and tune prompts (train_prompts.h), if they are wanted
 * 3  learn the parts once more from everything, as many epochs, and put them together by the same weights
 *
 * The figures of the summary are those of 2 on the targets that the weights were fitted to, a hundred numbers to
 * thousands of targets. The states come from the finished network, which has seen the days after the cut. Where too
 * few targets come after the cut, the weights stay as they are by default, and nothing is judged. */
#ifndef SHOAL_LEARN_TRAIN_ITEMS_H
#define SHOAL_LEARN_TRAIN_ITEMS_H

#include "model/learn/item_data.h"
#include "model/learn/item_mix.h"
#include "model/learn/train_prompts.h"
#include "model/model.h"

struct shoal_train_items_options {
    size_t most;                          /* items at most; 0: SHOAL_ITEMS_MAX */
    const struct shoal_item_names *names; /* ids of the items; not owned */
    const struct shoal_prompt_options *prompts; /* not owned; NULL: without prompts */
    /* Told each variant of the prompts: the model has them during the call. NULL: only the first one is made. */
    enum shoal_status (*variant)(void *variant_context, struct shoal_model *model,
                                 enum shoal_prompt_variant variant);
    void *variant_context;
    uint64_t seed;
    /* Told now and then how much of the work is done, 0 … 1; may be NULL. */
    void (*progress)(void *context, double done);
    void *context;
};

/* X(part): what is judged on the validation part */
enum shoal_item_part {
    SHOAL_ITEM_PART_POPULAR, /* by the events before the cut */
    SHOAL_ITEM_PART_VECTORS, /* popularity and vectors */
    SHOAL_ITEM_PART_NEAR,    /* popularity, neighbours and repeats */
    SHOAL_ITEM_PART_ALL,
    SHOAL_ITEM_PARTS,
};

struct shoal_item_figures {
    double hr20, ndcg20;
};

struct shoal_train_items_report {
    bool made;                /* the model has items now */
    struct shoal_message why; /* not made: why not */
    size_t count, left_out;   /* items of the catalogue; named too seldom for it */
    uint32_t least;           /* times that an item must have been named */
    size_t targets;           /* learnt from */
    int64_t cut_ms;
    size_t judged[SHOAL_ITEM_GOALS]; /* targets of the validation; 0: none, nothing was chosen */
    uint32_t epochs;
    struct shoal_item_figures figures[SHOAL_ITEM_GOALS][SHOAL_ITEM_PARTS];
    struct shoal_item_mix mix[SHOAL_ITEM_GOALS];
    struct shoal_train_prompts_report prompts;
};

/* Sets model->items, or leaves it and says why in *report (OK as well: a log without items is no failure). end_ms:
 * up to when everything is known. The same model, data and seed give the same bits. NOMEM. */
enum shoal_status shoal_train_items(struct shoal_model *model, const struct shoal_dataset *dataset,
                                    int64_t end_ms, const struct shoal_train_items_options *options,
                                    struct shoal_train_items_report *report) SHOAL_MUST_CHECK;

#endif
