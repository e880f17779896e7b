/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded mode: events files through the pipeline into files, with the store in memory. No
 * service is needed. It is the oracle of every run: the same log and the same model give the same
 * lines, bit for bit; with swaps of model and policy in it, if they are given at the same offsets. */
#ifndef SHOAL_REPLAY_H
#define SHOAL_REPLAY_H

#include "stream/models.h"
#include "stream/pipeline.h"
#include "stream/policies.h"
#include "stream/swaps.h"

struct shoal_replay_options {
    struct shoal_pipeline_options pipeline;
    const char *const *events;  /* files, read one after the other */
    size_t events_count;
    const char *out;            /* folder */
    struct shoal_sink *sink;    /* borrowed, takes the outputs in place of `out`; NULL: files */
    struct shoal_models *models;      /* where swaps find theirs; NULL if there are none */
    struct shoal_policies *policies;  /* likewise */
    const struct shoal_swaps *swaps;  /* of each partition; NULL: none */
    struct shoal_store *store;  /* borrowed, holds nothing of this topic yet; NULL: in memory */
    int32_t partitions;         /* of the topic that is imitated */
    unsigned workers;           /* pipelines that share the partitions, one after the other */
    uint64_t save_messages;     /* save and empty the caches after so many messages; 0: at the end */
    int64_t record_time_ms;     /* Kafka timestamp of every record; −1: none, no future check */
    /* Called now and then; may be NULL. fraction of the input's bytes, messages so far. */
    void (*progress)(void *opaque, double fraction, uint64_t messages);
    void *opaque;
};

/* Sums the counts of all pipelines into *counts. */
enum shoal_status shoal_replay(const struct shoal_replay_options *options,
                               struct shoal_pipeline_counts *counts,
                               struct shoal_message *message) SHOAL_MUST_CHECK;

/* Writes the lines of states.jsonl for everything in `store`, sorted by user id, to `path` ("-":
 * standard output). Used by replay and by `shoal inspect --all`. */
enum shoal_status shoal_states_write(struct shoal_store *store, const char *path,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;

/* Writes what is kept of each partition of `store` as a whole, a line each: partitions.jsonl, described in
 * partitions.c. */
enum shoal_status shoal_partitions_write(struct shoal_store *store, const char *path,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
