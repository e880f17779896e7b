/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server's life, and a request's way from its first line to its reply; see http.h.
 *
 *   first call     who asks, what for; a body that is too large is answered at once
 *   body           read and dropped: no call takes one
 *   last call      quick: handled here. Work: queued, the connection suspended
 *   woken          the same call again, now with the answer */
#include "stream/http.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "stream/http_internal.h"
#include "stream/http_listen.h"
#include "stream/http_stream.h"
#include "stream/http_text.h"
#include "stream/http_wake.h"
#include "stream/http_watch.h"
#include "stream/yaml_tree.h"

enum { CONNECTION_BYTES = 24 << 10, BODY_MAX = 64 << 10 };

/* Scripts and styles of our own only; nobody may frame the page. Charts are drawn on canvases and may set the style of
 * their elements. */
static const char content_policy[] =
    "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

/* ---- a request ----------------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Without tokens everybody on this machine may, but no page of another host that a browser on it shows: its name
 * may lead here (DNS rebinding), and then it stands in the Host header. */
static bool is_misdirected(const struct http_request *r)
{
    const char *host = header(r->connection, "Host");
    return !r->http->tokens && host && !shoal_http_host_is_local(host);
}

static enum shoal_http_role role_of(const struct http_request *r)
{
    if (!r->http->tokens)
        return SHOAL_HTTP_ADMIN;
    return shoal_http_tokens_role(r->http->tokens, header(r->connection, "Authorization"));
}

static bool body_is_too_large(const struct http_request *r)
{
    const char *length = header(r->connection, "Content-Length");
    return length && strtoull(length, NULL, 10) > BODY_MAX;
}

static void serve_file(struct http_request *r, const char *url)
{
    const struct shoal_http_file *file = shoal_http_page_find(r->http->page, url);
    if (!file) {
        http_problem(r, 404, "unknown-path", "There is nothing here", "see /openapi.json for what there is");
        return;
    }
    const char *known = header(r->connection, "If-None-Match");
    const char *accepted = header(r->connection, "Accept-Encoding");
    bool same = known && strstr(known, file->etag), packed = file->packed && accepted && strstr(accepted, "gzip");
    r->status = same ? 304 : 200;
    r->response = same ? MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT)
                       : MHD_create_response_from_buffer(packed ? file->packed_size : file->size,
                                                         (void *)(uintptr_t)(packed ? file->packed : file->bytes),
                                                         MHD_RESPMEM_PERSISTENT);
    if (!r->response)
        return;
    (void)MHD_add_response_header(r->response, "Content-Type", file->type);
    (void)MHD_add_response_header(r->response, "ETag", file->etag);
    (void)MHD_add_response_header(r->response, "Vary", "Accept-Encoding");
    (void)MHD_add_response_header(r->response, "Cache-Control", "no-cache");
    (void)MHD_add_response_header(r->response, "Content-Security-Policy", content_policy);
    (void)MHD_add_response_header(r->response, "Referrer-Policy", "no-referrer");
    if (packed && !same)
        (void)MHD_add_response_header(r->response, "Content-Encoding", "gzip");
}

static void refuse(struct http_request *r)
{
    if (r->role == SHOAL_HTTP_PUBLIC)
        http_problem(r, 401, "token-needed", "A token is needed",
                     "send 'Authorization: Bearer TOKEN' with one of http.tokens");
    else
        http_problem(r, 403, "role-too-low", "This token may not do this", "the role admin is needed");
}

/* What can be said of a request by its head: a problem, a file, or nothing yet (false). */
static bool settle(struct http_request *r, const char *method, const char *url)
{
    bool page = false;
    r->role = role_of(r);
    if (is_misdirected(r))
        http_problem(r, 421, "misdirected", "This name is not served here",
                     "without tokens only localhost, 127.0.0.1 and [::1] are");
    else
        r->route = http_route_find(r, method, url, &page);
    if (page)
        serve_file(r, url);
    else if (r->route && r->role < r->route->role)
        refuse(r);
    else
        return !r->route;
    return true;
}

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

static enum MHD_Result answer(void *opaque, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct http_request *r = *state;
    (void)version;
    (void)upload;
    if (!r) {
        r = *state = begin(opaque, connection, url);
        if (!r)
            return MHD_NO;
        r->answered = settle(r, method, url);
        if (!body_is_too_large(r)) /* the answer comes behind the body, so that the connection can go on */
            return MHD_YES;
        http_problem(r, 413, "too-large", "The body is too large", "no call takes a body");
        return (enum MHD_Result)http_send(r);
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
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

static void completed(void *opaque, struct MHD_Connection *connection, void **state,
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

/* Paths and queries are decoded part by part, where they are used: a %2F is no slash of the path. */
static size_t leave_escaped(void *opaque, struct MHD_Connection *connection, char *text)
{
    (void)opaque;
    (void)connection;
    return strlen(text);
}

static void quiet(void *opaque, const char *format, va_list arguments)
{
    (void)opaque;
    (void)format;
    (void)arguments;
}

static enum shoal_status load_file(const char *path, const char *key, struct shoal_buffer *text,
                                   struct shoal_message *message)
{
    struct shoal_message why = {.text = ""};
    enum shoal_status status = shoal_yaml_slurp(path, text, &why);
    shoal_buffer_append(text, "", 1);
    return status == SHOAL_OK ? SHOAL_OK : shoal_fail(message, SHOAL_CONFIG, "%s: %s", key, why.text);
}

/* Certificate and key, if they are configured; `secure` is set then. */
static enum shoal_status load_tls(const struct shoal_config *config, struct shoal_buffer *certificate,
                                  struct shoal_buffer *key, bool *secure, struct shoal_message *message)
{
    *secure = config->http_certificate[0] != '\0';
    if (!*secure && !config->http_key[0])
        return SHOAL_OK;
    if (!*secure || !config->http_key[0])
        return shoal_fail(message, SHOAL_CONFIG, "http.tls.certificate and http.tls.key go together");
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return shoal_fail(message, SHOAL_CONFIG, "http.tls: this libmicrohttpd was built without TLS");
    enum shoal_status status = load_file(config->http_certificate, "http.tls.certificate", certificate, message);
    return status == SHOAL_OK ? load_file(config->http_key, "http.tls.key", key, message) : status;
}

static enum shoal_status start_daemon(struct shoal_http *http, const struct shoal_http_socket *socket,
                                      struct shoal_message *message)
{
    const struct shoal_config *config = http->options.config;
    struct shoal_buffer certificate = {0}, key = {0};
    bool secure;
    enum shoal_status status = load_tls(config, &certificate, &key, &secure, message);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, secure ? certificate.bytes : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, secure ? key.bytes : NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG | (secure ? MHD_USE_TLS : 0u);
    if (status == SHOAL_OK) {
        http->daemon = MHD_start_daemon(
            flags, 0, NULL, NULL, answer, http,
            MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, /* first: it also hears of the others */
            MHD_OPTION_LISTEN_SOCKET, socket->fd,
            MHD_OPTION_CONNECTION_LIMIT, (unsigned)config->http_connections,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((config->http_timeout + 999) / 1000),
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
            MHD_OPTION_NOTIFY_COMPLETED, completed, http,
            MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
            MHD_OPTION_ARRAY, secure ? tls : none, MHD_OPTION_END);
        if (!http->daemon)
            status = shoal_fail(message, SHOAL_CONFIG, "http.listen: %s: the server cannot be started%s",
                                socket->url, secure ? " (are certificate and key PEM files that fit?)" : "");
    }
    if (key.bytes)
        explicit_bzero(key.bytes, key.size);
    shoal_buffer_finish(&key);
    shoal_buffer_finish(&certificate);
    return status;
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
    http->loopback = socket.loopback;
    http->started_ms = shoal_clock_ms();
    bool secure = options->config->http_certificate[0] != '\0';
    snprintf(http->url, sizeof http->url, "http%s%s", secure ? "s" : "", socket.url + strlen("http"));
    status = http_work_start(http, message);
    if (status == SHOAL_OK)
        status = load(http, message);
    if (status == SHOAL_OK)
        status = start_watch(http, message);
    if (status == SHOAL_OK)
        status = start_daemon(http, &socket, message);
    if (status != SHOAL_OK) {
        if (!http->daemon)
            close(socket.fd);
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
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    http_work_finish(http);
    shoal_http_tokens_destroy(http->tokens);
    shoal_http_page_destroy(http->page);
    shoal_watch_destroy(http->watch);
    shoal_stream_destroy(http->stream);
    free(http);
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
