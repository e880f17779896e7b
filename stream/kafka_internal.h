/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the kafka_*.c files only: the one place that sees librdkafka. */
#ifndef SHOAL_KAFKA_INTERNAL_H
#define SHOAL_KAFKA_INTERNAL_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "stream/kafka_client.h"
#include "stream/kafka_stats.h"

/* A property as "name", "value"; lists end with a NULL name. */
struct kafka_property {
    const char *name, *value;
};

/* Bytes of the largest message that clients send and the dead-letter topic takes: what a broker reads
 * as one request by default (socket.request.max.bytes). */
#define SHOAL_KAFKA_LARGEST "104857600"

/* How often a client hands out its statistics; kafka.statistics.interval.ms says otherwise. */
#define SHOAL_KAFKA_STATS_MS "5000"

enum kafka_role { KAFKA_CONSUMER, KAFKA_PRODUCER };

/* `defaults`, then kafka.* of the configuration, then `fixed`. A property that belongs to the other
 * role (say `linger.ms` on a consumer) is harmless: librdkafka warns, the log level hides it. On
 * failure *conf is NULL. */
enum shoal_status kafka_conf(const struct shoal_config *config, const struct shoal_log *log,
                             const struct kafka_property *defaults,
                             const struct kafka_property *fixed, rd_kafka_conf_t **conf,
                             struct shoal_message *message) SHOAL_MUST_CHECK;
/* Makes the client and takes `conf` over in every case. */
enum shoal_status kafka_new(enum kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **client,
                            struct shoal_message *message) SHOAL_MUST_CHECK;
/* What a librdkafka error means for us: retry or stop, never skip. */
enum shoal_status kafka_status(rd_kafka_resp_err_t error);

/* How severe a line of librdkafka's log is for us: losing a connection is said by whoever waits for it, once a
 * minute; that a broker does not let us in is said at once. */
enum shoal_log_level kafka_severity(int severity, const char *text);

/* A list for commits; the caller destroys it. */
rd_kafka_topic_partition_list_t *kafka_offsets(const char *topic,
                                               const struct shoal_position *positions,
                                               size_t count);

/* The group's offsets of the list's partitions, once no transaction is pending on them: the broker answers
 * "unstable" until a dead producer's has been settled, by its successor or by its timeout. Waits for that up to a
 * minute. */
rd_kafka_resp_err_t kafka_committed(rd_kafka_t *client,
                                    rd_kafka_topic_partition_list_t *list) SHOAL_MUST_CHECK;

/* First offset of a partition and the one behind its last message; within timeout_ms, also while the broker is away
 * (kafka_watermarks.c). */
rd_kafka_resp_err_t kafka_watermarks(rd_kafka_t *client, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *low, int64_t *high) SHOAL_MUST_CHECK;
/* ends[0 … partitions − 1], in one question to each broker. */
rd_kafka_resp_err_t kafka_ends(rd_kafka_t *client, const char *topic, int32_t partitions, int timeout_ms,
                               int64_t *ends) SHOAL_MUST_CHECK;

struct shoal_kafka_monitor {
    const struct shoal_config *config;
    const struct shoal_log *log;
    rd_kafka_t *client;
    atomic_flag first;   /* whoever sets it may write `refusal` */
    atomic_bool refused; /* `refusal` can be read */
    char refusal[400];
};

struct shoal_kafka_source;
/* The consumer behind a source, for its group metadata. */
rd_kafka_t *kafka_source_client(struct shoal_kafka_source *source);

#endif
