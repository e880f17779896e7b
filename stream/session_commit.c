/* SPDX-License-Identifier: Apache-2.0 */
/* The commit of a session; see worker.h for its order. The swaps of a partition that no commit has carried
 * yet are told in it, and its history goes with its offset. */
#include "model/base/clock.h"
#include "model/base/crash.h"
#include "stream/session_internal.h"

/* Partitions whose position has passed the committed offset, or stands there with a swap to be told. */
static size_t collect_positions(struct session *s)
{
    size_t count = 0;
    for (int32_t i = 0; i < s->options->partitions; i++) {
        const struct partition *p = &s->partitions[i];
        if (p->assigned && (p->position > p->committed ||
                            (p->position == p->committed && p->served.fresh > 0)))
            s->positions[count++] = (struct shoal_position){i, p->position, p->served.text};
    }
    return count;
}

static void mark_committed(struct session *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->partitions[s->positions[i].partition].committed = s->positions[i].next_offset;
}

/* Writes the swaps that the commit at hand carries. *told is set if there are any. */
static enum shoal_status tell_swaps(struct session *s, size_t count, bool *told,
                                    struct shoal_message *message)
{
    *told = false;
    for (size_t i = 0; i < count; i++) {
        int32_t index = s->positions[i].partition;
        struct shoal_served *served = &s->partitions[index].served;
        if (served->fresh == 0)
            continue;
        enum shoal_status status =
            shoal_served_tell(&s->serving, served, index, s->sink, message);
        if (status != SHOAL_OK)
            return status;
        *told = true;
    }
    return SHOAL_OK;
}

static void mark_told(struct session *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        s->partitions[s->positions[i].partition].served.fresh = 0;
}

/* At least once: a swap is told after the offsets that carry it are with the broker, and told again by
 * the next owner, who cannot know whether it was. */
static enum shoal_status commit_offsets(struct session *s, size_t count,
                                        struct shoal_message *message)
{
    bool fresh = false, told;
    for (size_t i = 0; i < count; i++)
        fresh = fresh || s->partitions[s->positions[i].partition].served.fresh > 0;
    enum shoal_status status =
        shoal_kafka_source_commit(s->source, s->positions, count, fresh, message);
    if (status == SHOAL_OK && fresh)
        status = tell_swaps(s, count, &told, message);
    if (status == SHOAL_OK && fresh)
        status = shoal_kafka_sink_flush(s->sink, message);
    if (status != SHOAL_OK)
        return status;
    mark_committed(s, count);
    mark_told(s, count);
    return SHOAL_OK;
}

static enum shoal_status save_all(struct session *s, struct shoal_message *message)
{
    for (int32_t i = 0; i < s->options->partitions; i++) {
        struct partition *p = &s->partitions[i];
        if (!p->assigned || p->position == p->saved)
            continue;
        session_turn(s->options);
        enum shoal_status status = shoal_pipeline_save(s->pipeline, i, p->position, message);
        if (status != SHOAL_OK)
            return status;
        p->saved = p->position;
    }
    s->saved_ms = shoal_clock_ms();
    shoal_crash_point("save.after");
    return SHOAL_OK;
}

/* What was loaded since the last save must have come from a store that still has all our saves, or
 * the outputs of this commit would rest on old records. */
static enum shoal_status verify_all(struct session *s, struct shoal_message *message)
{
    for (int32_t i = 0; i < s->options->partitions; i++) {
        if (!s->partitions[i].assigned || s->partitions[i].position == s->partitions[i].saved)
            continue;
        enum shoal_status status = s->store->ops->verify(s->store, i, message);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

/* When the next interval begins. Who keeps up counts a commit as a part of it, or an output would wait
 * for the rest of one commit, an interval and another commit; half of it is left to do work in. Who
 * has a backlog gets through it faster in large transactions. */
static int64_t next_interval_from(const struct session *s, int64_t began_ms)
{
    int64_t now_ms = shoal_clock_ms(), latest_ms = now_ms - s->config->commit_interval / 2;
    if (!s->kept_up)
        return now_ms;
    return began_ms > latest_ms ? began_ms : latest_ms;
}

enum shoal_status session_commit(struct session *s, bool all, struct shoal_message *message)
{
    int64_t began_ms = shoal_clock_ms();
    enum shoal_status status = shoal_pipeline_run(s->pipeline, message);
    if (status != SHOAL_OK)
        return status;
    shoal_crash_point("produce.after");
    status = verify_all(s, message);
    if (status != SHOAL_OK)
        return status;
    size_t count = collect_positions(s);
    bool told;
    int64_t commit_ns = shoal_clock_ns();
    session_turn(s->options);
    if (s->exactly_once) {
        status = tell_swaps(s, count, &told, message);
        if (status == SHOAL_OK)
            status = shoal_kafka_sink_commit(s->sink, s->source, s->positions, count, message);
    } else
        status = shoal_kafka_sink_flush(s->sink, message);
    if (status != SHOAL_OK)
        return status;
    shoal_crash_point("commit.after");
    session_count_visible(s);
    if (count > 0)
        shoal_histogram_observe(&s->meter.commit, SHOAL_SCALE_DELAY,
                                (shoal_clock_ns() - commit_ns) / 1000, 1);
    all = all || !s->exactly_once ||
          shoal_clock_ms() - s->saved_ms >= s->config->state_flush_interval ||
          shoal_pipeline_dirty(s->pipeline) >= shoal_pipeline_dirty_max(s->pipeline);
    if (s->exactly_once) {
        mark_committed(s, count);
        mark_told(s, count);
    }
    if (all)
        status = save_all(s, message);
    if (status == SHOAL_OK && !s->exactly_once && count > 0)
        status = commit_offsets(s, count, message);
    if (status != SHOAL_OK)
        return status;
    s->worked = true;
    s->taken = 0;
    s->committed_ms = next_interval_from(s, began_ms);
    s->kept_up = false;
    session_publish(s);
    return SHOAL_OK;
}
