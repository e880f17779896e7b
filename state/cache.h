/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's bounded cache of decoded records, keyed by partition and user id.
 *
 * Entries are `clean` (equal to the store) or `dirty` (changed since the last save). Only clean
 * entries that are not pinned by the current micro-batch are evicted (second chance / clock); when
 * all are dirty or pinned the caller is told to save first. Open addressing over entry pointers;
 * entries come from slabs of equal size; nothing is allocated per event once warm. */
#ifndef SHOAL_CACHE_H
#define SHOAL_CACHE_H

#include "model/base/status.h"
#include "state/record.h"

struct shoal_cache_entry {
    uint64_t hash;
    int32_t partition;
    uint32_t batch;   /* pin: number of the micro-batch that uses it */
    uint32_t round;   /* scratch of the pipeline: next round of this user in the micro-batch */
    uint8_t user_size;
    bool dirty;
    bool loaded;      /* record holds the store's content (or is new); false until filled */
    bool referenced;  /* clock bit */
    int64_t timer_saved_ms; /* the user's entry in the store's index of timers */
    struct shoal_cache_entry *next_free; /* the cache's own */
    char user[SHOAL_USER_MAX];
    struct shoal_record record;
};

struct shoal_cache;

enum shoal_status shoal_cache_create(size_t capacity, uint32_t hidden,
                                     struct shoal_cache **cache) SHOAL_MUST_CHECK;
void shoal_cache_destroy(struct shoal_cache *cache);
/* The entry of a user, made if absent (loaded = false then, record empty), pinned for micro-batch
 * `batch`. An entry stays at its address until it is evicted or dropped. NULL when the cache is
 * full of dirty or pinned entries, or memory is out. Entries of batch number b are pinned exactly
 * as long as calls are made with b, so no two micro-batches in a row may have the same number. */
struct shoal_cache_entry *shoal_cache_get(struct shoal_cache *cache, int32_t partition,
                                          const char *user, size_t user_size, uint32_t batch);
/* The entry of a user if there is one, else NULL. */
const struct shoal_cache_entry *shoal_cache_peek(const struct shoal_cache *cache, int32_t partition,
                                                 const char *user, size_t user_size);
/* Hints that a user will be asked for soon: look-ups wait for memory more than for anything else, and
 * hints let several wait at once. The first fetches the slot and returns the user's hash; the second,
 * some look-ups later, the entry that the slot then names. Neither changes anything. */
uint64_t shoal_cache_expect(const struct shoal_cache *cache, int32_t partition, const char *user,
                            size_t user_size);
void shoal_cache_expect_entry(const struct shoal_cache *cache, uint64_t hash);
/* Marks dirty and puts it on the dirty list of its partition, once. */
void shoal_cache_mark_dirty(struct shoal_cache *cache, struct shoal_cache_entry *entry);
/* Dirty entries, those of one partition together (partitions ascending) and within one in the order
 * of marking: each run is one save. *count is set. Valid until the next mark, clean or drop. */
struct shoal_cache_entry *const *shoal_cache_dirty(struct shoal_cache *cache, size_t *count);
/* The same for one partition. */
struct shoal_cache_entry *const *shoal_cache_dirty_of(struct shoal_cache *cache, int32_t partition,
                                                      size_t *count);
size_t shoal_cache_dirty_count(const struct shoal_cache *cache);
/* All dirty entries of `partition` (−1: of all) were saved: they become clean. */
void shoal_cache_mark_clean(struct shoal_cache *cache, int32_t partition);
/* Forgets all entries of `partition` (−1: all), dirty or not. */
void shoal_cache_drop(struct shoal_cache *cache, int32_t partition);
/* Calls visit for every loaded entry, in no particular order (replay's states.jsonl). */
void shoal_cache_each(struct shoal_cache *cache,
                      void (*visit)(void *opaque, const struct shoal_cache_entry *entry),
                      void *opaque);
size_t shoal_cache_count(const struct shoal_cache *cache);

#endif
