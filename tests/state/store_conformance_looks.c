/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do when it is looked at; see store_conformance.h. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/state/store_conformance.h"

struct visits {
    size_t count, wrong;
    unsigned char seen[3][1000];
    enum shoal_status answer;
};

static enum shoal_status visit(void *opaque, int32_t partition, struct shoal_slice user,
                               struct shoal_slice value)
{
    struct visits *visits = opaque;
    char text[16] = {0};
    memcpy(text, user.bytes, user.size < sizeof text ? user.size : sizeof text - 1);
    unsigned long number = strtoul(text + 1, NULL, 10);
    visits->count++;
    if (partition < 0 || partition > 2 || number >= 1000 || visits->seen[partition][number]++ ||
        value.size != user.size || memcmp(user.bytes, value.bytes, value.size) != 0)
        visits->wrong++;
    return visits->answer;
}

static void fill(struct shoal_store *store, int32_t partition, unsigned count)
{
    char ids[1000][8];
    struct shoal_save_item items[1000];
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "u%u", i);
        items[i] = (struct shoal_save_item){.user = test_slice(ids[i]), .value = test_slice(ids[i])};
    }
    (void)test_acquire(store, partition);
    cr_assert_eq(store->ops->save(store, partition, items, count, 1, 1, NULL), SHOAL_OK);
}

void conformance_scan_visits_each_user_once(struct conformance *self)
{
    struct shoal_store *store = self->open(self), *reader = self->open(self);
    static struct visits visits;
    cr_assert_eq(reader->ops->scan(reader, visit, &visits, NULL), SHOAL_OK);
    cr_assert_eq(visits.count, 0);
    fill(store, 0, 1000);
    fill(store, 2, 10);
    cr_assert_eq(reader->ops->scan(reader, visit, &visits, NULL), SHOAL_OK);
    cr_assert_eq(visits.count, 1010);
    cr_assert_eq(visits.wrong, 0);
    store->ops->destroy(store);
    reader->ops->destroy(reader);
}

void conformance_scan_in_pieces_visits_every_user(struct conformance *self)
{
    struct shoal_store *store = self->open(self), *reader = self->open(self);
    static struct visits visits;
    struct shoal_scan_cursor cursor = {0};
    fill(store, 0, 1000);
    fill(store, 2, 900);
    size_t pieces = 0;
    for (; !cursor.ended && pieces < 1000; pieces++)
        cr_assert_eq(reader->ops->scan_piece(reader, &cursor, visit, &visits, NULL), SHOAL_OK);
    cr_assert(cursor.ended);
    cr_assert_gt(pieces, 1);
    cr_assert_eq(visits.count, 1900);
    store->ops->destroy(store);
    reader->ops->destroy(reader);
}

void conformance_peek_reads_a_checkpoint_and_takes_nothing(struct conformance *self)
{
    struct shoal_store *store = self->open(self), *reader = self->open(self);
    struct shoal_checkpoint found;
    struct shoal_layout layout;
    cr_assert_eq(store->ops->open(store, 3, NULL), SHOAL_OK);
    cr_assert_eq(reader->ops->layout(reader, &layout, NULL), SHOAL_OK);
    cr_assert_eq(layout.partitions, 3);
    cr_assert_eq(reader->ops->peek(reader, 1, &found, NULL), SHOAL_OK);
    cr_assert_eq(found.next_offset, -1);
    fill(store, 1, 3);
    int64_t before = 0;
    for (int64_t offset = 100; offset < 103; offset++) {
        cr_assert_eq(store->ops->save(store, 1, NULL, 0, offset, 7, NULL), SHOAL_OK);
        cr_assert_eq(reader->ops->peek(reader, 1, &found, NULL), SHOAL_OK);
        cr_assert_eq(found.next_offset, offset);
        cr_assert_eq(found.model, 7);
        cr_assert(before == 0 || found.saves == (uint64_t)before + 1);
        before = (int64_t)found.saves;
    }
    cr_assert_eq(reader->ops->peek(reader, -1, &found, NULL), SHOAL_INVALID);
    store->ops->destroy(store);
    reader->ops->destroy(reader);
}

void conformance_scan_ends_with_the_visitors_status(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    static struct visits visits = {.answer = SHOAL_DAMAGED};
    fill(store, 0, 10);
    cr_assert_eq(store->ops->scan(store, visit, &visits, NULL), SHOAL_DAMAGED);
    cr_assert_eq(visits.count, 1);
    cr_assert_str_eq(test_load(store, 0, "u1"), "u1");
    store->ops->destroy(store);
}

void conformance_what_is_kept_of_a_partition_is_loaded_and_not_visited(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    struct shoal_save_item item = {.user = test_slice(""), .value = test_slice("of all")};
    static struct visits visits;
    fill(store, 1, 3);
    cr_assert_eq(store->ops->save(store, 1, &item, 1, 2, 1, NULL), SHOAL_OK);
    cr_assert_str_eq(test_load(store, 1, ""), "of all");
    cr_assert_eq(store->ops->scan(store, visit, &visits, NULL), SHOAL_OK);
    cr_assert_eq(visits.count, 3);
    item.value.bytes = NULL;
    cr_assert_eq(store->ops->save(store, 1, &item, 1, 3, 1, NULL), SHOAL_OK);
    cr_assert_null(test_load(store, 1, ""));
    store->ops->destroy(store);
}

void conformance_ceiling_is_never_below_what_is_kept(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    uint64_t most = 0;
    (void)test_acquire(store, 1);
    fill(store, 0, 100);
    cr_assert_eq(store->ops->ceiling(store, 0, &most, NULL), SHOAL_OK);
    cr_assert(most == 100 || most == UINT64_MAX, "%" PRIu64, most);
    struct shoal_save_item items[] = {
        {.user = test_slice("u7")},
        {.user = test_slice(""), .value = test_slice("of all")},
        {.user = test_slice("u8"), .value = test_slice("8"), .timer_moves = true, .timer_ms = 5000}};
    cr_assert_eq(store->ops->save(store, 0, items, 3, 2, 1, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->ceiling(store, 0, &most, NULL), SHOAL_OK);
    cr_assert(most == 99 || most == UINT64_MAX, "%" PRIu64, most);
    cr_assert_eq(store->ops->ceiling(store, 1, &most, NULL), SHOAL_OK);
    cr_assert(most == 0 || most == UINT64_MAX, "%" PRIu64, most);
    store->ops->destroy(store);
}

void conformance_find_asks_every_partition(struct conformance *self)
{
    struct shoal_store *store = self->open(self), *reader = self->open(self);
    struct shoal_slice value;
    int32_t partition = -1;
    cr_assert_eq(reader->ops->find(reader, test_slice("u5"), &partition, &value, NULL),
                 SHOAL_NOT_FOUND);
    cr_assert_eq(store->ops->open(store, 3, NULL), SHOAL_OK);
    fill(store, 0, 3);
    fill(store, 2, 10);
    cr_assert_eq(reader->ops->find(reader, test_slice("u5"), &partition, &value, NULL), SHOAL_OK);
    cr_assert_eq(partition, 2);
    cr_assert_eq(value.size, 2);
    cr_assert_eq(memcmp(value.bytes, "u5", 2), 0);
    cr_assert_eq(reader->ops->find(reader, test_slice("u50"), &partition, &value, NULL),
                 SHOAL_NOT_FOUND);
    store->ops->destroy(store);
    reader->ops->destroy(reader);
}
