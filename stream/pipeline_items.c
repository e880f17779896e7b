/* SPDX-License-Identifier: Apache-2.0 */
/* The next items of decisions that carry some.
 *
 * A look through a catalogue costs as much for one user as for many, so the decisions of a chunk wait for their
 * items together:
 *
 *   decided     bytes up to "expires_at" are hung on the item of the batch; the question waits
 *   flush       at the end of the chunk, or when BATCH of them wait: one look, and the bytes get their end
 *
 * A user is stepped once in a chunk, so what the question points to, the user's state and recent events, is
 * as it was when the decision was made. Picks do not depend on who else is asked for, and the first of a longer
 * list are the shorter one. */
#include <stdlib.h>
#include <string.h>

#include "stream/pipeline_internal.h"

enum { BATCH = 64 };

struct waiting {
    struct pending *pending;
    size_t count; /* items wanted */
    float rates[SHOAL_COUNTERS];
};

struct pipeline_items {
    struct shoal_items_room *room; /* for catalogues of this width */
    size_t width;
    size_t count;
    struct shoal_item_query queries[BATCH];
    struct waiting waiting[BATCH];
    struct shoal_item_pick picks[BATCH * SHOAL_OFFER_ITEMS_MAX];
    size_t counts[BATCH];
};

void pipeline_items_forget(struct shoal_pipeline *p)
{
    if (!p->next_items)
        return;
    shoal_items_room_destroy(p->next_items->room);
    free(p->next_items);
    p->next_items = NULL;
}

enum shoal_status pipeline_items_prepare(struct shoal_pipeline *p)
{
    const struct shoal_policy *policy = p->options.policy;
    const struct shoal_items *items = p->options.model->items;
    if (p->next_items)
        p->next_items->count = 0; /* of a batch that failed */
    if (!items || !policy || policy->items_most == 0)
        return SHOAL_OK;
    if (p->next_items && p->next_items->width == shoal_items_width(items))
        return SHOAL_OK; /* models and policies come and go, in recovery with every batch */
    pipeline_items_forget(p);
    struct pipeline_items *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    enum shoal_status status = shoal_items_room_create(items, BATCH, &made->room);
    made->width = shoal_items_width(items);
    p->next_items = made;
    if (status != SHOAL_OK)
        pipeline_items_forget(p);
    return status;
}

enum shoal_status pipeline_items_want(struct shoal_pipeline *p, const struct item *item,
                                      const struct shoal_promotion *promotion, int64_t now_ms,
                                      struct pending *pending)
{
    struct pipeline_items *next = p->next_items;
    const struct shoal_record *record = &item->entry->record;
    struct waiting *waiting = &next->waiting[next->count];
    waiting->pending = pending;
    waiting->count = promotion->items;
    memcpy(waiting->rates, item->rates, sizeof waiting->rates);
    next->queries[next->count++] = (struct shoal_item_query){
        .h = record->h,
        .rates = waiting->rates,
        .ring = record->ring,
        .ring_count = record->ring_count,
        .now_ms = now_ms,
        .goal = promotion->items_goal,
        .without_bought = promotion->without_bought,
    };
    return next->count == BATCH ? pipeline_items_flush(p) : SHOAL_OK;
}

/* The decision's bytes and their end. */
static enum shoal_status finish(struct shoal_pipeline *p, struct pending *pending,
                                const struct shoal_item_pick *picks, size_t count)
{
    struct shoal_output *output = &pending->output;
    shoal_buffer_clear(&p->scratch);
    shoal_output_items(p->options.format, p->options.model->items, picks, count, &p->scratch);
    char *whole = shoal_arena_alloc(&p->arena, output->value_size + p->scratch.size);
    if (!whole || p->scratch.failed)
        return SHOAL_NOMEM;
    memcpy(whole, output->value, output->value_size);
    memcpy(whole + output->value_size, p->scratch.bytes, p->scratch.size);
    output->value = whole;
    output->value_size += p->scratch.size;
    return SHOAL_OK;
}

enum shoal_status pipeline_items_flush(struct shoal_pipeline *p)
{
    struct pipeline_items *next = p->next_items;
    enum shoal_status status = SHOAL_OK;
    if (!next || next->count == 0)
        return SHOAL_OK;
    size_t most = p->options.policy->items_most;
    shoal_items_top(p->options.model->items, next->room, next->queries, next->count, most,
                    next->picks, next->counts);
    for (size_t i = 0; i < next->count && status == SHOAL_OK; i++) {
        size_t count = next->counts[i] < next->waiting[i].count ? next->counts[i]
                                                                : next->waiting[i].count;
        status = finish(p, next->waiting[i].pending, next->picks + i * most, count);
    }
    next->count = 0;
    return status;
}
