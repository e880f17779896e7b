/* SPDX-License-Identifier: Apache-2.0 */
/* An evaluation cut by the segments that users are in at the scored event: lifecycle by the very rule of
 * the pipeline, intent by the model's thresholds alone (cold below warm below hot), since the score is
 * what is judged. */
#ifndef SHOAL_EVALUATE_SEGMENTS_H
#define SHOAL_EVALUATE_SEGMENTS_H

#include "model/learn/evaluate.h"
#include "model/learn/reliability.h"
#include "stream/policy.h"

enum { SHOAL_SEGMENT_CUTS_MAX = 16 };

struct shoal_segment_cut {
    enum shoal_dimension dimension;
    uint8_t level;
    struct shoal_metrics metrics;
    struct shoal_reliability reliability;
};

struct shoal_segment_cuts {
    size_t count; /* every level of every dimension, also those without an event */
    struct shoal_segment_cut cuts[SHOAL_SEGMENT_CUTS_MAX];
};

/* NOMEM. */
enum shoal_status shoal_segment_cuts_make(const struct shoal_model *model,
                                          const struct shoal_dataset *dataset,
                                          const struct shoal_evaluation *evaluation, uint64_t seed,
                                          struct shoal_segment_cuts *cuts) SHOAL_MUST_CHECK;

#endif
