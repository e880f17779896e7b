/* SPDX-License-Identifier: Apache-2.0 */
#include "model/learn/slice.h"

#include <string.h>

enum shoal_status shoal_dataset_slice(const struct shoal_dataset *dataset, int64_t from_ms,
                                      int64_t until_ms, struct shoal_dataset *slice)
{
    shoal_dataset_init(slice, dataset->ring);
    for (size_t user = 0; user < dataset->users_count; user++) {
        const char *id = shoal_dataset_user_id(dataset, user);
        size_t id_size = strlen(id);
        for (size_t i = dataset->first[user]; i < dataset->first[user + 1]; i++) {
            const struct shoal_touch *touch = &dataset->touches[i];
            if (touch->time_ms < from_ms || touch->time_ms >= until_ms)
                continue;
            struct shoal_extra extra = shoal_dataset_extra(dataset, i);
            enum shoal_status status =
                shoal_dataset_append_event(slice, id, id_size, touch, &extra);
            if (status != SHOAL_OK)
                return status;
        }
    }
    return shoal_dataset_group(slice);
}
