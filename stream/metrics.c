/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a process; see metrics.h. */
#include "stream/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/metrics_internal.h"

struct slot {
    pthread_mutex_t lock; /* guards everything in the slot */
    struct shoal_meter before, now; /* of the sessions that ended, of the one that runs */
    struct shoal_partition_standing *partitions; /* room for all of the topic */
    size_t partitions_count;
    int64_t published_ms; /* wall clock; 0: not yet */
    uint64_t ended[SHOAL_STATUS_COUNT];
};

struct shared {
    pthread_mutex_t lock; /* guards everything in it */
    int running;
    struct shoal_metrics_service service;
    struct http_figures http;
};

struct shoal_metrics {
    char version[64];
    int workers;
    size_t partitions;
    struct slot *slots;
    struct shared *shared;
};

enum shoal_status shoal_metrics_create(const struct shoal_metrics_options *options,
                                       struct shoal_metrics **result)
{
    *result = NULL;
    struct shoal_metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics)
        return SHOAL_NOMEM;
    snprintf(metrics->version, sizeof metrics->version, "%s", options->version);
    metrics->partitions = (size_t)options->partitions;
    metrics->slots = calloc((size_t)options->workers, sizeof *metrics->slots);
    metrics->shared = calloc(1, sizeof *metrics->shared);
    bool complete = metrics->slots && metrics->shared;
    if (metrics->shared)
        pthread_mutex_init(&metrics->shared->lock, NULL);
    for (; complete && metrics->workers < options->workers; metrics->workers++) {
        struct slot *slot = &metrics->slots[metrics->workers];
        slot->partitions = calloc(metrics->partitions, sizeof *slot->partitions);
        if (!slot->partitions)
            complete = false;
        pthread_mutex_init(&slot->lock, NULL);
    }
    if (!complete) {
        shoal_metrics_destroy(metrics);
        return SHOAL_NOMEM;
    }
    *result = metrics;
    return SHOAL_OK;
}

void shoal_metrics_destroy(struct shoal_metrics *metrics)
{
    if (!metrics)
        return;
    for (int i = 0; i < metrics->workers; i++) {
        pthread_mutex_destroy(&metrics->slots[i].lock);
        free(metrics->slots[i].partitions);
    }
    if (metrics->shared)
        pthread_mutex_destroy(&metrics->shared->lock);
    free(metrics->slots);
    free(metrics->shared);
    free(metrics);
}

/* ---- workers ------------------------------------------------------------------------------- */

void shoal_metrics_publish(struct shoal_metrics *metrics, int worker,
                           const struct shoal_meter *meter,
                           const struct shoal_partition_standing *partitions, size_t count,
                           int64_t now_ms)
{
    struct slot *slot = &metrics->slots[worker];
    if (count > metrics->partitions)
        count = metrics->partitions;
    pthread_mutex_lock(&slot->lock);
    slot->now = *meter;
    if (count > 0)
        memcpy(slot->partitions, partitions, count * sizeof *partitions);
    slot->partitions_count = count;
    slot->published_ms = now_ms;
    pthread_mutex_unlock(&slot->lock);
}

void shoal_metrics_session_ended(struct shoal_metrics *metrics, int worker,
                                 const struct shoal_meter *meter, enum shoal_status status)
{
    struct slot *slot = &metrics->slots[worker];
    struct shoal_meter ended = *meter;
    shoal_meter_end(&ended);
    pthread_mutex_lock(&slot->lock);
    shoal_meter_add(&slot->before, &ended);
    slot->now = (struct shoal_meter){0};
    slot->ended[status]++;
    if (status == SHOAL_OK)
        slot->partitions_count = 0;
    pthread_mutex_unlock(&slot->lock);
}

/* ---- any thread ---------------------------------------------------------------------------- */

struct shoal_pipeline_counts shoal_metrics_counts(const struct shoal_metrics *metrics, int worker)
{
    struct slot *slot = &metrics->slots[worker];
    pthread_mutex_lock(&slot->lock);
    struct shoal_pipeline_counts counts = slot->before.counts;
    shoal_pipeline_counts_add(&counts, &slot->now.counts);
    pthread_mutex_unlock(&slot->lock);
    return counts;
}

void shoal_metrics_serve(struct shoal_metrics *metrics, const struct shoal_metrics_service *service)
{
    pthread_mutex_lock(&metrics->shared->lock);
    metrics->shared->service = *service;
    pthread_mutex_unlock(&metrics->shared->lock);
}

void shoal_metrics_running(struct shoal_metrics *metrics, int workers)
{
    pthread_mutex_lock(&metrics->shared->lock);
    metrics->shared->running = workers;
    pthread_mutex_unlock(&metrics->shared->lock);
}

void shoal_metrics_request(struct shoal_metrics *metrics, int code, int64_t duration_us)
{
    struct http_figures *http = &metrics->shared->http;
    if (code < HTTP_CODE_MIN || code >= HTTP_CODE_MIN + HTTP_CODES)
        code = 500;
    pthread_mutex_lock(&metrics->shared->lock);
    http->by_code[code - HTTP_CODE_MIN]++;
    shoal_histogram_observe(&http->duration, SHOAL_SCALE_DELAY, duration_us, 1);
    pthread_mutex_unlock(&metrics->shared->lock);
}

/* ---- snapshot ------------------------------------------------------------------------------ */

static void take_slot(struct snapshot *snapshot, int worker, struct slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    shoal_meter_add(&snapshot->total, &slot->before);
    shoal_meter_add(&snapshot->total, &slot->now);
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++)
        snapshot->ended[i] += slot->ended[i];
    for (size_t i = 0; i < slot->partitions_count; i++)
        snapshot->standings[snapshot->standings_count++] =
            (struct standing){slot->partitions[i], slot->published_ms};
    snapshot->published_ms[worker] = slot->published_ms;
    pthread_mutex_unlock(&slot->lock);
}

static void take_shared(struct snapshot *snapshot, struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    snapshot->running = shared->running;
    snapshot->service = shared->service;
    snapshot->http = shared->http;
    pthread_mutex_unlock(&shared->lock);
}

/* By partition; what was said last comes first. */
static int compare(const void *a, const void *b)
{
    const struct standing *one = a, *two = b;
    if (one->of.partition != two->of.partition)
        return one->of.partition < two->of.partition ? -1 : 1;
    return (one->published_ms < two->published_ms) - (one->published_ms > two->published_ms);
}

/* A worker whose session failed may still name a partition that another worker of the process has by now. */
static void keep_latest(struct snapshot *snapshot)
{
    size_t kept = 0;
    if (snapshot->standings_count > 0)
        qsort(snapshot->standings, snapshot->standings_count, sizeof *snapshot->standings, compare);
    for (size_t i = 0; i < snapshot->standings_count; i++) {
        const struct standing *standing = &snapshot->standings[i];
        if (kept == 0 || snapshot->standings[kept - 1].of.partition != standing->of.partition)
            snapshot->standings[kept++] = *standing;
    }
    snapshot->standings_count = kept;
}

void shoal_metrics_write_at(const struct shoal_metrics *metrics, int64_t now_ms,
                            struct shoal_buffer *out)
{
    size_t workers = (size_t)metrics->workers;
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot) {
        snapshot->now_ms = now_ms;
        snapshot->version = metrics->version;
        snapshot->workers = metrics->workers;
        snapshot->published_ms = calloc(workers, sizeof *snapshot->published_ms);
        snapshot->standings = calloc(workers * metrics->partitions, sizeof *snapshot->standings);
    }
    if (snapshot && snapshot->published_ms && snapshot->standings) {
        for (int i = 0; i < metrics->workers; i++)
            take_slot(snapshot, i, &metrics->slots[i]);
        take_shared(snapshot, metrics->shared);
        keep_latest(snapshot);
        metrics_write_snapshot(snapshot, out);
    } else {
        out->failed = true;
    }
    if (snapshot) {
        free(snapshot->published_ms);
        free(snapshot->standings);
    }
    free(snapshot);
}

void shoal_metrics_write(const struct shoal_metrics *metrics, struct shoal_buffer *out)
{
    shoal_metrics_write_at(metrics, shoal_clock_wall_ms(), out);
}
