/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and headers of requests; see http_text.h. */
#include "stream/http_text.h"

#include <string.h>
#include <strings.h>

#include "stream/event_fields.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool shoal_http_unescape(const char *text, size_t size, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            if (size - i < 3 || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
                return false;
            c = (char)(digit(text[i + 1]) * 16 + digit(text[i + 2]));
            i += 2;
        }
        if (c == '\0')
            return false;
        out[length++] = c;
    }
    out[length] = '\0';
    return shoal_text_is_utf8(out, length);
}

bool shoal_http_match(const char *pattern, const char *url, const char **parts, size_t *sizes,
                      size_t most)
{
    size_t count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *url++)
                return false;
            continue;
        }
        size_t size = strcspn(url, "/");
        if (size == 0 || count == most)
            return false;
        parts[count] = url;
        sizes[count++] = size;
        url += size;
        pattern += strcspn(pattern, "}") + 1;
    }
    return *url == '\0';
}

bool shoal_http_host_is_local(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size = strlen(names[i]);
        if (strncasecmp(host, names[i], size) == 0 && (host[size] == '\0' || host[size] == ':'))
            return true;
    }
    return false;
}

/* Of "name ; q=0.000" and the like. */
static bool is_nothing(const char *weight)
{
    weight += strspn(weight, " \t");
    if (*weight++ != ';')
        return false;
    weight += strspn(weight, " \t");
    if (strncasecmp(weight, "q=0", 3) != 0)
        return false;
    weight += 3;
    weight += *weight == '.';
    weight += strspn(weight, "0");
    return *weight < '1' || *weight > '9';
}

bool shoal_http_accepts_gzip(const char *accepted)
{
    while (accepted && *accepted) {
        accepted += strspn(accepted, ", \t");
        size_t size = strcspn(accepted, ",; \t");
        if (size == 4 && strncasecmp(accepted, "gzip", 4) == 0)
            return !is_nothing(accepted + size);
        accepted += strcspn(accepted, ",");
    }
    return false;
}

const char *shoal_http_path(const char *target)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
    if (!scheme)
        return target;
    target += scheme + strcspn(target + scheme, "/");
    return *target ? target : "/";
}
