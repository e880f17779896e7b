/* SPDX-License-Identifier: Apache-2.0 */
/* What asks nobody: is the process alive, is it ready, its metrics, the description of all calls. */
#include <stdlib.h>

#include "stream/http_internal.h"
#include "stream/openapi_bytes.h"

void http_healthz(struct http_request *r)
{
    struct shoal_put *put = http_json(r);
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "status", "ok");
    shoal_put_text(put, "version", r->http->options.version);
    shoal_put_close(put, '}');
}

void http_readyz(struct http_request *r)
{
    const struct shoal_http_hooks *hooks = &r->http->options.hooks;
    char *checks = NULL;
    size_t size;
    FILE *out = open_memstream(&checks, &size);
    bool ready = false;
    if (out) {
        struct shoal_put members = {.out = out};
        shoal_put_open(&members, NULL, '{');
        ready = hooks->ready(hooks->opaque, &members);
        shoal_put_close(&members, '}');
        fclose(out);
    }
    struct shoal_put *put = http_json(r);
    shoal_put_open(put, NULL, '{');
    shoal_put_flag(put, "ready", ready);
    shoal_put_raw(put, "checks", checks ? checks : "{}");
    shoal_put_close(put, '}');
    r->status = ready ? 200 : 503;
    free(checks);
}

void http_metrics(struct http_request *r)
{
    const struct shoal_http_hooks *hooks = &r->http->options.hooks;
    struct shoal_buffer text = {0};
    if (!hooks->metrics) {
        http_problem(r, 404, "unknown-path", "There are no metrics here", "this process keeps none");
        return;
    }
    hooks->metrics(hooks->opaque, &text);
    (void)http_json(r);
    fwrite(text.bytes, 1, text.size, r->out);
    r->type = "text/plain; version=0.0.4; charset=utf-8";
    if (text.failed)
        r->status = 500;
    shoal_buffer_finish(&text);
}

void http_openapi(struct http_request *r)
{
    (void)http_json(r);
    fwrite(shoal_openapi_bytes, 1, shoal_openapi_size, r->out);
}
