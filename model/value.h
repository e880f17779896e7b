/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value as it is served: what a user is expected to spend within a horizon, and the tier that
 * this makes. Immutable, part of a model (model->value). */
#ifndef SHOAL_VALUE_H
#define SHOAL_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "model/purchases.h"

/* numbered from 1, as in shoal_standing.level */
enum shoal_value_tier { SHOAL_VALUE_LOW = 1, SHOAL_VALUE_MIDDLE, SHOAL_VALUE_HIGH };

enum shoal_value_method {
    SHOAL_VALUE_BG_NBD, /* BG/NBD and Gamma-Gamma (bgnbd.h) */
    SHOAL_VALUE_ZILN,   /* zero-inflated lognormal head (ziln.h) */
};

struct shoal_value;

/* "bg_nbd", "ziln". Static. */
const char *shoal_value_method_name(enum shoal_value_method method);
enum shoal_value_method shoal_value_method(const struct shoal_value *value);
int64_t shoal_value_horizon_ms(const struct shoal_value *value);

/* Expected spend of the user within the model's horizon from now_ms on, ≥ 0 and finite, in the log's
 * currency (in purchases, for a log without prices). vector: u[V] of user_vector.h. */
float shoal_value_expected(const struct shoal_value *value, const struct shoal_purchases *purchases,
                           int64_t now_ms, const float *vector);
/* The tier of an expected spend. */
enum shoal_value_tier shoal_value_tier(const struct shoal_value *value, float expected);
/* The expected spend from which on a tier begins; 0 for the lowest. */
float shoal_value_threshold(const struct shoal_value *value, enum shoal_value_tier tier);

/* The model file's section: writes a map (value NULL: nil), and reads it back, checked, for vectors of
 * size `vector`. DAMAGED, NOMEM. */
void shoal_value_pack(const struct shoal_value *value, struct shoal_buffer *out);
enum shoal_status shoal_value_unpack(struct shoal_unpack *in, size_t vector,
                                     struct shoal_value **value,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_value_destroy(struct shoal_value *value);

#endif
