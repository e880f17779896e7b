/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP by libcurl; see fetch.h. */
#include "tools/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 16 << 20 };

struct shoal_fetch {
    CURL *curl;
    struct curl_slist *headers;
    struct shoal_buffer *out; /* of the call at hand */
    bool too_large;
    char error[CURL_ERROR_SIZE];
    char url[1024];
};

static size_t on_body(char *bytes, size_t one, size_t count, void *opaque)
{
    struct shoal_fetch *fetch = opaque;
    fetch->too_large = fetch->out->size + count > BODY_MAX;
    if (fetch->too_large)
        return 0;
    shoal_buffer_append(fetch->out, bytes, count);
    return fetch->out->failed ? 0 : count;
}

static bool set_options(struct shoal_fetch *fetch, int timeout_ms)
{
    CURL *curl = fetch->curl;
    return curl_easy_setopt(curl, CURLOPT_URL, fetch->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch) == CURLE_OK;
}

static bool add_header(struct shoal_fetch *fetch, const char *line)
{
    struct curl_slist *longer = curl_slist_append(fetch->headers, line);
    if (longer)
        fetch->headers = longer;
    return longer != NULL;
}

enum shoal_status shoal_fetch_create(const char *url, const char *token, int timeout_ms,
                                     struct shoal_fetch **result, struct shoal_message *message)
{
    char line[1024];
    *result = NULL;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return shoal_fail(message, SHOAL_CONFIG, "'%s': a URL begins with http:// or https://", url);
    if (token && strlen(token) > sizeof line - 32)
        return shoal_fail(message, SHOAL_CONFIG, "the token is too long");
    struct shoal_fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(fetch);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    snprintf(fetch->url, sizeof fetch->url, "%s", url);
    fetch->curl = curl_easy_init();
    bool complete = fetch->curl && add_header(fetch, "Accept: text/plain;version=0.0.4");
    if (complete && token) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", token);
        complete = add_header(fetch, line);
    }
    if (!complete || !set_options(fetch, timeout_ms)) {
        shoal_fetch_destroy(fetch);
        return shoal_fail(message, SHOAL_NOMEM, "libcurl cannot be set up");
    }
    *result = fetch;
    return SHOAL_OK;
}

void shoal_fetch_destroy(struct shoal_fetch *fetch)
{
    if (!fetch)
        return;
    curl_easy_cleanup(fetch->curl);
    curl_slist_free_all(fetch->headers);
    curl_global_cleanup(); /* counts */
    free(fetch);
}

enum shoal_status shoal_fetch_get(struct shoal_fetch *fetch, struct shoal_buffer *out,
                                  struct shoal_message *message)
{
    long code = 0;
    shoal_buffer_clear(out);
    fetch->out = out;
    fetch->too_large = false;
    fetch->error[0] = '\0';
    CURLcode result = curl_easy_perform(fetch->curl);
    if (out->failed)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (fetch->too_large)
        return shoal_fail(message, SHOAL_TOO_LARGE, "%s: the answer is larger than 16 MiB",
                          fetch->url);
    if (result != CURLE_OK)
        return shoal_fail(message, SHOAL_UNAVAILABLE, "%s: %s", fetch->url,
                          fetch->error[0] ? fetch->error : curl_easy_strerror(result));
    curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code == 401 || code == 403)
        return shoal_fail(message, SHOAL_CONFIG,
                          "%s: the server answers %ld: a token is needed (--token-file, SHOAL_TOKEN)",
                          fetch->url, code);
    if (code != 200)
        return shoal_fail(message, SHOAL_UNAVAILABLE, "%s: the server answers %ld", fetch->url, code);
    return SHOAL_OK;
}
