/* SPDX-License-Identifier: Apache-2.0 */
/* What one worker measures in one session: plain numbers in its own memory, so that an event costs nothing
 * more than it does without metrics. They become visible when they are published, at a commit (telemetry.h). */
#ifndef SHOAL_METER_H
#define SHOAL_METER_H

#include <stdint.h>

#include "model/correction.h"
#include "stream/kafka_stats.h"
#include "stream/metered_store.h"
#include "stream/pipeline.h"

/*  X(name): what may happen to a partition of a worker */
#define SHOAL_MOVE_LIST(X)                                                                         \
    X(assigned)                                                                                    \
    X(revoked)                                                                                     \
    X(lost)

enum shoal_move {
#define X(name) SHOAL_MOVE_##name,
    SHOAL_MOVE_LIST(X)
#undef X
        SHOAL_MOVE_COUNT
};

/* Zero-initialised: nothing was measured. Counters only grow within a session. */
struct shoal_meter {
    struct shoal_pipeline_counts counts; /* as of the last commit to Kafka */
    struct shoal_store_figures store;
    struct shoal_histogram delay, commit; /* SHOAL_SCALE_DELAY */
    struct shoal_kafka_figures consumer, producer;
    uint64_t moves[SHOAL_MOVE_COUNT];
    uint64_t cached_users, unsaved_users; /* as of the last commit */
};

/* How far one partition is. */
struct shoal_partition_standing {
    int32_t partition;
    int64_t position;       /* everything before it is committed */
    int64_t end;            /* behind the last message as far as is known; −1: not known */
    int64_t suppress_until; /* outputs go on from here */
    int64_t timestamp_ms;   /* of the last message before position; −1: none was read yet */
    int64_t kafka_lag;      /* as librdkafka says; −1: it says nothing */
    float correction;       /* of the logit */
    struct shoal_correction_sums outcomes;
};

/* *sum += *one, also for what holds now: of several workers, or of one and its ended sessions. */
void shoal_meter_add(struct shoal_meter *sum, const struct shoal_meter *one);
/* What holds only now is forgotten. */
void shoal_meter_end(struct shoal_meter *meter);
const char *shoal_move_name(enum shoal_move move);

#endif
