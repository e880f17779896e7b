/* SPDX-License-Identifier: Apache-2.0 */
/* Two binary heaps of timers; see timer_queue.h. */
#include "stream/timer_queue.h"

#include <stdlib.h>
#include <string.h>

enum { FETCH_COUNT = 8192 };

void shoal_timer_queue_finish(struct shoal_timer_queue *queue)
{
    free(queue->heap.list);
    free(queue->voided.list);
    *queue = (struct shoal_timer_queue){0};
}

void shoal_timer_queue_clear(struct shoal_timer_queue *queue)
{
    queue->fetched = false;
    queue->until_ms = 0;
    queue->heap.count = queue->voided.count = 0;
}

/* ---- a heap -------------------------------------------------------------------------------- */

/* < 0: a is due before b. */
static int order(const struct shoal_timer_entry *a, const struct shoal_timer_entry *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms ? -1 : 1;
    size_t common = a->user_size < b->user_size ? a->user_size : b->user_size;
    int bytes = memcmp(a->user, b->user, common);
    return bytes ? bytes : (int)a->user_size - (int)b->user_size;
}

static enum shoal_status push(struct shoal_timer_heap *heap, const char *user, size_t user_size,
                              int64_t due_ms)
{
    if (heap->count == heap->capacity) {
        size_t want = heap->capacity ? 2 * heap->capacity : 64;
        struct shoal_timer_entry *grown = realloc(heap->list, want * sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        heap->list = grown;
        heap->capacity = want;
    }
    struct shoal_timer_entry entry = {.due_ms = due_ms, .user_size = (uint8_t)user_size};
    memcpy(entry.user, user, user_size);
    size_t at = heap->count++;
    for (; at > 0 && order(&entry, &heap->list[(at - 1) / 2]) < 0; at = (at - 1) / 2)
        heap->list[at] = heap->list[(at - 1) / 2];
    heap->list[at] = entry;
    return SHOAL_OK;
}

static void drop_first(struct shoal_timer_heap *heap)
{
    const struct shoal_timer_entry *last = &heap->list[--heap->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && order(&heap->list[child + 1], &heap->list[child]) < 0)
            child++;
        if (order(&heap->list[child], last) >= 0)
            break;
        heap->list[at] = heap->list[child];
    }
    heap->list[at] = *last;
}

/* ---- the queue ----------------------------------------------------------------------------- */

enum shoal_status shoal_timer_queue_move(struct shoal_timer_queue *queue, const char *user,
                                         size_t user_size, int64_t before_ms, int64_t due_ms)
{
    enum shoal_status status = SHOAL_OK;
    if (!queue->fetched)
        return SHOAL_OK;
    if (before_ms && before_ms <= queue->until_ms)
        status = push(&queue->voided, user, user_size, before_ms);
    if (status == SHOAL_OK && due_ms && due_ms <= queue->until_ms)
        status = push(&queue->heap, user, user_size, due_ms);
    return status;
}

struct fetch {
    struct shoal_timer_queue *queue;
    struct shoal_cache *cache;
    int32_t partition;
};

/* What a record in memory says is newer. */
static enum shoal_status take(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct fetch *fetch = opaque;
    const struct shoal_cache_entry *entry =
        shoal_cache_peek(fetch->cache, fetch->partition, user.bytes, user.size);
    if (entry && entry->loaded && entry->record.timer_ms != timer_ms)
        return SHOAL_OK;
    return push(&fetch->queue->heap, user.bytes, user.size, timer_ms);
}

/* Entries between the two times that the store does not know of yet. */
static enum shoal_status take_unsaved(struct fetch *fetch, int64_t after_ms, int64_t until_ms)
{
    size_t count;
    struct shoal_cache_entry *const *dirty =
        shoal_cache_dirty_of(fetch->cache, fetch->partition, &count);
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < count && status == SHOAL_OK; i++) {
        const struct shoal_record *record = &dirty[i]->record;
        if (record->timer_ms != dirty[i]->timer_saved_ms && record->timer_ms > after_ms &&
            record->timer_ms <= until_ms)
            status = push(&fetch->queue->heap, dirty[i]->user, dirty[i]->user_size,
                          record->timer_ms);
    }
    return status;
}

enum shoal_status shoal_timer_queue_fetch(struct shoal_timer_queue *queue,
                                          struct shoal_store *store, struct shoal_cache *cache,
                                          int32_t partition, int64_t due_ms,
                                          struct shoal_message *message)
{
    struct fetch fetch = {queue, cache, partition};
    while (!queue->fetched || queue->until_ms < due_ms) {
        int64_t after_ms = queue->fetched ? queue->until_ms : 0, until_ms;
        enum shoal_status status = store->ops->timers(store, partition, after_ms, FETCH_COUNT, take,
                                                      &fetch, &until_ms, message);
        if (status == SHOAL_OK)
            status = take_unsaved(&fetch, after_ms, until_ms);
        if (status != SHOAL_OK)
            return status == SHOAL_NOMEM ? shoal_fail(message, status, "out of memory") : status;
        queue->until_ms = until_ms;
        queue->fetched = true;
    }
    return SHOAL_OK;
}

int64_t shoal_timer_queue_next(struct shoal_timer_queue *queue)
{
    while (queue->voided.count && queue->heap.count &&
           order(&queue->voided.list[0], &queue->heap.list[0]) == 0) {
        drop_first(&queue->voided);
        drop_first(&queue->heap);
    }
    return queue->heap.count ? queue->heap.list[0].due_ms : INT64_MAX;
}

void shoal_timer_queue_pop(struct shoal_timer_queue *queue, struct shoal_timer_entry *entry)
{
    *entry = queue->heap.list[0];
    drop_first(&queue->heap);
}
