/* SPDX-License-Identifier: Apache-2.0 */
/* The way of an event: decode, group by user, load, step, segments, decide, emit (DESIGN §2).
 *
 * Knows no service: store and sink are interfaces, inputs are handed in. `shoal replay` and every
 * worker of `shoal run` drive the same code, which is what makes a replay the oracle of a run.
 *
 * Invariants
 *  - Events of one user are applied in the order in which their messages were added.
 *  - Records, segment changes and decisions do not depend on how messages were cut into batches,
 *    except that a batch is applied under one model and policy: it ends where one of them changes.
 *  - Outputs are emitted in the order of their messages.
 *  - A user who is forgotten (forget.h), or declines to be processed, leaves nothing behind from that place
 *    of the log on: no record, no timer, nothing in the cache that would be written again.
 *  - After a failure the pipeline's memory is worthless: drop everything and recover from the
 *    store's checkpoint. Nothing is half-applied in the store.
 *
 * One owner (thread) a pipeline; models and the policy are shared and read-only. */
#ifndef SHOAL_PIPELINE_H
#define SHOAL_PIPELINE_H

#include "model/correction.h"
#include "model/model.h"
#include "state/cache.h"
#include "state/store.h"
#include "stream/config.h"
#include "stream/event.h"
#include "stream/output.h"
#include "stream/policy.h"
#include "stream/promotion_counts.h"
#include "stream/segments.h"
#include "stream/sink.h"

struct shoal_pipeline_options {
    const struct shoal_model *model;
    const struct shoal_policy *policy; /* NULL: no promotions */
    struct shoal_segment_rules rules;
    struct shoal_decode_options decode;
    enum shoal_precision precision;
    bool online;         /* correct scores by the outcomes that come in */
    enum shoal_output_format format;
    const char *topic;   /* events topic: part of every id */
    int32_t partitions;  /* of the events topic: budgets are shared out among them */
    int64_t timers_jump_ms; /* as shoal_watermark_see takes it */
    size_t cache_users;
    size_t batch_events;
};

/* From a configuration; `model` and `policy` are borrowed. */
struct shoal_pipeline_options shoal_pipeline_options_of(const struct shoal_config *config,
                                                        const struct shoal_model *model,
                                                        const struct shoal_policy *policy);

/* Stages whose time is measured, in ns, for tools/bench and metrics. */
#define SHOAL_STAGE_LIST(X)                                                                        \
    X(lookup)                                                                                      \
    X(load)                                                                                        \
    X(features)                                                                                    \
    X(step)                                                                                        \
    X(decide)                                                                                      \
    X(emit)                                                                                        \
    X(save)

enum shoal_stage {
#define X(name) SHOAL_STAGE_##name,
    SHOAL_STAGE_LIST(X)
#undef X
        SHOAL_STAGE_COUNT
};
const char *shoal_stage_name(enum shoal_stage stage);

/* Monotonic counts since the pipeline was made.  X(field, "what it counts") */
#define SHOAL_COUNT_LIST(X)                                                                        \
    X(messages, "messages taken in")                                                               \
    X(events, "events applied")                                                                    \
    X(deadletters, "messages dead-lettered")                                                       \
    X(late, "events applied with a zero gap, older than the user's last")                          \
    X(late_suppressed, "of these, in recovery")                                                    \
    X(repeated, "events dropped, event_id seen recently")                                          \
    X(declined, "events dropped, their user has declined to be processed")                         \
    X(forgotten, "users forgotten, on request or as they declined to be processed")                \
    X(suppressed, "events applied without outputs, in recovery")                                   \
    X(changes, "segment changes")                                                                  \
    X(timers, "times at which something fell due")                                                 \
    X(decisions, "decisions")                                                                      \
    X(lookups, "users asked from the cache")                                                       \
    X(loaded, "of these, asked from the store")                                                    \
    X(rebuilt, "states recomputed under another model")                                            \
    X(saved, "records written to the store")                                                       \
    X(batches, "micro-batches")

struct shoal_pipeline_counts {
#define X(name, text) uint64_t name;
    SHOAL_COUNT_LIST(X)
#undef X
    int64_t stage_ns[SHOAL_STAGE_COUNT];
    uint64_t changes_by[SHOAL_DIMENSION_COUNT];
    uint64_t deadletters_by[SHOAL_STATUS_COUNT]; /* those that were written: not in recovery */
    struct shoal_promotion_counts promotions;
};

struct shoal_pipeline;

/* `store` and `sink` are borrowed and must outlive it. */
enum shoal_status shoal_pipeline_create(const struct shoal_pipeline_options *options,
                                        struct shoal_store *store, struct shoal_sink *sink,
                                        struct shoal_pipeline **pipeline) SHOAL_MUST_CHECK;
void shoal_pipeline_destroy(struct shoal_pipeline *pipeline);

/* Reads what is kept of a partition as a whole, which has just been acquired with this checkpoint, so that states that
 * cannot be gone on with are refused at once and not with the first event: as shoal_partition_states_get and _check
 * (partition_state.h). */
enum shoal_status shoal_pipeline_begin(struct shoal_pipeline *pipeline, int32_t partition,
                                       const struct shoal_checkpoint *checkpoint,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* Adds one message to the current micro-batch; nothing of `input` is kept. A message that cannot be
 * decoded becomes a dead letter. `suppressed`: apply without outputs. */
enum shoal_status shoal_pipeline_add(struct shoal_pipeline *pipeline,
                                     const struct shoal_input *input,
                                     bool suppressed) SHOAL_MUST_CHECK;
/* Events waiting; at batch_events and above, run before adding more. */
size_t shoal_pipeline_waiting(const struct shoal_pipeline *pipeline);
/* What follows is applied under `model` (borrowed). No event may wait; if H differs, no user may be
 * changed since the last save either. A user's state that was made under another model is recomputed
 * from the user's recent events when the user's next event comes. NOMEM: the model stays. */
enum shoal_status shoal_pipeline_use(struct shoal_pipeline *pipeline,
                                     const struct shoal_model *model) SHOAL_MUST_CHECK;
/* What follows is decided under `policy` (borrowed; NULL: nothing is). No event may wait. */
void shoal_pipeline_use_policy(struct shoal_pipeline *pipeline, const struct shoal_policy *policy);
/* The policy that is applied now. */
const struct shoal_policy *shoal_pipeline_policy(const struct shoal_pipeline *pipeline);
/* The model that is applied now. */
const struct shoal_model *shoal_pipeline_model(const struct shoal_pipeline *pipeline);
/* Applies the micro-batch and emits its outputs. */
enum shoal_status shoal_pipeline_run(struct shoal_pipeline *pipeline,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Saves the changed records of `partition` with its checkpoint. The batch must have been run. */
enum shoal_status shoal_pipeline_save(struct shoal_pipeline *pipeline, int32_t partition,
                                      int64_t next_offset,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* Users in the cache. */
size_t shoal_pipeline_cached(const struct shoal_pipeline *pipeline);
/* What outcomes say of a partition's scores; NULL if nothing is known of it. Until the next call that
 * changes anything. */
const struct shoal_correction *shoal_pipeline_correction(const struct shoal_pipeline *pipeline,
                                                         int32_t partition);
/* Users changed since their last save. */
size_t shoal_pipeline_dirty(const struct shoal_pipeline *pipeline);
/* Most changed users before a save is due. */
size_t shoal_pipeline_dirty_max(const struct shoal_pipeline *pipeline);
/* Forgets the waiting batch and all cached users of `partition` (−1: of all). */
void shoal_pipeline_drop(struct shoal_pipeline *pipeline, int32_t partition);
/* How many messages must come to `partition` until all timers that are due by until_ms have fallen due (as
 * far as they are known: more than none if any is due), and the partition's event time (−1: none yet). The
 * batch must have been run. */
enum shoal_status shoal_pipeline_due(struct shoal_pipeline *pipeline, int32_t partition,
                                     int64_t until_ms, size_t *messages, int64_t *watermark_ms,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
const struct shoal_pipeline_counts *shoal_pipeline_counts(const struct shoal_pipeline *pipeline);
/* *sum += *one, field by field. */
void shoal_pipeline_counts_add(struct shoal_pipeline_counts *sum,
                               const struct shoal_pipeline_counts *one);

#endif
