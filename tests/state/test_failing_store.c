/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/state/failing_store.h"
#include "tests/state/leaks.h"
#include "tests/state/store_conformance.h"

static struct shoal_store *make(void)
{
    struct shoal_store *inner, *store;
    struct shoal_checkpoint before;
    cr_assert_eq(shoal_memory_store_create(&inner), SHOAL_OK);
    cr_assert_eq(shoal_failing_store_create(inner, &store), SHOAL_OK);
    cr_assert_eq(store->ops->acquire(store, 0, &before, NULL), SHOAL_OK);
    return store;
}

Test(failing_store, only_the_planned_calls_fail)
{
    struct shoal_store *store = make();
    struct shoal_message message;
    shoal_failing_store_plan(store, SHOAL_CALL_save,
                             (struct shoal_failure){2, 2, SHOAL_UNAVAILABLE, false, false});
    cr_assert_eq(test_save(store, 0, "a", "1", 1, NULL), SHOAL_OK);
    cr_assert_eq(test_save(store, 0, "a", "2", 2, &message), SHOAL_UNAVAILABLE);
    cr_assert_eq(test_save(store, 0, "a", "3", 3, NULL), SHOAL_UNAVAILABLE);
    cr_assert_str_eq(test_load(store, 0, "a"), "1");
    cr_assert_eq(test_save(store, 0, "a", "4", 4, NULL), SHOAL_OK);
    cr_assert_eq(shoal_failing_store_calls(store, SHOAL_CALL_save), 4);
    store->ops->destroy(store);
    test_no_leaks();
}

Test(failing_store, answer_can_be_lost_though_the_call_was_done)
{
    struct shoal_store *store = make();
    shoal_failing_store_plan(store, SHOAL_CALL_save,
                             (struct shoal_failure){1, 1, SHOAL_UNAVAILABLE, true, false});
    cr_assert_eq(test_save(store, 0, "a", "1", 1, NULL), SHOAL_UNAVAILABLE);
    cr_assert_str_eq(test_load(store, 0, "a"), "1");
    store->ops->destroy(store);
    test_no_leaks();
}

Test(failing_store, fencing_tells_what_the_plan_says)
{
    struct shoal_store *store = make();
    shoal_failing_store_plan(store, SHOAL_CALL_save,
                             (struct shoal_failure){1, 1, SHOAL_FENCED, false, true});
    cr_assert_eq(test_save(store, 0, "a", "1", 1, NULL), SHOAL_FENCED);
    cr_assert(store->lost_writes);
    store->ops->destroy(store);
    test_no_leaks();
}
