/* SPDX-License-Identifier: Apache-2.0 */
/* TLS by OpenSSL below hiredis; see redis_tls.h. Runs in its worker's thread.
 *
 * OpenSSL writes to the socket in a way that raises SIGPIPE when the server has gone. The signal is
 * held back for the duration, and taken away if it came of our own write. */
#include "state/redis_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct shoal_redis_tls {
    SSL_CTX *context;
};

bool shoal_redis_tls_supported(void)
{
    return true;
}

static bool given(const char *file)
{
    return file && file[0];
}

static enum shoal_status refuse(const char *what, const char *file, struct shoal_message *message)
{
    char reason[160] = "not usable";
    unsigned long code = ERR_peek_last_error();
    if (code)
        ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return shoal_fail(message, SHOAL_CONFIG, "%s: %s: %s", what, file, reason);
}

static enum shoal_status load(SSL_CTX *context, const struct shoal_redis_tls_files *files,
                              struct shoal_message *message)
{
    ERR_clear_error();
    if (given(files->certificate) != given(files->key))
        return shoal_fail(message, SHOAL_CONFIG,
                          "redis.tls.certificate and redis.tls.key go together");
    if (!given(files->ca)) {
        if (SSL_CTX_set_default_verify_paths(context) != 1)
            return refuse("redis.tls.ca", "the system's authorities", message);
    } else if (SSL_CTX_load_verify_locations(context, files->ca, NULL) != 1) {
        return refuse("redis.tls.ca", files->ca, message);
    }
    if (!given(files->certificate))
        return SHOAL_OK;
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return refuse("redis.tls.certificate", files->certificate, message);
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse("redis.tls.key", files->key, message);
    return SHOAL_OK;
}

enum shoal_status shoal_redis_tls_create(const struct shoal_redis_tls_files *files,
                                         struct shoal_redis_tls **result,
                                         struct shoal_message *message)
{
    *result = NULL;
    struct shoal_redis_tls *tls = calloc(1, sizeof *tls);
    if (tls)
        tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls || !tls->context) {
        shoal_redis_tls_destroy(tls);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    enum shoal_status status = load(tls->context, files, message);
    if (status != SHOAL_OK) {
        shoal_redis_tls_destroy(tls);
        return status;
    }
    *result = tls;
    return SHOAL_OK;
}

void shoal_redis_tls_destroy(struct shoal_redis_tls *tls)
{
    if (tls)
        SSL_CTX_free(tls->context);
    free(tls);
}

/* ---- SIGPIPE ------------------------------------------------------------------------------ */

struct hold {
    sigset_t before;
    bool was_pending;
};

static sigset_t pipe_only(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

static struct hold hold_back(void)
{
    struct hold hold;
    sigset_t set = pipe_only(), pending;
    sigpending(&pending);
    hold.was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &set, &hold.before);
    return hold;
}

static void let_go(const struct hold *hold)
{
    sigset_t set = pipe_only(), pending;
    int error = errno;
    struct timespec at_once = {0};
    sigpending(&pending);
    if (!hold->was_pending && sigismember(&pending, SIGPIPE) == 1)
        (void)sigtimedwait(&set, NULL, &at_once);
    (void)pthread_sigmask(SIG_SETMASK, &hold->before, NULL);
    errno = error;
}

/* ---- connections -------------------------------------------------------------------------- */

/* The certificate must be made out to this name, or to this number. */
static bool expect_host(SSL *session, const char *host)
{
    unsigned char number[16];
    if (inet_pton(AF_INET, host, number) == 1 || inet_pton(AF_INET6, host, number) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
    return SSL_set_tlsext_host_name(session, host) == 1 && SSL_set1_host(session, host) == 1;
}

enum shoal_status shoal_redis_tls_start(struct shoal_redis_tls *tls, struct redisContext *context,
                                        const char *host, const char *label,
                                        struct ssl_st **result, struct shoal_message *message)
{
    *result = NULL;
    SSL *session = SSL_new(tls->context);
    if (!session || !expect_host(session, host)) {
        SSL_free(session);
        return shoal_fail(message, SHOAL_NOMEM, "Redis at %s: no TLS session", label);
    }
    struct hold hold = hold_back();
    int done = redisInitiateSSL(context, session);
    let_go(&hold);
    if (done == REDIS_OK) {
        *result = session;
        return SHOAL_OK;
    }
    long verdict = SSL_get_verify_result(session);
    SSL_free(session); /* hiredis has not taken it over */
    ERR_clear_error();
    if (verdict != X509_V_OK)
        return shoal_fail(message, SHOAL_CONFIG,
                          "Redis at %s: its certificate is not accepted: %s (see redis.tls.ca)", label,
                          X509_verify_cert_error_string(verdict));
    return shoal_fail(message, SHOAL_UNAVAILABLE, "Redis at %s: TLS: %s", label, context->errstr);
}

ssize_t shoal_redis_tls_send(struct ssl_st *session, const void *bytes, size_t size)
{
    size_t sent = 0;
    struct hold hold = hold_back();
    errno = 0;
    ERR_clear_error();
    int done = SSL_write_ex(session, bytes, size, &sent);
    int reason = done == 1 ? SSL_ERROR_NONE : SSL_get_error(session, done);
    if (reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ)
        errno = EAGAIN;
    else if (done != 1 && errno == 0)
        errno = EPIPE;
    ERR_clear_error();
    let_go(&hold);
    return done == 1 ? (ssize_t)sent : -1;
}

int shoal_redis_tls_reply(struct redisContext *context, void **reply)
{
    struct hold hold = hold_back();
    int done = redisGetReply(context, reply);
    let_go(&hold);
    ERR_clear_error();
    return done;
}
