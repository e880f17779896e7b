/* SPDX-License-Identifier: Apache-2.0 */
/* Gets text over HTTP. The one place that sees libcurl. */
#ifndef SHOAL_FETCH_H
#define SHOAL_FETCH_H

#include "model/base/pack.h"

struct shoal_fetch;

/* `token`: sent as a bearer token; NULL: none. CONFIG for a URL that is none of http or https; NOMEM. */
enum shoal_status shoal_fetch_create(const char *url, const char *token, int timeout_ms,
                                     struct shoal_fetch **fetch,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_fetch_destroy(struct shoal_fetch *fetch);
/* The body of an answer 200 in `out`, which is emptied before. UNAVAILABLE with the reason; CONFIG if the server
 * answers that the token may not; TOO_LARGE beyond 16 MiB; NOMEM. */
enum shoal_status shoal_fetch_get(struct shoal_fetch *fetch, struct shoal_buffer *out,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
