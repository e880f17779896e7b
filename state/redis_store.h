/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis store's inside, shared by the files that make it up:
 *
 *   redis_store.c     create, open (checks of the server), release, destroy
 *   redis_save.c      acquire and save: everything that writes, with fencing
 *   redis_load.c      load, timers
 *   redis_find.c      find
 *   redis_scan.c      scan
 *   redis_count.c     how many users there can be
 *   redis_layout.c    how many partitions there are, and the change of it
 *   redis_servers.h   below them: on which connection a call is made
 */
#ifndef SHOAL_REDIS_STORE_H
#define SHOAL_REDIS_STORE_H

#include "state/redis_keys.h"
#include "state/redis_servers.h"
#include "state/store.h"

enum { SHOAL_REDIS_CHUNK = 1000 }; /* keys in one MGET or MSET */

/* What this owner has with a partition. */
struct shoal_redis_tenure {
    bool held;
    unsigned newcomers;                 /* of the servers when it was acquired */
    uint64_t tried;                     /* number of the last save sent, ≥ checkpoint.saves */
    struct shoal_checkpoint checkpoint; /* as last known to be in the store */
};

struct shoal_redis_store {
    struct shoal_store base;
    struct shoal_redis_servers servers;
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
/* What every call begins with: what the last one handed out is freed. */
void shoal_redis_drop_kept(struct shoal_redis_store *store);
/* A reply as the bytes of a string; bytes NULL for anything else. */
struct shoal_slice shoal_redis_value(const struct redisReply *reply);
/* GET of one key that is made of two pieces, wherever it is. The reply is freed by the caller. */
enum shoal_status shoal_redis_get(struct shoal_redis_store *store,
                                  const struct shoal_redis_key *prefix, struct shoal_slice rest,
                                  struct redisReply **reply,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;
/* WATCH and GET of a key; the watch stays. *got is a string or nil, and freed by the caller, also on failure. */
enum shoal_status shoal_redis_watch(struct shoal_redis_connection *connection,
                                    const struct shoal_redis_key *key, struct redisReply **got,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The stored layout, of zeros if there is none. */
enum shoal_status shoal_redis_get_layout(struct shoal_redis_store *store,
                                         struct shoal_layout *layout,
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
enum shoal_status shoal_redis_layout(struct shoal_store *store, struct shoal_layout *layout,
                                     struct shoal_message *message);
enum shoal_status shoal_redis_set_layout(struct shoal_store *store,
                                         const struct shoal_layout *expected,
                                         const struct shoal_layout *layout,
                                         struct shoal_message *message);

enum shoal_status shoal_redis_peek(struct shoal_store *store, int32_t partition,
                                   struct shoal_checkpoint *checkpoint,
                                   struct shoal_message *message);
enum shoal_status shoal_redis_scan_piece(struct shoal_store *store, struct shoal_scan_cursor *cursor,
                                         shoal_store_visit visit, void *opaque,
                                         struct shoal_message *message);
enum shoal_status shoal_redis_ceiling(struct shoal_store *store, int32_t partition, uint64_t *most,
                                      struct shoal_message *message);

#endif
