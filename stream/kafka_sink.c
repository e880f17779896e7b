/* SPDX-License-Identifier: Apache-2.0 */
/* Producer side; see kafka_sink.h.
 *
 * Every failure of a transaction is answered in the same way: this worker's session ends, and the
 * next one recovers from what the broker has committed. So errors are only sorted into retry and
 * stop here, never mended in place. */
#include "stream/kafka_sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/base/crash.h"
#include "stream/kafka_internal.h"

enum { EVENTS_TOPIC = SHOAL_TOPIC_COUNT, TOPICS, FLUSH_STEP_MS = 1000, PARTITION_TIMEOUT_MS = 30000 };
/* Half of the transaction's own timeout: who waits longer waits for nothing, and for a shutdown too
 * long. */
enum { COMMIT_TIMEOUT_MS = 10000 };

struct kafka_sink {
    struct shoal_sink base;
    rd_kafka_t *client;
    rd_kafka_topic_t *topics[TOPICS];
    const struct shoal_config *config;
    const struct shoal_log *log;
    char source_uri[300]; /* ce_source */
    const char *content_type;
    bool transactional, open;   /* open: a transaction has begun */
    rd_kafka_resp_err_t failed; /* of the first message that could not be delivered */
    char failed_topic[256];
    struct shoal_kafka_stats stats;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_sink *sink = opaque;
    if (message->err && !sink->failed) {
        sink->failed = message->err;
        snprintf(sink->failed_topic, sizeof sink->failed_topic, "%s",
                 rd_kafka_topic_name(message->rkt));
    }
}

static enum shoal_status not_delivered(const struct kafka_sink *sink, struct shoal_message *message)
{
    return shoal_fail(message, kafka_status(sink->failed),
                      "a message to '%s' was not delivered: %s%s", sink->failed_topic,
                      rd_kafka_err2str(sink->failed),
                      sink->failed == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                          ? "; raise the topic's max.message.bytes"
                          : "");
}

/* What a failure really means. A transaction that an undeliverable message has spoilt only answers
 * that it is spoilt, and to try again would not help; a producer that was fenced off, that it has
 * failed for good. */
static enum shoal_status explain(struct kafka_sink *sink, enum shoal_status status,
                                 struct shoal_message *message)
{
    char reason[256];
    if (status == SHOAL_OK)
        return status;
    rd_kafka_poll(sink->client, 0);
    if (sink->failed && kafka_status(sink->failed) == SHOAL_CONFIG)
        return not_delivered(sink, message);
    if (kafka_status(rd_kafka_fatal_error(sink->client, reason, sizeof reason)) == SHOAL_FENCED)
        return shoal_fail(message, SHOAL_FENCED, "producer: %s", reason);
    return status;
}

static void on_log(const rd_kafka_t *client, int severity, const char *facility, const char *text)
{
    const struct kafka_sink *sink = rd_kafka_opaque(client);
    shoal_log_write(sink->log, kafka_severity(severity, text), "kafka %s: %s",
                    facility, text);
}

/* Within poll. A report that cannot be read leaves the one before. */
static int on_stats(rd_kafka_t *client, char *json, size_t size, void *opaque)
{
    struct kafka_sink *sink = opaque;
    (void)shoal_kafka_stats_read(&sink->stats, json, size, NULL);
    return 0; /* librdkafka frees the text */
}

static enum shoal_status translate(rd_kafka_error_t *error, const char *what,
                                   struct shoal_message *message)
{
    if (!error)
        return SHOAL_OK;
    enum shoal_status status = kafka_status(rd_kafka_error_code(error));
    if (status == SHOAL_OK || (status == SHOAL_CONFIG && rd_kafka_error_is_retriable(error)))
        status = SHOAL_UNAVAILABLE;
    shoal_fail(message, status, "%s: %s", what, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return status;
}

static void add_header(rd_kafka_headers_t *headers, const char *name, const char *value,
                       size_t size)
{
    rd_kafka_header_add(headers, name, -1, value, (ssize_t)size);
}

/* CloudEvents 1.0, Kafka protocol binding, binary content mode. */
static rd_kafka_headers_t *event_headers(const struct kafka_sink *sink,
                                         const struct shoal_output *output)
{
    char time[25];
    static const char *const types[SHOAL_TOPIC_COUNT] = {
        [SHOAL_TOPIC_SEGMENTS] = "shoal.segment.changed",
        [SHOAL_TOPIC_DECISIONS] = "shoal.promotion.decided",
        [SHOAL_TOPIC_MODELS] = "shoal.model.swapped",
    };
    bool is_tombstone = !output->value;
    const char *type = is_tombstone ? "shoal.user.forgotten" : types[output->topic];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(6);
    add_header(headers, "ce_specversion", "1.0", 3);
    add_header(headers, "ce_id", output->id, output->id_size);
    add_header(headers, "ce_type", type, strlen(type));
    add_header(headers, "ce_source", sink->source_uri, strlen(sink->source_uri));
    if (output->topic != SHOAL_TOPIC_MODELS) { /* a swap has no event, its record says when */
        shoal_time_print(output->time_ms, time);
        add_header(headers, "ce_time", time, strlen(time));
    }
    if (!is_tombstone)
        add_header(headers, "content-type", sink->content_type, strlen(sink->content_type));
    return headers;
}

static rd_kafka_headers_t *deadletter_headers(const struct kafka_sink *sink,
                                              const struct shoal_output *output)
{
    char number[24];
    const char *code = shoal_status_code(output->status);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(5);
    add_header(headers, "source_topic", sink->config->topic_events,
               strlen(sink->config->topic_events));
    snprintf(number, sizeof number, "%d", (int)output->source->partition);
    add_header(headers, "source_partition", number, strlen(number));
    snprintf(number, sizeof number, "%lld", (long long)output->source->offset);
    add_header(headers, "source_offset", number, strlen(number));
    add_header(headers, "error_code", code, strlen(code));
    add_header(headers, "error_text", output->why, strlen(output->why));
    return headers;
}

/* Hands one message to librdkafka, waiting while its queue is full. Takes `headers` over. */
static enum shoal_status produce(struct kafka_sink *sink, int topic, int32_t partition,
                                 const char *key, size_t key_size, const void *value,
                                 size_t value_size, rd_kafka_headers_t *headers,
                                 struct shoal_message *message)
{
    int64_t until_ms = 0; /* of waiting for a partition; 0: not yet waited */
    for (;;) {
        rd_kafka_resp_err_t error = rd_kafka_producev(
            sink->client, RD_KAFKA_V_RKT(sink->topics[topic]), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_size),
            RD_KAFKA_V_KEY((void *)(uintptr_t)key, key_size), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_END);
        if (!error)
            return SHOAL_OK;
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(sink->client, 10);
            if (!sink->failed)
                continue;
            error = sink->failed;
        }
        /* A broker that was just started, or a topic just created, names its partitions late. */
        if (error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) {
            if (until_ms == 0)
                until_ms = shoal_clock_ms() + PARTITION_TIMEOUT_MS;
            rd_kafka_poll(sink->client, 100);
            if (shoal_clock_ms() < until_ms)
                continue;
        }
        if (headers)
            rd_kafka_headers_destroy(headers);
        shoal_fail(message, kafka_status(error), "cannot produce to '%s': %s",
                   rd_kafka_topic_name(sink->topics[topic]), rd_kafka_err2str(error));
        return explain(sink, kafka_status(error), message);
    }
}

static enum shoal_status ensure_open(struct kafka_sink *sink, struct shoal_message *message)
{
    if (!sink->transactional || sink->open)
        return SHOAL_OK;
    enum shoal_status status =
        translate(rd_kafka_begin_transaction(sink->client), "begin of a transaction", message);
    sink->open = status == SHOAL_OK;
    return status;
}

static enum shoal_status emit(struct shoal_sink *base, const struct shoal_output *output)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    struct shoal_message message;
    enum shoal_status status = ensure_open(sink, &message);
    if (status == SHOAL_OK) {
        rd_kafka_headers_t *headers = output->topic == SHOAL_TOPIC_DEADLETTER
                                          ? deadletter_headers(sink, output)
                                          : event_headers(sink, output);
        status = produce(sink, (int)output->topic, RD_KAFKA_PARTITION_UA, output->key,
                         output->key_size, output->value, output->value_size, headers, &message);
    }
    if (status != SHOAL_OK)
        shoal_log_write(sink->log, SHOAL_WARNING, "%s", message.text);
    return status;
}

static void destroy(struct shoal_sink *base)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    if (!sink)
        return;
    for (int i = 0; i < TOPICS; i++) {
        if (sink->topics[i])
            rd_kafka_topic_destroy(sink->topics[i]);
    }
    if (sink->client) {
        rd_kafka_purge(sink->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_poll(sink->client, 0);
        rd_kafka_destroy(sink->client);
    }
    shoal_kafka_stats_finish(&sink->stats);
    free(sink);
}

static const struct shoal_sink_ops ops = {emit, destroy};

static enum shoal_status create_client(struct kafka_sink *sink, const char *transactional_id, bool measured,
                                       struct shoal_message *message)
{
    /* A transaction's outputs show at its commit, which flushes: until then they may gather, as long as
     * not all are left to the commit. Otherwise they show when they arrive: a micro-batch is handed over
     * in one go and makes a request worth sending. Short lingers lie badly between the two, since
     * librdkafka 2.0.2 polls without a pause through the last millisecond of each. */
    bool at_once = !transactional_id && strcmp(sink->config->delivery, "at_least_once") == 0;
    const struct kafka_property defaults[] = {
        {"bootstrap.servers", "127.0.0.1:9092"},
        {"linger.ms", at_once ? "0" : transactional_id ? "20" : "5"},
        /* Outputs are much alike. The broker then checks a batch without parsing each of its headers:
         * it spends a third less on them. */
        {"compression.type", "lz4"},
        {"message.timeout.ms", "15000"},
        {"queue.buffering.max.messages", "500000"},
        {"message.max.bytes", SHOAL_KAFKA_LARGEST},
        {"partitioner", "murmur2_random"},
        {"statistics.interval.ms", SHOAL_KAFKA_STATS_MS},
        {NULL, NULL},
    };
    /* A transaction stays open for an interval; the broker ends one that its producer has left. */
    char transaction_timeout[24];
    snprintf(transaction_timeout, sizeof transaction_timeout, "%" PRId64,
             sink->config->commit_interval + 20000);
    /* One request at a time on a connection. With two, the first may be refused (a partition that
     * was just created or has just moved is not there yet) and the second taken: a broker that
     * knows nothing of this producer accepts any first sequence number, and librdkafka then counts
     * the first as delivered too. A broker works on one request of a connection at a time anyway.
     */
    const struct kafka_property fixed[] = {
        {"enable.idempotence", "true"},
        {"max.in.flight", "1"},
        {"delivery.report.only.error", "true"},
        /* last, since a NULL name ends the list */
        {transactional_id ? "transaction.timeout.ms" : NULL, transaction_timeout},
        {"transactional.id", transactional_id},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf;
    enum shoal_status status = kafka_conf(sink->config, sink->log, defaults, fixed, &conf, message);
    if (status != SHOAL_OK)
        return status;
    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    if (measured)
        rd_kafka_conf_set_stats_cb(conf, on_stats);
    else
        (void)rd_kafka_conf_set(conf, "statistics.interval.ms", "0", NULL, 0);
    return kafka_new(KAFKA_PRODUCER, conf, &sink->client, message);
}

enum shoal_status shoal_kafka_sink_create(const struct shoal_config *config,
                                          const struct shoal_log *log, const char *transactional_id,
                                          bool measured, struct shoal_sink **result,
                                          struct shoal_message *message)
{
    *result = NULL;
    struct kafka_sink *sink = calloc(1, sizeof *sink);
    if (!sink)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    sink->base.ops = &ops;
    sink->config = config;
    sink->log = log;
    sink->transactional = transactional_id != NULL;
    sink->content_type =
        strcmp(config->output_format, "msgpack") == 0 ? "application/msgpack" : "application/json";
    snprintf(sink->source_uri, sizeof sink->source_uri, "/shoal/%s", config->topic_events);
    enum shoal_status status = create_client(sink, transactional_id, measured, message);
    const char *const names[TOPICS] = {
        [SHOAL_TOPIC_SEGMENTS] = config->topic_segments,
        [SHOAL_TOPIC_DECISIONS] = config->topic_decisions,
        [SHOAL_TOPIC_DEADLETTER] = config->topic_deadletter,
        [SHOAL_TOPIC_MODELS] = config->topic_models,
        [EVENTS_TOPIC] = config->topic_events,
    };
    for (int i = 0; i < TOPICS && status == SHOAL_OK; i++) {
        sink->topics[i] = rd_kafka_topic_new(sink->client, names[i], NULL);
        if (!sink->topics[i])
            status = shoal_fail(message, SHOAL_CONFIG, "topic '%s': %s", names[i],
                                rd_kafka_err2str(rd_kafka_last_error()));
    }
    if (status != SHOAL_OK) {
        destroy(&sink->base);
        return status;
    }
    *result = &sink->base;
    return SHOAL_OK;
}

enum shoal_status shoal_kafka_sink_begin(struct shoal_sink *base, int timeout_ms,
                                         struct shoal_message *message)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    if (!sink->transactional)
        return SHOAL_OK;
    return translate(rd_kafka_init_transactions(sink->client, timeout_ms), "transactional producer",
                     message);
}

enum shoal_status shoal_kafka_sink_commit(struct shoal_sink *base,
                                          struct shoal_kafka_source *source,
                                          const struct shoal_position *positions, size_t count,
                                          struct shoal_message *message)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    rd_kafka_t *consumer = kafka_source_client(source);
    enum shoal_status status = SHOAL_OK;
    if (count > 0)
        status = ensure_open(sink, message);
    if (status != SHOAL_OK || !sink->open)
        return status;
    rd_kafka_topic_partition_list_t *offsets =
        kafka_offsets(sink->config->topic_events, positions, count);
    if (count > 0) {
        rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
        status = translate(
            rd_kafka_send_offsets_to_transaction(sink->client, offsets, group, COMMIT_TIMEOUT_MS),
            "offsets of a transaction", message);
        rd_kafka_consumer_group_metadata_destroy(group);
    }
    if (status == SHOAL_OK) {
        shoal_crash_point("commit.before");
        status = translate(rd_kafka_commit_transaction(sink->client, COMMIT_TIMEOUT_MS),
                           "commit of a transaction", message);
    }
    if (status == SHOAL_OK) {
        sink->open = false;
        /* For the consumer's own figure of the lag; it commits nothing by itself. */
        (void)rd_kafka_offsets_store(consumer, offsets);
    }
    rd_kafka_topic_partition_list_destroy(offsets);
    return explain(sink, status, message);
}

/* Ends: message.timeout.ms makes a failure of each message that cannot be delivered. */
enum shoal_status shoal_kafka_sink_flush(struct shoal_sink *base, struct shoal_message *message)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    while (rd_kafka_flush(sink->client, FLUSH_STEP_MS) != RD_KAFKA_RESP_ERR_NO_ERROR &&
           !sink->failed)
        continue;
    if (sink->failed)
        return not_delivered(sink, message);
    return SHOAL_OK;
}

const struct shoal_kafka_stats *shoal_kafka_sink_stats(const struct shoal_sink *base)
{
    const struct kafka_sink *sink = (const struct kafka_sink *)base;
    rd_kafka_poll(sink->client, 0); /* hands out what has come in meanwhile */
    return &sink->stats;
}

void shoal_kafka_sink_abort(struct shoal_sink *base)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    if (!sink->open)
        return;
    rd_kafka_error_t *error = rd_kafka_abort_transaction(sink->client, 5000);
    if (error)
        rd_kafka_error_destroy(error); /* the successor's begin settles it */
    sink->open = false;
}

enum shoal_status shoal_kafka_sink_send(struct shoal_sink *base, const struct shoal_input *input,
                                        struct shoal_message *message)
{
    struct kafka_sink *sink = (struct kafka_sink *)base;
    if (sink->failed)
        return shoal_kafka_sink_flush(base, message);
    enum shoal_status status = ensure_open(sink, message);
    if (status != SHOAL_OK)
        return status;
    rd_kafka_poll(sink->client, 0);
    return produce(sink, EVENTS_TOPIC, input->partition, input->key, input->key_size, input->value,
                   input->value_size, NULL, message);
}
