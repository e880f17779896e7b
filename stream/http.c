/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server's life, and a request's way from its first line to its reply; see http.h.
 *
 *   first call     who asks, what for (http_head.c); what cannot be understood is answered at once
 *   body           read and dropped: no call takes one
 *   last call      quick: handled here. Work: queued, the connection suspended
 *   woken          the same call again, now with the answer */
#include "stream/http.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "stream/http_daemon.h"
#include "stream/http_internal.h"
#include "stream/http_listen.h"
#include "stream/http_stream.h"
#include "stream/http_wake.h"
#include "stream/http_watch.h"

/* ---- a request ----------------------------------------------------------------------------- */

static struct http_request *begin(struct shoal_http *http, struct MHD_Connection *connection, const char *url)
{
    struct http_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->http = http;
    r->connection = connection;
    r->url = url;
    r->began_ns = shoal_clock_ns();
    return r;
}

enum MHD_Result http_answer(void *opaque, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct http_request *r = *state;
    (void)upload;
    if (!r) {
        r = *state = begin(opaque, connection, url);
        if (!r)
            return MHD_NO;
        if (!http_understood(r, version))
            return (enum MHD_Result)http_send(r); /* and the connection ends: what follows may be anything */
        r->answered = http_settle(r, method, url);
        return MHD_YES; /* the answer comes behind the body, so that the connection can go on */
    }
    if (*upload_size) {
        r->body_bytes += *upload_size;
        *upload_size = 0;
        return r->body_bytes > HTTP_BODY_MAX ? MHD_NO : MHD_YES; /* in chunks: nobody said how much would come */
    }
    r->url = url;
    if (!r->answered && r->route->kind == HTTP_WORK) {
        MHD_suspend_connection(connection);
        if (http_work_add(r->http, r))
            return MHD_YES;
        http_problem(r, 503, "busy", "Too many requests wait", "come back in a moment");
        r->retry_after = "1";
        r->answered = true;
        MHD_resume_connection(connection);
        return MHD_YES;
    }
    if (!r->answered)
        r->route->handle(r);
    return (enum MHD_Result)http_send(r);
}

void http_wake(struct http_request *r)
{
    MHD_resume_connection(r->connection);
}

void http_completed(void *opaque, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode code)
{
    struct http_request *r = *state;
    (void)opaque;
    (void)connection;
    (void)code;
    if (r)
        http_reply_finish(r);
    free(r);
    *state = NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void bound(struct shoal_http *http)
{
    unsigned wanted = (unsigned)http->options.config->http_connections;
    http->connections = shoal_http_connections(wanted);
    if (http->connections < wanted)
        shoal_log_write(http->options.log, SHOAL_WARNING,
                        "http.connections: %u of %u, since this process may have few open files (ulimit -n)",
                        http->connections, wanted);
}

/* What answers need besides a store. */
static enum shoal_status start_watch(struct shoal_http *http, struct shoal_message *message)
{
    enum shoal_status status = shoal_stream_create(&http->options, &http->stream, message);
    struct shoal_watch_hooks hooks = {shoal_stream_clients, http->stream};
    if (status == SHOAL_OK)
        status = shoal_watch_create(&http->options, &hooks, &http->watch, message);
    return status == SHOAL_OK ? shoal_stream_start(http->stream, http->watch, message) : status;
}

static enum shoal_status load(struct shoal_http *http, struct shoal_message *message)
{
    const struct shoal_config *config = http->options.config;
    enum shoal_status status = shoal_http_page_load(config->http_page, &http->page, message);
    if (status == SHOAL_OK && config->http_tokens[0])
        status = shoal_http_tokens_load(config->http_tokens, &http->tokens, message);
    if (status == SHOAL_OK && !http->tokens && !http->loopback)
        status = shoal_fail(message, SHOAL_CONFIG,
                            "http.listen: %s can be reached from other machines: set http.tokens to a file "
                            "of tokens, or listen on 127.0.0.1",
                            http->url);
    return status;
}

enum shoal_status shoal_http_start(const struct shoal_http_options *options, struct shoal_http **result,
                                   struct shoal_message *message)
{
    const char *where = options->config->http_listen;
    struct shoal_http_socket socket;
    *result = NULL;
    if (strcmp(where, "none") == 0)
        return SHOAL_OK;
    enum shoal_status status = shoal_http_listen(where, &socket, message);
    if (status == SHOAL_BUSY && where[strlen(where) - 1] == '+') {
        shoal_log_write(options->log, SHOAL_WARNING, "%s, nor the fifteen after it; going on without HTTP",
                        message->text);
        return SHOAL_OK;
    }
    if (status != SHOAL_OK)
        return status == SHOAL_BUSY ? SHOAL_CONFIG : status;
    struct shoal_http *http = calloc(1, sizeof *http);
    if (!http) {
        close(socket.fd);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    http->options = *options;
    http->fd = socket.fd;
    http->loopback = socket.loopback;
    http->started_ms = shoal_clock_ms();
    bool secure = options->config->http_certificate[0] != '\0';
    snprintf(http->url, sizeof http->url, "http%s%s", secure ? "s" : "", socket.url + strlen("http"));
    bound(http);
    status = http_work_start(http, message);
    if (status == SHOAL_OK)
        status = load(http, message);
    if (status == SHOAL_OK)
        status = start_watch(http, message);
    if (status == SHOAL_OK)
        status = http_daemon_start(http, message);
    if (status != SHOAL_OK) {
        shoal_http_stop(http);
        return status;
    }
    shoal_log_write(options->log, SHOAL_INFO, "the dashboard and the API are at %s/", http->url);
    *result = http;
    return SHOAL_OK;
}

void shoal_http_stop(struct shoal_http *http)
{
    if (!http)
        return;
    shoal_watch_end(http->watch);
    http_work_stop(http); /* wakes every connection that waits for an answer */
    shoal_stream_end(http->stream); /* … and those that follow */
    http_daemons_stop(http);
    http_work_finish(http);
    close(http->fd);
    shoal_http_tokens_destroy(http->tokens);
    shoal_http_page_destroy(http->page);
    shoal_watch_destroy(http->watch);
    shoal_stream_destroy(http->stream);
    free(http);
}

unsigned shoal_http_refresh(struct shoal_http *http)
{
    unsigned refused = 0;
    if (http && http->tokens)
        refused += !shoal_http_tokens_refresh(http->tokens, http->options.log);
    if (http)
        refused += !http_daemon_renew(http);
    return refused;
}

void shoal_http_partitions(struct shoal_http *http, int32_t partitions)
{
    if (!http)
        return;
    atomic_store(&http->partitions, partitions);
    shoal_watch_partitions(http->watch, partitions);
}

const char *shoal_http_url(const struct shoal_http *http)
{
    return http->url;
}
