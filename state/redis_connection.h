/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a Redis server: commands are written into a buffer, flushed, and their replies
 * read in order. Used by one thread.
 *
 * Any failure of the transport closes the connection: what was sent on it may or may not have been
 * done. The next connect opens a new one. Replies of the server that are errors are not failures of
 * the transport: the connection stays in step. */
#ifndef SHOAL_REDIS_CONNECTION_H
#define SHOAL_REDIS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "state/redis_url.h"

struct redisContext;
struct redisReply;

struct shoal_redis_connection {
    struct shoal_redis_address address;
    int timeout_ms;
    struct redisContext *context; /* NULL = closed */
    struct shoal_buffer out;      /* commands not yet sent */
};

/* Takes a copy of the address; connects nothing. */
void shoal_redis_connection_init(struct shoal_redis_connection *connection,
                                 const struct shoal_redis_address *address, int timeout_ms);
void shoal_redis_connection_finish(struct shoal_redis_connection *connection);

/* Connects, logs in and selects the database, unless that was done before. UNAVAILABLE while the
 * server is away, CONFIG when it refuses the login or the database. */
enum shoal_status shoal_redis_connect(struct shoal_redis_connection *connection,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_redis_disconnect(struct shoal_redis_connection *connection);

/* A command of `count` arguments (its name is the first), each given by one of the calls below.
 * Binary-safe. Out of memory shows in flush. */
void shoal_redis_command(struct shoal_redis_connection *connection, size_t count);
void shoal_redis_argument(struct shoal_redis_connection *connection, const void *bytes,
                          size_t size);
void shoal_redis_argument_text(struct shoal_redis_connection *connection, const char *text);
/* One argument made of two pieces. */
void shoal_redis_argument_pair(struct shoal_redis_connection *connection, const void *a,
                               size_t a_size, const void *b, size_t b_size);

/* Sends what was written. UNAVAILABLE (the connection is closed), NOMEM. */
enum shoal_status shoal_redis_flush(struct shoal_redis_connection *connection,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The reply to the oldest command that has none yet; freed by the caller (shoal_redis_reply_free).
 * UNAVAILABLE: the connection is closed, *reply is NULL. An error reply of the server is a reply.
 */
enum shoal_status shoal_redis_reply(struct shoal_redis_connection *connection,
                                    struct redisReply **reply,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The same, but an error reply is freed and translated (shoal_redis_error). */
enum shoal_status shoal_redis_answer(struct shoal_redis_connection *connection,
                                     struct redisReply **reply,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* NULL is accepted. */
void shoal_redis_reply_free(struct redisReply *reply);

/* What an error reply means: UNAVAILABLE for what passes (loading, out of memory, disk full,
 * replica, failover), CONFIG for login, permissions and cluster redirections, DAMAGED for a key of
 * another type, IO for anything else. The message quotes the server. */
enum shoal_status shoal_redis_error(const struct shoal_redis_connection *connection,
                                    const struct redisReply *reply,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* For a reply of a shape that the protocol does not allow here: closes the connection, IO. */
enum shoal_status shoal_redis_surprise(struct shoal_redis_connection *connection,
                                       const char *command,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
