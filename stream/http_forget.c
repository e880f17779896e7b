/* SPDX-License-Identifier: Apache-2.0 */
/* Having a user forgotten: the request is written to the log, and what it asks for is done where the log is read
 * (stream/forgetting.h). The answer comes once the broker has it, so that a 202 is a promise. */
#include <string.h>

#include "stream/http_internal.h"

static enum shoal_status forget(struct http_request *r, int32_t *partition, struct shoal_message *message)
{
    const struct shoal_http_options *o = &r->http->options;
    size_t size = strlen(r->user);
    enum shoal_status status = SHOAL_OK;
    bool declined;
    if (!*r->forgetting)
        status = shoal_forgetting_create(o->config, o->log, r->store, r->forgetting, message);
    if (status == SHOAL_OK)
        status = shoal_forgetting_find(*r->forgetting, r->user, size, partition, &declined, message);
    if (status != SHOAL_OK)
        return status;
    status = shoal_forgetting_send(*r->forgetting, r->user, size, *partition, message);
    if (status == SHOAL_OK)
        status = shoal_forgetting_flush(*r->forgetting, message);
    if (status != SHOAL_OK) { /* a producer that has lost a message stays lost: the next request gets another */
        shoal_forgetting_destroy(*r->forgetting);
        *r->forgetting = NULL;
    }
    return status;
}

void http_user_forget(struct http_request *r)
{
    struct shoal_message message = {.text = ""};
    int32_t partition = -1;
    if (!http_names_user(r))
        return;
    enum shoal_status status = forget(r, &partition, &message);
    if (status == SHOAL_BAD_USER) {
        http_problem(r, 400, "bad-user", "This is no user id", "%s", message.text);
        return;
    }
    if (status != SHOAL_OK) {
        http_failed(r, status, &message);
        return;
    }
    struct shoal_put *put = http_json(r);
    shoal_put_open(put, NULL, '{');
    shoal_put_text(put, "user_id", r->user);
    shoal_put_text(put, "state", "accepted");
    if (partition < 0)
        shoal_put_null(put, "partition");
    else
        shoal_put_int(put, "partition", partition);
    shoal_put_close(put, '}');
    r->status = 202;
}
