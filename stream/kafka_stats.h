/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka's own statistics: the handful that is worth watching, out of the JSON that a client hands out
 * every few seconds. The one place that sees jansson. */
#ifndef SHOAL_KAFKA_STATS_H
#define SHOAL_KAFKA_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/* Of one client. Counters are since it was made. */
struct shoal_kafka_figures {
    uint64_t requests, retries, timeouts; /* to and from all brokers */
    uint64_t sent_messages, received_messages, sent_bytes, received_bytes;
    uint64_t rebalances;                  /* of a consumer's group */
    /* now */
    uint64_t waiting_requests, queued_messages;
    double rtt_s, rtt_p99_s;              /* of the slowest broker; 0: none was asked */
};

/* Zero-initialised: nothing was said yet. */
struct shoal_kafka_stats {
    struct shoal_kafka_figures figures;
    int64_t *lags; /* owned; by partition of the topic, −1: not known */
    size_t lags_count;
};

void shoal_kafka_stats_finish(struct shoal_kafka_stats *stats);
/* Reads one report. `topic`: whose partitions' lags are wanted; NULL: none. What is not there is 0, or −1.
 * DAMAGED if it is not the JSON of an object; then, and with NOMEM, the figures stay. */
enum shoal_status shoal_kafka_stats_read(struct shoal_kafka_stats *stats, const char *json,
                                         size_t size, const char *topic);
/* −1: not known. */
int64_t shoal_kafka_stats_lag(const struct shoal_kafka_stats *stats, int32_t partition);
/* *sum += *one for counters and what waits; the greater of the times. */
void shoal_kafka_figures_add(struct shoal_kafka_figures *sum,
                             const struct shoal_kafka_figures *one);

#endif
