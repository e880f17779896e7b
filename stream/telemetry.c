/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a process; see telemetry.h. */
#include "stream/telemetry.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/telemetry_internal.h"

struct slot {
    pthread_mutex_t lock; /* guards everything in the slot */
    struct shoal_meter before, now; /* of the sessions that ended, of the one that runs */
    struct shoal_partition_standing *partitions; /* owned */
    size_t partitions_count, partitions_capacity;
    bool working; /* the session that runs has published */
    int64_t published_ms; /* wall clock; 0: not yet */
    uint64_t ended[SHOAL_STATUS_COUNT];
};

struct shared {
    pthread_mutex_t lock; /* guards everything in it */
    int running;
    struct shoal_telemetry_service service;
    struct http_figures http;
    struct shoal_histogram delay_then, delay_lately; /* as they were; one takes the other's place */
    int64_t delay_ms; /* monotonic, of delay_lately */
};

enum { DELAY_WINDOW_MS = 30000 };

struct shoal_telemetry {
    char version[64];
    int workers;
    struct slot *slots;
    struct shared *shared;
};

enum shoal_status shoal_telemetry_create(const struct shoal_telemetry_options *options,
                                       struct shoal_telemetry **result)
{
    *result = NULL;
    struct shoal_telemetry *telemetry = calloc(1, sizeof *telemetry);
    if (!telemetry)
        return SHOAL_NOMEM;
    snprintf(telemetry->version, sizeof telemetry->version, "%s", options->version);
    telemetry->slots = calloc((size_t)options->workers, sizeof *telemetry->slots);
    telemetry->shared = calloc(1, sizeof *telemetry->shared);
    bool complete = telemetry->slots && telemetry->shared;
    if (telemetry->shared)
        pthread_mutex_init(&telemetry->shared->lock, NULL);
    for (; complete && telemetry->workers < options->workers; telemetry->workers++)
        pthread_mutex_init(&telemetry->slots[telemetry->workers].lock, NULL);
    if (!complete) {
        shoal_telemetry_destroy(telemetry);
        return SHOAL_NOMEM;
    }
    *result = telemetry;
    return SHOAL_OK;
}

void shoal_telemetry_destroy(struct shoal_telemetry *telemetry)
{
    if (!telemetry)
        return;
    for (int i = 0; i < telemetry->workers; i++) {
        pthread_mutex_destroy(&telemetry->slots[i].lock);
        free(telemetry->slots[i].partitions);
    }
    if (telemetry->shared)
        pthread_mutex_destroy(&telemetry->shared->lock);
    free(telemetry->slots);
    free(telemetry->shared);
    free(telemetry);
}

/* ---- workers ------------------------------------------------------------------------------- */

/* Room for `count` partitions; without memory fewer are shown. Returns how many there is room for. */
static size_t make_room(struct slot *slot, size_t count)
{
    if (count > slot->partitions_capacity) {
        struct shoal_partition_standing *grown =
            reallocarray(slot->partitions, count, sizeof *grown);
        if (!grown)
            return slot->partitions_capacity;
        slot->partitions = grown;
        slot->partitions_capacity = count;
    }
    return count;
}

void shoal_telemetry_publish(struct shoal_telemetry *telemetry, int worker,
                           const struct shoal_meter *meter,
                           const struct shoal_partition_standing *partitions, size_t count,
                           int64_t now_ms)
{
    struct slot *slot = &telemetry->slots[worker];
    pthread_mutex_lock(&slot->lock);
    slot->now = *meter;
    slot->working = true;
    count = make_room(slot, count);
    if (count > 0)
        memcpy(slot->partitions, partitions, count * sizeof *partitions);
    slot->partitions_count = count;
    slot->published_ms = now_ms;
    pthread_mutex_unlock(&slot->lock);
}

void shoal_telemetry_session_ended(struct shoal_telemetry *telemetry, int worker,
                                 const struct shoal_meter *meter, enum shoal_status status)
{
    struct slot *slot = &telemetry->slots[worker];
    struct shoal_meter ended = *meter;
    shoal_meter_end(&ended);
    pthread_mutex_lock(&slot->lock);
    shoal_meter_add(&slot->before, &ended);
    slot->now = (struct shoal_meter){0};
    slot->working = false;
    slot->ended[status]++;
    if (status == SHOAL_OK)
        slot->partitions_count = 0;
    pthread_mutex_unlock(&slot->lock);
}

/* ---- any thread ---------------------------------------------------------------------------- */

struct shoal_pipeline_counts shoal_telemetry_counts(const struct shoal_telemetry *telemetry, int worker)
{
    struct slot *slot = &telemetry->slots[worker];
    pthread_mutex_lock(&slot->lock);
    struct shoal_pipeline_counts counts = slot->before.counts;
    shoal_pipeline_counts_add(&counts, &slot->now.counts);
    pthread_mutex_unlock(&slot->lock);
    return counts;
}

bool shoal_telemetry_working(const struct shoal_telemetry *telemetry, int worker)
{
    struct slot *slot = &telemetry->slots[worker];
    pthread_mutex_lock(&slot->lock);
    bool working = slot->working;
    pthread_mutex_unlock(&slot->lock);
    return working;
}

void shoal_telemetry_serve(struct shoal_telemetry *telemetry, const struct shoal_telemetry_service *service)
{
    pthread_mutex_lock(&telemetry->shared->lock);
    telemetry->shared->service = *service;
    pthread_mutex_unlock(&telemetry->shared->lock);
}

void shoal_telemetry_running(struct shoal_telemetry *telemetry, int workers)
{
    pthread_mutex_lock(&telemetry->shared->lock);
    telemetry->shared->running = workers;
    pthread_mutex_unlock(&telemetry->shared->lock);
}

void shoal_telemetry_request(struct shoal_telemetry *telemetry, int code, int64_t duration_us)
{
    struct http_figures *http = &telemetry->shared->http;
    if (code < HTTP_CODE_MIN || code >= HTTP_CODE_MIN + HTTP_CODES)
        code = 500;
    pthread_mutex_lock(&telemetry->shared->lock);
    http->by_code[code - HTTP_CODE_MIN]++;
    shoal_histogram_observe(&http->duration, SHOAL_SCALE_DELAY, duration_us, 1);
    pthread_mutex_unlock(&telemetry->shared->lock);
}

static struct shoal_histogram delays(const struct shoal_telemetry *telemetry)
{
    struct shoal_histogram sum = {0};
    for (int i = 0; i < telemetry->workers; i++) {
        struct slot *slot = &telemetry->slots[i];
        pthread_mutex_lock(&slot->lock);
        shoal_histogram_add(&sum, &slot->before.delay);
        shoal_histogram_add(&sum, &slot->now.delay);
        pthread_mutex_unlock(&slot->lock);
    }
    return sum;
}

bool shoal_telemetry_delay(struct shoal_telemetry *telemetry, double *median, double *slowest)
{
    struct shared *shared = telemetry->shared;
    struct shoal_histogram now = delays(telemetry), lately = now;
    int64_t now_ms = shoal_clock_ms();
    pthread_mutex_lock(&shared->lock);
    if (now_ms - shared->delay_ms >= DELAY_WINDOW_MS) {
        shared->delay_then = shared->delay_lately;
        shared->delay_lately = now;
        shared->delay_ms = now_ms;
    }
    for (size_t i = 0; i <= SHOAL_HISTOGRAM_BOUNDS_MAX; i++)
        lately.counts[i] -= shared->delay_then.counts[i] < now.counts[i] ? shared->delay_then.counts[i] : now.counts[i];
    pthread_mutex_unlock(&shared->lock);
    if (shoal_histogram_count(&lately) == 0)
        return false;
    *median = shoal_histogram_quantile(&lately, SHOAL_SCALE_DELAY, 0.5);
    *slowest = shoal_histogram_quantile(&lately, SHOAL_SCALE_DELAY, 0.99);
    return true;
}

/* ---- snapshot ------------------------------------------------------------------------------ */

/* Behind those that are there already. False without memory. */
static bool take_partitions(struct snapshot *snapshot, const struct slot *slot)
{
    size_t count = snapshot->standings_count + slot->partitions_count;
    struct standing *grown = reallocarray(snapshot->standings, count + 1, sizeof *grown);
    if (!grown)
        return false;
    snapshot->standings = grown;
    for (size_t i = 0; i < slot->partitions_count; i++)
        grown[snapshot->standings_count++] = (struct standing){slot->partitions[i], slot->published_ms};
    return true;
}

static bool take_slot(struct snapshot *snapshot, int worker, struct slot *slot)
{
    pthread_mutex_lock(&slot->lock);
    shoal_meter_add(&snapshot->total, &slot->before);
    shoal_meter_add(&snapshot->total, &slot->now);
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++)
        snapshot->ended[i] += slot->ended[i];
    bool taken = take_partitions(snapshot, slot);
    snapshot->published_ms[worker] = slot->published_ms;
    pthread_mutex_unlock(&slot->lock);
    return taken;
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

void shoal_telemetry_write_at(const struct shoal_telemetry *telemetry, int64_t now_ms,
                            struct shoal_buffer *out)
{
    size_t workers = (size_t)telemetry->workers;
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    bool complete = false;
    if (snapshot) {
        snapshot->now_ms = now_ms;
        snapshot->version = telemetry->version;
        snapshot->workers = telemetry->workers;
        snapshot->published_ms = calloc(workers, sizeof *snapshot->published_ms);
        complete = snapshot->published_ms != NULL;
    }
    for (int i = 0; complete && i < telemetry->workers; i++)
        complete = take_slot(snapshot, i, &telemetry->slots[i]);
    if (complete) {
        take_shared(snapshot, telemetry->shared);
        keep_latest(snapshot);
        telemetry_write_snapshot(snapshot, out);
    } else {
        out->failed = true;
    }
    if (snapshot) {
        free(snapshot->published_ms);
        free(snapshot->standings);
    }
    free(snapshot);
}

void shoal_telemetry_write(const struct shoal_telemetry *telemetry, struct shoal_buffer *out)
{
    shoal_telemetry_write_at(telemetry, shoal_clock_wall_ms(), out);
}
