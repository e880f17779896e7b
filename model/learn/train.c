/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a training; see train.h. */
#include "model/learn/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/calibrate.h"
#include "model/learn/labels.h"
#include "model/learn/score.h"
#include "model/learn/trainer.h"

enum { FOLDS_MAX = 3, FOLDS_EVENTS_MAX = 200000 };

/* One origin of the rolling validation: its own regression, network and validation events. */
struct fold {
    struct shoal_split split;
    struct shoal_regression regression;
    struct shoal_trainer trainer;
    size_t at; /* where its validation events begin among all folds' */
};

struct course {
    const struct shoal_dataset *dataset;
    struct shoal_train_options options; /* nothing left to be found out */
    const struct shoal_train_report *report; /* or NULL */
    int64_t end_ms;
    struct shoal_examples examples;
    struct fold folds[FOLDS_MAX];
    unsigned folds_count;
    struct fold final; /* of the refit: no split */
    double ridge;
    struct shoal_model *model; /* what is scored and, at the end, returned */
    float *best;       /* parameters of fold 0 at the best epoch */
    int8_t *labels;    /* one an event, like the next two */
    float *scores;
    float *importance;
    /* one a validation event, fold after fold: */
    size_t valid_count;
    size_t *valid;     /* the event */
    int8_t *valid_labels;
    uint32_t *valid_users;
    float *valid_scores, *best_scores; /* uncalibrated: of this epoch, of the best */
    double *valid_logits;
    double best_loss;
    uint32_t best_epoch, epoch;
    bool refit;
};

struct shoal_train_options shoal_train_options_default(void)
{
    return (struct shoal_train_options){
        .dims = shoal_dims_default(),
        .seed = 1,
        .steps = 32,
        .epochs = SHOAL_TRAIN_AUTO,
        .learning_rate = 1e-3f,
        .embedding_rate = 0.01f,
        .weight_decay = SHOAL_TRAIN_DECAY_AUTO,
        .dropout_inputs = 0.2f,
        .dropout_hidden = 0.3f,
        .clip = 1.0f,
        .averaging = 0.99f,
        .user_balance = 0.75f,
        .refit = true,
    };
}

enum shoal_status shoal_train_options_check(const struct shoal_train_options *options,
                                            struct shoal_message *message)
{
    const struct {
        const char *name;
        double value, min, max;
    } bounds[] = {
        {"batch", options->batch, 0, 4096},
        {"steps", options->steps, 1, 4096},
        {"epochs", options->epochs == SHOAL_TRAIN_AUTO ? 0 : options->epochs, 0, 10000},
        {"patience", options->patience, 0, 10000},
        {"learning rate", (double)options->learning_rate, 1e-7, 1},
        {"embedding rate", (double)options->embedding_rate, 0, 10},
        {"weight decay", fmax((double)options->weight_decay, 0), 0, 10},
        {"input dropout", (double)options->dropout_inputs, 0, 0.9},
        {"hidden dropout", (double)options->dropout_hidden, 0, 0.9},
        {"clip", (double)options->clip, 1e-6, 1e6},
        {"user balance", (double)options->user_balance, 0, 1},
        {"averaging", (double)options->averaging, 0, 0.99999},
    };
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (!(bounds[i].value >= bounds[i].min && bounds[i].value <= bounds[i].max))
            return shoal_fail(message, SHOAL_INVALID, "%s is %g, must be %g to %g", bounds[i].name,
                              bounds[i].value, bounds[i].min, bounds[i].max);
    return shoal_dims_check(&options->dims, message);
}

static void finish(struct course *course)
{
    for (unsigned f = 0; f < FOLDS_MAX; f++)
        shoal_trainer_finish(&course->folds[f].trainer);
    shoal_trainer_finish(&course->final.trainer);
    shoal_examples_finish(&course->examples);
    shoal_model_destroy(course->model);
    free(course->best);
    free(course->labels);
    free(course->scores);
    free(course->importance);
    free(course->valid);
    free(course->valid_labels);
    free(course->valid_users);
    free(course->valid_scores);
    free(course->best_scores);
    free(course->valid_logits);
}

/* ---- what is trained with ------------------------------------------------------------------- */

/* Fold 0 must be; earlier ones are taken while there are few events and enough to train with. */
static enum shoal_status split_folds(struct course *course, struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->dataset;
    enum shoal_status status = shoal_split_make(dataset, course->end_ms, course->labels, 0,
                                                &course->folds[0].split, message);
    if (status != SHOAL_OK)
        return status;
    const struct shoal_split *first = &course->folds[0].split;
    course->folds_count = 1;
    course->valid_count = first->valid_count;
    while (course->folds_count < FOLDS_MAX && first->train_count <= FOLDS_EVENTS_MAX) {
        struct fold *fold = &course->folds[course->folds_count];
        if (shoal_split_make(dataset, course->end_ms, course->labels, course->folds_count,
                             &fold->split, NULL) != SHOAL_OK ||
            fold->split.train_count < first->train_count / 3)
            break;
        fold->at = course->valid_count;
        course->valid_count += fold->split.valid_count;
        course->folds_count++;
    }
    return SHOAL_OK;
}

static enum shoal_status list_validation(struct course *course)
{
    const struct shoal_dataset *dataset = course->dataset;
    size_t count = course->valid_count, next = 0;
    course->valid = malloc((count + 1) * sizeof *course->valid);
    course->valid_labels = malloc((count + 1) * sizeof *course->valid_labels);
    course->valid_users = malloc((count + 1) * sizeof *course->valid_users);
    course->valid_scores = malloc((count + 1) * sizeof *course->valid_scores);
    course->best_scores = malloc((count + 1) * sizeof *course->best_scores);
    course->valid_logits = malloc((count + 1) * sizeof *course->valid_logits);
    if (!course->valid || !course->valid_labels || !course->valid_users || !course->valid_scores ||
        !course->best_scores || !course->valid_logits)
        return SHOAL_NOMEM;
    for (unsigned f = 0; f < course->folds_count; f++)
        for (size_t i = 0; i < dataset->events_count; i++)
            if (course->labels[i] != SHOAL_UNLABELLED &&
                shoal_split_validates(&course->folds[f].split, dataset->touches[i].time_ms)) {
                course->valid[next] = i;
                course->valid_labels[next] = course->labels[i];
                course->valid_users[next++] = dataset->owners[i];
            }
    return SHOAL_OK;
}

static enum shoal_status make_model(struct course *course)
{
    course->model = calloc(1, sizeof *course->model);
    if (!course->model || shoal_params_init(&course->model->params, &course->options.dims))
        return SHOAL_NOMEM;
    course->best = malloc(course->model->params.count * sizeof *course->best);
    return course->best ? SHOAL_OK : SHOAL_NOMEM;
}

/* importance of an event: n^−balance for one of n events of a user that may teach, mean 1. A user's
 * events nearly repeat each other, so a user with a hundred tells less than a hundred users. */
static void weigh(struct course *course)
{
    const struct shoal_dataset *dataset = course->dataset;
    double sum = 0;
    size_t total = 0;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user], end = dataset->first[user + 1], labelled = 0;
        for (size_t i = first; i < end; i++)
            labelled += course->labels[i] != SHOAL_UNLABELLED;
        double importance = pow((double)(labelled ? labelled : 1),
                                -(double)course->options.user_balance);
        for (size_t i = first; i < end; i++)
            course->importance[i] = (float)importance;
        sum += importance * (double)labelled;
        total += labelled;
    }
    float scale = (float)((double)total / sum);
    for (size_t i = 0; i < dataset->events_count; i++)
        course->importance[i] *= scale;
}

/* Batch and number of epochs where they are left open. A small set needs many updates an epoch and
 * many epochs; a large one learns as much from few, and large batches go through faster. */
static void settle_options(struct course *course)
{
    struct shoal_train_options *options = &course->options;
    size_t count = course->folds[0].split.train_count;
    if (options->batch == 0) {
        size_t batch = count / (options->steps * 64) / 8 * 8;
        options->batch = (uint32_t)(batch < 16 ? 16 : batch > 128 ? 128 : batch);
    }
    if (options->epochs == SHOAL_TRAIN_AUTO) {
        size_t epochs = 6000000 / count;
        options->epochs = (uint32_t)(epochs < 6 ? 6 : epochs > 40 ? 40 : epochs);
    }
    /* Decay stands for a prior: what it says weighs less, the more users have spoken. */
    if (options->weight_decay < 0) {
        float decay = 1600.0f / (float)course->dataset->users_count;
        options->weight_decay = decay < 2 ? decay : 2;
    }
    if (options->patience == 0)
        options->patience = options->epochs / 3 > 2 ? options->epochs / 3 : 2;
}

static enum shoal_status prepare(struct course *course, struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->dataset;
    course->labels = malloc(dataset->events_count + 1);
    course->scores = malloc((dataset->events_count + 1) * sizeof *course->scores);
    course->importance = malloc((dataset->events_count + 1) * sizeof *course->importance);
    if (!course->labels || !course->scores || !course->importance)
        return SHOAL_NOMEM;
    shoal_labels_make(dataset, course->end_ms, course->labels);
    enum shoal_status status = split_folds(course, message);
    if (status == SHOAL_OK) {
        settle_options(course);
        weigh(course);
    }
    if (status == SHOAL_OK)
        status = shoal_examples_make(dataset, &course->options.dims, &course->examples);
    if (status == SHOAL_OK)
        status = list_validation(course);
    if (status == SHOAL_OK)
        status = make_model(course);
    return status;
}

/* labels[i] of events that teach: with a label and time ≤ until_ms. */
static void mask_labels(const struct course *course, int64_t until_ms, int8_t *labels)
{
    const struct shoal_dataset *dataset = course->dataset;
    for (size_t i = 0; i < dataset->events_count; i++)
        labels[i] = dataset->touches[i].time_ms <= until_ms ? course->labels[i] : SHOAL_UNLABELLED;
}

/* The ridge that is best over all folds. */
static enum shoal_status choose_ridge(struct course *course, struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->dataset;
    size_t count = dataset->events_count;
    int8_t *labels = malloc(2 * count + 1), *judged = labels + count;
    double losses[SHOAL_RIDGES] = {0};
    enum shoal_status status = labels ? SHOAL_OK : SHOAL_NOMEM;
    for (unsigned f = 0; f < course->folds_count && status == SHOAL_OK; f++) {
        const struct shoal_split *split = &course->folds[f].split;
        mask_labels(course, split->train_until_ms, labels);
        for (size_t i = 0; i < count; i++)
            judged[i] = shoal_split_validates(split, dataset->touches[i].time_ms)
                            ? course->labels[i]
                            : SHOAL_UNLABELLED;
        struct shoal_regression_data data = {course->examples.counters, labels, course->importance,
                                             count};
        struct shoal_regression_data judge = {course->examples.counters, judged, NULL, count};
        status = shoal_regression_try(&data, &judge, losses, message);
    }
    course->ridge = shoal_regression_best_ridge(losses);
    free(labels);
    return status;
}

/* The regression and, starting as that, a new network, for events ≤ until_ms. */
static enum shoal_status start(struct course *course, struct fold *fold, int64_t until_ms,
                               struct shoal_message *message)
{
    size_t count = course->dataset->events_count;
    int8_t *labels = malloc(count + 1);
    if (!labels)
        return SHOAL_NOMEM;
    mask_labels(course, until_ms, labels);
    struct shoal_regression_data data = {course->examples.counters, labels, course->importance,
                                         count};
    enum shoal_status status =
        shoal_regression_fit(&data, course->ridge, &fold->regression, message);
    free(labels);
    if (status != SHOAL_OK)
        return status;
    return shoal_trainer_init(&fold->trainer, &course->options, course->dataset, &course->examples,
                              course->labels, course->importance, until_ms, &fold->regression);
}

/* ---- epochs --------------------------------------------------------------------------------- */

/* What the model would be if this fold's training ended here: the mean of its parameters, not
 * calibrated. */
static void take_params(struct course *course, const struct fold *fold)
{
    struct shoal_model *model = course->model;
    const struct shoal_params *from =
        course->options.averaging > 0 ? &fold->trainer.mean : &fold->trainer.params;
    memcpy(model->params.block, from->block, from->count * sizeof(float));
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        model->counter_mean[k] = (float)fold->regression.mean[k];
        model->counter_deviation[k] = (float)fold->regression.deviation[k];
    }
    model->platt_slope = 1;
    model->platt_intercept = 0;
}

static struct shoal_sample validation_sample(const struct course *course)
{
    return (struct shoal_sample){course->valid_scores, course->valid_labels, course->valid_users,
                                 course->valid_count, course->dataset->users_count};
}

/* Each fold's validation events with that fold's network, as it would be served. */
static enum shoal_status score_folds(struct course *course)
{
    for (unsigned f = course->folds_count; f-- > 0;) {
        const struct fold *fold = &course->folds[f];
        take_params(course, fold);
        enum shoal_status status =
            shoal_score(course->model, course->dataset, &course->examples, SHOAL_FP16,
                        fold->split.valid_until_ms, course->scores, NULL, NULL);
        if (status != SHOAL_OK)
            return status;
        for (size_t i = fold->at; i < fold->at + fold->split.valid_count; i++)
            course->valid_scores[i] = course->scores[course->valid[i]];
    }
    return SHOAL_OK; /* the model holds fold 0's parameters */
}

struct telling {
    const struct course *course;
    uint64_t done, total; /* of the folds before this one in the epoch; of all */
};

static void tell_progress(void *context, uint64_t done, uint64_t total)
{
    const struct telling *telling = context;
    const struct course *course = telling->course;
    (void)total;
    if (course->report && course->report->on_progress)
        course->report->on_progress(course->report->context, course->refit, course->epoch,
                                    telling->done + done, telling->total);
}

static void tell_epoch(const struct course *course, bool best, double train_loss,
                       const struct shoal_metrics *valid)
{
    struct shoal_train_epoch epoch = {
        .epoch = course->epoch,
        .epochs = course->refit ? course->best_epoch : course->options.epochs,
        .refit = course->refit,
        .best = best,
        .train_loss = train_loss,
        .valid_loss = valid ? valid->values[SHOAL_MEASURE_log_loss] : NAN,
        .valid_auc = valid ? valid->values[SHOAL_MEASURE_roc_auc] : NAN,
    };
    if (course->report && course->report->on_epoch)
        course->report->on_epoch(course->report->context, &epoch);
}

/* One epoch of each of the folds; *loss is the mean of theirs. */
static enum shoal_status run_epoch(struct course *course, struct fold *folds, unsigned count,
                                   double *loss)
{
    struct telling telling = {.course = course};
    for (unsigned f = 0; f < count; f++)
        telling.total += folds[f].trainer.total;
    *loss = 0;
    for (unsigned f = 0; f < count; f++) {
        double here;
        enum shoal_status status =
            shoal_trainer_epoch(&folds[f].trainer, &here, tell_progress, &telling);
        if (status != SHOAL_OK)
            return status;
        *loss += here / count;
        telling.done += folds[f].trainer.total;
    }
    return SHOAL_OK;
}

/* Scores the networks as they are now; keeps what belongs to the best epoch so far. */
static enum shoal_status judge(struct course *course, double train_loss)
{
    struct shoal_metrics metrics;
    enum shoal_status status = score_folds(course);
    if (status != SHOAL_OK)
        return status;
    struct shoal_sample sample = validation_sample(course);
    status = shoal_metrics_estimate(&sample, &metrics);
    if (status != SHOAL_OK)
        return status;
    double loss = metrics.values[SHOAL_MEASURE_log_loss];
    bool best = course->epoch == 0 || loss < course->best_loss;
    if (best) {
        course->best_loss = loss;
        course->best_epoch = course->epoch;
        memcpy(course->best, course->model->params.block,
               course->model->params.count * sizeof *course->best);
        memcpy(course->best_scores, course->valid_scores,
               course->valid_count * sizeof *course->best_scores);
    }
    tell_epoch(course, best, train_loss, &metrics);
    return SHOAL_OK;
}

static enum shoal_status search(struct course *course, struct shoal_message *message)
{
    enum shoal_status status = choose_ridge(course, message);
    for (unsigned f = 0; f < course->folds_count && status == SHOAL_OK; f++)
        status = start(course, &course->folds[f], course->folds[f].split.train_until_ms, message);
    if (status == SHOAL_OK)
        status = judge(course, NAN);
    while (status == SHOAL_OK && course->epoch < course->options.epochs &&
           course->epoch - course->best_epoch < course->options.patience) {
        double loss;
        course->epoch++;
        status = run_epoch(course, course->folds, course->folds_count, &loss);
        if (status == SHOAL_OK)
            status = judge(course, loss);
    }
    if (status == SHOAL_OK)
        memcpy(course->model->params.block, course->best,
               course->model->params.count * sizeof *course->best);
    return status;
}

/* The best number of epochs once more, on everything that has a label. */
static enum shoal_status refit(struct course *course, struct shoal_message *message)
{
    float slope = course->model->platt_slope, intercept = course->model->platt_intercept;
    course->refit = true;
    enum shoal_status status = start(course, &course->final, course->end_ms, message);
    for (course->epoch = 1; course->epoch <= course->best_epoch && status == SHOAL_OK;
         course->epoch++) {
        double loss;
        status = run_epoch(course, &course->final, 1, &loss);
        if (status == SHOAL_OK)
            tell_epoch(course, false, loss, NULL);
    }
    if (status == SHOAL_OK)
        take_params(course, &course->final);
    course->model->platt_slope = slope;
    course->model->platt_intercept = intercept;
    return status;
}

/* ---- calibration ---------------------------------------------------------------------------- */

static double logit_of(float score)
{
    double p = fmin(fmax((double)score, 1e-7), 1 - 1e-7);
    return log(p / (1 - p));
}

/* Users of a validation part, summed over the folds: a user on two days is two observations. */
static size_t count_users(const struct course *course)
{
    size_t count = 0;
    for (size_t i = 0; i < course->valid_count; i++)
        count += i == 0 || course->valid_users[i] != course->valid_users[i - 1];
    return count;
}

/* Platt scaling and thresholds, from all folds' validation events at the best epoch. Leaves the
 * calibrated scores in valid_scores. */
static enum shoal_status calibrate(struct course *course)
{
    struct shoal_model *model = course->model;
    size_t count = course->valid_count;
    for (size_t i = 0; i < count; i++)
        course->valid_logits[i] = logit_of(course->best_scores[i]);
    struct shoal_calibration calibration = shoal_calibrate(
        course->valid_logits, course->valid_labels, count, count_users(course));
    model->platt_slope = (float)calibration.slope;
    model->platt_intercept = (float)calibration.intercept;
    for (size_t i = 0; i < count; i++)
        course->valid_scores[i] = (float)(1 / (1 + exp(-calibration.slope * course->valid_logits[i] -
                                                       calibration.intercept)));
    return shoal_thresholds(course->valid_scores, count, &model->warm, &model->hot);
}

/* The figures that go with the model, and the regression's beside them. */
static enum shoal_status measure(struct course *course, struct shoal_train_summary *summary)
{
    struct shoal_sample sample = validation_sample(course);
    enum shoal_status status =
        shoal_metrics_compute(&sample, course->options.seed, &summary->valid);
    if (status != SHOAL_OK)
        return status;
    for (unsigned f = 0; f < course->folds_count; f++) {
        const struct fold *fold = &course->folds[f];
        for (size_t i = fold->at; i < fold->at + fold->split.valid_count; i++)
            course->valid_scores[i] = (float)shoal_regression_predict(
                &fold->regression, course->examples.counters + course->valid[i] * SHOAL_COUNTERS);
    }
    return shoal_metrics_compute(&sample, course->options.seed, &summary->valid_regression);
}

static void describe(const struct course *course, struct shoal_train_summary *summary)
{
    const struct shoal_dataset *dataset = course->dataset;
    summary->events_count = dataset->events_count;
    summary->users_count = dataset->users_count;
    const struct shoal_split *split = &course->folds[0].split;
    summary->train_count = split->train_count;
    summary->valid_count = course->valid_count;
    summary->folds_count = course->folds_count;
    summary->train_base_rate =
        (double)split->train_positives / (double)split->train_count;
    summary->best_epoch = course->best_epoch;
    summary->epochs = course->epoch;
    summary->batch = course->options.batch;
    summary->weight_decay = (double)course->options.weight_decay;
    summary->ridge = course->ridge;
    course->model->origin = (struct shoal_model_origin){
        .train_from_ms = dataset->first_ms,
        .train_until_ms = course->end_ms,
        .events_count = dataset->events_count,
        .users_count = dataset->users_count,
        .seed = course->options.seed,
        .data_fingerprint = dataset->fingerprint,
        .roc_auc = summary->valid.values[SHOAL_MEASURE_roc_auc],
        .log_loss = summary->valid.values[SHOAL_MEASURE_log_loss],
        .base_rate = summary->valid.base_rate,
    };
}

enum shoal_status shoal_train(const struct shoal_dataset *dataset, int64_t end_ms,
                              const struct shoal_train_options *options,
                              const struct shoal_train_report *report, struct shoal_model **model,
                              struct shoal_train_summary *summary, struct shoal_message *message)
{
    *model = NULL;
    *summary = (struct shoal_train_summary){0};
    enum shoal_status status = shoal_train_options_check(options, message);
    if (status != SHOAL_OK)
        return status;
    struct course course = {
        .dataset = dataset, .options = *options, .report = report, .end_ms = end_ms};
    status = prepare(&course, message);
    if (status == SHOAL_OK)
        status = search(&course, message);
    if (status == SHOAL_OK)
        status = calibrate(&course);
    if (status == SHOAL_OK)
        status = measure(&course, summary);
    if (status == SHOAL_OK) {
        describe(&course, summary);
        if (options->refit)
            status = refit(&course, message);
    }
    if (status == SHOAL_OK) {
        *model = course.model;
        course.model = NULL;
    } else if (status == SHOAL_NOMEM) {
        shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    }
    finish(&course);
    return status;
}
