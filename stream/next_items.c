/* SPDX-License-Identifier: Apache-2.0 */
/* Next items as a look-up; see next_items.h. */
#include "stream/next_items.h"

#include <stdio.h>
#include <stdlib.h>

const char *shoal_item_goal_name(enum shoal_item_goal goal)
{
    return goal == SHOAL_GOAL_BUY ? "buy" : "any";
}

enum shoal_status shoal_next_items_find(struct shoal_next_items *next)
{
    const struct shoal_items *items = next->model->items;
    const struct shoal_record *record = &next->person->record;
    bool known = next->person->known;
    float rates[SHOAL_COUNTERS] = {0};
    struct shoal_items_room *room = NULL;
    size_t most = next->wanted < shoal_items_count(items) ? next->wanted : shoal_items_count(items);
    if (known)
        shoal_person_rates(next->person, next->now_ms, rates);
    const struct shoal_item_query query = {
        .h = known ? record->h : NULL,
        .rates = rates,
        .ring = record->ring,
        .ring_count = known ? record->ring_count : 0, /* who declined to be processed is not known */
        .now_ms = next->now_ms,
        .goal = next->goal,
        .without_bought = next->without_bought,
    };
    next->picks = malloc(most * sizeof *next->picks);
    enum shoal_status status = next->picks ? shoal_items_room_create(items, 1, &room) : SHOAL_NOMEM;
    if (status != SHOAL_OK)
        return status;
    shoal_items_top(items, room, &query, 1, most, next->picks, &next->count);
    shoal_items_room_destroy(room);
    return SHOAL_OK;
}

void shoal_next_items_finish(struct shoal_next_items *next)
{
    free(next->picks);
    next->picks = NULL;
}

void shoal_next_items_put(const struct shoal_next_items *next, struct shoal_put *put)
{
    const struct shoal_items *items = next->model->items;
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "user_id", next->user);
    shoal_put_flag(put, "known", next->person->known);
    shoal_put_text(put, "why", next->person->known ? "history" : "popular");
    shoal_put_text(put, "model", next->model->version);
    if (next->person->known)
        shoal_put_time(put, "at", next->now_ms);
    else
        shoal_put_null(put, "at");
    shoal_put_text(put, "goal", shoal_item_goal_name(next->goal));
    shoal_put_flag(put, "without_bought", next->without_bought);
    shoal_put_count(put, "wanted", next->wanted);
    shoal_put_count(put, "catalogue", shoal_items_count(items));
    shoal_put_open(put, "items", '[');
    for (size_t i = 0; i < next->count; i++) {
        size_t size;
        uint32_t item = next->picks[i].item;
        const char *id = shoal_items_id(items, item, &size);
        char text[SHOAL_ITEM_ID_MAX + 1];
        snprintf(text, sizeof text, "%.*s", (int)size, id);
        shoal_put_open(put, NULL, '{');
        shoal_put_text(put, "item", text);
        shoal_put_real(put, "score", (double)next->picks[i].score);
        if (shoal_items_category(items, item))
            shoal_put_count(put, "category", shoal_items_category(items, item));
        else
            shoal_put_null(put, "category");
        shoal_put_count(put, "support", shoal_items_support(items, item));
        shoal_put_close(put, '}');
    }
    shoal_put_close(put, ']');
    shoal_put_close(put, '}');
}
