/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from Redis: the records of a micro-batch, and the timers. Nothing here needs ownership:
 * whether a record read may be built upon is decided when it is saved. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/checkpoint.h"
#include "state/record.h"
#include "state/redis_store.h"

/* ---- load --------------------------------------------------------------------------------- */

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

static enum shoal_status load_on(struct shoal_redis_store *store,
                                 struct shoal_redis_connection *connection,
                                 const struct shoal_redis_key *prefix,
                                 const struct shoal_slice *users, size_t count,
                                 struct shoal_slice *values, struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    for (size_t done = 0; status == SHOAL_OK && done < count; done += SHOAL_REDIS_CHUNK) {
        write_mget(connection, prefix, users + done, chunk_of(count, done));
        status = shoal_redis_flush(connection, message);
    }
    for (size_t done = 0; status == SHOAL_OK && done < count; done += SHOAL_REDIS_CHUNK) {
        struct redisReply *reply;
        size_t chunk = chunk_of(count, done);
        status = shoal_redis_answer(connection, &reply, message);
        if (status == SHOAL_OK)
            status = shoal_redis_keep(store, reply, message);
        if (status == SHOAL_OK && (reply->type != REDIS_REPLY_ARRAY || reply->elements != chunk))
            status = shoal_redis_surprise(connection, "MGET", message);
        for (size_t i = 0; status == SHOAL_OK && i < chunk; i++)
            values[done + i] = shoal_redis_value(reply->element[i]);
    }
    return status;
}

enum shoal_status shoal_redis_load(struct shoal_store *base, int32_t partition,
                                   const struct shoal_slice *users, size_t count,
                                   struct shoal_slice *values, struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key prefix = shoal_redis_key_users(store->topic, partition);
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &prefix);
    enum shoal_status status;
    do {
        shoal_redis_drop_kept(store);
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK)
            status = load_on(store, visit.connection, &prefix, users, count, values, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}

/* ---- timers ------------------------------------------------------------------------------- */

/* ZRANGEBYSCORE key low high WITHSCORES [LIMIT 0 limit]; both bounds in seconds, low left out. */
static enum shoal_status ask_timers(struct shoal_redis_connection *connection,
                                    const struct shoal_redis_key *key, int64_t low_s,
                                    const char *high, size_t limit, struct redisReply **reply,
                                    struct shoal_message *message)
{
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
        struct shoal_slice user = shoal_redis_value(reply->element[i]);
        int64_t due_s = score_of(reply->element[i + 1]);
        if (user.bytes && user.size > 0 && user.size <= SHOAL_USER_MAX && due_s > 0)
            status = visit(opaque, user, due_s * 1000);
    }
    return status;
}

/* The entries to be visited: *elements of *reply, up to *until_ms. A due time that would be cut in two by
 * the limit is left for the next call, unless nothing is before it: then all of it is given. */
static enum shoal_status timers_on(struct shoal_redis_connection *connection,
                                   const struct shoal_redis_key *key, int64_t low_s, size_t limit,
                                   struct redisReply **reply, size_t *elements, int64_t *until_ms,
                                   struct shoal_message *message)
{
    char high[24];
    *until_ms = INT64_MAX;
    enum shoal_status status = ask_timers(connection, key, low_s, "+inf", limit, reply, message);
    if (status != SHOAL_OK)
        return status;
    *elements = (*reply)->elements;
    if (*elements / 2 < limit || *elements == 0)
        return SHOAL_OK;
    int64_t last_s = score_of((*reply)->element[*elements - 1]);
    while (*elements && score_of((*reply)->element[*elements - 1]) == last_s)
        *elements -= 2;
    *until_ms = (last_s - 1) * 1000;
    if (*elements > 0)
        return SHOAL_OK;
    snprintf(high, sizeof high, "%" PRId64, last_s);
    shoal_redis_reply_free(*reply);
    *reply = NULL;
    status = ask_timers(connection, key, low_s, high, 0, reply, message);
    *elements = *reply ? (*reply)->elements : 0;
    *until_ms = last_s * 1000;
    return status;
}

enum shoal_status shoal_redis_timers(struct shoal_store *base, int32_t partition, int64_t after_ms,
                                     size_t limit, shoal_store_visit_timer visit_timer, void *opaque,
                                     int64_t *until_ms, struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key key = shoal_redis_key_timers(store->topic, partition);
    struct redisReply *reply = NULL;
    size_t elements = 0;
    *until_ms = INT64_MAX;
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    int64_t low_s = after_ms < 0 ? -1 : after_ms / 1000;
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &key);
    enum shoal_status status;
    shoal_redis_drop_kept(store);
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK)
            status = timers_on(visit.connection, &key, low_s, limit, &reply, &elements, until_ms,
                               message);
    } while (shoal_redis_visit_again(&visit, status));
    if (status == SHOAL_OK)
        status = visit_timers(reply, elements, visit_timer, opaque);
    shoal_redis_reply_free(reply);
    return status;
}

/* ---- without ownership ---------------------------------------------------------------------- */

enum shoal_status shoal_redis_peek(struct shoal_store *base, int32_t partition,
                                   struct shoal_checkpoint *checkpoint,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct redisReply *reply = NULL;
    *checkpoint = shoal_checkpoint_none();
    if (partition < 0)
        return shoal_fail(message, SHOAL_INVALID, "partition %" PRId32, partition);
    struct shoal_redis_key key = shoal_redis_key_checkpoint(store->topic, partition);
    shoal_redis_drop_kept(store);
    enum shoal_status status =
        shoal_redis_get(store, &key, (struct shoal_slice){"", 0}, &reply, message);
    if (status == SHOAL_OK && reply->type == REDIS_REPLY_STRING) {
        status = shoal_checkpoint_decode(reply->str, reply->len, checkpoint);
        if (status != SHOAL_OK)
            status = shoal_fail(message, status, "checkpoint of partition %" PRId32 ": %s", partition,
                                shoal_status_text(status));
    }
    shoal_redis_reply_free(reply);
    return status;
}
