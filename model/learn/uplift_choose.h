/* SPDX-License-Identifier: Apache-2.0 */
/* Which learner of uplift, and with which ridge and τ, by cross-validation of the training rows; nothing else is
 * looked at, and what was tried is recorded as it came out.
 *
 *   1  the ridge of each learner: least log loss (uplift_learners.h) over the folds, for two_stage at τ = 0
 *   2  τ of two_stage: highest mean Qini over the same folds
 *   3  the learner: highest mean Qini over the folds of two more divisions, which 1 and 2 have not seen, since
 *      the best of many settings looks better than it is */
#ifndef SHOAL_LEARN_UPLIFT_CHOOSE_H
#define SHOAL_LEARN_UPLIFT_CHOOSE_H

#include "model/learn/uplift_learners.h"

enum { SHOAL_UPLIFT_FOLDS = 5, SHOAL_UPLIFT_DEALS = 2, SHOAL_UPLIFT_SETTINGS = 48 };

struct shoal_uplift_tried {
    struct shoal_uplift_setting setting;
    double loss, qini;   /* means over the folds of 1 and 2 */
};

struct shoal_uplift_choice_of {
    struct shoal_uplift_tried tried[SHOAL_UPLIFT_SETTINGS];
    size_t count;
    size_t best[SHOAL_LEARNERS]; /* of `tried`: the setting of each learner */
    double qini[SHOAL_LEARNERS], spread[SHOAL_LEARNERS]; /* over the folds of 3; spread: standard deviation */
    enum shoal_uplift_learner picked;                    /* never `response` */
};

/* The same rows and seed give the same choice. TOO_FEW, NOMEM, INVALID. */
enum shoal_status shoal_uplift_choose(const struct shoal_uplift_rows *rows, uint64_t seed,
                                      struct shoal_uplift_choice_of *choice,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
