/* SPDX-License-Identifier: Apache-2.0 */
/* What every Kafka client of a process shares: properties, topics, offsets from outside the group.
 *
 * Properties come in three layers: Shoal's defaults, the `kafka.*` of the configuration over them,
 * and last those that its guarantees rest on, which cannot be overridden (isolation level, manual
 * offsets, acks). */
#ifndef SHOAL_KAFKA_CLIENT_H
#define SHOAL_KAFKA_CLIENT_H

#include "stream/config.h"
#include "stream/log.h"

/* A position in one partition of the events topic. */
struct shoal_position {
    int32_t partition;
    int64_t next_offset;
    const char *metadata; /* kept with the committed offset; NULL: none. Borrowed */
};

/* Looks without joining: partition counts, end offsets, what the group has committed. */
struct shoal_kafka_monitor;

/* CONFIG if a kafka.* property is refused (the message names it). Connects in the background. */
enum shoal_status shoal_kafka_monitor_create(const struct shoal_config *config,
                                             const struct shoal_log *log,
                                             struct shoal_kafka_monitor **monitor,
                                             struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_kafka_monitor_destroy(struct shoal_kafka_monitor *monitor);
/* Makes sure that all topics exist (topics.partitions each; the segments topic is compacted) and
 * returns the partition count of the events topic. UNAVAILABLE while no broker answers. */
enum shoal_status shoal_kafka_topics(struct shoal_kafka_monitor *monitor, int32_t *partitions,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* ends[0 … partitions − 1]: the offset after the last message. */
enum shoal_status shoal_kafka_end_offsets(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                          int64_t *ends,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* The same within timeout_ms. */
enum shoal_status shoal_kafka_end_offsets_within(struct shoal_kafka_monitor *monitor,
                                                 int32_t partitions, int timeout_ms, int64_t *ends,
                                                 struct shoal_message *message) SHOAL_MUST_CHECK;
/* offsets[…]: what the group has committed, −1 where nothing. */
enum shoal_status shoal_kafka_committed(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                        int64_t *offsets,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
