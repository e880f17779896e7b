/* SPDX-License-Identifier: Apache-2.0 */
/* From a data set to a model: split by time, regression, network, early stopping, calibration,
 * thresholds (DESIGN §9).
 *
 *   1  fit the regression on the training part; the network starts as that regression
 *   0  on request: pre-train the state on other events by what comes next (objectives.h)
 *   2  epoch after epoch, score the validation part as it would be served and find how much of what the
 *      network adds to the regression pays there (shrink.h); keep, with its share, the last epoch that
 *      cannot be told from the one of the least log loss
 *   3  calibrate on the validation part, take thresholds from its scores
 *   4  refit: the same number of epochs once more on all labelled events, so that the last days, which
 *      are most like those to come, teach too; the calibration stays
 *
 * With a teacher (knowledge distillation: Hinton, Vinyals & Dean 2015, at temperature 1) the network learns in
 * steps 2 and 4 from what the teacher predicts, mixed with the labels, on every event; everything that judges
 * or calibrates looks at labels only. The teacher must not have seen more than the training may.
 *
 * The same data, options and seed give the same model, bit for bit, also after interruptions
 * (options.checkpoint). */
#ifndef SHOAL_LEARN_TRAIN_H
#define SHOAL_LEARN_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/learn/calibrate.h"
#include "model/learn/dataset.h"
#include "model/learn/metrics.h"
#include "model/learn/objectives.h"
#include "model/learn/ranks.h"
#include "model/model.h"

#define SHOAL_TRAIN_AUTO UINT32_MAX

struct shoal_train_options {
    struct shoal_dims dims;
    uint64_t seed;
    uint32_t batch;        /* B: streams side by side; 0: by the number of events, 16 … 128 */
    uint32_t steps;        /* T: events between two updates of a stream */
    uint32_t epochs;       /* at most; SHOAL_TRAIN_AUTO: by the number of events, 6 … 12 */
    uint32_t patience;     /* stop after so many epochs without a better validation loss; 0: 10 */
    float learning_rate;
    float embedding_rate;  /* factor of it for the item and category tables; 0: they stay zero, items and
                            * categories are not looked at; < 0: by the number of users */
    float weight_decay;
    float dropout_inputs;  /* share of x that is dropped */
    float dropout_hidden;  /* share of h before the heads */
    float dropout_recurrent; /* share of h_{t−1} on its way into the gates */
    float l2;              /* of the gates, as a part of the loss */
    bool glorot;           /* gates drawn by Glorot & Bengio; else ±1/√H */
    uint32_t weekday_days; /* the weekday is looked at only if the data span so many days: in fewer, weekday
                            * and date are the same thing, and a date never comes back */
    float random_starts;   /* how often a user's epoch begins somewhere within its history */
    struct shoal_task_mix mix;
    struct shoal_objective_options objectives; /* beside the tasks */
    bool objectives_auto;  /* leave them out where there are users enough, or a teacher, to do without */
    struct shoal_objective_options pretrain_objectives;
    uint32_t pretrain_epochs;
    const struct shoal_dataset *pretrain; /* other grouped events, not owned; NULL: no step 0 */
    float clip;            /* greatest norm of the gradient */
    float averaging;       /* decay of the running mean of the parameters; 0: none */
    unsigned threads;      /* to compute with; 0: one a processor. The result does not depend on it */
    float user_balance;    /* an event of a user with n weighs n^−this; 0: all the same */
    const struct shoal_model *teacher; /* not owned; what it predicts teaches beside the labels; NULL: labels only */
    float teacher_weight;  /* w: a target is w·teacher + (1 − w)·label, where no label is known the teacher's */
    bool balanced;         /* events before a purchase weigh as much in all as the others */
    bool refit;
    struct shoal_ranks *ranks; /* others that train the same; not owned; NULL: none */
    const char *checkpoint; /* file, written after every epoch and removed at the end; if it is there, the
                             * training goes on from it, to the same model. NULL: none */
};

struct shoal_train_epoch {
    uint32_t epoch;        /* 0: the regression */
    uint32_t epochs;       /* at most */
    bool pretraining;      /* step 0: no figures but those of the objectives */
    double objective_losses[SHOAL_OBJECTIVES]; /* of those that are wanted */
    double share;          /* of the network, as in step 2 */
    bool refit;            /* step 4: no validation figures */
    bool best;             /* so far */
    double train_loss, valid_loss, valid_auc;
};

struct shoal_train_report {
    void *context;
    void (*on_epoch)(void *context, const struct shoal_train_epoch *epoch);
    /* Within an epoch: events gone through, of all. */
    void (*on_progress)(void *context, bool refit, uint32_t epoch, uint64_t done, uint64_t total);
};

struct shoal_train_summary {
    size_t events_count, users_count, train_count, valid_count;
    double train_base_rate;
    uint32_t best_epoch, epochs, batch;
    double ridge; /* of the regression, as chosen */
    double share; /* of the network in the model: 0 the regression alone, 1 the network */
    bool calibrated[SHOAL_TASKS]; /* whether the validation part could calibrate a task */
    struct shoal_metrics valid;            /* of the model, calibrated, before the refit */
    struct shoal_metrics valid_regression; /* of the regression, fitted on the training part */
    struct shoal_calibration_fit calibration;
};

struct shoal_train_options shoal_train_options_default(void);
/* INVALID with the reason when an option is out of range. */
enum shoal_status shoal_train_options_check(const struct shoal_train_options *options,
                                            struct shoal_message *message);
/* Trains on grouped data. end_ms: up to when everything is known. *model is the caller's
 * (shoal_model_destroy); id and version are set when it is saved. report and its functions may be
 * NULL. INVALID, TOO_FEW, NOMEM. */
enum shoal_status shoal_train(const struct shoal_dataset *dataset, int64_t end_ms,
                              const struct shoal_train_options *options,
                              const struct shoal_train_report *report, struct shoal_model **model,
                              struct shoal_train_summary *summary, struct shoal_message *message)
    SHOAL_MUST_CHECK;

#endif
