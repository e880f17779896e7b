/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do; see store_conformance.h. */
#include "tests/state/store_conformance.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/state/random_record.h"

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

static struct shoal_checkpoint acquire(struct shoal_store *store, int32_t partition)
{
    struct shoal_checkpoint before;
    struct shoal_message message = {{0}};
    cr_assert_eq(store->ops->acquire(store, partition, &before, &message), SHOAL_OK, "%s",
                 message.text);
    return before;
}

static void save(struct shoal_store *store, int32_t partition, const char *user, const char *value,
                 int64_t next_offset)
{
    struct shoal_message message = {{0}};
    cr_assert_eq(test_save(store, partition, user, value, next_offset, &message), SHOAL_OK, "%s",
                 message.text);
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
    struct shoal_checkpoint before = acquire(store, 3);
    cr_assert_eq(before.next_offset, -1);
    cr_assert_eq(before.epoch, 0);
    cr_assert_null(test_load(store, 3, "u"));
    store->ops->destroy(store);
}

void conformance_saved_records_are_loaded_and_others_absent(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    (void)acquire(store, 0);
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
    save(store, 0, "a", "changed", 11);
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
    (void)acquire(store, 0);
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
    (void)acquire(store, 0);
    save(store, 0, "a", "1", 1);
    save(store, 0, "b", "2", 2);
    save(store, 0, "a", NULL, 3);
    save(store, 0, "never", NULL, 4);
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
    (void)acquire(first, 1);
    struct shoal_save_item item = {.user = test_slice("a"), .value = test_slice("1")};
    cr_assert_eq(first->ops->save(first, 1, &item, 1, 42, UINT64_MAX, NULL), SHOAL_OK);
    struct shoal_checkpoint before = acquire(second, 1);
    cr_assert_eq(before.next_offset, 42);
    cr_assert_eq(before.epoch, 1);
    cr_assert_eq(before.model, UINT64_MAX);
    cr_assert_eq(before.saves, 1);
    cr_assert_str_eq(test_load(second, 1, "a"), "1");
    before = acquire(first, 1);
    cr_assert_eq(before.next_offset, 42);
    cr_assert_eq(before.epoch, 2);
    cr_assert_eq(before.model, UINT64_MAX);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_save_without_items_moves_the_checkpoint(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    (void)acquire(store, 0);
    cr_assert_eq(store->ops->save(store, 0, NULL, 0, 7, 3, NULL), SHOAL_OK);
    cr_assert_eq(store->ops->save(store, 0, NULL, 0, 9, 3, NULL), SHOAL_OK);
    cr_assert_eq(acquire(store, 0).next_offset, 9);
    store->ops->destroy(store);
}

void conformance_save_without_ownership_is_invalid(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    cr_assert_eq(test_save(store, 0, "a", "1", 1, NULL), SHOAL_INVALID);
    (void)acquire(store, 0);
    save(store, 0, "a", "1", 1);
    cr_assert_eq(test_save(store, 1, "a", "1", 1, NULL), SHOAL_INVALID);
    store->ops->release(store, 0);
    store->ops->release(store, 1000);
    cr_assert_eq(test_save(store, 0, "a", "1", 2, NULL), SHOAL_INVALID);
    cr_assert_eq(acquire(store, 0).next_offset, 1);
    struct shoal_checkpoint before;
    cr_assert_eq(store->ops->acquire(store, -1, &before, NULL), SHOAL_INVALID);
    cr_assert_eq(test_save(store, -1, "a", "1", 2, NULL), SHOAL_INVALID);
    store->ops->destroy(store);
}

void conformance_first_owner_is_fenced_by_a_second(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    struct shoal_message message = {{0}};
    (void)acquire(first, 0);
    save(first, 0, "a", "first", 10);
    (void)acquire(second, 0);
    first->lost_writes = true;
    cr_assert_eq(test_save(first, 0, "a", "late", 11, &message), SHOAL_FENCED);
    cr_assert_not(first->lost_writes);
    cr_assert_not_null(strstr(message.text, "another owner"), "%s", message.text);
    cr_assert_str_eq(test_load(second, 0, "a"), "first");
    save(second, 0, "a", "second", 12);
    cr_assert_eq(test_save(first, 0, "a", "later", 13, NULL), SHOAL_FENCED);
    cr_assert_str_eq(test_load(first, 0, "a"), "second");
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_owner_that_comes_back_fences_its_successor(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    (void)acquire(first, 0);
    (void)acquire(second, 0);
    save(second, 0, "a", "second", 5);
    cr_assert_eq(acquire(first, 0).next_offset, 5);
    cr_assert_eq(test_save(second, 0, "a", "late", 6, NULL), SHOAL_FENCED);
    cr_assert_not(second->lost_writes);
    save(first, 0, "a", "first", 6);
    /* Also when nothing was saved between two takeovers. */
    (void)acquire(second, 0);
    (void)acquire(first, 0);
    cr_assert_eq(test_save(second, 0, "a", "late", 6, NULL), SHOAL_FENCED);
    save(first, 0, "a", "first", 7);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_verify_knows_the_owner(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_INVALID);
    (void)acquire(first, 0);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_OK);
    save(first, 0, "a", "first", 10);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_OK);
    save(first, 0, "a", "again", 11);
    (void)acquire(second, 0);
    cr_assert_eq(first->ops->verify(first, 0, NULL), SHOAL_FENCED);
    cr_assert_eq(second->ops->verify(second, 0, NULL), SHOAL_OK);
    save(second, 0, "a", "second", 12);
    first->ops->destroy(first);
    second->ops->destroy(second);
}

void conformance_partitions_are_independent(struct conformance *self)
{
    struct shoal_store *first = self->open(self), *second = self->open(self);
    (void)acquire(first, 0);
    (void)acquire(second, 1);
    save(first, 0, "a", "zero", 3);
    save(second, 1, "a", "one", 8);
    save(first, 0, "a", "zero again", 4);
    cr_assert_str_eq(test_load(second, 0, "a"), "zero again");
    cr_assert_str_eq(test_load(first, 1, "a"), "one");
    cr_assert_null(test_load(first, 11, "a"));
    cr_assert_eq(acquire(first, 1).next_offset, 8);
    cr_assert_eq(acquire(second, 0).next_offset, 4);
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
    (void)acquire(store, 0);
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
    (void)acquire(store, partition);
    cr_assert_eq(store->ops->save(store, partition, items, count, 1, 1, NULL), SHOAL_OK);
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

/* ---- timers ------------------------------------------------------------------------------- */

enum { TIMERS_MAX = 600 };

struct timers {
    size_t count;
    char users[TIMERS_MAX][16];
    int64_t due_ms[TIMERS_MAX];
};

static enum shoal_status note_timer(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct timers *timers = opaque;
    cr_assert_lt(timers->count, TIMERS_MAX);
    cr_assert_lt(user.size, sizeof timers->users[0]);
    memcpy(timers->users[timers->count], user.bytes, user.size);
    timers->users[timers->count][user.size] = '\0';
    timers->due_ms[timers->count++] = timer_ms;
    return SHOAL_OK;
}

/* Everything later than after_ms, asked for `limit` at a time. */
static void all_timers(struct shoal_store *store, int32_t partition, int64_t after_ms, size_t limit,
                       struct timers *timers)
{
    struct shoal_message message = {{0}};
    timers->count = 0;
    for (int64_t until_ms = 0; until_ms != INT64_MAX; after_ms = until_ms) {
        size_t before = timers->count;
        cr_assert_eq(store->ops->timers(store, partition, after_ms, limit, note_timer, timers,
                                        &until_ms, &message),
                     SHOAL_OK, "%s", message.text);
        cr_assert(until_ms == INT64_MAX || timers->count > before, "a call that brings nothing");
        for (size_t i = before; i < timers->count; i++)
            cr_assert(timers->due_ms[i] > after_ms && timers->due_ms[i] <= until_ms);
    }
}

static int64_t due_of(const struct timers *timers, const char *user)
{
    int64_t due_ms = 0;
    for (size_t i = 0; i < timers->count; i++) {
        if (strcmp(timers->users[i], user) == 0) {
            cr_assert_eq(due_ms, 0, "two entries of one user");
            due_ms = timers->due_ms[i];
        }
    }
    return due_ms;
}

static void save_timer(struct shoal_store *store, const char *user, const char *value, bool moves,
                       int64_t timer_ms)
{
    struct shoal_message message = {{0}};
    struct shoal_save_item item = {.user = test_slice(user),
                                   .value = test_slice(value),
                                   .timer_moves = moves,
                                   .timer_ms = timer_ms};
    cr_assert_eq(store->ops->save(store, 0, &item, 1, 1, 1, &message), SHOAL_OK, "%s",
                 message.text);
}

void conformance_timers_move_with_their_records(struct conformance *self)
{
    struct shoal_store *store = self->open(self);
    struct timers timers;
    acquire(store, 0);
    save_timer(store, "a", "1", true, 5000);
    save_timer(store, "b", "1", true, 7000);
    save_timer(store, "c", "1", false, 0);
    all_timers(store, 0, 0, 100, &timers);
    cr_assert_eq(timers.count, 2);
    cr_assert_eq(due_of(&timers, "a"), 5000);
    cr_assert_eq(due_of(&timers, "b"), 7000);
    save_timer(store, "a", "2", false, 0);
    all_timers(store, 0, 0, 100, &timers);
    cr_assert_eq(due_of(&timers, "a"), 5000, "a save that says nothing leaves the entry");
    save_timer(store, "a", "3", true, 9000);
    all_timers(store, 0, 7000, 100, &timers);
    cr_assert_eq(timers.count, 1, "after 7 s");
    cr_assert_eq(due_of(&timers, "a"), 9000);
    save_timer(store, "a", "4", true, 0);
    save_timer(store, "b", NULL, false, 0);
    all_timers(store, 0, 0, 100, &timers);
    cr_assert_eq(timers.count, 0, "moved to none, and gone with the record");
    all_timers(store, 1, 0, 100, &timers);
    cr_assert_eq(timers.count, 0);
    store->ops->destroy(store);
}

void conformance_timers_come_in_pieces_that_split_no_due_time(struct conformance *self)
{
    enum { USERS = 500 };
    struct shoal_store *store = self->open(self);
    struct timers timers;
    struct shoal_message message = {{0}};
    struct shoal_save_item items[USERS];
    char users[USERS][8];
    acquire(store, 0);
    for (int i = 0; i < USERS; i++) {
        snprintf(users[i], sizeof users[i], "u%d", i);
        /* 40 share each due time: more than some of the limits below */
        items[i] = (struct shoal_save_item){.user = test_slice(users[i]),
                                            .value = test_slice("x"),
                                            .timer_moves = true,
                                            .timer_ms = 1000 + i / 40 * 1000};
    }
    cr_assert_eq(store->ops->save(store, 0, items, USERS, 1, 1, &message), SHOAL_OK);
    static const size_t limits[] = {1, 7, 40, 41, 100, 499, 500, 501};
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        all_timers(store, 0, 0, limits[k], &timers);
        cr_assert_eq(timers.count, USERS, "limit %zu gives %zu", limits[k], timers.count);
        for (int i = 0; i < USERS; i += 13)
            cr_assert_eq(due_of(&timers, users[i]), 1000 + i / 40 * 1000);
    }
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

/* ---- random series ------------------------------------------------------------------------ */

enum { WORKERS = 3, PARTITIONS = 3, USERS = 20 };

static size_t random_save(struct shoal_store *store, int32_t partition, uint64_t *seed,
                          char *journal, size_t size)
{
    char ids[USERS][8], values[USERS][24];
    struct shoal_save_item items[USERS];
    size_t count = test_random(seed) % USERS;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "u%zu", i);
        (void)snprintf(values[i], sizeof values[i], "%" PRIx64, test_random(seed));
        items[i] = (struct shoal_save_item){
            .user = test_slice(ids[i]),
            .value = test_slice(test_random(seed) % 5 ? values[i] : NULL),
            .timer_moves = test_random(seed) % 2,
            .timer_ms = (int64_t)(test_random(seed) % 4) * 1000};
    }
    struct shoal_message message = {{0}};
    store->lost_writes = false;
    enum shoal_status status =
        store->ops->save(store, partition, items, count, (int64_t)(test_random(seed) % 1000),
                         test_random(seed), &message);
    return (size_t)snprintf(journal, size, "save %s %d %s\n", shoal_status_code(status),
                            store->lost_writes, message.text);
}

static size_t random_load(struct shoal_store *store, int32_t partition, uint64_t *seed,
                          char *journal, size_t size)
{
    char id[8];
    (void)snprintf(id, sizeof id, "u%d", (int)(test_random(seed) % USERS));
    const char *value = test_load(store, partition, id);
    size_t used = (size_t)snprintf(journal, size, "load %s", value ? value : "(none)");
    struct timers timers;
    all_timers(store, partition, 0, 5, &timers);
    return used + (size_t)snprintf(journal + used, size - used, ", due %" PRId64 " of %zu\n",
                                   due_of(&timers, id), timers.count);
}

static size_t random_acquire(struct shoal_store *store, int32_t partition, char *journal,
                             size_t size)
{
    struct shoal_checkpoint before = acquire(store, partition);
    return (size_t)snprintf(journal, size,
                            "acquire %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
                            before.next_offset, before.epoch, before.model, before.saves);
}

void conformance_random_series(struct conformance *self, uint64_t seed, size_t calls, char *journal,
                               size_t size)
{
    struct shoal_store *workers[WORKERS];
    for (size_t i = 0; i < WORKERS; i++)
        workers[i] = self->open(self);
    size_t used = 0;
    for (size_t i = 0; i < calls; i++) {
        struct shoal_store *store = workers[test_random(&seed) % WORKERS];
        int32_t partition = (int32_t)(test_random(&seed) % PARTITIONS);
        uint64_t draw = test_random(&seed) % 20;
        cr_assert_lt(used + 700, size, "the journal is too small");
        if (draw < 10)
            used += random_save(store, partition, &seed, journal + used, size - used);
        else if (draw < 16)
            used += random_load(store, partition, &seed, journal + used, size - used);
        else if (draw < 19)
            used += random_acquire(store, partition, journal + used, size - used);
        else
            store->ops->release(store, partition);
    }
    for (size_t i = 0; i < WORKERS; i++)
        workers[i]->ops->destroy(workers[i]);
}
