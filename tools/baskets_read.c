/* SPDX-License-Identifier: Apache-2.0 */
/* From a table of purchases, or from events, to rows of baskets; see baskets.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stream/reader.h"
#include "tools/baskets.h"
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

enum { EVENTS_ARENA_BYTES = 1 << 16, SHOW_EVERY = 1 << 12 };

struct loader {
    struct shoal_baskets *baskets;
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    struct shoal_progress progress;
    uint64_t messages, refused;
};

/* The purchases of one message. */
static enum shoal_status take(struct loader *loader, const struct shoal_input *input)
{
    size_t count;
    enum shoal_status status = SHOAL_OK;
    shoal_arena_reset(&loader->arena);
    loader->messages++;
    if (shoal_decode(loader->decoder, input, &loader->arena, loader->events, &count, NULL) != SHOAL_OK) {
        loader->refused++;
        return SHOAL_OK;
    }
    for (size_t i = 0; i < count && status == SHOAL_OK; i++) {
        const struct shoal_event *event = &loader->events[i];
        char digits[24];
        size_t size;
        const char *item = event->touch.behavior == SHOAL_BUY ? shoal_event_item(event, digits, &size) : NULL;
        if (!item)
            continue;
        if (event->quantity <= 0)
            loader->baskets->returned++;
        else
            status = shoal_baskets_add(loader->baskets, event->user, event->user_size, NULL, item, size,
                                       event->touch.time_ms);
    }
    return status;
}

static enum shoal_status read_file(struct loader *loader, const char *path,
                                   struct shoal_message *message)
{
    struct shoal_reader *reader = NULL;
    enum shoal_status status = shoal_reader_open(path, 1, &reader, message);
    while (status == SHOAL_OK) {
        struct shoal_input input;
        status = shoal_reader_next(reader, &input, message);
        if (status == SHOAL_OK)
            status = take(loader, &input);
        if (loader->messages % SHOW_EVERY == 0)
            shoal_progress_update(&loader->progress, -1, loader->messages);
    }
    shoal_reader_close(reader);
    return status == SHOAL_END ? SHOAL_OK : status;
}

static enum shoal_status read_events(const struct shoal_cli_args *args, struct shoal_baskets *baskets,
                                     struct shoal_message *message)
{
    struct loader *loader = calloc(1, sizeof *loader);
    char *list = strdup(shoal_cli_get(args, "events"));
    enum shoal_status status = loader && list ? SHOAL_OK : SHOAL_NOMEM;
    if (loader) {
        loader->baskets = baskets;
        shoal_arena_init(&loader->arena, EVENTS_ARENA_BYTES);
    }
    if (status == SHOAL_OK)
        status = shoal_decoder_create(NULL, &loader->decoder);
    if (status == SHOAL_OK)
        shoal_progress_start(&loader->progress, "read", "messages");
    for (char *rest = list, *path; status == SHOAL_OK && (path = strsep(&rest, ","));) {
        if (*path)
            status = read_file(loader, path, message);
    }
    if (loader) {
        shoal_progress_end(&loader->progress);
        if (loader->refused)
            fprintf(stderr, "%" PRIu64 " of %" PRIu64 " messages cannot be read and are left out\n",
                    loader->refused, loader->messages);
        shoal_decoder_destroy(loader->decoder);
        shoal_arena_finish(&loader->arena);
    }
    free(loader);
    free(list);
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
