/* SPDX-License-Identifier: Apache-2.0 */
/* Where the HTTP side listens: "127.0.0.1:8642", "[::1]:8642", ":8642" (all addresses, IPv6 and IPv4), "host:8642+" (this port or
 * the next free one of sixteen), "host:0" (any free port). */
#ifndef SHOAL_HTTP_LISTEN_H
#define SHOAL_HTTP_LISTEN_H

#include <stdbool.h>

#include "model/base/status.h"

struct shoal_http_socket {
    int fd;         /* listening, close on exec; the caller's */
    bool loopback;  /* nobody beyond this machine can reach it */
    char url[128];  /* "http://127.0.0.1:8642" */
};

/* CONFIG: cannot be read, or is no address of this machine; BUSY: the port, or each of the sixteen, is taken. */
enum shoal_status shoal_http_listen(const char *where, struct shoal_http_socket *socket,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;

/* How many connections there can be, at most `wanted`, so that Kafka, Redis and files have descriptors left: raises the
 * process's soft limit of them as far as it is needed and allowed. */
unsigned shoal_http_connections(unsigned wanted);

#endif
