/* SPDX-License-Identifier: Apache-2.0 */
/* A store that fails on demand; see failing_store.h. */
#include "tests/state/failing_store.h"

#include <stdlib.h>

struct failing_store {
    struct shoal_store base;
    struct shoal_store *inner;
    struct shoal_failure plans[SHOAL_FAILING_CALLS];
    size_t planned_at[SHOAL_FAILING_CALLS], calls[SHOAL_FAILING_CALLS];
};

static struct failing_store *failing_of(struct shoal_store *store)
{
    return (struct failing_store *)store;
}

/* Counts the call; the plan if it is to fail, else NULL. */
static const struct shoal_failure *failure(struct failing_store *store,
                                           enum shoal_failing_call call)
{
    const struct shoal_failure *plan = &store->plans[call];
    size_t number = ++store->calls[call] - store->planned_at[call];
    return plan->first && number >= plan->first && number - plan->first < plan->count ? plan : NULL;
}

static enum shoal_status fail(struct failing_store *store, const struct shoal_failure *plan,
                              struct shoal_message *message)
{
    store->base.lost_writes = plan->lost_writes;
    return shoal_fail(message, plan->status, "failure planned by the test");
}

static enum shoal_status failing_open(struct shoal_store *base, int32_t partition_count,
                                      struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_OPEN);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->open(store->inner, partition_count, message);
    return plan ? fail(store, plan, message) : status;
}

static enum shoal_status failing_acquire(struct shoal_store *base, int32_t partition,
                                         struct shoal_checkpoint *before,
                                         struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_ACQUIRE);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->acquire(store->inner, partition, before, message);
    return plan ? fail(store, plan, message) : status;
}

static void failing_release(struct shoal_store *base, int32_t partition)
{
    struct failing_store *store = failing_of(base);
    store->inner->ops->release(store->inner, partition);
}

static enum shoal_status failing_load(struct shoal_store *base, int32_t partition,
                                      const struct shoal_slice *users, size_t count,
                                      struct shoal_slice *values, struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_LOAD);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->load(store->inner, partition, users, count, values, message);
    return plan ? fail(store, plan, message) : status;
}

static enum shoal_status failing_save(struct shoal_store *base, int32_t partition,
                                      const struct shoal_save_item *items, size_t count,
                                      int64_t next_offset, uint64_t model,
                                      struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_SAVE);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied) {
        status = store->inner->ops->save(store->inner, partition, items, count, next_offset, model,
                                         message);
        store->base.lost_writes = store->inner->lost_writes;
    }
    return plan ? fail(store, plan, message) : status;
}

static enum shoal_status failing_timers(struct shoal_store *base, int32_t partition,
                                        int64_t after_ms, size_t limit,
                                        shoal_store_visit_timer visit, void *opaque,
                                        int64_t *until_ms, struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_TIMERS);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->timers(store->inner, partition, after_ms, limit, visit, opaque,
                                           until_ms, message);
    return plan ? fail(store, plan, message) : status;
}

static enum shoal_status failing_scan(struct shoal_store *base, shoal_store_visit visit,
                                      void *opaque, struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_SCAN);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->scan(store->inner, visit, opaque, message);
    return plan ? fail(store, plan, message) : status;
}

static enum shoal_status failing_find(struct shoal_store *base, struct shoal_slice user,
                                      int32_t *partition, struct shoal_slice *value,
                                      struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_FIND);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->find(store->inner, user, partition, value, message);
    return plan ? fail(store, plan, message) : status;
}

static enum shoal_status failing_verify(struct shoal_store *store, int32_t partition,
                                        struct shoal_message *message)
{
    struct shoal_store *inner = failing_of(store)->inner;
    return inner->ops->verify(inner, partition, message);
}

static enum shoal_status failing_peek(struct shoal_store *base, int32_t partition,
                                      struct shoal_checkpoint *checkpoint,
                                      struct shoal_message *message)
{
    struct shoal_store *inner = failing_of(base)->inner;
    return inner->ops->peek(inner, partition, checkpoint, message);
}

static enum shoal_status failing_scan_piece(struct shoal_store *base, struct shoal_scan_cursor *cursor,
                                            shoal_store_visit visit, void *opaque,
                                            struct shoal_message *message)
{
    struct shoal_store *inner = failing_of(base)->inner;
    return inner->ops->scan_piece(inner, cursor, visit, opaque, message);
}

static void failing_destroy(struct shoal_store *base)
{
    if (!base)
        return;
    struct failing_store *store = failing_of(base);
    store->inner->ops->destroy(store->inner);
    free(store);
}

static enum shoal_status failing_layout(struct shoal_store *base, struct shoal_layout *layout,
                                        struct shoal_message *message)
{
    struct shoal_store *inner = failing_of(base)->inner;
    return inner->ops->layout(inner, layout, message);
}

/* Fails with the saves: both are writes. */
static enum shoal_status failing_set_layout(struct shoal_store *base,
                                            const struct shoal_layout *expected,
                                            const struct shoal_layout *layout,
                                            struct shoal_message *message)
{
    struct failing_store *store = failing_of(base);
    const struct shoal_failure *plan = failure(store, SHOAL_FAILING_SAVE);
    enum shoal_status status = SHOAL_OK;
    if (!plan || plan->applied)
        status = store->inner->ops->set_layout(store->inner, expected, layout, message);
    return plan ? fail(store, plan, message) : status;
}

static const struct shoal_store_ops failing_ops = {
    .open = failing_open,
    .acquire = failing_acquire,
    .release = failing_release,
    .load = failing_load,
    .verify = failing_verify,
    .save = failing_save,
    .timers = failing_timers,
    .scan = failing_scan,
    .find = failing_find,
    .peek = failing_peek,
    .scan_piece = failing_scan_piece,
    .destroy = failing_destroy,
    .layout = failing_layout,
    .set_layout = failing_set_layout,
};

enum shoal_status shoal_failing_store_create(struct shoal_store *inner, struct shoal_store **store)
{
    struct failing_store *made = calloc(1, sizeof *made);
    *store = NULL;
    if (!made) {
        inner->ops->destroy(inner);
        return SHOAL_NOMEM;
    }
    made->base.ops = &failing_ops;
    made->inner = inner;
    *store = &made->base;
    return SHOAL_OK;
}

void shoal_failing_store_plan(struct shoal_store *store, enum shoal_failing_call call,
                              struct shoal_failure failure_plan)
{
    struct failing_store *failing = failing_of(store);
    failing->plans[call] = failure_plan;
    failing->planned_at[call] = failing->calls[call];
}

size_t shoal_failing_store_calls(const struct shoal_store *store, enum shoal_failing_call call)
{
    return ((const struct failing_store *)store)->calls[call];
}
