/* SPDX-License-Identifier: Apache-2.0 */
/* What a Redis server's error replies mean, by the words that they begin with: how bad it is, and
 * whether to turn to another server. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/redis_connection.h"

static const struct {
    const char *prefix;
    enum shoal_status status;
    enum shoal_redis_turn_kind turn;
} meanings[] = {
    {"LOADING ", SHOAL_UNAVAILABLE, SHOAL_REDIS_LEAVE},
    {"READONLY ", SHOAL_UNAVAILABLE, SHOAL_REDIS_LEAVE},
    {"MASTERDOWN ", SHOAL_UNAVAILABLE, SHOAL_REDIS_LEAVE},
    {"CLUSTERDOWN ", SHOAL_UNAVAILABLE, SHOAL_REDIS_LEAVE},
    {"MOVED ", SHOAL_UNAVAILABLE, SHOAL_REDIS_MOVED},
    {"ASK ", SHOAL_UNAVAILABLE, SHOAL_REDIS_ASK},
    {"TRYAGAIN ", SHOAL_UNAVAILABLE, SHOAL_REDIS_WAIT},
    {"OOM ", SHOAL_UNAVAILABLE, SHOAL_REDIS_STAY},
    {"MISCONF ", SHOAL_UNAVAILABLE, SHOAL_REDIS_STAY},
    {"BUSY ", SHOAL_UNAVAILABLE, SHOAL_REDIS_STAY},
    {"NOREPLICAS ", SHOAL_UNAVAILABLE, SHOAL_REDIS_STAY},
    {"ERR max number of clients", SHOAL_UNAVAILABLE, SHOAL_REDIS_STAY},
    {"NOAUTH ", SHOAL_CONFIG, SHOAL_REDIS_STAY},
    {"WRONGPASS ", SHOAL_CONFIG, SHOAL_REDIS_STAY},
    {"NOPERM ", SHOAL_CONFIG, SHOAL_REDIS_STAY},
    {"DENIED ", SHOAL_CONFIG, SHOAL_REDIS_STAY},
    {"CROSSSLOT ", SHOAL_INTERNAL, SHOAL_REDIS_STAY},
    {"WRONGTYPE ", SHOAL_DAMAGED, SHOAL_REDIS_STAY},
};

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* "MOVED 3999 10.0.0.1:6381", "ASK …" alike. The host may be empty, or an IPv6 address without
 * brackets: the last colon is the port's. False for what is no address. */
static bool read_target(const char *text, struct shoal_redis_turn *turn)
{
    const char *slot = strchr(text, ' '), *host = slot ? strchr(slot + 1, ' ') : NULL;
    const char *colon = host ? strrchr(host, ':') : NULL;
    if (!colon || colon - host - 1 >= (ptrdiff_t)sizeof turn->host)
        return false;
    long port = strtol(colon + 1, NULL, 10);
    if (port < 1 || port > 65535)
        return false;
    (void)snprintf(turn->host, sizeof turn->host, "%.*s", (int)(colon - host - 1), host + 1);
    turn->port = (int)port;
    return true;
}

static void note_turn(struct shoal_redis_turn *turn, enum shoal_redis_turn_kind kind,
                      const char *text)
{
    if (turn->kind != SHOAL_REDIS_STAY || kind == SHOAL_REDIS_STAY)
        return;
    bool elsewhere = kind == SHOAL_REDIS_MOVED || kind == SHOAL_REDIS_ASK;
    if (elsewhere && !read_target(text, turn))
        kind = SHOAL_REDIS_LEAVE;
    turn->kind = kind;
}

/* What to do about it, for those who read the message. */
static const char *advice(const char *text, bool is_sentinel)
{
    if (begins(text, "NOAUTH "))
        return is_sentinel ? ": set redis.sentinel.user and redis.sentinel.password_file"
                           : ": set redis.user and redis.password_file";
    if (begins(text, "NOPERM "))
        return is_sentinel ? ": the sentinels' user needs the rights of deploy/redis.acl"
                           : ": the user needs the rights of deploy/redis.acl";
    return "";
}

enum shoal_status shoal_redis_error(struct shoal_redis_connection *connection,
                                    const struct redisReply *reply, struct shoal_message *message)
{
    static const char discarded[] = "EXECABORT Transaction discarded because of: ";
    enum shoal_status status = SHOAL_IO;
    const char *text = reply->str;
    if (begins(text, discarded))
        text += sizeof discarded - 1;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (!begins(text, meanings[i].prefix))
            continue;
        status = meanings[i].status;
        note_turn(&connection->turn, meanings[i].turn, text);
        break;
    }
    return shoal_fail(message, status, "%s at %s answers: %s%s",
                      connection->address.is_sentinel ? "the sentinel" : "Redis",
                      connection->address.label, text,
                      advice(text, connection->address.is_sentinel));
}

void shoal_redis_worse(enum shoal_status *worst, enum shoal_status status,
                       const struct shoal_message *said, struct shoal_message *message)
{
    bool lasting = shoal_status_class(status) != SHOAL_CLASS_RETRY;
    if (message && (lasting || *worst == SHOAL_UNAVAILABLE))
        *message = *said;
    if (lasting)
        *worst = status;
}
