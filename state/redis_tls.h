/* SPDX-License-Identifier: Apache-2.0 */
/* TLS towards Redis, where hiredis has it (1.0 and newer, with hiredis_ssl). Without, the same
 * functions stand in redis_tls_absent.c, and a rediss:// URL is refused before any is called.
 *
 * hiredis checks no host name. So the connection is set up here: the server's certificate must be
 * signed by a trusted authority and be made out to the host that was asked for. */
#ifndef SHOAL_REDIS_TLS_H
#define SHOAL_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/base/status.h"

struct redisContext;
struct shoal_redis_tls;
struct ssl_st;

struct shoal_redis_tls_files {
    const char *ca;          /* authorities trusted, PEM; NULL or empty: the system's */
    const char *certificate; /* our own, PEM, with `key`; NULL or empty: none */
    const char *key;
};

/* Was Shoal built with it? */
bool shoal_redis_tls_supported(void);
/* CONFIG for files that cannot be read. Freed by destroy, which takes NULL. */
enum shoal_status shoal_redis_tls_create(const struct shoal_redis_tls_files *files,
                                         struct shoal_redis_tls **tls,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_redis_tls_destroy(struct shoal_redis_tls *tls);
/* The handshake on a connected context. *session belongs to the context. CONFIG if the certificate
 * is not accepted, UNAVAILABLE if the handshake fails otherwise; `label` names the server. */
enum shoal_status shoal_redis_tls_start(struct shoal_redis_tls *tls, struct redisContext *context,
                                        const char *host, const char *label,
                                        struct ssl_st **session,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
/* As send(2) with MSG_NOSIGNAL: bytes taken, or −1 with errno. */
ssize_t shoal_redis_tls_send(struct ssl_st *session, const void *bytes, size_t size);
/* redisGetReply, with no SIGPIPE: reading may answer the peer's end with an alert. */
int shoal_redis_tls_reply(struct redisContext *context, void **reply);

#endif
