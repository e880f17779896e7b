/* SPDX-License-Identifier: Apache-2.0 */
/* Records in Redis: creation, and the checks of the server before anything is kept there. The other
 * parts are listed in redis_store.h. Runs in its worker's thread.
 *
 * The server must never throw records away by itself: a state that is missing counts as a user
 * never seen, silently. So a server that evicts keys without expiry is refused. */
#include "state/redis_store.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { DEFAULT_TIMEOUT_MS = 5000 };

static void drop_kept(struct shoal_redis_store *store)
{
    for (size_t i = 0; i < store->kept_count; i++)
        shoal_redis_reply_free(store->kept[i]);
    store->kept_count = 0;
}

enum shoal_status shoal_redis_keep(struct shoal_redis_store *store, struct redisReply *reply,
                                   struct shoal_message *message)
{
    if (store->kept_count == store->kept_capacity) {
        size_t capacity = store->kept_capacity ? 2 * store->kept_capacity : 16;
        struct redisReply **grown =
            realloc((void *)store->kept, capacity * sizeof(struct redisReply *));
        if (!grown) {
            shoal_redis_reply_free(reply);
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
        }
        store->kept = grown;
        store->kept_capacity = capacity;
    }
    store->kept[store->kept_count++] = reply;
    return SHOAL_OK;
}

enum shoal_status shoal_redis_begin(struct shoal_redis_store *store, struct shoal_message *message)
{
    drop_kept(store);
    return shoal_redis_connect(&store->connection, message);
}

/* Sends what was written and reads the one reply to it. */
static enum shoal_status ask(struct shoal_redis_store *store, struct redisReply **reply,
                             struct shoal_message *message)
{
    *reply = NULL;
    enum shoal_status status = shoal_redis_flush(&store->connection, message);
    return status == SHOAL_OK ? shoal_redis_answer(&store->connection, reply, message) : status;
}

enum shoal_status shoal_redis_partitions(struct shoal_redis_store *store, int32_t *count,
                                         struct shoal_message *message)
{
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    struct redisReply *reply;
    *count = 0;
    shoal_redis_command(&store->connection, 2);
    shoal_redis_argument_text(&store->connection, "GET");
    shoal_redis_argument(&store->connection, key.text, key.size);
    enum shoal_status status = ask(store, &reply, message);
    if (status != SHOAL_OK)
        return status;
    if (reply->type == REDIS_REPLY_STRING) {
        char *end;
        errno = 0;
        long number = strtol(reply->str, &end, 10);
        if (errno || reply->len == 0 || (size_t)(end - reply->str) != reply->len || number < 1 ||
            number > INT32_MAX)
            status = shoal_fail(message, SHOAL_DAMAGED, "Redis key %s is not a partition count",
                                key.text);
        else
            *count = (int32_t)number;
    } else if (reply->type != REDIS_REPLY_NIL) {
        status = shoal_redis_surprise(&store->connection, "GET", message);
    }
    shoal_redis_reply_free(reply);
    return status;
}

/* ---- open --------------------------------------------------------------------------------- */

/* Value of a line "name:value\r\n" of INFO, copied; false if there is none. */
static bool info_value(const char *info, const char *name, char *value, size_t room)
{
    const char *line = strstr(info, name);
    if (!line || (line != info && line[-1] != '\n'))
        return false;
    line += strlen(name);
    size_t size = strcspn(line, "\r\n");
    if (size >= room)
        return false;
    memcpy(value, line, size);
    value[size] = '\0';
    return true;
}

/* Policies named volatile-… only evict keys with an expiry, and ours have none. */
static enum shoal_status check_eviction(struct shoal_redis_store *store,
                                        struct shoal_message *message)
{
    struct redisReply *reply;
    char limit[32], policy[64];
    shoal_redis_command(&store->connection, 2);
    shoal_redis_argument_text(&store->connection, "INFO");
    shoal_redis_argument_text(&store->connection, "memory");
    enum shoal_status status = shoal_redis_flush(&store->connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_reply(&store->connection, &reply, message);
    if (status != SHOAL_OK)
        return status;
    /* A server that does not let us look is trusted; one that wants a login is not usable. */
    if (reply->type == REDIS_REPLY_ERROR) {
        status = shoal_redis_error(&store->connection, reply, message);
        if (status != SHOAL_UNAVAILABLE && strncmp(reply->str, "NOAUTH ", 7) != 0)
            status = SHOAL_OK;
    } else if (reply->type != REDIS_REPLY_STRING) {
        status = shoal_redis_surprise(&store->connection, "INFO", message);
    } else if (info_value(reply->str, "maxmemory:", limit, sizeof limit) &&
               info_value(reply->str, "maxmemory_policy:", policy, sizeof policy) &&
               strcmp(limit, "0") != 0 && strncmp(policy, "allkeys-", 8) == 0) {
        status = shoal_fail(message, SHOAL_CONFIG,
                            "Redis at %s has maxmemory %s with maxmemory-policy %s: it would drop "
                            "users' states without a word; set maxmemory-policy noeviction",
                            store->connection.address.label, limit, policy);
    }
    shoal_redis_reply_free(reply);
    return status;
}

/* Stores the count unless another worker was faster. */
static enum shoal_status propose_partitions(struct shoal_redis_store *store, int32_t count,
                                            struct shoal_message *message)
{
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    struct redisReply *reply;
    char number[16];
    (void)snprintf(number, sizeof number, "%" PRId32, count);
    shoal_redis_command(&store->connection, 3);
    shoal_redis_argument_text(&store->connection, "SETNX");
    shoal_redis_argument(&store->connection, key.text, key.size);
    shoal_redis_argument_text(&store->connection, number);
    enum shoal_status status = ask(store, &reply, message);
    shoal_redis_reply_free(reply);
    return status;
}

static enum shoal_status redis_open(struct shoal_store *base, int32_t partition_count,
                                    struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    int32_t stored = 0;
    if (partition_count < 1)
        return shoal_fail(message, SHOAL_INVALID, "a topic has at least one partition");
    enum shoal_status status = shoal_redis_begin(store, message);
    if (status == SHOAL_OK)
        status = check_eviction(store, message);
    if (status == SHOAL_OK)
        status = shoal_redis_partitions(store, &stored, message);
    if (status == SHOAL_OK && stored == 0) {
        status = propose_partitions(store, partition_count, message);
        if (status == SHOAL_OK)
            status = shoal_redis_partitions(store, &stored, message);
    }
    if (status != SHOAL_OK)
        return status;
    if (stored != partition_count)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "the states at %s were saved with %" PRId32 " partitions of topic %s, "
                          "which has %" PRId32 " now: move them with shoal repartition",
                          store->connection.address.label, stored, store->topic, partition_count);
    return SHOAL_OK;
}

/* ---- life --------------------------------------------------------------------------------- */

static void redis_release(struct shoal_store *base, int32_t partition)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    if (partition >= 0 && (size_t)partition < store->tenures_count)
        store->tenures[partition].held = false;
}

static void redis_destroy(struct shoal_store *base)
{
    if (!base)
        return;
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    drop_kept(store);
    shoal_redis_connection_finish(&store->connection);
    shoal_buffer_finish(&store->scratch);
    free((void *)store->kept);
    free(store->tenures);
    free(store);
}

static const struct shoal_store_ops redis_ops = {
    .open = redis_open,
    .acquire = shoal_redis_acquire,
    .release = redis_release,
    .load = shoal_redis_load,
    .verify = shoal_redis_verify,
    .save = shoal_redis_save,
    .timers = shoal_redis_timers,
    .scan = shoal_redis_scan,
    .find = shoal_redis_find,
    .partitions = shoal_redis_count,
    .peek = shoal_redis_peek,
    .scan_piece = shoal_redis_scan_piece,
    .destroy = redis_destroy,
};

enum shoal_status shoal_redis_store_create(const struct shoal_redis_options *options,
                                           struct shoal_store **result,
                                           struct shoal_message *message)
{
    struct shoal_redis_address address;
    *result = NULL;
    enum shoal_status status = shoal_redis_url_parse(options->url, &address, message);
    if (status != SHOAL_OK)
        return status;
    size_t topic_size = options->topic ? strlen(options->topic) : 0;
    if (topic_size == 0 || topic_size > SHOAL_TOPIC_MAX)
        return shoal_fail(message, SHOAL_CONFIG, "a topic's name has 1 to %d bytes",
                          SHOAL_TOPIC_MAX);
    if (options->password) {
        if (strlen(options->password) >= sizeof address.password)
            return shoal_fail(message, SHOAL_CONFIG, "redis.password is too long");
        memcpy(address.password, options->password, strlen(options->password) + 1);
    }
    struct shoal_redis_store *store = calloc(1, sizeof *store);
    if (!store)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    store->base.ops = &redis_ops;
    memcpy(store->topic, options->topic, topic_size + 1);
    shoal_redis_connection_init(&store->connection, &address,
                                options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS);
    /* Tells two lifetimes of one epoch number apart, nothing else: it reaches no state or output.
     */
    if (getrandom(&store->owner, sizeof store->owner, 0) != (ssize_t)sizeof store->owner) {
        redis_destroy(&store->base);
        return shoal_fail(message, SHOAL_IO, "no random bytes from the system");
    }
    *result = &store->base;
    return SHOAL_OK;
}
