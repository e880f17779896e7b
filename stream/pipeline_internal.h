/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the pipeline share: pipeline.c (life, intake, saving), pipeline_run.c (applying a
 * micro-batch), pipeline_span.c (what is applied together), pipeline_event.c (one event) and pipeline_forget.c
 * (the end of what is kept of a user). */
#ifndef SHOAL_PIPELINE_INTERNAL_H
#define SHOAL_PIPELINE_INTERNAL_H

#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/clock.h"
#include "model/user_vector.h"
#include "stream/consent.h"
#include "stream/partition_state.h"
#include "stream/pipeline.h"

/* An output that waits for its turn; in the batch's arena. */
struct pending {
    struct pending *next;
    struct shoal_output output;
};

/* One place in the batch's order: an event, a message that became a dead letter or told the time, or a
 * timer that falls due before one of these. */
struct item {
    struct shoal_event event;        /* user NULL: dead letter, or a message that tells the time */
    struct shoal_cache_entry *entry; /* NULL without a user */
    struct shoal_partition_state *state; /* NULL for a dead letter */
    struct pending *first, **last;   /* outputs in order */
    uint64_t hash;                   /* of the user, for hints to the cache */
    int64_t gap_ms, time_ms;         /* effective: never before the user's last event */
    uint32_t round;
    bool suppressed;
    bool tick;        /* tells its partition the time */
    bool forget;      /* no event: its user is to be forgotten, touch.time_ms is the partition's time */
    bool seen;        /* by the watermark */
    uint8_t drained;  /* timers that were drawn before it */
    int64_t due_ms;   /* of a timer: its entry in the index */
    int64_t tick_ms;  /* of a timer: everything until then falls due */
    float rates[SHOAL_COUNTERS]; /* what the model's head sees of the counters */
};

enum {
    /* Timers that one message draws: few enough that a micro-batch cannot fill the cache with users
     * whose changes no save has taken yet. */
    DRAIN_MAX = 16,
    TIMERS_MAX = 1024, /* in a span */
};

struct pipeline_items; /* room for next items, pipeline_items.c */

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

    struct item *timers; /* TIMERS_MAX: those of the current span */
    size_t timers_count;
    struct item **line; /* the current span in log order, timers before what made them due */
    size_t line_count, line_capacity;
    size_t batch_users;     /* most users that a micro-batch changes */
    uint32_t spenders[SHOAL_GRANTS_MAX]; /* items of the span that may spend the policy's budgets */
    int64_t least_delay_ms; /* nothing falls due sooner after an event */

    uint32_t *order;       /* line by round */
    uint32_t *round_start; /* line_capacity + 1 */
    struct shoal_step_row *rows;
    uint32_t *row_item;

    struct shoal_cache_entry **missing; /* entries to load or rebuild */
    struct shoal_slice *keys, *values;

    struct shoal_partition_states states;
    struct shoal_decision *decisions; /* SHOAL_GRANTS_MAX: enough for any policy */
    struct pipeline_items *next_items; /* NULL until model and policy need it */
    struct shoal_buffer scratch;
    struct shoal_save_item *saves;
    size_t saves_capacity;
    struct shoal_pipeline_counts counts;
    size_t counted[SHOAL_GRANTS_MAX]; /* where the policy's promotions are in counts.promotions */
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

/* Makes the next span, p->line, from items[*next …] and the timers that they make due; *next moves on. Never
 * empty while items are left. What is armed for the first time in a span is not due in it, so a span can be
 * applied in any order of its users. */
enum shoal_status pipeline_next_span(struct shoal_pipeline *pipeline, size_t *next,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* First half of an event: time, counters, inputs of the step. False if the event is dropped. */
bool pipeline_prepare(struct shoal_pipeline *pipeline, struct item *item,
                      struct shoal_step_row *row);
/* Second half: segments, decisions, outputs, timers. NOMEM. */
enum shoal_status pipeline_conclude(struct shoal_pipeline *pipeline, struct item *item,
                                    const struct shoal_step_row *row) SHOAL_MUST_CHECK;
/* Before a micro-batch: makes the room for next items if the model has a catalogue and the policy asks for
 * some; it stays from then on. NOMEM. */
enum shoal_status pipeline_items_prepare(struct shoal_pipeline *pipeline) SHOAL_MUST_CHECK;
/* The decision in `scratch`, hung on the item as `pending`, gets its items with the next flush. `now_ms`: of
 * the decision; the item's rates are as of then. NOMEM. */
enum shoal_status pipeline_items_want(struct shoal_pipeline *pipeline, const struct item *item,
                                      const struct shoal_promotion *promotion, int64_t now_ms,
                                      struct pending *pending) SHOAL_MUST_CHECK;
/* Writes the items of all decisions that wait for them. To be called before a user of one of them is stepped
 * again. NOMEM. */
enum shoal_status pipeline_items_flush(struct shoal_pipeline *pipeline) SHOAL_MUST_CHECK;
/* Frees the room. */
void pipeline_items_forget(struct shoal_pipeline *pipeline);
/* Has this item, no timer, its user forgotten, or its user declined to be processed? Then it is no event to be
 * applied: pipeline_forget does what is to be done. */
static inline bool pipeline_bars(const struct item *item)
{
    return item->forget || (item->event.consent_withdrawn & SHOAL_CONSENT_PROCESSING) ||
           (shoal_consent_declined(&item->entry->record) &&
            !(item->event.consent_given & SHOAL_CONSENT_PROCESSING));
}
/* NOMEM. */
enum shoal_status pipeline_forget(struct shoal_pipeline *pipeline, struct item *item) SHOAL_MUST_CHECK;
/* The one way in which a record is emptied: nothing of the item's user is left in it, and its timer is taken
 * out. NOMEM. */
enum shoal_status pipeline_wipe(struct shoal_pipeline *pipeline, struct item *item) SHOAL_MUST_CHECK;
/* A record that holds nothing is none: the next save deletes it. */
static inline bool pipeline_is_empty(const struct shoal_record *record)
{
    return record->events_count == 0 && record->consent == 0;
}
/* A timer that is not the one in force: it does nothing, and its user is not touched. */
bool pipeline_is_stale(const struct item *item);
/* Everything of a user that is due by the timer's tick falls due. NOMEM. */
enum shoal_status pipeline_fire(struct shoal_pipeline *pipeline,
                                struct item *item) SHOAL_MUST_CHECK;

#endif
