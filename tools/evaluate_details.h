/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal evaluate` can say beyond the metrics: reliability bin by bin, the same by segment, what each
 * input is worth, and what model and data were. */
#ifndef SHOAL_EVALUATE_DETAILS_H
#define SHOAL_EVALUATE_DETAILS_H

#include <stdio.h>

#include "model/learn/importance.h"
#include "tools/evaluate_segments.h"
#include "tools/load_events.h"
#include "stream/put_json.h"

struct shoal_evaluate_details {
    /* what it was of; not owned */
    const struct shoal_model *model;
    const struct shoal_dataset *dataset;
    const struct shoal_load *load;
    int64_t first_ms, last_ms; /* of the scored events */
    bool binned; /* in: the reliability is wanted */
    struct shoal_reliability reliability;
    bool segmented; /* in: the segments are wanted */
    struct shoal_segment_cuts segments;
    size_t importances_count;
    size_t draws; /* in: deals of each input; 0 is 1 */
    struct shoal_importance importances[SHOAL_INPUT_GROUPS];
};

/* Which inputs are to be judged: "all", or names separated by commas. False with the reason when one is
 * unknown or there are too many. */
bool shoal_evaluate_details_inputs(struct shoal_evaluate_details *details, const char *list,
                                   struct shoal_message *message);
/* Makes what is wanted; model, dataset and load must stand. NOMEM. */
enum shoal_status shoal_evaluate_details_make(struct shoal_evaluate_details *details,
                                              const struct shoal_evaluate_options *options,
                                              const struct shoal_evaluation *evaluation,
                                              shoal_importance_progress *progress,
                                              void *context) SHOAL_MUST_CHECK;
/* Where they were made, reliability {mean_score, bins}, segments […] and importance […]; then
 * scored_from and scored_until (times of the first and the last scored event), model and data. */
void shoal_evaluate_details_put(const struct shoal_evaluate_details *details,
                                struct shoal_put *put);
/* Tables of segments and importances, if there are any. */
void shoal_evaluate_details_print_table(const struct shoal_evaluate_details *details, FILE *out);

#endif
