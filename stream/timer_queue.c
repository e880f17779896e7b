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
    free(queue->entries);
    free(queue->unused);
    *queue = (struct shoal_timer_queue){0};
}

void shoal_timer_queue_clear(struct shoal_timer_queue *queue)
{
    queue->fetched = false;
    queue->until_ms = 0;
    queue->heap.count = queue->voided.count = 0;
    queue->entries_count = queue->unused_count = 0;
}

/* ---- entries ------------------------------------------------------------------------------- */

/* A place for one more, *entry. NOMEM. */
static enum shoal_status take_entry(struct shoal_timer_queue *queue, uint32_t *entry)
{
    if (queue->unused_count > 0) {
        *entry = queue->unused[--queue->unused_count];
        return SHOAL_OK;
    }
    if (queue->entries_count == queue->entries_capacity) {
        uint32_t want = queue->entries_capacity ? 2 * queue->entries_capacity : 64;
        struct shoal_timer_entry *entries = realloc(queue->entries, want * sizeof *entries);
        if (entries)
            queue->entries = entries;
        uint32_t *unused = entries ? realloc(queue->unused, want * sizeof *unused) : NULL;
        if (!unused)
            return SHOAL_NOMEM;
        queue->unused = unused;
        queue->entries_capacity = want;
    }
    *entry = queue->entries_count++;
    return SHOAL_OK;
}

/* ---- a heap -------------------------------------------------------------------------------- */

enum { CHILDREN = 4 }; /* of a node: flatter, and the children of one share a cache line */

/* < 0: a is due before b. */
static int order(const struct shoal_timer_queue *queue, const struct shoal_timer_place *a,
                 const struct shoal_timer_place *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms ? -1 : 1;
    const struct shoal_timer_entry *one = &queue->entries[a->entry];
    const struct shoal_timer_entry *two = &queue->entries[b->entry];
    size_t common = one->user_size < two->user_size ? one->user_size : two->user_size;
    int bytes = memcmp(one->user, two->user, common);
    return bytes ? bytes : (int)one->user_size - (int)two->user_size;
}

static enum shoal_status push(struct shoal_timer_queue *queue, struct shoal_timer_heap *heap,
                              const char *user, size_t user_size, int64_t due_ms)
{
    struct shoal_timer_place place = {.due_ms = due_ms};
    if (heap->count == heap->capacity) {
        size_t want = heap->capacity ? 2 * heap->capacity : 64;
        struct shoal_timer_place *grown = realloc(heap->list, want * sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        heap->list = grown;
        heap->capacity = want;
    }
    if (take_entry(queue, &place.entry) != SHOAL_OK)
        return SHOAL_NOMEM;
    struct shoal_timer_entry *entry = &queue->entries[place.entry];
    entry->due_ms = due_ms;
    entry->user_size = (uint8_t)user_size;
    memcpy(entry->user, user, user_size);
    size_t at = heap->count++;
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / CHILDREN;
        if (order(queue, &place, &heap->list[parent]) >= 0)
            break;
        heap->list[at] = heap->list[parent];
    }
    heap->list[at] = place;
    return SHOAL_OK;
}

static void drop_first(struct shoal_timer_queue *queue, struct shoal_timer_heap *heap)
{
    queue->unused[queue->unused_count++] = heap->list[0].entry;
    struct shoal_timer_place last = heap->list[--heap->count];
    size_t at = 0;
    for (size_t child; (child = CHILDREN * at + 1) < heap->count; at = child) {
        size_t end = child + CHILDREN < heap->count ? child + CHILDREN : heap->count;
        for (size_t other = child + 1; other < end; other++)
            if (order(queue, &heap->list[other], &heap->list[child]) < 0)
                child = other;
        if (order(queue, &heap->list[child], &last) >= 0)
            break;
        heap->list[at] = heap->list[child];
    }
    heap->list[at] = last;
}

/* ---- the queue ----------------------------------------------------------------------------- */

enum shoal_status shoal_timer_queue_move(struct shoal_timer_queue *queue, const char *user,
                                         size_t user_size, int64_t before_ms, int64_t due_ms)
{
    enum shoal_status status = SHOAL_OK;
    if (!queue->fetched)
        return SHOAL_OK;
    if (before_ms && before_ms <= queue->until_ms)
        status = push(queue, &queue->voided, user, user_size, before_ms);
    if (status == SHOAL_OK && due_ms && due_ms <= queue->until_ms)
        status = push(queue, &queue->heap, user, user_size, due_ms);
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
    return push(fetch->queue, &fetch->queue->heap, user.bytes, user.size, timer_ms);
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
            status = push(fetch->queue, &fetch->queue->heap, dirty[i]->user,
                          dirty[i]->user_size, record->timer_ms);
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
           order(queue, &queue->voided.list[0], &queue->heap.list[0]) == 0) {
        drop_first(queue, &queue->voided);
        drop_first(queue, &queue->heap);
    }
    return queue->heap.count ? queue->heap.list[0].due_ms : INT64_MAX;
}

static size_t count_until(const struct shoal_timer_heap *heap, int64_t due_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < heap->count; i++)
        count += heap->list[i].due_ms <= due_ms;
    return count;
}

size_t shoal_timer_queue_count(const struct shoal_timer_queue *queue, int64_t due_ms)
{
    return count_until(&queue->heap, due_ms) - count_until(&queue->voided, due_ms);
}

void shoal_timer_queue_pop(struct shoal_timer_queue *queue, struct shoal_timer_entry *entry)
{
    *entry = queue->entries[queue->heap.list[0].entry];
    drop_first(queue, &queue->heap);
}
