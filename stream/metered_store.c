/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is measured; see metered_store.h. */
#include "stream/metered_store.h"

#include <stdlib.h>

#include "model/base/clock.h"

struct metered_store {
    struct shoal_store base;
    struct shoal_store *inner;
    struct shoal_store_figures *figures;
};

static struct metered_store *metered_of(struct shoal_store *store)
{
    return (struct metered_store *)store;
}

/* Every call that can fail ends here. What the inner store says of lost writes is said on. */
static enum shoal_status done(struct metered_store *store, enum shoal_status status)
{
    store->base.lost_writes = store->inner->lost_writes;
    store->figures->failures += shoal_status_class(status) == SHOAL_CLASS_RETRY;
    return status;
}

static enum shoal_status done_since(struct metered_store *store, struct shoal_histogram *histogram,
                                    int64_t began_ns, enum shoal_status status)
{
    if (status == SHOAL_OK)
        shoal_histogram_observe(histogram, SHOAL_SCALE_CALL, (shoal_clock_ns() - began_ns) / 1000, 1);
    return done(store, status);
}

static enum shoal_status metered_open(struct shoal_store *base, int32_t partition_count,
                                      struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->open(store->inner, partition_count, message));
}

static enum shoal_status metered_acquire(struct shoal_store *base, int32_t partition,
                                         struct shoal_checkpoint *before,
                                         struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->acquire(store->inner, partition, before, message));
}

static void metered_release(struct shoal_store *base, int32_t partition)
{
    struct shoal_store *inner = metered_of(base)->inner;
    inner->ops->release(inner, partition);
}

static enum shoal_status metered_load(struct shoal_store *base, int32_t partition,
                                      const struct shoal_slice *users, size_t count,
                                      struct shoal_slice *values, struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    int64_t began_ns = shoal_clock_ns();
    return done_since(store, &store->figures->load, began_ns,
                      store->inner->ops->load(store->inner, partition, users, count, values, message));
}

static enum shoal_status metered_verify(struct shoal_store *base, int32_t partition,
                                        struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->verify(store->inner, partition, message));
}

static enum shoal_status metered_save(struct shoal_store *base, int32_t partition,
                                      const struct shoal_save_item *items, size_t count,
                                      int64_t next_offset, uint64_t model,
                                      struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    int64_t began_ns = shoal_clock_ns();
    return done_since(store, &store->figures->save, began_ns,
                      store->inner->ops->save(store->inner, partition, items, count, next_offset,
                                              model, message));
}

static enum shoal_status metered_timers(struct shoal_store *base, int32_t partition,
                                        int64_t after_ms, size_t limit,
                                        shoal_store_visit_timer visit, void *opaque,
                                        int64_t *until_ms, struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->timers(store->inner, partition, after_ms, limit, visit,
                                                 opaque, until_ms, message));
}

static enum shoal_status metered_scan(struct shoal_store *base, shoal_store_visit visit,
                                      void *opaque, struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->scan(store->inner, visit, opaque, message));
}

static enum shoal_status metered_find(struct shoal_store *base, struct shoal_slice user,
                                      int32_t *partition, struct shoal_slice *value,
                                      struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->find(store->inner, user, partition, value, message));
}

static enum shoal_status metered_peek(struct shoal_store *base, int32_t partition,
                                      struct shoal_checkpoint *checkpoint,
                                      struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->peek(store->inner, partition, checkpoint, message));
}

static enum shoal_status metered_scan_piece(struct shoal_store *base,
                                            struct shoal_scan_cursor *cursor,
                                            shoal_store_visit visit, void *opaque,
                                            struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store,
                store->inner->ops->scan_piece(store->inner, cursor, visit, opaque, message));
}

static enum shoal_status metered_layout(struct shoal_store *base, struct shoal_layout *layout,
                                        struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->layout(store->inner, layout, message));
}

static enum shoal_status metered_set_layout(struct shoal_store *base,
                                            const struct shoal_layout *expected,
                                            const struct shoal_layout *layout,
                                            struct shoal_message *message)
{
    struct metered_store *store = metered_of(base);
    return done(store, store->inner->ops->set_layout(store->inner, expected, layout, message));
}

static void metered_destroy(struct shoal_store *base)
{
    struct metered_store *store = metered_of(base);
    store->inner->ops->destroy(store->inner);
    free(store);
}

enum shoal_status shoal_metered_store_create(struct shoal_store *inner,
                                             struct shoal_store_figures *figures,
                                             struct shoal_store **result)
{
    static const struct shoal_store_ops ops = {
        .open = metered_open,
        .acquire = metered_acquire,
        .release = metered_release,
        .load = metered_load,
        .verify = metered_verify,
        .save = metered_save,
        .timers = metered_timers,
        .scan = metered_scan,
        .find = metered_find,
        .peek = metered_peek,
        .scan_piece = metered_scan_piece,
        .destroy = metered_destroy,
        .layout = metered_layout,
        .set_layout = metered_set_layout,
    };
    *result = NULL;
    struct metered_store *store = calloc(1, sizeof *store);
    if (!store) {
        inner->ops->destroy(inner);
        return SHOAL_NOMEM;
    }
    store->base.ops = &ops;
    store->inner = inner;
    store->figures = figures;
    *result = &store->base;
    return SHOAL_OK;
}
