/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of purchases, and their numbers; see baskets.h. */
#include "tools/baskets.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 1 << 20, ROWS_FIRST = 1 << 14 };
static const int64_t DAY_MS = INT64_C(86400000);

void shoal_baskets_init(struct shoal_baskets *baskets)
{
    *baskets = (struct shoal_baskets){.from_ms = INT64_MAX};
    shoal_arena_init(&baskets->arena, ARENA_BLOCK_BYTES);
}

void shoal_baskets_finish(struct shoal_baskets *baskets)
{
    shoal_arena_finish(&baskets->arena);
    free(baskets->rows);
    free(baskets->lines);
    free((void *)baskets->items);
    *baskets = (struct shoal_baskets){0};
}

enum shoal_status shoal_baskets_add(struct shoal_baskets *baskets, const char *customer, size_t customer_size,
                                    const char *order, const char *item, size_t item_size,
                                    int64_t time_ms)
{
    if (baskets->rows_count == baskets->rows_capacity) {
        size_t capacity = baskets->rows_capacity ? 2 * baskets->rows_capacity : ROWS_FIRST;
        struct shoal_basket_row *rows = realloc(baskets->rows, capacity * sizeof *rows);
        if (!rows)
            return SHOAL_NOMEM;
        baskets->rows = rows;
        baskets->rows_capacity = capacity;
    }
    struct shoal_basket_row row = {
        .customer = shoal_arena_copy(&baskets->arena, customer, customer_size),
        .order = order ? shoal_arena_copy(&baskets->arena, order, strlen(order)) : "",
        .item = shoal_arena_copy(&baskets->arena, item, item_size),
        .day = order ? 0 : (int32_t)(time_ms / DAY_MS),
        .time_ms = time_ms,
    };
    if (!row.customer || !row.order || !row.item)
        return SHOAL_NOMEM;
    baskets->rows[baskets->rows_count++] = row;
    return SHOAL_OK;
}

void shoal_baskets_keep(struct shoal_baskets *baskets, bool (*stays)(void *context, size_t row),
                        void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < baskets->rows_count; i++)
        if (stays(context, i))
            baskets->rows[kept++] = baskets->rows[i];
    baskets->rows_count = kept;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static int by_item(const void *a, const void *b)
{
    const struct shoal_basket_row *left = a, *right = b;
    return strcmp(left->item, right->item);
}

static int by_basket(const void *a, const void *b)
{
    const struct shoal_basket_row *left = *(const struct shoal_basket_row *const *)a;
    const struct shoal_basket_row *right = *(const struct shoal_basket_row *const *)b;
    int order = strcmp(left->customer, right->customer);
    if (order == 0)
        order = strcmp(left->order, right->order);
    return order ? order : (left->day > right->day) - (left->day < right->day);
}

enum shoal_status shoal_baskets_number(struct shoal_baskets *baskets)
{
    size_t count = baskets->rows_count;
    struct shoal_basket_row **order = malloc((count + 1) * sizeof *order);
    baskets->lines = malloc((count + 1) * sizeof *baskets->lines);
    baskets->items = malloc((count + 1) * sizeof *baskets->items);
    enum shoal_status status = order && baskets->lines && baskets->items ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        if (count > 0)
            qsort(baskets->rows, count, sizeof *baskets->rows, by_item);
        for (size_t i = 0; i < count; i++) {
            if (i == 0 || strcmp(baskets->rows[i].item, baskets->rows[i - 1].item) != 0)
                baskets->items[baskets->items_count++] = baskets->rows[i].item;
            baskets->lines[i].item = (uint32_t)(baskets->items_count - 1);
            order[i] = &baskets->rows[i];
            if (order[i]->time_ms < baskets->from_ms)
                baskets->from_ms = order[i]->time_ms;
            if (order[i]->time_ms > baskets->until_ms)
                baskets->until_ms = order[i]->time_ms;
        }
        qsort((void *)order, count, sizeof *order, by_basket);
        uint32_t basket = 0, customer = 0;
        for (size_t i = 0; i < count; i++) {
            basket += i > 0 && by_basket((void *)&order[i], (void *)&order[i - 1]) != 0;
            customer += i > 0 && strcmp(order[i]->customer, order[i - 1]->customer) != 0;
            struct shoal_bought *line = &baskets->lines[order[i] - baskets->rows];
            line->basket = basket;
            line->customer = customer;
        }
    }
    free((void *)order);
    return status;
}
