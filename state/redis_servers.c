/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the server; see redis_servers.h. What is asked of a cluster's nodes and of sentinels is in
 * redis_cluster.c and redis_sentinel.c.
 *
 * A single server costs nothing here: a connection that stands is used as it is. */
#include "state/redis_servers.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/clock.h"
#include "state/redis_slots.h"
#include "state/redis_tls.h"

enum {
    QUICK_TURNS = 3,  /* redirections followed without a pause */
    PAUSE_MAX_MS = 50,
};

/* ---- life ---------------------------------------------------------------------------------- */

static size_t add_node(struct shoal_redis_servers *servers,
                       const struct shoal_redis_address *address)
{
    struct shoal_redis_node *node = servers->nodes_count < SHOAL_REDIS_NODES ? calloc(1, sizeof *node) : NULL;
    struct shoal_redis_node **grown =
        node ? realloc((void *)servers->nodes,
                       (servers->nodes_count + 1) * sizeof(struct shoal_redis_node *))
             : NULL;
    if (!grown) {
        free(node);
        return 0;
    }
    shoal_redis_connection_init(&node->connection, address, servers->tls, servers->timeout_ms);
    servers->nodes = grown;
    servers->nodes[servers->nodes_count++] = node;
    return servers->nodes_count;
}

static bool become_cluster(struct shoal_redis_servers *servers)
{
    if (!servers->owners)
        servers->owners = calloc(SHOAL_REDIS_SLOTS, sizeof *servers->owners);
    servers->kind = SHOAL_REDIS_CLUSTER;
    servers->stale = true;
    return servers->owners != NULL;
}

enum shoal_status shoal_redis_servers_init(struct shoal_redis_servers *servers,
                                           const struct shoal_redis_url *url,
                                           struct shoal_redis_tls *tls, int timeout_ms,
                                           struct shoal_message *message)
{
    *servers = (struct shoal_redis_servers){
        .kind = url->kind, .url = *url, .tls = tls, .timeout_ms = timeout_ms};
    size_t count = url->kind == SHOAL_REDIS_SENTINEL ? 1 : url->seeds_count;
    for (size_t i = 0; i < count; i++) {
        if (!add_node(servers, &url->seeds[i]))
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (url->kind == SHOAL_REDIS_CLUSTER && !become_cluster(servers))
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    return SHOAL_OK;
}

void shoal_redis_servers_finish(struct shoal_redis_servers *servers)
{
    for (size_t i = 0; i < servers->nodes_count; i++) {
        shoal_redis_connection_finish(&servers->nodes[i]->connection);
        free(servers->nodes[i]);
    }
    free((void *)servers->nodes);
    free(servers->owners);
    shoal_redis_tls_destroy(servers->tls);
    *servers = (struct shoal_redis_servers){0};
}

const char *shoal_redis_servers_label(const struct shoal_redis_servers *servers)
{
    return servers->nodes[0]->connection.address.label;
}

size_t shoal_redis_servers_node(struct shoal_redis_servers *servers,
                                const struct shoal_redis_connection *from, const char *host, int port)
{
    if (!host[0])
        host = from->address.is_unix ? "127.0.0.1" : from->address.host;
    for (size_t i = 0; i < servers->nodes_count; i++) {
        const struct shoal_redis_address *address = &servers->nodes[i]->connection.address;
        if (!address->is_unix && address->port == port && strcmp(address->host, host) == 0)
            return i + 1;
    }
    struct shoal_redis_address address = servers->url.seeds[0];
    shoal_redis_address_move(&address, host, port);
    return add_node(servers, &address);
}

/* ---- one server ---------------------------------------------------------------------------- */

/* Is it a cluster's node? One that does not let us look is taken for none: a redirection tells. */
static enum shoal_status look(struct shoal_redis_servers *servers, struct shoal_message *message)
{
    struct shoal_redis_connection *connection = &servers->nodes[0]->connection;
    struct redisReply *reply;
    shoal_redis_command(connection, 2);
    shoal_redis_argument_text(connection, "INFO");
    shoal_redis_argument_text(connection, "cluster");
    enum shoal_status status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_reply(connection, &reply, message);
    if (status != SHOAL_OK)
        return status;
    bool is_node = reply->type == REDIS_REPLY_STRING && strstr(reply->str, "cluster_enabled:1");
    shoal_redis_reply_free(reply);
    servers->looked = true;
    if (is_node && !become_cluster(servers))
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    return SHOAL_OK;
}

static enum shoal_status open_one(struct shoal_redis_servers *servers,
                                  struct shoal_message *message)
{
    struct shoal_redis_connection *connection = &servers->nodes[0]->connection;
    enum shoal_status status = SHOAL_OK;
    if (servers->kind == SHOAL_REDIS_SENTINEL)
        status = shoal_redis_sentinel_resolve(&servers->url, servers->tls, servers->timeout_ms,
                                              &servers->turn, &connection->address, message);
    if (status == SHOAL_OK)
        status = shoal_redis_connect(connection, message);
    if (status == SHOAL_OK && servers->kind == SHOAL_REDIS_SENTINEL)
        status = shoal_redis_sentinel_check(connection, message);
    else if (status == SHOAL_OK && !servers->looked)
        status = look(servers, message);
    if (status != SHOAL_OK)
        shoal_redis_disconnect(connection);
    servers->nodes[0]->serves = true;
    return status;
}

/* ---- a cluster ----------------------------------------------------------------------------- */

/* Asks one node after another until one tells; each time another one first, for one that was cut off
 * from the others tells what was so before. */
static enum shoal_status discover(struct shoal_redis_servers *servers,
                                  struct shoal_message *message)
{
    enum shoal_status worst = SHOAL_UNAVAILABLE;
    struct shoal_message said = {.text = ""};
    if (servers->nodes[0]->connection.address.database)
        return shoal_fail(message, SHOAL_CONFIG, "Redis at %s: a cluster has only database 0",
                          shoal_redis_servers_label(servers));
    for (size_t i = 0, count = servers->nodes_count; i < count; i++) {
        size_t index = servers->turn++ % count;
        enum shoal_status status = shoal_redis_cluster_ask(servers, index, &said);
        if (status == SHOAL_OK) {
            servers->stale = false;
            return SHOAL_OK;
        }
        shoal_redis_worse(&worst, status, &said, message);
    }
    return worst;
}

enum shoal_status shoal_redis_servers_open(struct shoal_redis_servers *servers,
                                           struct shoal_message *message)
{
    if (servers->kind != SHOAL_REDIS_CLUSTER && !servers->nodes[0]->connection.context) {
        enum shoal_status status = open_one(servers, message);
        if (status != SHOAL_OK)
            return status;
    }
    return servers->stale ? discover(servers, message) : SHOAL_OK;
}

enum shoal_status shoal_redis_servers_reach(struct shoal_redis_servers *servers, size_t index,
                                            struct shoal_redis_connection **connection,
                                            struct shoal_message *message)
{
    *connection = &servers->nodes[index]->connection;
    enum shoal_status status = shoal_redis_connect(*connection, message);
    if (status != SHOAL_OK)
        servers->stale = servers->kind == SHOAL_REDIS_CLUSTER;
    return status;
}

/* ---- visits -------------------------------------------------------------------------------- */

struct shoal_redis_visit shoal_redis_visit_to(struct shoal_redis_servers *servers,
                                              const struct shoal_redis_key *key)
{
    return (struct shoal_redis_visit){.servers = servers, .key = key};
}

/* A node may not know who owns a slot though others do: one to which the slot was just moving when its old owner died
 * keeps to the dead one. So every node is asked. */
static enum shoal_status find_owner(struct shoal_redis_servers *servers,
                                    const struct shoal_redis_key *key, size_t *index,
                                    struct shoal_message *message)
{
    uint16_t slot = shoal_redis_slot(key->text, key->size);
    for (size_t asked = 0; !servers->owners[slot] && asked < servers->nodes_count; asked++) {
        enum shoal_status status = discover(servers, message);
        if (status != SHOAL_OK)
            return status;
    }
    servers->stale = !servers->owners[slot];
    *index = servers->owners[slot] - 1U;
    return servers->owners[slot]
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_UNAVAILABLE,
                            "Redis Cluster at %s: nobody serves slot %u of %s",
                            shoal_redis_servers_label(servers), slot, key->text);
}

enum shoal_status shoal_redis_visit_begin(struct shoal_redis_visit *visit,
                                          struct shoal_message *message)
{
    struct shoal_redis_servers *servers = visit->servers;
    size_t index = visit->ask ? visit->ask - 1 : 0;
    visit->connection = NULL;
    enum shoal_status status = shoal_redis_servers_open(servers, message);
    if (status == SHOAL_OK && servers->kind == SHOAL_REDIS_CLUSTER && !visit->ask)
        status = find_owner(servers, visit->key, &index, message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_redis_connection *connection;
    status = shoal_redis_servers_reach(servers, index, &connection, message);
    if (status != SHOAL_OK)
        return status;
    connection->asking = visit->ask != 0;
    connection->turn.kind = SHOAL_REDIS_STAY;
    visit->connection = connection;
    return SHOAL_OK;
}

/* A slot that moves is waited for, as long as for any answer: its keys come over a few at a time. */
static bool wait_a_little(struct shoal_redis_visit *visit, bool quick)
{
    int64_t now_ms = shoal_clock_ms();
    if (visit->until_ms == 0)
        visit->until_ms = now_ms + visit->servers->timeout_ms;
    int turn = visit->turns++;
    if (quick && turn < QUICK_TURNS)
        return true;
    if (now_ms >= visit->until_ms) {
        visit->servers->stale = visit->servers->kind == SHOAL_REDIS_CLUSTER;
        return false;
    }
    int pause_ms = turn < 6 ? 1 << turn : PAUSE_MAX_MS;
    struct timespec pause = {.tv_nsec = pause_ms * 1000000L};
    (void)nanosleep(&pause, NULL);
    return true;
}

/* A MOVED or ASK names a node: the owner from now on, or the one to be asked next. */
static bool follow(struct shoal_redis_visit *visit, const struct shoal_redis_turn *turn)
{
    struct shoal_redis_servers *servers = visit->servers;
    if (servers->kind == SHOAL_REDIS_SENTINEL)
        return false;
    if (servers->kind == SHOAL_REDIS_ONE)
        return become_cluster(servers);
    size_t node = shoal_redis_servers_node(servers, visit->connection, turn->host, turn->port);
    if (node == 0) {
        servers->stale = true;
        return false;
    }
    if (turn->kind == SHOAL_REDIS_ASK)
        visit->ask = node;
    else {
        servers->newcomers += !servers->nodes[node - 1]->serves;
        servers->owners[shoal_redis_slot(visit->key->text, visit->key->size)] = (uint16_t)node;
    }
    servers->nodes[node - 1]->serves = true;
    return wait_a_little(visit, true);
}

bool shoal_redis_visit_again(struct shoal_redis_visit *visit, enum shoal_status status)
{
    struct shoal_redis_servers *servers = visit->servers;
    struct shoal_redis_connection *connection = visit->connection;
    if (!connection)
        return false;
    visit->ask = 0;
    if (status == SHOAL_OK && connection->owed == 0) {
        connection->asking = false;
        return false;
    }
    struct shoal_redis_turn turn = connection->turn;
    shoal_redis_settle(connection);
    bool cluster = servers->kind == SHOAL_REDIS_CLUSTER;
    if (cluster && !connection->context)
        servers->stale = true;
    if (status != SHOAL_UNAVAILABLE)
        return false;
    switch (turn.kind) {
    case SHOAL_REDIS_MOVED:
    case SHOAL_REDIS_ASK:
        return follow(visit, &turn);
    case SHOAL_REDIS_WAIT:
        return wait_a_little(visit, false);
    case SHOAL_REDIS_LEAVE:
        /* The next connection goes to whoever has the name or the office by then. */
        if (!cluster)
            shoal_redis_disconnect(connection);
        servers->stale = cluster;
        return false;
    case SHOAL_REDIS_STAY:
        break;
    }
    return false;
}
