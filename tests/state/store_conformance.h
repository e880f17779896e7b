/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do, run against each of them: the list below becomes one test each in
 * test_memory_store.c, test_redis_store.c and others. */
#ifndef SHOAL_TESTS_STORE_CONFORMANCE_H
#define SHOAL_TESTS_STORE_CONFORMANCE_H

#include "state/store.h"

/* Makes a further store (worker) on the same data. The test destroys it. */
struct conformance {
    struct shoal_store *(*open)(struct conformance *self);
};

#define CONFORMANCE_LIST(X)                                                                        \
    X(partition_count_is_kept_and_another_one_refused)                                             \
    X(layout_is_replaced_only_where_it_is_what_was_expected)                                       \
    X(first_owner_finds_nothing)                                                                   \
    X(saved_records_are_loaded_and_others_absent)                                                  \
    X(user_ids_and_values_may_be_any_bytes)                                                        \
    X(item_without_value_is_deleted)                                                               \
    X(next_owner_finds_the_checkpoint_of_the_last_save)                                            \
    X(save_without_items_moves_the_checkpoint)                                                     \
    X(save_without_ownership_is_invalid)                                                           \
    X(first_owner_is_fenced_by_a_second)                                                           \
    X(owner_that_comes_back_fences_its_successor)                                                  \
    X(verify_knows_the_owner)                                                                      \
    X(partitions_are_independent)                                                                  \
    X(large_saves_and_loads_are_whole)                                                             \
    X(scan_visits_each_user_once)                                                                  \
    X(scan_in_pieces_visits_every_user)                                                            \
    X(peek_reads_a_checkpoint_and_takes_nothing)                                                   \
    X(scan_ends_with_the_visitors_status)                                                          \
    X(what_is_kept_of_a_partition_is_loaded_and_not_visited)                                       \
    X(timers_move_with_their_records)                                                              \
    X(timers_come_in_pieces_that_split_no_due_time)                                                \
    X(ceiling_is_never_below_what_is_kept)                                                         \
    X(find_asks_every_partition)

#define X(name) void conformance_##name(struct conformance *self);
CONFORMANCE_LIST(X)
#undef X

/* A long series of random calls by three workers; writes every answer into `journal` (size bytes,
 * zero-terminated), which two stores must agree on. */
void conformance_random_series(struct conformance *self, uint64_t seed, size_t calls, char *journal,
                               size_t size);

/* Helpers for further tests: text in, status out. */
struct shoal_slice test_slice(const char *text);
enum shoal_status test_save(struct shoal_store *store, int32_t partition, const char *user,
                            const char *value, int64_t next_offset, struct shoal_message *message);
/* The same where nothing may go wrong. */
struct shoal_checkpoint test_acquire(struct shoal_store *store, int32_t partition);
void test_save_well(struct shoal_store *store, int32_t partition, const char *user,
                    const char *value, int64_t next_offset);
/* The stored value as text, NULL if there is none; valid until the next call. */
const char *test_load(struct shoal_store *store, int32_t partition, const char *user);

#endif
