/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value on top of a trained model: both methods are fitted to what users bought before a cut, compared
 * on what they spent within the horizon after it, and the better one goes into the model.
 *
 *   first ────────── users, purchases, user vectors ──────────┤cut├── horizon: outcomes ──┤end
 *
 * A method is judged on users that it has not seen, by Poisson deviance (value_judge.h). The better one is then
 * fitted again: BG/NBD on all purchases up to the end, ZILN on all users at the cut, since it needs outcomes.
 * The user vectors come from the trained network, which has seen the days after the cut: ZILN is judged a
 * little too well by what the network remembers of these users.
 *
 * Tiers by the held-out expectations of those who have bought: middle from their median, high from the 80 %
 * quantile. */
#ifndef SHOAL_LEARN_TRAIN_VALUE_H
#define SHOAL_LEARN_TRAIN_VALUE_H

#include <stdbool.h>

#include "model/learn/dataset.h"
#include "model/learn/value_judge.h"
#include "model/learn/value_methods.h"
#include "model/model.h"

struct shoal_train_value_options {
    int64_t horizon_ms; /* 0: 30 days, in a log of less than 90 a third of it in whole days */
    uint64_t seed;
};

struct shoal_value_trial {
    bool fitted;
    struct shoal_message why; /* not fitted: why not */
    struct shoal_value_judgement held_out;
};

struct shoal_train_value_report {
    bool made;                /* the model has customer value now */
    struct shoal_message why; /* not made: why not, and what it takes */
    enum shoal_value_method method;
    int64_t cut_ms, horizon_ms;
    size_t users, buyers,
        spenders; /* at the cut; of them those who had bought; who bought within the horizon */
    bool priced;  /* value is in the log's currency; else in purchases */
    struct shoal_value_trial trials[2]; /* by enum shoal_value_method */
    double ridge;                       /* of ZILN */
    float middle, high;
};

/* Sets model->value, or leaves it NULL and says why in *report (OK as well: a log too short or with too few buyers is
 * no failure). end_ms: up to when everything is known. The same model, data and seed give the same bits.
 * NOMEM. */
enum shoal_status shoal_train_value(struct shoal_model *model, const struct shoal_dataset *dataset,
                                    int64_t end_ms, const struct shoal_train_value_options *options,
                                    struct shoal_train_value_report *report) SHOAL_MUST_CHECK;

#endif
