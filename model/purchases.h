/* SPDX-License-Identifier: Apache-2.0 */
/* A user's purchases in the four numbers that models of customer value need (Fader, Hardie, Lee 2005: x,
 * t_x, T and the mean spend follow from them). Purchases on one day (UTC) are one occasion, as the
 * literature counts them. */
#ifndef SHOAL_PURCHASES_H
#define SHOAL_PURCHASES_H

#include <stdint.h>

struct shoal_purchases {
    uint32_t occasions;        /* days with a purchase */
    int64_t first_ms, last_ms; /* of the first purchase and of the latest occasion's first, whole seconds; 0: none */
    float spent;               /* on all occasions but the first, in the log's currency */
};

/* Counts one purchase; times do not fall. `amount` is what was paid: price × quantity; NaN or negative (a
 * log without prices): 1, so that value is then counted in purchases. */
void shoal_purchases_add(struct shoal_purchases *purchases, int64_t time_ms, double amount);
/* What a purchase paid: price × quantity, a quantity that is not given being 1; NaN without a price. */
double shoal_purchase_amount(double price, double quantity);

#endif
