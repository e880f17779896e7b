/* SPDX-License-Identifier: Apache-2.0 */
/* Tuning the prompts (model/prompts.h) of one goal; the network and the catalogue stay as they are.
 *
 *   loss = Σ_i w_i·(−log softmax_j(score_ij)[target_i])/Σ w_i + λ·Σ_u ‖prompt_u − mean‖²/B
 *
 * over the whole catalogue, with the very scores that are served (items_parts.h), or without what neighbours and
 * repeats add: those counted the targets that the catalogue was learnt from. AdamW with a falling rate; W1 starts
 * small and random, W2 at zero, so training starts where nothing is changed. The epoch with the least loss of the
 * judged targets is the best; it is kept if the loss is less than without prompts by two standard errors and NDCG@20
 * is more: on a log of rare items a loss may fall by what happens far down the ranking. The same seed gives the same
 * bits. */
#ifndef SHOAL_LEARN_PROMPT_TUNE_H
#define SHOAL_LEARN_PROMPT_TUNE_H

#include "model/learn/evaluate_items.h"
#include "model/learn/item_ranks.h"
#include "model/prompts_parts.h"

struct shoal_prompt_options {
    unsigned parts;       /* bits of enum shoal_prompt_part */
    float lambda;         /* of the compactness penalty */
    float rate, decay;    /* of AdamW; the rate falls to a tenth over the epochs */
    float short_weight;   /* w of a history of fewer than SHOAL_SHORT_HISTORY events; others 1 */
    uint32_t batch, epochs, patience;
    bool extras;          /* with what neighbours and repeats add */
    uint64_t seed;
};

struct shoal_prompt_options shoal_prompt_options_default(void);

/* Of judged targets: their mean loss without and with prompts, and by how much it is less with them, with the standard
 * error of that over users. */
struct shoal_prompt_gain {
    size_t count;
    double before, after, gain, error;
};

struct shoal_prompt_report {
    bool kept;
    struct shoal_prompt_gain all, brief; /* brief: histories of fewer than SHOAL_SHORT_HISTORY events */
    double ndcg_gain, ndcg_error;        /* by how much NDCG@20 is more */
    uint32_t epochs, best;               /* run; the best, 0: as it started */
    double spread;                       /* Σ_u ‖prompt_u − mean‖²/B of the last batch judged at the best */
};

/* What the prompts (NULL: none) of a goal gain on the asked, with what is served: extras included. NOMEM. */
enum shoal_status shoal_prompt_judge(const struct shoal_model *model, const struct shoal_items *items,
                                     enum shoal_item_goal goal, const struct shoal_item_asked *asked,
                                     const struct shoal_prompts *prompts, struct shoal_prompt_gain *all,
                                     struct shoal_prompt_gain *brief) SHOAL_MUST_CHECK;
/* Tunes the goal of `prompts`. from: a block of weights to start from, which is a candidate itself; NULL: from the
 * beginning. Leaves prompts->parts[goal] 0 if they are not kept; the weights of the best are there all the same.
 * NOMEM. */
enum shoal_status shoal_prompt_tune(const struct shoal_model *model, const struct shoal_items *items,
                                    enum shoal_item_goal goal, const struct shoal_item_asked *learn,
                                    const struct shoal_item_asked *judge,
                                    const struct shoal_prompt_options *options, const float *from,
                                    struct shoal_prompts *prompts,
                                    struct shoal_prompt_report *report) SHOAL_MUST_CHECK;
/* The loss above of all asked as one batch, and its gradient, at the weights of `block` (prompts_parts.h): what a
 * step of the tuning follows. NOMEM. */
enum shoal_status shoal_prompt_gradient(const struct shoal_model *model, const struct shoal_items *items,
                                        enum shoal_item_goal goal, const struct shoal_item_asked *asked,
                                        const struct shoal_prompt_options *options,
                                        const float *block, float *gradient,
                                        double *loss) SHOAL_MUST_CHECK;

#endif
