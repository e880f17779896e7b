/* SPDX-License-Identifier: Apache-2.0 */
/* How the inputs and scores of a data set are distributed: made once from the training events and
 * kept with the model (reference.h), then held against recent events (drift.h).
 *
 * Distributions: behavior; hour (of the day, UTC, four hours each); gap (log gap since the user's
 * event before); price (level; 0: unknown); new_item, new_category (not among the user's recent
 * events); rate_<behaviour>_<half-life>, the counters; score. Where a value is spread out the bins
 * are about tenths of the training events; a value that many events share has a bin of its own. */
#ifndef SHOAL_LEARN_REFERENCE_H
#define SHOAL_LEARN_REFERENCE_H

#include "model/drift.h"
#include "model/learn/examples.h"
#include "model/model.h"

/* From the events of grouped data, with the examples made of it and a score for each event (NaN:
 * none), or NULL: then there is no distribution of scores. Counted is the last third of the time,
 * in whole days: as long as a log is young, counters are still filling and users are new, which no
 * later day repeats. Whole users are drawn evenly until about half a million events are looked at.
 * An empty set gives no reference. NOMEM. */
enum shoal_status shoal_reference_make(const struct shoal_dataset *dataset,
                                       const struct shoal_examples *examples, const float *scores,
                                       struct shoal_reference *reference) SHOAL_MUST_CHECK;
/* The events with from ≤ time < until against the reference. The score is looked at if `scores` are
 * given. Allocates nothing. */
void shoal_reference_compare(const struct shoal_reference *reference,
                             const struct shoal_dataset *dataset,
                             const struct shoal_examples *examples, const float *scores,
                             int64_t from_ms, int64_t until_ms, struct shoal_drift_report *report);
/* The same for a model, which makes the examples and the scores. NOMEM. */
enum shoal_status shoal_drift_look(const struct shoal_model *model,
                                   const struct shoal_dataset *dataset, int64_t from_ms,
                                   int64_t until_ms,
                                   struct shoal_drift_report *report) SHOAL_MUST_CHECK;

#endif
