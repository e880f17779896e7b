/* SPDX-License-Identifier: Apache-2.0 */
/* Where Redis is and how to log in, read from a URL:
 *
 *   redis://[[user]:password@]host[:port][/database]       one server; host may be [IPv6]
 *   unix:/path[?db=N]                                       the same; unix:///path too
 *   redis+cluster://[login@]host[:port][,host[:port]]…      some nodes of a Redis Cluster
 *   redis+sentinel://[login@]host[:port][,…]/NAME[/database]   sentinels, and the master's name
 *
 * rediss instead of redis is TLS. user and password are percent-decoded; they are those of the
 * servers that hold data. */
#ifndef SHOAL_REDIS_URL_H
#define SHOAL_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/status.h"

enum { SHOAL_REDIS_SEEDS_MAX = 16, SHOAL_REDIS_USER_MAX = 128, SHOAL_REDIS_PASSWORD_MAX = 512 };

/* Who one is towards a server; empty: nobody in particular. */
struct shoal_redis_login {
    char user[SHOAL_REDIS_USER_MAX];
    char password[SHOAL_REDIS_PASSWORD_MAX];
};

struct shoal_redis_address {
    bool is_unix;
    bool tls;
    char host[256];     /* host name or address; path of the socket if is_unix */
    int port;           /* 6379 (a sentinel: 26379) unless given */
    int database;       /* 0 unless given */
    bool is_sentinel;   /* for messages */
    struct shoal_redis_login login;
    char label[300];    /* for messages: without user and password */
};

enum shoal_redis_kind { SHOAL_REDIS_ONE, SHOAL_REDIS_CLUSTER, SHOAL_REDIS_SENTINEL };

struct shoal_redis_url {
    enum shoal_redis_kind kind;
    size_t seeds_count; /* ≥ 1; of ONE it is 1 */
    struct shoal_redis_address seeds[SHOAL_REDIS_SEEDS_MAX];
    char master[128]; /* its name among the sentinels */
    struct shoal_redis_login sentinels; /* theirs, which no URL gives */
};

/* CONFIG with the reason; the message never contains the password. */
enum shoal_status shoal_redis_url_parse(const char *url, struct shoal_redis_url *result,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
/* Another host and port with the rest as it is. */
void shoal_redis_address_move(struct shoal_redis_address *address, const char *host, int port);

#endif
