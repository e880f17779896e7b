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

void shoal_redis_drop_kept(struct shoal_redis_store *store)
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

struct shoal_slice shoal_redis_value(const struct redisReply *reply)
{
    if (reply->type != REDIS_REPLY_STRING)
        return (struct shoal_slice){0};
    return (struct shoal_slice){.bytes = reply->str, .size = reply->len};
}

/* Sends what was written and reads the first reply to it. */
static enum shoal_status ask(struct shoal_redis_connection *connection, struct redisReply **reply,
                             struct shoal_message *message)
{
    enum shoal_status status = shoal_redis_flush(connection, message);
    return status == SHOAL_OK ? shoal_redis_answer(connection, reply, message) : status;
}

enum shoal_status shoal_redis_get(struct shoal_redis_store *store,
                                  const struct shoal_redis_key *prefix, struct shoal_slice rest,
                                  struct redisReply **reply, struct shoal_message *message)
{
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, prefix);
    enum shoal_status status;
    *reply = NULL;
    do {
        status = shoal_redis_visit_begin(&visit, message);
        if (status != SHOAL_OK)
            continue;
        shoal_redis_command(visit.connection, 2);
        shoal_redis_argument_text(visit.connection, "GET");
        shoal_redis_argument_pair(visit.connection, prefix->text, prefix->size, rest.bytes,
                                  rest.size);
        status = ask(visit.connection, reply, message);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}

enum shoal_status shoal_redis_watch(struct shoal_redis_connection *connection,
                                    const struct shoal_redis_key *key, struct redisReply **got,
                                    struct shoal_message *message)
{
    struct redisReply *watched = NULL;
    *got = NULL;
    for (int i = 0; i < 2; i++) {
        shoal_redis_command(connection, 2);
        shoal_redis_argument_text(connection, i ? "GET" : "WATCH");
        shoal_redis_argument(connection, key->text, key->size);
    }
    enum shoal_status status = ask(connection, &watched, message);
    if (status == SHOAL_OK)
        status = shoal_redis_answer(connection, got, message);
    if (status == SHOAL_OK && (*got)->type != REDIS_REPLY_STRING && (*got)->type != REDIS_REPLY_NIL)
        status = shoal_redis_surprise(connection, "GET", message);
    shoal_redis_reply_free(watched);
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
static enum shoal_status check_eviction(struct shoal_redis_connection *connection,
                                        struct shoal_message *message)
{
    struct redisReply *reply;
    char limit[32], policy[64];
    shoal_redis_command(connection, 2);
    shoal_redis_argument_text(connection, "INFO");
    shoal_redis_argument_text(connection, "memory");
    enum shoal_status status = shoal_redis_flush(connection, message);
    if (status == SHOAL_OK)
        status = shoal_redis_reply(connection, &reply, message);
    if (status != SHOAL_OK)
        return status;
    /* A server that does not let us look is trusted; one that wants a login is not usable. */
    if (reply->type == REDIS_REPLY_ERROR) {
        status = shoal_redis_error(connection, reply, message);
        if (status != SHOAL_UNAVAILABLE && strncmp(reply->str, "NOAUTH ", 7) != 0)
            status = SHOAL_OK;
    } else if (reply->type != REDIS_REPLY_STRING) {
        status = shoal_redis_surprise(connection, "INFO", message);
    } else if (info_value(reply->str, "maxmemory:", limit, sizeof limit) &&
               info_value(reply->str, "maxmemory_policy:", policy, sizeof policy) &&
               strcmp(limit, "0") != 0 && strncmp(policy, "allkeys-", 8) == 0) {
        status = shoal_fail(message, SHOAL_CONFIG,
                            "Redis at %s has maxmemory %s with maxmemory-policy %s: it would drop "
                            "users' states without a word; set maxmemory-policy noeviction",
                            connection->address.label, limit, policy);
    }
    shoal_redis_reply_free(reply);
    return status;
}

/* Of every server that holds keys. A cluster's node that is away holds up only those who need it. */
static enum shoal_status check_servers(struct shoal_redis_servers *servers,
                                       struct shoal_message *message)
{
    enum shoal_status status = shoal_redis_servers_open(servers, message);
    for (size_t i = 0; status == SHOAL_OK && i < servers->nodes_count; i++) {
        struct shoal_redis_connection *connection;
        if (!servers->nodes[i]->serves)
            continue;
        status = shoal_redis_servers_reach(servers, i, &connection, message);
        if (status == SHOAL_OK)
            status = check_eviction(connection, message);
        if (status == SHOAL_UNAVAILABLE && servers->kind == SHOAL_REDIS_CLUSTER)
            status = SHOAL_OK;
    }
    return status;
}

/* Stores the count unless another worker was faster. */
static enum shoal_status propose_partitions(struct shoal_redis_store *store, int32_t count,
                                            struct shoal_message *message)
{
    struct shoal_redis_key key = shoal_redis_key_partitions(store->topic);
    struct shoal_redis_visit visit = shoal_redis_visit_to(&store->servers, &key);
    enum shoal_status status;
    char number[16];
    (void)snprintf(number, sizeof number, "%" PRId32, count);
    do {
        struct redisReply *reply = NULL;
        status = shoal_redis_visit_begin(&visit, message);
        if (status != SHOAL_OK)
            continue;
        shoal_redis_command(visit.connection, 3);
        shoal_redis_argument_text(visit.connection, "SETNX");
        shoal_redis_argument(visit.connection, key.text, key.size);
        shoal_redis_argument_text(visit.connection, number);
        status = ask(visit.connection, &reply, message);
        shoal_redis_reply_free(reply);
    } while (shoal_redis_visit_again(&visit, status));
    return status;
}

static enum shoal_status redis_open(struct shoal_store *base, int32_t partition_count,
                                    struct shoal_message *message)
{
    struct shoal_redis_store *store = shoal_redis_store_of(base);
    struct shoal_layout stored = {0};
    if (partition_count < 1)
        return shoal_fail(message, SHOAL_INVALID, "a topic has at least one partition");
    shoal_redis_drop_kept(store);
    enum shoal_status status = check_servers(&store->servers, message);
    if (status == SHOAL_OK)
        status = shoal_redis_get_layout(store, &stored, message);
    if (status == SHOAL_OK && stored.partitions == 0) {
        status = propose_partitions(store, partition_count, message);
        if (status == SHOAL_OK)
            status = shoal_redis_get_layout(store, &stored, message);
    }
    if (status != SHOAL_OK)
        return status;
    if (stored.becoming)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "the states at %s are being moved from %" PRId32 " to %" PRId32
                          " partitions of topic %s: finish it with shoal repartition",
                          shoal_redis_servers_label(&store->servers), stored.partitions, stored.becoming,
                          store->topic);
    if (stored.partitions != partition_count)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "the states at %s were saved with %" PRId32 " partitions of topic %s, "
                          "which has %" PRId32 " now: process what the old ones still hold "
                          "with shoal run --drain, then move the states with shoal repartition",
                          shoal_redis_servers_label(&store->servers), stored.partitions, store->topic,
                          partition_count);
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
    shoal_redis_drop_kept(store);
    shoal_redis_servers_finish(&store->servers);
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
    .peek = shoal_redis_peek,
    .scan_piece = shoal_redis_scan_piece,
    .ceiling = shoal_redis_ceiling,
    .destroy = redis_destroy,
    .layout = shoal_redis_layout,
    .set_layout = shoal_redis_set_layout,
};

/* ---- creation ----------------------------------------------------------------------------- */

static enum shoal_status set_text(char *field, size_t room, const char *text, const char *name,
                                  struct shoal_message *message)
{
    size_t size = strlen(text);
    if (size >= room)
        return shoal_fail(message, SHOAL_CONFIG, "%s is longer than %zu bytes", name, room - 1);
    memcpy(field, text, size + 1);
    return SHOAL_OK;
}

/* The first line of the file. */
static enum shoal_status read_password(const char *path, const char *option, char *password, size_t room,
                                       struct shoal_message *message)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return shoal_fail(message, SHOAL_CONFIG, "%s.password_file: %s: %s", option, path,
                          strerror(errno));
    bool read = fgets(password, (int)room, file) != NULL;
    bool whole = read && (strchr(password, '\n') || feof(file) || fgetc(file) == EOF);
    (void)fclose(file);
    if (!read || !whole || password[0] == '\n')
        return shoal_fail(message, SHOAL_CONFIG, "%s.password_file: %s: %s", option, path,
                          !read || password[0] == '\n' ? "there is no password in its first line"
                                                       : "its first line is too long");
    password[strcspn(password, "\r\n")] = '\0';
    return SHOAL_OK;
}

/* What is given of user and password over those of *login. `option`: what their keys in the configuration begin with,
 * `variable`: of the environment. */
static enum shoal_status set_login(const struct shoal_redis_credentials *given, const char *option,
                                   const char *variable, struct shoal_redis_login *login,
                                   struct shoal_message *message)
{
    char name[64];
    enum shoal_status status = SHOAL_OK;
    (void)snprintf(name, sizeof name, "%s.user", option);
    if (given->user && given->user[0])
        status = set_text(login->user, sizeof login->user, given->user, name, message);
    if (status == SHOAL_OK && given->password_file && given->password_file[0])
        status = read_password(given->password_file, option, login->password, sizeof login->password,
                               message);
    else if (status == SHOAL_OK && given->password && given->password[0])
        status = set_text(login->password, sizeof login->password, given->password, variable, message);
    if (status == SHOAL_OK && login->user[0] && !login->password[0])
        status = shoal_fail(message, SHOAL_CONFIG,
                            "%s.user without a password: set %s.password_file or the environment "
                            "variable %s",
                            option, option, variable);
    return status;
}

static enum shoal_status set_logins(const struct shoal_redis_options *options,
                                    struct shoal_redis_url *url, struct shoal_message *message)
{
    enum shoal_status status = set_login(&options->login, "redis", "SHOAL_REDIS_PASSWORD",
                                         &url->seeds[0].login, message);
    for (size_t i = 1; i < url->seeds_count; i++)
        url->seeds[i].login = url->seeds[0].login;
    if (status == SHOAL_OK && url->kind == SHOAL_REDIS_SENTINEL)
        status = set_login(&options->sentinels, "redis.sentinel", "SHOAL_REDIS_SENTINEL_PASSWORD",
                           &url->sentinels, message);
    return status;
}

static enum shoal_status connectable(const struct shoal_redis_options *options,
                                     struct shoal_redis_servers *servers,
                                     struct shoal_message *message)
{
    struct shoal_redis_url url;
    struct shoal_redis_tls *tls = NULL;
    enum shoal_status status = shoal_redis_url_parse(options->url, &url, message);
    if (status == SHOAL_OK)
        status = set_logins(options, &url, message);
    if (status == SHOAL_OK && url.seeds[0].tls)
        status = shoal_redis_tls_create(&options->tls, &tls, message);
    int timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
    return status == SHOAL_OK ? shoal_redis_servers_init(servers, &url, tls, timeout_ms, message)
                              : status;
}

enum shoal_status shoal_redis_store_create(const struct shoal_redis_options *options,
                                           struct shoal_store **result,
                                           struct shoal_message *message)
{
    *result = NULL;
    size_t topic_size = options->topic ? strlen(options->topic) : 0;
    if (topic_size == 0 || topic_size > SHOAL_TOPIC_MAX)
        return shoal_fail(message, SHOAL_CONFIG, "a topic's name has 1 to %d bytes",
                          SHOAL_TOPIC_MAX);
    struct shoal_redis_store *store = calloc(1, sizeof *store);
    if (!store)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    store->base.ops = &redis_ops;
    memcpy(store->topic, options->topic, topic_size + 1);
    enum shoal_status status = connectable(options, &store->servers, message);
    /* Tells two lifetimes of one epoch number apart, nothing else: it reaches no state or output.
     */
    if (status == SHOAL_OK &&
        getrandom(&store->owner, sizeof store->owner, 0) != (ssize_t)sizeof store->owner)
        status = shoal_fail(message, SHOAL_IO, "no random bytes from the system");
    if (status != SHOAL_OK) {
        redis_destroy(&store->base);
        return status;
    }
    *result = &store->base;
    return SHOAL_OK;
}
