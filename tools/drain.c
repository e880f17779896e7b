/* SPDX-License-Identifier: Apache-2.0 */
/* How far the old partitions are to be drained; see drain.h. */
#include "tools/drain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "state/store.h"
#include "stream/kafka_layout.h"
#include "stream/swaps.h"

struct drain {
    struct shoal_kafka_monitor *monitor;
    struct shoal_store *store;
    int32_t partitions; /* of the topic */
    struct shoal_place *places;
    struct shoal_message *message;
};

/* Is nothing kept of any partition? Asking takes them over: whoever still held one is fenced off. */
static enum shoal_status is_empty(struct drain *d, bool *empty)
{
    enum shoal_status status = SHOAL_OK;
    *empty = true;
    for (int32_t p = 0; p < d->partitions && status == SHOAL_OK; p++) {
        struct shoal_checkpoint checkpoint;
        status = d->store->ops->acquire(d->store, p, &checkpoint, d->message);
        *empty = *empty && checkpoint.next_offset < 0;
    }
    return status;
}

static enum shoal_status read_history(const struct drain *d, int32_t partition,
                                      struct shoal_swaps *history)
{
    const struct shoal_place *place = &d->places[partition];
    enum shoal_status status = SHOAL_OK;
    if (place->metadata_size > 0)
        status = shoal_swaps_parse(place->metadata, place->metadata_size, history);
    return status == SHOAL_NOMEM ? shoal_fail(d->message, status, "out of memory") : SHOAL_OK;
}

/* The layout to drain in; 0: none. A store that has lost everything begins with the topic's oldest growth. */
static enum shoal_status find_layout(struct drain *d, int32_t *from)
{
    struct shoal_swaps history = {0};
    struct shoal_layout layout;
    bool empty = false;
    *from = 0;
    enum shoal_status status = d->store->ops->layout(d->store, &layout, d->message);
    if (status == SHOAL_OK && layout.becoming)
        status = shoal_fail(d->message, SHOAL_PARTITIONS_CHANGED,
                            "the states are being moved from %" PRId32 " to %" PRId32
                            " partitions: finish it with shoal repartition",
                            layout.partitions, layout.becoming);
    if (status == SHOAL_OK)
        status = read_history(d, 0, &history);
    bool grown = history.growths_count > 0;
    if (status == SHOAL_OK && layout.partitions == d->partitions && grown)
        status = is_empty(d, &empty);
    struct shoal_layout first = {grown ? history.growths[0].from : 0, 0};
    if (status == SHOAL_OK && grown && (empty || layout.partitions == 0)) {
        *from = first.partitions;
        status = d->store->ops->set_layout(d->store, &layout, &first, d->message);
    } else if (layout.partitions < d->partitions) {
        *from = layout.partitions;
    }
    shoal_swaps_finish(&history);
    return status;
}

/* Where the partition's states were moved to the next layout, else where it ends. */
static enum shoal_status find_end(const struct drain *d, int32_t partition, int32_t from,
                                  int64_t *end)
{
    struct shoal_swaps history = {0};
    enum shoal_status status = read_history(d, partition, &history);
    const struct shoal_growth *growth = shoal_swaps_growth_from(&history, from);
    *end = growth ? growth->offset : d->places[partition].high;
    shoal_swaps_finish(&history);
    return status;
}

static enum shoal_status find(struct drain *d, int32_t *partitions, int64_t **until)
{
    int32_t from;
    enum shoal_status status = shoal_kafka_count(d->monitor, &d->partitions, d->message);
    if (status != SHOAL_OK)
        return status;
    d->places = calloc((size_t)d->partitions, sizeof *d->places);
    if (!d->places)
        return shoal_fail(d->message, SHOAL_NOMEM, "out of memory");
    status = shoal_kafka_places(d->monitor, d->partitions, d->places, d->message);
    if (status == SHOAL_OK)
        status = find_layout(d, &from);
    if (status != SHOAL_OK || from == 0)
        return status;
    int64_t *ends = calloc((size_t)from, sizeof *ends);
    if (!ends)
        return shoal_fail(d->message, SHOAL_NOMEM, "out of memory");
    for (int32_t p = 0; p < from && status == SHOAL_OK; p++)
        status = find_end(d, p, from, &ends[p]);
    *partitions = from;
    *until = ends; /* the caller frees it in any case */
    return status;
}

enum shoal_status shoal_drain_find(const struct shoal_config *config,
                                   struct shoal_kafka_monitor *monitor, int32_t *partitions,
                                   int64_t **until, struct shoal_message *message)
{
    struct drain d = {.monitor = monitor, .message = message};
    struct shoal_redis_options redis = {
        .url = config->redis_url,
        .topic = config->topic_events,
        .timeout_ms = (int)config->redis_timeout,
    };
    *until = NULL;
    enum shoal_status status = shoal_redis_store_create(&redis, &d.store, message);
    if (status == SHOAL_OK)
        status = find(&d, partitions, until);
    shoal_kafka_places_free(d.places, d.partitions);
    if (d.store)
        d.store->ops->destroy(d.store);
    return status;
}
