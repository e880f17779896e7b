/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said of a request by its head: whether it can be understood, who asks, what for. */
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stream/http_internal.h"
#include "stream/http_text.h"

/* Scripts and styles of our own only; nobody may frame the page. Charts are drawn on canvases and may set the style of
 * their elements. */
static const char content_policy[] =
    "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* ---- can it be understood? ----------------------------------------------------------------- */

/* Headers on which a proxy before this server may be of another opinion, where the request ends and whose it is. */
struct framing {
    unsigned hosts, lengths, encodings;
    bool odd; /* an encoding other than chunked */
};

static enum MHD_Result look_at(void *opaque, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *framing = opaque;
    (void)kind;
    framing->hosts += strcasecmp(name, "Host") == 0;
    framing->lengths += strcasecmp(name, "Content-Length") == 0;
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        framing->encodings++;
        framing->odd = framing->odd || !value || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

bool http_understood(struct http_request *r, const char *version)
{
    struct framing framing = {0};
    const char *length = header(r->connection, "Content-Length");
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, look_at, &framing);
    if (framing.hosts > 1 || (framing.hosts == 0 && strcmp(version, "HTTP/1.1") == 0))
        http_problem(r, 400, "bad-request", "The request cannot be understood", "one Host header is needed");
    else if (framing.odd || framing.lengths + framing.encodings > 1)
        http_problem(r, 400, "bad-request", "The request cannot be understood",
                     "a body has one Content-Length, or is in chunks and in no other encoding");
    else if (length && strtoull(length, NULL, 10) > HTTP_BODY_MAX)
        http_problem(r, 413, "too-large", "The body is too large", "no call takes a body");
    else
        return true;
    return false;
}

/* ---- who asks, what for --------------------------------------------------------------------- */

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

static void serve_file(struct http_request *r, const char *url)
{
    const struct shoal_http_file *file = shoal_http_page_find(r->http->page, url);
    if (!file) {
        http_problem(r, 404, "unknown-path", "There is nothing here", "see /openapi.json for what there is");
        return;
    }
    const char *known = header(r->connection, "If-None-Match");
    bool same = known && strstr(known, file->etag + sizeof "W/" - 1);
    bool packed = file->packed && shoal_http_accepts_gzip(header(r->connection, "Accept-Encoding"));
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

bool http_settle(struct http_request *r, const char *method, const char *url)
{
    bool page = false;
    r->role = role_of(r);
    if (is_misdirected(r))
        http_problem(r, 421, "misdirected", "This name is not served here",
                     "without tokens only localhost, 127.0.0.1 and [::1] are");
    else
        r->route = http_route_find(r, method, shoal_http_path(url), &page);
    if (page)
        serve_file(r, shoal_http_path(url));
    else if (r->route && r->role < r->route->role)
        refuse(r);
    else
        return !r->route;
    return true;
}
