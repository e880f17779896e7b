/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value on a table of purchases: fitted to what was bought up to a day, judged on the rest.
 *
 *   first day ──────── calibration ────────┤last calibration day├──────── holdout ────────┤last day
 *
 * As in the literature: a customer's age is counted from the day of the first purchase to the last day of the
 * calibration, and those who first buy later are nobody's customers yet. */
#ifndef SHOAL_VALUE_STUDY_H
#define SHOAL_VALUE_STUDY_H

#include "model/learn/bgnbd.h"
#include "model/learn/gamma_gamma.h"
#include "model/learn/value_judge.h"
#include "tools/purchases_table.h"

/* The customers of the calibration. */
struct shoal_cohort {
    size_t count;
    int32_t until_day, last_day; /* last day of the calibration, of the holdout */
    struct shoal_purchases
        *purchases; /* owned, with all that follows; at the end of the calibration */
    struct shoal_customer *customers; /* the same as the models see them */
    float *bought, *spent;            /* in the holdout: days, amount */
    float *recent; /* spent in the last days of the calibration, as many as the holdout
                                         * has, or all of it */
    size_t later;  /* customers who first bought in the holdout */
};

/* Purchases up to until_day, outcomes up to last_day. NOMEM; the cohort is finished by the caller in any case. */
enum shoal_status shoal_cohort_make(const struct shoal_purchases_table *table, int32_t until_day,
                                    int32_t last_day, struct shoal_cohort *cohort) SHOAL_MUST_CHECK;
void shoal_cohort_finish(struct shoal_cohort *cohort);

/* BG/NBD and Gamma-Gamma on a cohort. */
struct shoal_value_study {
    struct shoal_bgnbd_fit buying;
    struct shoal_gamma_gamma_fit spend;
    float *expected_bought, *expected_spent;    /* owned; of each customer */
    struct shoal_value_judgement bought, spent; /* without intervals */
};

/* TOO_FEW, NOMEM; the study is finished by the caller in any case. */
enum shoal_status shoal_value_study_make(const struct shoal_cohort *cohort,
                                         struct shoal_value_study *study,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_value_study_finish(struct shoal_value_study *study);

/* The methods of --by-method, in the order of the table. */
enum shoal_value_contender {
    SHOAL_CONTENDER_BG_NBD,       /* learnt from other customers' purchases (folds) */
    SHOAL_CONTENDER_ZILN,         /* learnt from other customers' purchases and outcomes (folds) */
    SHOAL_CONTENDER_ZILN_EARLIER, /* learnt one holdout earlier, so from the past only */
    SHOAL_CONTENDER_RATE,         /* each customer goes on as in the last period */
    SHOAL_CONTENDER_MEAN,         /* everybody spends the mean, which nobody knew before */
    SHOAL_CONTENDERS,
};

struct shoal_value_contest {
    struct {
        bool fitted;
        struct shoal_message why; /* not fitted: why not */
        struct shoal_value_judgement judged;
    } contenders[SHOAL_CONTENDERS];
};

/* Spend in the holdout by each method, with intervals. `table`: for a cohort one holdout earlier. NOMEM. */
enum shoal_status shoal_value_contest(const struct shoal_purchases_table *table,
                                      const struct shoal_cohort *cohort, uint64_t seed,
                                      struct shoal_value_contest *contest) SHOAL_MUST_CHECK;

#endif
