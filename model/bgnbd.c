/* SPDX-License-Identifier: Apache-2.0 */
/* Expectations of BG/NBD and Gamma-Gamma; see bgnbd.h.
 *
 * The published form of E[Y(t) | x, t_x, T] has Gauss's hypergeometric function times a power that under- and
 * overflow against each other for a large x, over a − 1, which may be 0. The same number is
 *
 *   E[Y(t) | alive] = Σ_{k≥1} P(stays for k − 1 more purchases)·P(k or more fall into t)
 *                   = Σ_{k≥1} (b+x)_{k−1}/(a+b+x)_{k−1} · P(N ≥ k),   N ~ NB(r + x, t/(α + T + t))
 *
 * since given that the customer is there, the rate is Gamma(r + x, α + T) and the dropout Beta(a, b + x),
 * independent of each other. All terms are positive and none is larger than 1. */
#include "model/bgnbd.h"

#include <math.h>

/* More purchases than these within a horizon are not counted. */
enum { TERMS_MAX = 20000 };

/* e^−600 is a double with all its digits, and its inverse too. */
static const double SCALE = 600;

struct shoal_customer shoal_customer_at(const struct shoal_purchases *purchases, int64_t now_ms)
{
    double last = fmax((double)purchases->last_ms - (double)purchases->first_ms, 0);
    double age = fmax((double)now_ms - (double)purchases->first_ms, last);
    double repeats = purchases->occasions > 1 ? (double)purchases->occasions - 1 : 0;
    return (struct shoal_customer){
        .repeats = repeats,
        .last = repeats > 0 ? last / SHOAL_WEEK_MS : 0,
        .age = age / SHOAL_WEEK_MS,
        .mean = repeats > 0 ? (double)purchases->spent / repeats : 0,
    };
}

double shoal_bgnbd_alive(const struct shoal_bgnbd *model, const struct shoal_customer *customer)
{
    if (!(customer->repeats > 0))
        return 1;
    double gone = log(model->a) - log(model->b + customer->repeats - 1) +
                  (model->r + customer->repeats) *
                      log((model->alpha + customer->age) / (model->alpha + customer->last));
    return 1 / (1 + exp(gone));
}

/* Σ_{k≥1} stay_k·P(N ≥ k). The probabilities of N may begin below the smallest double: they are kept as
 * mass·e^(−SCALE·scaled), and count once `scaled` is 0. */
static double expected_alive(double shape, double odds, double a, double b)
{
    double share = odds / (1 + odds), log_none = -shape * log1p(odds);
    double scaled = fmax(ceil(-log_none / SCALE) - 1, 0);
    double mass = exp(log_none + scaled * SCALE);
    double above = scaled > 0 ? 1 : -expm1(log_none); /* P(N ≥ k) */
    double stay = 1, sum = 0;
    for (int k = 1; k <= TERMS_MAX; k++) {
        sum += stay * above;
        stay *= (b + k - 1) / (a + b + k - 1);
        mass *= (shape + k - 1) / k * share;
        if (scaled > 0 && mass > 1) {
            mass *= exp(-SCALE);
            scaled--;
        }
        if (scaled > 0)
            continue;
        above -= mass;
        if (!(above * stay > 1e-15 * sum))
            break;
    }
    return sum;
}

double shoal_bgnbd_expected(const struct shoal_bgnbd *model, const struct shoal_customer *customer,
                            double weeks)
{
    double shape = model->r + customer->repeats, odds = weeks / (model->alpha + customer->age);
    if (!(odds > 0))
        return 0;
    double alive = expected_alive(shape, odds, model->a, model->b + customer->repeats);
    return shoal_bgnbd_alive(model, customer) * fmin(fmax(alive, 0), shape * odds);
}

double shoal_bgnbd_expected_new(const struct shoal_bgnbd *model, double weeks)
{
    return shoal_bgnbd_expected(model, &(struct shoal_customer){.repeats = 0}, weeks);
}

double shoal_gamma_gamma_expected(const struct shoal_gamma_gamma *model,
                                  const struct shoal_customer *customer)
{
    double repeats = customer->repeats;
    return model->p * (model->v + repeats * customer->mean) / (model->p * repeats + model->q - 1);
}
