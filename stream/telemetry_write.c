/* SPDX-License-Identifier: Apache-2.0 */
/* From figures to text, family by family in the order of metrics_list.h; see telemetry.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "stream/exposition.h"
#include "stream/telemetry_internal.h"
#include "stream/process_figures.h"

/* A worker that has not committed for so long is taken to be behind, whatever it saw last. */
enum { QUIET_MS = 10000 };

static void count(struct shoal_exposition *e, enum shoal_metric metric, uint64_t value)
{
    shoal_exposition_family(e, metric);
    shoal_exposition_count(e, NULL, value);
}

static void real(struct shoal_exposition *e, enum shoal_metric metric, double value)
{
    shoal_exposition_family(e, metric);
    shoal_exposition_real(e, NULL, value);
}

static void histogram(struct shoal_exposition *e, enum shoal_metric metric, enum shoal_scale scale,
                      const struct shoal_histogram *value)
{
    shoal_exposition_family(e, metric);
    shoal_exposition_histogram(e, scale, value);
}

/* A family's value with one label. */
static void labelled_count(struct shoal_exposition *e, const char *label, uint64_t value)
{
    shoal_exposition_count(e, &label, value);
}

static void labelled_real(struct shoal_exposition *e, const char *label, double value)
{
    shoal_exposition_real(e, &label, value);
}

/* ---- flow ---------------------------------------------------------------------------------- */

static void write_events(struct shoal_exposition *e, const struct shoal_pipeline_counts *counts)
{
    uint64_t written = 0;
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++)
        written += counts->deadletters_by[i];
    uint64_t late = counts->late - counts->late_suppressed;
    shoal_exposition_family(e, SHOAL_METRIC_events);
    labelled_count(e, "applied", counts->events - counts->suppressed - late);
    labelled_count(e, "late", late);
    labelled_count(e, "repeated", counts->repeated);
    labelled_count(e, "declined", counts->declined);
    labelled_count(e, "recovered", counts->suppressed);
    labelled_count(e, "deadletter", written);
    shoal_exposition_family(e, SHOAL_METRIC_dead_letters);
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++) {
        enum shoal_status status = (enum shoal_status)i;
        if (shoal_status_class(status) == SHOAL_CLASS_SKIP)
            labelled_count(e, shoal_status_code(status), counts->deadletters_by[i]);
    }
}

static void write_decisions(struct shoal_exposition *e,
                            const struct shoal_promotion_counts *promotions)
{
    shoal_exposition_family(e, SHOAL_METRIC_decisions);
    for (size_t i = 0; i < promotions->count; i++) {
        const struct shoal_promotion_count *one = &promotions->list[i];
        for (int eligible = 1; eligible >= 0; eligible--) {
            for (int control = 0; control < 2; control++) {
                const char *labels[] = {one->id, eligible ? "true" : "false",
                                        control ? "control" : "treatment"};
                shoal_exposition_count(e, labels, one->decisions[eligible][control]);
            }
        }
    }
}

static void write_flow(struct shoal_exposition *e, const struct snapshot *s)
{
    const struct shoal_pipeline_counts *counts = &s->total.counts;
    count(e, SHOAL_METRIC_messages, counts->messages);
    write_events(e, counts);
    shoal_exposition_family(e, SHOAL_METRIC_segment_changes);
    for (int i = 0; i < SHOAL_DIMENSION_COUNT; i++)
        labelled_count(e, shoal_dimension_name((enum shoal_dimension)i), counts->changes_by[i]);
    write_decisions(e, &counts->promotions);
    count(e, SHOAL_METRIC_forgotten, counts->forgotten);
    count(e, SHOAL_METRIC_timers, counts->timers);
    count(e, SHOAL_METRIC_batches, counts->batches);
    shoal_exposition_family(e, SHOAL_METRIC_stages);
    for (int i = 0; i < SHOAL_STAGE_COUNT; i++)
        labelled_real(e, shoal_stage_name((enum shoal_stage)i), (double)counts->stage_ns[i] / 1e9);
}

/* ---- delay and lag ------------------------------------------------------------------------- */

static double lag_seconds(const struct snapshot *s, const struct standing *standing)
{
    const struct shoal_partition_standing *p = &standing->of;
    int64_t lag_ms = 0, quiet_ms = s->now_ms - standing->published_ms;
    if (p->end > p->position && p->timestamp_ms >= 0)
        lag_ms = s->now_ms - p->timestamp_ms;
    if (quiet_ms >= QUIET_MS && quiet_ms > lag_ms)
        lag_ms = quiet_ms;
    return lag_ms > 0 ? (double)lag_ms / 1000 : 0;
}

static void write_delay(struct shoal_exposition *e, const struct snapshot *s)
{
    char number[24];
    histogram(e, SHOAL_METRIC_delay, SHOAL_SCALE_DELAY, &s->total.delay);
    histogram(e, SHOAL_METRIC_commit_duration, SHOAL_SCALE_DELAY, &s->total.commit);
    shoal_exposition_family(e, SHOAL_METRIC_last_commit);
    for (int i = 0; i < s->workers; i++) {
        snprintf(number, sizeof number, "%d", i);
        labelled_real(e, number, (double)s->published_ms[i] / 1000);
    }
}

static void write_lag(struct shoal_exposition *e, const struct snapshot *s)
{
    static const enum shoal_metric metrics[] = {SHOAL_METRIC_lag_messages, SHOAL_METRIC_lag_seconds,
                                                SHOAL_METRIC_recovering};
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        shoal_exposition_family(e, metrics[m]);
        for (size_t i = 0; i < s->standings_count; i++) {
            const struct shoal_partition_standing *p = &s->standings[i].of;
            int64_t lag = p->end > p->position ? p->end - p->position : 0;
            int64_t left = p->suppress_until > p->position ? p->suppress_until - p->position : 0;
            char number[24];
            snprintf(number, sizeof number, "%" PRId32, p->partition);
            if (metrics[m] == SHOAL_METRIC_lag_seconds)
                labelled_real(e, number, lag_seconds(s, &s->standings[i]));
            else if (metrics[m] == SHOAL_METRIC_recovering)
                labelled_count(e, number, (uint64_t)left);
            else if (p->end >= 0)
                labelled_count(e, number, (uint64_t)lag);
        }
    }
}

/* ---- states and sessions ------------------------------------------------------------------- */

static void write_states(struct shoal_exposition *e, const struct snapshot *s)
{
    const struct shoal_meter *total = &s->total;
    count(e, SHOAL_METRIC_cache_hits, total->counts.lookups - total->counts.loaded);
    count(e, SHOAL_METRIC_cache_misses, total->counts.loaded);
    count(e, SHOAL_METRIC_cached_users, total->cached_users);
    count(e, SHOAL_METRIC_unsaved_users, total->unsaved_users);
    count(e, SHOAL_METRIC_saved, total->counts.saved);
    count(e, SHOAL_METRIC_rebuilt, total->counts.rebuilt);
    histogram(e, SHOAL_METRIC_redis_load, SHOAL_SCALE_CALL, &total->store.load);
    histogram(e, SHOAL_METRIC_redis_save, SHOAL_SCALE_CALL, &total->store.save);
    count(e, SHOAL_METRIC_redis_failures, total->store.failures);
}

static void write_sessions(struct shoal_exposition *e, const struct snapshot *s)
{
    shoal_exposition_family(e, SHOAL_METRIC_sessions_ended);
    for (int i = 0; i < SHOAL_STATUS_COUNT; i++) {
        enum shoal_status status = (enum shoal_status)i;
        enum shoal_status_class class = shoal_status_class(status);
        if (status == SHOAL_OK || class == SHOAL_CLASS_RETRY || class == SHOAL_CLASS_STOP)
            labelled_count(e, shoal_status_code(status), s->ended[i]);
    }
    shoal_exposition_family(e, SHOAL_METRIC_partitions_moved);
    for (int i = 0; i < SHOAL_MOVE_COUNT; i++)
        labelled_count(e, shoal_move_name((enum shoal_move)i), s->total.moves[i]);
}

/* ---- model and policy ---------------------------------------------------------------------- */

static void write_service(struct shoal_exposition *e, const struct snapshot *s)
{
    const struct shoal_telemetry_service *service = &s->service;
    shoal_exposition_family(e, SHOAL_METRIC_model_info);
    if (service->model[0])
        labelled_count(e, service->model, 1);
    shoal_exposition_family(e, SHOAL_METRIC_model_age);
    if (service->model_written_ms > 0)
        labelled_real(e, service->model, (double)(s->now_ms - service->model_written_ms) / 1000);
    shoal_exposition_family(e, SHOAL_METRIC_model_trained);
    if (service->model_trained_until_ms > 0)
        labelled_real(e, service->model, (double)service->model_trained_until_ms / 1000);
    shoal_exposition_family(e, SHOAL_METRIC_policy_info);
    if (service->policy[0])
        labelled_count(e, service->policy, 1);
}

static void write_calibration(struct shoal_exposition *e, const struct snapshot *s)
{
    struct shoal_correction_sums sums = {0};
    for (size_t i = 0; i < s->standings_count; i++) {
        const struct shoal_correction_sums *one = &s->standings[i].of.outcomes;
        sums.samples += one->samples;
        sums.predicted += one->predicted;
        sums.positives += one->positives;
    }
    double samples = (double)sums.samples;
    count(e, SHOAL_METRIC_calibration_samples, sums.samples);
    real(e, SHOAL_METRIC_calibration_predicted, sums.samples ? sums.predicted / samples : NAN);
    real(e, SHOAL_METRIC_calibration_observed, sums.samples ? sums.positives / samples : NAN);
    shoal_exposition_family(e, SHOAL_METRIC_calibration_correction);
    for (size_t i = 0; i < s->standings_count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%" PRId32, s->standings[i].of.partition);
        labelled_real(e, number, (double)s->standings[i].of.correction);
    }
}

/* ---- HTTP, librdkafka, process ------------------------------------------------------------- */

static void write_http(struct shoal_exposition *e, const struct snapshot *s)
{
    const struct http_figures *http = &s->http;
    shoal_exposition_family(e, SHOAL_METRIC_http_requests);
    for (int i = 0; i < HTTP_CODES; i++) {
        char code[12];
        snprintf(code, sizeof code, "%d", HTTP_CODE_MIN + i);
        if (http->by_code[i])
            labelled_count(e, code, http->by_code[i]);
    }
    histogram(e, SHOAL_METRIC_http_duration, SHOAL_SCALE_DELAY, &http->duration);
    count(e, SHOAL_METRIC_http_files_refused, s->service.refused_files);
}

static void both_count(struct shoal_exposition *e, enum shoal_metric metric, uint64_t consumer,
                       uint64_t producer)
{
    shoal_exposition_family(e, metric);
    labelled_count(e, "consumer", consumer);
    labelled_count(e, "producer", producer);
}

static void both_real(struct shoal_exposition *e, enum shoal_metric metric, double consumer,
                      double producer)
{
    shoal_exposition_family(e, metric);
    labelled_real(e, "consumer", consumer);
    labelled_real(e, "producer", producer);
}

static void write_kafka(struct shoal_exposition *e, const struct snapshot *s)
{
    const struct shoal_kafka_figures *c = &s->total.consumer, *p = &s->total.producer;
    both_real(e, SHOAL_METRIC_kafka_rtt, c->rtt_s, p->rtt_s);
    both_real(e, SHOAL_METRIC_kafka_rtt_p99, c->rtt_p99_s, p->rtt_p99_s);
    both_count(e, SHOAL_METRIC_kafka_requests, c->requests, p->requests);
    both_count(e, SHOAL_METRIC_kafka_retries, c->retries, p->retries);
    both_count(e, SHOAL_METRIC_kafka_timeouts, c->timeouts, p->timeouts);
    both_count(e, SHOAL_METRIC_kafka_sent, c->sent_messages, p->sent_messages);
    both_count(e, SHOAL_METRIC_kafka_received, c->received_messages, p->received_messages);
    both_count(e, SHOAL_METRIC_kafka_sent_bytes, c->sent_bytes, p->sent_bytes);
    both_count(e, SHOAL_METRIC_kafka_received_bytes, c->received_bytes, p->received_bytes);
    both_count(e, SHOAL_METRIC_kafka_outbuf, c->waiting_requests, p->waiting_requests);
    both_count(e, SHOAL_METRIC_kafka_queue, c->queued_messages, p->queued_messages);
    count(e, SHOAL_METRIC_kafka_rebalances, c->rebalances);
    shoal_exposition_family(e, SHOAL_METRIC_kafka_lag);
    for (size_t i = 0; i < s->standings_count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%" PRId32, s->standings[i].of.partition);
        if (s->standings[i].of.kafka_lag >= 0)
            labelled_count(e, number, (uint64_t)s->standings[i].of.kafka_lag);
    }
}

static void write_process(struct shoal_exposition *e)
{
    struct shoal_process_figures process = shoal_process_figures();
    real(e, SHOAL_METRIC_process_cpu, process.cpu_s);
    count(e, SHOAL_METRIC_process_resident, process.resident_bytes);
    count(e, SHOAL_METRIC_process_virtual, process.virtual_bytes);
    count(e, SHOAL_METRIC_process_fds, process.fds);
    count(e, SHOAL_METRIC_process_max_fds, process.max_fds);
    real(e, SHOAL_METRIC_process_start, process.start_s);
}

void telemetry_write_snapshot(const struct snapshot *s, struct shoal_buffer *out)
{
    struct shoal_exposition e;
    shoal_exposition_begin(&e, out);
    shoal_exposition_family(&e, SHOAL_METRIC_build_info);
    labelled_count(&e, s->version, 1);
    count(&e, SHOAL_METRIC_workers, (uint64_t)s->running);
    write_flow(&e, s);
    write_delay(&e, s);
    write_lag(&e, s);
    write_states(&e, s);
    write_sessions(&e, s);
    write_service(&e, s);
    write_calibration(&e, s);
    write_http(&e, s);
    write_kafka(&e, s);
    write_process(&e);
    shoal_exposition_end(&e);
}
