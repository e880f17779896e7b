/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts: a frozen network made to suit one user and one goal. A small generator turns what is counted of the
 * user into where the LSTM starts, an addition to its gates and an addition to its state; with them the recent
 * events are run through it once more, and next items are asked with the state that comes of it:
 *
 *   z (Z)   statistics of the user, listed below
 *   u = tanh(W1·z + b1)                               (R)     one generator for each goal
 *   [s | g | s' | g' | p | r] = W2·u + b2             (9H)
 *   h_0 = σ(g)∘tanh(s)    c_0 = σ(g')∘tanh(s')                start
 *   gates of every step + p (4H)                              gates, the per-layer prompt
 *   h* = h + (LSTM(ring; h_0, c_0, p) − LSTM(ring; 0, 0, 0)) + r      state
 *
 * h is the served state. For a history no longer than the ring the first and third term of h* are the same but
 * for the rounding to half precision; for a longer one h keeps what the ring does not hold. With W2 = b2 = 0
 * h* is h, bit for bit.
 *
 * After customised prompts (Wu et al., PPR, arXiv 2205.09666; DPCPL, arXiv 2408.11372), with an LSTM in place of
 * a transformer or graph network. Costs a user 2·T steps of the LSTM (T ≤ ring), only where items are asked.
 * One user at a time, in one order: the bits depend on nobody else. */
#ifndef SHOAL_PROMPTS_H
#define SHOAL_PROMPTS_H

#include "model/items.h"

/*  X(name, what it is); all are dimensionless and about −3 … 3 */
#define SHOAL_PROMPT_STATISTIC_LIST(X)                                                             \
    X(rates, "twelve: log1p of the decayed counters' rates, standardised as the heads see them")   \
    X(events, "log2(1 + events in the ring)/4")                                                    \
    X(behaviors, "four: share of each behaviour in the ring")                                      \
    X(items, "different items in the ring per event")                                              \
    X(since_last, "log2(1 + s)/20 since the last event")                                           \
    X(since_first, "log2(1 + s)/20 since the first event of the ring")                             \
    X(hour, "two: sin, cos of the last event's hour, UTC")                                         \
    X(weekday, "two: sin, cos of its weekday")                                                     \
    X(price, "mean price level/64 of the events that have one; 0: none has")

enum {
    SHOAL_PROMPT_STATISTICS = 25, /* Z */
    SHOAL_PROMPT_UNITS = 32,      /* R */
};

/* Parts of a prompt, as bits. */
enum shoal_prompt_part {
    SHOAL_PROMPT_START = 1,
    SHOAL_PROMPT_GATES = 2,
    SHOAL_PROMPT_STATE = 4,
    SHOAL_PROMPT_PARTS = 7,
};

struct shoal_model;
struct shoal_prompts;

/* state[H] = h*. query->h is not NULL. `model`: the one that the prompts were made for, of H hidden units. */
void shoal_prompts_state(const struct shoal_prompts *prompts, const struct shoal_model *model,
                         const struct shoal_item_query *query, float *state);
/* z[SHOAL_PROMPT_STATISTICS]. Rates that are not known (NULL) count as average. */
void shoal_prompts_statistics(const struct shoal_model *model, const struct shoal_item_query *query,
                              float *z);
/* Weights of both generators. */
size_t shoal_prompts_count(const struct shoal_prompts *prompts);

/* A value of the model file: nil, or a map, as prompts_file.c has it. DAMAGED, NOMEM. */
void shoal_prompts_pack(const struct shoal_prompts *prompts, struct shoal_buffer *out);
enum shoal_status shoal_prompts_unpack(struct shoal_unpack *in, size_t hidden,
                                       struct shoal_prompts **prompts,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_prompts_destroy(struct shoal_prompts *prompts);

#endif
