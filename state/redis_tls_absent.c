/* SPDX-License-Identifier: Apache-2.0 */
/* No TLS: this hiredis has none; see redis_tls.h. */
#include <errno.h>

#include "state/redis_tls.h"

bool shoal_redis_tls_supported(void)
{
    return false;
}

enum shoal_status shoal_redis_tls_create(const struct shoal_redis_tls_files *files,
                                         struct shoal_redis_tls **tls,
                                         struct shoal_message *message)
{
    (void)files;
    *tls = NULL;
    return shoal_fail(message, SHOAL_CONFIG, "this Shoal was built without TLS for Redis");
}

void shoal_redis_tls_destroy(struct shoal_redis_tls *tls)
{
    (void)tls;
}

enum shoal_status shoal_redis_tls_start(struct shoal_redis_tls *tls, struct redisContext *context,
                                        const char *host, const char *label,
                                        struct ssl_st **session, struct shoal_message *message)
{
    (void)tls, (void)context, (void)host, (void)session;
    return shoal_fail(message, SHOAL_CONFIG, "Redis at %s: built without TLS", label);
}

ssize_t shoal_redis_tls_send(struct ssl_st *session, const void *bytes, size_t size)
{
    (void)session, (void)bytes, (void)size;
    errno = ENOTSUP;
    return -1;
}

int shoal_redis_tls_reply(struct redisContext *context, void **reply)
{
    (void)context, (void)reply;
    return -1; /* REDIS_ERR */
}
