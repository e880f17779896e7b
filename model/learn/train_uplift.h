/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement, and prompted or organic, on top of a trained model's user vector (uplift.h).
 *
 * Stage 1, engaged, unengaged or inactive: at most one event a user and day, labelled by what the user does in the
 * 72 h that begin half an hour after it (a visit is half an hour without a break):
 *
 *   engaged     adds to the cart, favours or buys        unengaged   only looks        inactive   nothing
 *
 * by multinomial regression with weighted categorical cross entropy: every level weighs a third.
 *
 * Stage 2, of those who buy: prompted or organic, from contacts. A moment is when somebody was contacted or might
 * have been; the vector is that of the user's last event before it, the outcome a purchase within 24 h after it.
 *
 *   with arms given   the moments are decisions of the policy: variant treatment or control, randomised
 *   else              the first event of a visit: treated if the visit begins with a contact that was shown,
 *                     untreated if no contact lies within 24 h before or after. Observational: who was
 *                     contacted may differ from who was not in what the vector does not hold
 *
 * Learnt by self-paced correction and by the analytic form on half of the users; the ridge, τ and form with the
 * highest Qini on the other half (never fixed) are learnt again from all, if that Qini is above 0. */
#ifndef SHOAL_LEARN_TRAIN_UPLIFT_H
#define SHOAL_LEARN_TRAIN_UPLIFT_H

#include "model/learn/dataset.h"
#include "model/model.h"
#include "model/uplift_parts.h"

/* One decision of the policy. */
struct shoal_uplift_arm {
    uint32_t user;   /* number in the data set */
    uint8_t treated; /* 0: control */
    int64_t time_ms;
};

struct shoal_train_uplift_options {
    uint64_t seed;
    const struct shoal_uplift_arm *arms; /* NULL: contacts of the log */
    size_t arms_count;
};

struct shoal_train_uplift_report {
    bool made;                    /* the model tells engagement now */
    size_t moments[3];            /* of stage 1 by label: inactive, unengaged, engaged */
    double balanced_accuracy;     /* of stage 1 on held-out users; 1/3 is chance */
    enum shoal_prompted_form form;
    bool randomised;
    size_t contacts[2], outcomes[2]; /* of stage 2: untreated, treated */
    double qini, tau, ridge;      /* of stage 2 on held-out users; NaN: not learnt */
    char text[2][200];            /* one sentence a stage: what was done, or why not and what it takes */
};

/* Sets model->uplift (an old one is destroyed), or leaves it NULL with the reason in *report: too little is no
 * failure. end_ms: up to when everything is known. The same model, data, options: the same bits. NOMEM. */
enum shoal_status shoal_train_uplift(struct shoal_model *model, const struct shoal_dataset *dataset,
                                     int64_t end_ms, const struct shoal_train_uplift_options *options,
                                     struct shoal_train_uplift_report *report) SHOAL_MUST_CHECK;

#endif
