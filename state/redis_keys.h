/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what is kept in Redis. The braces put a partition's users and its checkpoint into one
 * cluster slot.
 *
 *   {topic/partition}:user         record of a user; the user id is any bytes
 *   {topic/partition}#checkpoint   checkpoint of a partition
 *   {topic/partition}#timers       its index of timers: a sorted set of users by due time, in seconds
 *   {topic}#partitions             number of partitions, in decimal; "4>6" while states are moved */
#ifndef SHOAL_REDIS_KEYS_H
#define SHOAL_REDIS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/store.h"

enum {
    SHOAL_TOPIC_MAX = 249, /* bytes; Kafka's own limit */
    SHOAL_KEY_ROOM = 2 * SHOAL_TOPIC_MAX + 32,
};

/* A key without user id, or a pattern, in the caller's memory. Zero-terminated. */
struct shoal_redis_key {
    char text[SHOAL_KEY_ROOM];
    size_t size;
};

/* `topic` has at most SHOAL_TOPIC_MAX bytes. */
struct shoal_redis_key shoal_redis_key_users(const char *topic, int32_t partition);
struct shoal_redis_key shoal_redis_key_checkpoint(const char *topic, int32_t partition);
struct shoal_redis_key shoal_redis_key_timers(const char *topic, int32_t partition);
struct shoal_redis_key shoal_redis_key_partitions(const char *topic);
/* For SCAN … MATCH: finds all users and checkpoints of the topic, and perhaps more. */
struct shoal_redis_key shoal_redis_key_pattern(const char *topic);
/* Is it a user's key of this topic? Then partition and user (within `key`) are set. */
bool shoal_redis_key_parse(const char *topic, const void *key, size_t size, int32_t *partition,
                           struct shoal_slice *user);

#endif
