/* SPDX-License-Identifier: Apache-2.0 */
/* Where user records are kept: Redis, or memory, or a store that fails on demand for tests.
 *
 * Invariant: the records of a partition and its checkpoint change together or not at all, and only
 * for the owner that holds the partition's epoch. What a load returns belongs to the checkpoint
 * that acquire returned, plus the owner's own saves since.
 *
 * One store belongs to one worker (thread). */
#ifndef SHOAL_STORE_H
#define SHOAL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "state/redis_tls.h"

struct shoal_checkpoint {
    int64_t next_offset; /* first offset not yet in the states; −1 = nothing saved yet */
    uint64_t epoch;      /* grows by one with each owner */
    uint64_t owner; /* nonce of the owner, so that epochs of two lifetimes cannot be confused */
    uint64_t model; /* id of the model of the last save */
    uint64_t saves; /* number of the last save within the epoch; 0 = none yet */
};

/* How many partitions the states are spread over. While they are being moved (shoal repartition) it is
 * both, and nobody may process. */
struct shoal_layout {
    int32_t partitions; /* 0 = nothing stored yet */
    int32_t becoming;   /* the number they are being moved to; 0 = they lie still */
};

struct shoal_slice {
    const void *bytes;
    size_t size;
};

struct shoal_save_item {
    struct shoal_slice user;  /* user id; empty: what is kept of the partition as a whole, which a
                               * load finds under the empty id too and a scan does not visit */
    struct shoal_slice value; /* encoded record; bytes NULL = delete, with the timer */
    bool timer_moves;         /* the user's entry in the partition's index of timers becomes … */
    int64_t timer_ms;         /* … this, in whole seconds; 0 = none. Else it stays as it is */
};

/* Where a scan in pieces goes on; zeroed: at its start. The numbers are the store's own. */
struct shoal_scan_cursor {
    uint32_t node;
    uint64_t at;
    bool ended;
};

struct shoal_store;

/* Called once per user found by a scan; may not call the store. What it returns ends the scan
 * unless it is OK. */
typedef enum shoal_status (*shoal_store_visit)(void *opaque, int32_t partition,
                                               struct shoal_slice user, struct shoal_slice value);

/* Called once per entry of an index of timers; may not call the store. What it returns ends the visit unless
 * it is OK. */
typedef enum shoal_status (*shoal_store_visit_timer)(void *opaque, struct shoal_slice user,
                                                     int64_t timer_ms);

struct shoal_store_ops {
    /* Checks the stored partition count against `partition_count` (stores it when there is none).
     * PARTITIONS_CHANGED with both numbers, also while states are being moved. Retry class while the peer is away. */
    enum shoal_status (*open)(struct shoal_store *store, int32_t partition_count,
                              struct shoal_message *message);
    /* Takes ownership of a partition with a new epoch; *before is the checkpoint found
     * (next_offset −1 if none). Previous owners' saves fail with FENCED from now on. */
    enum shoal_status (*acquire)(struct shoal_store *store, int32_t partition,
                                 struct shoal_checkpoint *before, struct shoal_message *message);
    /* Forgets a partition; the next owner acquires it. */
    void (*release)(struct shoal_store *store, int32_t partition);
    /* values[i] = bytes of users[i] in `partition`, bytes NULL where there is none; valid until the
     * next call on this store. */
    enum shoal_status (*load)(struct shoal_store *store, int32_t partition,
                              const struct shoal_slice *users, size_t count,
                              struct shoal_slice *values, struct shoal_message *message);
    /* Is `partition` still ours, and has the store kept every save of ours? FENCED if not. Asked
     * before outputs are committed that rest on what was loaded: a store that has forgotten its last
     * writes hands out old records, and its checkpoint gives it away. */
    enum shoal_status (*verify)(struct shoal_store *store, int32_t partition,
                                struct shoal_message *message);
    /* Writes items and the checkpoint {next_offset, model} atomically. FENCED if the checkpoint is
     * not the one this owner wrote last (another owner, or the store lost writes: `message` and
     * store->lost_writes say which). With count 0 only the checkpoint moves.
     * After UNAVAILABLE the save may or may not have been applied, or may yet be, in full: save
     * again (the same items at least, and not an earlier offset), or acquire again and recover. */
    enum shoal_status (*save)(struct shoal_store *store, int32_t partition,
                              const struct shoal_save_item *items, size_t count,
                              int64_t next_offset, uint64_t model, struct shoal_message *message);
    /* Visits, in no particular order, the entries of the partition's index of timers that are later than
     * after_ms and not later than *until_ms, which is set: the earliest `limit` of them or somewhat more or
     * less (never none if there are any), INT64_MAX if no later ones are left. */
    enum shoal_status (*timers)(struct shoal_store *store, int32_t partition, int64_t after_ms,
                                size_t limit, shoal_store_visit_timer visit, void *opaque,
                                int64_t *until_ms, struct shoal_message *message);
    /* Visits every user of every partition in no particular order. Needs no ownership. */
    enum shoal_status (*scan)(struct shoal_store *store, shoal_store_visit visit, void *opaque,
                              struct shoal_message *message);
    /* One user without ownership (look-ups): every partition is asked; NOT_FOUND. */
    enum shoal_status (*find)(struct shoal_store *store, struct shoal_slice user,
                              int32_t *partition, struct shoal_slice *value,
                              struct shoal_message *message);
    /* The partition's checkpoint without ownership (look-ups); next_offset −1 if there is none. */
    enum shoal_status (*peek)(struct shoal_store *store, int32_t partition,
                              struct shoal_checkpoint *checkpoint, struct shoal_message *message);
    /* A piece of a scan, so that who asks need not wait for all of it: visits some thousand users or
     * none, from a zeroed *cursor on, which is moved, until cursor->ended. A user who is there from the
     * first piece to the last is visited, perhaps more than once. */
    enum shoal_status (*scan_piece)(struct shoal_store *store, struct shoal_scan_cursor *cursor,
                                    shoal_store_visit visit, void *opaque,
                                    struct shoal_message *message);
    /* Not more than *most users are kept of `partition`, which is ours; UINT64_MAX where that cannot be told
     * without reading them all, or not at the moment. Fewer than were saved: the store has lost some, and kept
     * the checkpoint. */
    enum shoal_status (*ceiling)(struct shoal_store *store, int32_t partition, uint64_t *most,
                                 struct shoal_message *message);
    void (*destroy)(struct shoal_store *store);
    /* The stored layout, without a check. */
    enum shoal_status (*layout)(struct shoal_store *store, struct shoal_layout *layout,
                                struct shoal_message *message);
    /* Replaces the stored layout by `layout` if it still is `expected`, else FENCED: somebody else is
     * moving states. After UNAVAILABLE it may or may not have been replaced: ask. */
    enum shoal_status (*set_layout)(struct shoal_store *store, const struct shoal_layout *expected,
                                    const struct shoal_layout *layout,
                                    struct shoal_message *message);
};

struct shoal_store {
    const struct shoal_store_ops *ops;
    /* Set by a save that answers FENCED: true if the store has lost writes of this owner and no
     * other owner came (acquire again and recover), false if there is another owner (stop). */
    bool lost_writes;
};

/* In memory, for replay and tests. */
enum shoal_status shoal_memory_store_create(struct shoal_store **store) SHOAL_MUST_CHECK;
/* A second worker's view of the same memory, with the same fencing between them. The memory lives
 * until the last view is destroyed; views may be used in different threads. */
enum shoal_status shoal_memory_store_share(struct shoal_store *store,
                                           struct shoal_store **other) SHOAL_MUST_CHECK;

/* What is not given is NULL or empty. The file's first line goes before `password`, and is read anew by every
 * create. */
struct shoal_redis_credentials {
    const char *user, *password, *password_file;
};

struct shoal_redis_options {
    const char *url;   /* state/redis_url.h: one server, a cluster, or sentinels */
    const char *topic; /* events topic: part of every key */
    struct shoal_redis_credentials login; /* over that of the URL, as far as it is given */
    struct shoal_redis_credentials sentinels; /* theirs. None: they are asked without, or as the servers are */
    struct shoal_redis_tls_files tls; /* for rediss:// */
    int timeout_ms; /* for connecting, for each answer, and for a slot that moves; default 5000 */
};
/* Does not connect yet: open and every other call connect when needed, and answer UNAVAILABLE while
 * the server is away. CONFIG for a URL, a password file or certificates that cannot be read. */
enum shoal_status shoal_redis_store_create(const struct shoal_redis_options *options,
                                           struct shoal_store **store,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
