/* SPDX-License-Identifier: Apache-2.0 */
/* A table of purchases as customers and the days on which they bought.
 *
 * CDNOW's text (customer, date, units, dollars; its 1/10 sample has a second customer number behind the first), or
 * CSV whose columns are named. What a customer buys on a day (UTC) is one purchase; amounts below 0 (returns)
 * lower their day's sum, and a day with a sum below 0 is no purchase. Rows without a customer are left out. */
#ifndef SHOAL_PURCHASES_TABLE_H
#define SHOAL_PURCHASES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/* Names of columns in CSV. */
struct shoal_purchases_columns {
    const char *customer, *date;
    const char *amount;           /* NULL: quantity times price */
    const char *quantity, *price; /* NULL where there is an amount */
};

/* One customer's purchases of one day. */
struct shoal_purchase_day {
    uint32_t customer; /* 0 … customers − 1 */
    int32_t day;       /* days since 1970 */
    double amount;     /* ≥ 0 */
};

struct shoal_purchases_table {
    struct shoal_purchase_day *days; /* owned; by customer, then day */
    size_t count, customers;
    int32_t first_day, last_day;
    size_t anonymous, returned; /* rows without a customer; days with a sum below 0 */
};

/* NOT_FOUND, IO, DAMAGED, TOO_FEW (no purchases), NOMEM, with file and line. A table that was read is finished by
 * the caller, also after a failure. */
enum shoal_status shoal_purchases_table_read(const char *path, const struct shoal_purchases_columns *columns,
                                             struct shoal_purchases_table *table,
                                             struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_purchases_table_finish(struct shoal_purchases_table *table);

#endif
