/* SPDX-License-Identifier: Apache-2.0 */
/* Where a Redis server is and how to log in, read from a URL:
 *
 *   redis://[[user]:password@]host[:port][/database]     host may be [IPv6]
 *   unix:/path[?db=N]                                    unix:///path is the same
 *
 * user and password are percent-decoded. */
#ifndef SHOAL_REDIS_URL_H
#define SHOAL_REDIS_URL_H

#include <stdbool.h>

#include "model/base/status.h"

struct shoal_redis_address {
    bool is_unix;
    char host[256];     /* host name or address; path of the socket if is_unix */
    int port;           /* 6379 unless given */
    int database;       /* 0 unless given */
    char user[128];     /* empty = none */
    char password[256]; /* empty = none */
    char label[300];    /* for messages: without user and password */
};

/* CONFIG with the reason; the message never contains the password. */
enum shoal_status shoal_redis_url_parse(const char *url, struct shoal_redis_address *address,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
