/* SPDX-License-Identifier: Apache-2.0 */
/* Moves a user's standings after an event. Pure: record, event and rules decide. */
#ifndef SHOAL_SEGMENTS_H
#define SHOAL_SEGMENTS_H

#include "model/model.h"
#include "stream/event.h"
#include "stream/policy.h"

struct shoal_change {
    enum shoal_dimension dimension;
    uint8_t from, to; /* from 0 = first assignment */
    float score;
};

/* `record` has the event applied already (score, counters, last_ms); `gap_ms` is the time between the
 * event and the user's previous one. Standings in the record are updated; changes[0 … result − 1] (room for
 * SHOAL_DIMENSION_COUNT) say what moved. */
size_t shoal_segments_update(const struct shoal_segment_rules *rules,
                             const struct shoal_model *model, struct shoal_record *record,
                             int64_t time_ms, int64_t gap_ms, struct shoal_change *changes);

#endif
