/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/bgnbd.h"
#include "model/learn/gamma_gamma.h"

enum { CUSTOMERS = 4000 };

static uint64_t state = 88172645463325252u;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* Marsaglia and Tsang (2000), scale 1. */
static double draw_gamma(double shape)
{
    if (shape < 1)
        return draw_gamma(shape + 1) * pow(uniform(), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = normal(), v = 1 + c * x;
        v = v * v * v;
        if (v > 0 && log(uniform()) < x * x / 2 + d - d * v + d * log(v))
            return d * v;
    }
}

/* Customers as the two models say they are, seen for 30 to 50 weeks. */
static void simulate(const struct shoal_bgnbd *buying, const struct shoal_gamma_gamma *spend,
                     struct shoal_customer *customers)
{
    for (size_t i = 0; i < CUSTOMERS; i++) {
        double rate = draw_gamma(buying->r) / buying->alpha;
        double ga = draw_gamma(buying->a), gb = draw_gamma(buying->b), leaves = ga / (ga + gb);
        double nu = draw_gamma(spend->q) / spend->v, paid = 0;
        struct shoal_customer *customer = &customers[i];
        *customer = (struct shoal_customer){.age = 30 + 20 * uniform()};
        double at = -log(uniform()) / rate;
        for (bool stays = true; stays && at < customer->age; at -= log(uniform()) / rate) {
            customer->repeats++;
            customer->last = at;
            paid += draw_gamma(spend->p) / nu;
            stays = uniform() >= leaves;
        }
        customer->mean = customer->repeats > 0 ? paid / customer->repeats : 0;
    }
}

static void assert_within(double got, double wanted, double errors, double error)
{
    cr_assert(error > 0 && fabs(got - wanted) < errors * error, "%g, not %g ± %g", got, wanted,
              error);
}

Test(bgnbd, parameters_are_found_again_within_their_standard_errors)
{
    static struct shoal_customer customers[CUSTOMERS];
    struct shoal_bgnbd buying = {0.8, 6, 0.7, 2.5};
    struct shoal_gamma_gamma spend = {4, 3.5, 20};
    simulate(&buying, &spend, customers);
    struct shoal_bgnbd_fit fit;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_bgnbd_fit(customers, CUSTOMERS, &fit, &why), SHOAL_OK, "%s", why.text);
    assert_within(fit.model.r, buying.r, 3, fit.error.r);
    assert_within(fit.model.alpha, buying.alpha, 3, fit.error.alpha);
    assert_within(fit.model.a, buying.a, 3, fit.error.a);
    assert_within(fit.model.b, buying.b, 3, fit.error.b);
    cr_assert_lt(fit.error.r, 0.1, "an error that is so large would hold anything");
    cr_assert_geq(fit.log_likelihood, shoal_bgnbd_log_likelihood(&buying, customers, CUSTOMERS));
    struct shoal_gamma_gamma_fit paid;
    cr_assert_eq(shoal_gamma_gamma_fit(customers, CUSTOMERS, &paid, &why), SHOAL_OK, "%s",
                 why.text);
    assert_within(paid.model.p, spend.p, 3, paid.error.p);
    assert_within(paid.model.q, spend.q, 3, paid.error.q);
    assert_within(paid.model.v, spend.v, 3, paid.error.v);
    cr_assert_lt(paid.error.q, 0.5);
}

Test(bgnbd, the_order_of_the_customers_does_not_matter_but_for_rounding)
{
    static struct shoal_customer customers[CUSTOMERS], turned[CUSTOMERS];
    simulate(&(struct shoal_bgnbd){0.8, 6, 0.7, 2.5}, &(struct shoal_gamma_gamma){4, 3.5, 20},
             customers);
    for (size_t i = 0; i < CUSTOMERS; i++)
        turned[i] = customers[CUSTOMERS - 1 - i];
    struct shoal_bgnbd_fit first, again, other;
    cr_assert_eq(shoal_bgnbd_fit(customers, CUSTOMERS, &first, NULL), SHOAL_OK);
    cr_assert_eq(shoal_bgnbd_fit(customers, CUSTOMERS, &again, NULL), SHOAL_OK);
    cr_assert_eq(shoal_bgnbd_fit(turned, CUSTOMERS, &other, NULL), SHOAL_OK);
    cr_assert_eq(memcmp(&first, &again, sizeof first), 0, "the same data give the same bits");
    cr_assert_float_eq(first.model.a, other.model.a, 1e-3);
}

Test(bgnbd, too_few_customers_are_refused_with_how_many_are_needed)
{
    struct shoal_customer customers[60];
    for (size_t i = 0; i < 60; i++)
        customers[i] =
            (struct shoal_customer){.repeats = i < 19, .last = i < 19, .age = 5, .mean = i < 19};
    struct shoal_bgnbd_fit fit;
    struct shoal_gamma_gamma_fit spend;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_bgnbd_fit(customers, 60, &fit, &why), SHOAL_TOO_FEW);
    cr_assert(strstr(why.text, "at least 50") && strstr(why.text, "19"), "%s", why.text);
    cr_assert_eq(shoal_gamma_gamma_fit(customers, 60, &spend, &why), SHOAL_TOO_FEW);
    cr_assert(strstr(why.text, "at least 20") && strstr(why.text, "19"), "%s", why.text);
    cr_assert_eq(shoal_bgnbd_fit(customers, 0, &fit, &why), SHOAL_TOO_FEW);
}

Test(bgnbd, customers_who_are_all_alike_still_give_finite_parameters)
{
    struct shoal_customer customers[100];
    for (size_t i = 0; i < 100; i++)
        customers[i] = (struct shoal_customer){.repeats = 3, .last = 9, .age = 10, .mean = 1};
    struct shoal_bgnbd_fit fit;
    struct shoal_gamma_gamma_fit spend;
    cr_assert_eq(shoal_bgnbd_fit(customers, 100, &fit, NULL), SHOAL_OK);
    cr_assert(isfinite(fit.model.r) && isfinite(fit.model.alpha) && fit.model.a > 0 &&
              fit.model.b > 0);
    cr_assert_eq(shoal_gamma_gamma_fit(customers, 100, &spend, NULL), SHOAL_OK);
    cr_assert_float_eq(shoal_gamma_gamma_expected(&spend.model, &customers[0]), 1, 0.01);
    double expected = shoal_bgnbd_expected(&fit.model, &customers[0], 10);
    cr_assert(expected > 1.5 && expected < 4.5, "%g", expected);
}
