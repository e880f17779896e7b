/* SPDX-License-Identifier: Apache-2.0 */
/* All users in Redis, server by server: SCAN names the keys, and those that are users' of the topic are
 * read. Needs no ownership. What changes meanwhile is seen as it was or as it is. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "state/redis_slots.h"
#include "state/redis_store.h"

/* ---- what was seen ------------------------------------------------------------------------ */

/* SCAN may name a key more than once while the server resizes its table. Keys seen are remembered
 * by 128 bits of hash: two different keys will not meet there. */
struct mark {
    uint64_t low, high; /* both 0 = free */
};

struct marks {
    struct mark *slots;
    size_t slots_count, count;
};

static void place(struct mark *slots, size_t slots_count, struct mark mark)
{
    size_t i = mark.low & (slots_count - 1);
    while (slots[i].low || slots[i].high)
        i = (i + 1) & (slots_count - 1);
    slots[i] = mark;
}

static bool grow(struct marks *marks)
{
    size_t want = marks->slots_count ? 2 * marks->slots_count : 1024;
    struct mark *slots = calloc(want, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < marks->slots_count; i++) {
        if (marks->slots[i].low || marks->slots[i].high)
            place(slots, want, marks->slots[i]);
    }
    free(marks->slots);
    marks->slots = slots;
    marks->slots_count = want;
    return true;
}

/* *fresh tells whether the key was not there before. False when out of memory. */
static bool remember(struct marks *marks, const void *key, size_t size, bool *fresh)
{
    struct mark mark = {shoal_hash_seeded(key, size, 1), shoal_hash_seeded(key, size, 2) | 1};
    if (2 * marks->count >= marks->slots_count && !grow(marks))
        return false;
    size_t mask = marks->slots_count - 1;
    *fresh = true;
    for (size_t i = mark.low & mask; marks->slots[i].low || marks->slots[i].high;
         i = (i + 1) & mask) {
        if (marks->slots[i].low == mark.low && marks->slots[i].high == mark.high)
            *fresh = false;
    }
    if (*fresh) {
        place(marks->slots, marks->slots_count, mark);
        marks->count++;
    }
    return true;
}

/* ---- the keys of one server ---------------------------------------------------------------- */

struct scan {
    struct shoal_redis_store *store;
    struct shoal_redis_connection *connection; /* of the server at hand */
    shoal_store_visit visit;
    void *opaque;
    struct marks marks;
    struct shoal_message *message;
};

static enum shoal_status send_and_get(struct scan *scan, const char *command, int type,
                                      struct redisReply **reply)
{
    struct shoal_redis_connection *connection = scan->connection;
    *reply = NULL;
    enum shoal_status status = shoal_redis_flush(connection, scan->message);
    if (status == SHOAL_OK)
        status = shoal_redis_answer(connection, reply, scan->message);
    if (status != SHOAL_OK || (*reply)->type == type)
        return status;
    shoal_redis_reply_free(*reply);
    *reply = NULL;
    return shoal_redis_surprise(connection, command, scan->message);
}

/* Leaves in `keys` those that are users of this topic and were not visited before. */
static enum shoal_status select_keys(struct scan *scan, struct redisReply *keys, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < keys->elements; i++) {
        struct redisReply *key = keys->element[i];
        int32_t partition;
        struct shoal_slice user;
        bool fresh;
        if (key->type != REDIS_REPLY_STRING ||
            !shoal_redis_key_parse(scan->store->topic, key->str, key->len, &partition, &user))
            continue;
        if (!remember(&scan->marks, key->str, key->len, &fresh))
            return shoal_fail(scan->message, SHOAL_NOMEM, "out of memory");
        if (!fresh)
            continue;
        keys->element[i] = keys->element[*count];
        keys->element[(*count)++] = key;
    }
    return SHOAL_OK;
}

static enum shoal_status visit_one(struct scan *scan, const struct redisReply *key,
                                   const struct redisReply *reply)
{
    struct shoal_slice user, value = shoal_redis_value(reply);
    int32_t partition;
    /* Deleted since the key was seen, or not a string at all. */
    if (!value.bytes ||
        !shoal_redis_key_parse(scan->store->topic, key->str, key->len, &partition, &user))
        return SHOAL_OK;
    return scan->visit(scan->opaque, partition, user, value);
}

/* One server: one MGET for all keys of a step. */
static enum shoal_status visit_keys(struct scan *scan, struct redisReply *const *keys, size_t count)
{
    struct shoal_redis_connection *connection = scan->connection;
    struct redisReply *values = NULL;
    shoal_redis_command(connection, 1 + count);
    shoal_redis_argument_text(connection, "MGET");
    for (size_t i = 0; i < count; i++)
        shoal_redis_argument(connection, keys[i]->str, keys[i]->len);
    enum shoal_status status = send_and_get(scan, "MGET", REDIS_REPLY_ARRAY, &values);
    if (status == SHOAL_OK && values->elements != count)
        status = shoal_redis_surprise(connection, "MGET", scan->message);
    for (size_t i = 0; status == SHOAL_OK && i < count; i++)
        status = visit_one(scan, keys[i], values->element[i]);
    shoal_redis_reply_free(values);
    return status;
}

/* A key that is no longer where it was seen. */
static enum shoal_status visit_moved(struct scan *scan, const struct redisReply *key)
{
    struct shoal_slice user;
    struct redisReply *reply;
    int32_t partition;
    if (!shoal_redis_key_parse(scan->store->topic, key->str, key->len, &partition, &user))
        return SHOAL_OK;
    struct shoal_redis_key prefix = shoal_redis_key_users(scan->store->topic, partition);
    enum shoal_status status = shoal_redis_get(scan->store, &prefix, user, &reply, scan->message);
    if (status == SHOAL_OK)
        status = visit_one(scan, key, reply);
    shoal_redis_reply_free(reply);
    return status;
}

/* A cluster's node: the keys of a step are of many slots, and each may just be moving. */
static enum shoal_status visit_spread(struct scan *scan, struct redisReply **keys, size_t count)
{
    struct shoal_redis_connection *connection = scan->connection;
    size_t moved = 0;
    for (size_t i = 0; i < count; i++) {
        shoal_redis_command(connection, 2);
        shoal_redis_argument_text(connection, "GET");
        shoal_redis_argument(connection, keys[i]->str, keys[i]->len);
    }
    enum shoal_status status = shoal_redis_flush(connection, scan->message);
    for (size_t i = 0; status == SHOAL_OK && i < count; i++) {
        struct redisReply *reply;
        connection->turn.kind = SHOAL_REDIS_STAY;
        status = shoal_redis_answer(connection, &reply, scan->message);
        if (status == SHOAL_OK) {
            status = visit_one(scan, keys[i], reply);
            shoal_redis_reply_free(reply);
        } else if (connection->turn.kind != SHOAL_REDIS_STAY) {
            struct redisReply *key = keys[i];
            keys[i] = keys[moved];
            keys[moved++] = key;
            status = SHOAL_OK;
        }
    }
    shoal_redis_settle(connection);
    for (size_t i = 0; status == SHOAL_OK && i < moved; i++)
        status = visit_moved(scan, keys[i]);
    return status;
}

/* One SCAN from `cursor`, which it moves on. */
static enum shoal_status scan_step(struct scan *scan, const struct shoal_redis_key *pattern,
                                   char *cursor, size_t room)
{
    struct shoal_redis_connection *connection = scan->connection;
    struct redisReply *reply;
    size_t count = 0;
    shoal_redis_command(connection, 6);
    shoal_redis_argument_text(connection, "SCAN");
    shoal_redis_argument_text(connection, cursor);
    shoal_redis_argument_text(connection, "MATCH");
    shoal_redis_argument(connection, pattern->text, pattern->size);
    shoal_redis_argument_text(connection, "COUNT");
    shoal_redis_argument_text(connection, "1000");
    enum shoal_status status = send_and_get(scan, "SCAN", REDIS_REPLY_ARRAY, &reply);
    if (status != SHOAL_OK)
        return status;
    if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[0]->len >= room || reply->element[1]->type != REDIS_REPLY_ARRAY) {
        status = shoal_redis_surprise(connection, "SCAN", scan->message);
    } else {
        memcpy(cursor, reply->element[0]->str, reply->element[0]->len + 1);
        status = select_keys(scan, reply->element[1], &count);
    }
    bool cluster = scan->store->servers.kind == SHOAL_REDIS_CLUSTER;
    if (status == SHOAL_OK && count > 0)
        status = cluster ? visit_spread(scan, reply->element[1]->element, count)
                         : visit_keys(scan, reply->element[1]->element, count);
    shoal_redis_reply_free(reply);
    return status;
}

static enum shoal_status scan_node(struct scan *scan, size_t index,
                                   const struct shoal_redis_key *pattern)
{
    char cursor[32] = "0";
    enum shoal_status status = shoal_redis_servers_reach(&scan->store->servers, index,
                                                         &scan->connection, scan->message);
    do {
        if (status == SHOAL_OK)
            status = scan_step(scan, pattern, cursor, sizeof cursor);
    } while (status == SHOAL_OK && strcmp(cursor, "0") != 0);
    return status;
}

/* A key that moves from a node that is still to be scanned to one that has been would be missed: so a
 * cluster's nodes are scanned again until nothing new is found. */
enum shoal_status shoal_redis_scan(struct shoal_store *base, shoal_store_visit visit, void *opaque,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_servers *servers = &store->servers;
    struct shoal_redis_key pattern = shoal_redis_key_pattern(store->topic);
    struct scan scan = {.store = store, .visit = visit, .opaque = opaque, .message = message};
    size_t before;
    shoal_redis_drop_kept(store);
    enum shoal_status status;
    do {
        before = scan.marks.count;
        status = shoal_redis_servers_open(servers, message);
        for (size_t i = 0; status == SHOAL_OK && i < servers->nodes_count; i++) {
            if (servers->nodes[i]->serves)
                status = scan_node(&scan, i, &pattern);
        }
    } while (status == SHOAL_OK && servers->kind == SHOAL_REDIS_CLUSTER &&
             scan.marks.count > before);
    free(scan.marks.slots);
    return status;
}

/* The serving nodes, in the order of their first slots: the same for every store that sees the cluster as it
 * is. False behind the last. */
static bool nth_node(const struct shoal_redis_servers *servers, uint32_t n, size_t *index)
{
    *index = 0;
    if (servers->kind != SHOAL_REDIS_CLUSTER)
        return n == 0;
    bool seen[SHOAL_REDIS_NODES + 1] = {true}; /* 0: nobody's slots */
    for (uint32_t slot = 0, found = 0; slot < SHOAL_REDIS_SLOTS; slot++) {
        size_t owner = servers->owners[slot];
        if (!seen[owner] && found++ == n) {
            *index = owner - 1;
            return true;
        }
        seen[owner] = true;
    }
    return false;
}

/* A user whose slot moves meanwhile may be missed: pieces do not remember what was seen. */
enum shoal_status shoal_redis_scan_piece(struct shoal_store *base, struct shoal_scan_cursor *cursor,
                                         shoal_store_visit visit, void *opaque,
                                         struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_servers *servers = &store->servers;
    struct shoal_redis_key pattern = shoal_redis_key_pattern(store->topic);
    struct scan scan = {.store = store, .visit = visit, .opaque = opaque, .message = message};
    char at[32];
    size_t index;
    (void)snprintf(at, sizeof at, "%" PRIu64, cursor->at);
    shoal_redis_drop_kept(store);
    enum shoal_status status = shoal_redis_servers_open(servers, message);
    if (status == SHOAL_OK && !nth_node(servers, cursor->node, &index)) {
        cursor->ended = true;
        return SHOAL_OK;
    }
    if (status == SHOAL_OK)
        status = shoal_redis_servers_reach(servers, index, &scan.connection, message);
    if (status == SHOAL_OK)
        status = scan_step(&scan, &pattern, at, sizeof at);
    free(scan.marks.slots);
    if (status != SHOAL_OK)
        return status;
    cursor->at = strtoull(at, NULL, 10);
    if (cursor->at == 0)
        cursor->ended = !nth_node(servers, ++cursor->node, &index);
    return SHOAL_OK;
}
