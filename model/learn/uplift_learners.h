/* SPDX-License-Identifier: Apache-2.0 */
/* What may be learnt of whom a contact makes the difference to, all with linear heads on the row x[D].
 * t: treated, y: the outcome, r: the share of the treated, σ the logistic function.
 *
 *   two_stage   the two-stage model with missing labels (WWW 2025). Stage 1: P(active | x) by weighted
 *               categorical cross entropy over inactive, unengaged, engaged, with t as an input, asked for at
 *               t = 1. Stage 2, of the active: p = P(prompted | x) with self-paced correction, the arms
 *               weighing the same. Score: P(active)·p
 *   analytic    randomised arms only: p = P(t = 1 | x, y = 1) of responders gives
 *               P(prompted | x) = 1 − r/(1 − r)·(1 − p)/p. Score: P(y | x, t = 1)·P(prompted)
 *   two_model   T-learner: σ(w₁x) − σ(w₀x), a logistic regression an arm
 *   shrunk      one logistic regression of x, t and t·x with the ridge on t·x alone: between the two-model
 *               learner (none) and ranking by response (infinite). Score as two_model
 *   response    P(y | x, t = 1): who responds, whoever prompted it. To compare with, never picked */
#ifndef SHOAL_LEARN_UPLIFT_LEARNERS_H
#define SHOAL_LEARN_UPLIFT_LEARNERS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

#define SHOAL_UPLIFT_LEARNER_LIST(X) X(two_stage) X(analytic) X(two_model) X(shrunk) X(response)

enum shoal_uplift_learner {
#define X(learner) SHOAL_LEARNER_##learner,
    SHOAL_UPLIFT_LEARNER_LIST(X)
#undef X
        SHOAL_LEARNERS
};

enum { SHOAL_UPLIFT_HEADS = 3, SHOAL_UPLIFT_WIDTH = 256 };

/* What a row's customer did; the last two are active. */
enum { SHOAL_STAGE_INACTIVE, SHOAL_STAGE_UNENGAGED, SHOAL_STAGE_ENGAGED };

/* One row a customer. */
struct shoal_uplift_rows {
    double *x;        /* count × width, standardised */
    int8_t *treated;  /* 0 or 1 */
    int8_t *outcome;  /* 0 or 1 */
    uint8_t *stage;   /* SHOAL_STAGE_… */
    size_t count, width;
};

struct shoal_uplift_setting {
    enum shoal_uplift_learner learner;
    double ridge; /* of what decides about prompted, see uplift_learners.c */
    double tau;   /* two_stage only */
};

/* A learner once it has learnt. */
struct shoal_uplift_heads {
    struct shoal_uplift_setting setting;
    double treated_share; /* r */
    size_t width;
    double *weights;      /* owned; SHOAL_UPLIFT_HEADS × (width + 1), those not needed are 0 */
};

/* "two_stage" … Static. */
const char *shoal_uplift_learner_name(enum shoal_uplift_learner learner);
/* Random rows of both arms, each with and without the outcome: what a fit cannot do without. TOO_FEW with the
 * number that is needed. */
enum shoal_status shoal_uplift_enough(const struct shoal_uplift_rows *rows,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* heads is to be finished by the caller after success. NOMEM, INVALID (too wide). */
enum shoal_status shoal_uplift_learn(const struct shoal_uplift_rows *rows,
                                     const struct shoal_uplift_setting *setting,
                                     struct shoal_uplift_heads *heads) SHOAL_MUST_CHECK;
/* The same rows under another ridge and τ: what does not depend on them stays as it is. NOMEM. */
enum shoal_status shoal_uplift_relearn(const struct shoal_uplift_rows *rows, double ridge, double tau,
                                       struct shoal_uplift_heads *heads) SHOAL_MUST_CHECK;
/* By which rows are ranked: the expected gain of a contact, or what stands for it. */
double shoal_uplift_score(const struct shoal_uplift_heads *heads, const double *x);
/* P(prompted | x, active), 0 … 1; NaN for `response`. */
double shoal_uplift_prompted(const struct shoal_uplift_heads *heads, const double *x);
/* The mean log loss, on rows that the fit has not seen, of what the setting's ridge shrinks: of the outcome
 * (two_model, shrunk, response; of the treated alone) or of the arm that a responder was in (two_stage, with the
 * arms weighing the same, and analytic). A likelihood tells good from bad ridges far better than Qini can. */
double shoal_uplift_loss(const struct shoal_uplift_heads *heads, const struct shoal_uplift_rows *rows);
void shoal_uplift_heads_finish(struct shoal_uplift_heads *heads);

/* Rows of their own memory: a copy of those of `from` whose `member` is `wanted` (NULL: all). NOMEM. */
enum shoal_status shoal_uplift_rows_copy(const struct shoal_uplift_rows *from, const uint8_t *member,
                                         uint8_t wanted, struct shoal_uplift_rows *rows) SHOAL_MUST_CHECK;
enum shoal_status shoal_uplift_rows_make(size_t count, size_t width, struct shoal_uplift_rows *rows)
    SHOAL_MUST_CHECK;
void shoal_uplift_rows_finish(struct shoal_uplift_rows *rows);

#endif
