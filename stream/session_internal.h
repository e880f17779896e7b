/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a session share: session.c (life, assignment, processing), session_commit.c,
 * session_models.c (swaps of model and policy), session_ticks.c (partitions without events) and
 * session_meter.c (figures).
 *
 * Per partition: position (next offset to read), committed (what the group's offset is or was),
 * saved (what the store's checkpoint is), suppress_until. Always saved ≤ position, and
 * committed ≤ position except in recovery, where no offsets are committed before position has
 * passed what was committed already. */
#ifndef SHOAL_SESSION_INTERNAL_H
#define SHOAL_SESSION_INTERNAL_H

#include "stream/delays.h"
#include "stream/kafka_sink.h"
#include "stream/kafka_source.h"
#include "stream/served.h"
#include "stream/session.h"

struct partition {
    bool assigned;
    int64_t position, committed, saved, suppress_until;
    uint64_t saved_model; /* of the checkpoint found */
    int64_t end;          /* of the log when the partition was assigned */
    int64_t timestamp_ms; /* of the last message before position; −1: none yet */
    int64_t quiet_since_ms; /* monotonic: the last event came, or the last look was taken */
    struct shoal_served served;
};

struct session {
    const struct shoal_worker_options *options;
    const struct shoal_config *config;
    const struct shoal_log *log;
    bool exactly_once;
    struct shoal_store *store;
    struct shoal_sink *sink;
    struct shoal_serving serving;
    const struct shoal_model *model;   /* the pipeline's, held */
    const struct shoal_policy *policy; /* likewise; NULL: none */
    bool unsettled;    /* there may be partitions that are not served by the latest pair */
    uint64_t followed, followed_policy; /* ids of the latest ones when they were last looked at */
    struct shoal_pipeline *pipeline;
    struct shoal_kafka_source *source;
    struct partition *partitions;     /* options->partitions */
    struct shoal_position *positions; /* scratch of the same size */
    int64_t committed_ms, saved_ms;   /* monotonic time of the last ones */
    int64_t now_ms;                   /* monotonic, when the micro-batch began to be filled */
    uint64_t taken;                   /* messages since the last commit */
    bool worked;
    bool kept_up; /* there was nothing to read at some time since the last commit */
    struct shoal_delays delays; /* of the messages since the last commit */
    struct shoal_meter meter;
    struct shoal_partition_standing *standings; /* scratch, options->partitions */
};

/* The commit of worker.h: what waits is run, then everything is committed. `all`: save even if the flush
 * interval has not passed. */
enum shoal_status session_commit(struct session *s, bool all,
                                 struct shoal_message *message) SHOAL_MUST_CHECK;
/* The pipeline goes on under `model` and `policy`. What waits is applied under those before. */
enum shoal_status session_use(struct session *s, const struct shoal_model *model,
                              const struct shoal_policy *policy,
                              struct shoal_message *message) SHOAL_MUST_CHECK;
/* Between two micro-batches: a commit, and if there is a newer model or policy, the swap of the partitions that have
 * caught up goes with it. */
enum shoal_status session_commit_following(struct session *s,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;
/* Tells partitions without events the time if a timer is due there. The batch must have been run. */
enum shoal_status session_tell_time(struct session *s,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The outputs of a commit show: what led to them counts, even if the save that follows fails. */
void session_count_visible(struct session *s);
/* Everything that the session has done is committed, and may be seen. */
void session_publish(struct session *s);
/* The session is over. */
void session_publish_end(struct session *s, enum shoal_status status);
/* Has a newer model or policy waited long enough for a commit? */
bool session_swap_due(const struct session *s);

#endif
