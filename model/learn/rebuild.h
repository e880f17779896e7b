/* SPDX-License-Identifier: Apache-2.0 */
/* How far a score is from what it would be if the user's state had just been rebuilt from the ring of
 * recent events, as it is after a swap of the model: the price of not keeping the whole history.
 *
 *   full      x_1 … x_{i−1} x_i ─► p            all of the user's events
 *   rebuilt       x_{i−R} … x_{i−1} x_i ─► p'   an empty state and the last R events before the i-th
 *
 * Both under the same model, with the same counters, which a rebuild leaves alone. The events of the ring
 * are seen as a rebuild sees them: whole seconds, the first with no gap, flags of what is repeated from
 * within the ring only. */
#ifndef SHOAL_LEARN_REBUILD_H
#define SHOAL_LEARN_REBUILD_H

#include "model/learn/dataset.h"
#include "model/model.h"
#include "model/step.h"

struct shoal_rebuild_options {
    int64_t from_ms, until_ms; /* sampled events: from ≤ time < until */
    enum shoal_precision precision;
    size_t samples_max;        /* drawn without replacement, those of all if there are fewer */
    uint64_t seed;
};

/* Distances |p' − p| over the sampled events. */
struct shoal_rebuild_distance {
    uint32_t ring;             /* R */
    size_t samples;
    size_t longer;             /* of users with more than R events before */
    double mean, p99, longest;
};

/* Fills distances[…].samples and the rest for each distances[…].ring (1 … SHOAL_RING_MAX). TOO_FEW when no
 * event can be sampled; INVALID for a ring out of range; NOMEM. */
enum shoal_status shoal_rebuild_measure(const struct shoal_model *model,
                                        const struct shoal_dataset *dataset,
                                        const struct shoal_rebuild_options *options,
                                        struct shoal_rebuild_distance *distances, size_t count,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
