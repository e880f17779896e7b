/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a Kafka client; see kafka_stats.h. Fields as in librdkafka's STATISTICS.md. */
#include "stream/kafka_stats.h"

#include <jansson.h>
#include <stdlib.h>

enum { PARTITIONS_MAX = 1 << 20 };

void shoal_kafka_stats_finish(struct shoal_kafka_stats *stats)
{
    free(stats->lags);
    *stats = (struct shoal_kafka_stats){0};
}

/* 0 where it is absent, no number or negative. */
static uint64_t natural(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 ? (uint64_t)value : 0;
}

static double seconds_of_us(const json_t *object, const char *name)
{
    return (double)natural(object, name) / 1e6;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

static void read_brokers(struct shoal_kafka_figures *figures, json_t *brokers)
{
    const char *name;
    json_t *broker;
    json_object_foreach(brokers, name, broker)
    {
        const json_t *rtt = json_object_get(broker, "rtt");
        figures->waiting_requests += natural(broker, "outbuf_cnt");
        figures->retries += natural(broker, "txretries");
        figures->timeouts += natural(broker, "req_timeouts");
        figures->rtt_s = greater(figures->rtt_s, seconds_of_us(rtt, "avg"));
        figures->rtt_p99_s = greater(figures->rtt_p99_s, seconds_of_us(rtt, "p99"));
    }
}

static enum shoal_status make_room(struct shoal_kafka_stats *stats, size_t partitions)
{
    if (partitions <= stats->lags_count)
        return SHOAL_OK;
    int64_t *grown = reallocarray(stats->lags, partitions, sizeof *grown);
    if (!grown)
        return SHOAL_NOMEM;
    for (size_t i = stats->lags_count; i < partitions; i++)
        grown[i] = -1;
    stats->lags = grown;
    stats->lags_count = partitions;
    return SHOAL_OK;
}

/* Messages in the consumer's queues are added to `queued`. */
static enum shoal_status read_partitions(struct shoal_kafka_stats *stats, json_t *partitions,
                                         uint64_t *queued)
{
    const char *name;
    json_t *partition;
    for (size_t i = 0; i < stats->lags_count; i++)
        stats->lags[i] = -1;
    json_object_foreach(partitions, name, partition)
    {
        /* The first is of what the consumer committed: in a transaction the producer does, and the consumer is only
         * told of it. */
        const json_t *lag = json_object_get(partition, "consumer_lag");
        if (json_integer_value(lag) < 0)
            lag = json_object_get(partition, "consumer_lag_stored");
        json_int_t number = json_integer_value(json_object_get(partition, "partition"));
        *queued += natural(partition, "fetchq_cnt");
        if (number < 0 || number >= PARTITIONS_MAX || !json_is_integer(lag) ||
            json_integer_value(lag) < 0)
            continue;
        if (make_room(stats, (size_t)number + 1) != SHOAL_OK)
            return SHOAL_NOMEM;
        stats->lags[number] = json_integer_value(lag);
    }
    return SHOAL_OK;
}

enum shoal_status shoal_kafka_stats_read(struct shoal_kafka_stats *stats, const char *text,
                                         size_t size, const char *topic)
{
    json_error_t error;
    json_t *root = json_loadb(text, size, 0, &error);
    enum shoal_status status = json_is_object(root) ? SHOAL_OK : SHOAL_DAMAGED;
    struct shoal_kafka_figures figures = {
        .requests = natural(root, "tx"),
        .sent_messages = natural(root, "txmsgs"),
        .received_messages = natural(root, "rxmsgs"),
        .sent_bytes = natural(root, "tx_bytes"),
        .received_bytes = natural(root, "rx_bytes"),
        .queued_messages = natural(root, "msg_cnt"),
        .rebalances = natural(json_object_get(root, "cgrp"), "rebalance_cnt"),
    };
    read_brokers(&figures, json_object_get(root, "brokers"));
    if (status == SHOAL_OK && topic) {
        const json_t *one = json_object_get(json_object_get(root, "topics"), topic);
        status = read_partitions(stats, json_object_get(one, "partitions"),
                                 &figures.queued_messages);
    }
    if (status == SHOAL_OK)
        stats->figures = figures;
    json_decref(root);
    return status;
}

int64_t shoal_kafka_stats_lag(const struct shoal_kafka_stats *stats, int32_t partition)
{
    return partition >= 0 && (size_t)partition < stats->lags_count ? stats->lags[partition] : -1;
}

void shoal_kafka_figures_add(struct shoal_kafka_figures *sum, const struct shoal_kafka_figures *one)
{
    sum->requests += one->requests;
    sum->retries += one->retries;
    sum->timeouts += one->timeouts;
    sum->sent_messages += one->sent_messages;
    sum->received_messages += one->received_messages;
    sum->sent_bytes += one->sent_bytes;
    sum->received_bytes += one->received_bytes;
    sum->rebalances += one->rebalances;
    sum->waiting_requests += one->waiting_requests;
    sum->queued_messages += one->queued_messages;
    sum->rtt_s = greater(sum->rtt_s, one->rtt_s);
    sum->rtt_p99_s = greater(sum->rtt_p99_s, one->rtt_p99_s);
}
