/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting and sending; see http_daemon.h. */
#include "stream/http_daemon.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/yaml_tree.h"

enum { CONNECTION_BYTES = 24 << 10 };

struct http_daemon {
    struct http_daemon *next;
    struct MHD_Daemon *mhd;
    int fd; /* a descriptor of its own of the listening socket; libmicrohttpd closes it, but … */
    bool quiesced; /* … of one that accepts no more it is left to us */
};

/* ---- certificates -------------------------------------------------------------------------- */

struct tls {
    bool secure;
    struct shoal_buffer certificate, key;
};

static enum shoal_status load_file(const char *path, const char *key, struct shoal_buffer *text,
                                   struct shoal_message *message)
{
    struct shoal_message why = {.text = ""};
    enum shoal_status status = shoal_yaml_slurp(path, text, &why);
    shoal_buffer_append(text, "", 1);
    return status == SHOAL_OK ? SHOAL_OK : shoal_fail(message, SHOAL_CONFIG, "%s: %s", key, why.text);
}

/* Certificate and key, if they are configured; to be wiped, also after a failure. */
static enum shoal_status load_tls(const struct shoal_config *config, struct tls *tls, struct shoal_message *message)
{
    *tls = (struct tls){.secure = config->http_certificate[0] != '\0'};
    if (!tls->secure && !config->http_key[0])
        return SHOAL_OK;
    if (!tls->secure || !config->http_key[0])
        return shoal_fail(message, SHOAL_CONFIG, "http.tls.certificate and http.tls.key go together");
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return shoal_fail(message, SHOAL_CONFIG, "http.tls: this libmicrohttpd was built without TLS");
    enum shoal_status status =
        load_file(config->http_certificate, "http.tls.certificate", &tls->certificate, message);
    return status == SHOAL_OK ? load_file(config->http_key, "http.tls.key", &tls->key, message) : status;
}

static void wipe_tls(struct tls *tls)
{
    if (tls->key.bytes)
        explicit_bzero(tls->key.bytes, tls->key.size);
    shoal_buffer_finish(&tls->key);
    shoal_buffer_finish(&tls->certificate);
}

/* ---- life ---------------------------------------------------------------------------------- */

/* Paths and queries are decoded part by part, where they are used: a %2F is no slash of the path. */
static size_t leave_escaped(void *opaque, struct MHD_Connection *connection, char *text)
{
    (void)opaque;
    (void)connection;
    return strlen(text);
}

static void quiet(void *opaque, const char *format, va_list arguments)
{
    (void)opaque;
    (void)format;
    (void)arguments;
}

static struct MHD_Daemon *serve(struct shoal_http *http, int fd, const struct tls *tls)
{
    const struct shoal_config *config = http->options.config;
    struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls->certificate.bytes},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key.bytes},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     (tls->secure ? MHD_USE_TLS : 0u);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_answer, http,
        MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, /* first: it also hears of the others */
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, http->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((config->http_timeout + 999) / 1000),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_NOTIFY_COMPLETED, http_completed, http,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_ARRAY, tls->secure ? secure : none, MHD_OPTION_END);
}

enum shoal_status http_daemon_start(struct shoal_http *http, struct shoal_message *message)
{
    struct tls tls;
    const struct shoal_config *config = http->options.config;
    struct http_daemon *made = calloc(1, sizeof *made);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    shoal_file_changes_begin(&http->certificate_changes, config->http_certificate);
    shoal_file_changes_begin(&http->key_changes, config->http_key);
    enum shoal_status status = load_tls(config, &tls, message);
    made->fd = status == SHOAL_OK ? fcntl(http->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (made->fd >= 0)
        made->mhd = serve(http, made->fd, &tls); /* closes it also where it fails */
    if (status == SHOAL_OK && !made->mhd)
        status = shoal_fail(message, SHOAL_CONFIG, "http.listen: %s: the server cannot be started%s", http->url,
                            tls.secure ? " (are certificate and key PEM files that fit?)" : "");
    wipe_tls(&tls);
    if (status != SHOAL_OK) {
        free(made);
        return status;
    }
    made->next = http->daemons;
    http->daemons = made;
    return SHOAL_OK;
}

static void stop(struct http_daemon *daemon)
{
    MHD_stop_daemon(daemon->mhd);
    if (daemon->quiesced)
        close(daemon->fd);
    free(daemon);
}

void http_daemons_stop(struct shoal_http *http)
{
    while (http->daemons) {
        struct http_daemon *next = http->daemons->next;
        stop(http->daemons);
        http->daemons = next;
    }
}

/* ---- renewal ------------------------------------------------------------------------------- */

/* Those that accept no more and have nobody left. */
static void end_idle(struct shoal_http *http)
{
    for (struct http_daemon **at = &http->daemons->next; *at;) {
        struct http_daemon *daemon = *at;
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        if (!info || info->num_connections > 0) {
            at = &daemon->next;
            continue;
        }
        *at = daemon->next;
        stop(daemon);
    }
}

bool http_daemon_renew(struct shoal_http *http)
{
    const struct shoal_config *config = http->options.config;
    struct shoal_message message = {.text = ""};
    struct http_daemon *before = http->daemons;
    end_idle(http);
    if (!config->http_certificate[0])
        return true;
    bool other_certificate = shoal_file_changes_look(&http->certificate_changes, config->http_certificate);
    bool other_key = shoal_file_changes_look(&http->key_changes, config->http_key);
    if (!other_certificate && !other_key)
        return !http->certificate_refused;
    http->certificate_refused = http_daemon_start(http, &message) != SHOAL_OK;
    if (http->certificate_refused) {
        shoal_log_write(http->options.log, SHOAL_WARNING,
                        "a changed certificate is refused: %s; the one from before stays in force", message.text);
        return false;
    }
    before->quiesced = MHD_quiesce_daemon(before->mhd) != MHD_INVALID_SOCKET;
    shoal_log_write(http->options.log, SHOAL_INFO, "http.tls: the certificate was read again and is in force");
    return true;
}
