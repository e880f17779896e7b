/* SPDX-License-Identifier: Apache-2.0 */
/* Records in memory: the store of `shoal replay` and of tests, and the oracle that the Redis store
 * is compared with. Same fencing, same partition count, same atomicity; nothing outlives the
 * process.
 *
 *   view ─┐                  partition 0: table of [hash|item] → user, value     checkpoint
 *   view ─┴─ shared memory ─ partition 1: …
 *
 * A view is what one worker holds; the shared part is under one lock, so views may be in different
 * threads. What load returns is copied into the view, for another view's save may free the
 * original. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/base/pack.h"
#include "state/checkpoint.h"
#include "state/memory_table.h"
#include "state/store.h"

struct partition {
    struct shoal_table table;
    struct shoal_checkpoint checkpoint;
    bool has_checkpoint;
};

struct shared {
    pthread_mutex_t lock;
    int views;
    uint64_t owners; /* given out so far */
    struct shoal_layout layout;
    struct partition *partitions;
    size_t partitions_known;
};

/* What this view wrote last, by partition. */
struct tenure {
    bool held;
    struct shoal_checkpoint checkpoint;
};

struct memory_store {
    struct shoal_store base;
    struct shared *shared;
    uint64_t owner;
    struct tenure *tenures;
    size_t tenures_count;
    struct shoal_buffer answer; /* values of the last load or find */
};

static struct memory_store *view_of(struct shoal_store *store)
{
    return (struct memory_store *)store;
}

/* The partition, made if it is new; NULL when out of memory. */
static struct partition *partition_at(struct shared *shared, int32_t number)
{
    size_t want = (size_t)number + 1;
    if (want > shared->partitions_known) {
        struct partition *grown = realloc(shared->partitions, want * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + shared->partitions_known, 0,
               (want - shared->partitions_known) * sizeof *grown);
        shared->partitions = grown;
        shared->partitions_known = want;
    }
    return &shared->partitions[number];
}

static struct tenure *tenure_at(struct memory_store *view, int32_t number)
{
    size_t want = (size_t)number + 1;
    if (want > view->tenures_count) {
        struct tenure *grown = realloc(view->tenures, want * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + view->tenures_count, 0, (want - view->tenures_count) * sizeof *grown);
        view->tenures = grown;
        view->tenures_count = want;
    }
    return &view->tenures[number];
}

static enum shoal_status memory_open(struct shoal_store *store, int32_t partition_count,
                                     struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    if (partition_count < 1)
        return shoal_fail(message, SHOAL_INVALID, "a topic has at least one partition");
    pthread_mutex_lock(&shared->lock);
    if (shared->layout.partitions == 0)
        shared->layout.partitions = partition_count;
    struct shoal_layout stored = shared->layout;
    pthread_mutex_unlock(&shared->lock);
    if (stored.becoming)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "the states are being moved from %d to %d partitions", stored.partitions,
                          stored.becoming);
    if (stored.partitions != partition_count)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "the states were saved with %d partitions, the topic has %d",
                          stored.partitions, partition_count);
    return SHOAL_OK;
}

static enum shoal_status memory_layout(struct shoal_store *store, struct shoal_layout *layout,
                                       struct shoal_message *message)
{
    (void)message;
    struct shared *shared = view_of(store)->shared;
    pthread_mutex_lock(&shared->lock);
    *layout = shared->layout;
    pthread_mutex_unlock(&shared->lock);
    return SHOAL_OK;
}

static enum shoal_status memory_set_layout(struct shoal_store *store,
                                           const struct shoal_layout *expected,
                                           const struct shoal_layout *layout,
                                           struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    pthread_mutex_lock(&shared->lock);
    bool same = shared->layout.partitions == expected->partitions &&
                shared->layout.becoming == expected->becoming;
    if (same)
        shared->layout = *layout;
    pthread_mutex_unlock(&shared->lock);
    return same ? SHOAL_OK
                : shoal_fail(message, SHOAL_FENCED, "somebody else has changed the number of partitions");
}

static enum shoal_status memory_acquire(struct shoal_store *store, int32_t partition,
                                        struct shoal_checkpoint *before,
                                        struct shoal_message *message)
{
    struct memory_store *view = view_of(store);
    *before = shoal_checkpoint_none();
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %d", partition);
    struct tenure *tenure = tenure_at(view, partition);
    pthread_mutex_lock(&view->shared->lock);
    struct partition *stored = partition_at(view->shared, partition);
    enum shoal_status status = tenure && stored ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        if (stored->has_checkpoint)
            *before = stored->checkpoint;
        stored->checkpoint = shoal_checkpoint_take(before, view->owner);
        stored->has_checkpoint = true;
        *tenure = (struct tenure){.held = true, .checkpoint = stored->checkpoint};
    }
    pthread_mutex_unlock(&view->shared->lock);
    return status == SHOAL_OK ? SHOAL_OK : shoal_fail(message, status, "out of memory");
}

static void memory_release(struct shoal_store *store, int32_t partition)
{
    struct memory_store *view = view_of(store);
    if (partition >= 0 && (size_t)partition < view->tenures_count)
        view->tenures[partition].held = false;
}

/* Copies into the answer; offsets first, since the buffer may move while it grows. */
static enum shoal_status copy_values(struct memory_store *view, struct partition *stored,
                                     const struct shoal_slice *users, size_t count,
                                     struct shoal_slice *values)
{
    shoal_buffer_clear(&view->answer);
    for (size_t i = 0; i < count; i++) {
        values[i] = (struct shoal_slice){0};
        const struct shoal_table_item *item =
            shoal_table_find(&stored->table, users[i].bytes, users[i].size);
        if (!item)
            continue;
        values[i].size = item->value_size;
        shoal_buffer_append(&view->answer, shoal_table_value(item), item->value_size);
        /* Marks as found; replaced by the address below. An empty value still is a value. */
        values[i].bytes = "";
    }
    if (view->answer.failed)
        return SHOAL_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!values[i].bytes || !values[i].size)
            continue;
        values[i].bytes = view->answer.bytes + at;
        at += values[i].size;
    }
    return SHOAL_OK;
}

static enum shoal_status memory_load(struct shoal_store *store, int32_t partition,
                                     const struct shoal_slice *users, size_t count,
                                     struct shoal_slice *values, struct shoal_message *message)
{
    struct memory_store *view = view_of(store);
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %d", partition);
    pthread_mutex_lock(&view->shared->lock);
    struct partition *stored = partition_at(view->shared, partition);
    enum shoal_status status =
        stored ? copy_values(view, stored, users, count, values) : SHOAL_NOMEM;
    pthread_mutex_unlock(&view->shared->lock);
    return status == SHOAL_OK ? SHOAL_OK : shoal_fail(message, status, "out of memory");
}

/* All or nothing: everything that can fail happens before the first change. */
static enum shoal_status apply(struct partition *stored, const struct shoal_save_item *items,
                               size_t count)
{
    if (!shoal_table_reserve(&stored->table, count))
        return SHOAL_NOMEM;
    struct shoal_table_item **made = calloc(count ? count : 1, sizeof(struct shoal_table_item *));
    if (!made)
        return SHOAL_NOMEM;
    bool failed = false;
    for (size_t i = 0; i < count && !failed; i++) {
        if (!items[i].value.bytes)
            continue;
        made[i] = shoal_table_item(items[i].user.bytes, items[i].user.size, items[i].value.bytes,
                                   items[i].value.size);
        failed = !made[i];
        if (failed)
            continue;
        const struct shoal_table_item *before =
            shoal_table_find(&stored->table, items[i].user.bytes, items[i].user.size);
        made[i]->timer_ms = items[i].timer_moves ? items[i].timer_ms
                            : before             ? before->timer_ms
                                                 : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (failed)
            free(made[i]);
        else if (made[i])
            shoal_table_put(&stored->table, made[i]);
        else
            shoal_table_remove(&stored->table, items[i].user.bytes, items[i].user.size);
    }
    free((void *)made);
    return failed ? SHOAL_NOMEM : SHOAL_OK;
}

static enum shoal_status save_locked(struct memory_store *view, int32_t partition,
                                     const struct shoal_save_item *items, size_t count,
                                     int64_t next_offset, uint64_t model,
                                     struct shoal_message *message)
{
    struct tenure *tenure = &view->tenures[partition];
    struct partition *stored = partition_at(view->shared, partition);
    if (!stored)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status =
        shoal_checkpoint_guard(&tenure->checkpoint, tenure->checkpoint.saves,
                               stored->has_checkpoint ? &stored->checkpoint : NULL, partition,
                               &view->base.lost_writes, message);
    if (status != SHOAL_OK)
        return status;
    status = apply(stored, items, count);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory");
    tenure->checkpoint.next_offset = next_offset;
    tenure->checkpoint.model = model;
    tenure->checkpoint.saves++;
    stored->checkpoint = tenure->checkpoint;
    return SHOAL_OK;
}

static enum shoal_status memory_save(struct shoal_store *store, int32_t partition,
                                     const struct shoal_save_item *items, size_t count,
                                     int64_t next_offset, uint64_t model,
                                     struct shoal_message *message)
{
    struct memory_store *view = view_of(store);
    if (partition < 0 || (size_t)partition >= view->tenures_count || !view->tenures[partition].held)
        return shoal_fail(message, SHOAL_INVALID, "partition %d was not acquired", partition);
    pthread_mutex_lock(&view->shared->lock);
    enum shoal_status status =
        save_locked(view, partition, items, count, next_offset, model, message);
    pthread_mutex_unlock(&view->shared->lock);
    return status;
}

static enum shoal_status memory_verify(struct shoal_store *store, int32_t partition,
                                       struct shoal_message *message)
{
    struct memory_store *view = view_of(store);
    if (partition < 0 || (size_t)partition >= view->tenures_count ||
        !view->tenures[partition].held)
        return shoal_fail(message, SHOAL_INVALID, "partition %d was not acquired", partition);
    const struct tenure *tenure = &view->tenures[partition];
    pthread_mutex_lock(&view->shared->lock);
    const struct partition *stored = partition_at(view->shared, partition);
    enum shoal_status status = shoal_checkpoint_guard(
        &tenure->checkpoint, tenure->checkpoint.saves,
        stored && stored->has_checkpoint ? &stored->checkpoint : NULL, partition,
        &view->base.lost_writes, message);
    pthread_mutex_unlock(&view->shared->lock);
    return status;
}

static enum shoal_status visit_partition(const struct shared *shared, size_t partition,
                                         shoal_store_visit visit, void *opaque)
{
    const struct shoal_table *table = &shared->partitions[partition].table;
    const struct shoal_table_item *item = NULL;
    enum shoal_status status = SHOAL_OK;
    size_t at = 0;
    while (status == SHOAL_OK && (item = shoal_table_next(table, &at)) != NULL)
        if (item->user_size > 0)
            status = visit(opaque, (int32_t)partition,
                           (struct shoal_slice){shoal_table_user(item), item->user_size},
                           (struct shoal_slice){shoal_table_value(item), item->value_size});
    return status;
}

static enum shoal_status memory_scan(struct shoal_store *store, shoal_store_visit visit,
                                     void *opaque, struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    enum shoal_status status = SHOAL_OK;
    pthread_mutex_lock(&shared->lock);
    for (size_t p = 0; p < shared->partitions_known && status == SHOAL_OK; p++)
        status = visit_partition(shared, p, visit, opaque);
    pthread_mutex_unlock(&shared->lock);
    return status;
}

/* Everything at once: what is in memory already need not be fetched in pieces. */
static enum shoal_status memory_timers(struct shoal_store *store, int32_t partition,
                                       int64_t after_ms, size_t limit,
                                       shoal_store_visit_timer visit, void *opaque,
                                       int64_t *until_ms, struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    enum shoal_status status = SHOAL_OK;
    *until_ms = INT64_MAX;
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %d", partition);
    pthread_mutex_lock(&shared->lock);
    const struct partition *stored = partition_at(shared, partition);
    const struct shoal_table_item *item = NULL;
    size_t at = 0;
    while (stored && status == SHOAL_OK && (item = shoal_table_next(&stored->table, &at)) != NULL)
        if (item->timer_ms > 0 && item->timer_ms > after_ms)
            status = visit(opaque, (struct shoal_slice){shoal_table_user(item), item->user_size},
                           item->timer_ms);
    pthread_mutex_unlock(&shared->lock);
    return stored ? status : shoal_fail(message, SHOAL_NOMEM, "out of memory");
}

static enum shoal_status memory_find(struct shoal_store *store, struct shoal_slice user,
                                     int32_t *partition, struct shoal_slice *value,
                                     struct shoal_message *message)
{
    struct memory_store *view = view_of(store);
    enum shoal_status status = SHOAL_NOT_FOUND;
    pthread_mutex_lock(&view->shared->lock);
    for (size_t p = 0; p < view->shared->partitions_known; p++) {
        status = copy_values(view, &view->shared->partitions[p], &user, 1, value);
        if (status == SHOAL_OK && !value->bytes)
            status = SHOAL_NOT_FOUND;
        *partition = (int32_t)p;
        if (status != SHOAL_NOT_FOUND)
            break;
    }
    pthread_mutex_unlock(&view->shared->lock);
    if (status == SHOAL_NOT_FOUND)
        return shoal_fail(message, status, "no state is kept of this user");
    return status;
}

static enum shoal_status memory_peek(struct shoal_store *store, int32_t partition,
                                     struct shoal_checkpoint *checkpoint,
                                     struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    *checkpoint = shoal_checkpoint_none();
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %d", partition);
    pthread_mutex_lock(&shared->lock);
    if ((size_t)partition < shared->partitions_known &&
        shared->partitions[partition].has_checkpoint)
        *checkpoint = shared->partitions[partition].checkpoint;
    pthread_mutex_unlock(&shared->lock);
    return SHOAL_OK;
}

static enum shoal_status memory_ceiling(struct shoal_store *store, int32_t partition,
                                        uint64_t *most, struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    *most = 0;
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %d", partition);
    pthread_mutex_lock(&shared->lock);
    if ((size_t)partition < shared->partitions_known) {
        const struct shoal_table *table = &shared->partitions[partition].table;
        *most = table->count - (shoal_table_find(table, "", 0) != NULL);
    }
    pthread_mutex_unlock(&shared->lock);
    return SHOAL_OK;
}

/* A partition a piece. */
static enum shoal_status memory_scan_piece(struct shoal_store *store,
                                           struct shoal_scan_cursor *cursor,
                                           shoal_store_visit visit, void *opaque,
                                           struct shoal_message *message)
{
    struct shared *shared = view_of(store)->shared;
    enum shoal_status status = SHOAL_OK;
    (void)message;
    pthread_mutex_lock(&shared->lock);
    if (cursor->at < shared->partitions_known)
        status = visit_partition(shared, (size_t)cursor->at++, visit, opaque);
    cursor->ended = cursor->at >= shared->partitions_known;
    pthread_mutex_unlock(&shared->lock);
    return status;
}

static void memory_destroy(struct shoal_store *store)
{
    if (!store)
        return;
    struct memory_store *view = view_of(store);
    struct shared *shared = view->shared;
    pthread_mutex_lock(&shared->lock);
    bool last = --shared->views == 0;
    pthread_mutex_unlock(&shared->lock);
    if (last) {
        for (size_t p = 0; p < shared->partitions_known; p++)
            shoal_table_finish(&shared->partitions[p].table);
        free(shared->partitions);
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
    shoal_buffer_finish(&view->answer);
    free(view->tenures);
    free(view);
}

static const struct shoal_store_ops memory_ops = {
    .open = memory_open,
    .acquire = memory_acquire,
    .release = memory_release,
    .load = memory_load,
    .verify = memory_verify,
    .save = memory_save,
    .timers = memory_timers,
    .scan = memory_scan,
    .find = memory_find,
    .peek = memory_peek,
    .scan_piece = memory_scan_piece,
    .ceiling = memory_ceiling,
    .destroy = memory_destroy,
    .layout = memory_layout,
    .set_layout = memory_set_layout,
};

enum shoal_status shoal_memory_store_share(struct shoal_store *store, struct shoal_store **other)
{
    struct shared *shared = view_of(store)->shared;
    struct memory_store *view = calloc(1, sizeof *view);
    *other = NULL;
    if (!view)
        return SHOAL_NOMEM;
    view->base.ops = &memory_ops;
    view->shared = shared;
    pthread_mutex_lock(&shared->lock);
    shared->views++;
    view->owner = ++shared->owners;
    pthread_mutex_unlock(&shared->lock);
    *other = &view->base;
    return SHOAL_OK;
}

enum shoal_status shoal_memory_store_create(struct shoal_store **store)
{
    *store = NULL;
    struct shared *shared = calloc(1, sizeof *shared);
    if (!shared)
        return SHOAL_NOMEM;
    pthread_mutex_init(&shared->lock, NULL);
    struct memory_store first = {.shared = shared};
    enum shoal_status status = shoal_memory_store_share(&first.base, store);
    if (status != SHOAL_OK) {
        pthread_mutex_destroy(&shared->lock);
        free(shared);
    }
    return status;
}
