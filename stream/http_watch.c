/* SPDX-License-Identifier: Apache-2.0 */
/* The watch over all instances; see http_watch.h. */
#include "stream/http_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "state/store.h"
#include "stream/history.h"
#include "stream/kafka_client.h"
#include "stream/store_options.h"

enum { FRESH_MS = 1000, PATIENCE_MS = 10000, ENDS_TIMEOUT_MS = 1000, KAFKA_REST_MS = 30000 };

struct shoal_watch {
    const struct shoal_http_options *options;
    struct shoal_watch_hooks hooks;
    int64_t started_ms;
    pthread_t thread;
    bool threaded;
    struct shoal_store *store;           /* of the thread */
    struct shoal_kafka_monitor *monitor; /* of the thread; NULL: not made yet */
    int64_t kafka_again_ms;              /* a broker that did not answer is asked again then */
    pthread_mutex_t lock;                /* guards what follows */
    pthread_cond_t changed;
    bool ending, wanted;
    int32_t partitions; /* 0: not known yet */
    uint64_t looks;     /* finished, well or not */
    struct shoal_seen *seen;
    enum shoal_status status; /* of the last look */
    struct shoal_message why;
    struct shoal_history *history;
};

/* ---- documents ----------------------------------------------------------------------------- */

static void free_seen(struct shoal_seen *seen)
{
    if (!seen)
        return;
    free(seen->segments);
    free(seen->promotions);
    free(seen->overview);
    free(seen);
}

static FILE *begin(struct shoal_put *put, char **text, size_t *size)
{
    *put = (struct shoal_put){.out = open_memstream(text, size)};
    if (put->out)
        shoal_put_open(put, NULL, '{');
    return put->out;
}

static void end(struct shoal_put *put)
{
    shoal_put_close(put, '}');
    fclose(put->out);
}

static void write_segments(struct shoal_seen *seen, const struct shoal_overview *overview,
                           const struct shoal_model *model)
{
    struct shoal_put put;
    if (!begin(&put, &seen->segments, &seen->segments_size))
        return;
    shoal_put_time(&put, "as_of", overview->as_of_ms);
    shoal_put_count(&put, "users", overview->tally.users);
    shoal_overview_put_dimensions(&put, "dimensions", &overview->tally, model->clusters);
    end(&put);
}

static void write_promotions(struct shoal_seen *seen, const struct shoal_overview *overview,
                             const struct shoal_policy *policy)
{
    struct shoal_put put;
    if (!begin(&put, &seen->promotions, &seen->promotions_size))
        return;
    shoal_put_time(&put, "as_of", overview->as_of_ms);
    shoal_put_text(&put, "policy", policy ? policy->version : NULL);
    shoal_overview_put_promotions(&put, overview, policy);
    end(&put);
}

/* How long what waits will take at the present pace. */
static void put_lag(struct shoal_put *put, const struct shoal_overview *overview, double pace)
{
    int64_t messages = shoal_overview_lag(overview);
    shoal_put_open(put, "lag", '{');
    if (messages < 0)
        shoal_put_null(put, "messages");
    else
        shoal_put_int(put, "messages", messages);
    if (messages == 0)
        shoal_put_int(put, "seconds", 0);
    else if (messages > 0 && pace > 0)
        shoal_put_real(put, "seconds", (double)messages / pace);
    else
        shoal_put_null(put, "seconds");
    shoal_put_close(put, '}');
}

static void put_delay(struct shoal_put *put, const struct shoal_http_hooks *hooks)
{
    double median, slowest;
    if (!hooks->delay || !hooks->delay(hooks->opaque, &median, &slowest)) {
        shoal_put_null(put, "delay");
        return;
    }
    shoal_put_open(put, "delay", '{');
    shoal_put_real(put, "p50_seconds", median);
    shoal_put_real(put, "p99_seconds", slowest);
    shoal_put_close(put, '}');
}

static bool is_ready(const struct shoal_http_hooks *hooks)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return false;
    struct shoal_put nowhere = {.out = out};
    bool ready = hooks->ready && hooks->ready(hooks->opaque, &nowhere);
    fclose(out);
    free(text);
    return ready;
}

static void write_overview(struct shoal_watch *watch, struct shoal_seen *seen,
                           const struct shoal_overview *overview, const struct shoal_model *model,
                           const struct shoal_policy *policy, double pace)
{
    const struct shoal_http_options *o = watch->options;
    struct shoal_put put;
    if (!begin(&put, &seen->overview, &seen->overview_size))
        return;
    shoal_put_time(&put, "as_of", overview->as_of_ms);
    shoal_put_text(&put, "instance", o->instance);
    shoal_put_int(&put, "uptime_seconds", (shoal_clock_ms() - watch->started_ms) / 1000);
    shoal_put_flag(&put, "ready", is_ready(&o->hooks));
    shoal_put_count(&put, "users", overview->tally.users);
    shoal_put_real(&put, "events_per_second", pace);
    shoal_put_count(&put, "events_total", overview->tally.events);
    put_lag(&put, overview, pace);
    put_delay(&put, &o->hooks);
    shoal_overview_put_partitions(&put, overview);
    shoal_put_text(&put, "model", model->version);
    shoal_put_text(&put, "policy", policy ? policy->version : NULL);
    shoal_overview_put_dimensions(&put, "segments", &overview->tally, model->clusters);
    shoal_overview_put_promotions(&put, overview, policy);
    shoal_put_count(&put, "late_total", overview->tally.late);
    shoal_put_count(&put, "repeated_total", overview->tally.repeated);
    shoal_put_count(&put, "deadletters_total", overview->tally.deadletters);
    shoal_put_count(&put, "stream_clients", watch->hooks.stream_clients(watch->hooks.opaque));
    end(&put);
}

/* ---- a look -------------------------------------------------------------------------------- */

/* A broker that is away makes the lag unknown, and is left alone for a while. */
static void read_ends(struct shoal_watch *watch, struct shoal_overview *overview)
{
    struct shoal_message message = {.text = ""};
    int64_t now_ms = shoal_clock_ms();
    if (now_ms < watch->kafka_again_ms)
        return;
    enum shoal_status status = SHOAL_OK;
    if (!watch->monitor)
        status = shoal_kafka_monitor_create(watch->options->config, watch->options->log, &watch->monitor,
                                            &message);
    int64_t *ends = calloc((size_t)overview->partitions_count + 1, sizeof *ends);
    if (status == SHOAL_OK && ends)
        status = shoal_kafka_end_offsets_within(watch->monitor, overview->partitions_count,
                                                ENDS_TIMEOUT_MS, ends, &message);
    if (status != SHOAL_OK)
        watch->kafka_again_ms = now_ms + KAFKA_REST_MS;
    for (int32_t i = 0; status == SHOAL_OK && ends && i < overview->partitions_count; i++)
        overview->partitions[i].end_offset = ends[i];
    free(ends);
}

static enum shoal_status look(struct shoal_watch *watch, int32_t partitions, bool sample,
                              struct shoal_seen **result, struct shoal_message *message)
{
    const struct shoal_http_options *o = watch->options;
    const struct shoal_model *model = shoal_models_latest(o->models);
    const struct shoal_policy *policy = shoal_policies_latest(o->policies);
    struct shoal_overview *overview = calloc(1, sizeof *overview);
    struct shoal_seen *seen = calloc(1, sizeof *seen);
    enum shoal_status status = SHOAL_NOMEM;
    if (overview && seen)
        status = shoal_overview_read(watch->store, partitions, model->clusters, policy, overview, message);
    if (status == SHOAL_OK) {
        read_ends(watch, overview);
        pthread_mutex_lock(&watch->lock);
        double pace = shoal_history_pace(watch->history, overview);
        if (sample)
            shoal_history_add(watch->history, overview);
        pthread_mutex_unlock(&watch->lock);
        seen->made_ms = shoal_clock_ms();
        seen->references = 1;
        write_segments(seen, overview, model);
        write_promotions(seen, overview, policy);
        write_overview(watch, seen, overview, model, policy, pace);
        if (!seen->segments || !seen->promotions || !seen->overview)
            status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (overview)
        shoal_overview_finish(overview);
    free(overview);
    shoal_policies_release(o->policies, policy);
    shoal_models_release(o->models, model);
    if (status != SHOAL_OK) {
        free_seen(seen);
        seen = NULL;
    }
    *result = seen;
    return status;
}

/* ---- thread -------------------------------------------------------------------------------- */

static void drop(struct shoal_seen *seen) /* locked */
{
    if (seen && --seen->references == 0)
        free_seen(seen);
}

/* Waits on the condition until a time of the monotonic clock. */
static void wait_until(struct shoal_watch *watch, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    (void)pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
}

static void *run(void *opaque)
{
    struct shoal_watch *watch = opaque;
    int64_t sample_ms = 0, looked_ms = 0; /* the next sample is due; the last look */
    pthread_mutex_lock(&watch->lock);
    while (!watch->ending) {
        int64_t now_ms = shoal_clock_ms(), due_ms = sample_ms;
        if (watch->wanted && looked_ms + FRESH_MS < due_ms)
            due_ms = looked_ms + FRESH_MS;
        if (watch->partitions == 0 || now_ms < due_ms) {
            wait_until(watch, watch->partitions == 0 ? now_ms + FRESH_MS : due_ms);
            continue;
        }
        int32_t partitions = watch->partitions;
        bool sample = now_ms >= sample_ms;
        struct shoal_seen *seen;
        struct shoal_message why = {.text = ""};
        watch->wanted = false;
        pthread_mutex_unlock(&watch->lock);
        enum shoal_status status = look(watch, partitions, sample, &seen, &why);
        pthread_mutex_lock(&watch->lock);
        looked_ms = now_ms;
        if (sample)
            sample_ms = now_ms + SHOAL_HISTORY_INTERVAL_MS;
        watch->status = status;
        watch->why = why;
        watch->looks++;
        if (seen) {
            drop(watch->seen);
            watch->seen = seen;
        }
        pthread_cond_broadcast(&watch->changed);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

enum shoal_status shoal_watch_create(const struct shoal_http_options *options,
                                     const struct shoal_watch_hooks *hooks, struct shoal_watch **result,
                                     struct shoal_message *message)
{
    const struct shoal_config *config = options->config;
    struct shoal_redis_options redis = shoal_store_options(config);
    redis.timeout_ms = redis.timeout_ms < 2000 ? redis.timeout_ms : 2000;
    *result = NULL;
    struct shoal_watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&watch->lock, NULL);
    watch->options = options;
    watch->hooks = *hooks;
    watch->started_ms = shoal_clock_ms();
    watch->status = SHOAL_UNAVAILABLE;
    watch->history = shoal_history_create();
    enum shoal_status status = watch->history ? shoal_redis_store_create(&redis, &watch->store, message)
                                              : shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (status == SHOAL_OK) {
        watch->threaded = pthread_create(&watch->thread, NULL, run, watch) == 0;
        if (!watch->threaded)
            status = shoal_fail(message, SHOAL_NOMEM, "cannot start a thread");
    }
    if (status != SHOAL_OK) {
        shoal_watch_destroy(watch);
        return status;
    }
    *result = watch;
    return SHOAL_OK;
}

void shoal_watch_end(struct shoal_watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->ending = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void shoal_watch_destroy(struct shoal_watch *watch)
{
    if (!watch)
        return;
    shoal_watch_end(watch);
    if (watch->threaded)
        pthread_join(watch->thread, NULL);
    drop(watch->seen);
    shoal_history_destroy(watch->history);
    shoal_kafka_monitor_destroy(watch->monitor);
    if (watch->store)
        watch->store->ops->destroy(watch->store);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

void shoal_watch_partitions(struct shoal_watch *watch, int32_t partitions)
{
    pthread_mutex_lock(&watch->lock);
    watch->partitions = partitions;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool is_fresh(const struct shoal_watch *watch)
{
    return watch->status == SHOAL_OK && watch->seen &&
           shoal_clock_ms() - watch->seen->made_ms < FRESH_MS;
}

enum shoal_status shoal_watch_see(struct shoal_watch *watch, struct shoal_seen **seen,
                                  struct shoal_message *message)
{
    int64_t patience_ms = shoal_clock_ms() + PATIENCE_MS;
    enum shoal_status status = SHOAL_OK;
    *seen = NULL;
    pthread_mutex_lock(&watch->lock);
    uint64_t looks = watch->looks;
    watch->wanted = watch->wanted || !is_fresh(watch);
    pthread_cond_broadcast(&watch->changed);
    while (!is_fresh(watch) && watch->looks == looks && watch->partitions && !watch->ending &&
           shoal_clock_ms() < patience_ms)
        wait_until(watch, patience_ms);
    if (watch->partitions == 0)
        status = shoal_fail(message, SHOAL_UNAVAILABLE, "no broker has told of the topics yet");
    else if (watch->ending || (watch->looks == looks && !is_fresh(watch)))
        status = shoal_fail(message, SHOAL_UNAVAILABLE, "the store does not answer");
    else if (watch->status != SHOAL_OK)
        status = shoal_fail(message, watch->status, "%s", watch->why.text);
    if (status == SHOAL_OK) {
        *seen = watch->seen;
        (*seen)->references++;
    }
    pthread_mutex_unlock(&watch->lock);
    return status;
}

struct shoal_seen *shoal_watch_glance(struct shoal_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    struct shoal_seen *seen = watch->seen;
    if (seen)
        seen->references++;
    if (!watch->wanted && !is_fresh(watch)) {
        watch->wanted = true;
        pthread_cond_broadcast(&watch->changed);
    }
    pthread_mutex_unlock(&watch->lock);
    return seen;
}

void shoal_watch_release(struct shoal_watch *watch, struct shoal_seen *seen)
{
    pthread_mutex_lock(&watch->lock);
    drop(seen);
    pthread_mutex_unlock(&watch->lock);
}

void shoal_watch_history(struct shoal_watch *watch, struct shoal_put *put, unsigned minutes)
{
    const struct shoal_policy *policy = shoal_policies_latest(watch->options->policies);
    pthread_mutex_lock(&watch->lock);
    shoal_history_put(watch->history, put, minutes, policy);
    pthread_mutex_unlock(&watch->lock);
    shoal_policies_release(watch->options->policies, policy);
}
