/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns which slot, asked of a cluster's node:
 *
 *   CLUSTER SLOTS ──► [[first, last, [host, port, …] (the master), [host, port, …] (replicas) …] …]
 *
 * Only masters are read: a replica may lag behind, and what is loaded must belong to the checkpoint. */
#include <hiredis/hiredis.h>
#include <string.h>

#include "state/redis_servers.h"
#include "state/redis_slots.h"

/* A node of a range: [host, port, …]; 0 for what cannot be understood. */
static size_t read_node(struct shoal_redis_servers *servers,
                        const struct shoal_redis_connection *from, const struct redisReply *node)
{
    if (node->type != REDIS_REPLY_ARRAY || node->elements < 2)
        return 0;
    const struct redisReply *host = node->element[0], *port = node->element[1];
    if (port->type != REDIS_REPLY_INTEGER || port->integer < 1 || port->integer > 65535 ||
        (host->type == REDIS_REPLY_STRING && host->len >= sizeof from->address.host))
        return 0;
    /* No host, or one not known: the one that we have reached it by. */
    bool known = host->type == REDIS_REPLY_STRING && strcmp(host->str, "?") != 0;
    return shoal_redis_servers_node(servers, from, known ? host->str : "", (int)port->integer);
}

/* The master of one range, as a node; 0 for what cannot be understood. Its replicas are remembered too: one of them may
 * be the only one left to ask. */
static size_t read_master(struct shoal_redis_servers *servers,
                          const struct shoal_redis_connection *from, const struct redisReply *range,
                          long long *first, long long *last)
{
    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 ||
        range->element[0]->type != REDIS_REPLY_INTEGER ||
        range->element[1]->type != REDIS_REPLY_INTEGER)
        return 0;
    *first = range->element[0]->integer;
    *last = range->element[1]->integer;
    if (*first < 0 || *first > *last || *last >= SHOAL_REDIS_SLOTS)
        return 0;
    for (size_t i = 3; i < range->elements; i++)
        (void)read_node(servers, from, range->element[i]);
    return read_node(servers, from, range->element[2]);
}

static enum shoal_status read_slots(struct shoal_redis_servers *servers,
                                    struct shoal_redis_connection *connection,
                                    const struct redisReply *reply, struct shoal_message *message)
{
    const char *label = connection->address.label;
    if (reply->type != REDIS_REPLY_ARRAY)
        return shoal_redis_surprise(connection, "CLUSTER SLOTS", message);
    if (reply->elements == 0)
        return shoal_fail(message, SHOAL_UNAVAILABLE,
                          "Redis at %s knows of no slots: it is in no cluster yet, or no more", label);
    memset(servers->owners, 0, SHOAL_REDIS_SLOTS * sizeof *servers->owners);
    for (size_t i = 0; i < servers->nodes_count; i++)
        servers->nodes[i]->serves = false;
    for (size_t i = 0; i < reply->elements; i++) {
        long long first, last;
        size_t node = read_master(servers, connection, reply->element[i], &first, &last);
        if (node == 0)
            return shoal_redis_surprise(connection, "CLUSTER SLOTS", message);
        for (long long slot = first; slot <= last; slot++)
            servers->owners[slot] = (uint16_t)node;
        servers->nodes[node - 1]->serves = true;
    }
    for (size_t i = 0; i < servers->nodes_count; i++) {
        if (!servers->nodes[i]->serves)
            shoal_redis_disconnect(&servers->nodes[i]->connection);
    }
    return SHOAL_OK;
}

enum shoal_status shoal_redis_cluster_ask(struct shoal_redis_servers *servers, size_t index,
                                          struct shoal_message *message)
{
    struct shoal_redis_connection *connection;
    struct redisReply *reply;
    enum shoal_status status = shoal_redis_servers_reach(servers, index, &connection, message);
    if (status != SHOAL_OK)
        return status;
    shoal_redis_command(connection, 2);
    shoal_redis_argument_text(connection, "CLUSTER");
    shoal_redis_argument_text(connection, "SLOTS");
    status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_reply(connection, &reply, message);
    if (status != SHOAL_OK)
        return status;
    if (reply->type != REDIS_REPLY_ERROR)
        status = read_slots(servers, connection, reply, message);
    else if (strstr(reply->str, "cluster support disabled"))
        status = shoal_fail(message, SHOAL_CONFIG,
                            "Redis at %s is no node of a cluster: redis.url should begin with "
                            "redis:// or rediss://",
                            connection->address.label);
    else
        status = shoal_redis_error(connection, reply, message);
    shoal_redis_reply_free(reply);
    return status;
}
