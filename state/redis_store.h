/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store's inside, shared by the files that make it up:
 *
 *   redis_store.c   create, open (checks of the server), release, destroy
 *   redis_save.c    acquire and save: everything that writes, with fencing
 *   redis_load.c    load, find, scan: everything that only reads
 */
#ifndef SHOAL_REDIS_STORE_H
#define SHOAL_REDIS_STORE_H

#include "state/redis_connection.h"
#include "state/redis_keys.h"
#include "state/store.h"

enum { SHOAL_REDIS_CHUNK = 1000 }; /* keys in one MGET or MSET */

/* What this owner has with a partition. */
struct shoal_redis_tenure {
    bool held;
    uint64_t tried;                     /* number of the last save sent, ≥ checkpoint.saves */
    struct shoal_checkpoint checkpoint; /* as last known to be in the store */
};

struct shoal_redis_store {
    struct shoal_store base;
    struct shoal_redis_connection connection;
    char topic[SHOAL_TOPIC_MAX + 1];
    uint64_t owner;                     /* nonce of this store */
    struct shoal_redis_tenure *tenures; /* by partition */
    size_t tenures_count;
    struct redisReply **kept; /* what the last load or find handed out points into */
    size_t kept_count, kept_capacity;
    struct shoal_buffer scratch; /* bytes of a checkpoint */
};

static inline struct shoal_redis_store *shoal_redis_store_of(struct shoal_store *store)
{
    return (struct shoal_redis_store *)store;
}

/* Keeps a reply until the next call on the store; takes it over. NOMEM: it is freed. */
enum shoal_status shoal_redis_keep(struct shoal_redis_store *store, struct redisReply *reply,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* What every call begins with: frees kept replies, connects. */
enum shoal_status shoal_redis_begin(struct shoal_redis_store *store,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The stored number of partitions; 0 if there is none. Connection begun. */
enum shoal_status shoal_redis_partitions(struct shoal_redis_store *store, int32_t *count,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;

/* Operations of struct shoal_store_ops. */
enum shoal_status shoal_redis_acquire(struct shoal_store *store, int32_t partition,
                                      struct shoal_checkpoint *before,
                                      struct shoal_message *message);
enum shoal_status shoal_redis_verify(struct shoal_store *base, int32_t partition,
                                     struct shoal_message *message);
enum shoal_status shoal_redis_save(struct shoal_store *store, int32_t partition,
                                   const struct shoal_save_item *items, size_t count,
                                   int64_t next_offset, uint64_t model,
                                   struct shoal_message *message);
enum shoal_status shoal_redis_load(struct shoal_store *store, int32_t partition,
                                   const struct shoal_slice *users, size_t count,
                                   struct shoal_slice *values, struct shoal_message *message);
enum shoal_status shoal_redis_timers(struct shoal_store *store, int32_t partition, int64_t after_ms,
                                     size_t limit, shoal_store_visit_timer visit, void *opaque,
                                     int64_t *until_ms, struct shoal_message *message);
enum shoal_status shoal_redis_scan(struct shoal_store *store, shoal_store_visit visit, void *opaque,
                                   struct shoal_message *message);
enum shoal_status shoal_redis_find(struct shoal_store *store, struct shoal_slice user,
                                   int32_t *partition, struct shoal_slice *value,
                                   struct shoal_message *message);

enum shoal_status shoal_redis_count(struct shoal_store *store, int32_t *count,
                                    struct shoal_message *message);
enum shoal_status shoal_redis_peek(struct shoal_store *store, int32_t partition,
                                   struct shoal_checkpoint *checkpoint,
                                   struct shoal_message *message);
enum shoal_status shoal_redis_scan_piece(struct shoal_store *store, struct shoal_scan_cursor *cursor,
                                         shoal_store_visit visit, void *opaque,
                                         struct shoal_message *message);

#endif
