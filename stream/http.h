/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP side of `shoal run`: look-ups of users, segments, promotions and models, a stream of what happens,
 * health, metrics and the dashboard. The calls are described in openapi.json, which it serves.
 *
 *   server thread     accepts, parses, answers what is quick, sends (libmicrohttpd, epoll)
 *   `http.workers`    answer what has to ask Redis or to compute, each with a store of its own; the connection
 *                     sleeps meanwhile, so that a slow Redis holds up neither /healthz nor /metrics
 *
 * Invariant: it only reads. No request takes a lock that a worker of the pipeline holds for longer than it takes to
 * copy counts, none owns a partition, and what a request asks for is written to the log like any event (DELETE).
 * Any instance answers for any user, since it asks Redis and not its own cache. */
#ifndef SHOAL_HTTP_H
#define SHOAL_HTTP_H

#include "model/base/pack.h"
#include "stream/config.h"
#include "stream/log.h"
#include "stream/models.h"
#include "stream/policies.h"
#include "stream/put_json.h"

/* What the process knows and a request may ask; called from any thread. */
struct shoal_http_hooks {
    /* Writes the members of "checks", name by name: "ok", or why not. True if all is well. */
    bool (*ready)(void *opaque, struct shoal_put *put);
    /* Median and 99th percentile, in seconds, of the time from an event's record to its outputs; false while it is not
     * known. NULL: it is never known. */
    bool (*delay)(void *opaque, double *median, double *slowest);
    /* Appends the text of /metrics. NULL: there is none. */
    void (*metrics)(void *opaque, struct shoal_buffer *out);
    /* A request was answered, with this status code. NULL: nobody counts. */
    void (*answered)(void *opaque, unsigned code, int64_t duration_us);
    void *opaque;
};

struct shoal_http_options {
    const struct shoal_config *config;
    struct shoal_models *models;
    struct shoal_policies *policies;
    const struct shoal_log *log;
    const char *version; /* of the program */
    const char *instance; /* name of this member of the group; NULL: it has none */
    struct shoal_http_hooks hooks;
};

struct shoal_http;

/* Listens as http.listen says. NULL in *http and OK where that is `none`, or where every port of "PORT+" is taken,
 * which is logged. CONFIG: an address that cannot be used, tokens that cannot be read or are missing where it
 * listens beyond loopback. What `options` points to is borrowed until the stop, but for the struct itself. */
enum shoal_status shoal_http_start(const struct shoal_http_options *options, struct shoal_http **http,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* Reads http.tokens and http.tls.* again if they have changed. Files that cannot be used are refused, which is logged,
 * and what was read before stays in force; returns how many of the two are refused at present. To be called about once a
 * second, from the thread that started it. NULL is allowed: 0. */
unsigned shoal_http_refresh(struct shoal_http *http);
/* Ends all connections. NULL is allowed. */
void shoal_http_stop(struct shoal_http *http);
/* The events topic has so many partitions; to be told once it is known. NULL is allowed. */
void shoal_http_partitions(struct shoal_http *http, int32_t partitions);
/* "http://127.0.0.1:8642" */
const char *shoal_http_url(const struct shoal_http *http);

#endif
