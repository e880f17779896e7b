/* SPDX-License-Identifier: Apache-2.0 */
/* Redis URLs; see redis_url.h. Nothing of the URL is repeated in a message except the scheme: it
 * may hold a password. */
#include "state/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/redis_tls.h"

enum { DEFAULT_PORT = 6379, SENTINEL_PORT = 26379, DATABASE_MAX = 1000000 };

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
    if (!copy(from, colon, true, address->login.user, sizeof address->login.user) ||
        !copy(colon + 1, end, true, address->login.password, sizeof address->login.password))
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

static void set_label(struct shoal_redis_address *address)
{
    (void)snprintf(address->label, sizeof address->label,
                   strchr(address->host, ':') ? "[%s]:%d" : "%s:%d", address->host, address->port);
}

void shoal_redis_address_move(struct shoal_redis_address *address, const char *host, int port)
{
    address->is_unix = false;
    (void)snprintf(address->host, sizeof address->host, "%s", host);
    address->port = port;
    set_label(address);
}

/* host[:port][,host[:port]]…: each becomes a seed with the login and port of *like. */
static enum shoal_status parse_hosts(const char *from, const char *end,
                                     const struct shoal_redis_address *like,
                                     struct shoal_redis_url *url, struct shoal_message *message)
{
    size_t most = url->kind == SHOAL_REDIS_ONE ? 1 : SHOAL_REDIS_SEEDS_MAX;
    for (;;) {
        const char *comma = memchr(from, ',', (size_t)(end - from));
        if (url->seeds_count == most)
            return shoal_fail(message, SHOAL_CONFIG,
                              most == 1 ? "redis.url: several hosts are written redis+cluster:// or "
                                          "redis+sentinel://"
                                        : "redis.url: at most %zu hosts",
                              most);
        struct shoal_redis_address *seed = &url->seeds[url->seeds_count++];
        *seed = *like;
        enum shoal_status status = parse_host(from, comma ? comma : end, seed, message);
        if (status != SHOAL_OK)
            return status;
        set_label(seed);
        if (!comma)
            return SHOAL_OK;
        from = comma + 1;
    }
}

static enum shoal_status parse_database(const char *from, const char *end,
                                        struct shoal_redis_url *url, struct shoal_message *message)
{
    int database = 0;
    if (from < end && !number(from, end, 0, DATABASE_MAX, &database))
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: what follows the host must be the number of a database");
    if (database && url->kind == SHOAL_REDIS_CLUSTER)
        return shoal_fail(message, SHOAL_CONFIG, "redis.url: a Redis Cluster has only database 0");
    for (size_t i = 0; i < url->seeds_count; i++)
        url->seeds[i].database = database;
    return SHOAL_OK;
}

/* /NAME[/database] behind the sentinels. */
static enum shoal_status parse_master(const char *from, const char *end,
                                      struct shoal_redis_url *url, struct shoal_message *message)
{
    const char *slash = memchr(from, '/', (size_t)(end - from));
    if (!copy(from, slash ? slash : end, true, url->master, sizeof url->master) || !url->master[0])
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.url: the sentinels' name of the master must follow the hosts: "
                          "redis+sentinel://host:port,host:port/NAME");
    return slash ? parse_database(slash + 1, end, url, message) : SHOAL_OK;
}

static enum shoal_status parse_tcp(const char *rest, bool tls, struct shoal_redis_url *url,
                                   struct shoal_message *message)
{
    const char *end = rest + strlen(rest), *login_end = strrchr(rest, '@');
    struct shoal_redis_address like = {
        .tls = tls, .port = url->kind == SHOAL_REDIS_SENTINEL ? SENTINEL_PORT : DEFAULT_PORT};
    if (login_end) {
        enum shoal_status status = parse_login(rest, login_end, &like, message);
        if (status != SHOAL_OK)
            return status;
        rest = login_end + 1;
    }
    const char *slash = strchr(rest, '/');
    enum shoal_status status = parse_hosts(rest, slash ? slash : end, &like, url, message);
    if (status != SHOAL_OK)
        return status;
    if (url->kind == SHOAL_REDIS_SENTINEL)
        return parse_master(slash ? slash + 1 : end, end, url, message);
    return slash ? parse_database(slash + 1, end, url, message) : SHOAL_OK;
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

static enum shoal_status refuse_tls(struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_CONFIG,
                      "redis.url: TLS (rediss) needs a Shoal built with hiredis 1.0 or newer and its "
                      "hiredis_ssl, which this one was not; use a TLS proxy such as stunnel on this "
                      "host, a Unix socket or a private network");
}

enum shoal_status shoal_redis_url_parse(const char *text, struct shoal_redis_url *url,
                                        struct shoal_message *message)
{
    static const struct {
        const char *scheme;
        enum shoal_redis_kind kind;
        bool tls;
    } schemes[] = {
        {"redis://", SHOAL_REDIS_ONE, false},
        {"rediss://", SHOAL_REDIS_ONE, true},
        {"redis+cluster://", SHOAL_REDIS_CLUSTER, false},
        {"rediss+cluster://", SHOAL_REDIS_CLUSTER, true},
        {"redis+sentinel://", SHOAL_REDIS_SENTINEL, false},
        {"rediss+sentinel://", SHOAL_REDIS_SENTINEL, true},
    };
    static const char local[] = "unix:";
    *url = (struct shoal_redis_url){0};
    for (size_t i = 0; text && i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i].scheme);
        if (strncmp(text, schemes[i].scheme, size) != 0)
            continue;
        if (schemes[i].tls && !shoal_redis_tls_supported())
            return refuse_tls(message);
        url->kind = schemes[i].kind;
        return parse_tcp(text + size, schemes[i].tls, url, message);
    }
    if (text && strncmp(text, local, sizeof local - 1) == 0) {
        url->seeds_count = 1;
        return parse_unix(text + sizeof local - 1, &url->seeds[0], message);
    }
    return shoal_fail(message, SHOAL_CONFIG,
                      "redis.url must be redis://host:port/db, unix:/path, "
                      "redis+cluster://host:port,host:port or redis+sentinel://host:port/NAME");
}
