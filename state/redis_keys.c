/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in Redis; see redis_keys.h. */
#include "state/redis_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "state/record.h"

static struct shoal_redis_key partition_key(const char *topic, int32_t partition, const char *tail)
{
    struct shoal_redis_key key;
    key.size = (size_t)snprintf(key.text, sizeof key.text, "{%.*s/%" PRId32 "}%s", SHOAL_TOPIC_MAX,
                                topic, partition, tail);
    return key;
}

struct shoal_redis_key shoal_redis_key_users(const char *topic, int32_t partition)
{
    return partition_key(topic, partition, ":");
}

struct shoal_redis_key shoal_redis_key_checkpoint(const char *topic, int32_t partition)
{
    return partition_key(topic, partition, "#checkpoint");
}

struct shoal_redis_key shoal_redis_key_timers(const char *topic, int32_t partition)
{
    return partition_key(topic, partition, "#timers");
}

struct shoal_redis_key shoal_redis_key_partitions(const char *topic)
{
    struct shoal_redis_key key;
    key.size =
        (size_t)snprintf(key.text, sizeof key.text, "{%.*s}#partitions", SHOAL_TOPIC_MAX, topic);
    return key;
}

struct shoal_redis_key shoal_redis_key_pattern(const char *topic)
{
    struct shoal_redis_key key = {.text = "{", .size = 1};
    for (size_t i = 0; topic[i] && i < SHOAL_TOPIC_MAX; i++) {
        if (strchr("*?[]\\^-", topic[i]))
            key.text[key.size++] = '\\';
        key.text[key.size++] = topic[i];
    }
    key.text[key.size++] = '/';
    key.text[key.size++] = '*';
    key.text[key.size] = '\0';
    return key;
}

bool shoal_redis_key_parse(const char *topic, const void *key, size_t size, int32_t *partition,
                           struct shoal_slice *user)
{
    const char *at = key, *end = at + size;
    size_t topic_size = strlen(topic);
    if (size < topic_size + 2 || *at != '{' || memcmp(at + 1, topic, topic_size) != 0 ||
        at[1 + topic_size] != '/')
        return false;
    at += topic_size + 2;
    const char *digits = at;
    int64_t number = 0;
    for (; at < end && *at >= '0' && *at <= '9' && at - digits < 10; at++)
        number = number * 10 + (*at - '0');
    bool canonical = at > digits && (*digits != '0' || at == digits + 1);
    if (!canonical || number > INT32_MAX || end - at < 3 || at[0] != '}' || at[1] != ':')
        return false;
    *partition = (int32_t)number;
    *user = (struct shoal_slice){.bytes = at + 2, .size = (size_t)(end - at) - 2};
    return user->size <= SHOAL_USER_MAX;
}
