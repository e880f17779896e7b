/* SPDX-License-Identifier: Apache-2.0 */
/* From a table's rows to customers' days; see purchases_table.h. */
#include "tools/purchases_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/table.h"

static const int64_t DAY_MS = INT64_C(86400000);
/* Nobody pays more, and sums of it stay within float. */
static const double AMOUNT_MAX = 1e15;

/* Which columns hold what; quantity and price are SIZE_MAX where there is an amount, and it where not. */
struct columns {
    size_t customer, date, amount, quantity, price;
};

/* A row, before customers have numbers. */
struct row {
    const char *customer; /* in the table */
    int32_t day;
    double amount;
};

void shoal_purchases_table_finish(struct shoal_purchases_table *table)
{
    free(table->days);
    *table = (struct shoal_purchases_table){0};
}

/* ---- columns --------------------------------------------------------------------------------- */

static enum shoal_status find_one(const struct shoal_table *table, const char *option, const char *name,
                                  size_t *column, struct shoal_message *message)
{
    struct shoal_message why = {""};
    *column = SIZE_MAX;
    if (!name || shoal_table_column_of(table, name, column, &why) == SHOAL_OK)
        return SHOAL_OK;
    return shoal_fail(message, SHOAL_NOT_FOUND, "%.400s; --%s COLUMN names another", why.text, option);
}

static enum shoal_status find_columns(const struct shoal_table *table,
                                      const struct shoal_purchases_columns *names,
                                      struct columns *columns, struct shoal_message *message)
{
    size_t count = shoal_table_columns(table);
    if (shoal_table_form(table) == SHOAL_TABLE_WORDS) {
        if (count != 4 && count != 5)
            return shoal_fail(message, SHOAL_DAMAGED,
                              "%.300s:%zu: %zu columns, where a table without a header has 4 (customer, date, "
                              "units, dollars) or 5 (with a second customer number); others need a header of "
                              "names and commas",
                              shoal_table_path(table), shoal_table_line(table, 0), count);
        *columns = (struct columns){0, count - 3, count - 1, SIZE_MAX, SIZE_MAX};
        return SHOAL_OK;
    }
    enum shoal_status status = find_one(table, "customer", names->customer, &columns->customer, message);
    if (status == SHOAL_OK)
        status = find_one(table, "date", names->date, &columns->date, message);
    if (status == SHOAL_OK)
        status = find_one(table, "amount", names->amount, &columns->amount, message);
    if (status == SHOAL_OK)
        status = find_one(table, "quantity", names->quantity, &columns->quantity, message);
    if (status == SHOAL_OK)
        status = find_one(table, "price", names->price, &columns->price, message);
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static enum shoal_status read_row(const struct shoal_table *table, size_t at, const struct columns *columns,
                                  struct row *row, struct shoal_message *message)
{
    int64_t time_ms;
    double price = 1, amount;
    row->customer = shoal_table_text(table, at, columns->customer);
    bool given = columns->amount != SIZE_MAX;
    enum shoal_status status = shoal_table_time(table, at, columns->date, &time_ms, message);
    if (status == SHOAL_OK)
        status = shoal_table_number(table, at, given ? columns->amount : columns->quantity, &amount,
                                    message);
    if (status == SHOAL_OK && !given)
        status = shoal_table_number(table, at, columns->price, &price, message);
    if (status == SHOAL_OK) {
        row->day = (int32_t)(time_ms / DAY_MS);
        row->amount = amount * price;
        if (!(fabs(row->amount) <= AMOUNT_MAX))
            status = shoal_table_refuse(table, at, given ? columns->amount : columns->price,
                                        "makes an amount beyond 1e15", message);
    }
    return status;
}

static int by_customer_and_day(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strcmp(left->customer, right->customer);
    if (order == 0)
        order = (left->day > right->day) - (left->day < right->day);
    /* Sums do not depend on the order of the file. */
    return order ? order : (left->amount > right->amount) - (left->amount < right->amount);
}

/* Rows that stand in order become days. */
static void merge(const struct row *rows, size_t count, struct shoal_purchases_table *table)
{
    bool any = false; /* purchases of this customer */
    for (size_t i = 0; i < count;) {
        double sum = 0;
        size_t first = i;
        for (; i < count && rows[i].day == rows[first].day &&
               strcmp(rows[i].customer, rows[first].customer) == 0;
             i++)
            sum += rows[i].amount;
        if (first == 0 || strcmp(rows[first].customer, rows[first - 1].customer) != 0)
            any = false;
        if (sum < 0) {
            table->returned++;
            continue;
        }
        table->customers += !any;
        any = true;
        int32_t day = rows[first].day;
        if (table->count == 0 || day < table->first_day)
            table->first_day = day;
        if (table->count == 0 || day > table->last_day)
            table->last_day = day;
        table->days[table->count++] =
            (struct shoal_purchase_day){(uint32_t)(table->customers - 1), day, sum};
    }
}

static enum shoal_status take_rows(const struct shoal_table *table, const struct columns *columns,
                                   struct row *rows, struct shoal_purchases_table *purchases,
                                   struct shoal_message *message)
{
    size_t count = 0;
    for (size_t at = 0; at < shoal_table_rows(table); at++) {
        enum shoal_status status = read_row(table, at, columns, &rows[count], message);
        if (status != SHOAL_OK)
            return status;
        if (rows[count].customer[0])
            count++;
        else
            purchases->anonymous++;
    }
    qsort(rows, count, sizeof *rows, by_customer_and_day);
    merge(rows, count, purchases);
    if (purchases->count == 0)
        return shoal_fail(message, SHOAL_TOO_FEW, "%.300s:%zu: no purchases in the table",
                          shoal_table_path(table), (size_t)1);
    return SHOAL_OK;
}

enum shoal_status shoal_purchases_table_read(const char *path, const struct shoal_purchases_columns *columns,
                                             struct shoal_purchases_table *purchases,
                                             struct shoal_message *message)
{
    struct shoal_table *table;
    struct columns found;
    struct row *rows = NULL;
    *purchases = (struct shoal_purchases_table){0};
    enum shoal_status status = shoal_table_open(path, SHOAL_TABLE_ANY, &table, message);
    if (status == SHOAL_OK)
        status = find_columns(table, columns, &found, message);
    if (status == SHOAL_OK) {
        rows = malloc((shoal_table_rows(table) + 1) * sizeof *rows);
        purchases->days = malloc((shoal_table_rows(table) + 1) * sizeof *purchases->days);
        status = rows && purchases->days
                     ? take_rows(table, &found, rows, purchases, message)
                     : shoal_fail(message, SHOAL_NOMEM, "%.300s is too large for the memory", path);
    }
    free(rows);
    shoal_table_close(table);
    return status;
}
