/* SPDX-License-Identifier: Apache-2.0 */
/* What a model loses when an input is taken from it: permutation importance. The input's values are
 * dealt out anew among the scored events, and among those before them, which the states come from; so
 * either part keeps its distribution. Differences are means over so many deals, with paired intervals by bootstrap over
 * users, and, from two deals on, over the deals. */
#ifndef SHOAL_LEARN_IMPORTANCE_H
#define SHOAL_LEARN_IMPORTANCE_H

#include "model/learn/evaluate.h"
#include "model/learn/permute.h"

struct shoal_importance {
    enum shoal_input_group input;
    /* without the input − with it: negative ROC-AUC and positive log loss mean that it is of use */
    double difference[SHOAL_MEASURE_COUNT];
    struct shoal_interval intervals[SHOAL_MEASURE_COUNT];
};

/* Told before each input: how many are done, of how many. May be NULL. */
typedef void shoal_importance_progress(void *context, size_t done, size_t total);

enum { SHOAL_DRAWS_MAX = 100 };

/* Fills importances[0 … count − 1], whose `input` is given, from `draws` deals (1 … SHOAL_DRAWS_MAX) of each.
 * evaluation: of the same model, data set and options. NOMEM. */
enum shoal_status shoal_importance_measure(const struct shoal_model *model,
                                           const struct shoal_dataset *dataset,
                                           const struct shoal_evaluate_options *options,
                                           const struct shoal_evaluation *evaluation,
                                           struct shoal_importance *importances, size_t count,
                                           size_t draws,
                                           shoal_importance_progress *progress,
                                           void *context) SHOAL_MUST_CHECK;

#endif
