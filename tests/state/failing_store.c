/* SPDX-License-Identifier: Apache-2.0 */
/* A store that fails on demand; see failing_store.h. */
#include "tests/state/failing_store.h"

#include <stdlib.h>

struct failing_store {
    struct shoal_forward_store forward;
    struct shoal_failure plans[SHOAL_STORE_CALLS_COUNT];
    size_t planned_at[SHOAL_STORE_CALLS_COUNT], calls[SHOAL_STORE_CALLS_COUNT];
    const struct shoal_failure *now; /* the plan of the call at hand, if it is to fail */
};

static bool before(struct shoal_forward_store *forward, enum shoal_store_call call)
{
    struct failing_store *store = (struct failing_store *)forward;
    call = call == SHOAL_CALL_set_layout ? SHOAL_CALL_save : call;
    const struct shoal_failure *plan = &store->plans[call];
    size_t number = ++store->calls[call] - store->planned_at[call];
    bool fails = plan->first && number >= plan->first && number - plan->first < plan->count;
    store->now = fails ? plan : NULL;
    return !fails || plan->applied;
}

static enum shoal_status after(struct shoal_forward_store *forward, enum shoal_store_call call,
                               enum shoal_status status, struct shoal_message *message)
{
    const struct shoal_failure *plan = ((struct failing_store *)forward)->now;
    (void)call;
    if (!plan)
        return status;
    forward->base.lost_writes = plan->lost_writes;
    return shoal_fail(message, plan->status, "failure planned by the test");
}

enum shoal_status shoal_failing_store_create(struct shoal_store *inner, struct shoal_store **store)
{
    struct failing_store *made = calloc(1, sizeof *made);
    *store = NULL;
    if (!made) {
        inner->ops->destroy(inner);
        return SHOAL_NOMEM;
    }
    made->forward = (struct shoal_forward_store){
        .base.ops = &shoal_forward_ops, .inner = inner, .before = before, .after = after};
    *store = &made->forward.base;
    return SHOAL_OK;
}

void shoal_failing_store_plan(struct shoal_store *store, enum shoal_store_call call,
                              struct shoal_failure failure_plan)
{
    struct failing_store *failing = (struct failing_store *)store;
    failing->plans[call] = failure_plan;
    failing->planned_at[call] = failing->calls[call];
}

size_t shoal_failing_store_calls(const struct shoal_store *store, enum shoal_store_call call)
{
    return ((const struct failing_store *)store)->calls[call];
}
