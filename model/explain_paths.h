/* SPDX-License-Identifier: Apache-2.0 */
/* One user's events, run through the network at several points of the straight path from the baseline to what
 * they are, and the way back from the logit to every input. For explain.c; not the training's unroll (learn/):
 * no parameter has a gradient here, and the rows of a batch are points of one path, not users.
 *
 *   x_t(α) = α·x_t        row α of the batch, the same T events in each
 *   h, c from zero, cell and gate order of lstm.h, in single precision: nothing is rounded to half
 *
 * Letters as in params.h; R rows, T events. */
#ifndef SHOAL_EXPLAIN_PATHS_H
#define SHOAL_EXPLAIN_PATHS_H

#include "model/params.h"

struct shoal_paths {
    const struct shoal_params *params; /* not owned */
    size_t inputs, hidden;             /* D, H */
    size_t rows_max, events_max;
    float *xh;         /* R×(D + H): [x | h_{t−1}] of the step in hand; after forward h_T stands in it */
    float *gates;      /* T×R×4H: σ(i) σ(f) tanh(g) σ(o); after backward dlogit/dz */
    float *c, *tanh_c; /* T×R×H */
    float *dxh;        /* R×(D + H): dlogit/d[x | h_{t−1}] of the step in hand */
    float *dc;         /* R×H */
    float *block;      /* owned: all of the above */
};

/* Told the gradient of one event for all rows, later events first: dx of row r is at r·stride, D floats. */
typedef void shoal_paths_visit(void *context, size_t event, const float *dx, size_t stride);

/* rows_max, events_max ≥ 1. On failure `paths` is zeroed. NOMEM. */
enum shoal_status shoal_paths_init(struct shoal_paths *paths, const struct shoal_params *params,
                                   size_t rows_max, size_t events_max) SHOAL_MUST_CHECK;
void shoal_paths_finish(struct shoal_paths *paths);
/* x (T×D), alphas (R). A row's bits do not depend on the others. */
void shoal_paths_forward(struct shoal_paths *paths, const float *x, size_t events,
                         const float *alphas, size_t rows);
/* h_T of a row after forward: H floats, zeros for no events. */
const float *shoal_paths_state(const struct shoal_paths *paths, size_t row);
/* After forward, once: d(head·h_T)/dx_t for every event and row, back to where it has faded to nothing (1e-24).
 * head (H). */
void shoal_paths_backward(struct shoal_paths *paths, const float *head, size_t events, size_t rows,
                          shoal_paths_visit *visit, void *context);

#endif
