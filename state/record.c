/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a user record in memory; its bytes are record_codec.c's.
 *
 * Invariant: the touches in the ring never go back in time, so that their times can be stored as
 * unsigned gaps. Everything here is a function of its arguments: no clock, no allocation. */
#include "state/record.h"

#include <stddef.h>
#include <string.h>

void shoal_record_init(struct shoal_record *record, uint32_t hidden, float *hc)
{
    memset(record, 0, offsetof(struct shoal_record, ring));
    record->offset = -1;
    record->hidden = hidden;
    record->h = hc;
    record->c = hc + hidden;
    memset(hc, 0, 2 * (size_t)hidden * sizeof *hc);
}

void shoal_record_remember(struct shoal_record *record, const struct shoal_touch *touch,
                           uint32_t ring_max)
{
    size_t count = record->ring_count;
    if (ring_max > SHOAL_RING_MAX)
        ring_max = SHOAL_RING_MAX;
    if (ring_max == 0)
        return;
    /* More than one goes when the model in service keeps a shorter ring than the one before it. */
    if (count >= ring_max) {
        size_t drop = count - ring_max + 1;
        count -= drop;
        memmove(record->ring, record->ring + drop, count * sizeof record->ring[0]);
    }
    struct shoal_touch *newest = &record->ring[count];
    *newest = *touch;
    newest->time_ms -= newest->time_ms % 1000;
    if (newest->time_ms < 0)
        newest->time_ms = 0;
    if (count && newest->time_ms < newest[-1].time_ms)
        newest->time_ms = newest[-1].time_ms;
    record->ring_count = (uint8_t)(count + 1);
}

struct shoal_grant *shoal_record_grant(struct shoal_record *record, uint32_t promotion, bool create)
{
    struct shoal_grant *oldest = NULL;
    for (size_t i = 0; i < record->grants_count; i++) {
        struct shoal_grant *grant = &record->grants[i];
        if (grant->promotion == promotion)
            return grant;
        if (!oldest || grant->last_ms < oldest->last_ms)
            oldest = grant;
    }
    if (!create)
        return NULL;
    struct shoal_grant *made =
        record->grants_count < SHOAL_GRANTS_MAX ? &record->grants[record->grants_count++] : oldest;
    *made = (struct shoal_grant){.promotion = promotion};
    return made;
}

/* record.offset of a record that has moved: bits 46 and up are 1 + the partition that it comes from. */
enum { OFFSET_BITS = 46, PARTITIONS_MOST = (1 << 17) - 2 };
static const int64_t offset_mask = (INT64_C(1) << OFFSET_BITS) - 1;

void shoal_record_source(int64_t record_offset, int32_t partition, int32_t *source, int64_t *offset)
{
    bool moved = record_offset > offset_mask;
    *source = moved ? (int32_t)(record_offset >> OFFSET_BITS) - 1 : partition;
    *offset = moved ? record_offset & offset_mask : record_offset;
}

int64_t shoal_record_leave(int64_t record_offset, int32_t partition)
{
    if (record_offset < 0 || record_offset > offset_mask)
        return record_offset; /* no event yet, or moved before */
    if (partition < 0 || partition > PARTITIONS_MOST)
        return INT64_MIN;
    return (int64_t)(partition + 1) << OFFSET_BITS | record_offset;
}
