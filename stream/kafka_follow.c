/* SPDX-License-Identifier: Apache-2.0 */
/* The newest outputs; see kafka_follow.h. */
#include "stream/kafka_follow.h"

#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/kafka_internal.h"

enum { METADATA_TIMEOUT_MS = 500, METADATA_EVERY_MS = 1000, TOPICS = 2 };

struct shoal_kafka_follow {
    rd_kafka_t *client;
    const struct shoal_log *log;
    const char *topics[TOPICS]; /* NULL: not followed; segments, then decisions */
    rd_kafka_topic_partition_list_t *list; /* of all partitions; offsets: the next to be polled, −1 none yet */
    int64_t asked_ms;
    rd_kafka_message_t *message; /* the one handed out last */
};

enum shoal_status shoal_kafka_follow_create(const struct shoal_config *config, const struct shoal_log *log,
                                            bool segments, bool decisions,
                                            struct shoal_kafka_follow **result,
                                            struct shoal_message *message)
{
    /* A fetch is answered a few times a second, and brings little at once. */
    static const struct kafka_property defaults[] = {{"bootstrap.servers", "127.0.0.1:9092"}, {NULL, NULL}};
    const struct kafka_property fixed[] = {
        {"group.id", config->group_id}, /* never joined: librdkafka wants a name */
        {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "latest"},
        {"fetch.min.bytes", "65536"},
        {"fetch.wait.max.ms", "200"},
        {"max.partition.fetch.bytes", "131072"},
        {"queued.min.messages", "100"},
        {"queued.max.messages.kbytes", "512"},
        {"statistics.interval.ms", "0"},
        {NULL, NULL},
    };
    *result = NULL;
    struct shoal_kafka_follow *follow = calloc(1, sizeof *follow);
    if (!follow)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    follow->log = log;
    follow->topics[0] = segments ? config->topic_segments : NULL;
    follow->topics[1] = decisions ? config->topic_decisions : NULL;
    follow->asked_ms = shoal_clock_ms() - METADATA_EVERY_MS;
    rd_kafka_conf_t *conf;
    enum shoal_status status = kafka_conf(config, log, defaults, fixed, &conf, message);
    if (status == SHOAL_OK)
        status = kafka_new(KAFKA_CONSUMER, conf, &follow->client, message);
    if (status != SHOAL_OK) {
        free(follow);
        return status;
    }
    rd_kafka_poll_set_consumer(follow->client);
    *result = follow;
    return SHOAL_OK;
}

static void drop_message(struct shoal_kafka_follow *follow)
{
    if (follow->message)
        rd_kafka_message_destroy(follow->message);
    follow->message = NULL;
}

void shoal_kafka_follow_destroy(struct shoal_kafka_follow *follow)
{
    if (!follow)
        return;
    drop_message(follow);
    if (follow->list)
        rd_kafka_topic_partition_list_destroy(follow->list);
    rd_kafka_destroy_flags(follow->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(follow);
}

/* ---- where to read ------------------------------------------------------------------------- */

static bool add_partitions(struct shoal_kafka_follow *follow, const char *topic,
                           rd_kafka_topic_partition_list_t *list)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(follow->client, topic, NULL);
    if (!handle)
        return false;
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(follow->client, 0, handle, &metadata, METADATA_TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    if (error)
        return false;
    int count = metadata->topic_cnt == 1 && !metadata->topics[0].err ? metadata->topics[0].partition_cnt : 0;
    for (int32_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_metadata_destroy(metadata);
    return count > 0;
}

/* From the end of every partition on. */
static void begin_at_end(struct shoal_kafka_follow *follow)
{
    for (int i = 0; i < follow->list->cnt; i++)
        follow->list->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_assign(follow->client, follow->list);
    for (int i = 0; i < follow->list->cnt; i++)
        follow->list->elems[i].offset = -1;
}

static enum shoal_status find_partitions(struct shoal_kafka_follow *follow)
{
    int64_t now_ms = shoal_clock_ms();
    if (now_ms - follow->asked_ms < METADATA_EVERY_MS)
        return SHOAL_UNAVAILABLE;
    follow->asked_ms = now_ms;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    bool all = true;
    for (int t = 0; t < TOPICS && all; t++)
        all = !follow->topics[t] || add_partitions(follow, follow->topics[t], list);
    if (!all) {
        rd_kafka_topic_partition_list_destroy(list);
        return SHOAL_UNAVAILABLE;
    }
    follow->list = list;
    begin_at_end(follow);
    return SHOAL_OK;
}

uint64_t shoal_kafka_follow_catch_up(struct shoal_kafka_follow *follow, uint64_t most)
{
    uint64_t behind = 0;
    for (int i = 0; follow->list && i < follow->list->cnt; i++) {
        const rd_kafka_topic_partition_t *at = &follow->list->elems[i];
        int64_t low, high; /* as of the last fetch: asks nobody */
        if (at->offset >= 0 &&
            rd_kafka_get_watermark_offsets(follow->client, at->topic, at->partition, &low, &high) ==
                RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > at->offset)
            behind += (uint64_t)(high - at->offset);
    }
    if (behind <= most)
        return 0;
    drop_message(follow);
    begin_at_end(follow);
    return behind;
}

/* ---- messages ------------------------------------------------------------------------------ */

static void note_position(struct shoal_kafka_follow *follow, const char *topic, const rd_kafka_message_t *m)
{
    rd_kafka_topic_partition_t *at =
        rd_kafka_topic_partition_list_find(follow->list, topic, m->partition);
    if (at)
        at->offset = m->offset + 1;
}

enum shoal_status shoal_kafka_follow_poll(struct shoal_kafka_follow *follow, int timeout_ms,
                                          struct shoal_followed *followed)
{
    const void *id = NULL;
    size_t id_size = 0;
    rd_kafka_headers_t *headers;
    drop_message(follow);
    if (!follow->list) {
        enum shoal_status status = find_partitions(follow);
        if (status != SHOAL_OK)
            return status;
    }
    rd_kafka_message_t *m = follow->message = rd_kafka_consumer_poll(follow->client, timeout_ms);
    if (!m || m->err) /* news about brokers, which librdkafka mends by itself */
        return SHOAL_EMPTY;
    const char *topic = rd_kafka_topic_name(m->rkt);
    note_position(follow, topic, m);
    if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        (void)rd_kafka_header_get_last(headers, "ce_id", &id, &id_size);
    *followed = (struct shoal_followed){
        .topic = follow->topics[0] && strcmp(topic, follow->topics[0]) == 0 ? SHOAL_TOPIC_SEGMENTS
                                                                            : SHOAL_TOPIC_DECISIONS,
        .key = m->key ? m->key : "",
        .key_size = m->key ? m->key_len : 0,
        .value = m->payload,
        .value_size = m->len,
        .id = id,
        .id_size = id ? id_size : 0,
    };
    return SHOAL_OK;
}
