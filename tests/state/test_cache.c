/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "state/cache.h"
#include "tests/state/leaks.h"
#include "tests/state/random_record.h"

enum { H = 16 };

static struct shoal_cache *make(size_t capacity)
{
    struct shoal_cache *cache;
    cr_assert_eq(shoal_cache_create(capacity, H, &cache), SHOAL_OK);
    return cache;
}

static struct shoal_cache_entry *get(struct shoal_cache *cache, int32_t partition, unsigned user,
                                     uint32_t batch)
{
    char text[16];
    int size = snprintf(text, sizeof text, "user%u", user);
    return shoal_cache_get(cache, partition, text, (size_t)size, batch);
}

Test(cache, user_is_found_again_and_differs_by_partition)
{
    struct shoal_cache *cache = make(100);
    struct shoal_cache_entry *first = get(cache, 0, 1, 1);
    cr_assert_not(first->loaded);
    cr_assert_eq(first->record.hidden, H);
    first->record.events_count = 7;
    cr_assert_eq(get(cache, 0, 1, 2), first);
    cr_assert_neq(get(cache, 1, 1, 2), first);
    cr_assert_neq(get(cache, 0, 2, 2), first);
    cr_assert_eq(shoal_cache_count(cache), 3);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, ids_that_are_empty_or_too_long_are_refused)
{
    struct shoal_cache *cache = make(100);
    char id[SHOAL_USER_MAX + 1] = {0};
    cr_assert_null(shoal_cache_get(cache, 0, id, 0, 1));
    cr_assert_null(shoal_cache_get(cache, 0, id, sizeof id, 1));
    cr_assert_null(shoal_cache_get(cache, -1, id, 1, 1));
    cr_assert_not_null(shoal_cache_get(cache, 0, id, SHOAL_USER_MAX, 1));
    shoal_cache_destroy(cache);
    struct shoal_cache *none;
    cr_assert_eq(shoal_cache_create(0, H, &none), SHOAL_INVALID);
    cr_assert_null(none);
    shoal_cache_destroy(NULL);
    test_no_leaks();
}

Test(cache, entries_of_one_micro_batch_are_never_evicted_by_it)
{
    struct shoal_cache *cache = make(10);
    struct shoal_cache_entry *entries[10];
    for (unsigned i = 0; i < 10; i++)
        entries[i] = get(cache, 0, i, 1);
    cr_assert_null(get(cache, 0, 10, 1));
    for (unsigned i = 0; i < 10; i++)
        cr_assert_eq(get(cache, 0, i, 1), entries[i]);
    cr_assert_not_null(get(cache, 0, 10, 2));
    cr_assert_eq(shoal_cache_count(cache), 10);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, dirty_entries_are_never_evicted)
{
    struct shoal_cache *cache = make(10);
    for (unsigned i = 0; i < 10; i++) {
        struct shoal_cache_entry *entry = get(cache, 0, i, i);
        if (i != 4)
            shoal_cache_mark_dirty(cache, entry);
    }
    cr_assert_not_null(get(cache, 0, 100, 50));
    cr_assert_null(get(cache, 0, 101, 50));
    shoal_cache_mark_clean(cache, -1);
    cr_assert_not_null(get(cache, 0, 101, 50));
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, entry_used_again_outlives_those_that_were_not)
{
    struct shoal_cache *cache = make(4);
    struct shoal_cache_entry *kept = get(cache, 0, 0, 0);
    kept->loaded = true;
    for (unsigned i = 1; i < 40; i++) {
        cr_assert_not_null(get(cache, 0, i, i));
        cr_assert(get(cache, 0, 0, i)->loaded);
    }
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, new_entry_in_an_old_place_is_empty)
{
    struct shoal_cache *cache = make(1);
    struct shoal_cache_entry *entry = get(cache, 0, 1, 1);
    uint64_t seed = 1;
    test_random_record(&entry->record, &seed, SHOAL_FP32);
    entry->loaded = true;
    entry = get(cache, 0, 2, 2);
    cr_assert_not(entry->loaded);
    cr_assert_eq(entry->record.events_count, 0);
    cr_assert_eq(entry->record.offset, -1);
    for (size_t i = 0; i < H; i++)
        cr_assert(entry->record.h[i] == 0 && entry->record.c[i] == 0);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, dirty_entries_come_by_partition_in_the_order_of_marking)
{
    struct shoal_cache *cache = make(1000);
    static const struct {
        int32_t partition;
        unsigned user;
    } marks[] = {{2, 5}, {0, 9}, {2, 1}, {0, 3}, {2, 5}, {1, 1}, {0, 9}},
      expected[] = {{0, 9}, {0, 3}, {1, 1}, {2, 5}, {2, 1}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        shoal_cache_mark_dirty(cache, get(cache, marks[i].partition, marks[i].user, 1));
    size_t count;
    struct shoal_cache_entry *const *dirty = shoal_cache_dirty(cache, &count);
    cr_assert_eq(count, 5);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(dirty[i], get(cache, expected[i].partition, expected[i].user, 1));
    shoal_cache_mark_clean(cache, 0);
    dirty = shoal_cache_dirty(cache, &count);
    cr_assert_eq(count, 3);
    cr_assert_eq(dirty[0]->partition, 1);
    shoal_cache_mark_dirty(cache, get(cache, 0, 9, 1));
    (void)shoal_cache_dirty(cache, &count);
    cr_assert_eq(count, 4);
    shoal_cache_mark_clean(cache, -1);
    (void)shoal_cache_dirty(cache, &count);
    cr_assert_eq(count, 0);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, dropping_a_partition_forgets_its_entries_and_no_other)
{
    struct shoal_cache *cache = make(2000);
    for (unsigned i = 0; i < 1500; i++) {
        struct shoal_cache_entry *entry = get(cache, (int32_t)(i % 3), i, 1);
        entry->loaded = true;
        shoal_cache_mark_dirty(cache, entry);
    }
    shoal_cache_drop(cache, 1);
    cr_assert_eq(shoal_cache_count(cache), 1000);
    size_t count;
    (void)shoal_cache_dirty(cache, &count);
    cr_assert_eq(count, 1000);
    for (unsigned i = 0; i < 1500; i++)
        cr_assert_eq(get(cache, (int32_t)(i % 3), i, 2)->loaded, i % 3 != 1);
    shoal_cache_drop(cache, -1);
    cr_assert_eq(shoal_cache_count(cache), 0);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, hints_change_nothing)
{
    struct shoal_cache *cache = make(100);
    struct shoal_cache_entry *entry = get(cache, 0, 1, 1);
    struct shoal_cache_entry before = *entry;
    for (unsigned user = 0; user < 50; user++) {
        char text[16];
        int size = snprintf(text, sizeof text, "user%u", user);
        uint64_t hash = shoal_cache_expect(cache, 0, text, (size_t)size);
        shoal_cache_expect_entry(cache, hash);
        if (user == 1)
            cr_assert_eq(hash, entry->hash, "a hint that misses the slot is worth nothing");
    }
    cr_assert_eq(shoal_cache_count(cache), 1);
    cr_assert_eq(memcmp(&before, entry, offsetof(struct shoal_cache_entry, record)), 0);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

Test(cache, every_entry_of_a_partition_can_be_dirty_at_once)
{
    enum { USERS = 3000 };
    struct shoal_cache *cache = make(USERS);
    /* A partition's list must keep its room while its users come and go. */
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < USERS; i++)
            shoal_cache_mark_dirty(cache, get(cache, (int32_t)turn, i, turn + 1));
        size_t count;
        struct shoal_cache_entry *const *dirty =
            shoal_cache_dirty_of(cache, (int32_t)turn, &count);
        cr_assert_eq(count, USERS);
        cr_assert_eq(dirty[USERS - 1], get(cache, (int32_t)turn, USERS - 1, turn + 1));
        (void)shoal_cache_dirty_of(cache, 7, &count);
        cr_assert_eq(count, 0);
        shoal_cache_mark_clean(cache, -1);
    }
    shoal_cache_destroy(cache);
    test_no_leaks();
}

static void count_entry(void *opaque, const struct shoal_cache_entry *entry)
{
    (*(size_t *)opaque) += entry->record.events_count;
}

Test(cache, each_visits_the_loaded_entries)
{
    struct shoal_cache *cache = make(1000);
    for (unsigned i = 0; i < 600; i++) {
        struct shoal_cache_entry *entry = get(cache, 0, i, 1);
        entry->loaded = i % 2;
        entry->record.events_count = 1;
    }
    size_t sum = 0;
    shoal_cache_each(cache, count_entry, &sum);
    cr_assert_eq(sum, 300);
    shoal_cache_destroy(cache);
    test_no_leaks();
}

/* Against an array with an element for each possible user: an entry that is there holds what was
 * put into it last, and a dirty one is always there. */
Test(cache, long_random_use_never_confuses_users)
{
    enum { USERS = 400, CAPACITY = 150, STEPS = 200000 };
    struct shoal_cache *cache = make(CAPACITY);
    static uint64_t value[USERS];
    static bool dirty[USERS];
    size_t dirty_count = 0;
    uint64_t seed = 77;
    for (uint32_t step = 1; step <= STEPS; step++) {
        unsigned user = (unsigned)(test_random(&seed) % USERS);
        int32_t partition = (int32_t)(user % 5);
        struct shoal_cache_entry *entry = get(cache, partition, user, step);
        if (!entry) {
            cr_assert_eq(dirty_count, CAPACITY);
            shoal_cache_mark_clean(cache, -1);
            memset(dirty, 0, sizeof dirty);
            dirty_count = 0;
            continue;
        }
        cr_assert(entry->loaded || !dirty[user]);
        if (entry->loaded)
            cr_assert_eq(entry->record.events_count, value[user]);
        entry->loaded = true;
        entry->record.events_count = value[user] = step;
        if (test_random(&seed) % 4 == 0) {
            shoal_cache_mark_dirty(cache, entry);
            dirty_count += !dirty[user];
            dirty[user] = true;
        }
        if (test_random(&seed) % 3000 == 0) {
            shoal_cache_drop(cache, 2);
            for (unsigned u = 2; u < USERS; u += 5) {
                dirty_count -= dirty[u];
                dirty[u] = false;
            }
        }
        cr_assert_leq(shoal_cache_count(cache), CAPACITY);
    }
    shoal_cache_destroy(cache);
    test_no_leaks();
}
