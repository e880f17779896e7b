/* SPDX-License-Identifier: Apache-2.0 */
/* Logistic regressions of any width, in double precision, plain loops: the same bits everywhere.
 *
 * Rows are x[D] with the bias as an implied last input of 1, so that weights are w[D + 1]. Two classes by
 * Newton's method; several by Newton's method too, over all of their weights at once. */
#ifndef SHOAL_LEARN_LOGISTIC_H
#define SHOAL_LEARN_LOGISTIC_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_logistic_data {
    const double *x;           /* count × width */
    const uint8_t *classes;    /* of each row, 0 … classes_count − 1 */
    const double *importance;  /* of each row, ≥ 0; NULL: 1 */
    const double *ridge;       /* width + 1: of each weight, per unit of importance; NULL: none */
    size_t count, width;
    unsigned classes_count;    /* 2 … SHOAL_LOGISTIC_CLASSES */
};

enum { SHOAL_LOGISTIC_CLASSES = 4, SHOAL_LOGISTIC_WEIGHTS = 1024 };

/* Minimises Σ importance·(−log p of the row's class)/Σ importance + Σ ridge·w²/2, with class 0 as the one whose
 * logit is 0: weights[(classes_count − 1) × (width + 1)]. `weights` is where it starts from (zeros do) and the
 * result. INVALID for more than SHOAL_LOGISTIC_WEIGHTS weights, NOMEM. */
enum shoal_status shoal_logistic_fit(const struct shoal_logistic_data *data, double *weights)
    SHOAL_MUST_CHECK;
/* w·x + bias */
double shoal_logistic_logit(const double *weights, const double *x, size_t width);
/* 1/(1 + e^−z) */
double shoal_logistic_sigmoid(double logit);
/* p[classes_count] of a row. */
void shoal_logistic_probabilities(const double *weights, const double *x, size_t width,
                                  unsigned classes_count, double *p);
/* The penalised mean loss, and its gradient (may be NULL); what the fit minimises, for tests. */
double shoal_logistic_loss(const struct shoal_logistic_data *data, const double *weights, double *gradient);

#endif
