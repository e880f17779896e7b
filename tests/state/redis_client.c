/* SPDX-License-Identifier: Apache-2.0 */
/* Single commands to a Redis server; see redis_client.h. */
#include "tests/state/redis_client.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/redis_connection.h"

static size_t describe(const redisReply *reply, char *text, size_t room)
{
    int n = 0;
    size_t size = 0;
    switch (reply->type) {
    case REDIS_REPLY_NIL:
        n = snprintf(text, room, "(nil)");
        break;
    case REDIS_REPLY_INTEGER:
        n = snprintf(text, room, "%lld", reply->integer);
        break;
    case REDIS_REPLY_ERROR:
        n = snprintf(text, room, "-%s", reply->str);
        break;
    case REDIS_REPLY_ARRAY:
        size = (size_t)snprintf(text, room, "[");
        for (size_t i = 0; i < reply->elements && size + 2 < room; i++) {
            size += (size_t)snprintf(text + size, room - size, "%s", i ? "," : "");
            size += describe(reply->element[i], text + size, room - size);
        }
        n = snprintf(text + size, room - size, "]");
        break;
    default:
        n = snprintf(text, room, "%s", reply->str);
        break;
    }
    size += (size_t)n;
    return size < room ? size : room - 1;
}

const char *test_redis_ask(const char *url, const char *const *words, size_t count)
{
    static char text[65536];
    struct shoal_redis_url address;
    struct shoal_redis_connection connection;
    struct redisReply *reply = NULL;
    if (shoal_redis_url_parse(url, &address, NULL) != SHOAL_OK)
        return NULL;
    shoal_redis_connection_init(&connection, &address.seeds[0], NULL, 60000);
    if (shoal_redis_connect(&connection, NULL) == SHOAL_OK) {
        shoal_redis_command(&connection, count);
        for (size_t i = 0; i < count; i++)
            shoal_redis_argument_text(&connection, words[i]);
        if (shoal_redis_flush(&connection, NULL) != SHOAL_OK ||
            shoal_redis_reply(&connection, &reply, NULL) != SHOAL_OK)
            reply = NULL;
    }
    if (reply)
        (void)describe(reply, text, sizeof text);
    bool answered = reply != NULL;
    shoal_redis_reply_free(reply);
    shoal_redis_connection_finish(&connection);
    return answered ? text : NULL;
}

int64_t test_redis_number(const char *url, const char *section, const char *name)
{
    char line[64];
    const char *words[] = {"INFO", section};
    const char *info = test_redis_ask(url, words, 2);
    (void)snprintf(line, sizeof line, "\n%s:", name);
    const char *found = info ? strstr(info, line) : NULL;
    return found ? strtoll(found + strlen(line), NULL, 10) : -1;
}
