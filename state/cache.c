/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of decoded records; see cache.h. Runs in its worker's thread.
 *
 *   slots (open addressing, linear probing)        slabs of 1024 entries, made as needed
 *   [hash|entry][hash|entry][    ][hash|entry]     entry 0 … 1023 | their h and c, 2·H floats each
 *            └────────────────────────┴──────────► entry 1024 … 2047 | …
 *
 * Invariants: a slot's hash is its entry's; the table is never more than half full; no slot lies
 * behind a gap on the way from where its hash points (deletion moves the followers up, so there are
 * no tombstones to wear the table out). A free entry has user_size 0. Every dirty entry is in the list
 * of its partition, and no clean one is; a list has room for all entries of its partition, so that
 * marking cannot fail.
 *
 * A user's entry is as likely as not in no processor cache, and a hundred thousand of them reach over
 * more pages than the processor remembers addresses of: hence large pages, and hints ahead of
 * look-ups. */
#include "state/cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "model/base/hash.h"

enum {
    SLAB_ENTRIES = 1024,
    LARGE_PAGE_BYTES = 2 << 20,
    LINE_BYTES = 64,
};

struct slot {
    uint64_t hash;
    struct shoal_cache_entry *entry; /* NULL = free */
};

struct slab {
    struct shoal_cache_entry *entries; /* SLAB_ENTRIES */
    float *states;                     /* SLAB_ENTRIES × 2·H; in the entries' memory, behind them */
};

struct dirty_list {
    struct shoal_cache_entry **entries; /* in the order of marking */
    size_t count;
    size_t capacity;
    size_t users; /* entries of the partition, dirty or not: ≤ capacity */
};

struct shoal_cache {
    size_t capacity, count;
    size_t made; /* entries ever handed out: indexes below it lie in slabs */
    size_t hand; /* of the clock, < made */
    uint32_t hidden;
    struct slot *slots;
    size_t mask; /* slots − 1 */
    struct slab *slabs;
    size_t slabs_count;
    struct shoal_cache_entry *free;
    struct dirty_list *dirty; /* by partition */
    size_t partitions_count;  /* in `dirty` */
    size_t dirty_count;
    struct shoal_cache_entry **all_dirty; /* what shoal_cache_dirty returns; room for capacity */
};

/* Memory of a size worth it is aligned so that the system can back it with large pages. */
static void *allocate(size_t bytes)
{
    size_t alignment = bytes >= LARGE_PAGE_BYTES ? LARGE_PAGE_BYTES : LINE_BYTES;
    void *memory = aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
#ifdef MADV_HUGEPAGE
    if (memory && alignment == LARGE_PAGE_BYTES)
        (void)madvise(memory, bytes / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES, MADV_HUGEPAGE);
#endif
    return memory;
}

enum shoal_status shoal_cache_create(size_t capacity, uint32_t hidden, struct shoal_cache **cache)
{
    *cache = NULL;
    if (capacity == 0 || capacity > SIZE_MAX / 4 / sizeof(struct shoal_cache_entry))
        return SHOAL_INVALID;
    struct shoal_cache *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    size_t slots = 16;
    while (slots < 2 * capacity)
        slots *= 2;
    made->capacity = capacity;
    made->hidden = hidden;
    made->mask = slots - 1;
    /* There before they are needed, so that the table never has to be rebuilt in the middle of a
     * micro-batch. */
    made->slots = allocate(slots * sizeof *made->slots);
    made->slabs = calloc(capacity / SLAB_ENTRIES + 1, sizeof *made->slabs);
    made->all_dirty = calloc(capacity, sizeof(struct shoal_cache_entry *));
    if (!made->slots || !made->slabs || !made->all_dirty) {
        shoal_cache_destroy(made);
        return SHOAL_NOMEM;
    }
    memset(made->slots, 0, slots * sizeof *made->slots);
    *cache = made;
    return SHOAL_OK;
}

void shoal_cache_destroy(struct shoal_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < cache->slabs_count; i++)
        free(cache->slabs[i].entries);
    for (size_t i = 0; i < cache->partitions_count; i++)
        free((void *)cache->dirty[i].entries);
    free(cache->slabs);
    free(cache->slots);
    free(cache->dirty);
    free((void *)cache->all_dirty);
    free(cache);
}

/* ---- table -------------------------------------------------------------------------------- */

static struct slot *find(const struct shoal_cache *cache, int32_t partition, const char *user,
                         size_t user_size, uint64_t hash)
{
    size_t i = hash & cache->mask;
    for (; cache->slots[i].entry; i = (i + 1) & cache->mask) {
        const struct shoal_cache_entry *entry = cache->slots[i].entry;
        if (cache->slots[i].hash == hash && entry->partition == partition &&
            entry->user_size == user_size && memcmp(entry->user, user, user_size) == 0)
            break;
    }
    return &cache->slots[i];
}

/* Empties the entry's slot and moves up those behind it that the gap would cut off. */
static void remove_slot(struct shoal_cache *cache, const struct shoal_cache_entry *entry)
{
    size_t gap =
        (size_t)(find(cache, entry->partition, entry->user, entry->user_size, entry->hash) -
                 cache->slots);
    for (size_t i = (gap + 1) & cache->mask; cache->slots[i].entry; i = (i + 1) & cache->mask) {
        size_t home = cache->slots[i].hash & cache->mask;
        if (((i - home) & cache->mask) < ((i - gap) & cache->mask))
            continue; /* its way does not lead over the gap */
        cache->slots[gap] = cache->slots[i];
        gap = i;
    }
    cache->slots[gap].entry = NULL;
}

/* ---- entries ------------------------------------------------------------------------------ */

static struct shoal_cache_entry *entry_at(const struct shoal_cache *cache, size_t index)
{
    return &cache->slabs[index / SLAB_ENTRIES].entries[index % SLAB_ENTRIES];
}

static float *state_of(const struct shoal_cache *cache, size_t index)
{
    return cache->slabs[index / SLAB_ENTRIES].states +
           index % SLAB_ENTRIES * 2 * (size_t)cache->hidden;
}

/* Takes an entry out of the table and puts it on the free list. It must not be on a dirty list. */
static void discard(struct shoal_cache *cache, struct shoal_cache_entry *entry)
{
    remove_slot(cache, entry);
    entry->user_size = 0;
    entry->dirty = false;
    entry->next_free = cache->free;
    cache->free = entry;
    cache->dirty[entry->partition].users--;
    cache->count--;
}

/* Adds a slab: of the entries that are still to be made, as many as fit. */
static bool make_slab(struct shoal_cache *cache)
{
    size_t left = cache->capacity - cache->made;
    size_t entries = left < SLAB_ENTRIES ? left : SLAB_ENTRIES;
    size_t entries_bytes = (entries * sizeof(struct shoal_cache_entry) + LINE_BYTES - 1) /
                           LINE_BYTES * LINE_BYTES;
    char *memory = allocate(entries_bytes + entries * 2 * cache->hidden * sizeof(float));
    if (!memory)
        return false;
    cache->slabs[cache->slabs_count++] = (struct slab){
        .entries = (struct shoal_cache_entry *)(void *)memory,
        .states = (float *)(void *)(memory + entries_bytes),
    };
    return true;
}

/* An entry that was never used: the next of the last slab, or the first of a new one. */
static struct shoal_cache_entry *make_entry(struct shoal_cache *cache)
{
    if (cache->made == cache->slabs_count * SLAB_ENTRIES && !make_slab(cache))
        return NULL;
    size_t index = cache->made++;
    struct shoal_cache_entry *entry = entry_at(cache, index);
    shoal_record_init(&entry->record, cache->hidden, state_of(cache, index));
    return entry;
}

/* Second chance: the hand goes round, clears the bit of each entry it finds marked, and stops at
 * the first that is neither marked nor in use. Two rounds see every entry with its bit cleared. */
static bool evict(struct shoal_cache *cache, uint32_t batch)
{
    if (cache->dirty_count >= cache->count)
        return false;
    for (size_t steps = 2 * cache->made; steps; steps--) {
        struct shoal_cache_entry *entry = entry_at(cache, cache->hand);
        cache->hand = cache->hand + 1 < cache->made ? cache->hand + 1 : 0;
        if (entry->user_size == 0 || entry->dirty || entry->batch == batch)
            continue;
        if (!entry->referenced) {
            discard(cache, entry);
            return true;
        }
        entry->referenced = false;
    }
    return false;
}

static struct shoal_cache_entry *take_entry(struct shoal_cache *cache, uint32_t batch)
{
    if (!cache->free && cache->made < cache->capacity)
        return make_entry(cache);
    if (!cache->free && !evict(cache, batch))
        return NULL;
    struct shoal_cache_entry *entry = cache->free;
    cache->free = entry->next_free;
    shoal_record_init(&entry->record, cache->hidden, entry->record.h);
    return entry;
}

/* Makes the dirty list of a partition exist, with room for one user more. */
static bool prepare_list(struct shoal_cache *cache, int32_t partition)
{
    size_t want = (size_t)partition + 1;
    if (want > cache->partitions_count) {
        struct dirty_list *grown = realloc(cache->dirty, want * sizeof *grown);
        if (!grown)
            return false;
        memset(grown + cache->partitions_count, 0,
               (want - cache->partitions_count) * sizeof *grown);
        cache->dirty = grown;
        cache->partitions_count = want;
    }
    struct dirty_list *list = &cache->dirty[partition];
    if (list->users < list->capacity)
        return true;
    size_t capacity = list->capacity ? 2 * list->capacity : 64;
    struct shoal_cache_entry **entries =
        realloc((void *)list->entries, capacity * sizeof(struct shoal_cache_entry *));
    if (!entries)
        return false;
    list->entries = entries;
    list->capacity = capacity;
    return true;
}

struct shoal_cache_entry *shoal_cache_get(struct shoal_cache *cache, int32_t partition,
                                          const char *user, size_t user_size, uint32_t batch)
{
    if (partition < 0 || user_size == 0 || user_size > SHOAL_USER_MAX)
        return NULL;
    uint64_t hash = shoal_hash_seeded(user, user_size, (uint64_t)partition);
    struct slot *slot = find(cache, partition, user, user_size, hash);
    if (slot->entry) {
        slot->entry->referenced = true;
        slot->entry->batch = batch;
        return slot->entry;
    }
    if (!prepare_list(cache, partition))
        return NULL;
    struct shoal_cache_entry *entry = take_entry(cache, batch);
    if (!entry)
        return NULL;
    cache->dirty[partition].users++;
    entry->partition = partition;
    entry->user_size = (uint8_t)user_size;
    entry->dirty = entry->loaded = false;
    entry->referenced = false; /* a second use earns the second chance */
    entry->batch = batch;
    entry->round = 0;
    entry->hash = hash;
    memcpy(entry->user, user, user_size);
    /* Looked for again: making room may have moved slots. */
    slot = find(cache, partition, user, user_size, hash);
    *slot = (struct slot){.hash = hash, .entry = entry};
    cache->count++;
    return entry;
}

const struct shoal_cache_entry *shoal_cache_peek(const struct shoal_cache *cache, int32_t partition,
                                                 const char *user, size_t user_size)
{
    uint64_t hash = shoal_hash_seeded(user, user_size, (uint64_t)partition);
    return find(cache, partition, user, user_size, hash)->entry;
}

uint64_t shoal_cache_expect(const struct shoal_cache *cache, int32_t partition, const char *user,
                            size_t user_size)
{
    uint64_t hash = shoal_hash_seeded(user, user_size, (uint64_t)partition);
    __builtin_prefetch(&cache->slots[hash & cache->mask]);
    return hash;
}

void shoal_cache_expect_entry(const struct shoal_cache *cache, uint64_t hash)
{
    const struct shoal_cache_entry *entry = cache->slots[hash & cache->mask].entry;
    if (entry)
        __builtin_prefetch(entry, 1);
}

/* ---- dirty lists -------------------------------------------------------------------------- */

void shoal_cache_mark_dirty(struct shoal_cache *cache, struct shoal_cache_entry *entry)
{
    if (entry->dirty)
        return;
    struct dirty_list *list = &cache->dirty[entry->partition];
    entry->dirty = true;
    list->entries[list->count++] = entry;
    cache->dirty_count++;
}

struct shoal_cache_entry *const *shoal_cache_dirty(struct shoal_cache *cache, size_t *count)
{
    size_t n = 0;
    for (size_t p = 0; p < cache->partitions_count; p++) {
        const struct dirty_list *list = &cache->dirty[p];
        if (list->count)
            memcpy((void *)(cache->all_dirty + n), (const void *)list->entries,
                   list->count * sizeof(struct shoal_cache_entry *));
        n += list->count;
    }
    *count = n;
    return cache->all_dirty;
}

struct shoal_cache_entry *const *shoal_cache_dirty_of(struct shoal_cache *cache, int32_t partition,
                                                      size_t *count)
{
    *count = 0;
    if (partition < 0 || (size_t)partition >= cache->partitions_count)
        return cache->all_dirty;
    *count = cache->dirty[partition].count;
    return cache->dirty[partition].entries;
}

size_t shoal_cache_dirty_count(const struct shoal_cache *cache)
{
    return cache->dirty_count;
}

static void clean(struct shoal_cache *cache, struct dirty_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->entries[i]->dirty = false;
    cache->dirty_count -= list->count;
    list->count = 0;
}

void shoal_cache_mark_clean(struct shoal_cache *cache, int32_t partition)
{
    for (size_t p = 0; p < cache->partitions_count; p++) {
        if (partition < 0 || p == (size_t)partition)
            clean(cache, &cache->dirty[p]);
    }
}

void shoal_cache_drop(struct shoal_cache *cache, int32_t partition)
{
    shoal_cache_mark_clean(cache, partition);
    for (size_t i = 0; i < cache->made; i++) {
        struct shoal_cache_entry *entry = entry_at(cache, i);
        if (entry->user_size && (partition < 0 || entry->partition == partition))
            discard(cache, entry);
    }
}

void shoal_cache_each(struct shoal_cache *cache,
                      void (*visit)(void *opaque, const struct shoal_cache_entry *entry),
                      void *opaque)
{
    for (size_t i = 0; i < cache->made; i++) {
        const struct shoal_cache_entry *entry = entry_at(cache, i);
        if (entry->user_size && entry->loaded)
            visit(opaque, entry);
    }
}

size_t shoal_cache_count(const struct shoal_cache *cache)
{
    return cache->count;
}
