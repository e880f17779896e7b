/* SPDX-License-Identifier: Apache-2.0 */
/* The workers that answer what asks Redis or computes. A queue with bounds: what comes beyond its size is told to come
 * back, and so is what has waited in it for http.timeout, so that a slow Redis costs waiting clients neither memory nor
 * more than seconds. Who still waits when the server ends is told so at once. */
#include <stdlib.h>

#include "model/base/clock.h"
#include "stream/http_internal.h"
#include "stream/http_wake.h"
#include "stream/store_options.h"

enum { QUEUE_MAX = 512, AT_ONCE_MS = 100 };

static struct http_request *next(struct shoal_http *http)
{
    pthread_mutex_lock(&http->lock);
    while (!http->first && !http->ending)
        pthread_cond_wait(&http->wanted, &http->lock);
    struct http_request *r = http->first;
    if (r) {
        http->first = r->next;
        if (!http->first)
            http->last = &http->first;
        http->waiting--;
    }
    pthread_mutex_unlock(&http->lock);
    return r;
}

/* A connection that Redis has closed meanwhile (a restart, its timeout) is found out by the first command on it: then
 * the next one is on a new connection, and nobody need be told. */
static void handle(struct http_request *r)
{
    int64_t began_ms = shoal_clock_ms();
    r->route->handle(r);
    if (r->status != 503 || shoal_clock_ms() - began_ms > AT_ONCE_MS)
        return;
    r->retry_after = NULL;
    r->route->handle(r);
}

/* True: a problem is in r, since its turn has come too late. */
static bool is_too_late(struct shoal_http *http, struct http_request *r)
{
    pthread_mutex_lock(&http->lock);
    bool ending = http->ending;
    pthread_mutex_unlock(&http->lock);
    if (!ending && shoal_clock_ms() - r->queued_ms < http->options.config->http_timeout)
        return false;
    http_problem(r, 503, "busy", "Too many requests wait", ending ? "the process ends" : "the store is slow");
    r->retry_after = "1";
    return true;
}

static void *work(void *opaque)
{
    struct shoal_http *http = opaque;
    const struct shoal_config *config = http->options.config;
    struct shoal_message message = {.text = ""};
    struct shoal_store *store = NULL;
    struct shoal_forgetting *forgetting = NULL;
    struct shoal_redis_options redis = shoal_store_options(config);
    redis.timeout_ms = redis.timeout_ms < 2000 ? redis.timeout_ms : 2000;
    enum shoal_status status = shoal_redis_store_create(&redis, &store, &message);
    for (struct http_request *r; (r = next(http));) {
        r->store = store;
        r->forgetting = &forgetting;
        if (status != SHOAL_OK)
            http_failed(r, status, &message);
        else if (!is_too_late(http, r))
            handle(r);
        r->store = NULL;
        r->forgetting = NULL;
        r->answered = true;
        http_wake(r);
    }
    shoal_forgetting_destroy(forgetting);
    if (store)
        store->ops->destroy(store);
    return NULL;
}

enum shoal_status http_work_start(struct shoal_http *http, struct shoal_message *message)
{
    size_t count = (size_t)http->options.config->http_workers;
    http->last = &http->first;
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->wanted, NULL);
    http->threads = calloc(count, sizeof *http->threads);
    if (!http->threads)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    for (; http->threads_count < count; http->threads_count++) {
        if (pthread_create(&http->threads[http->threads_count], NULL, work, http) != 0)
            return shoal_fail(message, SHOAL_NOMEM, "cannot start a thread");
    }
    return SHOAL_OK;
}

bool http_work_add(struct shoal_http *http, struct http_request *r)
{
    r->queued_ms = shoal_clock_ms();
    pthread_mutex_lock(&http->lock);
    bool taken = http->waiting < QUEUE_MAX && !http->ending;
    if (taken) {
        r->next = NULL;
        *http->last = r;
        http->last = &r->next;
        http->waiting++;
        pthread_cond_signal(&http->wanted);
    }
    pthread_mutex_unlock(&http->lock);
    return taken;
}

void http_work_stop(struct shoal_http *http)
{
    pthread_mutex_lock(&http->lock);
    http->ending = true;
    pthread_cond_broadcast(&http->wanted);
    pthread_mutex_unlock(&http->lock);
    for (size_t i = 0; i < http->threads_count; i++)
        pthread_join(http->threads[i], NULL);
    free(http->threads);
}

void http_work_finish(struct shoal_http *http)
{
    pthread_cond_destroy(&http->wanted);
    pthread_mutex_destroy(&http->lock);
}
