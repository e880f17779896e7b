/* SPDX-License-Identifier: Apache-2.0 */
/* How good predicted probabilities are, with confidence intervals by bootstrap over users.
 *
 * roc_auc   probability that a positive is scored above a negative, ties half (Mann–Whitney)
 * pr_auc    average precision Σ (R_k − R_{k−1})·P_k over the distinct scores, highest first
 * log_loss  mean of −ln p(label), p held within 1e-7 … 1 − 1e-7
 * ece       expected calibration error Σ_b n_b/n·|mean p − mean label| over 15 bins of equal mass
 *           (quantiles of the scores, equal scores never parted): with rare purchases, bins of
 *           equal width would put nearly all events into the first
 *
 * Events of one user depend on each other, so whole users are drawn: 1000 resamples of as many users
 * as there are, intervals from the 2.5 % and 97.5 % quantiles. A resample's ECE is biased upwards by
 * its noise; its interval is widened to hold the estimate where it does not. */
#ifndef SHOAL_LEARN_METRICS_H
#define SHOAL_LEARN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

enum {
    SHOAL_ECE_BINS = 15,
    SHOAL_RESAMPLES = 1000,
};

/*  X(field) */
#define SHOAL_MEASURES_LIST(X) X(roc_auc) X(pr_auc) X(log_loss) X(ece)

enum shoal_measure {
#define X(field) SHOAL_MEASURE_##field,
    SHOAL_MEASURES_LIST(X)
#undef X
        SHOAL_MEASURE_COUNT
};

struct shoal_interval {
    double low, high; /* NaN where there is none */
};

struct shoal_metrics {
    size_t events_count, users_count, positives;
    double base_rate;                                      /* NaN for no events */
    double values[SHOAL_MEASURE_COUNT];                    /* NaN where not defined: one class only */
    struct shoal_interval intervals[SHOAL_MEASURE_COUNT];
};

/* Scored events: parallel arrays of `count`. Users are numbers below users_max, of which only
 * those that occur are drawn. */
struct shoal_sample {
    const float *scores;
    const int8_t *labels; /* 0 or 1 */
    const uint32_t *users;
    size_t count, users_max;
};

/* The 2.5 % and 97.5 % quantiles of those of `values` that are numbers, NaN where they are less than
 * half; moves and sorts them. */
struct shoal_interval shoal_interval_of(double *values, size_t count);
/* "roc_auc", "pr_auc", "log_loss", "ece". Static. */
const char *shoal_measure_name(enum shoal_measure measure);
/* All of it. The same seed draws the same users. NOMEM. */
enum shoal_status shoal_metrics_compute(const struct shoal_sample *sample, uint64_t seed,
                                        struct shoal_metrics *metrics) SHOAL_MUST_CHECK;
/* Only the estimates, without intervals (NaN). NOMEM. */
enum shoal_status shoal_metrics_estimate(const struct shoal_sample *sample,
                                         struct shoal_metrics *metrics) SHOAL_MUST_CHECK;
/* first − second for each measure, with intervals from resamples in which both see the same users
 * (paired). Both samples are the same events in the same order, with different scores. NOMEM. */
enum shoal_status shoal_metrics_compare(const struct shoal_sample *first,
                                        const struct shoal_sample *second, uint64_t seed,
                                        double differences[SHOAL_MEASURE_COUNT],
                                        struct shoal_interval intervals[SHOAL_MEASURE_COUNT])
    SHOAL_MUST_CHECK;
/* The same for something random that was repeated: firsts[draws] are equally good samples (draws ≥ 1), of which the
 * mean is compared. Each resample sees draws − 1 of them, drawn with replacement, and their mean, so that intervals
 * hold the noise of the mean over the draws as well as that of the users (bootstrap of n − 1 from n, without the bias
 * of n from n: McCarthy & Snowden 1985). With one draw, the noise of the users alone. */
enum shoal_status shoal_metrics_compare_draws(const struct shoal_sample *firsts, size_t draws,
                                              const struct shoal_sample *second, uint64_t seed,
                                              double differences[SHOAL_MEASURE_COUNT],
                                              struct shoal_interval intervals[SHOAL_MEASURE_COUNT])
    SHOAL_MUST_CHECK;

#endif
