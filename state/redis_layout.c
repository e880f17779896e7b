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

static void write_get(struct shoal_redis_store *store, const struct shoal_redis_key *key)
{
    shoal_redis_command(&store->connection, 2);
    shoal_redis_argument_text(&store->connection, "GET");
    shoal_redis_argument(&store->connection, key->text, key->size);
}

static enum shoal_status read_get(struct shoal_redis_store *store,
                                  const struct shoal_redis_key *key, struct shoal_layout *layout,
                                  struct shoal_message *message)
{
    struct redisReply *reply;
    enum shoal_status status = shoal_redis_answer(&store->connection, &reply, message);
    if (status != SHOAL_OK)
        return status;
    if (reply->type == REDIS_REPLY_STRING) {
        if (!parse(reply->str, reply->len, layout))
            status = shoal_fail(message, SHOAL_DAMAGED, "Redis key %s is not a partition count",
                                key->text);
    } else if (reply->type != REDIS_REPLY_NIL) {
        status = shoal_redis_surprise(&store->connection, "GET", message);
    }
    shoal_redis_reply_free(reply);
    return status;
}

enum shoal_status shoal_redis_get_layout(struct shoal_redis_store *store,
                                         struct shoal_layout *layout, struct shoal_message *message)
{
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    *layout = (struct shoal_layout){0};
    write_get(store, &key);
    enum shoal_status status = shoal_redis_flush(&store->connection, message);
    return status == SHOAL_OK ? read_get(store, &key, layout, message) : status;
}

enum shoal_status shoal_redis_layout(struct shoal_store *base, struct shoal_layout *layout,
                                     struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    enum shoal_status status = shoal_redis_begin(store, message);
    return status == SHOAL_OK ? shoal_redis_get_layout(store, layout, message) : status;
}

/* WATCH and GET; the watch stays. */
static enum shoal_status watch(struct shoal_redis_store *store, const struct shoal_redis_key *key,
                               struct shoal_layout *found, struct shoal_message *message)
{
    struct redisReply *watched = NULL;
    *found = (struct shoal_layout){0};
    shoal_redis_command(&store->connection, 2);
    shoal_redis_argument_text(&store->connection, "WATCH");
    shoal_redis_argument(&store->connection, key->text, key->size);
    write_get(store, key);
    enum shoal_status status = shoal_redis_flush(&store->connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_answer(&store->connection, &watched, message);
    shoal_redis_reply_free(watched);
    return status == SHOAL_OK ? read_get(store, key, found, message) : status;
}

/* MULTI, SET, EXEC; *applied false: the key has changed since it was watched. */
static enum shoal_status replace(struct shoal_redis_store *store, const struct shoal_redis_key *key,
                                 const struct shoal_layout *layout, bool *applied,
                                 struct shoal_message *message)
{
    char text[TEXT];
    print(layout, text);
    shoal_redis_command(&store->connection, 1);
    shoal_redis_argument_text(&store->connection, "MULTI");
    shoal_redis_command(&store->connection, 3);
    shoal_redis_argument_text(&store->connection, "SET");
    shoal_redis_argument(&store->connection, key->text, key->size);
    shoal_redis_argument_text(&store->connection, text);
    shoal_redis_command(&store->connection, 1);
    shoal_redis_argument_text(&store->connection, "EXEC");
    enum shoal_status status = shoal_redis_flush(&store->connection, message);
    for (int i = 0; i < 3 && status == SHOAL_OK; i++) {
        struct redisReply *reply = NULL;
        status = shoal_redis_answer(&store->connection, &reply, message);
        *applied = reply && reply->type == REDIS_REPLY_ARRAY;
        shoal_redis_reply_free(reply);
    }
    return status;
}

enum shoal_status shoal_redis_set_layout(struct shoal_store *base,
                                         const struct shoal_layout *expected,
                                         const struct shoal_layout *layout,
                                         struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    struct shoal_layout found;
    bool applied = false;
    enum shoal_status status = shoal_redis_begin(store, message);
    if (status == SHOAL_OK)
        status = watch(store, &key, &found, message);
    bool same = status == SHOAL_OK && found.partitions == expected->partitions &&
                found.becoming == expected->becoming;
    if (same)
        status = replace(store, &key, layout, &applied, message);
    if (status != SHOAL_OK || !same)
        shoal_redis_disconnect(&store->connection); /* no watch, no reply is left behind */
    if (status == SHOAL_OK && !applied)
        status = shoal_fail(message, SHOAL_FENCED,
                            "somebody else has changed %s: is another shoal repartition running?",
                            key.text);
    return status;
}
