/* SPDX-License-Identifier: Apache-2.0 */
/* From a table of purchases, or from events, to rows of baskets; see baskets.h. */
#include <stdio.h>
#include <string.h>

#include "state/memory_table.h"
#include "tools/baskets.h"
#include "tools/event_walk.h"
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

/* ---- events -------------------------------------------------------------------------------- */

/* `gone`: how many rows there were when a customer was forgotten last; those are left out. */
struct loader {
    struct shoal_baskets *baskets;
    struct shoal_table gone;
};

static enum shoal_status take(void *context, const struct shoal_event *event)
{
    struct loader *loader = context;
    char digits[24];
    size_t size;
    const char *item =
        event->touch.behavior == SHOAL_BUY ? shoal_event_item(event, digits, &size) : NULL;
    if (!item)
        return SHOAL_OK;
    if (event->quantity <= 0) {
        loader->baskets->returned++;
        return SHOAL_OK;
    }
    return shoal_baskets_add(loader->baskets, event->user, event->user_size, NULL, item, size,
                             event->touch.time_ms);
}

static enum shoal_status forget(void *context, const char *user, size_t user_size)
{
    struct loader *loader = context;
    const size_t *rows = &loader->baskets->rows_count;
    if (!shoal_table_reserve(&loader->gone, 1))
        return SHOAL_NOMEM;
    struct shoal_table_item *item = shoal_table_item(user, user_size, rows, sizeof *rows);
    if (item)
        shoal_table_put(&loader->gone, item);
    return item ? SHOAL_OK : SHOAL_NOMEM;
}

static bool stays(void *context, size_t row)
{
    const struct loader *loader = context;
    const char *customer = loader->baskets->rows[row].customer;
    const struct shoal_table_item *item = shoal_table_find(&loader->gone, customer, strlen(customer));
    size_t until = 0;
    if (item)
        memcpy(&until, shoal_table_value(item), sizeof until);
    return row >= until;
}

static enum shoal_status read_events(const struct shoal_cli_args *args, struct shoal_baskets *baskets,
                                     struct shoal_message *message)
{
    struct loader loader = {.baskets = baskets};
    struct shoal_walk walk = {
        shoal_cli_get(args, "pseudonym-key"), take, forget, &loader, {0},
    };
    enum shoal_status status = shoal_walk_events(shoal_cli_get(args, "events"), &walk, message);
    if (status == SHOAL_OK) {
        shoal_walked_tell(&walk.walked);
        if (loader.gone.count > 0)
            shoal_baskets_keep(baskets, stays, &loader);
    }
    shoal_table_finish(&loader.gone);
    return status;
}

/* ---- either -------------------------------------------------------------------------------- */

int shoal_baskets_load(const struct shoal_cli_args *args, struct shoal_baskets *baskets)
{
    struct shoal_message message = {.text = ""};
    bool table = shoal_cli_get(args, "purchases") != NULL;
    enum shoal_status status =
        table ? read_table(args, baskets, &message) : read_events(args, baskets, &message);
    if (status == SHOAL_OK)
        status = shoal_baskets_number(baskets);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s",
                              message.text[0] ? message.text : shoal_status_text(status));
    if (baskets->anonymous)
        fprintf(stderr, "%zu rows without a customer or an item are left out\n", baskets->anonymous);
    if (baskets->returned)
        fprintf(stderr, "%zu rows of no quantity, or less (returns), are left out\n", baskets->returned);
    return SHOAL_EXIT_OK;
}
