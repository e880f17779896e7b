/* SPDX-License-Identifier: Apache-2.0 */
/* Properties, error classes and the monitor; see kafka_client.h and kafka_internal.h. */
#include "stream/kafka_client.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "model/base/clock.h"
#include "stream/kafka_internal.h"
#include "stream/secrets.h"

enum { METADATA_TIMEOUT_MS = 5000, CREATE_TIMEOUT_MS = 15000, LEADERS_TIMEOUT_MS = 30000 };

enum shoal_status kafka_status(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return SHOAL_OK;
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return SHOAL_FENCED;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
        return SHOAL_CONFIG;
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        return SHOAL_TIMED_OUT;
    default:
        return SHOAL_UNAVAILABLE;
    }
}

/* librdkafka's own log: its opaque is our log. Losing a connection is said by whoever waits for it,
 * once a minute; librdkafka's line a second about it is debug here. */
static void on_log(const rd_kafka_t *client, int severity, const char *facility, const char *text)
{
    const struct shoal_log *log = rd_kafka_opaque(client);
    if (log)
        shoal_log_write(log, kafka_severity(severity, text), "kafka %s: %s", facility, text);
}

/* A broker that is there and does not let us in: waiting does not help. */
static bool is_refusal(const char *text)
{
    return strstr(text, "uthentication error") || strstr(text, "uthentication failed") ||
           strstr(text, "SSL handshake failed");
}

enum shoal_log_level kafka_severity(int severity, const char *text)
{
    return severity <= LOG_CRIT || (severity <= LOG_ERR && is_refusal(text)) ? SHOAL_WARNING
                                                                             : SHOAL_DEBUG;
}

/* The monitor's: on librdkafka's threads. The first refusal is kept for whoever waits for the broker. */
static void on_monitor_log(const rd_kafka_t *client, int severity, const char *facility, const char *text)
{
    struct shoal_kafka_monitor *monitor = rd_kafka_opaque(client);
    if (severity > LOG_ERR || !is_refusal(text)) {
        if (monitor->log)
            shoal_log_write(monitor->log, kafka_severity(severity, text), "kafka %s: %s", facility, text);
        return;
    }
    const char *end = strstr(text, "]: "); /* behind the name of the thread */
    if (!atomic_flag_test_and_set(&monitor->first)) {
        snprintf(monitor->refusal, sizeof monitor->refusal, "%s", end ? end + 3 : text);
        atomic_store(&monitor->refused, true);
    }
}

/* What it means that the broker did not answer. */
static enum shoal_status unanswered(struct shoal_kafka_monitor *monitor, enum shoal_status status,
                                    struct shoal_message *message)
{
    return atomic_load(&monitor->refused)
               ? shoal_fail(message, SHOAL_CONFIG, "Kafka refuses the connection: %s", monitor->refusal)
               : status;
}

static enum shoal_status set(rd_kafka_conf_t *conf, const char *name, const char *value, int line,
                             struct shoal_message *message)
{
    char reason[256];
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return SHOAL_OK;
    if (shoal_secret_is(name)) /* the reason may show the value */
        snprintf(reason, sizeof reason, "librdkafka does not take this value");
    if (line > 0)
        return shoal_fail(message, SHOAL_CONFIG, "line %d: kafka.%s: %s", line, name, reason);
    return shoal_fail(message, SHOAL_CONFIG, "kafka.%s: %s", name, reason);
}

/* Properties that Shoal's guarantees rest on, or that have an option of their own. */
static enum shoal_status check_reserved(const struct shoal_config_property *property,
                                        struct shoal_message *message)
{
    static const struct kafka_property reserved[] = {
        {"group.id", "use the option group.id"},
        {"group.instance.id", "use the option instance.id"},
        {"transactional.id", "it is made from group.id and instance.id"},
        {"enable.idempotence", "outputs would not be exactly once"},
        {"max.in.flight", "messages could be lost unnoticed"},
        {"max.in.flight.requests.per.connection", "messages could be lost unnoticed"},
        {"enable.auto.commit", "offsets are committed with the outputs"},
        {"enable.auto.offset.store", "offsets are committed with the outputs"},
        {"auto.offset.reset", "recovery decides where to begin"},
        {"enable.partition.eof", "recovery relies on it"},
        {"isolation.level", "events of aborted transactions must not be read"},
        {"partition.assignment.strategy", "a cooperative one is not supported"},
        {NULL, NULL},
    };
    char line[32] = "";
    if (property->line > 0)
        snprintf(line, sizeof line, "line %d: ", property->line);
    for (const struct kafka_property *r = reserved; r->name; r++) {
        if (strcmp(property->name, r->name) == 0)
            return shoal_fail(message, SHOAL_CONFIG, "%skafka.%s is set by Shoal itself: %s", line,
                              r->name, r->value);
    }
    return SHOAL_OK;
}

enum shoal_status kafka_conf(const struct shoal_config *config, const struct shoal_log *log,
                             const struct kafka_property *defaults,
                             const struct kafka_property *fixed, rd_kafka_conf_t **result,
                             struct shoal_message *message)
{
    *result = NULL;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum shoal_status status = SHOAL_OK;
    for (; defaults->name && status == SHOAL_OK; defaults++)
        status = set(conf, defaults->name, defaults->value, 0, message);
    for (size_t i = 0; i < config->kafka_count && status == SHOAL_OK; i++) {
        const struct shoal_config_property *property = &config->kafka[i];
        status = check_reserved(property, message);
        if (status == SHOAL_OK)
            status = set(conf, property->name, property->value, property->line, message);
    }
    for (; fixed->name && status == SHOAL_OK; fixed++)
        status = set(conf, fixed->name, fixed->value, 0, message);
    if (status != SHOAL_OK) {
        rd_kafka_conf_destroy(conf);
        return status;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    /* librdkafka keeps the pointer; every log outlives its clients. */
    rd_kafka_conf_set_opaque(conf, (void *)(uintptr_t)log);
    *result = conf;
    return SHOAL_OK;
}

enum shoal_status kafka_new(enum kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **client,
                            struct shoal_message *message)
{
    char reason[256];
    *client = rd_kafka_new(role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf,
                           reason, sizeof reason);
    if (*client)
        return SHOAL_OK;
    rd_kafka_conf_destroy(conf);
    return shoal_fail(message, SHOAL_CONFIG, "kafka: %s", reason);
}

rd_kafka_topic_partition_list_t *kafka_offsets(const char *topic,
                                               const struct shoal_position *positions, size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, topic, positions[i].partition);
        size_t size = positions[i].metadata ? strlen(positions[i].metadata) : 0;
        element->offset = positions[i].next_offset;
        if (size > 0) { /* freed with the list */
            element->metadata = rd_kafka_mem_malloc(NULL, size);
            memcpy(element->metadata, positions[i].metadata, size);
            element->metadata_size = size;
        }
    }
    return list;
}

/* ---- monitor ------------------------------------------------------------------------------- */

enum shoal_status shoal_kafka_monitor_create(const struct shoal_config *config,
                                             const struct shoal_log *log,
                                             struct shoal_kafka_monitor **result,
                                             struct shoal_message *message)
{
    static const struct kafka_property defaults[] = {{"bootstrap.servers", "127.0.0.1:9092"},
                                                     {NULL, NULL}};
    const struct kafka_property fixed[] = {{"group.id", config->group_id},
                                           {"isolation.level", "read_committed"},
                                           {"enable.auto.commit", "false"},
                                           {"enable.partition.eof", "true"},
                                           {"statistics.interval.ms", "0"}, /* nobody polls them */
                                           {NULL, NULL}};
    *result = NULL;
    struct shoal_kafka_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    monitor->config = config;
    monitor->log = log;
    rd_kafka_conf_t *conf;
    enum shoal_status status = kafka_conf(config, log, defaults, fixed, &conf, message);
    if (status == SHOAL_OK) {
        rd_kafka_conf_set_opaque(conf, monitor);
        rd_kafka_conf_set_log_cb(conf, on_monitor_log);
        status = kafka_new(KAFKA_CONSUMER, conf, &monitor->client, message);
    }
    if (status != SHOAL_OK) {
        free(monitor);
        return status;
    }
    *result = monitor;
    return SHOAL_OK;
}

void shoal_kafka_monitor_destroy(struct shoal_kafka_monitor *monitor)
{
    if (!monitor)
        return;
    rd_kafka_destroy(monitor->client);
    free(monitor);
}

/* Partitions of one topic; 0 if it does not exist. */
static enum shoal_status count_partitions(struct shoal_kafka_monitor *monitor, const char *topic,
                                          int32_t *count, struct shoal_message *message)
{
    const struct rd_kafka_metadata *metadata;
    *count = 0;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(monitor->client, topic, NULL);
    if (!handle)
        return shoal_fail(message, SHOAL_CONFIG, "topic '%s': %s", topic,
                          rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(monitor->client, 0, handle, &metadata, METADATA_TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    if (error)
        return unanswered(monitor,
                          shoal_fail(message, SHOAL_UNAVAILABLE, "no broker answers: %s",
                                     rd_kafka_err2str(error)),
                          message);
    if (metadata->topic_cnt == 1) {
        error = metadata->topics[0].err;
        *count = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    if (error && error != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return shoal_fail(message, kafka_status(error), "topic '%s': %s", topic,
                          rd_kafka_err2str(error));
    return SHOAL_OK;
}

/* `property` NULL: as the broker makes topics. */
static enum shoal_status create_topic(struct shoal_kafka_monitor *monitor, const char *topic,
                                      const struct kafka_property *property,
                                      struct shoal_message *message)
{
    char reason[256] = "";
    rd_kafka_NewTopic_t *request = rd_kafka_NewTopic_new(
        topic, (int)monitor->config->topics_partitions, -1, reason, sizeof reason);
    if (!request)
        return shoal_fail(message, SHOAL_CONFIG, "topic '%s': %s", topic, reason);
    if (property->name)
        rd_kafka_NewTopic_set_config(request, property->name, property->value);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(monitor->client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, CREATE_TIMEOUT_MS, reason, sizeof reason);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(monitor->client);
    rd_kafka_CreateTopics(monitor->client, &request, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATE_TIMEOUT_MS + 5000);
    rd_kafka_resp_err_t error = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event && !error) {
        size_t count;
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        if (count == 1)
            error = rd_kafka_topic_result_error(results[0]);
    }
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(request);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return SHOAL_OK;
    if (error)
        return shoal_fail(message, kafka_status(error), "cannot create topic '%s': %s", topic,
                          rd_kafka_err2str(error));
    shoal_log_write(monitor->log, SHOAL_INFO, "created topic %s with %d partitions", topic,
                    (int)monitor->config->topics_partitions);
    return SHOAL_OK;
}

/* A partition that was just created has no leader for some milliseconds, and a group that is joined
 * in that time has to be joined again. */
static enum shoal_status wait_for_leaders(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                          struct shoal_message *message)
{
    int64_t until_ms = shoal_clock_ms() + LEADERS_TIMEOUT_MS;
    const char *topic = monitor->config->topic_events;
    for (int32_t i = 0; i < partitions;) {
        int64_t low, high;
        rd_kafka_resp_err_t error =
            kafka_watermarks(monitor->client, topic, i, METADATA_TIMEOUT_MS, &low, &high);
        if (!error) {
            i++;
            continue;
        }
        if (shoal_clock_ms() > until_ms)
            return shoal_fail(message, SHOAL_UNAVAILABLE, "partition %" PRId32 " of %s: %s", i,
                              topic, rd_kafka_err2str(error));
        struct timespec pause = {.tv_nsec = 20000000};
        nanosleep(&pause, NULL);
    }
    return SHOAL_OK;
}

enum shoal_status shoal_kafka_topics(struct shoal_kafka_monitor *monitor, int32_t *partitions,
                                     struct shoal_message *message)
{
    const struct shoal_config *config = monitor->config;
    const struct {
        const char *name;
        struct kafka_property property;
    } topics[] = {
        {config->topic_segments, {"cleanup.policy", "compact"}},
        {config->topic_decisions, {NULL, NULL}},
        {config->topic_models, {"cleanup.policy", "compact"}},
        /* A dead letter is larger than its message by the headers that say where it came from. */
        {config->topic_deadletter, {"max.message.bytes", SHOAL_KAFKA_LARGEST}},
        {config->topic_events, {NULL, NULL}}, /* last: its partitions are what is returned */
    };
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        enum shoal_status status = count_partitions(monitor, topics[i].name, partitions, message);
        if (status == SHOAL_OK && *partitions == 0) {
            status = create_topic(monitor, topics[i].name, &topics[i].property, message);
            *partitions = (int32_t)config->topics_partitions;
        }
        if (status != SHOAL_OK)
            return status;
    }
    return wait_for_leaders(monitor, *partitions, message);
}

enum shoal_status shoal_kafka_end_offsets(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                          int64_t *ends, struct shoal_message *message)
{
    return shoal_kafka_end_offsets_within(monitor, partitions, METADATA_TIMEOUT_MS, ends, message);
}

enum shoal_status shoal_kafka_end_offsets_within(struct shoal_kafka_monitor *monitor,
                                                 int32_t partitions, int timeout_ms, int64_t *ends,
                                                 struct shoal_message *message)
{
    const char *topic = monitor->config->topic_events;
    rd_kafka_resp_err_t error = kafka_ends(monitor->client, topic, partitions, timeout_ms, ends);
    return error ? shoal_fail(message, SHOAL_UNAVAILABLE, "end of %s: %s", topic, rd_kafka_err2str(error))
                 : SHOAL_OK;
}

enum shoal_status shoal_kafka_committed(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                        int64_t *offsets, struct shoal_message *message)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_topic_partition_list_add_range(list, monitor->config->topic_events, 0, partitions - 1);
    rd_kafka_resp_err_t error = rd_kafka_committed(monitor->client, list, METADATA_TIMEOUT_MS);
    for (int i = 0; i < list->cnt && !error; i++) {
        error = list->elems[i].err;
        offsets[list->elems[i].partition] = list->elems[i].offset < 0 ? -1 : list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return error ? shoal_fail(message, SHOAL_UNAVAILABLE, "offsets of group %s: %s",
                              monitor->config->group_id, rd_kafka_err2str(error))
                 : SHOAL_OK;
}
