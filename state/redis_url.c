/* SPDX-License-Identifier: Apache-2.0 */
/* Redis URLs; see redis_url.h. Nothing of the URL is repeated in a message except the scheme: it
 * may hold a password. */
#include "state/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PORT = 6379, DATABASE_MAX = 1000000 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Copies [from, end) into a zero-terminated field, with %XX decoded if `decode`. */
static bool copy(const char *from, const char *end, bool decode, char *field, size_t room)
{
    size_t n = 0;
    while (from < end) {
        char c = *from++;
        if (decode && c == '%') {
            if (end - from < 2 || hex_digit(from[0]) < 0 || hex_digit(from[1]) < 0)
                return false;
            c = (char)(hex_digit(from[0]) * 16 + hex_digit(from[1]));
            from += 2;
        }
        if (c == '\0' || n + 1 >= room)
            return false;
        field[n++] = c;
    }
    field[n] = '\0';
    return true;
}

/* A decimal number that fills [from, end). */
static bool number(const char *from, const char *end, int min, int max, int *value)
{
    long n = 0;
    if (from == end || end - from > 9)
        return false;
    for (; from < end; from++) {
        if (*from < '0' || *from > '9')
            return false;
        n = n * 10 + (*from - '0');
    }
    *value = (int)n;
    return n >= min && n <= max;
}

static enum shoal_status parse_login(const char *from, const char *end,
                                     struct shoal_redis_address *address,
                                     struct shoal_message *message)
{
    const char *colon = memchr(from, ':', (size_t)(end - from));
    if (!colon)
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: a login is written user:password@ or :password@");
    if (!copy(from, colon, true, address->user, sizeof address->user) ||
        !copy(colon + 1, end, true, address->password, sizeof address->password))
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: user or password is too long or badly percent-encoded");
    return SHOAL_OK;
}

static enum shoal_status parse_host(const char *from, const char *end,
                                    struct shoal_redis_address *address,
                                    struct shoal_message *message)
{
    const char *host_end;
    bool bracket = from < end && *from == '[';
    if (bracket) {
        from++;
        host_end = memchr(from, ']', (size_t)(end - from));
    } else {
        host_end = memchr(from, ':', (size_t)(end - from));
        if (!host_end)
            host_end = end;
    }
    if (!host_end || host_end == from ||
        !copy(from, host_end, false, address->host, sizeof address->host))
        return shoal_fail(message, SHOAL_CONFIG, "redis.url: no host, or one that is too long");
    const char *rest = host_end + (bracket ? 1 : 0);
    if (rest < end && (*rest != ':' || !number(rest + 1, end, 1, 65535, &address->port)))
        return shoal_fail(message, SHOAL_CONFIG, "redis.url: the port must be 1 to 65535");
    return SHOAL_OK;
}

static enum shoal_status parse_tcp(const char *rest, struct shoal_redis_address *address,
                                   struct shoal_message *message)
{
    const char *end = rest + strlen(rest);
    const char *login_end = strrchr(rest, '@');
    if (login_end) {
        enum shoal_status status = parse_login(rest, login_end, address, message);
        if (status != SHOAL_OK)
            return status;
        rest = login_end + 1;
    }
    const char *slash = strchr(rest, '/');
    enum shoal_status status = parse_host(rest, slash ? slash : end, address, message);
    if (status != SHOAL_OK)
        return status;
    if (slash && slash + 1 < end && !number(slash + 1, end, 0, DATABASE_MAX, &address->database))
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: what follows the host must be the number of a database");
    (void)snprintf(address->label, sizeof address->label,
                   strchr(address->host, ':') ? "[%s]:%d" : "%s:%d", address->host, address->port);
    return SHOAL_OK;
}

static enum shoal_status parse_unix(const char *path, struct shoal_redis_address *address,
                                    struct shoal_message *message)
{
    static const char option[] = "?db=";
    if (strncmp(path, "//", 2) == 0)
        path += 2;
    const char *end = path + strlen(path);
    const char *query = strchr(path, '?');
    if (query && (strncmp(query, option, sizeof option - 1) != 0 ||
                  !number(query + sizeof option - 1, end, 0, DATABASE_MAX, &address->database)))
        return shoal_fail(message, SHOAL_CONFIG, "redis.url: only ?db=NUMBER may follow a path");
    address->is_unix = true;
    /* 107: what fits a socket address. */
    if (*path != '/' || (query ? query : end) - path > 107 ||
        !copy(path, query ? query : end, false, address->host, sizeof address->host))
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: unix: needs an absolute path of at most 107 bytes");
    (void)snprintf(address->label, sizeof address->label, "unix:%s", address->host);
    return SHOAL_OK;
}

enum shoal_status shoal_redis_url_parse(const char *url, struct shoal_redis_address *address,
                                        struct shoal_message *message)
{
    static const char tcp[] = "redis://", tls[] = "rediss://", local[] = "unix:";
    *address = (struct shoal_redis_address){.port = DEFAULT_PORT};
    if (url && strncmp(url, tcp, sizeof tcp - 1) == 0)
        return parse_tcp(url + sizeof tcp - 1, address, message);
    if (url && strncmp(url, local, sizeof local - 1) == 0)
        return parse_unix(url + sizeof local - 1, address, message);
    if (url && strncmp(url, tls, sizeof tls - 1) == 0)
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: TLS (rediss://) is not supported; use a Unix socket, a "
                          "private network or a TLS proxy such as stunnel");
    return shoal_fail(message, SHOAL_CONFIG,
                      "redis.url must be redis://host:port/db or unix:/path");
}
