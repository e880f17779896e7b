/* SPDX-License-Identifier: Apache-2.0 */
/* What a treatment brought: the difference between two randomised groups, how sure it is, and how many more
 * it would take. Pure statistics: who is in which group and what counts as the outcome is the caller's.
 *
 * Every figure that cannot be told (no user in a group, no purchase to divide by) is NaN.
 *
 *   plain     shares: Newcombe's interval (1998, method 10: from the two Wilson intervals), the score test
 *             without continuity correction, or Fisher's exact test where an expected count is below 5.
 *             Means: Welch's interval and test
 *   adjusted  CUPED (Deng, Xu, Kohavi, Walker 2013): the outcome less θᵀ(x − x̄), where x is what was known
 *             of the unit before it was treated and θ the pooled within-group regression; then Welch. It
 *             estimates the same difference, since x cannot depend on the treatment
 *   relative  exposed/control − 1, interval from the log of the ratio (Katz et al. 1978; delta method)
 *   anytime   asymptotic confidence sequence (Waudby-Smith et al. 2024, ρ best at 10,000 units): holds for
 *             all looks together. The other intervals hold for one look that was fixed beforehand
 *
 * Intervals are of 95 %; power where it is spoken of is 80 %. */
#ifndef SHOAL_LEARN_LIFT_H
#define SHOAL_LEARN_LIFT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/learn/metrics.h"

enum {
    SHOAL_LIFT_COVARIATES = 3,
    SHOAL_LIFT_VARIABLES = 1 + SHOAL_LIFT_COVARIATES, /* the outcome, then the covariates */
    SHOAL_LIFT_UNITS_MIN = 20, /* units a group below which no verdict is given */
    SHOAL_LIFT_HITS_MIN = 10,  /* of either outcome, for the adjusted difference of shares to be used */
};

/* One group, unit by unit (Welford, so that large amounts lose no digits). Zeroed: empty. */
struct shoal_arm {
    double count, hits; /* units; those whose outcome is not 0 */
    double means[SHOAL_LIFT_VARIABLES];
    double products[SHOAL_LIFT_VARIABLES][SHOAL_LIFT_VARIABLES]; /* Σ (v − mean)(w − mean) */
};

struct shoal_difference {
    double value, error, p_value; /* exposed − control, its standard error, two-sided */
    struct shoal_interval interval;
};

enum shoal_lift_verdict {
    SHOAL_LIFT_UNKNOWN, /* it may be nothing */
    SHOAL_LIFT_TOO_FEW, /* below SHOAL_LIFT_UNITS_MIN in a group */
    SHOAL_LIFT_MORE,
    SHOAL_LIFT_LESS,
};

struct shoal_lift {
    double exposed, control; /* means: share of units with the outcome, or amount a unit */
    struct shoal_difference plain, adjusted;
    bool adjusted_used;      /* `adjusted` is what the verdict looks at; else `plain` */
    double variance_reduced; /* share of the difference's variance that the covariates explain */
    double relative;
    struct shoal_interval relative_interval, anytime;
    double detectable;   /* least difference that so many units would show */
    double units_needed; /* in both groups at their present ratio to show a difference as large as that seen */
    enum shoal_lift_verdict verdict; /* from the used p-value alone: below 0.05 */
};

void shoal_arm_add(struct shoal_arm *arm, double outcome,
                   const double covariates[SHOAL_LIFT_COVARIATES]);
/* Outcomes of 0 and 1. */
void shoal_lift_shares(const struct shoal_arm *exposed, const struct shoal_arm *control,
                       struct shoal_lift *lift);
/* Outcomes of any size. */
void shoal_lift_means(const struct shoal_arm *exposed, const struct shoal_arm *control,
                      struct shoal_lift *lift);
/* What the verdict looks at. */
const struct shoal_difference *shoal_lift_used(const struct shoal_lift *lift);
/* Sample-ratio mismatch: the probability (chi-square) of a split as far from `share` of control as this or
 * farther. Below 0.001 the split is taken to be broken, and no difference means anything. */
double shoal_split_p_value(double exposed, double control, double share);
/* Holm's correction, so that of many tests none is called a find by chance in 95 % of the cases: each
 * p-value in place of itself, NaN left alone. */
void shoal_holm(double *p_values, size_t count);

#endif
