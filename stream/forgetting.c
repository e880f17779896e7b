/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that have users forgotten, on their way; see forgetting.h. */
#include "stream/forgetting.h"

#include <stdlib.h>

#include "model/params.h"
#include "stream/consent.h"
#include "stream/forget.h"
#include "stream/kafka_client.h"
#include "stream/kafka_sink.h"

struct shoal_forgetting {
    struct shoal_store *store;
    struct shoal_sink *sink;
    int32_t partitions;
};

enum shoal_status shoal_forgetting_create(const struct shoal_config *config, const struct shoal_log *log,
                                          struct shoal_store *store,
                                          struct shoal_forgetting **forgetting,
                                          struct shoal_message *message)
{
    struct shoal_kafka_monitor *monitor = NULL;
    struct shoal_forgetting *made = calloc(1, sizeof *made);
    *forgetting = NULL;
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    made->store = store;
    enum shoal_status status = shoal_kafka_monitor_create(config, log, &monitor, message);
    if (status == SHOAL_OK)
        status = shoal_kafka_topics(monitor, &made->partitions, message);
    if (status == SHOAL_OK)
        status = shoal_kafka_sink_create(config, log, NULL, false, &made->sink, message);
    shoal_kafka_monitor_destroy(monitor);
    if (status != SHOAL_OK) {
        shoal_forgetting_destroy(made);
        return status;
    }
    *forgetting = made;
    return SHOAL_OK;
}

void shoal_forgetting_destroy(struct shoal_forgetting *forgetting)
{
    if (!forgetting)
        return;
    if (forgetting->sink)
        forgetting->sink->ops->destroy(forgetting->sink);
    free(forgetting);
}

/* A record that cannot be read is one to be forgotten like another. */
static bool has_declined(struct shoal_slice value)
{
    struct shoal_record record;
    float hc[2 * SHOAL_HIDDEN_MAX];
    uint32_t hidden;
    enum shoal_precision precision;
    if (shoal_record_shape(value.bytes, value.size, &hidden, &precision) != SHOAL_OK ||
        hidden > SHOAL_HIDDEN_MAX)
        return false;
    shoal_record_init(&record, hidden, hc);
    return shoal_record_decode(&record, value.bytes, value.size) == SHOAL_OK &&
           shoal_consent_declined(&record);
}

enum shoal_status shoal_forgetting_find(struct shoal_forgetting *forgetting, const char *user,
                                        size_t user_size, int32_t *partition, bool *declined,
                                        struct shoal_message *message)
{
    char text[SHOAL_FORGET_BYTES];
    struct shoal_slice value;
    *partition = -1;
    *declined = false;
    if (shoal_forget_print(user, user_size, text) == 0)
        return shoal_fail(message, SHOAL_BAD_USER,
                          "a user id has 1 to %d bytes of UTF-8 without control characters",
                          SHOAL_USER_MAX);
    enum shoal_status status = forgetting->store->ops->find(
        forgetting->store, (struct shoal_slice){user, user_size}, partition, &value, message);
    if (status == SHOAL_OK)
        *declined = has_declined(value);
    if (status == SHOAL_NOT_FOUND)
        *partition = -1;
    return status == SHOAL_NOT_FOUND ? SHOAL_OK : status;
}

enum shoal_status shoal_forgetting_send(struct shoal_forgetting *forgetting, const char *user,
                                        size_t user_size, int32_t partition,
                                        struct shoal_message *message)
{
    char text[SHOAL_FORGET_BYTES];
    struct shoal_input input = {
        .timestamp_ms = -1,
        .key = user,
        .key_size = user_size,
        .value = text,
        .value_size = shoal_forget_print(user, user_size, text),
    };
    int32_t first = partition < 0 ? 0 : partition;
    int32_t end = partition < 0 ? forgetting->partitions : partition + 1;
    enum shoal_status status = input.value_size > 0 ? SHOAL_OK : SHOAL_BAD_USER;
    for (input.partition = first; input.partition < end && status == SHOAL_OK; input.partition++)
        status = shoal_kafka_sink_send(forgetting->sink, &input, message);
    return status;
}

enum shoal_status shoal_forgetting_flush(struct shoal_forgetting *forgetting,
                                         struct shoal_message *message)
{
    return shoal_kafka_sink_flush(forgetting->sink, message);
}
