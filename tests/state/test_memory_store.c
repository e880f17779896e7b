/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/state/leaks.h"
#include "tests/state/store_conformance.h"

struct memory {
    struct conformance base;
    struct shoal_store *first;
};

static struct shoal_store *open_memory(struct conformance *self)
{
    struct memory *memory = (struct memory *)self;
    struct shoal_store *store;
    if (!memory->first)
        cr_assert_eq(shoal_memory_store_create(&memory->first), SHOAL_OK);
    cr_assert_eq(shoal_memory_store_share(memory->first, &store), SHOAL_OK);
    return store;
}

#define X(name)                                                                                    \
    Test(memory_store, name)                                                                       \
    {                                                                                              \
        struct memory memory = {.base.open = open_memory};                                         \
        conformance_##name(&memory.base);                                                          \
        if (memory.first)                                                                          \
            memory.first->ops->destroy(memory.first);                                              \
        test_no_leaks();                                                                           \
    }
CONFORMANCE_LIST(X)
#undef X

Test(memory_store, memory_outlives_the_view_that_made_it)
{
    struct shoal_store *first, *second;
    struct shoal_checkpoint before;
    cr_assert_eq(shoal_memory_store_create(&first), SHOAL_OK);
    cr_assert_eq(first->ops->acquire(first, 0, &before, NULL), SHOAL_OK);
    cr_assert_eq(test_save(first, 0, "a", "1", 1, NULL), SHOAL_OK);
    cr_assert_eq(shoal_memory_store_share(first, &second), SHOAL_OK);
    first->ops->destroy(first);
    cr_assert_str_eq(test_load(second, 0, "a"), "1");
    second->ops->destroy(second);
    test_no_leaks();
}
