/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets; see http_listen.h. */
#include "stream/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 256, PORTS_TRIED = 16, HOST_MAX = 254, OTHERS_FDS = 256 };

struct place {
    char host[HOST_MAX + 1];
    unsigned port, ports; /* how many to try */
};

static bool parse(const char *where, struct place *place)
{
    const char *host = where, *colon = strrchr(where, ':');
    if (!colon || colon == where + strlen(where) - 1)
        return false;
    size_t size = (size_t)(colon - where);
    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    } else if (memchr(host, ':', size)) { /* an IPv6 address without brackets is ambiguous */
        return false;
    }
    if (size > HOST_MAX)
        return false;
    memcpy(place->host, host, size);
    place->host[size] = '\0';
    char *end;
    errno = 0;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || errno || port > 65535)
        return false;
    place->port = (unsigned)port;
    place->ports = 1;
    if (*end == '+' && port > 0) {
        place->ports = PORTS_TRIED;
        end++;
    }
    return *end == '\0';
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* A listening socket, or −1 with errno. */
static int open_socket(const struct addrinfo *info)
{
    int on = 1, off = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* [::] is every address, IPv4 too */
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* One that is found and can be opened, or −1 with errno. Without a host: for IPv6 and IPv4, else for IPv4 alone. */
static int open_first(const struct addrinfo *found, bool any)
{
    int fd = -1;
    for (const struct addrinfo *info = found; any && info && fd < 0; info = info->ai_next) {
        if (info->ai_family == AF_INET6)
            fd = open_socket(info);
        if (fd < 0 && info->ai_family == AF_INET6 && errno == EADDRINUSE)
            return -1;
    }
    return fd >= 0 ? fd : open_socket(found);
}

static void describe(struct shoal_http_socket *result)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char host[64] = "", port[16] = "";
    const struct sockaddr *bound = (const struct sockaddr *)&address;
    if (getsockname(result->fd, (struct sockaddr *)&address, &size) != 0 ||
        getnameinfo(bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    result->loopback = is_loopback(bound);
    snprintf(result->url, sizeof result->url, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s",
             host, port);
}

enum shoal_status shoal_http_listen(const char *where, struct shoal_http_socket *result,
                                    struct shoal_message *message)
{
    struct place place;
    *result = (struct shoal_http_socket){.fd = -1};
    if (!parse(where, &place))
        return shoal_fail(message, SHOAL_CONFIG,
                          "http.listen: '%s' is not ADDRESS:PORT, [ADDRESS]:PORT or none", where);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    int error = EADDRINUSE;
    for (unsigned i = 0; i < place.ports && place.port + i <= 65535 && error == EADDRINUSE; i++) {
        struct addrinfo *found = NULL;
        char port[16];
        snprintf(port, sizeof port, "%u", place.port + i);
        int failed = getaddrinfo(place.host[0] ? place.host : NULL, port, &hints, &found);
        if (failed)
            return shoal_fail(message, SHOAL_CONFIG, "http.listen: '%s': %s", where,
                              gai_strerror(failed));
        result->fd = open_first(found, !place.host[0]);
        error = result->fd >= 0 ? 0 : errno;
        freeaddrinfo(found);
    }
    if (result->fd < 0)
        return shoal_fail(message, error == EADDRINUSE ? SHOAL_BUSY : SHOAL_CONFIG,
                          "http.listen: '%s': %s", where, strerror(error));
    describe(result);
    return SHOAL_OK;
}

unsigned shoal_http_connections(unsigned wanted)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)wanted + OTHERS_FDS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return wanted;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur >= needed)
        return wanted;
    rlim_t left = limit.rlim_cur > 2 * OTHERS_FDS ? limit.rlim_cur - OTHERS_FDS : limit.rlim_cur / 2;
    return left < wanted ? (unsigned)left : wanted;
}
