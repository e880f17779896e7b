/* SPDX-License-Identifier: Apache-2.0 */
/* Predicted beside observed, bin by bin: the diagram behind the ECE. The bins are those of metrics.h:
 * 15 of equal mass, equal scores never parted. */
#ifndef SHOAL_LEARN_RELIABILITY_H
#define SHOAL_LEARN_RELIABILITY_H

#include "model/learn/metrics.h"

struct shoal_reliability_bin {
    size_t events_count, users_count;
    double low, high;               /* least and greatest score in it */
    double mean_score;
    double observed;                /* share of positives */
    struct shoal_interval interval; /* of observed, by bootstrap over users */
};

struct shoal_reliability {
    size_t count; /* bins that have events, in the order of rising scores */
    struct shoal_reliability_bin bins[SHOAL_ECE_BINS];
    double mean_score; /* of all; NaN for no events */
};

/* The same seed draws the same users as shoal_metrics_compute. NOMEM. */
enum shoal_status shoal_reliability_make(const struct shoal_sample *sample, uint64_t seed,
                                         struct shoal_reliability *reliability) SHOAL_MUST_CHECK;

#endif
