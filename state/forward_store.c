/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are passed on; see forward_store.h. */
#include "state/forward_store.h"

#include <stdlib.h>

static struct shoal_forward_store *forward_of(struct shoal_store *store)
{
    return (struct shoal_forward_store *)store;
}

static enum shoal_status ended(struct shoal_forward_store *store, enum shoal_store_call call,
                               enum shoal_status status, struct shoal_message *message)
{
    store->base.lost_writes = store->inner->lost_writes;
    return store->after ? store->after(store, call, status, message) : status;
}

/* The body of a call: its name, and what stands between the store and the message. */
#define PASS_ON(name, ...)                                                                         \
    struct shoal_forward_store *store = forward_of(base);                                          \
    enum shoal_status status = SHOAL_OK;                                                           \
    if (!store->before || store->before(store, SHOAL_CALL_##name))                                 \
        status = store->inner->ops->name(store->inner, __VA_ARGS__, message);                      \
    return ended(store, SHOAL_CALL_##name, status, message)

static enum shoal_status forward_open(struct shoal_store *base, int32_t partition_count,
                                      struct shoal_message *message)
{
    PASS_ON(open, partition_count);
}

static enum shoal_status forward_acquire(struct shoal_store *base, int32_t partition,
                                         struct shoal_checkpoint *before,
                                         struct shoal_message *message)
{
    PASS_ON(acquire, partition, before);
}

static void forward_release(struct shoal_store *base, int32_t partition)
{
    struct shoal_store *inner = forward_of(base)->inner;
    inner->ops->release(inner, partition);
}

static enum shoal_status forward_load(struct shoal_store *base, int32_t partition,
                                      const struct shoal_slice *users, size_t count,
                                      struct shoal_slice *values, struct shoal_message *message)
{
    PASS_ON(load, partition, users, count, values);
}

static enum shoal_status forward_verify(struct shoal_store *base, int32_t partition,
                                        struct shoal_message *message)
{
    PASS_ON(verify, partition);
}

static enum shoal_status forward_save(struct shoal_store *base, int32_t partition,
                                      const struct shoal_save_item *items, size_t count,
                                      int64_t next_offset, uint64_t model,
                                      struct shoal_message *message)
{
    PASS_ON(save, partition, items, count, next_offset, model);
}

static enum shoal_status forward_timers(struct shoal_store *base, int32_t partition,
                                        int64_t after_ms, size_t limit,
                                        shoal_store_visit_timer visit, void *opaque,
                                        int64_t *until_ms, struct shoal_message *message)
{
    PASS_ON(timers, partition, after_ms, limit, visit, opaque, until_ms);
}

static enum shoal_status forward_scan(struct shoal_store *base, shoal_store_visit visit,
                                      void *opaque, struct shoal_message *message)
{
    PASS_ON(scan, visit, opaque);
}

static enum shoal_status forward_find(struct shoal_store *base, struct shoal_slice user,
                                      int32_t *partition, struct shoal_slice *value,
                                      struct shoal_message *message)
{
    PASS_ON(find, user, partition, value);
}

static enum shoal_status forward_peek(struct shoal_store *base, int32_t partition,
                                      struct shoal_checkpoint *checkpoint,
                                      struct shoal_message *message)
{
    PASS_ON(peek, partition, checkpoint);
}

static enum shoal_status forward_scan_piece(struct shoal_store *base,
                                            struct shoal_scan_cursor *cursor,
                                            shoal_store_visit visit, void *opaque,
                                            struct shoal_message *message)
{
    PASS_ON(scan_piece, cursor, visit, opaque);
}

static enum shoal_status forward_ceiling(struct shoal_store *base, int32_t partition,
                                         uint64_t *most, struct shoal_message *message)
{
    PASS_ON(ceiling, partition, most);
}

static enum shoal_status forward_layout(struct shoal_store *base, struct shoal_layout *layout,
                                        struct shoal_message *message)
{
    PASS_ON(layout, layout);
}

static enum shoal_status forward_set_layout(struct shoal_store *base,
                                            const struct shoal_layout *expected,
                                            const struct shoal_layout *layout,
                                            struct shoal_message *message)
{
    PASS_ON(set_layout, expected, layout);
}

static void forward_destroy(struct shoal_store *base)
{
    if (!base)
        return;
    struct shoal_store *inner = forward_of(base)->inner;
    inner->ops->destroy(inner);
    free(base);
}

const struct shoal_store_ops shoal_forward_ops = {
#define X(name) .name = forward_##name,
    SHOAL_STORE_CALLS(X)
#undef X
    .release = forward_release,
    .destroy = forward_destroy,
};
