/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask what: a file of bearer tokens (RFC 6750), one a line, "ROLE TOKEN"; blank lines and those that begin
 * with # are left out. A token has at least 16 characters, so that it cannot be guessed. The file is followed: who
 * is new in it may, and who is not in it any more may not, a few seconds later. */
#ifndef SHOAL_HTTP_TOKENS_H
#define SHOAL_HTTP_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/status.h"
#include "stream/log.h"

/* Each may what those before it may. */
enum shoal_http_role {
    SHOAL_HTTP_PUBLIC, /* nobody in particular: health, the page, the description */
    SHOAL_HTTP_READ,
    SHOAL_HTTP_ADMIN,
};

struct shoal_http_tokens;

/* CONFIG with the line, never with a token; NOMEM. */
enum shoal_status shoal_http_tokens_load(const char *path, struct shoal_http_tokens **tokens,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Reads the file again if it has changed; to be called about once a second, from one thread. One that cannot be used is
 * refused, which is logged, and the tokens from before stay. False as long as that is so. */
bool shoal_http_tokens_refresh(struct shoal_http_tokens *tokens, const struct shoal_log *log);
void shoal_http_tokens_destroy(struct shoal_http_tokens *tokens);
/* The role of "Bearer TOKEN" (NULL: no header); PUBLIC for a token that is none. Takes as long for a wrong token
 * as for a right one of its length. Any thread. */
enum shoal_http_role shoal_http_tokens_role(struct shoal_http_tokens *tokens, const char *authorization);

#endif
