/* SPDX-License-Identifier: Apache-2.0 */
/* The same table split at random many times: learnt on one half, judged on the other. What one split shows is
 * mostly luck; the spread over splits says how much. */
#ifndef SHOAL_UPLIFT_HALVES_H
#define SHOAL_UPLIFT_HALVES_H

#include "tools/uplift_data.h"

/*  X(figure) */
#define SHOAL_HALVES_LIST(X)                                                                            \
    X(qini) X(auuc) X(uplift_10) X(uplift_30) X(uplift_40) X(gain_10) X(gain_30) X(gain_40) X(precision) \
    X(recall) X(balanced_accuracy) X(weighted_f1)

enum {
#define X(figure) SHOAL_HALVES_##figure,
    SHOAL_HALVES_LIST(X)
#undef X
        SHOAL_HALVES_FIGURES
};

struct shoal_halves_figure {
    double mean, spread; /* over the splits; spread: standard deviation */
};

struct shoal_halves {
    struct shoal_halves_figure figures[SHOAL_WAYS][SHOAL_HALVES_FIGURES];
    size_t picked[SHOAL_LEARNERS]; /* how often */
    size_t count, rows;
    bool rfm;
};

/* Told after each split. */
typedef void shoal_halves_progress(void *context, size_t done, size_t total);

const char *shoal_halves_name(int figure);
/* `count` splits (≥ 2), each its own function of seed and number. TOO_FEW, CONFIG, NOMEM. */
enum shoal_status shoal_halves_run(const struct shoal_uplift_data *data, size_t count, uint64_t seed,
                                   shoal_halves_progress *progress, void *context, struct shoal_halves *halves,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
