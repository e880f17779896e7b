/* SPDX-License-Identifier: Apache-2.0 */
/* What a model knows of a user after an event, as the input of what is learnt on top of it: clusters,
 * customer value, engagement.
 *
 *   u (V = H + SHOAL_COUNTERS) = [ h_t (H) | (log1p(rates_t) − mean)/deviation (SHOAL_COUNTERS) ]
 *
 * with rates_t by shoal_counters_rates and the model's own mean and deviation: the same numbers that the
 * heads of params.h see. */
#ifndef SHOAL_USER_VECTOR_H
#define SHOAL_USER_VECTOR_H

#include "model/model.h"

enum { SHOAL_VECTOR_MAX = SHOAL_HIDDEN_MAX + SHOAL_COUNTERS };

/* V */
size_t shoal_user_vector_size(const struct shoal_model *model);
/* vector[V] from h[H] and rates[SHOAL_COUNTERS]. */
void shoal_user_vector(const struct shoal_model *model, const float *h, const float *rates,
                       float *vector);

#endif
