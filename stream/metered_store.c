/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is measured; see metered_store.h. */
#include "stream/metered_store.h"

#include <stdlib.h>

#include "model/base/clock.h"
#include "state/forward_store.h"

struct metered_store {
    struct shoal_forward_store forward;
    struct shoal_store_figures *figures;
    int64_t began_ns;
};

static struct shoal_histogram *histogram_of(struct metered_store *store, enum shoal_store_call call)
{
    if (call == SHOAL_CALL_load)
        return &store->figures->load;
    return call == SHOAL_CALL_save ? &store->figures->save : NULL;
}

static bool before(struct shoal_forward_store *forward, enum shoal_store_call call)
{
    struct metered_store *store = (struct metered_store *)forward;
    if (histogram_of(store, call))
        store->began_ns = shoal_clock_ns();
    return true;
}

static enum shoal_status after(struct shoal_forward_store *forward, enum shoal_store_call call,
                               enum shoal_status status, struct shoal_message *message)
{
    struct metered_store *store = (struct metered_store *)forward;
    struct shoal_histogram *histogram = histogram_of(store, call);
    (void)message;
    if (histogram && status == SHOAL_OK)
        shoal_histogram_observe(histogram, SHOAL_SCALE_CALL,
                                (shoal_clock_ns() - store->began_ns) / 1000, 1);
    store->figures->failures += shoal_status_class(status) == SHOAL_CLASS_RETRY;
    return status;
}

enum shoal_status shoal_metered_store_create(struct shoal_store *inner,
                                             struct shoal_store_figures *figures,
                                             struct shoal_store **result)
{
    *result = NULL;
    struct metered_store *store = calloc(1, sizeof *store);
    if (!store) {
        inner->ops->destroy(inner);
        return SHOAL_NOMEM;
    }
    store->forward = (struct shoal_forward_store){
        .base.ops = &shoal_forward_ops, .inner = inner, .before = before, .after = after};
    store->figures = figures;
    *result = &store->forward.base;
    return SHOAL_OK;
}
