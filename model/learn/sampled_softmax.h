/* SPDX-License-Identifier: Apache-2.0 */
/* Which row of a table comes next: cross-entropy of a softmax over some of the rows (Jean et al. 2015), the
 * way GRU4Rec does it (Hidasi & Karatzoglou 2018).
 *
 *   q_b = P·h_b + p                                     P (W×H), p (W)
 *   z_bc = E[row_c]·q_b + bias[row_c] − log Q(row_c)    E (R×W): the table that the inputs come from, too
 *   loss_b = −log softmax(z_b)[target_b]
 *
 * The candidates c of a step are the targets of all B streams (each the others' negative) and N rows drawn
 * once a chunk ∝ support^α. Q(row) is how often a row is to be expected among them,
 * B·support/Σ support + N·support^α/Σ support^α: without it what is popular would be pushed down for being
 * drawn often. A candidate that is the stream's own target a second time is left out for that stream. */
#ifndef SHOAL_LEARN_SAMPLED_SOFTMAX_H
#define SHOAL_LEARN_SAMPLED_SOFTMAX_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/* How often each row of a table occurs, and how to draw from it. */
struct shoal_support {
    size_t rows;
    float *share;     /* owned; support/Σ */
    float *drawn;     /* owned; support^α/Σ */
    float *up_to;     /* owned; Σ of drawn over this row and those before it */
};

/* counts (rows): how often each row is a target; a row that never is gets half a time. NOMEM. */
enum shoal_status shoal_support_init(struct shoal_support *support, const uint32_t *counts,
                                     size_t rows, double alpha) SHOAL_MUST_CHECK;
void shoal_support_finish(struct shoal_support *support);
/* count rows, drawn ∝ support^α with replacement; a function of key and first alone. */
void shoal_support_draw(const struct shoal_support *support, uint64_t key, uint64_t first,
                        uint32_t *rows, size_t count);

enum { SHOAL_NO_TARGET = UINT32_MAX };

/* One step. Shapes: B streams, C = B + N candidates, W the table's width. */
struct shoal_softmax_step {
    size_t batch, extra, width;
    const float *table, *bias;           /* R×W; R */
    float *table_gradient, *bias_gradient; /* added to */
    const struct shoal_support *support;
    const uint32_t *targets;             /* B; SHOAL_NO_TARGET: nothing to be learned here */
    const uint32_t *extras;              /* N */
    const float *weights;                /* B: of each stream in the loss */
    const float *q;                      /* B×W */
    float *dq;                           /* B×W, out */
    /* room: */
    float *candidates;                   /* C×W, and C×W behind it for their gradient */
    float *logits;                       /* B×C; afterwards the gradient */
    float *corrections;                  /* C */
};

/* Σ weight·loss over the streams with a target; gradients as in the comments above. */
double shoal_softmax_step_run(const struct shoal_softmax_step *step);

#endif
