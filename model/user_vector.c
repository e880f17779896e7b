/* SPDX-License-Identifier: Apache-2.0 */
/* The user vector; see user_vector.h. */
#include "model/user_vector.h"

#include <string.h>

#include "model/vmath.h"

size_t shoal_user_vector_size(const struct shoal_model *model)
{
    return model->params.dims.hidden + SHOAL_COUNTERS;
}

void shoal_user_vector(const struct shoal_model *model, const float *h, const float *rates,
                       float *vector)
{
    size_t hidden = model->params.dims.hidden;
    float *z = vector + hidden;
    memcpy(vector, h, hidden * sizeof *h);
    shoal_vlog1p(rates, z, SHOAL_COUNTERS);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        z[k] = (z[k] - model->counter_mean[k]) / model->counter_deviation[k];
}
