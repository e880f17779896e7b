/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs to topics, in transactions with the input offsets (exactly once) or without (at least
 * once). One producer a worker; all calls on the worker's thread. */
#ifndef SHOAL_KAFKA_SINK_H
#define SHOAL_KAFKA_SINK_H

#include "stream/kafka_source.h"
#include "stream/sink.h"

/* `transactional_id` NULL: at least once, with an idempotent producer. `measured`: it reports how it does, and
 * shoal_kafka_sink_stats is asked every few seconds, since librdkafka keeps each report until then. */
enum shoal_status shoal_kafka_sink_create(const struct shoal_config *config,
                                          const struct shoal_log *log,
                                          const char *transactional_id, bool measured,
                                          struct shoal_sink **sink,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* Registers the transactional id: fences a predecessor and settles its open transaction. Waits at
 * most timeout_ms. UNAVAILABLE or TIMED_OUT: call again. */
enum shoal_status shoal_kafka_sink_begin(struct shoal_sink *sink, int timeout_ms,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Exactly once: commits all outputs since the last commit together with `positions` of the source's
 * group. When it fails the outcome may be unknown: recover from the committed offsets. */
enum shoal_status shoal_kafka_sink_commit(struct shoal_sink *sink,
                                          struct shoal_kafka_source *source,
                                          const struct shoal_position *positions, size_t count,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* At least once: waits until every output so far is acknowledged. */
enum shoal_status shoal_kafka_sink_flush(struct shoal_sink *sink,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Drops outputs that were not committed. */
void shoal_kafka_sink_abort(struct shoal_sink *sink);

/* What a measured producer said of itself last; as long as the sink. */
const struct shoal_kafka_stats *shoal_kafka_sink_stats(const struct shoal_sink *sink);

/* For `shoal send`, and for messages that tell the time: one message to the events topic, to a given
 * partition; exactly once, it shows with the next commit. key NULL: none. timestamp_ms −1: now. */
enum shoal_status shoal_kafka_sink_send(struct shoal_sink *sink, const struct shoal_input *input,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
