/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: one list of options, from which parser, help, documentation check and sample
 * file check are made. Keys are dotted ("redis.url"); in YAML, nested or dotted alike. */
#ifndef SHOAL_CONFIG_H
#define SHOAL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/*  X(field, "key", type, "default", "least", "most", "unit or values", "help")
 *
 *  types: TEXT (const char *), PATH (const char *; in a file, relative to the file's folder), INT
 *  (int64_t), REAL (double), DURATION (int64_t ms; "100ms", "1s", "5m", "2h", "1d"), BYTES (int64_t;
 *  "64MiB"), CHOICE (const char *, one of the values). Least and most are values of the type; for
 *  TEXT and PATH lengths in bytes; for CHOICE empty. Topic names leave room for output ids in 320
 *  bytes (output.h). */
#define SHOAL_CONFIG_LIST(X)                                                                       \
    X(model_path, "model.path", PATH, "", "0", "4000", "file or folder",                           \
      "model to serve, or a folder of models to follow")                                           \
    X(promotions_path, "promotions.path", PATH, "", "0", "4000", "file",                           \
      "promotions; none when empty. A changed file is taken over while running")                   \
    X(promotions_history, "promotions.history", PATH, "", "0", "4000", "folder",                   \
      "where policies are kept that events were decided under; empty: promotions.path with "       \
      ".history behind it")                                                                        \
    X(redis_url, "redis.url", TEXT, "redis://127.0.0.1:6379/0", "1", "4000",                       \
      "redis://host:port/db, redis+cluster://host:port,host:port, redis+sentinel://host:port/NAME, " \
      "each also with rediss; unix:/path",                                                         \
      "where user states are kept. A node of a cluster is recognised in the first form too")       \
    X(redis_user, "redis.user", TEXT, "", "0", "127", "name",                                      \
      "ACL user; empty: that of redis.url, or none")                                               \
    X(redis_password_file, "redis.password_file", PATH, "", "0", "4000", "file",                   \
      "its first line is the password; empty: the environment's SHOAL_REDIS_PASSWORD, or that of " \
      "redis.url")                                                                                 \
    X(redis_sentinel_user, "redis.sentinel.user", TEXT, "", "0", "127", "name",                    \
      "the sentinels' own ACL user; empty: none")                                                  \
    X(redis_sentinel_password_file, "redis.sentinel.password_file", PATH, "", "0", "4000", "file", \
      "its first line is the sentinels' password; empty: the environment's "                       \
      "SHOAL_REDIS_SENTINEL_PASSWORD, or they are asked without a login, then with that of the servers") \
    X(redis_tls_ca, "redis.tls.ca", PATH, "", "0", "4000", "file",                                 \
      "for rediss: authorities that are trusted (PEM); empty: the system's")                       \
    X(redis_tls_certificate, "redis.tls.certificate", PATH, "", "0", "4000", "file",               \
      "for rediss: the certificate shown to the server (PEM); empty: none")                        \
    X(redis_tls_key, "redis.tls.key", PATH, "", "0", "4000", "file",                               \
      "for rediss: the certificate's private key (PEM)")                                           \
    X(redis_timeout, "redis.timeout", DURATION, "5s", "10ms", "10m", "duration",                   \
      "longest wait for an answer of Redis")                                                       \
    X(topic_events, "topics.events", TEXT, "shoal.events", "1", "200", "topic", "events to read")  \
    X(topic_segments, "topics.segments", TEXT, "shoal.segments", "1", "200", "topic",              \
      "segment changes")                                                                           \
    X(topic_decisions, "topics.decisions", TEXT, "shoal.decisions", "1", "200", "topic",           \
      "promotion decisions")                                                                       \
    X(topic_deadletter, "topics.deadletter", TEXT, "shoal.deadletter", "1", "200", "topic",        \
      "messages that could not be applied")                                                        \
    X(topic_models, "topics.models", TEXT, "shoal.models", "1", "200", "topic",                    \
      "which model a partition is served by, since which offset")                                  \
    X(topics_partitions, "topics.partitions", INT, "4", "1", "10000", "count",                     \
      "partitions of topics that Shoal creates")                                                   \
    X(delivery, "delivery", CHOICE, "exactly_once", "", "", "exactly_once, at_least_once",         \
      "guarantee towards subscribers")                                                             \
    X(commit_interval, "commit.interval", DURATION, "100ms", "1ms", "10m", "duration",             \
      "longest time between two commits")                                                          \
    X(commit_events, "commit.events", INT, "50000", "1", "10000000", "count",                      \
      "most events between two commits")                                                           \
    X(state_flush_interval, "state.flush.interval", DURATION, "0s", "0s", "1h", "duration",        \
      "longest time between two saves to Redis; 0: with every commit")                             \
    X(state_precision, "state.precision", CHOICE, "fp16", "", "", "fp16, fp32",                    \
      "precision of the hidden states h and c")                                                    \
    X(state_cache, "state.cache", INT, "200000", "1", "100000000", "users",                     \
      "users kept in memory by each worker")                                                       \
    X(workers, "workers", INT, "1", "1", "256", "count", "worker threads of this process")         \
    X(batch_events, "batch.events", INT, "4096", "1", "65536", "count",                            \
      "most events in a micro-batch")                                                              \
    X(batch_wait, "batch.wait", DURATION, "2ms", "0s", "10s", "duration",                          \
      "longest wait to fill a micro-batch")                                                        \
    X(group_id, "group.id", TEXT, "shoal", "1", "200", "name", "Kafka consumer group")             \
    X(instance_id, "instance.id", TEXT, "", "0", "200", "name",                                    \
      "name of this process in the group; empty: host name and first free slot")                   \
    X(event_max_future, "event.max_future", DURATION, "1d", "0s", "36500d", "duration",            \
      "an event dated later than its record by more is dead-lettered")                             \
    X(event_max_bytes, "event.max_bytes", BYTES, "1MiB", "64", "64MiB", "size",                    \
      "larger messages are dead-lettered")                                                         \
    X(output_format, "output.format", CHOICE, "json", "", "", "json, msgpack",                     \
      "format of outputs")                                                                         \
    X(recovery_offsets_moved, "recovery.offsets_moved", CHOICE, "refuse", "", "",                  \
      "refuse, follow_states, reset_states",                                                       \
      "what to do when the group's offsets lie behind the saved states")                           \
    X(recovery_events_gone, "recovery.events_gone", CHOICE, "refuse", "", "", "refuse, continue",  \
      "what to do when events needed for recovery are past retention")                             \
    X(recovery_model_missing, "recovery.model_missing", CHOICE, "continue", "", "",                \
      "continue, refuse",                                                                          \
      "what to do when a model that recovery needs is gone: go on under the next one, or refuse")  \
    X(calibration_online, "calibration.online", CHOICE, "on", "", "", "off, on",                   \
      "correct probabilities by the outcomes that come in")                                        \
    X(intent_hysteresis, "segments.intent.hysteresis", REAL, "0.02", "0", "1", "probability",      \
      "how far the score must fall below a threshold to leave the level")                          \
    X(intent_dwell, "segments.intent.dwell", DURATION, "10m", "0s", "365d", "event time",          \
      "least time in a level before a lower one")                                                  \
    X(intent_lapse, "segments.intent.lapse", DURATION, "1d", "1m", "365d", "event time",           \
      "silence after which the prediction has run out and the user is cold")                       \
    X(lifecycle_new, "segments.lifecycle.new", DURATION, "1d", "0s", "3650d", "event time",        \
      "how long a user is new after the first event")                                              \
    X(lifecycle_returning, "segments.lifecycle.returning", DURATION, "1d", "0s", "3650d",          \
      "event time", "how long a user is returning")                                                \
    X(lifecycle_lapsing, "segments.lifecycle.lapsing", DURATION, "3d", "1m", "3650d",              \
      "event time", "silence after which a user is lapsing")                                       \
    X(lifecycle_inactive, "segments.lifecycle.inactive", DURATION, "7d", "1m", "3650d",            \
      "event time", "silence after which a user is inactive, and returning with the next event")   \
    X(value_hysteresis, "segments.value.hysteresis", REAL, "0.1", "0", "1",                        \
      "share of the threshold", "how far the expected spend must fall below a threshold to leave the tier")\
    X(value_dwell, "segments.value.dwell", DURATION, "1d", "0s", "365d", "event time",             \
      "least time in a tier before a lower one")                                                   \
    X(cluster_margin, "segments.cluster.margin", REAL, "0.2", "0", "1", "share of belonging",      \
      "how much nearer another cluster must be to move there")                                     \
    X(cluster_dwell, "segments.cluster.dwell", DURATION, "1d", "0s", "365d", "event time",         \
      "least time in a cluster")                                                                   \
    X(engagement_margin, "segments.engagement.margin", REAL, "0.1", "0", "1", "probability",      \
      "how much more probable another level must be to move there")                                \
    X(engagement_dwell, "segments.engagement.dwell", DURATION, "12h", "0s", "365d", "event time",   \
      "least time in a level of engagement")                                                       \
    X(night_share, "segments.night_active.share", REAL, "0.5", "0", "1", "share",                  \
      "of recent events between 22:00 and 06:00")                                                  \
    X(price_factor, "segments.price_sensitive.factor", REAL, "0.75", "0.01", "1", "factor",        \
      "price of what is taken, of the price of what is viewed")                                    \
    X(cart_share, "segments.cart_abandoner.share", REAL, "0.8", "0", "1", "share",                 \
      "of carts that no purchase followed")                                                        \
    X(frequent_interval, "segments.frequent_buyer.interval", DURATION, "14d", "1h", "3650d",       \
      "event time", "longest mean time between days with a purchase")                              \
    X(first_time_for, "segments.first_time_buyer.for", DURATION, "30d", "1h", "3650d",             \
      "event time", "how long a first purchase makes a first-time buyer")                          \
    X(traits_hysteresis, "segments.traits.hysteresis", REAL, "0.1", "0", "1",                      \
      "share of the bound", "how far a measure must be beyond its bound to leave a trait")         \
    X(traits_dwell, "segments.traits.dwell", DURATION, "1d", "0s", "365d", "event time",           \
      "least time in a trait")                                                                     \
    X(dimensions, "segments.dimensions", CHOICE, "all", "", "", "all, intent",                     \
      "dimensions that are kept: all that the model knows and the timers, or intent alone")        \
    X(utc_offset, "segments.utc_offset", INT, "0", "-840", "840", "minutes",                       \
      "local time less UTC, for night_active")                                                     \
    X(timers_cart, "timers.cart", DURATION, "1h", "1m", "365d", "event time",                      \
      "time without a purchase after something was put into the cart: timer cart_idle")            \
    X(timers_jump, "timers.jump", DURATION, "1h", "1m", "365d", "event time",                      \
      "an event further ahead of its partition moves no timer before others confirm it")           \
    X(timers_idle, "timers.idle", DURATION, "30s", "0s", "1d", "duration",                         \
      "a partition without events for so long is told the time if a timer is due; 0: never")       \
    X(http_listen, "http.listen", TEXT, "127.0.0.1:8642+", "1", "300", "address:port or none",      \
      "where the dashboard and the API are; port+: or the next free one of 16; none: nowhere")      \
    X(http_tokens, "http.tokens", PATH, "", "0", "4096", "file",                                   \
      "bearer tokens, a line each: read TOKEN or admin TOKEN; needed beyond loopback; followed")   \
    X(http_certificate, "http.tls.certificate", PATH, "", "0", "4096", "file",                     \
      "PEM certificate chain: HTTPS instead of HTTP; followed")                                    \
    X(http_key, "http.tls.key", PATH, "", "0", "4096", "file", "PEM private key of the certificate")\
    X(http_page, "http.page", PATH, "", "0", "4096", "folder",                                     \
      "the dashboard's files; empty: where they were installed")                                   \
    X(http_workers, "http.workers", INT, "2", "1", "64", "count",                                  \
      "threads that answer requests for users")                                                    \
    X(http_connections, "http.connections", INT, "2048", "8", "65536", "count",                    \
      "most open connections")                                                                     \
    X(http_timeout, "http.timeout", DURATION, "15s", "1s", "1h", "duration",                       \
      "a connection on which nothing moves, a request that waits for its turn, ends after so long") \
    X(privacy_pseudonym_key, "privacy.pseudonym_key", PATH, "", "0", "4000", "file",               \
      "key of 64 hexadecimal digits, with which user ids become pseudonyms; empty: they stay")     \
    X(log_level, "log.level", CHOICE, "info", "", "", "debug, info, warning, error",               \
      "least severe message to log")                                                               \
    X(log_format, "log.format", CHOICE, "text", "", "", "text, json", "form of log lines")         \
    X(stats_interval, "stats.interval", DURATION, "10s", "0s", "1d", "duration",                   \
      "time between two progress log lines; 0: none")

#define SHOAL_CONFIG_TYPE_TEXT const char *
#define SHOAL_CONFIG_TYPE_PATH const char *
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
#define X(field, key, type, standard, least, most, unit, help) SHOAL_CONFIG_TYPE_##type field;
    SHOAL_CONFIG_LIST(X)
#undef X
    struct shoal_config_property *kafka; /* owned */
    size_t kafka_count;
    struct shoal_pseudonyms *pseudonyms; /* owned; see secrets.h; NULL: none */
    void *memory; /* owned: what the texts point to */
};

/* All defaults; kafka.bootstrap.servers is 127.0.0.1:9092. *config is owned by the caller. NOMEM. */
enum shoal_status shoal_config_create(struct shoal_config **config) SHOAL_MUST_CHECK;
void shoal_config_destroy(struct shoal_config *config);
/* Reads a YAML file over what is set. CONFIG: "deploy/shoal.yaml:12: unknown key 'commit.intervall'
 * (did you mean 'commit.interval'?)"; NOT_FOUND if there is no such file; IO, NOMEM. Relative paths
 * in the file are relative to the file's folder. After a failure the configuration may hold a part
 * of the file. */
enum shoal_status shoal_config_read(struct shoal_config *config, const char *path,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The same from memory; `name` stands for the path in messages and for relative paths. */
enum shoal_status shoal_config_parse(struct shoal_config *config, const void *bytes, size_t size,
                                     const char *name,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* One "key=value" from the command line; later ones win. CONFIG with the reason, NOMEM. */
enum shoal_status shoal_config_set(struct shoal_config *config, const char *assignment,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* The value of a property passed through to librdkafka, "bootstrap.servers" for
 * kafka.bootstrap.servers; NULL if it is not set. */
const char *shoal_config_kafka(const struct shoal_config *config, const char *name);

struct shoal_config_option {
    const char *key, *type, *standard, *least, *most, *unit, *help;
};
/* The list for help and checks; *count is set. */
const struct shoal_config_option *shoal_config_options(size_t *count);

#endif
