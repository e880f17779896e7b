/* SPDX-License-Identifier: Apache-2.0 */
/* How many partitions the states in Redis are spread over: one key, "4", or "4>6" while shoal repartition
 * moves them from 4 to 6. A program that knows nothing of moves refuses the second as damaged. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/redis_store.h"

enum { TEXT = 32 };

static void print(const struct shoal_layout *layout, char text[TEXT])
{
    if (layout->becoming)
        (void)snprintf(text, TEXT, "%" PRId32 ">%" PRId32, layout->partitions, layout->becoming);
    else
        (void)snprintf(text, TEXT, "%" PRId32, layout->partitions);
}

static bool parse(const char *text, size_t size, struct shoal_layout *layout)
{
    char again[TEXT];
    *layout = (struct shoal_layout){0};
    if (size == 0 || size >= TEXT || strlen(text) != size)
        return false;
    char *end;
    errno = 0;
    long first = strtol(text, &end, 10), second = 0;
    if (*end == '>')
        second = strtol(end + 1, &end, 10);
    if (errno || first < 1 || first > INT32_MAX || second < 0 || second > INT32_MAX)
        return false;
    *layout = (struct shoal_layout){(int32_t)first, (int32_t)second};
    print(layout, again); /* nothing but what was written here */
    return strcmp(text, again) == 0;
}

static enum shoal_status read_layout(const struct shoal_redis_store *store,
                                     const struct shoal_redis_key *key,
                                     const struct redisReply *reply, struct shoal_layout *layout,
                                     struct shoal_message *message)
{
    *layout = (struct shoal_layout){0};
    if (reply->type == REDIS_REPLY_NIL)
        return SHOAL_OK;
    if (reply->type != REDIS_REPLY_STRING)
        return shoal_fail(message, SHOAL_IO, "Redis at %s: unexpected kind of reply to GET",
                          shoal_redis_servers_label(&store->servers));
    return parse(reply->str, reply->len, layout)
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_DAMAGED, "Redis key %s is not a partition count", key->text);
}

enum shoal_status shoal_redis_get_layout(struct shoal_redis_store *store,
                                         struct shoal_layout *layout, struct shoal_message *message)
{
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    struct redisReply *reply;
    *layout = (struct shoal_layout){0};
    enum shoal_status status =
        shoal_redis_get(store, &key, (struct shoal_slice){"", 0}, &reply, message);
    if (status == SHOAL_OK)
        status = read_layout(store, &key, reply, layout, message);
    shoal_redis_reply_free(reply);
    return status;
}

enum shoal_status shoal_redis_layout(struct shoal_store *base, struct shoal_layout *layout,
                                     struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    shoal_redis_drop_kept(store);
    return shoal_redis_get_layout(store, layout, message);
}

/* MULTI, SET, EXEC; *applied false: the key has changed since it was watched. */
static enum shoal_status replace(struct shoal_redis_connection *connection,
                                 const struct shoal_redis_key *key,
                                 const struct shoal_layout *layout, bool *applied,
                                 struct shoal_message *message)
{
    char text[TEXT];
    print(layout, text);
    shoal_redis_multi(connection);
    shoal_redis_command(connection, 3);
    shoal_redis_argument_text(connection, "SET");
    shoal_redis_argument(connection, key->text, key->size);
    shoal_redis_argument_text(connection, text);
    shoal_redis_exec(connection);
    enum shoal_status status = shoal_redis_flush(connection, message);
    for (int i = 0; i < 3 && status == SHOAL_OK; i++) {
        struct redisReply *reply = NULL;
        status = shoal_redis_answer(connection, &reply, message);
        *applied = reply && reply->type == REDIS_REPLY_ARRAY;
        shoal_redis_reply_free(reply);
    }
    return status;
}

static enum shoal_status set_on(const struct shoal_redis_store *store,
                                struct shoal_redis_connection *connection,
                                const struct shoal_redis_key *key,
                                const struct shoal_layout *expected,
                                const struct shoal_layout *layout, struct shoal_message *message)
{
    struct shoal_layout found;
    struct redisReply *got;
    bool applied = false;
    enum shoal_status status = shoal_redis_watch(connection, key, &got, message);
    if (status == SHOAL_OK)
        status = read_layout(store, key, got, &found, message);
    shoal_redis_reply_free(got);
    bool same = status == SHOAL_OK && found.partitions == expected->partitions &&
                found.becoming == expected->becoming;
    if (same)
        status = replace(connection, key, layout, &applied, message);
    /* No watch is left behind, unless the server sends us elsewhere. */
    if ((status != SHOAL_OK || !same) && connection->turn.kind == SHOAL_REDIS_STAY)
        shoal_redis_disconnect(connection);
    if (status == SHOAL_OK && !applied)
        status = shoal_fail(message, SHOAL_FENCED,
                            "somebody else has changed %s: is another shoal repartition running?",
                            key->text);
    return status;
}

enum shoal_status shoal_redis_set_layout(struct shoal_store *base,
                                         const struct shoal_layout *expected,
                                         const struct shoal_layout *layout,
                                         struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &key);
    enum shoal_status status;
    shoal_redis_drop_kept(store);
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status == SHOAL_OK)
            status = set_on(store, visit.connection, &key, expected, layout, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}
