/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement and prompted or organic, as they are served; see uplift.h. */
#include "model/uplift.h"

void shoal_uplift_apply(const struct shoal_uplift *uplift, const float *vector,
                        struct shoal_uplift_choice *choice)
{
    *choice = (struct shoal_uplift_choice){0};
}

void shoal_uplift_pack(const struct shoal_uplift *uplift, struct shoal_buffer *out)
{
    shoal_pack_nil(out);
}

enum shoal_status shoal_uplift_unpack(struct shoal_unpack *in, size_t vector,
                                      struct shoal_uplift **uplift, struct shoal_message *message)
{
    *uplift = NULL;
    shoal_unpack_skip(in);
    return SHOAL_OK;
}

void shoal_uplift_destroy(struct shoal_uplift *uplift)
{
}
