/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts for a catalogue's goals, tuned and judged on targets that come after everything the catalogue was learnt
 * from:
 *
 *   … catalogue ┤cut├── tuned ───── 2/3 ──┤── judged ── 1/3 ──┤end
 *
 * Each goal is tuned on its own, purchases from what was found for all behaviours, with each λ of a short list; the
 * one with the least loss on the judged targets is taken, and kept if it beats no prompts there (prompt_tune.h). The
 * catalogue that is learnt from everything afterwards has the prompts as they are: they act on the state, and the
 * network is the same.
 *
 * Variants are for comparison: what each part does alone, what a weight of short histories does, and what is left if
 * the penalty makes all users' prompts one. */
#ifndef SHOAL_LEARN_TRAIN_PROMPTS_H
#define SHOAL_LEARN_TRAIN_PROMPTS_H

#include "model/items_parts.h"
#include "model/learn/prompt_tune.h"

/*  X(name, parts, λ or −1: as found for `all`, weight of short histories or −1: as asked) */
#define SHOAL_PROMPT_VARIANT_LIST(X)                                                               \
    X(all, SHOAL_PROMPT_PARTS, -1, -1)                                                             \
    X(start, SHOAL_PROMPT_START, -1, -1)                                                           \
    X(gates, SHOAL_PROMPT_GATES, -1, -1)                                                           \
    X(state, SHOAL_PROMPT_STATE, -1, -1)                                                           \
    X(brief, SHOAL_PROMPT_PARTS, -1, 3)                                                            \
    X(shared, SHOAL_PROMPT_PARTS, 100, -1)

enum shoal_prompt_variant {
#define X(name, parts, lambda, weight) SHOAL_PROMPT_VARIANT_##name,
    SHOAL_PROMPT_VARIANT_LIST(X)
#undef X
        SHOAL_PROMPT_VARIANTS
};

const char *shoal_prompt_variant_name(enum shoal_prompt_variant variant);

struct shoal_prompts_goal_report {
    size_t learnt, judged;        /* targets; too few of either: nothing was tuned */
    float lambda;                 /* that was taken */
    struct shoal_prompt_report tuned[SHOAL_PROMPT_VARIANTS];
};

struct shoal_train_prompts_report {
    struct shoal_prompts_goal_report goals[SHOAL_ITEM_GOALS];
    bool each;      /* all variants, not only the first */
    size_t weights; /* of both generators */
};

/* asked[goal]: targets after what `items` were learnt from, in the data set's order. options->lambda < 0: from the
 * list. each: the variants, too. prompts[variant]: the caller's; NULL where no goal keeps any, or it was not asked
 * for. NOMEM. */
enum shoal_status shoal_train_prompts(const struct shoal_model *model, const struct shoal_items *items,
                                      const struct shoal_item_asked asked[SHOAL_ITEM_GOALS],
                                      const struct shoal_prompt_options *options, bool each,
                                      struct shoal_prompts *prompts[SHOAL_PROMPT_VARIANTS],
                                      struct shoal_train_prompts_report *report) SHOAL_MUST_CHECK;

#endif
