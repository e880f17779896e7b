/* SPDX-License-Identifier: Apache-2.0 */
/* Applies one micro-batch.
 *
 *   items (in message order)      u1 u2 u1 u3 u1
 *   rounds: round r holds every    r0: u1 u2 u3     one GEMM each; a user stands in a round once,
 *   user's r-th event              r1: u1           so rows are independent
 *                                  r2: u1
 *   outputs hang on their items and are emitted in message order at the end
 *
 * A batch is cut into spans (pipeline_span.c), whose events and timers in log order are p->line. What
 * happens to one of them is in pipeline_event.c and pipeline_forget.c.
 *
 * A user whose state was made under another model is rebuilt from the ring first, in rounds too. */
#include <string.h>

#include "stream/pipeline_internal.h"

enum {
    /* How many items ahead of a look-up its slot, and then its entry, is sent for. */
    SLOT_AHEAD = 16,
    ENTRY_AHEAD = 8,
    CHUNK_ITEMS = 256, /* rows of one GEMM, see step.c */
};

/* Sends for what look-ups to come will read: the slot of item i + SLOT_AHEAD, the entry of item
 * i + ENTRY_AHEAD. */
static void look_ahead(struct shoal_pipeline *p, size_t i)
{
    if (i + SLOT_AHEAD < p->line_count) {
        struct item *item = p->line[i + SLOT_AHEAD];
        if (item->event.user)
            item->hash = shoal_cache_expect(p->cache, item->event.partition, item->event.user,
                                            item->event.user_size);
    }
    if (i >= SLOT_AHEAD - ENTRY_AHEAD && i + ENTRY_AHEAD < p->line_count &&
        p->line[i + ENTRY_AHEAD]->event.user)
        shoal_cache_expect_entry(p->cache, p->line[i + ENTRY_AHEAD]->hash);
}

/* Finds or makes every item's cache entry and numbers the rounds. *rounds is set. */
static enum shoal_status look_up(struct shoal_pipeline *p, uint32_t *rounds)
{
    *rounds = 0;
    for (size_t i = 0; i < p->line_count; i++) {
        struct item *item = p->line[i];
        look_ahead(p, i);
        if (!item->event.user)
            continue; /* dead letter */
        item->entry = shoal_cache_get(p->cache, item->event.partition, item->event.user,
                                      item->event.user_size, p->batch);
        if (!item->entry)
            return SHOAL_NOMEM;
        item->round = item->entry->round++;
        if (item->round >= *rounds)
            *rounds = item->round + 1;
    }
    return SHOAL_OK;
}

/* Counting sort of items by round: order[round_start[r] … round_start[r + 1]) is round r. */
static void sort_rounds(struct shoal_pipeline *p, uint32_t rounds)
{
    memset(p->round_start, 0, (rounds + 1) * sizeof *p->round_start);
    for (size_t i = 0; i < p->line_count; i++) {
        if (p->line[i]->entry) {
            p->line[i]->entry->round = 0;
            p->round_start[p->line[i]->round + 1]++;
        }
    }
    for (uint32_t r = 0; r < rounds; r++)
        p->round_start[r + 1] += p->round_start[r];
    for (size_t i = 0; i < p->line_count; i++) {
        if (p->line[i]->entry)
            p->order[p->round_start[p->line[i]->round]++] = (uint32_t)i;
    }
    for (uint32_t r = rounds; r > 0; r--)
        p->round_start[r] = p->round_start[r - 1];
    p->round_start[0] = 0;
}

/* Loads `count` entries from missing[], all of one partition. */
static enum shoal_status load_partition(struct shoal_pipeline *p, struct shoal_cache_entry **missing,
                                        size_t count, struct shoal_message *message)
{
    for (size_t i = 0; i < count; i++)
        p->keys[i] = (struct shoal_slice){missing[i]->user, missing[i]->user_size};
    enum shoal_status status = p->store->ops->load(p->store, missing[0]->partition, p->keys, count,
                                                   p->values, message);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (p->values[i].bytes) {
            status = shoal_record_decode(&missing[i]->record, p->values[i].bytes, p->values[i].size);
            if (status != SHOAL_OK)
                return shoal_fail(message, status, "record of user '%.*s': %s",
                                  (int)missing[i]->user_size, missing[i]->user,
                                  shoal_status_text(status));
        }
        missing[i]->timer_saved_ms = missing[i]->record.timer_ms;
        missing[i]->loaded = true;
    }
    p->counts.loaded += count;
    return SHOAL_OK;
}

/* Loads every entry of the batch that is not in memory, partition by partition. */
static enum shoal_status load_missing(struct shoal_pipeline *p, struct shoal_message *message)
{
    size_t count = 0;
    for (size_t i = 0; i < p->line_count; i++) {
        struct shoal_cache_entry *entry = p->line[i]->entry;
        if (!entry || entry->loaded || p->line[i]->round != 0)
            continue;
        p->missing[count++] = entry;
    }
    /* Few partitions a worker: picking them out one by one is cheaper than sorting. */
    for (size_t done = 0; done < count;) {
        int32_t partition = p->missing[done]->partition;
        size_t end = done + 1;
        for (size_t i = done + 1; i < count; i++) {
            if (p->missing[i]->partition == partition) {
                struct shoal_cache_entry *entry = p->missing[i];
                p->missing[i] = p->missing[end];
                p->missing[end++] = entry;
            }
        }
        enum shoal_status status = load_partition(p, p->missing + done, end - done, message);
        if (status != SHOAL_OK)
            return status;
        done = end;
    }
    return SHOAL_OK;
}

/* Recomputes h and c of users whose state belongs to another model, from their rings: round r steps
 * everyone's r-th remembered event. */
static void rebuild_stale(struct shoal_pipeline *p)
{
    const struct shoal_model *model = p->options.model;
    size_t count = 0;
    uint8_t longest = 0;
    for (size_t i = 0; i < p->line_count; i++) {
        struct shoal_cache_entry *entry = p->line[i]->entry;
        if (!entry || pipeline_is_stale(p->line[i]) || entry->record.model == model->id)
            continue;
        struct shoal_record *record = &entry->record;
        if (record->ring_count > 0)
            p->counts.rebuilt++;
        memset(record->h, 0, record->hidden * sizeof *record->h);
        memset(record->c, 0, record->hidden * sizeof *record->c);
        record->model = model->id;
        record->pending = (struct shoal_pending){{0}};
        /* Even if its event turns out to be a repeat: whether a record was rebuilt must not depend on
         * whether it stayed in the cache, since a model may come back. */
        shoal_cache_mark_dirty(p->cache, entry);
        p->missing[count++] = entry;
        if (record->ring_count > longest)
            longest = record->ring_count;
    }
    for (uint8_t r = 0; r < longest; r++) {
        size_t rows = 0;
        for (size_t i = 0; i < count; i++) {
            struct shoal_record *record = &p->missing[i]->record;
            if (r >= record->ring_count)
                continue;
            const struct shoal_touch *touch = &record->ring[r];
            int64_t gap_ms = r == 0 ? 0 : touch->time_ms - record->ring[r - 1].time_ms;
            struct shoal_step_row *row = &p->rows[rows++];
            shoal_features_of(&model->params.dims, record->ring, r, touch, gap_ms, &row->features);
            row->h = record->h;
            row->c = record->c;
            row->counters = NULL;
        }
        shoal_step_run(p->step, p->rows, rows);
    }
}

/* Items of a round that are taken from end to end together: their records then stay in the second-level
 * cache, where those of a whole micro-batch do not. */
static enum shoal_status run_chunk(struct shoal_pipeline *p, const uint32_t *order, size_t count)
{
    int64_t since = shoal_clock_ns();
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + RECORD_AHEAD < count)
            expect_record(p->line[order[i + RECORD_AHEAD]]->entry);
        if (i + REST_AHEAD < count)
            expect_rest(p->line[order[i + REST_AHEAD]]->entry);
        struct item *item = p->line[order[i]];
        if (item->event.timer) {
            enum shoal_status status = pipeline_fire(p, item);
            if (status != SHOAL_OK)
                return status;
        } else if (pipeline_bars(item)) {
            enum shoal_status status = pipeline_forget(p, item);
            if (status != SHOAL_OK)
                return status;
        } else if (pipeline_prepare(p, item, &p->rows[rows])) {
            p->row_item[rows++] = order[i];
        }
    }
    stage_done(p, SHOAL_STAGE_features, &since);
    shoal_step_run(p->step, p->rows, rows);
    stage_done(p, SHOAL_STAGE_step, &since);
    for (size_t i = 0; i < rows; i++) {
        enum shoal_status status = pipeline_conclude(p, p->line[p->row_item[i]], &p->rows[i]);
        if (status != SHOAL_OK)
            return status;
    }
    enum shoal_status status = pipeline_items_flush(p);
    stage_done(p, SHOAL_STAGE_decide, &since);
    return status;
}

static enum shoal_status run_round(struct shoal_pipeline *p, const uint32_t *order, size_t count)
{
    enum shoal_status status = SHOAL_OK;
    for (size_t done = 0; done < count && status == SHOAL_OK; done += CHUNK_ITEMS) {
        size_t left = count - done;
        status = run_chunk(p, order + done, left < CHUNK_ITEMS ? left : CHUNK_ITEMS);
    }
    return status;
}

static enum shoal_status emit_all(struct shoal_pipeline *p)
{
    for (size_t i = 0; i < p->line_count; i++) {
        for (const struct pending *at = p->line[i]->first; at; at = at->next) {
            enum shoal_status status = p->sink->ops->emit(p->sink, &at->output);
            if (status != SHOAL_OK)
                return status;
        }
    }
    return SHOAL_OK;
}

/* Applies all of p->line. */
static enum shoal_status run_span(struct shoal_pipeline *p, struct shoal_message *message)
{
    int64_t since = shoal_clock_ns();
    uint32_t rounds;
    enum shoal_status status = look_up(p, &rounds);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "no memory for users of a micro-batch");
    sort_rounds(p, rounds);
    p->counts.lookups += p->round_start[rounds];
    stage_done(p, SHOAL_STAGE_lookup, &since);
    status = load_missing(p, message);
    if (status != SHOAL_OK)
        return status;
    stage_done(p, SHOAL_STAGE_load, &since);
    rebuild_stale(p);
    for (uint32_t r = 0; r < rounds && status == SHOAL_OK; r++)
        status = run_round(p, p->order + p->round_start[r],
                           p->round_start[r + 1] - p->round_start[r]);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "no memory for the outputs of a micro-batch");
    since = shoal_clock_ns();
    status = emit_all(p);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "output could not be written: %s",
                          shoal_status_text(status));
    stage_done(p, SHOAL_STAGE_emit, &since);
    p->batch++;
    return SHOAL_OK;
}

enum shoal_status shoal_pipeline_run(struct shoal_pipeline *p, struct shoal_message *message)
{
    enum shoal_status status = p->items_count > 0 ? pipeline_items_prepare(p) : SHOAL_OK;
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "no memory for the items of decisions");
    for (size_t next = 0; next < p->items_count && status == SHOAL_OK;) {
        status = pipeline_next_span(p, &next, message);
        if (status == SHOAL_OK)
            status = run_span(p, message);
    }
    if (status != SHOAL_OK || p->items_count == 0)
        return status;
    p->items_count = 0;
    p->counts.batches++;
    shoal_arena_reset(&p->arena);
    return SHOAL_OK;
}
