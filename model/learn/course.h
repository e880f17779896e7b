/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of a training (train.h) share: its data, its network, and how far it is.
 *
 *   train_options.c   defaults and ranges
 *   train_prepare.c   labels, weights, the validation part, the regressions, a network's start
 *   train.c           the epochs, and the course of the whole
 *   train_distil.c    what a teacher says of every event
 *   train_calibrate.c calibration, thresholds, figures
 *   train_resume.c    a training that was interrupted goes on */
#ifndef SHOAL_LEARN_COURSE_H
#define SHOAL_LEARN_COURSE_H

#include <math.h>

#include "model/learn/labels.h"
#include "model/learn/trainer.h"

/* What a checkpoint held (train_resume.c). */
struct shoal_resume {
    bool there, refit;           /* refit: the search had ended */
    uint32_t epoch, refit_epoch; /* epochs done */
    struct shoal_buffer file;    /* owned */
    struct shoal_unpack trainer; /* stands at the trainer's bytes */
};

struct shoal_course {
    const struct shoal_dataset *dataset;
    struct shoal_train_options options; /* nothing left to be found out */
    const struct shoal_train_report *report; /* or NULL */
    int64_t end_ms;
    struct shoal_examples examples;
    struct shoal_split split;
    struct shoal_params pretrained; /* after step 0; else empty */
    struct shoal_regression regressions[SHOAL_TASKS];
    double ridge, share;
    float *targets;   /* SHOAL_TASKS an event */
    float *taught;    /* likewise: what the teacher predicts, and that mixed with the targets as far as they
                       * are known; NULL without a teacher */
    float *mixed;
    double *valid_regression; /* logits of the regression, one a validation event */
    double *valid_losses, *least_losses; /* of this epoch, of the one with the least */
    double least_loss;
    struct shoal_trainer trainer;
    struct shoal_model *model;
    float *best;      /* parameters of the best epoch */
    int8_t *labels;   /* one an event, like the next two */
    float *scores;
    float *importance;
    size_t *valid;    /* the validation events */
    /* of each validation event */
    float *valid_scores;
    int8_t *valid_labels;
    uint32_t *valid_users;
    double *valid_logits;
    uint32_t best_epoch, epoch, searched; /* searched: epochs of the search, once it has ended */
    uint64_t key; /* of events and options, for checkpoints */
    struct shoal_resume resume;
    bool refit;
};

/* The logit of a probability, held within 1e-7 of 0 and 1. */
static inline double shoal_course_logit(float score)
{
    double p = fmin(fmax((double)score, 1e-7), 1 - 1e-7);
    return log(p / (1 - p));
}

/* Labels, split, examples, weights, room. TOO_FEW, NOMEM. */
enum shoal_status shoal_course_prepare(struct shoal_course *course,
                                       struct shoal_message *message) SHOAL_MUST_CHECK;
/* A new network for what is known at known_ms, as its regressions. TOO_FEW, NOMEM. */
enum shoal_status shoal_course_start(struct shoal_course *course, int64_t known_ms,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* taught: what the teacher predicts after every event. INVALID (it has seen too much), NOMEM. */
enum shoal_status shoal_course_ask_teacher(struct shoal_course *course,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;
/* mixed, for what is known at known_ms. */
void shoal_course_mix_targets(struct shoal_course *course, int64_t known_ms);
bool shoal_course_looks_at_weekday(const struct shoal_course *course);
/* valid_scores and valid_logits of course->model as it is. NOMEM. */
enum shoal_status shoal_course_score_validation(struct shoal_course *course) SHOAL_MUST_CHECK;
/* Line or curve, thresholds and the figures that go with the model, all on the validation part. NOMEM. */
enum shoal_status shoal_course_calibrate(struct shoal_course *course,
                                         struct shoal_train_summary *summary) SHOAL_MUST_CHECK;
/* The figures of the summary that are known already, and the model's origin. */
void shoal_course_describe(const struct shoal_course *course, struct shoal_train_summary *summary);
void shoal_course_finish(struct shoal_course *course);

/* Writes options.checkpoint, if there is to be one, between two epochs. IO, NOMEM. */
enum shoal_status shoal_course_save(const struct shoal_course *course,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Looks for a checkpoint after prepare: resume.there, and how far the search was. DAMAGED, VERSION, CONFIG
 * (of another training), IO, NOMEM. */
enum shoal_status shoal_course_find(struct shoal_course *course,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* Do all ranks begin with the same events, options and checkpoint, and is there work for each? CONFIG. */
enum shoal_status shoal_course_agree(const struct shoal_course *course,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Makes the trainer, just started, what it was. DAMAGED. */
enum shoal_status shoal_course_resume(struct shoal_course *course,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* Removes the checkpoint of a training that has ended well. */
void shoal_course_forget(const struct shoal_course *course);

#endif
