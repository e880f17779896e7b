/* SPDX-License-Identifier: Apache-2.0 */
/* Prompted or organic, as it is served (the two-stage model with missing labels, WWW 2025): how engaged a
 * user is, and the probability that the user buys only if prompted. Immutable, part of a model
 * (model->uplift). */
#ifndef SHOAL_UPLIFT_H
#define SHOAL_UPLIFT_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"

/* numbered from 1, as in shoal_standing.level */
enum shoal_engagement { SHOAL_INACTIVE = 1, SHOAL_UNENGAGED, SHOAL_ENGAGED, SHOAL_ENGAGEMENT_END };

struct shoal_uplift;

struct shoal_uplift_choice {
    enum shoal_engagement engagement;              /* the most probable */
    float probability[SHOAL_ENGAGEMENT_END - 1];   /* of each level, in their order; they add up to 1 */
    float prompted; /* P(buys only if prompted); NaN: the log had no contacts to learn it from */
};

/* For a user vector u[V] (user_vector.h). The same bits whatever else is computed. */
void shoal_uplift_apply(const struct shoal_uplift *uplift, const float *vector,
                        struct shoal_uplift_choice *choice);

/* The model file's section: writes a map (uplift NULL: nil), and reads it back, checked, for vectors of
 * size `vector`. DAMAGED, NOMEM. */
void shoal_uplift_pack(const struct shoal_uplift *uplift, struct shoal_buffer *out);
enum shoal_status shoal_uplift_unpack(struct shoal_unpack *in, size_t vector,
                                      struct shoal_uplift **uplift,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_uplift_destroy(struct shoal_uplift *uplift);

#endif
