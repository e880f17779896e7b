/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts (model/prompts.h) of B users at once, forward and back through the frozen network: what training
 * needs, in float32.
 *
 *   row 0   e e e e e e | h_T      histories end together; a row begins with its own start, and the rows that
 *   row 1       e e e e | h_T      have begun are the first n_t, since lengths never rise
 *   row 2             e | h_T
 *
 * Letters as in prompts.h; K = D + H. */
#ifndef SHOAL_LEARN_PROMPT_BATCH_H
#define SHOAL_LEARN_PROMPT_BATCH_H

#include "model/model.h"
#include "model/prompts_parts.h"

struct shoal_prompt_batch {
    const struct shoal_model *model; /* not owned */
    size_t room, steps;              /* B, T at most */
    size_t count, longest;           /* as loaded */
    size_t *lengths;                 /* B; owned */
    float *z;                        /* B×Z */
    float *units;                    /* B×R */
    float *outputs;                  /* B×9H: after forward σ(g), tanh(s) … where g, s stood */
    float *douts;                    /* B×9H */
    float *dunits;                   /* B×R */
    float *prompts;                  /* B×7H: [h_0 | c_0 | p | r]: what the penalty is of */
    float *mean;                     /* 7H */
    float *xh;                       /* T×B×K */
    float *gates;                    /* T×B×4H; after backward dL/dz */
    float *c_previous, *c, *tanh_c, *h; /* T×B×H */
    float *dh, *dc;                  /* B×H */
    float *states;                   /* B×H: h_T + r, out of forward */
    float *block;                    /* owned: all of the above but lengths */
};

enum { SHOAL_PROMPT_VALUES = 7 }; /* of the penalty, in units of H */

/* NOMEM. */
enum shoal_status shoal_prompt_batch_create(const struct shoal_model *model, size_t room, size_t steps,
                                            struct shoal_prompt_batch **batch) SHOAL_MUST_CHECK;
void shoal_prompt_batch_destroy(struct shoal_prompt_batch *batch);
/* Takes what it needs of count ≤ room queries: 1 … T events each, the most first. */
void shoal_prompt_batch_load(struct shoal_prompt_batch *batch, const struct shoal_item_query *queries,
                             size_t count);
/* states = LSTM(ring; h_0, c_0, p) + r. generator NULL: LSTM(ring; 0, 0, 0). */
void shoal_prompt_batch_forward(struct shoal_prompt_batch *batch,
                                const struct shoal_prompt_generator *generator);
/* After forward with a generator: Σ over the users of ‖prompt − mean prompt‖²/B. */
double shoal_prompt_batch_spread(struct shoal_prompt_batch *batch);
/* Once, after forward and, if lambda is not 0, spread: adds to `gradient` that of Σ dstates·states +
 * lambda·spread. Rows of parts that are not among `parts` get nothing. */
void shoal_prompt_batch_backward(struct shoal_prompt_batch *batch,
                                 const struct shoal_prompt_generator *generator, unsigned parts,
                                 const float *dstates, float lambda,
                                 struct shoal_prompt_generator *gradient);

#endif
