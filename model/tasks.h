/* SPDX-License-Identifier: Apache-2.0 */
/* What a model predicts. Each task is a head of its own on the same state: one row of head_hidden,
 * head_counters and head_bias (params.h), and a calibration map of its own. The first one is what the
 * pipeline serves as the user's score. */
#ifndef SHOAL_TASKS_H
#define SHOAL_TASKS_H

#include <stdint.h>

enum shoal_task_kind {
    SHOAL_TASK_PROBABILITY, /* p = σ(map(logit)) */
    SHOAL_TASK_COUNT,       /* an expected number: exp(map(output)), at least 0 */
};

#define SHOAL_HOUR_MS INT64_C(3600000)

/*  X(name, kind, horizon in ms, "what it says of the time after an event") */
#define SHOAL_TASK_LIST(X)                                                                         \
    X(buy_24h, PROBABILITY, 24 * SHOAL_HOUR_MS, "a purchase within 24 hours")                      \
    X(buy_1h, PROBABILITY, SHOAL_HOUR_MS, "a purchase within an hour")                             \
    X(buy_72h, PROBABILITY, 72 * SHOAL_HOUR_MS, "a purchase within 72 hours")                      \
    X(churn_3d, PROBABILITY, 72 * SHOAL_HOUR_MS, "no event at all within three days")              \
    X(events_24h, COUNT, 24 * SHOAL_HOUR_MS, "the number of events within 24 hours")

enum shoal_task {
#define X(name, kind, horizon_ms, text) SHOAL_##name,
    SHOAL_TASK_LIST(X)
#undef X
        SHOAL_TASKS
};

struct shoal_task_info {
    const char *name, *text;
    enum shoal_task_kind kind;
    int64_t horizon_ms;
};

/* Static. */
const struct shoal_task_info *shoal_task_info(enum shoal_task task);

#endif
