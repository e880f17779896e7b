/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is looked at; see spying_store.h. */
#include "tests/state/spying_store.h"

#include <stdlib.h>

#include "model/base/pack.h"
#include "state/forward_store.h"

struct spying_store {
    struct shoal_forward_store forward;
    struct shoal_store_ops ops; /* those that pass on, but for two */
    size_t piece;
    struct spying_counts counts;
};

static struct spying_store *spying_of(struct shoal_store *store)
{
    return (struct spying_store *)store;
}

/* ---- timers in pieces ---------------------------------------------------------------------- */

struct entry {
    int64_t timer_ms;
    size_t at, user_size; /* the user's bytes in `users` */
};

struct collection {
    struct entry *list;
    size_t count, capacity;
    struct shoal_buffer users;
};

static enum shoal_status collect(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct collection *all = opaque;
    if (all->count == all->capacity) {
        all->capacity = all->capacity ? 2 * all->capacity : 64;
        struct entry *grown = realloc(all->list, all->capacity * sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        all->list = grown;
    }
    all->list[all->count++] = (struct entry){timer_ms, all->users.size, user.size};
    shoal_buffer_append(&all->users, user.bytes, user.size);
    return all->users.failed ? SHOAL_NOMEM : SHOAL_OK;
}

static int by_time(const void *a, const void *b)
{
    const struct entry *one = a, *two = b;
    return one->timer_ms < two->timer_ms ? -1 : one->timer_ms > two->timer_ms;
}

static enum shoal_status spying_timers(struct shoal_store *base, int32_t partition,
                                       int64_t after_ms, size_t limit,
                                       shoal_store_visit_timer visit, void *opaque,
                                       int64_t *until_ms, struct shoal_message *message)
{
    struct spying_store *store = spying_of(base);
    struct collection all = {0};
    size_t piece = store->piece && store->piece < limit ? store->piece : limit, given = 0;
    enum shoal_status status = shoal_forward_ops.timers(base, partition, after_ms, SIZE_MAX, collect,
                                                        &all, until_ms, message);
    if (all.count)
        qsort(all.list, all.count, sizeof *all.list, by_time);
    while (status == SHOAL_OK && given < all.count &&
           (given < piece || all.list[given].timer_ms == all.list[given - 1].timer_ms)) {
        const struct entry *entry = &all.list[given++];
        status = visit(opaque,
                       (struct shoal_slice){all.users.bytes + entry->at, entry->user_size},
                       entry->timer_ms);
    }
    *until_ms = given < all.count ? all.list[given - 1].timer_ms : INT64_MAX;
    store->counts.pieces++;
    free(all.list);
    shoal_buffer_finish(&all.users);
    return status;
}

/* ---- what is counted ------------------------------------------------------------------------ */

static enum shoal_status spying_save(struct shoal_store *base, int32_t partition,
                                     const struct shoal_save_item *items, size_t count,
                                     int64_t next_offset, uint64_t model,
                                     struct shoal_message *message)
{
    struct spying_store *store = spying_of(base);
    for (size_t i = 0; i < count; i++) {
        store->counts.saved += items[i].user.size > 0;
        store->counts.moved += items[i].timer_moves;
    }
    return shoal_forward_ops.save(base, partition, items, count, next_offset, model, message);
}

enum shoal_status spying_store_create(size_t piece, struct shoal_store **store)
{
    struct spying_store *made = calloc(1, sizeof *made);
    *store = NULL;
    if (!made)
        return SHOAL_NOMEM;
    enum shoal_status status = shoal_memory_store_create(&made->forward.inner);
    if (status != SHOAL_OK) {
        free(made);
        return status;
    }
    made->ops = shoal_forward_ops;
    made->ops.timers = spying_timers;
    made->ops.save = spying_save;
    made->forward.base.ops = &made->ops;
    made->piece = piece;
    *store = &made->forward.base;
    return SHOAL_OK;
}

const struct spying_counts *spying_store_counts(const struct shoal_store *store)
{
    return &((const struct spying_store *)store)->counts;
}
