/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a session: what a commit makes visible (telemetry.h), and how far each partition is. */
#include "model/base/clock.h"
#include "stream/session_internal.h"

void session_count_visible(struct session *s)
{
    s->meter.counts = *shoal_pipeline_counts(s->pipeline);
    shoal_delays_settle(&s->delays, shoal_clock_wall_ms(), &s->meter.delay);
}

static int64_t end_of(const struct session *s, int32_t index)
{
    int64_t end = s->source ? shoal_kafka_source_end(s->source, index) : -1;
    return end >= 0 ? end : s->partitions[index].end; /* nothing was fetched yet */
}

static size_t collect_standings(struct session *s)
{
    size_t count = 0;
    for (int32_t i = 0; i < s->options->partitions; i++) {
        const struct partition *p = &s->partitions[i];
        if (!p->assigned)
            continue;
        struct shoal_partition_standing *standing = &s->standings[count++];
        const struct shoal_correction *correction = shoal_pipeline_correction(s->pipeline, i);
        *standing = (struct shoal_partition_standing){
            .partition = i,
            .position = p->position,
            .end = end_of(s, i),
            .suppress_until = p->suppress_until,
            .timestamp_ms = p->timestamp_ms,
            .kafka_lag =
                s->source ? shoal_kafka_stats_lag(shoal_kafka_source_stats(s->source), i) : -1,
        };
        if (correction) {
            standing->correction = correction->delta;
            standing->outcomes = shoal_correction_sums(correction);
        }
    }
    return count;
}

static void take_clients(struct session *s)
{
    if (s->source)
        s->meter.consumer = shoal_kafka_source_stats(s->source)->figures;
    if (s->sink)
        s->meter.producer = shoal_kafka_sink_stats(s->sink)->figures;
}

void session_publish(struct session *s)
{
    s->meter.counts = *shoal_pipeline_counts(s->pipeline);
    s->meter.cached_users = shoal_pipeline_cached(s->pipeline);
    s->meter.unsaved_users = shoal_pipeline_dirty(s->pipeline);
    take_clients(s);
    size_t count = collect_standings(s);
    shoal_telemetry_publish(s->options->telemetry, s->options->index, &s->meter, s->standings, count,
                          shoal_clock_wall_ms());
}

/* The counts are those of the last commit to Kafka; what the clients did since is true without one. */
void session_publish_end(struct session *s, enum shoal_status status)
{
    take_clients(s);
    shoal_telemetry_session_ended(s->options->telemetry, s->options->index, &s->meter, status);
}
