/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what is newest in the output topics, for those who watch: committed messages only, from the end on, in no
 * group, nothing stored. Built to be cheap beside the processor: it asks the broker a few times a second for little, and
 * who cannot keep up leaves messages out instead of reading after them. */
#ifndef SHOAL_KAFKA_FOLLOW_H
#define SHOAL_KAFKA_FOLLOW_H

#include "stream/config.h"
#include "stream/log.h"
#include "stream/sink.h"

struct shoal_kafka_follow;

struct shoal_followed {
    enum shoal_topic topic; /* SHOAL_TOPIC_SEGMENTS or SHOAL_TOPIC_DECISIONS */
    const char *key;
    size_t key_size;
    const void *value; /* NULL: a tombstone */
    size_t value_size;
    const char *id;    /* ce_id; NULL: none */
    size_t id_size;
};

/* CONFIG. `segments`, `decisions`: which of the topics. Connects in the background. */
enum shoal_status shoal_kafka_follow_create(const struct shoal_config *config, const struct shoal_log *log,
                                            bool segments, bool decisions,
                                            struct shoal_kafka_follow **follow,
                                            struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_kafka_follow_destroy(struct shoal_kafka_follow *follow);
/* The next message if there is one, valid until the next call: OK, EMPTY, or UNAVAILABLE while no broker tells which
 * partitions there are (asked once a second, for half a second at most). Waits at most timeout_ms. */
enum shoal_status shoal_kafka_follow_poll(struct shoal_kafka_follow *follow, int timeout_ms,
                                          struct shoal_followed *followed);
/* If more than `most` messages are there that were not polled, goes on at the end. How many were left out. */
uint64_t shoal_kafka_follow_catch_up(struct shoal_kafka_follow *follow, uint64_t most);

#endif
