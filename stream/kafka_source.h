/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's member of the consumer group. All calls, and the listener's, on the worker's thread.
 *
 * Messages are polled one by one: librdkafka before 2.1.0 can lose messages from batch calls around
 * a rebalance. Positions are the worker's business: nothing is committed here. */
#ifndef SHOAL_KAFKA_SOURCE_H
#define SHOAL_KAFKA_SOURCE_H

#include "stream/event.h"
#include "stream/kafka_client.h"
#include "stream/kafka_stats.h"

/* What Kafka knows of a partition when it is assigned. */
struct shoal_assignment {
    int32_t partition;
    int64_t committed; /* stable committed offset of the group; −1 = none */
    int64_t low, high; /* first offset kept, and the one after the last */
    const char *metadata; /* what was committed with the offset; valid during the call */
    size_t metadata_size;
};

/* Called from within poll and close. A failure fails the poll. */
struct shoal_source_listener {
    void *opaque;
    /* This partition comes. Whoever had it must be fenced off when this returns: the committed offset
     * is asked for afterwards, and must not be moved any more. */
    enum shoal_status (*claim)(void *opaque, int32_t partition, struct shoal_message *message);
    /* Sets *start to the offset to read from; −1: this partition is not to be read. */
    enum shoal_status (*assigned)(void *opaque, const struct shoal_assignment *assignment,
                                  int64_t *start, struct shoal_message *message);
    /* All partitions go away. `lost`: another member may have them already. */
    enum shoal_status (*revoked)(void *opaque, bool lost, struct shoal_message *message);
};

struct shoal_kafka_source;

/* `member` is the static group.instance.id, or NULL for a dynamic member. */
enum shoal_status shoal_kafka_source_create(const struct shoal_config *config,
                                            const struct shoal_log *log, const char *member,
                                            const struct shoal_source_listener *listener,
                                            struct shoal_kafka_source **source,
                                            struct shoal_message *message) SHOAL_MUST_CHECK;
/* OK: *input is the next message, valid until the next poll. EMPTY: none within timeout_ms. END:
 * a partition's end was reached, input->partition and offset (the next one) are set. Otherwise the
 * session is over. */
enum shoal_status shoal_kafka_source_poll(struct shoal_kafka_source *source, int timeout_ms,
                                          struct shoal_input *input,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* At-least-once: commits positions, with `wait` until the broker has them. */
enum shoal_status shoal_kafka_source_commit(struct shoal_kafka_source *source,
                                            const struct shoal_position *positions, size_t count,
                                            bool wait,
                                            struct shoal_message *message) SHOAL_MUST_CHECK;
/* What the client said of itself last; as long as the source. */
const struct shoal_kafka_stats *shoal_kafka_source_stats(const struct shoal_kafka_source *source);
/* Offset behind the last message of an assigned partition, as of the last fetch; −1: not known yet. Asks nobody. */
int64_t shoal_kafka_source_end(const struct shoal_kafka_source *source, int32_t partition);
/* Ends membership. `leave` and a dynamic member: tells the group (the listener is not called any
 * more, the worker has committed); a static member just goes and keeps its place until it comes
 * back or the session times out. */
void shoal_kafka_source_destroy(struct shoal_kafka_source *source, bool leave);

#endif
