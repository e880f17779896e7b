/* SPDX-License-Identifier: Apache-2.0 */
/* NLopt behind one function; see minimise.h. */
#include "model/learn/minimise.h"

#include <math.h>
#include <nlopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 8 };

/* Instead of what is not finite. */
static const double HUGE_LOSS = 1e100;

/* What NLopt gives back after a failed line search need not be the best that it saw: this is. */
struct watch {
    const struct shoal_minimise *problem;
    double *best;
    double least;
};

static double evaluate(const struct shoal_minimise *problem, const double *at, double *gradient)
{
    double value = problem->function(problem->context, at, gradient);
    bool finite = isfinite(value);
    for (size_t i = 0; gradient && i < problem->count; i++)
        if (!finite || !isfinite(gradient[i]))
            gradient[i] = 0;
    return finite ? value : HUGE_LOSS;
}

static double objective(unsigned count, const double *at, double *gradient, void *context)
{
    struct watch *watch = context;
    double value = evaluate(watch->problem, at, gradient);
    if (value < watch->least) {
        watch->least = value;
        memcpy(watch->best, at, count * sizeof *at);
    }
    return value;
}

static bool set(nlopt_opt optimiser, const struct shoal_minimise *problem, struct watch *watch)
{
    return nlopt_set_min_objective(optimiser, objective, watch) >= 0 &&
           (!problem->low || nlopt_set_lower_bounds(optimiser, problem->low) >= 0) &&
           (!problem->high || nlopt_set_upper_bounds(optimiser, problem->high) >= 0) &&
           (problem->with_gradient || nlopt_set_initial_step1(optimiser, problem->step) >= 0) &&
           nlopt_set_ftol_rel(optimiser, problem->tolerance) >= 0 &&
           nlopt_set_maxeval(optimiser, (int)problem->most) >= 0;
}

enum shoal_status shoal_minimise(const struct shoal_minimise *problem, double *at, double *value)
{
    struct watch watch = {.problem = problem, .least = INFINITY};
    nlopt_opt optimiser = nlopt_create(
        problem->with_gradient ? NLOPT_LD_LBFGS : NLOPT_LN_NELDERMEAD, (unsigned)problem->count);
    watch.best = malloc(problem->count * sizeof *watch.best);
    enum shoal_status status = SHOAL_NOMEM;
    if (optimiser && watch.best && set(optimiser, problem, &watch)) {
        double reached;
        memcpy(watch.best, at, problem->count * sizeof *at);
        nlopt_result result = nlopt_optimize(optimiser, at, &reached);
        /* A line search that can go no further counts as a failure there, but it has arrived. */
        if (result != NLOPT_OUT_OF_MEMORY && result != NLOPT_INVALID_ARGS) {
            memcpy(at, watch.best, problem->count * sizeof *at);
            *value = watch.least;
            status = SHOAL_OK;
        }
    }
    free(watch.best);
    nlopt_destroy(optimiser);
    return status;
}

enum shoal_status shoal_minimise_from(const struct shoal_minimise *problem, const double *starts,
                                      size_t starts_count, double *at, double *value)
{
    double tried[COUNT_MAX];
    *value = INFINITY;
    for (size_t n = 0; n < starts_count; n++) {
        double found;
        memcpy(tried, starts + n * problem->count, problem->count * sizeof *tried);
        enum shoal_status status = shoal_minimise(problem, tried, &found);
        if (status != SHOAL_OK)
            return status;
        if (n == 0 || found < *value) {
            *value = found;
            memcpy(at, tried, problem->count * sizeof *tried);
        }
    }
    return SHOAL_OK;
}

/* ---- how sharp the least is ------------------------------------------------------------------- */

static double shifted(const struct shoal_minimise *problem, const double *at, size_t i, double by_i,
                      size_t j, double by_j)
{
    double there[COUNT_MAX];
    memcpy(there, at, problem->count * sizeof *at);
    there[i] += by_i;
    there[j] += by_j;
    return evaluate(problem, there, NULL);
}

/* Gauss-Jordan without exchanges, which a positive definite matrix does not need; false if it is none. */
static bool invert(double matrix[COUNT_MAX][COUNT_MAX], size_t count)
{
    for (size_t k = 0; k < count; k++) {
        double pivot = matrix[k][k];
        if (!(pivot > 0))
            return false;
        matrix[k][k] = 1;
        for (size_t j = 0; j < count; j++)
            matrix[k][j] /= pivot;
        for (size_t i = 0; i < count; i++) {
            double factor = matrix[i][k];
            if (i == k)
                continue;
            matrix[i][k] = 0;
            for (size_t j = 0; j < count; j++)
                matrix[i][j] -= factor * matrix[k][j];
        }
    }
    return true;
}

void shoal_minimise_deviations(const struct shoal_minimise *problem, const double *at,
                               double *deviations)
{
    static const double STEP = 1e-3;
    double hessian[COUNT_MAX][COUNT_MAX];
    size_t count = problem->count < COUNT_MAX ? problem->count : COUNT_MAX;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            hessian[i][j] =
                (shifted(problem, at, i, STEP, j, STEP) - shifted(problem, at, i, STEP, j, -STEP) -
                 shifted(problem, at, i, -STEP, j, STEP) +
                 shifted(problem, at, i, -STEP, j, -STEP)) /
                (4 * STEP * STEP);
    bool known = invert(hessian, count);
    for (size_t i = 0; i < problem->count; i++)
        deviations[i] = known && i < count ? sqrt(hessian[i][i]) : NAN;
}
