/* SPDX-License-Identifier: Apache-2.0 */
/* Quiet partitions of a session are told the time.
 *
 * Timers fall due by event time, and in a partition without events no time passes. So who owns one in which
 * a timer is due by the clock, and to which no event came for timers.idle, writes a message that tells the
 * time (tick.h) into it. It comes back like an event, and everything else follows: what falls due is decided
 * by the log alone, also after a crash, and in a replay.
 *
 * A partition whose event time is not today's is left alone: old events that are being read, for a test
 * or after a long outage, say nothing of now. */
#include "model/base/clock.h"
#include "stream/session_internal.h"
#include "stream/tick.h"

enum { TICKS_MAX = 512 }; /* at once; each lets a few timers fall due */
static const int64_t LIVE_MS = INT64_C(86400000);

static enum shoal_status tell(struct session *s, int32_t partition, int64_t now_ms, size_t ticks,
                              struct shoal_message *message)
{
    char text[SHOAL_TICK_BYTES];
    struct shoal_input input = {
        .partition = partition,
        .timestamp_ms = -1,
        .value = text,
        .value_size = shoal_tick_print(now_ms, text),
    };
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < ticks && i < TICKS_MAX && status == SHOAL_OK; i++)
        status = shoal_kafka_sink_send(s->sink, &input, message);
    return status;
}

enum shoal_status session_tell_time(struct session *s, struct shoal_message *message)
{
    int64_t idle_ms = s->config->timers_idle, monotonic_ms = shoal_clock_ms();
    enum shoal_status status = SHOAL_OK;
    for (int32_t i = 0; i < s->options->partitions && idle_ms > 0 && status == SHOAL_OK; i++) {
        struct partition *p = &s->partitions[i];
        if (!p->assigned || p->position < p->suppress_until ||
            monotonic_ms - p->quiet_since_ms < idle_ms)
            continue;
        p->quiet_since_ms = monotonic_ms;
        int64_t now_ms = shoal_clock_wall_ms(), watermark_ms;
        size_t ticks;
        status = shoal_pipeline_due(s->pipeline, i, now_ms, &ticks, &watermark_ms, message);
        if (status == SHOAL_OK && ticks > 0 && now_ms > watermark_ms &&
            now_ms - watermark_ms < LIVE_MS)
            status = tell(s, i, now_ms, ticks, message);
    }
    return status;
}
