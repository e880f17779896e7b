/* SPDX-License-Identifier: Apache-2.0 */
/* What pipeline.c (life, intake, saving) and pipeline_run.c (applying a micro-batch) share. */
#ifndef SHOAL_PIPELINE_INTERNAL_H
#define SHOAL_PIPELINE_INTERNAL_H

#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/clock.h"
#include "stream/outcomes.h"
#include "stream/pipeline.h"

/* An output that waits for its turn; in the batch's arena. */
struct pending {
    struct pending *next;
    struct shoal_output output;
};

/* One place in the batch's order: an event, or a message that became a dead letter. */
struct item {
    struct shoal_event event;
    struct shoal_cache_entry *entry; /* NULL for a dead letter */
    struct pending *first, **last;   /* outputs in order */
    uint64_t hash;                   /* of the user, for hints to the cache */
    int64_t gap_ms, time_ms;         /* effective: never before the user's last event */
    uint32_t round;
    bool suppressed;
    float rates[SHOAL_COUNTERS]; /* what the model's head sees of the counters */
};

struct shoal_pipeline {
    struct shoal_pipeline_options options;
    struct shoal_store *store;
    struct shoal_sink *sink;
    struct shoal_decoder *decoder;
    struct shoal_cache *cache;
    struct shoal_step *step;
    struct shoal_arena arena; /* reset after each micro-batch */
    uint32_t batch;           /* number of the current micro-batch, from 1 */

    struct item *items; /* capacity batch_events + SHOAL_EVENTS_PER_MESSAGE_MAX */
    size_t items_count, items_capacity;
    struct shoal_event *decoded; /* SHOAL_EVENTS_PER_MESSAGE_MAX */

    uint32_t *order;       /* items by round */
    uint32_t *round_start; /* items_capacity + 1 */
    struct shoal_step_row *rows;
    uint32_t *row_item;

    struct shoal_cache_entry **missing; /* entries to load or rebuild */
    struct shoal_slice *keys, *values;

    struct shoal_outcomes outcomes; /* nothing without options.online */
    struct shoal_decision *decisions; /* policy->count */
    struct shoal_buffer scratch;
    struct shoal_save_item *saves;
    size_t saves_capacity;
    struct shoal_pipeline_counts counts;
};

/* Adds the time since *since_ns to a stage and moves *since_ns to now. */
static inline void stage_done(struct shoal_pipeline *pipeline, enum shoal_stage stage,
                              int64_t *since_ns)
{
    int64_t now = shoal_clock_ns();
    pipeline->counts.stage_ns[stage] += now - *since_ns;
    *since_ns = now;
}

/* Records of a micro-batch lie far apart, and reading one waits for memory more than for anything
 * else. Loops over entries send for the record RECORD_AHEAD entries ahead, and REST_AHEAD before it is
 * due for what it points to, so that the waits overlap. */
enum { RECORD_AHEAD = 8, REST_AHEAD = 4, CACHE_LINE_BYTES = 64 };

static inline void expect_record(const struct shoal_cache_entry *entry)
{
    const char *hot = (const char *)&entry->record;
    for (size_t at = 0; at < offsetof(struct shoal_record, ring); at += CACHE_LINE_BYTES)
        __builtin_prefetch(hot + at, 1);
}

static inline void expect_rest(const struct shoal_cache_entry *entry)
{
    const struct shoal_record *record = &entry->record;
    for (size_t i = 0; i < record->hidden; i += CACHE_LINE_BYTES / sizeof(float)) {
        __builtin_prefetch(record->h + i, 1);
        __builtin_prefetch(record->c + i, 1);
    }
    for (size_t i = 0; i <= record->ring_count; i += CACHE_LINE_BYTES / sizeof record->ring[0])
        __builtin_prefetch(&record->ring[i], 1);
}

#endif
