/* SPDX-License-Identifier: Apache-2.0 */
/* Which learner of uplift, and with which ridge and τ: by the mean Qini over the folds of a cross-validation
 * of the training rows. Nothing else is looked at; what was tried is recorded as it came out. */
#ifndef SHOAL_LEARN_UPLIFT_CHOOSE_H
#define SHOAL_LEARN_UPLIFT_CHOOSE_H

#include "model/learn/uplift_learners.h"

enum { SHOAL_UPLIFT_FOLDS = 5, SHOAL_UPLIFT_SETTINGS = 40 };

struct shoal_uplift_tried {
    struct shoal_uplift_setting setting;
    double qini, spread; /* mean and standard deviation over the folds; NaN: could not be fitted */
};

struct shoal_uplift_choice_of {
    struct shoal_uplift_tried tried[SHOAL_UPLIFT_SETTINGS];
    size_t count;
    size_t best[SHOAL_LEARNERS]; /* of `tried`, the best setting of each learner */
    size_t picked;               /* of `tried`: the best of all but `response` */
};

/* The same rows and seed give the same choice. TOO_FEW, NOMEM, INVALID. */
enum shoal_status shoal_uplift_choose(const struct shoal_uplift_rows *rows, uint64_t seed,
                                      struct shoal_uplift_choice_of *choice,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
