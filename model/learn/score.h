/* SPDX-License-Identifier: Apache-2.0 */
/* Scores a data set with the very step that serves: user by user, in order, from an empty state. */
#ifndef SHOAL_LEARN_SCORE_H
#define SHOAL_LEARN_SCORE_H

#include "model/learn/examples.h"
#include "model/step.h"

/* Told now and then: events scored so far and in all. */
typedef void shoal_score_progress(void *context, size_t done, size_t total);

/* scores[i] of every event i with time < until_ms; NaN for the others. progress may be NULL. NOMEM. */
enum shoal_status shoal_score(const struct shoal_model *model, const struct shoal_dataset *dataset,
                              const struct shoal_examples *examples,
                              enum shoal_precision precision, int64_t until_ms, float *scores,
                              shoal_score_progress *progress, void *context) SHOAL_MUST_CHECK;
/* The same, and what each task predicts after event i: predictions[i·SHOAL_TASKS + task], calibrated, a
 * probability or an expected number; NaN for events that are not scored. predictions may be NULL. */
enum shoal_status shoal_score_tasks(const struct shoal_model *model,
                                    const struct shoal_dataset *dataset,
                                    const struct shoal_examples *examples,
                                    enum shoal_precision precision, int64_t until_ms, float *scores,
                                    float *predictions, shoal_score_progress *progress,
                                    void *context) SHOAL_MUST_CHECK;
/* User vectors (user_vector.h), V floats each: vectors[i·V …] is that of the user of event events[i] after
 * that event. `events` are indices into the data set, each user's in order. NOMEM. */
enum shoal_status shoal_score_vectors(const struct shoal_model *model,
                                      const struct shoal_dataset *dataset,
                                      const struct shoal_examples *examples,
                                      enum shoal_precision precision, const size_t *events,
                                      size_t events_count, float *vectors) SHOAL_MUST_CHECK;
/* Per user: how many of its events have time < until_ms. */
void shoal_score_lengths(const struct shoal_dataset *dataset, int64_t until_ms, size_t *lengths);

#endif
