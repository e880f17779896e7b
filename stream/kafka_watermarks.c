/* SPDX-License-Identifier: Apache-2.0 */
/* Where partitions begin and end and how far the group is, asked of the broker.
 *
 * The former not by rd_kafka_query_watermark_offsets: before librdkafka 2.3 it does not keep its time limit, and waits for a broker
 * that is away until it is back, whatever else the process is asked to do (confluentinc/librdkafka#2588). A question for
 * the offsets of a time keeps it, and the protocol has two times that mean the beginning and the end. */
#include <stdlib.h>
#include <time.h>

#include "model/base/clock.h"
#include "stream/kafka_internal.h"

enum { COMMITTED_TIMEOUT_MS = 5000, STABLE_WAIT_MS = 60000 };

rd_kafka_resp_err_t kafka_committed(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list)
{
    int64_t until_ms = shoal_clock_ms() + STABLE_WAIT_MS;
    rd_kafka_resp_err_t error;
    do {
        error = rd_kafka_committed(client, list, COMMITTED_TIMEOUT_MS);
        for (int i = 0; i < list->cnt && !error; i++)
            error = list->elems[i].err;
        if (!error)
            break;
        struct timespec pause = {.tv_nsec = 100000000};
        nanosleep(&pause, NULL);
    } while (shoal_clock_ms() < until_ms && (error == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT ||
                                             error == RD_KAFKA_RESP_ERR__TIMED_OUT));
    return error;
}

/* offset of each element: RD_KAFKA_OFFSET_BEGINNING or _END, and then what it is. */
static rd_kafka_resp_err_t resolve(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(client, list, timeout_ms);
    for (int i = 0; i < list->cnt && !error; i++) {
        error = list->elems[i].err;
        if (!error && list->elems[i].offset < 0)
            error = RD_KAFKA_RESP_ERR__TIMED_OUT; /* not answered */
    }
    return error;
}

rd_kafka_resp_err_t kafka_ends(rd_kafka_t *client, const char *topic, int32_t partitions, int timeout_ms,
                               int64_t *ends)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t error = partitions > 0 ? resolve(client, list, timeout_ms) : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt && !error; i++)
        ends[list->elems[i].partition] = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

rd_kafka_resp_err_t kafka_watermarks(rd_kafka_t *client, const char *topic, int32_t partition,
                                     int timeout_ms, int64_t *low, int64_t *high)
{
    static const int64_t times[] = {RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END};
    int64_t *const results[] = {low, high}, until_ms = shoal_clock_ms() + timeout_ms;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < 2 && !error; i++) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        int64_t left_ms = until_ms - shoal_clock_ms();
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset = times[i];
        error = resolve(client, list, left_ms > 1 ? (int)left_ms : 1);
        if (!error)
            *results[i] = list->elems[0].offset;
        rd_kafka_topic_partition_list_destroy(list);
    }
    return error;
}
