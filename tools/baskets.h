/* SPDX-License-Identifier: Apache-2.0 */
/* What was bought together, as numbers: rows of (customer, basket, item) with their texts, from a table of
 * purchases or from events, for model/learn/bundles.h.
 *
 * A basket is an order where the table has a column that names it, else what one customer bought on one day
 * (UTC). Numbers are by the order of the texts, so they do not depend on the order of the rows. */
#ifndef SHOAL_BASKETS_H
#define SHOAL_BASKETS_H

#include "model/base/arena.h"
#include "model/learn/bundles.h"
#include "tools/cli.h"

/* A row as it was read; texts are in the arena. */
struct shoal_basket_row {
    const char *customer, *order, *item; /* order: "" where the day is the basket */
    int32_t day;                         /* since 1970; 0 where the order is the basket */
    int64_t time_ms;
};

/* Zeroed but for the arena: empty. */
struct shoal_baskets {
    struct shoal_arena arena;
    struct shoal_basket_row *rows; /* until they are numbered */
    size_t rows_count, rows_capacity;
    struct shoal_bought *lines;
    const char **items; /* names by number */
    size_t items_count;
    int64_t from_ms, until_ms; /* once numbered: first and last purchase; INT64_MAX and 0: none */
    size_t anonymous, returned; /* rows without a customer; of no quantity, or less */
};

void shoal_baskets_init(struct shoal_baskets *baskets);
void shoal_baskets_finish(struct shoal_baskets *baskets);
/* Texts are copied; order NULL: the day is the basket. NOMEM. */
enum shoal_status shoal_baskets_add(struct shoal_baskets *baskets, const char *customer, size_t customer_size,
                                    const char *order, const char *item, size_t item_size,
                                    int64_t time_ms) SHOAL_MUST_CHECK;
/* Leaves out the rows for which `stays` is false; it is asked for each in order, by its number before any is left
 * out. Not after they are numbered. */
void shoal_baskets_keep(struct shoal_baskets *baskets, bool (*stays)(void *context, size_t row),
                        void *context);
/* Makes lines (rows_count of them) and items from the rows. NOMEM. */
enum shoal_status shoal_baskets_number(struct shoal_baskets *baskets) SHOAL_MUST_CHECK;

/* Reads --purchases with its columns, or --events, and numbers them. Says on standard error what was left out,
 * or why it failed. Returns an exit code. */
int shoal_baskets_load(const struct shoal_cli_args *args, struct shoal_baskets *baskets);

#endif
