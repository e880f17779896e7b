/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do when records are saved, and who may; see store_conformance.h. */
#include "tests/state/store_conformance.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct shoal_slice test_slice(const char *text)
{
    return (struct shoal_slice){.bytes = text, .size = text ? strlen(text) : 0};
}

enum shoal_status test_save(struct shoal_store *store, int32_t partition, const char *user,
                            const char *value, int64_t next_offset, struct shoal_message *message)
{
    struct shoal_save_item item = {.user = test_slice(user), .value = test_slice(value)};
    return store->ops->save(store, partition, &item, user ? 1 : 0, next_offset, 1, message);
}

const char *test_load(struct shoal_store *store, int32_t partition, const char *user)
{
    static char text[1024];
    struct shoal_slice slice = test_slice(user), value;
    struct shoal_message message = {{0}};
    cr_assert_eq(store->ops->load(store, partition, &slice, 1, &value, &message), SHOAL_OK, "%s",
                 message.text);
    if (!value.bytes)
        return NULL;
    cr_assert_lt(value.size, sizeof text);
    memcpy(text, value.bytes, value.size);
    text[value.size] = '\0';
    return text;
}

struct shoal_checkpoint test_acquire(struct shoal_store *store, int32_t partition)
{
    struct shoal_checkpoint before;
    struct shoal_message message = {{0}};
    cr_assert_eq(store->ops->acquire(store, partition, &before, &message), SHOAL_OK, "%s",
                 message.text);
    return before;
}

void test_save_well(struct shoal_store *store, int32_t partition, const char *user,
                    const char *value, int64_t next_offset)
{
    struct shoal_message message = {{0}};
    cr_assert_eq(test_save(store, partition, user, value, next_offset, &message), SHOAL_OK, "%s",
                 message.text);
}

void conformance_layout_is_replaced_only_where_it_is_what_was_expected(struct conformance *self)
{
    struct shoal_store *store = self->open(self), *other = self->open(self);
    struct shoal_layout none = {0}, four = {4, 0}, moving = {4, 6}, six = {6, 0}, found;
    cr_assert_eq(store->ops->layout(store, &found, NULL), SHOAL_OK);
    cr_assert_eq(found.partitions, 0);
    cr_assert_eq(store->ops->set_layout(store, &four, &moving, NULL), SHOAL_FENCED);
    cr_assert_eq(store->ops->set_layout(store, &none, &four, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->open(store, 4, NULL), SHOAL_OK);
    cr_assert_eq(other->ops->set_layout(other, &four, &moving, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->set_layout(store, &four, &moving, NULL), SHOAL_FENCED);
    cr_assert_eq(store->ops->open(store, 4, NULL), SHOAL_PARTITIONS_CHANGED);
    cr_assert_eq(store->ops->open(store, 6, NULL), SHOAL_PARTITIONS_CHANGED);
    cr_assert_eq(store->ops->layout(store, &found, NULL), SHOAL_OK);
    cr_assert_eq(found.partitions, 4);
    cr_assert_eq(found.becoming, 6);
    cr_assert_eq(store->ops->set_layout(store, &moving, &six, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->open(store, 6, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->open(store, 4, NULL), SHOAL_PARTITIONS_CHANGED);
    store->ops->destroy(store);
    other->ops->destroy(other);
}

void conformance_partition_count_is_kept_and_another_one_refused(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    struct shoal_message message = {{0}};
    cr_assert_eq(first->ops->open(first, 4, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(first->ops->open(first, 4, NULL), SHOAL_OK);
    cr_assert_eq(second->ops->open(second, 4, NULL), SHOAL_OK);
    cr_assert_eq(second->ops->open(second, 6, &message), SHOAL_PARTITIONS_CHANGED);
    cr_assert_not_null(strchr(message.text, '4'));
    cr_assert_not_null(strchr(message.text, '6'));
    cr_assert_eq(second->ops->open(second, 0, NULL), SHOAL_INVALID);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_first_owner_finds_nothing(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    struct shoal_checkpoint before = test_acquire(store, 3);
    cr_assert_eq(before.next_offset, -1);
    cr_assert_eq(before.epoch, 0);
    cr_assert_null(test_load(store, 3, "u"));
    store->ops->destroy(store);
}

void conformance_saved_records_are_loaded_and_others_absent(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    (void)test_acquire(store, 0);
    struct shoal_save_item items[] = {{.user = test_slice("a"), .value = test_slice("1")},
                                      {.user = test_slice("b"), .value = test_slice("22")}};
    cr_assert_eq(store->ops->save(store, 0, items, 2, 10, 1, NULL), SHOAL_OK);
    struct shoal_slice users[] = {test_slice("b"), test_slice("x"), test_slice("a"),
                                  test_slice("b")};
    struct shoal_slice values[4];
    cr_assert_eq(store->ops->load(store, 0, users, 4, values, NULL), SHOAL_OK);
    cr_assert_eq(values[0].size, 2);
    cr_assert_eq(memcmp(values[0].bytes, "22", 2), 0);
    cr_assert_null(values[1].bytes);
    cr_assert_eq(values[2].size, 1);
    cr_assert_eq(memcmp(values[3].bytes, "22", 2), 0);
    cr_assert_eq(store->ops->load(store, 0, users, 0, values, NULL), SHOAL_OK);
    test_save_well(store, 0, "a", "changed", 11);
    cr_assert_str_eq(test_load(store, 0, "a"), "changed");
    store->ops->destroy(store);
}

void conformance_user_ids_and_values_may_be_any_bytes(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    unsigned char all[256];
    for (unsigned i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    struct shoal_save_item items[4];
    for (size_t i = 0; i < 4; i++)
        items[i] = (struct shoal_save_item){.user = {all + 64 * i, 64}, .value = {all, i == 3 ? 0 : 256}};
    (void)test_acquire(store, 0);
    cr_assert_eq(store->ops->save(store, 0, items, 4, 1, 1, NULL), SHOAL_OK);
    struct shoal_slice users[4], values[4];
    for (size_t i = 0; i < 4; i++)
        users[i] = items[i].user;
    cr_assert_eq(store->ops->load(store, 0, users, 4, values, NULL), SHOAL_OK);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_not_null(values[i].bytes);
        cr_assert_eq(values[i].size, items[i].value.size);
        cr_assert_eq(memcmp(values[i].bytes, all, values[i].size), 0);
    }
    store->ops->destroy(store);
}

void conformance_item_without_value_is_deleted(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    (void)test_acquire(store, 0);
    test_save_well(store, 0, "a", "1", 1);
    test_save_well(store, 0, "b", "2", 2);
    test_save_well(store, 0, "a", NULL, 3);
    test_save_well(store, 0, "never", NULL, 4);
    cr_assert_null(test_load(store, 0, "a"));
    cr_assert_str_eq(test_load(store, 0, "b"), "2");
    struct shoal_save_item items[] = {{.user = test_slice("b")},
                                      {.user = test_slice("c"), .value = test_slice("3")}};
    cr_assert_eq(store->ops->save(store, 0, items, 2, 5, 1, NULL), SHOAL_OK);
    cr_assert_null(test_load(store, 0, "b"));
    cr_assert_str_eq(test_load(store, 0, "c"), "3");
    store->ops->destroy(store);
}

void conformance_next_owner_finds_the_checkpoint_of_the_last_save(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    (void)test_acquire(first, 1);
    struct shoal_save_item item = {.user = test_slice("a"), .value = test_slice("1")};
    cr_assert_eq(first->ops->save(first, 1, &item, 1, 42, UINT64_MAX, NULL), SHOAL_OK);
    struct shoal_checkpoint before = test_acquire(second, 1);
    cr_assert_eq(before.next_offset, 42);
    cr_assert_eq(before.epoch, 1);
    cr_assert_eq(before.model, UINT64_MAX);
    cr_assert_eq(before.saves, 1);
    cr_assert_str_eq(test_load(second, 1, "a"), "1");
    before = test_acquire(first, 1);
    cr_assert_eq(before.next_offset, 42);
    cr_assert_eq(before.epoch, 2);
    cr_assert_eq(before.model, UINT64_MAX);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_save_without_items_moves_the_checkpoint(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    (void)test_acquire(store, 0);
    cr_assert_eq(store->ops->save(store, 0, NULL, 0, 7, 3, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->save(store, 0, NULL, 0, 9, 3, NULL), SHOAL_OK);
    cr_assert_eq(test_acquire(store, 0).next_offset, 9);
    store->ops->destroy(store);
}

void conformance_save_without_ownership_is_invalid(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, NULL), SHOAL_INVALID);
    (void)test_acquire(store, 0);
    test_save_well(store, 0, "a", "1", 1);
    cr_assert_eq(test_save(store, 1, "a", "1", 1, NULL), SHOAL_INVALID);
    store->ops->release(store, 0);
    store->ops->release(store, 1000);
    cr_assert_eq(test_save(store, 0, "a", "1", 2, NULL), SHOAL_INVALID);
    cr_assert_eq(test_acquire(store, 0).next_offset, 1);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, -1, &before, NULL), SHOAL_INVALID);
    cr_assert_eq(test_save(store, -1, "a", "1", 2, NULL), SHOAL_INVALID);
    store->ops->destroy(store);
}

void conformance_first_owner_is_fenced_by_a_second(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    struct shoal_message message = {{0}};
    (void)test_acquire(first, 0);
    test_save_well(first, 0, "a", "first", 10);
    (void)test_acquire(second, 0);
    first->lost_writes = true;
    cr_assert_eq(test_save(first, 0, "a", "late", 11, &message), SHOAL_FENCED);
    cr_assert_not(first->lost_writes);
    cr_assert_not_null(strstr(message.text, "another owner"), "%s", message.text);
    cr_assert_str_eq(test_load(second, 0, "a"), "first");
    test_save_well(second, 0, "a", "second", 12);
    cr_assert_eq(test_save(first, 0, "a", "later", 13, NULL), SHOAL_FENCED);
    cr_assert_str_eq(test_load(first, 0, "a"), "second");
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_owner_that_comes_back_fences_its_successor(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    (void)test_acquire(first, 0);
    (void)test_acquire(second, 0);
    test_save_well(second, 0, "a", "second", 5);
    cr_assert_eq(test_acquire(first, 0).next_offset, 5);
    cr_assert_eq(test_save(second, 0, "a", "late", 6, NULL), SHOAL_FENCED);
    cr_assert_not(second->lost_writes);
    test_save_well(first, 0, "a", "first", 6);
    /* Also when nothing was saved between two takeovers. */
    (void)test_acquire(second, 0);
    (void)test_acquire(first, 0);
    cr_assert_eq(test_save(second, 0, "a", "late", 6, NULL), SHOAL_FENCED);
    test_save_well(first, 0, "a", "first", 7);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_verify_knows_the_owner(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_INVALID);
    (void)test_acquire(first, 0);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_OK);
    test_save_well(first, 0, "a", "first", 10);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_OK);
    test_save_well(first, 0, "a", "again", 11);
    (void)test_acquire(second, 0);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_FENCED);
    cr_assert_eq(second->ops->verify(second, 0, NULL), SHOAL_OK);
    test_save_well(second, 0, "a", "second", 12);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_partitions_are_independent(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    (void)test_acquire(first, 0);
    (void)test_acquire(second, 1);
    test_save_well(first, 0, "a", "zero", 3);
    test_save_well(second, 1, "a", "one", 8);
    test_save_well(first, 0, "a", "zero again", 4);
    cr_assert_str_eq(test_load(second, 0, "a"), "zero again");
    cr_assert_str_eq(test_load(first, 1, "a"), "one");
    cr_assert_null(test_load(first, 11, "a"));
    cr_assert_eq(test_acquire(first, 1).next_offset, 8);
    cr_assert_eq(test_acquire(second, 0).next_offset, 4);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_large_saves_and_loads_are_whole(struct conformance *self)
{
    enum { COUNT = 2503 };
    static char ids[COUNT][12], bytes[COUNT][400];
    static struct shoal_save_item items[COUNT];
    static struct shoal_slice users[COUNT], values[COUNT];
    struct shoal_store *store = self->open(self);
    (void)test_acquire(store, 0);
    for (size_t i = 0; i < COUNT; i++) {
        users[i].bytes = ids[i];
        users[i].size = (size_t)snprintf(ids[i], sizeof ids[i], "u%zu", i);
        memset(bytes[i], (int)(i & 0xff), sizeof bytes[i]);
        /* Whole chunks of deletions among them. */
        bool gone = (i >= 1000 && i < 2000) || i % 7 == 0;
        items[i] = (struct shoal_save_item){
            .user = users[i], .value = {gone ? NULL : bytes[i], sizeof bytes[i]}};
    }
    cr_assert_eq(store->ops->save(store, 0, items, COUNT, 5, 1, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->load(store, 0, users, COUNT, values, NULL), SHOAL_OK);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(values[i].bytes == NULL, items[i].value.bytes == NULL, "%zu", i);
        if (values[i].bytes)
            cr_assert(values[i].size == sizeof bytes[i] &&
                      memcmp(values[i].bytes, bytes[i], sizeof bytes[i]) == 0);
    }
    store->ops->destroy(store);
}
