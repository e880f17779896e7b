/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs as bytes: segment changes and decisions as JSON (default) or MessagePack (DESIGN §5).
 *
 * Canonical: fixed key order, no white space, scores with six decimals, times as RFC 3339 UTC with
 * milliseconds, so that two runs can be compared byte by byte. */
#ifndef SHOAL_OUTPUT_H
#define SHOAL_OUTPUT_H

#include "model/base/pack.h"
#include "model/model.h"
#include "stream/decide.h"
#include "stream/encode.h"
#include "stream/segments.h"

enum shoal_output_format { SHOAL_OUTPUT_JSON, SHOAL_OUTPUT_MSGPACK };

/* "<topic>/<partition>/<offset>[.<part>][@<due>]/<subject>" into `id` (at least 320 bytes), subject being
 * the dimension or the promotion; returns the length. Of a timer, the offset is that of the user's last
 * event and due the ms at which it fell due. */
size_t shoal_output_id(const char *topic, const struct shoal_event *event, const char *subject,
                       char *id, size_t size);

/* What events are applied under, as versions; NULL: none. */
struct shoal_output_pair {
    const char *model, *policy;
};
/* A swap: events of the partition from `offset` on are applied under `now`, those before under `previous`
 * (NULL: there were none). `clusters`: the model's, so that a subscriber learns once how they continue
 * earlier ones; NULL: it has none, or is not there any more. */
void shoal_output_swap(enum shoal_output_format format, int32_t partition, int64_t offset,
                       const struct shoal_output_pair *now, const struct shoal_output_pair *previous,
                       const struct shoal_clusters *clusters, const char *id,
                       struct shoal_buffer *out);
/* `record`: as the event leaves it. A change carries where its user stands in every dimension, so that a
 * compacted topic, which keeps a user's last change, tells all of it. */
void shoal_output_change(enum shoal_output_format format, const struct shoal_event *event,
                         const struct shoal_change *change, const struct shoal_record *record,
                         const struct shoal_model *model, const char *id,
                         struct shoal_buffer *out);
/* A decision that carries next items, as shoal_output_carries says, is left open: shoal_output_items appends
 * them and closes it. */
bool shoal_output_carries(const struct shoal_decision *decision, const struct shoal_model *model);
void shoal_output_items(enum shoal_output_format format, const struct shoal_items *items,
                        const struct shoal_item_pick *picks, size_t count, struct shoal_buffer *out);
void shoal_output_decision(enum shoal_output_format format, const struct shoal_event *event,
                           const struct shoal_decision *decision,
                           const struct shoal_record *record, const struct shoal_model *model,
                           const char *id, struct shoal_buffer *out);
/* The map of a user's standings, {"intent":"hot",…}: intent and lifecycle always, another dimension if the
 * user has a level in it. */
void shoal_output_standings(struct shoal_encoder *encoder, const struct shoal_record *record);

#endif
