/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: bodies of JSON, and problem documents (RFC 9457) for whatever goes wrong. */
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/http_internal.h"
#include "stream/http_text.h"

enum { QUERY_MAX = 1024 };

/* ---- writing ------------------------------------------------------------------------------- */

static void drop_body(struct http_request *r)
{
    if (r->out)
        fclose(r->out);
    free(r->body);
    r->out = NULL;
    r->body = NULL;
    r->size = 0;
}

struct shoal_put *http_json(struct http_request *r)
{
    drop_body(r);
    r->status = 200;
    r->type = "application/json";
    r->out = open_memstream(&r->body, &r->size);
    r->put = (struct shoal_put){.out = r->out};
    if (!r->out) { /* what is written is lost, and the reply says so */
        r->status = 500;
        r->put.out = r->out = fopen("/dev/null", "w");
    }
    return &r->put;
}

void http_problem(struct http_request *r, unsigned status, const char *kind, const char *title,
                  const char *format, ...)
{
    char detail[640], type[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    snprintf(type, sizeof type, "urn:shoal:problem:%s", kind);
    struct shoal_put *put = http_json(r);
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "type", type);
    shoal_put_text(put, "title", title);
    shoal_put_int(put, "status", status);
    shoal_put_text(put, "detail", detail);
    if (r->url && strlen(r->url) < HTTP_PATH_MAX)
        shoal_put_text(put, "instance", r->url);
    shoal_put_close(put, '}');
    r->status = status;
    r->type = "application/problem+json";
}

void http_failed(struct http_request *r, enum shoal_status status, const struct shoal_message *message)
{
    const char *why = message && message->text[0] ? message->text : shoal_status_text(status);
    if (shoal_status_class(status) != SHOAL_CLASS_RETRY) {
        http_problem(r, 500, shoal_status_code(status), "This went wrong inside", "%s", why);
        return;
    }
    http_problem(r, 503, "unavailable", "A server behind this one cannot be reached", "%s", why);
    r->retry_after = "1";
}

/* ---- query --------------------------------------------------------------------------------- */

const char *http_query(struct http_request *r, const char *name, char *room, size_t size)
{
    const char *text = NULL;
    size_t length = 0;
    char decoded[QUERY_MAX];
    if (MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name), &text, &length) !=
        MHD_YES)
        return NULL;
    *room = '\0';
    if (text && length < sizeof decoded && shoal_http_unescape(text, length, decoded) && strlen(decoded) < size)
        strcpy(room, decoded);
    return room;
}

bool http_query_int(struct http_request *r, const char *name, long long least, long long most,
                    long long *value)
{
    char text[32], *end;
    if (!http_query(r, name, text, sizeof text))
        return true;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < least || number > most) {
        http_problem(r, 400, "bad-parameter", "A parameter cannot be read",
                     "%s: a whole number from %lld to %lld", name, least, most);
        return false;
    }
    *value = number;
    return true;
}

bool http_query_flag(struct http_request *r, const char *name, bool *value)
{
    char text[8];
    if (!http_query(r, name, text, sizeof text))
        return true;
    *value = strcmp(text, "true") == 0;
    if (*value || strcmp(text, "false") == 0)
        return true;
    http_problem(r, 400, "bad-parameter", "A parameter cannot be read", "%s: true or false", name);
    return false;
}

/* ---- sending ------------------------------------------------------------------------------- */

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

/* The body, handed over to a response. */
static struct MHD_Response *response_of(struct http_request *r)
{
    static char nothing[] = "";
    if (r->out) {
        fclose(r->out);
        r->out = NULL;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(r->body ? r->size : 0, r->body ? r->body : nothing,
                                        r->body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response)
        return NULL;
    r->body = NULL;
    add(response, "Content-Type", r->type ? r->type : "application/json");
    add(response, "Cache-Control", "no-store");
    return response;
}

int http_send(struct http_request *r)
{
    struct MHD_Response *response = r->response ? r->response : response_of(r);
    r->response = NULL;
    if (!response)
        return MHD_NO;
    add(response, "X-Content-Type-Options", "nosniff");
    if (r->retry_after)
        add(response, "Retry-After", r->retry_after);
    if (r->allow)
        add(response, "Allow", r->allow);
    if (r->status == 401)
        add(response, "WWW-Authenticate", "Bearer realm=\"shoal\"");
    const struct shoal_http_hooks *hooks = &r->http->options.hooks;
    if (hooks->answered)
        hooks->answered(hooks->opaque, r->status, (shoal_clock_ns() - r->began_ns) / 1000);
    int sent = (int)MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return sent;
}

void http_reply_finish(struct http_request *r)
{
    drop_body(r);
    if (r->response)
        MHD_destroy_response(r->response);
    r->response = NULL;
}
