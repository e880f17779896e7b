/* SPDX-License-Identifier: Apache-2.0 */
/* Which call is answered by whom. A call that is not in openapi.json fails a test, and the other way round. */
#include <string.h>

#include "stream/http_internal.h"
#include "stream/http_text.h"

static const struct http_route routes[] = {
    {"GET", "/healthz", SHOAL_HTTP_PUBLIC, HTTP_QUICK, http_healthz},
    {"GET", "/readyz", SHOAL_HTTP_PUBLIC, HTTP_QUICK, http_readyz},
    {"GET", "/openapi.json", SHOAL_HTTP_PUBLIC, HTTP_QUICK, http_openapi},
    {"GET", "/metrics", SHOAL_HTTP_READ, HTTP_QUICK, http_metrics},
    {"GET", "/v1/users/{id}", SHOAL_HTTP_READ, HTTP_WORK, http_user},
    {"DELETE", "/v1/users/{id}", SHOAL_HTTP_ADMIN, HTTP_WORK, http_user_forget},
    {"GET", "/v1/users/{id}/decisions", SHOAL_HTTP_READ, HTTP_WORK, http_user_decisions},
    {"GET", "/v1/users/{id}/items", SHOAL_HTTP_READ, HTTP_WORK, http_user_items},
    {"GET", "/v1/users/{id}/explain", SHOAL_HTTP_READ, HTTP_WORK, http_user_explain},
    {"GET", "/v1/models", SHOAL_HTTP_READ, HTTP_WORK, http_models},
    {"GET", "/v1/segments", SHOAL_HTTP_READ, HTTP_WORK, http_segments},
    {"GET", "/v1/segments/history", SHOAL_HTTP_READ, HTTP_WORK, http_segments_history},
    {"GET", "/v1/segments/{dimension}/{level}/users", SHOAL_HTTP_READ, HTTP_WORK, http_segment_users},
    {"GET", "/v1/promotions", SHOAL_HTTP_READ, HTTP_WORK, http_promotions},
    {"GET", "/v1/overview", SHOAL_HTTP_READ, HTTP_WORK, http_overview},
    {"GET", "/v1/stream", SHOAL_HTTP_READ, HTTP_QUICK, http_stream},
    {0},
};

const struct http_route *http_routes(void)
{
    return routes;
}

/* Copies the parts into r->path, decoded. */
static bool take_params(struct http_request *r, const char *const *parts, const size_t *sizes)
{
    size_t used = 0;
    for (size_t i = 0; i < HTTP_PARAMS_MAX && parts[i]; i++) {
        if (!shoal_http_unescape(parts[i], sizes[i], r->path + used))
            return false;
        r->params[i] = r->path + used;
        used += strlen(r->path + used) + 1;
    }
    return true;
}

static const struct http_route *not_allowed(struct http_request *r, const char *method, const char *allow)
{
    http_problem(r, 405, "method-not-allowed", "This cannot be done here", "%s is not among: %s",
                 method, allow);
    r->allow = allow;
    return NULL;
}

/* Is there a call that deletes what is at this path? */
static bool deletes(const char *path)
{
    for (const struct http_route *route = routes; route->method; route++) {
        if (strcmp(route->method, "DELETE") == 0 && strcmp(route->path, path) == 0)
            return true;
    }
    return false;
}

const struct http_route *http_route_find(struct http_request *r, const char *method, const char *url,
                                         bool *page)
{
    bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    const char *allow = NULL;
    *page = false;
    if (strlen(url) >= HTTP_PATH_MAX) {
        http_problem(r, 414, "too-long", "The path is too long", "at most %d bytes are read",
                     HTTP_PATH_MAX - 1);
        return NULL;
    }
    for (const struct http_route *route = routes; route->method; route++) {
        const char *parts[HTTP_PARAMS_MAX] = {NULL};
        size_t sizes[HTTP_PARAMS_MAX];
        if (!shoal_http_match(route->path, url, parts, sizes, HTTP_PARAMS_MAX))
            continue;
        if (strcmp(route->method, get ? "GET" : method) != 0) {
            allow = "GET, HEAD";
            if (strcmp(route->method, "DELETE") == 0 || deletes(route->path))
                allow = "GET, HEAD, DELETE";
            continue;
        }
        if (take_params(r, parts, sizes))
            return route;
        http_problem(r, 400, "bad-path", "The path cannot be read",
                     "an escape is none, or what it stands for is not UTF-8");
        return NULL;
    }
    if (allow)
        return not_allowed(r, method, allow);
    *page = get;
    if (!get)
        return not_allowed(r, method, "GET, HEAD");
    return NULL;
}
