/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: one list of options, from which parser, help, documentation check and sample
 * file check are made. Keys are dotted ("redis.url"); in YAML, nested or dotted alike. */
#ifndef SHOAL_CONFIG_H
#define SHOAL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/*  X(field, "key", type, "default", "unit or values", "help")
 *  types: TEXT (const char *), INT (int64_t), REAL (double), DURATION (int64_t ms; "100ms", "1s",
 *  "5m", "2h", "1d"), BYTES (int64_t; "64MiB"), CHOICE (const char *, one of the values) */
#define SHOAL_CONFIG_LIST(X)                                                                       \
    X(model_path, "model.path", TEXT, "", "file", "model to serve")                                \
    X(promotions_path, "promotions.path", TEXT, "", "file", "promotions; none when empty")         \
    X(redis_url, "redis.url", TEXT, "redis://127.0.0.1:6379/0", "redis://host:port/db, unix:/path",\
      "where user states are kept")                                                                \
    X(redis_timeout, "redis.timeout", DURATION, "5s", "duration", "longest wait for an answer")    \
    X(topic_events, "topics.events", TEXT, "shoal.events", "topic", "events to read")              \
    X(topic_segments, "topics.segments", TEXT, "shoal.segments", "topic", "segment changes")       \
    X(topic_decisions, "topics.decisions", TEXT, "shoal.decisions", "topic", "decisions")          \
    X(topic_deadletter, "topics.deadletter", TEXT, "shoal.deadletter", "topic",                    \
      "messages that could not be applied")                                                        \
    X(topics_partitions, "topics.partitions", INT, "4", "count",                                   \
      "partitions of topics that Shoal creates")                                                   \
    X(delivery, "delivery", CHOICE, "exactly_once", "exactly_once, at_least_once",                 \
      "guarantee towards subscribers")                                                             \
    X(commit_interval, "commit.interval", DURATION, "100ms", "duration",                           \
      "longest time between two commits")                                                          \
    X(commit_events, "commit.events", INT, "50000", "count", "most events between two commits")    \
    X(state_flush_interval, "state.flush.interval", DURATION, "0s", "duration",                    \
      "longest time between two saves to Redis; 0: with every commit")                             \
    X(state_precision, "state.precision", CHOICE, "fp16", "fp16, fp32", "precision of h and c")    \
    X(state_cache, "state.cache", INT, "200000", "users", "users kept in memory by each worker")   \
    X(workers, "workers", INT, "1", "count", "worker threads of this process")                     \
    X(batch_events, "batch.events", INT, "4096", "count", "most events in a micro-batch")          \
    X(batch_wait, "batch.wait", DURATION, "2ms", "duration", "longest wait to fill a micro-batch") \
    X(group_id, "group.id", TEXT, "shoal", "name", "Kafka consumer group")                         \
    X(instance_id, "instance.id", TEXT, "", "name",                                                \
      "name of this process in the group; empty: host name and first free slot")                   \
    X(event_max_future, "event.max_future", DURATION, "1d", "duration",                            \
      "an event dated later than its record by more is dead-lettered")                             \
    X(event_max_bytes, "event.max_bytes", BYTES, "1MiB", "size", "larger messages are dead-lettered") \
    X(output_format, "output.format", CHOICE, "json", "json, msgpack", "format of outputs")        \
    X(recovery_offsets_moved, "recovery.offsets_moved", CHOICE, "refuse", "refuse, follow_states, reset_states",  \
      "what to do when the group's offsets lie behind the saved states")                           \
    X(recovery_events_gone, "recovery.events_gone", CHOICE, "refuse", "refuse, continue",          \
      "what to do when events needed for recovery are past retention")                             \
    X(intent_hysteresis, "segments.intent.hysteresis", REAL, "0.02", "probability",                \
      "how far the score must fall below a threshold to leave the level")                          \
    X(intent_dwell, "segments.intent.dwell", DURATION, "10m", "event time",                        \
      "least time in a level before a lower one")                                                  \
    X(lifecycle_new, "segments.lifecycle.new", DURATION, "1d", "event time",                       \
      "how long a user is new after the first event")                                              \
    X(lifecycle_gap, "segments.lifecycle.gap", DURATION, "7d", "event time",                       \
      "silence after which a user is returning")                                                   \
    X(lifecycle_returning, "segments.lifecycle.returning", DURATION, "1d", "event time",           \
      "how long a user is returning")                                                              \
    X(log_level, "log.level", CHOICE, "info", "debug, info, warning, error", "least severe message") \
    X(log_format, "log.format", CHOICE, "text", "text, json", "form of log lines")                 \
    X(stats_interval, "stats.interval", DURATION, "10s", "duration", "progress log line; 0: none")

#define SHOAL_CONFIG_TYPE_TEXT const char *
#define SHOAL_CONFIG_TYPE_CHOICE const char *
#define SHOAL_CONFIG_TYPE_INT int64_t
#define SHOAL_CONFIG_TYPE_DURATION int64_t
#define SHOAL_CONFIG_TYPE_BYTES int64_t
#define SHOAL_CONFIG_TYPE_REAL double

/* A property passed through to librdkafka: "kafka.bootstrap.servers" → "bootstrap.servers". */
struct shoal_config_property {
    char *name, *value;
    int line; /* in the file; 0 = from --set */
};

struct shoal_config {
#define X(field, key, type, standard, unit, help) SHOAL_CONFIG_TYPE_##type field;
    SHOAL_CONFIG_LIST(X)
#undef X
    struct shoal_config_property *kafka; /* owned */
    size_t kafka_count;
    void *memory; /* owned: what the texts point to */
};

/* All defaults. */
enum shoal_status shoal_config_create(struct shoal_config **config) SHOAL_MUST_CHECK;
void shoal_config_destroy(struct shoal_config *config);
/* Reads a YAML file over what is set. CONFIG: "deploy/shoal.yaml:12: unknown key 'commit.intervall'
 * (did you mean 'commit.interval'?)". Relative paths in the file are relative to the file's folder.
 * NOT_FOUND if there is no such file. */
enum shoal_status shoal_config_read(struct shoal_config *config, const char *path,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* One "key=value" from the command line. */
enum shoal_status shoal_config_set(struct shoal_config *config, const char *assignment,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;

struct shoal_config_option {
    const char *key, *type, *standard, *unit, *help;
};
/* The list for help and checks; *count is set. */
const struct shoal_config_option *shoal_config_options(size_t *count);

#endif
