/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts for a catalogue's goals, tuned and judged on targets that come after everything the catalogue was learnt
 * from:
 *
 *   … catalogue ┤cut├── tuned ───── 2/3 ──┤── judged ── 1/3 ──┤end
 *
 * Each goal is tuned on its own with every λ of a short list; the one with the least loss on the judged targets is
 * kept, if there it is less than without prompts by a paired interval over users above zero; the catalogue that is
 * learnt from everything afterwards takes the prompts as they are, since they act on the state, which it shares. */
#ifndef SHOAL_LEARN_TRAIN_PROMPTS_H
#define SHOAL_LEARN_TRAIN_PROMPTS_H

#include "model/items_parts.h"
#include "model/learn/prompt_tune.h"

struct shoal_prompts_goal_report {
    size_t learnt, judged, judged_short; /* targets */
    float lambda;                        /* that was chosen */
    struct shoal_prompt_report tuned;    /* at that λ; best 0: nothing was gained */
};

struct shoal_train_prompts_report {
    struct shoal_prompts_goal_report goals[SHOAL_ITEM_GOALS];
    size_t weights; /* of both generators */
};

/* asked[goal]: targets after what `items` were learnt from, in the data set's order. *prompts is the caller's, NULL if
 * no goal gained anything. NOMEM. */
enum shoal_status shoal_train_prompts(const struct shoal_model *model, const struct shoal_items *items,
                                      const struct shoal_item_asked asked[SHOAL_ITEM_GOALS],
                                      const struct shoal_prompt_options *options,
                                      struct shoal_prompts **prompts,
                                      struct shoal_train_prompts_report *report) SHOAL_MUST_CHECK;

#endif
