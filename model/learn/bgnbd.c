/* SPDX-License-Identifier: Apache-2.0 */
/* The likelihood of BG/NBD and its greatest value; see bgnbd.h.
 *
 *   ln L = A1 + A2 + ln(e^A3 + [x > 0]·e^A4)
 *   A1 = lnΓ(r+x) − lnΓ(r) + r·ln α             A3 = −(r+x)·ln(α+T)
 *   A2 = lnΓ(a+b) + lnΓ(b+x) − lnΓ(b) − lnΓ(a+b+x)   A4 = ln a − ln(b+x−1) − (r+x)·ln(α+t_x)
 *
 * Optimised over the logarithms of the parameters, from several starts. The customers are sorted by x, so that
 * what depends on x alone is computed once for each x. */
#include "model/learn/bgnbd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/minimise.h"

enum { PARAMETERS = 4 };

struct problem {
    struct shoal_customer *customers; /* owned; by x */
    size_t count;
};

/* lgamma of libm writes a global sign. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* What depends on x alone: A1 + A2, and ln(a/(b+x−1)). */
struct of_repeats {
    double constant, log_dropout;
};

static struct of_repeats of_repeats(const struct shoal_bgnbd *m, double x)
{
    return (struct of_repeats){
        .constant = log_gamma(m->r + x) - log_gamma(m->r) + m->r * log(m->alpha) +
                    log_gamma(m->a + m->b) + log_gamma(m->b + x) - log_gamma(m->b) -
                    log_gamma(m->a + m->b + x),
        .log_dropout = x > 0 ? log(m->a) - log(m->b + x - 1) : -INFINITY,
    };
}

double shoal_bgnbd_log_likelihood(const struct shoal_bgnbd *model,
                                  const struct shoal_customer *customers, size_t count)
{
    double sum = 0, x = -1;
    struct of_repeats of_x = {0, 0};
    for (size_t i = 0; i < count; i++) {
        const struct shoal_customer *customer = &customers[i];
        if (customer->repeats < x || customer->repeats > x) {
            x = customer->repeats;
            of_x = of_repeats(model, x);
        }
        double alive = -(model->r + x) * log(model->alpha + customer->age);
        double gone = x > 0 ? of_x.log_dropout - (model->r + x) * log(model->alpha + customer->last)
                            : -INFINITY;
        double most = fmax(alive, gone);
        sum += of_x.constant + most + log1p(exp(fmin(alive, gone) - most));
    }
    return sum;
}

static struct shoal_bgnbd of_logarithms(const double *at)
{
    return (struct shoal_bgnbd){exp(at[0]), exp(at[1]), exp(at[2]), exp(at[3])};
}

/* Per customer, so that the tolerance does not depend on their number. */
static double loss(void *context, const double *at, double *gradient)
{
    const struct problem *problem = context;
    struct shoal_bgnbd model = of_logarithms(at);
    return -shoal_bgnbd_log_likelihood(&model, problem->customers, problem->count) /
           (double)problem->count;
}

static int by_repeats(const void *a, const void *b)
{
    const struct shoal_customer *left = a, *right = b;
    return (left->repeats > right->repeats) - (left->repeats < right->repeats);
}

/* The best of several starts: slow and quick buyers, who leave early or late. α is in units of the mean age. */
static enum shoal_status search(struct problem *problem, double scale, double best[PARAMETERS],
                                struct shoal_bgnbd_fit *fit)
{
    double starts[][PARAMETERS] = {
        {0.3, 0.2, 0.8, 2.5}, {1, 1, 1, 1}, {0.1, 0.05, 0.1, 3}, {3, 3, 0.3, 10}};
    enum { STARTS = sizeof starts / sizeof *starts };
    static const double LOW = -9, HIGH = 9;
    double low[PARAMETERS], high[PARAMETERS], least;
    for (size_t i = 0; i < PARAMETERS; i++) {
        double unit = i == 1 ? scale : 1;
        low[i] = LOW + log(unit);
        high[i] = HIGH + log(unit);
        for (size_t n = 0; n < STARTS; n++)
            starts[n][i] = log(starts[n][i] * unit);
    }
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
    double errors[PARAMETERS];
    shoal_minimise_deviations(&minimise, best, errors);
    fit->model = of_logarithms(best);
    /* Of the logarithm of θ and the mean loss; of θ and the likelihood by the delta method. */
    double root = sqrt((double)problem->count);
    fit->error =
        (struct shoal_bgnbd){fit->model.r * errors[0] / root, fit->model.alpha * errors[1] / root,
                             fit->model.a * errors[2] / root, fit->model.b * errors[3] / root};
    fit->log_likelihood = -least * (double)problem->count;
    return SHOAL_OK;
}

enum shoal_status shoal_bgnbd_fit(const struct shoal_customer *customers, size_t count,
                                  struct shoal_bgnbd_fit *fit, struct shoal_message *message)
{
    *fit = (struct shoal_bgnbd_fit){.customers = count};
    double age = 0;
    for (size_t i = 0; i < count; i++) {
        fit->repeaters += customers[i].repeats > 0;
        age += customers[i].age / (double)count;
    }
    if (count < SHOAL_BGNBD_CUSTOMERS_MIN || fit->repeaters < SHOAL_BGNBD_REPEATERS_MIN ||
        !(age > 0))
        return shoal_fail(
            message, SHOAL_TOO_FEW,
            "BG/NBD needs at least %d customers, %d of them with a purchase on a second day; "
            "there are %zu, with %zu",
            SHOAL_BGNBD_CUSTOMERS_MIN, SHOAL_BGNBD_REPEATERS_MIN, count, fit->repeaters);
    struct problem problem = {.customers = malloc(count * sizeof *customers), .count = count};
    if (!problem.customers)
        return SHOAL_NOMEM;
    memcpy(problem.customers, customers, count * sizeof *customers);
    qsort(problem.customers, count, sizeof *customers, by_repeats);
    double best[PARAMETERS];
    enum shoal_status status = search(&problem, age, best, fit);
    free(problem.customers);
    return status;
}
