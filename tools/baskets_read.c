/* SPDX-License-Identifier: Apache-2.0 */
/* From a table of purchases, or from events, to rows of baskets; see baskets.h. */
#include <inttypes.h>
#include <string.h>

#include "tools/baskets.h"
#include "tools/load_events.h"
#include "tools/setup.h"
#include "tools/table.h"

/* ---- a table ------------------------------------------------------------------------------- */

/* order and quantity are SIZE_MAX where no column is named. */
struct columns {
    size_t customer, date, item, order, quantity;
};

static enum shoal_status find_one(const struct shoal_cli_args *args, const struct shoal_table *table,
                                  const char *option, size_t *column, struct shoal_message *message)
{
    struct shoal_message why = {""};
    const char *name = shoal_cli_get(args, option);
    *column = SIZE_MAX;
    if (!name || shoal_table_column_of(table, name, column, &why) == SHOAL_OK)
        return SHOAL_OK;
    return shoal_fail(message, SHOAL_NOT_FOUND, "%.400s; --%s COLUMN names another", why.text, option);
}

static enum shoal_status find_columns(const struct shoal_cli_args *args, const struct shoal_table *table,
                                      struct columns *columns, struct shoal_message *message)
{
    enum shoal_status status = find_one(args, table, "customer", &columns->customer, message);
    if (status == SHOAL_OK)
        status = find_one(args, table, "date", &columns->date, message);
    if (status == SHOAL_OK)
        status = find_one(args, table, "item", &columns->item, message);
    if (status == SHOAL_OK)
        status = find_one(args, table, "order", &columns->order, message);
    if (status == SHOAL_OK)
        status = find_one(args, table, "quantity", &columns->quantity, message);
    return status;
}

static enum shoal_status add_row(const struct shoal_table *table, size_t at, const struct columns *columns,
                                 struct shoal_baskets *baskets, struct shoal_message *message)
{
    int64_t time_ms;
    double quantity = 1;
    const char *customer = shoal_table_text(table, at, columns->customer);
    const char *item = shoal_table_text(table, at, columns->item);
    enum shoal_status status = shoal_table_time(table, at, columns->date, &time_ms, message);
    if (status == SHOAL_OK && columns->quantity != SIZE_MAX)
        status = shoal_table_number(table, at, columns->quantity, &quantity, message);
    if (status != SHOAL_OK)
        return status;
    if (!customer[0] || !item[0]) {
        baskets->anonymous++;
        return SHOAL_OK;
    }
    if (quantity <= 0) {
        baskets->returned++;
        return SHOAL_OK;
    }
    const char *order =
        columns->order == SIZE_MAX ? NULL : shoal_table_text(table, at, columns->order);
    return shoal_baskets_add(baskets, customer, strlen(customer), order, item, strlen(item), time_ms);
}

static enum shoal_status read_table(const struct shoal_cli_args *args, struct shoal_baskets *baskets,
                                    struct shoal_message *message)
{
    struct shoal_table *table;
    struct columns columns;
    enum shoal_status status =
        shoal_table_open(shoal_cli_get(args, "purchases"), SHOAL_TABLE_CSV, &table, message);
    if (status == SHOAL_OK)
        status = find_columns(args, table, &columns, message);
    for (size_t at = 0; status == SHOAL_OK && at < shoal_table_rows(table); at++)
        status = add_row(table, at, &columns, baskets, message);
    shoal_table_close(table);
    return status;
}
