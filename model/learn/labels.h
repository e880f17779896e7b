/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be predicted, and which events teach it and which judge it.
 *
 * Label: an event of user u at time t is positive if u buys in (t, t + 24 h]. An event whose window
 * reaches past the end of what is known has none, also where a purchase was already seen: else the
 * last day would look richer in buyers than it is.
 *
 * Split, by time only; no training label knows anything of the validation part:
 *
 *   from                        valid_from − 24 h    valid_from            end − 24 h          end
 *    |  training events                |   (gap)         |  validation events  |  (no labels)    |
 */
#ifndef SHOAL_LEARN_LABELS_H
#define SHOAL_LEARN_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/learn/dataset.h"
#include "model/tasks.h"

#define SHOAL_HORIZON_MS (INT64_C(24) * 3600 * 1000)

enum { SHOAL_UNLABELLED = -1 };

/* labels[i] of touches[i] (grouped data): 1, 0, or SHOAL_UNLABELLED where time + 24 h > end_ms. */
void shoal_labels_make(const struct shoal_dataset *dataset, int64_t end_ms, int8_t *labels);
/* targets[i·SHOAL_TASKS + task] of touches[i]: what task `task` (tasks.h) is to predict after that event,
 * 1, 0 or a number of events; SHOAL_UNLABELLED where the task's horizon reaches past end_ms. "After" is
 * strictly later than the event: what carries the same time does not count. */
void shoal_targets_make(const struct shoal_dataset *dataset, int64_t end_ms, float *targets);

struct shoal_split {
    int64_t train_until_ms; /* a training event has time ≤ this (valid_from − 24 h) */
    int64_t valid_from_ms;  /* a validation event has a label and time ≥ this */
    size_t train_count, train_positives;
    size_t valid_count, valid_positives;
};

/* What a training needs at least, of each kind, in the training part and in the validation part. */
enum {
    SHOAL_TRAIN_EVENTS_MIN = 500,
    SHOAL_TRAIN_CLASS_MIN = 20,
    SHOAL_VALID_EVENTS_MIN = 100,
    SHOAL_VALID_CLASS_MIN = 10,
};

/* The validation part is the last fifth of the labelled time; from five days of labelled time on,
 * its last day or its last tenth, whichever is more. TOO_FEW with what is there and what is needed. */
enum shoal_status shoal_split_make(const struct shoal_dataset *dataset, int64_t end_ms,
                                   const int8_t *labels, struct shoal_split *split,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
