/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and headers of requests as bytes: no libraries, no memory, so that they can be tested and fuzzed alone. */
#ifndef SHOAL_HTTP_TEXT_H
#define SHOAL_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes %XX from text[size] into `out` (room for size + 1, may be `text` itself), zero-terminated. False for an
 * escape that is none, for a zero byte and for bytes that are not UTF-8. */
bool shoal_http_unescape(const char *text, size_t size, char *out);

/* Does `url` (raw, without a query) match a pattern such as "/v1/users/{id}/explain"? The raw parts that stand for
 * braces are parts[…] (room for `most`) with their sizes. "//" and a slash at the end match nothing. */
bool shoal_http_match(const char *pattern, const char *url, const char **parts, size_t *sizes,
                      size_t most);

/* Is the Host header's name one that a browser on this machine uses for this machine? */
bool shoal_http_host_is_local(const char *host);

/* Does an Accept-Encoding header (NULL: none) take gzip? */
bool shoal_http_accepts_gzip(const char *accepted);

/* The path of a request's target: behind "http://host" where a proxy's form of it came (RFC 9112, 3.2.2). */
const char *shoal_http_path(const char *target);

#endif
