/* SPDX-License-Identifier: Apache-2.0 */
/* The model unrolled over T steps of B streams, forward and backward: one chunk of truncated
 * backpropagation through time.
 *
 * A stream is one user's events after another's. A cell (t, b) is one event; where a user begins, h
 * and c start from zero and no gradient passes. h and c at the end of a chunk are where the next one
 * begins; gradients stop there. All in float32: the rounding of served states to half precision is
 * left out (its effect is below 5e-3).
 *
 *           stream 0   u7 u7 u7 u7 | u2 u2 …         | = starts
 *           stream 1   u1 | u9 u9 u9 u9 …
 *                      t = 0 … T−1                   xh, gates, c, h: T×B rows, t outside
 *
 * Letters as in params.h; K = D + H is a row of [x | h_{t−1}]. */
#ifndef SHOAL_LEARN_UNROLL_H
#define SHOAL_LEARN_UNROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/features.h"
#include "model/params.h"

struct shoal_unroll_cell {
    const struct shoal_features *features; /* NULL: nothing here, the state stays as it would */
    const float *counters;                 /* SHOAL_COUNTERS standardised; NULL where features are */
    const float *targets;                  /* SHOAL_TASKS: 0 … 1, or a number; read where `tasks` says so */
    uint32_t tasks;                        /* bit n: task n learns from this event; 0: only passed through */
    const struct shoal_features *next;     /* the user's next event, for objectives.h; NULL: none known */
    float weight;                          /* of this event in the loss */
    bool starts;                           /* a new user: h, c from zero */
};

/* Inverted dropout. Masks are a function of key and cell, see random.h. */
struct shoal_dropout {
    /* share that is dropped, of x, of h before the heads, and of h_{t−1} on its way into the gates (one
     * mask a stream and chunk: Gal & Ghahramani 2016); 0: none */
    float inputs, hidden, recurrent;
    uint64_t inputs_key, hidden_key, recurrent_key;
    uint64_t chunk; /* number of the chunk in the whole training: no mask comes twice */
};

/* How tasks share the state. Every head learns from its task in full. */
struct shoal_task_mix {
    float share[SHOAL_TASKS]; /* of a task's gradient that goes on into h; 0: its head only watches */
    float scale[SHOAL_TASKS]; /* factor of its loss: a count's is in events */
    float positive;           /* weight of an event before a purchase in the loss of buy_24h; others 1; in
                               * between where the target is */
};

struct shoal_unroll {
    struct shoal_dims dims;
    struct shoal_task_mix mix; /* as created: all of buy_24h, nothing of the others, scale and positive 1 */
    size_t batch, steps; /* B, T (greatest) */
    size_t used;         /* steps of the last forward pass */
    struct shoal_unroll_cell *cells; /* T×B, t outside; filled by the caller before forward */
    float *xh;               /* T×B×K  [x (after dropout) | h_{t−1}] */
    float *gates;            /* T×B×4H after forward σ(i) σ(f) tanh(g) σ(o); after backward dL/dz */
    float *c_previous, *c;   /* T×B×H */
    float *tanh_c, *h;       /* T×B×H */
    float *inputs_mask;      /* T×B×D  0 or 1/(1 − share) */
    float *hidden_mask;      /* T×B×H  likewise */
    float *recurrent_mask;   /* B×H  likewise */
    float *logits;           /* T×B×TASKS */
    float *dlogits;          /* T×B×TASKS */
    float *dh_more;          /* T×B×H: what other objectives add to dL/dh before backward; zeroed by forward
                              * when `more` was set */
    float *dx;               /* T×B×D */
    float *dh, *dc;          /* B×H: gradient flowing back */
    float *carried_h, *carried_c; /* B×H: state after the last chunk */
    bool inputs_dropped, hidden_dropped, recurrent_dropped;
    bool more;               /* dh_more holds something */
    float *block;            /* owned: all of the above but cells */
};

/* dims must have been checked. *unroll is the caller's (shoal_unroll_destroy). NOMEM. */
enum shoal_status shoal_unroll_create(const struct shoal_dims *dims, size_t batch, size_t steps,
                                      struct shoal_unroll **unroll) SHOAL_MUST_CHECK;
void shoal_unroll_destroy(struct shoal_unroll *unroll);
/* Runs the first `steps` steps of `cells`: fills logits (0 for empty cells), everything that
 * backward needs, and the carried state. dropout NULL: none. */
void shoal_unroll_forward(struct shoal_unroll *unroll, const struct shoal_params *params,
                          size_t steps, const struct shoal_dropout *dropout);
/* Σ over cells of weight·(binary cross-entropy of σ(logit)) of buy_24h; *weight is Σ weight of the cells
 * that teach it. Sets dlogits to the gradient of every task's own loss: cross-entropy, or for a count
 * that of Poisson, e^z − y·z. */
double shoal_unroll_loss(struct shoal_unroll *unroll, double *weight);
/* Adds scale·dL/dparams to `gradients` (a block of the same dims). After forward and loss. */
void shoal_unroll_backward(struct shoal_unroll *unroll, const struct shoal_params *params,
                           float scale, struct shoal_params *gradients);

#endif
