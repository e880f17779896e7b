/* SPDX-License-Identifier: Apache-2.0 */
/* How a score came to be what it is: the probability after each of a user's recent events, computed again from the
 * events alone, since nothing of an earlier score is kept.
 *
 *   ring      x_1 … x_R        the state from empty, as a rebuild makes it, through the very step that serves
 *   counters  c_1 … c_R        forward from what older events had left before x_1, reckoned back from c_R:
 *
 *     before = (c_R − Σ_ring 2^(−(t_R − t_e)/half_life)) · 2^((t_R − t_1)/half_life)
 *
 * Where the ring is all of the history, events of whole seconds get the very scores that they got under this model.
 * Otherwise the first points lack what older events left in the state, and a counter whose older part has decayed to
 * within the rounding (a ring keeps whole seconds) begins at zero. */
#ifndef SHOAL_RETRACE_H
#define SHOAL_RETRACE_H

#include "model/counters.h"
#include "model/step.h"

/* Rates (counters.h) after each touch: rates[count·SHOAL_COUNTERS]. Touches oldest first, times never fall; counters
 * as of the last one; first_ms: of the user's first event; older: events before the first touch. */
void shoal_retrace_rates(const struct shoal_touch *touches, size_t count,
                         const float counters[SHOAL_COUNTERS], int64_t first_ms, uint64_t older,
                         float *rates);
/* Scores after each event: scores[count], with `correction` added to each calibrated logit. NOMEM. */
enum shoal_status shoal_retrace_scores(const struct shoal_model *model,
                                       enum shoal_precision precision,
                                       const struct shoal_features *features, const float *rates,
                                       size_t count, float correction,
                                       float *scores) SHOAL_MUST_CHECK;

#endif
