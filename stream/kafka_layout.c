/* SPDX-License-Identifier: Apache-2.0 */
/* The group's offsets from outside the group; see kafka_layout.h. */
#include "stream/kafka_layout.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/base/clock.h"
#include "stream/kafka_internal.h"

enum { TIMEOUT_MS = 5000, SILENCE_MS = 30000 };

enum shoal_status shoal_kafka_count(struct shoal_kafka_monitor *monitor, int32_t *partitions,
                                    struct shoal_message *message)
{
    const struct rd_kafka_metadata *metadata;
    const char *topic = monitor->config->topic_events;
    *partitions = 0;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(monitor->client, topic, NULL);
    if (!handle)
        return shoal_fail(message, SHOAL_CONFIG, "topic '%s': %s", topic,
                          rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(monitor->client, 0, handle, &metadata, TIMEOUT_MS);
    rd_kafka_topic_destroy(handle);
    if (error)
        return shoal_fail(message, SHOAL_UNAVAILABLE, "no broker answers: %s",
                          rd_kafka_err2str(error));
    if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
        *partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return *partitions > 0 ? SHOAL_OK
                           : shoal_fail(message, SHOAL_NOT_FOUND, "there is no topic '%s'", topic);
}

static enum shoal_status fill_place(struct shoal_kafka_monitor *monitor,
                                    const rd_kafka_topic_partition_t *element,
                                    struct shoal_place *place, struct shoal_message *message)
{
    place->committed = element->offset < 0 ? -1 : element->offset;
    if (element->metadata_size > 0) {
        place->metadata = strndup(element->metadata, element->metadata_size);
        if (!place->metadata)
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
        place->metadata_size = element->metadata_size;
    }
    rd_kafka_resp_err_t error =
        kafka_watermarks(monitor->client, element->topic, element->partition, TIMEOUT_MS, &place->low,
                         &place->high);
    return error ? shoal_fail(message, SHOAL_UNAVAILABLE, "offsets of partition %d: %s",
                              (int)element->partition, rd_kafka_err2str(error))
                 : SHOAL_OK;
}

enum shoal_status shoal_kafka_places(struct shoal_kafka_monitor *monitor, int32_t partitions,
                                     struct shoal_place *places, struct shoal_message *message)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_topic_partition_list_add_range(list, monitor->config->topic_events, 0, partitions - 1);
    rd_kafka_resp_err_t error = kafka_committed(monitor->client, list);
    enum shoal_status status =
        error ? shoal_fail(message, SHOAL_UNAVAILABLE, "offsets of group %s: %s",
                           monitor->config->group_id, rd_kafka_err2str(error))
              : SHOAL_OK;
    for (int i = 0; i < list->cnt && status == SHOAL_OK; i++)
        status = fill_place(monitor, &list->elems[i], &places[list->elems[i].partition], message);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

void shoal_kafka_places_free(struct shoal_place *places, int32_t partitions)
{
    for (int32_t i = 0; places && i < partitions; i++)
        free(places[i].metadata);
    free(places);
}

enum shoal_status shoal_kafka_members(struct shoal_kafka_monitor *monitor, int *count,
                                      struct shoal_message *message)
{
    const struct rd_kafka_group_list *groups;
    *count = 0;
    rd_kafka_resp_err_t error =
        rd_kafka_list_groups(monitor->client, monitor->config->group_id, &groups, TIMEOUT_MS);
    if (error)
        return shoal_fail(message, SHOAL_UNAVAILABLE, "group %s: %s", monitor->config->group_id,
                          rd_kafka_err2str(error));
    for (int i = 0; i < groups->group_cnt; i++)
        *count += groups->groups[i].member_cnt;
    rd_kafka_group_list_destroy(groups);
    return SHOAL_OK;
}

enum shoal_status shoal_kafka_commit(struct shoal_kafka_monitor *monitor,
                                     const struct shoal_position *positions, size_t count,
                                     struct shoal_message *message)
{
    rd_kafka_topic_partition_list_t *list =
        kafka_offsets(monitor->config->topic_events, positions, count);
    rd_kafka_resp_err_t error = rd_kafka_commit(monitor->client, list, 0);
    for (int i = 0; i < list->cnt && !error; i++)
        error = list->elems[i].err;
    rd_kafka_topic_partition_list_destroy(list);
    return error ? shoal_fail(message, kafka_status(error), "offsets of group %s: %s",
                              monitor->config->group_id, rd_kafka_err2str(error))
                 : SHOAL_OK;
}

/* ---- keys ---------------------------------------------------------------------------------- */

/* Index of the partition among those that are still read; −1: it is not. */
static ptrdiff_t find(const struct shoal_position *positions, const bool *done, size_t count,
                      int32_t partition)
{
    for (size_t i = 0; i < count; i++) {
        if (positions[i].partition == partition)
            return done[i] ? -1 : (ptrdiff_t)i;
    }
    return -1;
}

/* Assigns those in which anything waits; *left is their number. */
static enum shoal_status assign(struct shoal_kafka_monitor *monitor,
                                const struct shoal_position *positions, const int64_t *ends,
                                size_t count, bool *done, size_t *left,
                                struct shoal_message *message)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    *left = 0;
    for (size_t i = 0; i < count; i++) {
        done[i] = positions[i].next_offset >= ends[i];
        if (done[i])
            continue;
        rd_kafka_topic_partition_list_add(list, monitor->config->topic_events,
                                          positions[i].partition)
            ->offset = positions[i].next_offset;
        ++*left;
    }
    rd_kafka_resp_err_t error = *left ? rd_kafka_assign(monitor->client, list) : 0;
    rd_kafka_topic_partition_list_destroy(list);
    return error ? shoal_fail(message, kafka_status(error), "assignment: %s",
                              rd_kafka_err2str(error))
                 : SHOAL_OK;
}

enum shoal_status shoal_kafka_keys(struct shoal_kafka_monitor *monitor,
                                   const struct shoal_position *positions, const int64_t *ends,
                                   size_t count,
                                   void (*visit)(void *opaque, int32_t partition, int64_t offset,
                                                 const void *key, size_t size),
                                   void *opaque, struct shoal_message *message)
{
    size_t left = 0;
    bool *done = calloc(count + 1, sizeof *done);
    if (!done)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status = assign(monitor, positions, ends, count, done, &left, message);
    int64_t heard_ms = shoal_clock_ms();
    while (left > 0 && status == SHOAL_OK) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(monitor->client, 100);
        ptrdiff_t i = m ? find(positions, done, count, m->partition) : -1;
        bool end = m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (i >= 0 && (!m->err || end)) {
            heard_ms = shoal_clock_ms();
            if (!end && m->offset < ends[i] && m->key)
                visit(opaque, m->partition, m->offset, m->key, m->key_len);
            done[i] = end || m->offset + 1 >= ends[i];
            left -= done[i];
        }
        if (m)
            rd_kafka_message_destroy(m);
        if (shoal_clock_ms() - heard_ms > SILENCE_MS)
            status = shoal_fail(message, SHOAL_TIMED_OUT,
                                "the events that wait in %s cannot be read: no answer for %d s",
                                monitor->config->topic_events, SILENCE_MS / 1000);
    }
    rd_kafka_assign(monitor->client, NULL);
    free(done);
    return status;
}
