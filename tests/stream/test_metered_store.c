/* SPDX-License-Identifier: Apache-2.0 */
/* The store that is measured keeps what every store must, and counts what was asked of it. */
#include <criterion/criterion.h>

#include "stream/metered_store.h"
#include "tests/state/failing_store.h"
#include "tests/state/leaks.h"
#include "tests/state/store_conformance.h"

struct metered {
    struct conformance base;
    struct shoal_store *first;
    struct shoal_store_figures figures;
};

static struct shoal_store *open_metered(struct conformance *self)
{
    struct metered *metered = (struct metered *)self;
    struct shoal_store *view, *store;
    if (!metered->first)
        cr_assert_eq(shoal_memory_store_create(&metered->first), SHOAL_OK);
    cr_assert_eq(shoal_memory_store_share(metered->first, &view), SHOAL_OK);
    cr_assert_eq(shoal_metered_store_create(view, &metered->figures, &store), SHOAL_OK);
    return store;
}

#define X(name)                                                                                    \
    Test(metered_store, name)                                                                      \
    {                                                                                              \
        struct metered metered = {.base.open = open_metered};                                      \
        conformance_##name(&metered.base);                                                         \
        if (metered.first)                                                                         \
            metered.first->ops->destroy(metered.first);                                            \
        test_no_leaks();                                                                           \
    }
CONFORMANCE_LIST(X)
#undef X

struct fixture {
    struct shoal_store *inner, *store;
    struct shoal_store_figures figures;
};

static void start(struct fixture *f)
{
    struct shoal_store *memory;
    struct shoal_message message;
    struct shoal_checkpoint before;
    *f = (struct fixture){0};
    cr_assert_eq(shoal_memory_store_create(&memory), SHOAL_OK);
    cr_assert_eq(shoal_failing_store_create(memory, &f->inner), SHOAL_OK);
    cr_assert_eq(shoal_metered_store_create(f->inner, &f->figures, &f->store), SHOAL_OK);
    cr_assert_eq(f->store->ops->open(f->store, 2, &message), SHOAL_OK);
    cr_assert_eq(f->store->ops->acquire(f->store, 0, &before, &message), SHOAL_OK);
}

static enum shoal_status save(struct fixture *f, int64_t offset)
{
    struct shoal_message message;
    const struct shoal_save_item item = {.user = {"u", 1}, .value = {"bytes", 5}};
    return f->store->ops->save(f->store, 0, &item, 1, offset, 7, &message);
}

static enum shoal_status load(struct fixture *f, struct shoal_slice *value)
{
    struct shoal_message message;
    const struct shoal_slice user = {"u", 1};
    return f->store->ops->load(f->store, 0, &user, 1, value, &message);
}

Test(metered_store, there_is_no_call_that_it_does_not_pass_on)
{
    struct fixture f;
    start(&f);
    void (*const *calls)(void) = (void (*const *)(void))(const void *)f.store->ops;
    for (size_t i = 0; i < sizeof *f.store->ops / sizeof *calls; i++)
        cr_expect(calls[i] != NULL, "call %zu of struct shoal_store_ops is missing", i);
    f.store->ops->destroy(f.store);
}

Test(metered_store, loads_and_saves_are_counted_and_passed_on)
{
    struct fixture f;
    struct shoal_slice value;
    start(&f);
    cr_assert_eq(save(&f, 5), SHOAL_OK);
    cr_assert_eq(save(&f, 6), SHOAL_OK);
    cr_assert_eq(load(&f, &value), SHOAL_OK);
    cr_assert_eq(value.size, 5);
    cr_assert_eq(shoal_histogram_count(&f.figures.save), 2);
    cr_assert_eq(shoal_histogram_count(&f.figures.load), 1);
    cr_assert_eq(f.figures.failures, 0);
    f.store->ops->destroy(f.store);
    test_no_leaks();
}

Test(metered_store, a_peer_that_is_away_is_counted_and_not_timed)
{
    struct fixture f;
    struct shoal_slice value;
    start(&f);
    shoal_failing_store_plan(f.inner, SHOAL_CALL_load,
                             (struct shoal_failure){1, 1, SHOAL_UNAVAILABLE, false, false});
    cr_assert_eq(load(&f, &value), SHOAL_UNAVAILABLE);
    shoal_failing_store_plan(f.inner, SHOAL_CALL_save,
                             (struct shoal_failure){1, 1, SHOAL_FENCED, false, true});
    cr_assert_eq(save(&f, 5), SHOAL_FENCED);
    cr_assert_eq(f.figures.failures, 1);
    cr_assert_eq(shoal_histogram_count(&f.figures.load), 0);
    cr_assert_eq(shoal_histogram_count(&f.figures.save), 0);
    f.store->ops->destroy(f.store);
}

Test(metered_store, lost_writes_are_told_on)
{
    struct fixture f;
    start(&f);
    shoal_failing_store_plan(f.inner, SHOAL_CALL_save,
                             (struct shoal_failure){1, 1, SHOAL_FENCED, false, true});
    cr_assert_not(f.store->lost_writes);
    cr_assert_eq(save(&f, 5), SHOAL_FENCED);
    cr_assert(f.store->lost_writes);
    f.store->ops->destroy(f.store);
}
