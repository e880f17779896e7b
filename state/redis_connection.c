/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis connection; see redis_connection.h.
 *
 * hiredis connects, and reads and parses replies. Sending is done here: hiredis (0.14 and 1.x)
 * writes to the socket in a way that raises SIGPIPE when the server has gone, which would end a
 * process that has not ignored it, and a library should not set a signal's disposition. It also
 * saves two copies of every record. */
#include "state/redis_connection.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "state/redis_tls.h"

void shoal_redis_connection_init(struct shoal_redis_connection *connection,
                                 const struct shoal_redis_address *address,
                                 struct shoal_redis_tls *tls, int timeout_ms)
{
    *connection = (struct shoal_redis_connection){
        .address = *address, .tls = tls, .timeout_ms = timeout_ms};
}

void shoal_redis_disconnect(struct shoal_redis_connection *connection)
{
    if (connection->context)
        redisFree(connection->context);
    connection->context = NULL;
    connection->session = NULL;
    connection->owed = connection->asked = 0;
    connection->queuing = false;
    shoal_buffer_clear(&connection->out);
}

void shoal_redis_connection_finish(struct shoal_redis_connection *connection)
{
    shoal_redis_disconnect(connection);
    shoal_buffer_finish(&connection->out);
}

/* ---- commands ----------------------------------------------------------------------------- */

/* The protocol's heads: '*' and the number of arguments, '$' and the size of one. By hand, since a
 * save writes two of them a record. */
static void write_head(struct shoal_buffer *out, char type, size_t number)
{
    char head[24], *end = head + sizeof head, *at = end;
    *--at = '\n';
    *--at = '\r';
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    *--at = type;
    shoal_buffer_append(out, at, (size_t)(end - at));
}

void shoal_redis_command(struct shoal_redis_connection *connection, size_t count)
{
    static const char asking[] = "*1\r\n$6\r\nASKING\r\n";
    if (connection->asking && !connection->queuing) {
        /* Told apart from other replies by standing before them all. */
        assert(connection->asked == connection->owed);
        shoal_buffer_append(&connection->out, asking, sizeof asking - 1);
        connection->asked++;
    }
    connection->owed++;
    write_head(&connection->out, '*', count);
}

void shoal_redis_multi(struct shoal_redis_connection *connection)
{
    shoal_redis_command(connection, 1);
    shoal_redis_argument_text(connection, "MULTI");
    connection->queuing = true;
}

void shoal_redis_exec(struct shoal_redis_connection *connection)
{
    shoal_redis_command(connection, 1);
    shoal_redis_argument_text(connection, "EXEC");
    connection->queuing = false;
}

void shoal_redis_argument_pair(struct shoal_redis_connection *connection, const void *a,
                               size_t a_size, const void *b, size_t b_size)
{
    struct shoal_buffer *out = &connection->out;
    write_head(out, '$', a_size + b_size);
    shoal_buffer_append(out, a, a_size);
    shoal_buffer_append(out, b, b_size);
    shoal_buffer_append(out, "\r\n", 2);
}

void shoal_redis_argument(struct shoal_redis_connection *connection, const void *bytes, size_t size)
{
    shoal_redis_argument_pair(connection, bytes, size, NULL, 0);
}

void shoal_redis_argument_text(struct shoal_redis_connection *connection, const char *text)
{
    shoal_redis_argument(connection, text, strlen(text));
}

/* ---- transport ---------------------------------------------------------------------------- */

static enum shoal_status broken(struct shoal_redis_connection *connection, const char *reason,
                                struct shoal_message *message)
{
    enum shoal_status status = shoal_fail(message, SHOAL_UNAVAILABLE, "Redis at %s: %s",
                                          connection->address.label, reason);
    shoal_redis_disconnect(connection);
    return status;
}

enum shoal_status shoal_redis_flush(struct shoal_redis_connection *connection,
                                    struct shoal_message *message)
{
    struct shoal_buffer *out = &connection->out;
    if (out->failed) {
        shoal_redis_disconnect(connection);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (!connection->context)
        return broken(connection, "not connected", message);
    for (size_t sent = 0; sent < out->size;) {
        ssize_t n = connection->session
                        ? shoal_redis_tls_send(connection->session, out->bytes + sent,
                                               out->size - sent)
                        : send(connection->context->fd, out->bytes + sent, out->size - sent,
                               MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            return broken(connection, "did not take the commands in time", message);
        else if (errno != EINTR)
            return broken(connection, strerror(errno), message);
    }
    shoal_buffer_clear(out);
    return SHOAL_OK;
}

static enum shoal_status read_one(struct shoal_redis_connection *connection,
                                  struct redisReply **reply, struct shoal_message *message)
{
    void *read = NULL;
    *reply = NULL;
    if (!connection->context)
        return broken(connection, "not connected", message);
    errno = 0;
    int done = connection->session ? shoal_redis_tls_reply(connection->context, &read)
                                   : redisGetReply(connection->context, &read);
    if (done == REDIS_OK && read) {
        *reply = read;
        return SHOAL_OK;
    }
    if (connection->context->err == REDIS_ERR_IO && errno == EAGAIN)
        return broken(connection, "did not answer in time", message);
    char reason[128];
    (void)snprintf(reason, sizeof reason, "%s", connection->context->errstr);
    return broken(connection, reason, message);
}

enum shoal_status shoal_redis_reply(struct shoal_redis_connection *connection,
                                    struct redisReply **reply, struct shoal_message *message)
{
    struct redisReply *refusal = NULL;
    if (connection->asked > 0) {
        enum shoal_status status = read_one(connection, &refusal, message);
        if (status != SHOAL_OK) {
            *reply = NULL;
            return status;
        }
        connection->asked--;
    }
    if (connection->owed > 0)
        connection->owed--;
    enum shoal_status status = read_one(connection, reply, message);
    /* Who may not ask is told so, and not what became of the command. */
    if (status == SHOAL_OK && refusal && refusal->type == REDIS_REPLY_ERROR) {
        shoal_redis_reply_free(*reply);
        *reply = refusal;
        return SHOAL_OK;
    }
    shoal_redis_reply_free(refusal);
    return status;
}

enum shoal_status shoal_redis_answer(struct shoal_redis_connection *connection,
                                     struct redisReply **reply, struct shoal_message *message)
{
    enum shoal_status status = shoal_redis_reply(connection, reply, message);
    if (status != SHOAL_OK || (*reply)->type != REDIS_REPLY_ERROR)
        return status;
    status = shoal_redis_error(connection, *reply, message);
    shoal_redis_reply_free(*reply);
    *reply = NULL;
    return status;
}

void shoal_redis_reply_free(struct redisReply *reply)
{
    if (reply)
        freeReplyObject(reply);
}

void shoal_redis_settle(struct shoal_redis_connection *connection)
{
    if (connection->owed > 0 && shoal_redis_flush(connection, NULL) != SHOAL_OK)
        shoal_redis_disconnect(connection);
    while (connection->owed > 0) {
        struct redisReply *reply;
        if (shoal_redis_reply(connection, &reply, NULL) != SHOAL_OK)
            break;
        shoal_redis_reply_free(reply);
    }
    connection->asking = connection->queuing = false;
    connection->turn.kind = SHOAL_REDIS_STAY;
}

enum shoal_status shoal_redis_surprise(struct shoal_redis_connection *connection,
                                       const char *command, struct shoal_message *message)
{
    shoal_redis_disconnect(connection);
    return shoal_fail(message, SHOAL_IO, "Redis at %s: unexpected kind of reply to %s",
                      connection->address.label, command);
}

/* ---- connecting --------------------------------------------------------------------------- */

/* Reads the answer to AUTH or SELECT. A refusal is a matter of configuration, whatever its words.
 */
static enum shoal_status read_setup(struct shoal_redis_connection *connection,
                                    struct shoal_message *message)
{
    struct redisReply *reply;
    enum shoal_status status = shoal_redis_reply(connection, &reply, message);
    if (status != SHOAL_OK || reply->type != REDIS_REPLY_ERROR) {
        shoal_redis_reply_free(reply);
        return status;
    }
    status = shoal_redis_error(connection, reply, message);
    shoal_redis_reply_free(reply);
    return status == SHOAL_UNAVAILABLE ? status : SHOAL_CONFIG;
}

static enum shoal_status log_in(struct shoal_redis_connection *connection,
                                struct shoal_message *message)
{
    const struct shoal_redis_address *address = &connection->address;
    enum shoal_status status;
    if (address->login.password[0]) {
        shoal_redis_command(connection, address->login.user[0] ? 3 : 2);
        shoal_redis_argument_text(connection, "AUTH");
        if (address->login.user[0])
            shoal_redis_argument_text(connection, address->login.user);
        shoal_redis_argument_text(connection, address->login.password);
        status = shoal_redis_flush(connection, message);
        if (status == SHOAL_OK)
            status = read_setup(connection, message);
        if (status != SHOAL_OK)
            return status;
    }
    if (address->database) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", address->database);
        shoal_redis_command(connection, 2);
        shoal_redis_argument_text(connection, "SELECT");
        shoal_redis_argument_text(connection, number);
        status = shoal_redis_flush(connection, message);
        if (status == SHOAL_OK)
            status = read_setup(connection, message);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_redis_connect(struct shoal_redis_connection *connection,
                                      struct shoal_message *message)
{
    if (connection->context)
        return SHOAL_OK;
    const struct shoal_redis_address *address = &connection->address;
    struct timeval timeout = {.tv_sec = connection->timeout_ms / 1000,
                              .tv_usec = connection->timeout_ms % 1000 * 1000};
    shoal_buffer_clear(&connection->out);
    connection->asking = false;
    connection->context = address->is_unix
                              ? redisConnectUnixWithTimeout(address->host, timeout)
                              : redisConnectWithTimeout(address->host, address->port, timeout);
    if (!connection->context)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (connection->context->err) {
        char reason[128];
        (void)snprintf(reason, sizeof reason, "%s", connection->context->errstr);
        return broken(connection, reason, message);
    }
    if (redisSetTimeout(connection->context, timeout) != REDIS_OK)
        return broken(connection, "cannot set the timeout", message);
    /* A peer that vanished without a word is noticed even between two commits. */
    if (!address->is_unix)
        (void)redisEnableKeepAlive(connection->context);
    enum shoal_status status = SHOAL_OK;
    if (address->tls)
        status = shoal_redis_tls_start(connection->tls, connection->context, address->host,
                                       address->label, &connection->session, message);
    if (status == SHOAL_OK)
        status = log_in(connection, message);
    if (status != SHOAL_OK)
        shoal_redis_disconnect(connection);
    return status;
}
