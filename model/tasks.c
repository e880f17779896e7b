/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tasks; see tasks.h. */
#include "model/tasks.h"

const struct shoal_task_info *shoal_task_info(enum shoal_task task)
{
    static const struct shoal_task_info table[SHOAL_TASKS] = {
#define X(name, kind, horizon_ms, text) {#name, text, SHOAL_TASK_##kind, horizon_ms},
        SHOAL_TASK_LIST(X)
#undef X
    };
    return &table[task];
}
