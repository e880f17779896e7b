/* SPDX-License-Identifier: Apache-2.0 */
/* How far the old partitions are to be drained; see drain.h. */
#include "tools/drain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "state/store.h"
#include "stream/kafka_layout.h"
#include "stream/repartition.h"
#include "stream/store_options.h"
#include "stream/swaps.h"

struct drain {
    const char *partitioner_name; /* NULL: to be found out */
    enum shoal_partitioner partitioner;
    int32_t from;
    int64_t *until;   /* of each of the `from` partitions */
    int64_t *arrived; /* likewise: the first event of a user who was elsewhere; INT64_MAX: none */
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

/* Where the partition's states were moved to the next layout; −1: they have not been. */
static enum shoal_status find_recorded(const struct drain *d, int32_t partition, int64_t *end)
{
    struct shoal_swaps history = {0};
    enum shoal_status status = read_history(d, partition, &history);
    const struct shoal_growth *growth = shoal_swaps_growth_from(&history, d->from);
    *end = growth ? growth->offset : -1;
    shoal_swaps_finish(&history);
    return status;
}

/* ---- users who move between old partitions -------------------------------------------------- */

static enum shoal_status find_partitioner(struct drain *d)
{
    struct shoal_survey survey = {0};
    if (d->partitioner_name)
        return shoal_partitioner_named(d->partitioner_name, &d->partitioner, d->message);
    enum shoal_status status =
        shoal_survey_make(d->store, d->from, d->partitions, false, &survey, d->message);
    if (status == SHOAL_OK)
        status = shoal_survey_partitioner(&survey, &d->partitioner, d->message);
    shoal_survey_finish(&survey);
    return status;
}

static void see_key(void *opaque, int32_t partition, int64_t offset, const void *key, size_t size)
{
    struct drain *d = opaque;
    int32_t was = shoal_partitioner_of(d->partitioner, key, size, d->from);
    int32_t is = shoal_partitioner_of(d->partitioner, key, size, d->partitions);
    if (is != partition)
        d->until[partition] = offset + 1; /* of who leaves: before the boundary */
    else if (was != partition && offset < d->arrived[partition])
        d->arrived[partition] = offset;
}

/* Up to the last event of a user who leaves, and no further: those of users who arrive are of the new layout. */
static enum shoal_status find_ends(struct drain *d)
{
    struct shoal_position *positions = calloc((size_t)d->from, sizeof *positions);
    int64_t *ends = calloc((size_t)d->from, sizeof *ends);
    d->arrived = calloc((size_t)d->from, sizeof *d->arrived);
    enum shoal_status status = SHOAL_NOMEM;
    if (positions && ends && d->arrived)
        status = find_partitioner(d);
    else
        shoal_fail(d->message, status, "out of memory");
    for (int32_t p = 0; p < d->from && status == SHOAL_OK; p++) {
        const struct shoal_place *place = &d->places[p];
        d->until[p] = place->committed > place->low ? place->committed : place->low;
        d->arrived[p] = INT64_MAX;
        positions[p] = (struct shoal_position){p, d->until[p], NULL};
        ends[p] = place->high;
    }
    if (status == SHOAL_OK)
        status = shoal_kafka_keys(d->monitor, positions, ends, (size_t)d->from, see_key, d,
                                  d->message);
    for (int32_t p = 0; p < d->from && status == SHOAL_OK; p++) {
        if (d->arrived[p] < d->until[p])
            status = shoal_fail(
                d->message, SHOAL_PARTITIONS_CHANGED,
                "partition %" PRId32 ": an event of a user who was in another partition before the topic "
                "grew lies at offset %" PRId64 ", and one of a user who has left after it, at %" PRId64
                ": %" PRId32 " is no multiple of %" PRId32 ", and producers did not stop meanwhile, so "
                "that the order of their events is lost",
                p, d->arrived[p], d->until[p] - 1, d->partitions, d->from);
    }
    free(positions);
    free(ends);
    free(d->arrived);
    return status;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static enum shoal_status find_until(struct drain *d)
{
    bool recorded = true;
    enum shoal_status status = SHOAL_OK;
    d->until = calloc((size_t)d->from, sizeof *d->until);
    if (!d->until)
        return shoal_fail(d->message, SHOAL_NOMEM, "out of memory");
    for (int32_t p = 0; p < d->from && status == SHOAL_OK; p++) {
        status = find_recorded(d, p, &d->until[p]);
        recorded = recorded && d->until[p] >= 0;
    }
    if (status != SHOAL_OK || recorded)
        return status;
    if (d->partitions % d->from != 0)
        return find_ends(d);
    for (int32_t p = 0; p < d->from; p++)
        d->until[p] = d->places[p].high;
    return SHOAL_OK;
}

static enum shoal_status find(struct drain *d)
{
    enum shoal_status status = shoal_kafka_count(d->monitor, &d->partitions, d->message);
    if (status != SHOAL_OK)
        return status;
    d->places = calloc((size_t)d->partitions, sizeof *d->places);
    if (!d->places)
        return shoal_fail(d->message, SHOAL_NOMEM, "out of memory");
    status = shoal_kafka_places(d->monitor, d->partitions, d->places, d->message);
    if (status == SHOAL_OK)
        status = find_layout(d, &d->from);
    return status == SHOAL_OK && d->from > 0 ? find_until(d) : status;
}

enum shoal_status shoal_drain_find(const struct shoal_config *config,
                                   struct shoal_kafka_monitor *monitor,
                                   const char *partitioner, int32_t *partitions,
                                   int64_t **until, struct shoal_message *message)
{
    struct drain d = {.partitioner_name = partitioner, .monitor = monitor, .message = message};
    struct shoal_redis_options redis = shoal_store_options(config);
    enum shoal_status status = shoal_redis_store_create(&redis, &d.store, message);
    if (status == SHOAL_OK)
        status = find(&d);
    if (d.until)
        *partitions = d.from;
    *until = d.until; /* the caller frees it in any case */
    shoal_kafka_places_free(d.places, d.partitions);
    if (d.store)
        d.store->ops->destroy(d.store);
    return status;
}
