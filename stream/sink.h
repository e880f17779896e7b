/* SPDX-License-Identifier: Apache-2.0 */
/* Where outputs go: Kafka topics, files, or memory in tests. */
#ifndef SHOAL_SINK_H
#define SHOAL_SINK_H

#include "stream/event.h"

enum shoal_topic {
    SHOAL_TOPIC_SEGMENTS,
    SHOAL_TOPIC_DECISIONS,
    SHOAL_TOPIC_DEADLETTER,
    SHOAL_TOPIC_MODELS,
    SHOAL_TOPIC_COUNT,
};

struct shoal_output {
    enum shoal_topic topic;
    const char *key;    /* user id; for dead letters the original key, NULL if none; for models the
                           partition's number */
    size_t key_size;
    const void *value;  /* NULL: a tombstone, of segments and decisions: drop all you hold of this user */
    size_t value_size;
    const char *id;     /* ce_id; NULL for dead letters */
    size_t id_size;
    int64_t time_ms;    /* ce_time; dead letters and models: 0, none */
    /* dead letters only */
    const struct shoal_input *source;
    enum shoal_status status;
    const char *why;
};

struct shoal_sink;

struct shoal_sink_ops {
    /* Everything in `output` may be reused after the call. A full queue is waited out inside. */
    enum shoal_status (*emit)(struct shoal_sink *sink, const struct shoal_output *output);
    void (*destroy)(struct shoal_sink *sink);
};

struct shoal_sink {
    const struct shoal_sink_ops *ops;
};

#endif
