/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to Redis: taking a partition over, and saving records with their checkpoint.
 *
 *   client                                        server
 *   WATCH checkpoint · GET checkpoint ──────────► from here on any change of it makes EXEC fail
 *   compare with what this owner wrote last ◄────
 *   MULTI · MSET … · ZADD … · SET checkpoint · EXEC ► all of it, or nil and nothing
 *
 * Invariant: records and checkpoint change in one transaction, and only if the checkpoint was this
 * owner's at its start. A transaction of a previous owner, or of this one on a connection since
 * lost, that is still under way fails in its own EXEC, for the checkpoint it watched has changed.
 *
 * Fencing by WATCH rather than by a script: a script costs 40 % of the throughput, and here the
 * comparison takes one short round trip a save.
 *
 * While a slot moves between two nodes of a cluster, its keys are on both. A transaction is carried out
 * only where all of its keys are: the node refuses any other when a command is queued or at EXEC, and
 * with it the whole. It is sent elsewhere only by the answer to its WATCH, so that the checkpoint is
 * always looked for where it is: on the old node, or, if it is not there, behind ASKING on the new one. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/crash.h"
#include "state/checkpoint.h"
#include "state/redis_store.h"

/* EXEC answers nil when the checkpoint was changed under the transaction. The next look at it tells
 * why; a fair number of owners that keep on taking over is no reason to give up. */
enum { ATTEMPTS = 16 };

/* WATCH and GET of a partition's checkpoint. *exists tells whether there is one. On failure the
 * connection is closed, so that no watch is left behind, unless the server sends us elsewhere. */
static enum shoal_status watch(struct shoal_redis_connection *connection,
                               const struct shoal_redis_key *key, struct shoal_checkpoint *found,
                               bool *exists, struct shoal_message *message)
{
    struct redisReply *got;
    *found = shoal_checkpoint_none();
    enum shoal_status status = shoal_redis_watch(connection, key, &got, message);
    *exists = status == SHOAL_OK && got->type == REDIS_REPLY_STRING;
    if (*exists)
        status = shoal_checkpoint_decode(got->str, got->len, found);
    if (*exists && status != SHOAL_OK)
        (void)shoal_fail(message, status, "Redis key %s: %s", key->text, shoal_status_text(status));
    shoal_redis_reply_free(got);
    if (status != SHOAL_OK && connection->turn.kind == SHOAL_REDIS_STAY)
        shoal_redis_disconnect(connection);
    return status;
}

static void unwatch(struct shoal_redis_connection *connection)
{
    struct redisReply *reply = NULL;
    shoal_redis_command(connection, 1);
    shoal_redis_argument_text(connection, "UNWATCH");
    if (shoal_redis_flush(connection, NULL) != SHOAL_OK ||
        shoal_redis_answer(connection, &reply, NULL) != SHOAL_OK)
        shoal_redis_disconnect(connection);
    shoal_redis_reply_free(reply);
}

/* ---- writing the transaction -------------------------------------------------------------- */

static void write_checkpoint_and_exec(struct shoal_redis_store *store,
                                      struct shoal_redis_connection *connection,
                                      const struct shoal_redis_key *key,
                                      const struct shoal_checkpoint *checkpoint)
{
    shoal_buffer_clear(&store->scratch);
    shoal_checkpoint_encode(checkpoint, &store->scratch);
    /* A checkpoint cut short must not be sent: let the flush refuse. */
    connection->out.failed = connection->out.failed || store->scratch.failed;
    shoal_redis_command(connection, 3);
    shoal_redis_argument_text(connection, "SET");
    shoal_redis_argument(connection, key->text, key->size);
    shoal_redis_argument(connection, store->scratch.bytes, store->scratch.size);
    shoal_redis_exec(connection);
}

static bool moves_timer(const struct shoal_save_item *item, int adds)
{
    bool there = item->value.bytes && item->timer_moves && item->timer_ms > 0;
    bool goes = item->user.size > 0 && (!item->value.bytes || (item->timer_moves && !item->timer_ms));
    return adds ? there : goes;
}

/* One chunk of items as an MSET of those with a value and a DEL of those without; returns the
 * number of commands. */
static size_t write_items(struct shoal_redis_connection *connection,
                          const struct shoal_redis_key *prefix,
                          const struct shoal_save_item *items, size_t count)
{
    size_t sets = 0;
    for (size_t i = 0; i < count; i++)
        sets += items[i].value.bytes != NULL;
    if (sets) {
        shoal_redis_command(connection, 1 + 2 * sets);
        shoal_redis_argument_text(connection, "MSET");
    }
    for (size_t i = 0; i < count; i++) {
        if (!items[i].value.bytes)
            continue;
        shoal_redis_argument_pair(connection, prefix->text, prefix->size, items[i].user.bytes,
                                  items[i].user.size);
        shoal_redis_argument(connection, items[i].value.bytes, items[i].value.size);
    }
    if (sets == count)
        return sets ? 1 : 0;
    shoal_redis_command(connection, 1 + count - sets);
    shoal_redis_argument_text(connection, "DEL");
    for (size_t i = 0; i < count; i++) {
        if (!items[i].value.bytes)
            shoal_redis_argument_pair(connection, prefix->text, prefix->size, items[i].user.bytes,
                                      items[i].user.size);
    }
    return sets ? 2 : 1;
}

/* The users of a chunk whose timer goes, or who go themselves (ZREM), and those whose timer is another now
 * (ZADD); returns the number of commands. */
static size_t write_timers(struct shoal_redis_connection *connection,
                           const struct shoal_redis_key *timers,
                           const struct shoal_save_item *items, size_t count)
{
    size_t commands = 0;
    for (int adds = 0; adds <= 1; adds++) {
        size_t users = 0;
        for (size_t i = 0; i < count; i++)
            users += moves_timer(&items[i], adds);
        if (!users)
            continue;
        shoal_redis_command(connection, 2 + users * (adds ? 2 : 1));
        shoal_redis_argument_text(connection, adds ? "ZADD" : "ZREM");
        shoal_redis_argument(connection, timers->text, timers->size);
        for (size_t i = 0; i < count; i++) {
            if (!moves_timer(&items[i], adds))
                continue;
            if (adds) {
                char due_s[24];
                int size = snprintf(due_s, sizeof due_s, "%" PRId64, items[i].timer_ms / 1000);
                shoal_redis_argument(connection, due_s, (size_t)size);
            }
            shoal_redis_argument(connection, items[i].user.bytes, items[i].user.size);
        }
        commands++;
    }
    return commands;
}

/* What a save writes. */
struct saving {
    int32_t partition;
    struct shoal_redis_key checkpoint, users, timers;
    const struct shoal_save_item *items;
    size_t count;
    int64_t next_offset;
    uint64_t model;
};

/* Sends everything, a chunk at a time, so that the server parses the first while the next is being
 * written, and memory stays bounded. *queued is the number of commands before EXEC. */
static enum shoal_status send_transaction(struct shoal_redis_store *store,
                                          struct shoal_redis_connection *connection,
                                          const struct saving *saving,
                                          const struct shoal_checkpoint *next, size_t *queued,
                                          struct shoal_message *message)
{
    shoal_redis_multi(connection);
    *queued = 2; /* MULTI, SET */
    for (size_t done = 0; done < saving->count; done += SHOAL_REDIS_CHUNK) {
        size_t left = saving->count - done;
        size_t chunk = left < SHOAL_REDIS_CHUNK ? left : SHOAL_REDIS_CHUNK;
        *queued += write_items(connection, &saving->users, saving->items + done, chunk);
        *queued += write_timers(connection, &saving->timers, saving->items + done, chunk);
        enum shoal_status status = shoal_redis_flush(connection, message);
        if (status != SHOAL_OK)
            return status;
        if (done == 0)
            shoal_crash_point("save.inside");
    }
    write_checkpoint_and_exec(store, connection, &saving->checkpoint, next);
    return shoal_redis_flush(connection, message);
}

/* ---- reading its replies ------------------------------------------------------------------ */

/* An error among the results of EXEC would mean a transaction half applied. None of MSET, DEL,
 * ZADD, ZREM and SET can fail once it was queued; should one do so all the same, it must not pass. */
static enum shoal_status check_results(const struct shoal_redis_connection *connection,
                                       const struct redisReply *results,
                                       struct shoal_message *message)
{
    for (size_t i = 0; i < results->elements; i++) {
        if (results->element[i]->type != REDIS_REPLY_ERROR)
            continue;
        return shoal_fail(message, SHOAL_DAMAGED,
                          "Redis at %s refused a part of a transaction that it carried out: %s",
                          connection->address.label, results->element[i]->str);
    }
    return SHOAL_OK;
}

/* Reads `queued` replies and EXEC's. *applied false with OK: EXEC answered nil. An error of a
 * queued command is what is reported, rather than the EXECABORT that follows from it. */
static enum shoal_status read_transaction(struct shoal_redis_connection *connection, size_t queued,
                                          bool *applied, struct shoal_message *message)
{
    enum shoal_status refused = SHOAL_OK;
    *applied = false;
    for (size_t i = 0; i <= queued; i++) {
        struct redisReply *reply;
        enum shoal_status status = shoal_redis_reply(connection, &reply, message);
        if (status != SHOAL_OK)
            return status;
        if (reply->type == REDIS_REPLY_ERROR) {
            if (refused == SHOAL_OK)
                refused = shoal_redis_error(connection, reply, message);
        } else if (i == queued && reply->type == REDIS_REPLY_ARRAY) {
            *applied = true;
            refused = check_results(connection, reply, message);
        } else if (i == queued && reply->type != REDIS_REPLY_NIL) {
            refused = shoal_redis_surprise(connection, "EXEC", message);
        }
        shoal_redis_reply_free(reply);
    }
    /* Some of its keys are elsewhere, the checkpoint was here. */
    if (connection->turn.kind == SHOAL_REDIS_ASK)
        connection->turn.kind = SHOAL_REDIS_WAIT;
    return refused;
}

static enum shoal_status contested(const struct shoal_redis_connection *connection,
                                   const struct shoal_redis_key *key, struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_UNAVAILABLE,
                      "Redis at %s: %s changes hands faster than it can be written",
                      connection->address.label, key->text);
}

/* ---- acquire ------------------------------------------------------------------------------ */

static struct shoal_redis_tenure *tenure_at(struct shoal_redis_store *store, int32_t partition)
{
    size_t want = (size_t)partition + 1;
    if (want > store->tenures_count) {
        struct shoal_redis_tenure *grown = realloc(store->tenures, want * sizeof *grown);
        if (!grown)
            return NULL;
        memset(grown + store->tenures_count, 0, (want - store->tenures_count) * sizeof *grown);
        store->tenures = grown;
        store->tenures_count = want;
    }
    return &store->tenures[partition];
}

static enum shoal_status acquire_on(struct shoal_redis_store *store,
                                    struct shoal_redis_connection *connection,
                                    const struct shoal_redis_key *key,
                                    struct shoal_redis_tenure *tenure,
                                    struct shoal_checkpoint *before, struct shoal_message *message)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool exists, applied;
        enum shoal_status status = watch(connection, key, before, &exists, message);
        if (status != SHOAL_OK)
            return status;
        struct shoal_checkpoint taken = shoal_checkpoint_take(before, store->owner);
        shoal_redis_multi(connection);
        write_checkpoint_and_exec(store, connection, key, &taken);
        status = shoal_redis_flush(connection, message);
        if (status == SHOAL_OK)
            status = read_transaction(connection, 2, &applied, message);
        if (status != SHOAL_OK)
            return status;
        if (applied) {
            *tenure = (struct shoal_redis_tenure){
                .held = true, .newcomers = store->servers.newcomers, .checkpoint = taken};
            return SHOAL_OK;
        }
    }
    return contested(connection, key, message);
}

enum shoal_status shoal_redis_acquire(struct shoal_store *base, int32_t partition,
                                      struct shoal_checkpoint *before,
                                      struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    *before = shoal_checkpoint_none();
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    struct shoal_redis_tenure *tenure = tenure_at(store, partition);
    if (!tenure)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    struct shoal_redis_key key = shoal_redis_key_checkpoint(store->topic, partition);
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &key);
    enum shoal_status status;
    shoal_redis_drop_kept(store);
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK)
            status = acquire_on(store, visit.connection, &key, tenure, before, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}

/* ---- save --------------------------------------------------------------------------------- */

/* A server that has taken over may lack a part of what the last one had (redis_count.c): whether it does is asked by
 * who acquires. */
static enum shoal_status taken_over(const struct shoal_redis_connection *connection,
                                    struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_UNAVAILABLE,
                      "Redis at %s has taken over from another node: its states are to be looked at",
                      connection->address.label);
}

/* WATCH and GET, and the comparison with what this owner wrote last. The watch stays. */
static enum shoal_status watch_own(struct shoal_redis_store *store,
                                   struct shoal_redis_connection *connection, int32_t partition,
                                   const struct shoal_redis_key *key, struct shoal_message *message)
{
    struct shoal_redis_tenure *tenure = &store->tenures[partition];
    struct shoal_checkpoint found;
    bool exists;
    enum shoal_status status = watch(connection, key, &found, &exists, message);
    if (status != SHOAL_OK)
        return status;
    status = shoal_checkpoint_guard(&tenure->checkpoint, tenure->tried, exists ? &found : NULL,
                                    partition, &store->base.lost_writes, message);
    if (status == SHOAL_OK)
        tenure->checkpoint = found;
    if (status == SHOAL_OK && tenure->newcomers != store->servers.newcomers)
        status = taken_over(connection, message);
    if (status != SHOAL_OK)
        unwatch(connection);
    return status;
}

static enum shoal_status check_held(const struct shoal_redis_store *store, int32_t partition,
                                    struct shoal_message *message)
{
    bool held = partition >= 0 && (size_t)partition < store->tenures_count &&
                store->tenures[partition].held;
    return held ? SHOAL_OK
                : shoal_fail(message, SHOAL_INVALID, "partition %" PRId32 " was not acquired",
                             partition);
}

enum shoal_status shoal_redis_verify(struct shoal_store *base, int32_t partition,
                                     struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    enum shoal_status status = check_held(store, partition, message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_redis_key key = shoal_redis_key_checkpoint(store->topic, partition);
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &key);
    shoal_redis_drop_kept(store);
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK)
            status = watch_own(store, visit.connection, partition, &key, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}

/* One attempt on a connection that stands. *applied false with OK: to be tried again. */
static enum shoal_status try_save(struct shoal_redis_store *store,
                                  struct shoal_redis_connection *connection,
                                  const struct saving *saving, bool *applied,
                                  struct shoal_message *message)
{
    struct shoal_redis_tenure *tenure = &store->tenures[saving->partition];
    *applied = false;
    enum shoal_status status =
        watch_own(store, connection, saving->partition, &saving->checkpoint, message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_checkpoint next = tenure->checkpoint;
    next.next_offset = saving->next_offset;
    next.model = saving->model;
    next.saves = ++tenure->tried;
    size_t queued;
    status = send_transaction(store, connection, saving, &next, &queued, message);
    if (status == SHOAL_OK)
        status = read_transaction(connection, queued, applied, message);
    if (status == SHOAL_OK && *applied)
        tenure->checkpoint = next;
    return status;
}

static enum shoal_status save_on(struct shoal_redis_store *store,
                                 struct shoal_redis_connection *connection,
                                 const struct saving *saving, struct shoal_message *message)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool applied;
        enum shoal_status status = try_save(store, connection, saving, &applied, message);
        if (status != SHOAL_OK || applied)
            return status;
    }
    return contested(connection, &saving->checkpoint, message);
}

enum shoal_status shoal_redis_save(struct shoal_store *base, int32_t partition,
                                   const struct shoal_save_item *items, size_t count,
                                   int64_t next_offset, uint64_t model,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    enum shoal_status status = check_held(store, partition, message);
    if (status != SHOAL_OK)
        return status;
    const struct saving saving = {
        .partition = partition,
        .checkpoint = shoal_redis_key_checkpoint(store->topic, partition),
        .users = shoal_redis_key_users(store->topic, partition),
        .timers = shoal_redis_key_timers(store->topic, partition),
        .items = items,
        .count = count,
        .next_offset = next_offset,
        .model = model,
    };
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &saving.checkpoint);
    shoal_redis_drop_kept(store);
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK)
            status = save_on(store, visit.connection, &saving, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}
