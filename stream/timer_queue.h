/* SPDX-License-Identifier: Apache-2.0 */
/* The near future of a partition's timers, in memory: those entries of the store's index that fall due next.
 *
 *   index in the store, as the records in the cache have changed it ──────────►  due time
 *   in memory   [ all that is due until until_ms ]
 *
 * Only the partition's owner writes the index, so what is in memory stays true: what an event arms, or moves,
 * is put in and taken out here too. Taking out is done lazily, by a second heap of what is to be taken out:
 * both have the same order, so an entry is void when it stands first in both.
 *
 * Invariant: heap less void is just the entries that are in force and due until until_ms. */
#ifndef SHOAL_TIMER_QUEUE_H
#define SHOAL_TIMER_QUEUE_H

#include "state/cache.h"
#include "state/store.h"

struct shoal_timer_entry {
    int64_t due_ms;
    uint8_t user_size;
    char user[SHOAL_USER_MAX];
};

/* A heap of places in `entries`, the earliest first, by time and then user. */
struct shoal_timer_heap {
    struct shoal_timer_place {
        int64_t due_ms;
        uint32_t entry;
    } *list; /* owned */
    size_t count, capacity;
};

/* Zero-initialised: empty, nothing fetched. */
struct shoal_timer_queue {
    bool fetched;     /* until_ms means something */
    int64_t until_ms; /* everything that is due until then is in memory */
    struct shoal_timer_heap heap, voided;
    struct shoal_timer_entry *entries; /* owned; of both heaps, and free ones */
    uint32_t entries_count, entries_capacity;
    uint32_t *unused; /* owned; entries_capacity: free places below entries_count */
    uint32_t unused_count;
};

void shoal_timer_queue_finish(struct shoal_timer_queue *queue);
/* Forgets everything. */
void shoal_timer_queue_clear(struct shoal_timer_queue *queue);
/* A user's entry was moved in its record from before_ms (0: there was none, or it was popped) to due_ms (0:
 * there is none any more). NOMEM. */
enum shoal_status shoal_timer_queue_move(struct shoal_timer_queue *queue, const char *user,
                                         size_t user_size, int64_t before_ms,
                                         int64_t due_ms) SHOAL_MUST_CHECK;
/* Makes sure that everything that is due until due_ms is in memory: from the store, and where a record in
 * `cache` has not been saved yet, from that. As the store's `timers`; NOMEM. */
enum shoal_status shoal_timer_queue_fetch(struct shoal_timer_queue *queue,
                                          struct shoal_store *store, struct shoal_cache *cache,
                                          int32_t partition, int64_t due_ms,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* The earliest due time in memory; INT64_MAX if there is none. */
int64_t shoal_timer_queue_next(struct shoal_timer_queue *queue);
/* How many entries in memory are due until due_ms. */
size_t shoal_timer_queue_count(const struct shoal_timer_queue *queue, int64_t due_ms);
/* Takes out the earliest entry, after shoal_timer_queue_next has found it. */
void shoal_timer_queue_pop(struct shoal_timer_queue *queue, struct shoal_timer_entry *entry);
#endif
