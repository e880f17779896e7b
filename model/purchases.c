/* SPDX-License-Identifier: Apache-2.0 */
/* Counting purchases; see purchases.h. */
#include "model/purchases.h"

#include <math.h>
#include <stdbool.h>

static const int64_t DAY_MS = INT64_C(86400000);
/* A sum that would leave the range of float stays at this. */
static const float SPENT_MAX = 1e30f;

double shoal_purchase_amount(double price, double quantity)
{
    if (isnan(price) || price < 0)
        return NAN;
    return isnan(quantity) || quantity < 0 ? price : price * quantity;
}

void shoal_purchases_add(struct shoal_purchases *purchases, int64_t time_ms, double amount)
{
    bool same_day = purchases->occasions > 0 && time_ms / DAY_MS == purchases->last_ms / DAY_MS;
    if (!same_day) {
        int64_t second_ms = time_ms - time_ms % 1000;
        if (purchases->occasions == 0)
            purchases->first_ms = second_ms;
        if (purchases->occasions < UINT32_MAX)
            purchases->occasions++;
        purchases->last_ms = second_ms;
    }
    if (purchases->occasions < 2)
        return;
    float paid = isnan(amount) || amount < 0 ? 1.0f : (float)fmin(amount, (double)SPENT_MAX);
    purchases->spent = fminf(purchases->spent + paid, SPENT_MAX);
}
