/* SPDX-License-Identifier: Apache-2.0 */
/* The least value of a function of a few numbers. The only place that sees NLopt (S. G. Johnson, The NLopt
 * nonlinear-optimization package). Deterministic: the same function and start give the same result. */
#ifndef SHOAL_LEARN_MINIMISE_H
#define SHOAL_LEARN_MINIMISE_H

#include <stddef.h>

#include "model/base/status.h"

/* The value at `at`; also fills gradient[count], unless it is NULL. What is not finite counts as huge. */
typedef double shoal_minimise_function(void *context, const double *at, double *gradient);

struct shoal_minimise {
    shoal_minimise_function *function;
    void *context;
    size_t count;
    int with_gradient; /* L-BFGS; else Nelder-Mead, which asks for none and suits up to about ten numbers */
    const double *low, *high; /* bounds, count each; NULL: none */
    double step;              /* first step without a gradient */
    double tolerance;         /* of the value, relative */
    unsigned most;            /* evaluations */
};

/* `at` is start and result, *value the value there: the least that was seen. NOMEM. */
enum shoal_status shoal_minimise(const struct shoal_minimise *problem, double *at,
                                 double *value) SHOAL_MUST_CHECK;
/* From each of `starts` (starts_count × count) in turn; the best of the results is in `at`. count ≤ 8. NOMEM. */
enum shoal_status shoal_minimise_from(const struct shoal_minimise *problem, const double *starts,
                                      size_t starts_count, double *at,
                                      double *value) SHOAL_MUST_CHECK;
/* How sharply the least is known: the inverse of the Hessian by central differences at `at`, of which
 * deviations[i] is the root of the diagonal: the standard errors where the function is −log likelihood.
 * NaN where the function is not curved upwards. count ≤ 8. */
void shoal_minimise_deviations(const struct shoal_minimise *problem, const double *at,
                               double *deviations);

#endif
