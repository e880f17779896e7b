/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from Redis: the records of a micro-batch, of one user, of all users. Nothing here needs
 * ownership: whether a record read may be built upon is decided when it is saved. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "state/checkpoint.h"
#include "state/record.h"
#include "state/redis_store.h"

/* ---- load --------------------------------------------------------------------------------- */

static struct shoal_slice value_of(const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_STRING)
        return (struct shoal_slice){0};
    return (struct shoal_slice){.bytes = reply->str, .size = reply->len};
}

/* A score as whole seconds; 0 for what is none of ours. */
static int64_t score_of(const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_STRING)
        return 0;
    double score = strtod(reply->str, NULL);
    return score >= 1 && score <= (double)(SHOAL_TIME_MAX_MS / 1000) * 2 ? (int64_t)score : 0;
}

static size_t chunk_of(size_t count, size_t done)
{
    return count - done < SHOAL_REDIS_CHUNK ? count - done : SHOAL_REDIS_CHUNK;
}

/* MGET of keys made of a prefix and a user. */
static void write_mget(struct shoal_redis_connection *connection,
                       const struct shoal_redis_key *prefix, const struct shoal_slice *users,
                       size_t count)
{
    shoal_redis_command(connection, 1 + count);
    shoal_redis_argument_text(connection, "MGET");
    for (size_t i = 0; i < count; i++)
        shoal_redis_argument_pair(connection, prefix->text, prefix->size, users[i].bytes,
                                  users[i].size);
}

enum shoal_status shoal_redis_load(struct shoal_store *base, int32_t partition,
                                   const struct shoal_slice *users, size_t count,
                                   struct shoal_slice *values, struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key prefix = shoal_redis_key_users(store->topic, partition);
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    enum shoal_status status = shoal_redis_begin(store, message);
    for (size_t done = 0; status == SHOAL_OK && done < count; done += SHOAL_REDIS_CHUNK) {
        write_mget(&store->connection, &prefix, users + done, chunk_of(count, done));
        status = shoal_redis_flush(&store->connection, message);
    }
    for (size_t done = 0; status == SHOAL_OK && done < count; done += SHOAL_REDIS_CHUNK) {
        struct redisReply *reply;
        size_t chunk = chunk_of(count, done);
        status = shoal_redis_answer(&store->connection, &reply, message);
        if (status == SHOAL_OK)
            status = shoal_redis_keep(store, reply, message);
        if (status == SHOAL_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements != chunk))
            status = shoal_redis_surprise(&store->connection, "MGET", message);
        for (size_t i = 0; status == SHOAL_OK && i < chunk; i++)
            values[done + i] = value_of(reply->element[i]);
    }
    /* Further replies may be under way that nobody would read. */
    if (status != SHOAL_OK)
        shoal_redis_disconnect(&store->connection);
    return status;
}

/* ---- timers ------------------------------------------------------------------------------- */

/* ZRANGEBYSCORE key low high WITHSCORES [LIMIT 0 limit]; both bounds in seconds, low left out. */
static enum shoal_status ask_timers(struct shoal_redis_store *store,
                                    const struct shoal_redis_key *key, int64_t low_s,
                                    const char *high, size_t limit, struct redisReply **reply,
                                    struct shoal_message *message)
{
    struct shoal_redis_connection *connection = &store->connection;
    char low[24], count[24];
    snprintf(low, sizeof low, "(%" PRId64, low_s);
    snprintf(count, sizeof count, "%zu", limit);
    shoal_redis_command(connection, limit ? 8 : 5);
    shoal_redis_argument_text(connection, "ZRANGEBYSCORE");
    shoal_redis_argument(connection, key->text, key->size);
    shoal_redis_argument_text(connection, low);
    shoal_redis_argument_text(connection, high);
    shoal_redis_argument_text(connection, "WITHSCORES");
    if (limit) {
        shoal_redis_argument_text(connection, "LIMIT");
        shoal_redis_argument_text(connection, "0");
        shoal_redis_argument_text(connection, count);
    }
    enum shoal_status status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_answer(connection, reply, message);
    if (status == SHOAL_OK && ((*reply)->type != REDIS_REPLY_ARRAY || (*reply)->elements % 2)) {
        shoal_redis_reply_free(*reply);
        *reply = NULL;
        status = shoal_redis_surprise(connection, "ZRANGEBYSCORE", message);
    }
    return status;
}

/* What is not a number of ours, or no possible user, is left out: nobody's timer. */
static enum shoal_status visit_timers(const struct redisReply *reply, size_t elements,
                                      shoal_store_visit_timer visit, void *opaque)
{
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < elements && status == SHOAL_OK; i += 2) {
        struct shoal_slice user = value_of(reply->element[i]);
        int64_t due_s = score_of(reply->element[i + 1]);
        if (user.bytes && user.size > 0 && user.size <= SHOAL_USER_MAX && due_s > 0)
            status = visit(opaque, user, due_s * 1000);
    }
    return status;
}

/* A due time that would be cut in two by the limit is left for the next call, unless nothing is before it:
 * then all of it is given. */
enum shoal_status shoal_redis_timers(struct shoal_store *base, int32_t partition, int64_t after_ms,
                                     size_t limit, shoal_store_visit_timer visit, void *opaque,
                                     int64_t *until_ms, struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key key = shoal_redis_key_timers(store->topic, partition);
    struct redisReply *reply = NULL;
    *until_ms = INT64_MAX;
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    int64_t low_s = after_ms < 0 ? -1 : after_ms / 1000;
    enum shoal_status status = shoal_redis_begin(store, message);
    if (status == SHOAL_OK)
        status = ask_timers(store, &key, low_s, "+inf", limit, &reply, message);
    if (status != SHOAL_OK)
        return status;
    size_t elements = reply->elements;
    if (elements / 2 >= limit && elements > 0) {
        int64_t last_s = score_of(reply->element[elements - 1]);
        while (elements && score_of(reply->element[elements - 1]) == last_s)
            elements -= 2;
        *until_ms = (last_s - 1) * 1000;
        if (elements == 0) {
            char high[24];
            snprintf(high, sizeof high, "%" PRId64, last_s);
            shoal_redis_reply_free(reply);
            status = ask_timers(store, &key, low_s, high, 0, &reply, message);
            if (status != SHOAL_OK)
                return status;
            elements = reply->elements;
            *until_ms = last_s * 1000;
        }
    }
    status = visit_timers(reply, elements, visit, opaque);
    shoal_redis_reply_free(reply);
    return status;
}

/* ---- find --------------------------------------------------------------------------------- */

enum shoal_status shoal_redis_find(struct shoal_store *base, struct shoal_slice user,
                                   int32_t *partition, struct shoal_slice *value,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_connection *connection = &store->connection;
    int32_t count = 0;
    enum shoal_status status = shoal_redis_begin(store, message);
    if (status == SHOAL_OK)
        status = shoal_redis_partitions(store, &count, message);
    for (int32_t p = 0; status == SHOAL_OK && p < count; p++) {
        struct shoal_redis_key prefix = shoal_redis_key_users(store->topic, p);
        shoal_redis_command(connection, 2);
        shoal_redis_argument_text(connection, "GET");
        shoal_redis_argument_pair(connection, prefix.text, prefix.size, user.bytes, user.size);
    }
    if (status == SHOAL_OK)
        status = shoal_redis_flush(connection, message);
    bool found = false;
    for (int32_t p = 0; status == SHOAL_OK && p < count; p++) {
        struct redisReply *reply;
        status = shoal_redis_answer(connection, &reply, message);
        if (status == SHOAL_OK)
            status = shoal_redis_keep(store, reply, message);
        if (status != SHOAL_OK || found)
            continue;
        *value = value_of(reply);
        *partition = p;
        found = value->bytes != NULL;
    }
    if (status != SHOAL_OK)
        shoal_redis_disconnect(connection);
    else if (!found)
        return shoal_fail(message, SHOAL_NOT_FOUND, "no state is kept of this user");
    return status;
}

enum shoal_status shoal_redis_count(struct shoal_store *base, int32_t *count,
                                    struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    *count = 0;
    enum shoal_status status = shoal_redis_begin(store, message);
    return status == SHOAL_OK ? shoal_redis_partitions(store, count, message) : status;
}

enum shoal_status shoal_redis_peek(struct shoal_store *base, int32_t partition,
                                   struct shoal_checkpoint *checkpoint,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_connection *connection = &store->connection;
    struct redisReply *reply = NULL;
    *checkpoint = shoal_checkpoint_none();
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    struct shoal_redis_key key = shoal_redis_key_checkpoint(store->topic, partition);
    enum shoal_status status = shoal_redis_begin(store, message);
    if (status != SHOAL_OK)
        return status;
    shoal_redis_command(connection, 2);
    shoal_redis_argument_text(connection, "GET");
    shoal_redis_argument(connection, key.text, key.size);
    status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_answer(connection, &reply, message);
    if (status == SHOAL_OK && reply->type == REDIS_REPLY_STRING) {
        status = shoal_checkpoint_decode(reply->str, reply->len, checkpoint);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "checkpoint of partition %" PRId32 ": %s", partition,
                       shoal_status_text(status));
    }
    shoal_redis_reply_free(reply);
    return status;
}

/* ---- scan --------------------------------------------------------------------------------- */

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

struct scan {
    struct shoal_redis_store *store;
    shoal_store_visit visit;
    void *opaque;
    struct marks marks;
    struct shoal_message *message;
};

static enum shoal_status send_and_get(struct scan *scan, const char *command, int type,
                                      struct redisReply **reply)
{
    struct shoal_redis_connection *connection = &scan->store->connection;
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

static enum shoal_status visit_keys(struct scan *scan, struct redisReply *keys)
{
    struct shoal_redis_connection *connection = &scan->store->connection;
    struct redisReply *values = NULL;
    size_t count;
    enum shoal_status status = select_keys(scan, keys, &count);
    if (status != SHOAL_OK || count == 0)
        return status;
    shoal_redis_command(connection, 1 + count);
    shoal_redis_argument_text(connection, "MGET");
    for (size_t i = 0; i < count; i++)
        shoal_redis_argument(connection, keys->element[i]->str, keys->element[i]->len);
    status = send_and_get(scan, "MGET", REDIS_REPLY_ARRAY, &values);
    if (status == SHOAL_OK && values->elements != count)
        status = shoal_redis_surprise(connection, "MGET", scan->message);
    for (size_t i = 0; status == SHOAL_OK && i < count; i++) {
        const struct redisReply *key = keys->element[i];
        struct shoal_slice user, value = value_of(values->element[i]);
        int32_t partition;
        /* Deleted since the key was seen, or not a string at all. */
        if (!value.bytes ||
            !shoal_redis_key_parse(scan->store->topic, key->str, key->len, &partition, &user))
            continue;
        status = scan->visit(scan->opaque, partition, user, value);
    }
    shoal_redis_reply_free(values);
    return status;
}

/* One SCAN from `cursor`, which it moves on. */
static enum shoal_status scan_step(struct scan *scan, const struct shoal_redis_key *pattern,
                                   char *cursor, size_t room)
{
    struct shoal_redis_connection *connection = &scan->store->connection;
    struct redisReply *reply;
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
        status = visit_keys(scan, reply->element[1]);
    }
    shoal_redis_reply_free(reply);
    return status;
}

enum shoal_status shoal_redis_scan(struct shoal_store *base, shoal_store_visit visit, void *opaque,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key pattern = shoal_redis_key_pattern(store->topic);
    struct scan scan = {.store = store, .visit = visit, .opaque = opaque, .message = message};
    char cursor[32] = "0";
    enum shoal_status status = shoal_redis_begin(store, message);
    do {
        if (status == SHOAL_OK)
            status = scan_step(&scan, &pattern, cursor, sizeof cursor);
    } while (status == SHOAL_OK && strcmp(cursor, "0") != 0);
    free(scan.marks.slots);
    return status;
}

enum shoal_status shoal_redis_scan_piece(struct shoal_store *base, struct shoal_scan_cursor *cursor,
                                         shoal_store_visit visit, void *opaque,
                                         struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key pattern = shoal_redis_key_pattern(store->topic);
    struct scan scan = {.store = store, .visit = visit, .opaque = opaque, .message = message};
    char at[32];
    snprintf(at, sizeof at, "%" PRIu64, cursor->at);
    enum shoal_status status = shoal_redis_begin(store, message);
    if (status == SHOAL_OK)
        status = scan_step(&scan, &pattern, at, sizeof at);
    cursor->at = strtoull(at, NULL, 10);
    cursor->ended = cursor->at == 0;
    free(scan.marks.slots);
    return status;
}
