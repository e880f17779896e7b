/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a Redis server: commands are written into a buffer, flushed, and their replies
 * read in order. Used by one thread.
 *
 * Any failure of the transport closes the connection: what was sent on it may or may not have been
 * done. The next connect opens a new one. Replies of the server that are errors are not failures of
 * the transport: the connection stays in step, and knows how many replies it is still owed.
 *
 * A server that sends its client elsewhere (Redis Cluster, a replica) says so in an error reply; the
 * first such since the last shoal_redis_settle is noted in `turn`, for those who choose the server
 * (redis_servers.h). */
#ifndef SHOAL_REDIS_CONNECTION_H
#define SHOAL_REDIS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "state/redis_url.h"

struct redisContext;
struct redisReply;
struct shoal_redis_tls;
struct ssl_st;

enum shoal_redis_turn_kind {
    SHOAL_REDIS_STAY,  /* nothing of the kind */
    SHOAL_REDIS_MOVED, /* the slot is kept at host:port */
    SHOAL_REDIS_ASK,   /* what was asked for may be at host:port, to which its slot is moving */
    SHOAL_REDIS_WAIT,  /* the slot is moving: its keys are on two servers at the moment */
    SHOAL_REDIS_LEAVE, /* this server does not serve, or not now: another one may */
};

struct shoal_redis_turn {
    enum shoal_redis_turn_kind kind;
    char host[256]; /* empty: the host that answered */
    int port;
};

struct shoal_redis_connection {
    struct shoal_redis_address address;
    int timeout_ms;
    struct shoal_redis_tls *tls;  /* borrowed; NULL = none */
    struct redisContext *context; /* NULL = closed */
    struct ssl_st *session;       /* the context's */
    struct shoal_buffer out;      /* commands not yet sent */
    size_t owed;                  /* replies to commands written */
    size_t asked;                 /* of the oldest `owed`, those behind an ASKING with a reply of its own */
    bool asking;                  /* every command outside a transaction goes behind ASKING */
    bool queuing;                 /* between MULTI and EXEC */
    struct shoal_redis_turn turn;
};

/* Takes a copy of the address; connects nothing. `tls` may be NULL unless the address is one of TLS;
 * it must outlive the connection. */
void shoal_redis_connection_init(struct shoal_redis_connection *connection,
                                 const struct shoal_redis_address *address,
                                 struct shoal_redis_tls *tls, int timeout_ms);
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

/* MULTI, and the EXEC that ends it; each is a command with a reply. */
void shoal_redis_multi(struct shoal_redis_connection *connection);
void shoal_redis_exec(struct shoal_redis_connection *connection);

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

/* Puts the connection back in step after a failure in the middle of several commands: reads the
 * replies that it is owed, or closes it. `turn` is forgotten. */
void shoal_redis_settle(struct shoal_redis_connection *connection);

/* What an error reply means: UNAVAILABLE for what passes (loading, out of memory, disk full,
 * replica, failover, a slot elsewhere), CONFIG for login and permissions, DAMAGED for a key of
 * another type, IO for anything else. The message quotes the server. Notes the turn. */
enum shoal_status shoal_redis_error(struct shoal_redis_connection *connection,
                                    const struct redisReply *reply,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Of several servers that were asked one after the other this one failed: what does not pass by itself is what there
 * is to tell. *worst begins as UNAVAILABLE. */
void shoal_redis_worse(enum shoal_status *worst, enum shoal_status status,
                       const struct shoal_message *said, struct shoal_message *message);
/* For a reply of a shape that the protocol does not allow here: closes the connection, IO. */
enum shoal_status shoal_redis_surprise(struct shoal_redis_connection *connection,
                                       const char *command,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
