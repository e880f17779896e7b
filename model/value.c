/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value as it is served; see value.h. */
#include "model/value.h"

float shoal_value_expected(const struct shoal_value *value, const struct shoal_purchases *purchases,
                           int64_t now_ms, const float *vector)
{
    return 0;
}

enum shoal_value_tier shoal_value_tier(const struct shoal_value *value, float expected)
{
    return SHOAL_VALUE_LOW;
}

float shoal_value_threshold(const struct shoal_value *value, enum shoal_value_tier tier)
{
    return 0;
}

void shoal_value_pack(const struct shoal_value *value, struct shoal_buffer *out)
{
    shoal_pack_nil(out);
}

enum shoal_status shoal_value_unpack(struct shoal_unpack *in, size_t vector,
                                     struct shoal_value **value, struct shoal_message *message)
{
    *value = NULL;
    shoal_unpack_skip(in);
    return SHOAL_OK;
}

void shoal_value_destroy(struct shoal_value *value)
{
}
