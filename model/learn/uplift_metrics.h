/* SPDX-License-Identifier: Apache-2.0 */
/* How well scores find those in whom a contact makes the difference, on rows of two randomised arms.
 *
 * With the rows by falling score, after the first n of them (equal scores never parted), N_T and N_C treated
 * and untreated ones with Y_T and Y_C outcomes:
 *
 *   Qini curve     Q(n) = Y_T − Y_C·N_T/N_C
 *   uplift curve   U(n) = (Y_T/N_T − Y_C/N_C)·n
 *   qini, auuc     area between the curve and the straight line to its end, over the same of the best
 *                  curve there can be (negative effects included): qini_auc_score and uplift_auc_score of
 *                  scikit-uplift 0.5.1, whose values tests/golden reproduces
 *   uplift@k       difference of the outcome's rate between the arms in the k % of the highest scores
 *                  (uplift_at_k of scikit-uplift, strategy "overall": of equal scores the later row first)
 *   gain@k         share of the whole incremental outcome captured by contacting just these:
 *                  uplift@k·n_k / (uplift of all·n)
 */
#ifndef SHOAL_LEARN_UPLIFT_METRICS_H
#define SHOAL_LEARN_UPLIFT_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

enum { SHOAL_UPLIFT_CUTS = 3, SHOAL_UPLIFT_CURVE = 21 /* 0 %, 5 % … 100 % */ };

/* In per cent: 10, 30, 40. */
extern const int shoal_uplift_cuts[SHOAL_UPLIFT_CUTS];

/* Parallel arrays; treated and outcome are 0 or 1, scores are finite or infinite, not NaN. */
struct shoal_uplift_sample {
    const double *scores;
    const int8_t *treated, *outcome;
    size_t count;
};

/* NaN where an arm is empty or nothing tells the best curve from chance. */
struct shoal_uplift_figures {
    double qini, auuc;
    double uplift_at[SHOAL_UPLIFT_CUTS], gain_at[SHOAL_UPLIFT_CUTS];
    double gain[SHOAL_UPLIFT_CURVE]; /* the cumulative gain curve */
    double effect;                   /* uplift of all */
    size_t count;
};

/* NOMEM. */
enum shoal_status shoal_uplift_measure(const struct shoal_uplift_sample *sample,
                                       struct shoal_uplift_figures *figures) SHOAL_MUST_CHECK;
/* Only Qini. NOMEM. */
enum shoal_status shoal_uplift_qini(const struct shoal_uplift_sample *sample, double *qini) SHOAL_MUST_CHECK;

/* Prompted or organic, of a rule that contacts a share of the rows. An outcome in the treated arm counts as
 * prompted, one in the other arm as organic (nobody prompted it); contacted stands for "prompted" predicted.
 * A rule that knows nothing has a balanced accuracy of one half. */
struct shoal_uplift_classes {
    double precision, recall, balanced_accuracy, weighted_f1; /* NaN without an outcome in either arm */
    size_t contacted;
};
/* The first `contacted` rows by score; rows as equal scores are ordered for uplift@k. NOMEM. */
enum shoal_status shoal_uplift_classify(const struct shoal_uplift_sample *sample, size_t contacted,
                                        struct shoal_uplift_classes *classes) SHOAL_MUST_CHECK;

#endif
