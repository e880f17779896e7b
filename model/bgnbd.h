/* SPDX-License-Identifier: Apache-2.0 */
/* What a customer's purchases so far let expect of the purchases to come.
 *
 * BG/NBD (Fader, Hardie, Lee 2005, "Counting your customers" the easy way): a customer buys at a rate drawn
 * from Gamma(r, α), and after every repeat purchase goes for good with a probability drawn from Beta(a, b).
 * Gamma-Gamma (Fader, Hardie, Lee 2005, RFM and CLV: Using iso-value curves): what a purchase pays is
 * Gamma(p, ν) with ν from Gamma(q, v), independent of how often is bought.
 *
 * A customer is known by x repeat purchases, the last of them t_x and now T after the first purchase, and by
 * the mean m of what the repeat purchases paid. The time unit is the week, as in the literature. */
#ifndef SHOAL_BGNBD_H
#define SHOAL_BGNBD_H

#include <stdint.h>

#include "model/purchases.h"

#define SHOAL_WEEK_MS 604800000.0

struct shoal_bgnbd {
    double r, alpha, a, b;
};

struct shoal_gamma_gamma {
    double p, q, v; /* q > 1: else nobody's mean spend is finite */
};

/* One customer at one time. */
struct shoal_customer {
    double repeats;   /* x */
    double last, age; /* t_x, T: weeks, 0 ≤ t_x ≤ T */
    double mean;      /* m; 0 without repeats */
};

/* The customer that the purchases make at now_ms; at least one occasion. A time before the last purchase
 * counts as its time. */
struct shoal_customer shoal_customer_at(const struct shoal_purchases *purchases, int64_t now_ms);

/* P(still a customer | x, t_x, T). */
double shoal_bgnbd_alive(const struct shoal_bgnbd *model, const struct shoal_customer *customer);
/* E[Y(t) | x, t_x, T]: purchases within the next `weeks`; finite, ≥ 0, at most (r + x)/(α + T)·t. */
double shoal_bgnbd_expected(const struct shoal_bgnbd *model, const struct shoal_customer *customer,
                            double weeks);
/* E[Y(t)] of somebody at the first purchase. */
double shoal_bgnbd_expected_new(const struct shoal_bgnbd *model, double weeks);
/* E[M | x, m]: what a purchase of this customer pays: between m and the mean of all. */
double shoal_gamma_gamma_expected(const struct shoal_gamma_gamma *model,
                                  const struct shoal_customer *customer);

#endif
