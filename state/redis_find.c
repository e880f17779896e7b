/* SPDX-License-Identifier: Apache-2.0 */
/* One user in Redis, whichever partition it may be in: every partition is asked. On one server in one go;
 * in a cluster in one go of all its nodes, and partition by partition if a slot turns out to be elsewhere.
 * Needs no ownership. */
#include <hiredis/hiredis.h>
#include <inttypes.h>

#include "state/redis_slots.h"
#include "state/redis_store.h"

struct find {
    struct shoal_redis_store *store;
    struct shoal_slice user;
    int32_t count;                              /* partitions */
    int32_t partition;                          /* of what was found: */
    struct shoal_slice value;                   /* bytes NULL: nothing yet */
    struct shoal_message *message;
};

/* Keeps the reply if it is the first that has a value. */
static enum shoal_status take(struct find *find, struct redisReply *reply, int32_t partition)
{
    struct shoal_slice value = shoal_redis_value(reply);
    if (!value.bytes || find->value.bytes) {
        shoal_redis_reply_free(reply);
        return SHOAL_OK;
    }
    find->value = value;
    find->partition = partition;
    return shoal_redis_keep(find->store, reply, find->message);
}

/* The node that the partition was last known to be on; NULL = not known. */
static struct shoal_redis_connection *connection_of(const struct find *find, int32_t partition,
                                                    size_t *index)
{
    const struct shoal_redis_servers *servers = &find->store->servers;
    *index = 0;
    if (servers->kind == SHOAL_REDIS_CLUSTER) {
        struct shoal_redis_key key = shoal_redis_key_users(find->store->topic, partition);
        size_t owner = servers->owners[shoal_redis_slot(key.text, key.size)];
        if (owner == 0)
            return NULL;
        *index = owner - 1;
    }
    return &servers->nodes[*index]->connection;
}

static enum shoal_status send_all(struct find *find, bool *elsewhere)
{
    enum shoal_status status = SHOAL_OK;
    for (int32_t p = 0; status == SHOAL_OK && p < find->count; p++) {
        struct shoal_redis_key prefix = shoal_redis_key_users(find->store->topic, p);
        size_t index;
        struct shoal_redis_connection *connection = connection_of(find, p, &index);
        if (!connection) {
            *elsewhere = true;
            break;
        }
        status = shoal_redis_servers_reach(&find->store->servers, index, &connection, find->message);
        if (status != SHOAL_OK)
            break;
        shoal_redis_command(connection, 2);
        shoal_redis_argument_text(connection, "GET");
        shoal_redis_argument_pair(connection, prefix.text, prefix.size, find->user.bytes,
                                  find->user.size);
    }
    return status;
}

static enum shoal_status read_all(struct find *find, bool *elsewhere)
{
    enum shoal_status status = SHOAL_OK;
    for (int32_t p = 0; status == SHOAL_OK && p < find->count; p++) {
        size_t index;
        struct shoal_redis_connection *connection = connection_of(find, p, &index);
        struct redisReply *reply;
        if (connection->out.size > 0)
            status = shoal_redis_flush(connection, find->message);
        connection->turn.kind = SHOAL_REDIS_STAY;
        if (status == SHOAL_OK)
            status = shoal_redis_answer(connection, &reply, find->message);
        if (status == SHOAL_OK) {
            status = take(find, reply, p);
        } else if (connection->turn.kind != SHOAL_REDIS_STAY) {
            *elsewhere = true;
            status = SHOAL_OK;
        }
    }
    return status;
}

/* Commands to all nodes are under way before the first reply is read. */
static enum shoal_status ask_all(struct find *find, bool *elsewhere)
{
    struct shoal_redis_servers *servers = &find->store->servers;
    *elsewhere = false;
    enum shoal_status status = send_all(find, elsewhere);
    for (size_t i = 0; status == SHOAL_OK && !*elsewhere && i < servers->nodes_count; i++) {
        struct shoal_redis_connection *connection = &servers->nodes[i]->connection;
        if (connection->owed > 0)
            status = shoal_redis_flush(connection, find->message);
    }
    if (status == SHOAL_OK && !*elsewhere)
        status = read_all(find, elsewhere);
    for (size_t i = 0; i < servers->nodes_count; i++)
        shoal_redis_settle(&servers->nodes[i]->connection);
    if (status != SHOAL_OK)
        servers->stale = servers->kind == SHOAL_REDIS_CLUSTER;
    return status;
}

/* A partition after another, each where it is, until the user is found. */
static enum shoal_status ask_each(struct find *find)
{
    enum shoal_status status = SHOAL_OK;
    for (int32_t p = 0; status == SHOAL_OK && !find->value.bytes && p < find->count; p++) {
        struct shoal_redis_key prefix = shoal_redis_key_users(find->store->topic, p);
        struct redisReply *reply;
        status = shoal_redis_get(find->store, &prefix, find->user, &reply, find->message);
        if (status == SHOAL_OK)
            status = take(find, reply, p);
    }
    return status;
}

enum shoal_status shoal_redis_find(struct shoal_store *base, struct shoal_slice user,
                                   int32_t *partition, struct shoal_slice *value,
                                   struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct find find = {.store = store, .user = user, .message = message};
    bool elsewhere = false;
    shoal_redis_drop_kept(store);
    struct shoal_layout layout;
    enum shoal_status status = shoal_redis_get_layout(store, &layout, message);
    find.count = layout.becoming > layout.partitions ? layout.becoming : layout.partitions;
    if (status == SHOAL_OK)
        status = ask_all(&find, &elsewhere);
    if (status == SHOAL_OK && elsewhere && !find.value.bytes)
        status = ask_each(&find);
    if (status != SHOAL_OK)
        return status;
    if (!find.value.bytes)
        return shoal_fail(message, SHOAL_NOT_FOUND, "no state is kept of this user");
    *partition = find.partition;
    *value = find.value;
    return SHOAL_OK;
}
