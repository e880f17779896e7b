/* SPDX-License-Identifier: Apache-2.0 */
/* shoal run --drain: what the old partitions of a topic that has grown still hold is processed in the old
 * layout, so that the states can be moved (stream/repartition.h). After a loss of all states the same builds
 * them as they lay before the topic grew, up to the offsets at which they were moved. */
#ifndef SHOAL_DRAIN_H
#define SHOAL_DRAIN_H

#include "stream/kafka_client.h"

/* `partitioner`: that of the producers by name, NULL: found out from where users are. *partitions becomes the number that the states are (to be) kept for, and until[0 … *partitions − 1], which the
 * caller frees, the offsets up to which each is to be processed; *until NULL: the topic has not grown, there
 * is nothing to drain. May set the store's layout back if it holds no states at all. As the store and
 * Kafka; PARTITIONS_CHANGED if a move was begun, or if events of the old layout and the new one are mixed. */
enum shoal_status shoal_drain_find(const struct shoal_config *config,
                                   struct shoal_kafka_monitor *monitor,
                                   const char *partitioner, int32_t *partitions,
                                   int64_t **until, struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
