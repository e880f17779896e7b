/* SPDX-License-Identifier: Apache-2.0 */
/* Who is master, asked of sentinels; see redis_servers.h. A sentinel answers by what it knows, which
 * for some seconds may be the master that was: so the server itself is asked too (Redis documentation,
 * "Guidelines for Redis clients with support for Sentinel"). */
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "state/redis_servers.h"

static enum shoal_status ask_master(struct shoal_redis_connection *sentinel, const char *name,
                                    struct redisReply **reply, struct shoal_message *message)
{
    shoal_redis_command(sentinel, 3);
    shoal_redis_argument_text(sentinel, "SENTINEL");
    shoal_redis_argument_text(sentinel, "get-master-addr-by-name");
    shoal_redis_argument_text(sentinel, name);
    enum shoal_status status = shoal_redis_flush(sentinel, message);
    return status == SHOAL_OK ? shoal_redis_answer(sentinel, reply, message) : status;
}

/* Connects, logs in and asks. */
static enum shoal_status ask_as(struct shoal_redis_connection *sentinel,
                                const struct shoal_redis_login *login, const char *name,
                                struct redisReply **reply, struct shoal_message *message)
{
    *reply = NULL;
    shoal_redis_disconnect(sentinel);
    sentinel->address.login = *login;
    enum shoal_status status = shoal_redis_connect(sentinel, message);
    return status == SHOAL_OK ? ask_master(sentinel, name, reply, message) : status;
}

/* With the login that is theirs. Without one they are asked as they seldom want any; one that does gets that of the
 * servers. */
static enum shoal_status ask_logged_in(struct shoal_redis_connection *sentinel,
                                       const struct shoal_redis_url *url,
                                       const struct shoal_redis_login *servers,
                                       struct redisReply **reply, struct shoal_message *message)
{
    enum shoal_status status = ask_as(sentinel, &url->sentinels, url->master, reply, message);
    if (status != SHOAL_CONFIG || url->sentinels.password[0] || !servers->password[0])
        return status;
    return ask_as(sentinel, servers, url->master, reply, message);
}

/* [host, port] into *master. */
static enum shoal_status read_master(struct shoal_redis_connection *sentinel, const char *name,
                                     const struct redisReply *reply,
                                     struct shoal_redis_address *master,
                                     struct shoal_message *message)
{
    if (reply->type == REDIS_REPLY_NIL)
        return shoal_fail(message, SHOAL_CONFIG, "the sentinel at %s knows no master named %s",
                          sentinel->address.label, name);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_STRING || reply->element[0]->len == 0 ||
        reply->element[0]->len >= sizeof master->host)
        return shoal_redis_surprise(sentinel, "SENTINEL", message);
    long port = strtol(reply->element[1]->str, NULL, 10);
    if (port < 1 || port > 65535)
        return shoal_redis_surprise(sentinel, "SENTINEL", message);
    shoal_redis_address_move(master, reply->element[0]->str, (int)port);
    return SHOAL_OK;
}

enum shoal_status shoal_redis_sentinel_resolve(const struct shoal_redis_url *url,
                                               struct shoal_redis_tls *tls, int timeout_ms,
                                               size_t *turn, struct shoal_redis_address *master,
                                               struct shoal_message *message)
{
    enum shoal_status worst = SHOAL_UNAVAILABLE;
    struct shoal_message said = {.text = ""};
    for (size_t i = 0; i < url->seeds_count; i++, ++*turn) {
        const struct shoal_redis_address *seed = &url->seeds[*turn % url->seeds_count];
        struct shoal_redis_address address = *seed;
        struct shoal_redis_connection sentinel;
        struct redisReply *reply = NULL;
        address.database = 0;
        address.is_sentinel = true;
        shoal_redis_connection_init(&sentinel, &address, tls, timeout_ms);
        enum shoal_status status = ask_logged_in(&sentinel, url, &seed->login, &reply, &said);
        if (status == SHOAL_OK)
            status = read_master(&sentinel, url->master, reply, master, &said);
        shoal_redis_reply_free(reply);
        shoal_redis_connection_finish(&sentinel);
        if (status == SHOAL_OK)
            return SHOAL_OK;
        shoal_redis_worse(&worst, status, &said, message);
    }
    return worst;
}

enum shoal_status shoal_redis_sentinel_check(struct shoal_redis_connection *connection,
                                             struct shoal_message *message)
{
    struct redisReply *reply;
    shoal_redis_command(connection, 1);
    shoal_redis_argument_text(connection, "ROLE");
    enum shoal_status status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_reply(connection, &reply, message);
    if (status != SHOAL_OK)
        return status;
    /* A server that does not let us ask is believed: a replica refuses the first write. */
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
        reply->element[0]->type == REDIS_REPLY_STRING && strcmp(reply->element[0]->str, "master") != 0)
        status = shoal_fail(message, SHOAL_UNAVAILABLE,
                            "Redis at %s is named by the sentinels and says that it is no master",
                            connection->address.label);
    shoal_redis_reply_free(reply);
    return status;
}
