/* SPDX-License-Identifier: Apache-2.0 */
/* What shoal repartition asks of Kafka: how far the group is in each partition, who is in it, whose events wait;
 * and the offsets that it commits for a group that is empty. In the caller's thread. */
#ifndef SHOAL_KAFKA_LAYOUT_H
#define SHOAL_KAFKA_LAYOUT_H

#include "stream/kafka_client.h"

struct shoal_place {
    int64_t committed; /* stable; −1: nothing */
    int64_t low, high; /* of the log */
    char *metadata;    /* owned; zero-terminated; NULL: none */
    size_t metadata_size;
};

/* How many partitions the events topic has; NOT_FOUND if there is none. */
enum shoal_status shoal_kafka_count(struct shoal_kafka_monitor *monitor, int32_t *partitions,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* places[0 … partitions − 1], which are zeroed; the caller frees them also after a failure. */
enum shoal_status shoal_kafka_places(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                     struct shoal_place *places,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_kafka_places_free(struct shoal_place *places, int32_t partitions);
/* Members of the group, also static ones that have left and not timed out. */
enum shoal_status shoal_kafka_members(struct shoal_kafka_monitor *monitor, int *count,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* Commits offsets with their metadata from outside the group; refused by the broker while it has members. */
enum shoal_status shoal_kafka_commit(struct shoal_kafka_monitor *monitor,
                                     const struct shoal_position *positions, size_t count,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Calls visit for every message with a key from positions[i].next_offset up to ends[i]. */
enum shoal_status shoal_kafka_keys(struct shoal_kafka_monitor *monitor,
                                   const struct shoal_position *positions, const int64_t *ends,
                                   size_t count,
                                   void (*visit)(void *opaque, int32_t partition, int64_t offset,
                                                 const void *key, size_t size),
                                   void *opaque, struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
