/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer group membership; see kafka_source.h. */
#include "stream/kafka_source.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/kafka_internal.h"

enum { OFFSETS_TIMEOUT_MS = 5000 };

struct shoal_kafka_source {
    rd_kafka_t *client;
    const char *topic; /* borrowed from the configuration */
    const struct shoal_log *log;
    struct shoal_source_listener listener;
    bool is_static, closing;
    rd_kafka_message_t *message; /* the one handed out last */
    enum shoal_status status;    /* of a rebalance that failed; sticky */
    struct shoal_message failure;
    struct shoal_nag nag;
    struct shoal_kafka_stats stats;
};

rd_kafka_t *kafka_source_client(struct shoal_kafka_source *source)
{
    return source->client;
}

static enum shoal_status fetch_committed(struct shoal_kafka_source *source,
                                         rd_kafka_topic_partition_list_t *list,
                                         struct shoal_message *message)
{
    rd_kafka_resp_err_t error = kafka_committed(source->client, list);
    return error ? shoal_fail(message, SHOAL_UNAVAILABLE, "committed offsets: %s",
                              rd_kafka_err2str(error))
                 : SHOAL_OK;
}

static enum shoal_status assign(struct shoal_kafka_source *source,
                                rd_kafka_topic_partition_list_t *list)
{
    struct shoal_message *message = &source->failure;
    enum shoal_status status = SHOAL_OK;
    for (int i = 0; i < list->cnt && status == SHOAL_OK; i++)
        status = source->listener.claim(source->listener.opaque, list->elems[i].partition, message);
    if (status == SHOAL_OK && list->cnt)
        status = fetch_committed(source, list, message);
    for (int i = 0; i < list->cnt && status == SHOAL_OK; i++) {
        rd_kafka_topic_partition_t *element = &list->elems[i];
        struct shoal_assignment assignment = {
            .partition = element->partition,
            .committed = element->offset < 0 ? -1 : element->offset,
            .metadata = element->metadata,
            .metadata_size = element->metadata_size,
        };
        rd_kafka_resp_err_t error =
            kafka_watermarks(source->client, element->topic, element->partition, OFFSETS_TIMEOUT_MS,
                             &assignment.low, &assignment.high);
        if (error)
            status = shoal_fail(message, SHOAL_UNAVAILABLE, "offsets of partition %d: %s",
                                (int)element->partition, rd_kafka_err2str(error));
        else
            status = source->listener.assigned(source->listener.opaque, &assignment,
                                               &element->offset, message);
    }
    for (int i = list->cnt; i-- > 0 && status == SHOAL_OK;) {
        if (list->elems[i].offset < 0)
            rd_kafka_topic_partition_list_del_by_idx(list, i);
    }
    rd_kafka_assign(source->client, status == SHOAL_OK ? list : NULL);
    return status;
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct shoal_kafka_source *source = opaque;
    enum shoal_status status = SHOAL_OK;
    if (source->closing || source->status != SHOAL_OK) {
        rd_kafka_assign(client, NULL);
        return;
    }
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        status = assign(source, list);
    } else {
        bool lost = rd_kafka_assignment_lost(client) != 0;
        status = source->listener.revoked(source->listener.opaque, lost, &source->failure);
        rd_kafka_assign(client, NULL);
    }
    if (status != SHOAL_OK)
        source->status = status;
}

static void on_log(const rd_kafka_t *client, int severity, const char *facility, const char *text)
{
    const struct shoal_kafka_source *source = rd_kafka_opaque(client);
    if (source)
        shoal_log_write(source->log, kafka_severity(severity, text), "kafka %s: %s",
                        facility, text);
}

/* Within poll. A report that cannot be read leaves the one before. */
static int on_stats(rd_kafka_t *client, char *json, size_t size, void *opaque)
{
    struct shoal_kafka_source *source = opaque;
    (void)shoal_kafka_stats_read(&source->stats, json, size, source->topic);
    return 0; /* librdkafka frees the text */
}

enum shoal_status shoal_kafka_source_create(const struct shoal_config *config,
                                            const struct shoal_log *log, const char *member,
                                            const struct shoal_source_listener *listener,
                                            struct shoal_kafka_source **result,
                                            struct shoal_message *message)
{
    /* A fetch is answered when it is worth it or after a short wait, not for each event: at some
     * 10,000 events a second the round trips for a handful of events each cost the broker and us more
     * than the events. Exactly once, the wait vanishes behind the commit interval. */
    bool exactly_once = strcmp(config->delivery, "exactly_once") == 0;
    const struct kafka_property defaults[] = {
        {"bootstrap.servers", "127.0.0.1:9092"},
        {"session.timeout.ms", "10000"},
        {"heartbeat.interval.ms", "1000"},
        {"fetch.min.bytes", "100000"},
        {"fetch.wait.max.ms", exactly_once ? "10" : "5"},
        {"queued.min.messages", "200000"},
        {"queued.max.messages.kbytes", "65536"},
        {"auto.offset.reset", "error"},
        {"statistics.interval.ms", SHOAL_KAFKA_STATS_MS},
        {NULL, NULL},
    };
    struct kafka_property fixed[] = {
        {"group.id", config->group_id},
        {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},
        /* cooperative-sticky can loop for ever before 2.6.1 */
        {"partition.assignment.strategy", "range,roundrobin"},
        {member ? "group.instance.id" : NULL, member},
        {NULL, NULL},
    };
    *result = NULL;
    struct shoal_kafka_source *source = calloc(1, sizeof *source);
    if (!source)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    source->log = log;
    source->listener = *listener;
    source->is_static = member != NULL;
    source->topic = config->topic_events;
    rd_kafka_conf_t *conf;
    enum shoal_status status = kafka_conf(config, log, defaults, fixed, &conf, message);
    if (status == SHOAL_OK) {
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
        rd_kafka_conf_set_opaque(conf, source);
        rd_kafka_conf_set_log_cb(conf, on_log);
        rd_kafka_conf_set_stats_cb(conf, on_stats);
        status = kafka_new(KAFKA_CONSUMER, conf, &source->client, message);
    }
    if (status == SHOAL_OK) {
        rd_kafka_poll_set_consumer(source->client);
        rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(topics, config->topic_events, RD_KAFKA_PARTITION_UA);
        rd_kafka_resp_err_t error = rd_kafka_subscribe(source->client, topics);
        rd_kafka_topic_partition_list_destroy(topics);
        if (error)
            status = shoal_fail(message, kafka_status(error), "cannot subscribe to '%s': %s",
                                config->topic_events, rd_kafka_err2str(error));
    }
    if (status != SHOAL_OK) {
        shoal_kafka_source_destroy(source, false);
        return status;
    }
    *result = source;
    return SHOAL_OK;
}

/* An error message from the queue: most are news about a broker that is away, which librdkafka
 * mends by itself. */
static enum shoal_status consumer_error(struct shoal_kafka_source *source,
                                        const rd_kafka_message_t *kafka_message,
                                        struct shoal_message *message)
{
    char reason[256];
    rd_kafka_resp_err_t error = kafka_message->err;
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        error = rd_kafka_fatal_error(source->client, reason, sizeof reason);
        return shoal_fail(message, kafka_status(error), "consumer: %s", reason);
    }
    if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        return shoal_fail(message, SHOAL_UNAVAILABLE, "partition %d: %s",
                          (int)kafka_message->partition, rd_kafka_message_errstr(kafka_message));
    if (kafka_status(error) == SHOAL_CONFIG)
        return shoal_fail(message, SHOAL_CONFIG, "consumer: %s",
                          rd_kafka_message_errstr(kafka_message));
    if (shoal_nag_due(&source->nag))
        shoal_log_write(source->log, SHOAL_WARNING, "kafka: %s; still trying",
                        rd_kafka_message_errstr(kafka_message));
    return SHOAL_EMPTY;
}

enum shoal_status shoal_kafka_source_poll(struct shoal_kafka_source *source, int timeout_ms,
                                          struct shoal_input *input, struct shoal_message *message)
{
    if (source->message) {
        rd_kafka_message_destroy(source->message);
        source->message = NULL;
    }
    rd_kafka_message_t *m = rd_kafka_consumer_poll(source->client, timeout_ms);
    if (source->status != SHOAL_OK) { /* a rebalance during the poll failed */
        if (m)
            rd_kafka_message_destroy(m);
        if (message)
            *message = source->failure;
        return source->status;
    }
    if (!m)
        return SHOAL_EMPTY;
    source->message = m;
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        *input = (struct shoal_input){.partition = m->partition, .offset = m->offset};
        return SHOAL_END;
    }
    if (m->err)
        return consumer_error(source, m, message);
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(m, &type);
    *input = (struct shoal_input){
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .key = m->key,
        .key_size = m->key_len,
        .value = m->payload ? m->payload : "",
        .value_size = m->payload ? m->len : 0,
    };
    return SHOAL_OK;
}

enum shoal_status shoal_kafka_source_commit(struct shoal_kafka_source *source,
                                            const struct shoal_position *positions, size_t count,
                                            bool wait, struct shoal_message *message)
{
    rd_kafka_topic_partition_list_t *list = kafka_offsets(source->topic, positions, count);
    rd_kafka_resp_err_t error = rd_kafka_commit(source->client, list, !wait);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? shoal_fail(message, kafka_status(error), "commit of offsets: %s",
                              rd_kafka_err2str(error))
                 : SHOAL_OK;
}

const struct shoal_kafka_stats *shoal_kafka_source_stats(const struct shoal_kafka_source *source)
{
    return &source->stats;
}

int64_t shoal_kafka_source_end(const struct shoal_kafka_source *source, int32_t partition)
{
    int64_t low, high;
    rd_kafka_resp_err_t error =
        rd_kafka_get_watermark_offsets(source->client, source->topic, partition, &low, &high);
    return error || high < 0 ? -1 : high;
}

void shoal_kafka_source_destroy(struct shoal_kafka_source *source, bool leave)
{
    if (!source)
        return;
    source->closing = true;
    if (source->message)
        rd_kafka_message_destroy(source->message);
    if (source->client) {
        if (leave && !source->is_static)
            rd_kafka_consumer_close(source->client);
        rd_kafka_destroy_flags(source->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    shoal_kafka_stats_finish(&source->stats);
    free(source);
}
