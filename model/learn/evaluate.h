/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a model on events it has not seen, beside two simple predictors that know the same past.
 *
 * Every user's events are gone through from the first, so that states are warm; scored are those with
 * from ≤ time < until whose 24 h lie within the data. User level: one sample a user, its last scored
 * event, so that a busy user counts as much as a quiet one.
 *
 * The baselines know the events before `from` only, as far as their labels were known by then: a
 * logistic regression on the same decayed counters (its ridge chosen on the last part of them), and
 * the prior, which gives every event their base rate. */
#ifndef SHOAL_LEARN_EVALUATE_H
#define SHOAL_LEARN_EVALUATE_H

#include <stdbool.h>

#include "model/learn/dataset.h"
#include "model/learn/metrics.h"
#include "model/learn/score.h"

enum shoal_predictor {
    SHOAL_PREDICTOR_MODEL,
    SHOAL_PREDICTOR_REGRESSION,
    SHOAL_PREDICTOR_PRIOR,
    SHOAL_PREDICTOR_CORRECTED, /* the model, its logit corrected online: see online.h */
    SHOAL_PREDICTOR_COUNT,
};

struct shoal_evaluate_options {
    int64_t from_ms, until_ms; /* INT64_MIN, INT64_MAX: no bound */
    enum shoal_precision precision;
    bool regression;           /* also fit and judge the regression */
    unsigned partitions;       /* also judge the model corrected online, with so many partitions; 0: not */
    uint64_t seed;             /* of the bootstrap */
    shoal_score_progress *progress; /* or NULL */
    void *context;
};

struct shoal_evaluation {
    /* What was scored, in the order of users, then of time. */
    size_t count;
    size_t *events;    /* owned; index into the data set */
    float *scores;     /* owned; of the model */
    int8_t *labels;    /* owned */
    /* Whether a predictor could be had: the baselines need a past. */
    bool there[SHOAL_PREDICTOR_COUNT];
    struct shoal_metrics event_level[SHOAL_PREDICTOR_COUNT];
    struct shoal_metrics user_level[SHOAL_PREDICTOR_COUNT];
    /* model − regression on the same resamples, where there is one (event level) */
    double difference[SHOAL_MEASURE_COUNT];
    struct shoal_interval difference_intervals[SHOAL_MEASURE_COUNT];
    /* corrected − model, likewise */
    double online_difference[SHOAL_MEASURE_COUNT];
    struct shoal_interval online_difference_intervals[SHOAL_MEASURE_COUNT];
};

/* The data set must be grouped, with the model's ring. TOO_FEW when nothing can be scored, with
 * the reason; NOMEM. *evaluation is finished by the caller also after a failure. */
enum shoal_status shoal_evaluate(const struct shoal_model *model,
                                 const struct shoal_dataset *dataset,
                                 const struct shoal_evaluate_options *options,
                                 struct shoal_evaluation *evaluation,
                                 struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_evaluation_finish(struct shoal_evaluation *evaluation);

#endif
