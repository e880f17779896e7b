/* SPDX-License-Identifier: Apache-2.0 */
/* The likelihood of Gamma-Gamma and its greatest value; see gamma_gamma.h.
 *
 *   ln L = lnΓ(px+q) − lnΓ(px) − lnΓ(q) + q·ln v + (px−1)·ln m + px·ln x − (px+q)·ln(v + x·m)
 *
 * over p, q − 1 and v/(mean of m), as logarithms: q stays above 1, or no mean would be finite. */
#include "model/learn/gamma_gamma.h"

#include <math.h>
#include <string.h>

#include "model/learn/minimise.h"

enum { PARAMETERS = 3 };

struct problem {
    const struct shoal_customer *customers;
    size_t count, used;
    double scale; /* mean of m */
};

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

static int counts(const struct shoal_customer *customer)
{
    return customer->repeats > 0 && customer->mean > 0;
}

double shoal_gamma_gamma_log_likelihood(const struct shoal_gamma_gamma *model,
                                        const struct shoal_customer *customers, size_t count)
{
    double p = model->p, q = model->q, v = model->v;
    double constant = q * log(v) - log_gamma(q), sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!counts(&customers[i]))
            continue;
        double x = customers[i].repeats, m = customers[i].mean;
        sum += constant + log_gamma(p * x + q) - log_gamma(p * x) + (p * x - 1) * log(m) +
               p * x * log(x) - (p * x + q) * log(v + x * m);
    }
    return sum;
}

static struct shoal_gamma_gamma of_logarithms(const struct problem *problem, const double *at)
{
    return (struct shoal_gamma_gamma){exp(at[0]), 1 + exp(at[1]), problem->scale * exp(at[2])};
}

static double loss(void *context, const double *at, double *gradient)
{
    const struct problem *problem = context;
    struct shoal_gamma_gamma model = of_logarithms(problem, at);
    return -shoal_gamma_gamma_log_likelihood(&model, problem->customers, problem->count) /
           (double)problem->used;
}

static enum shoal_status search(struct problem *problem, struct shoal_gamma_gamma_fit *fit)
{
    double starts[][PARAMETERS] = {{5, 3, 0.5}, {1, 1, 1}, {20, 1, 0.1}, {0.5, 5, 5}};
    enum { STARTS = sizeof starts / sizeof *starts };
    static const double low[] = {-7, -7, -12}, high[] = {9, 9, 12};
    double best[PARAMETERS], errors[PARAMETERS], least;
    for (size_t n = 0; n < STARTS; n++)
        for (size_t i = 0; i < PARAMETERS; i++)
            starts[n][i] = log(starts[n][i]);
    struct shoal_minimise minimise = {.function = loss,
                                      .context = problem,
                                      .count = PARAMETERS,
                                      .low = low,
                                      .high = high,
                                      .step = 0.5,
                                      .tolerance = 1e-12,
                                      .most = 2000};
    enum shoal_status status = shoal_minimise_from(&minimise, *starts, STARTS, best, &least);
    if (status != SHOAL_OK)
        return status;
    shoal_minimise_deviations(&minimise, best, errors);
    fit->model = of_logarithms(problem, best);
    double root = sqrt((double)problem->used);
    fit->error = (struct shoal_gamma_gamma){fit->model.p * errors[0] / root,
                                            (fit->model.q - 1) * errors[1] / root,
                                            fit->model.v * errors[2] / root};
    fit->log_likelihood = -least * (double)problem->used;
    return SHOAL_OK;
}

enum shoal_status shoal_gamma_gamma_fit(const struct shoal_customer *customers, size_t count,
                                        struct shoal_gamma_gamma_fit *fit,
                                        struct shoal_message *message)
{
    struct problem problem = {.customers = customers, .count = count};
    *fit = (struct shoal_gamma_gamma_fit){.customers = 0};
    for (size_t i = 0; i < count; i++)
        if (counts(&customers[i])) {
            problem.used++;
            problem.scale += customers[i].mean;
        }
    fit->customers = problem.used;
    if (problem.used < SHOAL_GAMMA_GAMMA_MIN)
        return shoal_fail(
            message, SHOAL_TOO_FEW,
            "Gamma-Gamma needs at least %d customers with repeat purchases that paid more "
            "than 0; there are %zu",
            SHOAL_GAMMA_GAMMA_MIN, problem.used);
    problem.scale /= (double)problem.used;
    return search(&problem, fit);
}
