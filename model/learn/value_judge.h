/* SPDX-License-Identifier: Apache-2.0 */
/* How good expected spends are, with confidence intervals by bootstrap over customers.
 *
 * mae       mean of |expected − spent|. Where most spend nothing, an expectation of nothing has the least.
 * rmse      root of the mean square of it; the few who spend most decide
 * deviance  Poisson's: mean of 2·(y·ln(y/ŷ) − y + ŷ), ŷ at least a millionth of the mean spend. Least at the
 *           true expectation, and less ruled by the largest spends than rmse: what methods are chosen by
 * gini      how well the order is known: area between the curve of the spend held by those expected to spend
 *           most and the diagonal, over that of the true order (Wang, Liu, Miao 2019, section 3.2); 0 no
 *           order, 1 the true one; equal expectations share alike */
#ifndef SHOAL_LEARN_VALUE_JUDGE_H
#define SHOAL_LEARN_VALUE_JUDGE_H

#include "model/learn/metrics.h"

/*  X(field) */
#define SHOAL_VALUE_MEASURES_LIST(X) X(mae) X(rmse) X(deviance) X(gini)

enum shoal_value_measure {
#define X(field) SHOAL_VALUE_MEASURE_##field,
    SHOAL_VALUE_MEASURES_LIST(X)
#undef X
        SHOAL_VALUE_MEASURES
};

struct shoal_value_judgement {
    double values[SHOAL_VALUE_MEASURES];                   /* NaN where not defined */
    struct shoal_interval intervals[SHOAL_VALUE_MEASURES]; /* 95 % */
    double predicted, actual;                              /* totals */
};

/* "mae", "rmse", "deviance", "gini". Static. */
const char *shoal_value_measure_name(enum shoal_value_measure measure);
/* Of `count` > 0 customers, 0 ≤ expected, spent and finite. The same seed draws the same customers, also for
 * another method. resamples 0: no intervals (NaN). NOMEM. */
enum shoal_status shoal_value_judge(const float *expected, const float *spent, size_t count,
                                    unsigned resamples, uint64_t seed,
                                    struct shoal_value_judgement *judgement) SHOAL_MUST_CHECK;

#endif
