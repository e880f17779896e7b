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

struct course {
    const struct shoal_dataset *dataset;
    struct shoal_train_options options; /* nothing left to be found out */
    const struct shoal_train_report *report; /* or NULL */
    int64_t end_ms;
    struct shoal_examples examples;
    struct shoal_split split;
    struct shoal_regression regression;
    double ridge;
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
        .weight_decay = 0.05f,
        .dropout_inputs = 0.2f,
        .dropout_hidden = 0.3f,
        .clip = 1.0f,
        .averaging = 0.99f,
        .user_balance = 0.5f,
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
        {"weight decay", (double)options->weight_decay, 0, 10},
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
    shoal_examples_finish(&course->examples);
    shoal_trainer_finish(&course->trainer);
    shoal_model_destroy(course->model);
    free(course->best);
    free(course->labels);
    free(course->scores);
    free(course->importance);
    free(course->valid);
    free(course->valid_scores);
    free(course->valid_labels);
    free(course->valid_users);
    free(course->valid_logits);
}

/* ---- what is trained with ------------------------------------------------------------------- */

static enum shoal_status list_validation(struct course *course)
{
    const struct shoal_dataset *dataset = course->dataset;
    size_t count = course->split.valid_count, next = 0;
    course->valid = malloc((count + 1) * sizeof *course->valid);
    course->valid_scores = malloc((count + 1) * sizeof *course->valid_scores);
    course->valid_labels = malloc((count + 1) * sizeof *course->valid_labels);
    course->valid_users = malloc((count + 1) * sizeof *course->valid_users);
    course->valid_logits = malloc((count + 1) * sizeof *course->valid_logits);
    if (!course->valid || !course->valid_scores || !course->valid_labels || !course->valid_users ||
        !course->valid_logits)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < dataset->events_count && next < count; i++)
        if (course->labels[i] != SHOAL_UNLABELLED &&
            dataset->touches[i].time_ms >= course->split.valid_from_ms) {
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
    size_t count = course->split.train_count;
    if (options->batch == 0) {
        size_t batch = count / (options->steps * 64) / 8 * 8;
        options->batch = (uint32_t)(batch < 16 ? 16 : batch > 128 ? 128 : batch);
    }
    if (options->epochs == SHOAL_TRAIN_AUTO) {
        size_t epochs = 4000000 / count;
        options->epochs = (uint32_t)(epochs < 6 ? 6 : epochs > 40 ? 40 : epochs);
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
    enum shoal_status status =
        shoal_split_make(dataset, course->end_ms, course->labels, &course->split, message);
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

/* The regression on events with a label and time ≤ until_ms. The first time its ridge is chosen by the
 * validation part. */
static enum shoal_status fit_regression(struct course *course, int64_t until_ms,
                                        struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->dataset;
    size_t count = dataset->events_count;
    int8_t *labels = malloc(2 * count + 1);
    if (!labels)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < count; i++) {
        int64_t time_ms = dataset->touches[i].time_ms;
        labels[i] = time_ms <= until_ms ? course->labels[i] : SHOAL_UNLABELLED;
        labels[count + i] =
            time_ms >= course->split.valid_from_ms ? course->labels[i] : SHOAL_UNLABELLED;
    }
    struct shoal_regression_data data = {course->examples.counters, labels, course->importance,
                                         count};
    struct shoal_regression_data judge = {course->examples.counters, labels + count, NULL, count};
    enum shoal_status status =
        course->refit
            ? shoal_regression_fit(&data, course->ridge, &course->regression, message)
            : shoal_regression_choose(&data, &judge, &course->ridge, &course->regression, message);
    free(labels);
    return status;
}

/* Starts a new network for events ≤ until_ms. */
static enum shoal_status start(struct course *course, int64_t until_ms,
                               struct shoal_message *message)
{
    enum shoal_status status = fit_regression(course, until_ms, message);
    if (status != SHOAL_OK)
        return status;
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        course->model->counter_mean[k] = (float)course->regression.mean[k];
        course->model->counter_deviation[k] = (float)course->regression.deviation[k];
    }
    shoal_trainer_finish(&course->trainer);
    return shoal_trainer_init(&course->trainer, &course->options, course->dataset, &course->examples,
                              course->labels, course->importance, until_ms,
                              &course->regression);
}

/* ---- epochs --------------------------------------------------------------------------------- */

/* What the model would be if training ended here: the mean of the parameters, not calibrated. */
static void take_params(struct course *course)
{
    const struct shoal_params *from =
        course->options.averaging > 0 ? &course->trainer.mean : &course->trainer.params;
    memcpy(course->model->params.block, from->block, from->count * sizeof(float));
    for (int task = 0; task < SHOAL_TASKS; task++)
        course->model->calibration[task] = shoal_calibration_none();
}

static enum shoal_status score_validation(struct course *course, struct shoal_metrics *metrics)
{
    enum shoal_status status =
        shoal_score(course->model, course->dataset, &course->examples, SHOAL_FP16,
                    course->end_ms - SHOAL_HORIZON_MS + 1, course->scores, NULL, NULL);
    if (status != SHOAL_OK)
        return status;
    size_t count = course->split.valid_count;
    for (size_t i = 0; i < count; i++)
        course->valid_scores[i] = course->scores[course->valid[i]];
    struct shoal_sample sample = {course->valid_scores, course->valid_labels, course->valid_users,
                                  count, course->dataset->users_count};
    return shoal_metrics_estimate(&sample, metrics);
}

static void tell_progress(void *context, uint64_t done, uint64_t total)
{
    const struct course *course = context;
    if (course->report && course->report->on_progress)
        course->report->on_progress(course->report->context, course->refit, course->epoch, done,
                                    total);
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

/* Scores the network as it is now; keeps it if it is the best so far. */
static enum shoal_status judge(struct course *course, double train_loss)
{
    struct shoal_metrics metrics;
    take_params(course);
    enum shoal_status status = score_validation(course, &metrics);
    if (status != SHOAL_OK)
        return status;
    double loss = metrics.values[SHOAL_MEASURE_log_loss];
    bool best = course->epoch == 0 || loss < course->best_loss;
    if (best) {
        course->best_loss = loss;
        course->best_epoch = course->epoch;
        memcpy(course->best, course->model->params.block,
               course->model->params.count * sizeof *course->best);
    }
    tell_epoch(course, best, train_loss, &metrics);
    return SHOAL_OK;
}

/* A network stays only if its lead over the regression on the validation part is no accident: the
 * paired interval of the log loss must lie below zero. Otherwise epoch 0, the regression, is kept; with a
 * few hundred users that is what serves best on later days. Expects the best parameters in the model. */
static enum shoal_status keep_if_earned(struct course *course, struct shoal_message *message)
{
    if (course->best_epoch == 0)
        return SHOAL_OK;
    struct shoal_metrics metrics;
    enum shoal_status status = score_validation(course, &metrics);
    size_t count = course->split.valid_count;
    float *regression = malloc((count + 1) * sizeof *regression);
    struct shoal_interval intervals[SHOAL_MEASURE_COUNT] = {{0, 0}};
    if (status == SHOAL_OK && !regression)
        status = SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        for (size_t i = 0; i < count; i++)
            regression[i] = (float)shoal_regression_predict(
                &course->regression, course->examples.counters + course->valid[i] * SHOAL_COUNTERS);
        struct shoal_sample network = {course->valid_scores, course->valid_labels,
                                       course->valid_users, count, course->dataset->users_count};
        struct shoal_sample start_sample = network;
        start_sample.scores = regression;
        double differences[SHOAL_MEASURE_COUNT];
        status = shoal_metrics_compare(&network, &start_sample, course->options.seed, differences,
                                       intervals);
    }
    free(regression);
    if (status != SHOAL_OK || intervals[SHOAL_MEASURE_log_loss].high < 0)
        return status;
    course->best_epoch = 0;
    course->options.user_balance = 0; /* which is there to keep the network from learning users */
    weigh(course);
    status = start(course, course->split.train_until_ms, message);
    if (status == SHOAL_OK)
        take_params(course);
    return status;
}

static enum shoal_status search(struct course *course, struct shoal_message *message)
{
    enum shoal_status status = start(course, course->split.train_until_ms, message);
    if (status == SHOAL_OK)
        status = judge(course, NAN);
    while (status == SHOAL_OK && course->epoch < course->options.epochs &&
           course->epoch - course->best_epoch < course->options.patience) {
        double loss;
        course->epoch++;
        status = shoal_trainer_epoch(&course->trainer, &loss, tell_progress, course);
        if (status == SHOAL_OK)
            status = judge(course, loss);
    }
    if (status != SHOAL_OK)
        return status;
    memcpy(course->model->params.block, course->best,
           course->model->params.count * sizeof *course->best);
    return keep_if_earned(course, message);
}

/* The best number of epochs once more, on everything that has a label. */
static enum shoal_status refit(struct course *course, struct shoal_message *message)
{
    struct shoal_calibration_map calibration[SHOAL_TASKS];
    memcpy(calibration, course->model->calibration, sizeof calibration);
    course->refit = true;
    enum shoal_status status = start(course, course->end_ms, message);
    for (course->epoch = 1; course->epoch <= course->best_epoch && status == SHOAL_OK;
         course->epoch++) {
        double loss;
        status = shoal_trainer_epoch(&course->trainer, &loss, tell_progress, course);
        if (status == SHOAL_OK)
            tell_epoch(course, false, loss, NULL);
    }
    if (status == SHOAL_OK)
        take_params(course);
    memcpy(course->model->calibration, calibration, sizeof calibration);
    return status;
}

/* ---- calibration ---------------------------------------------------------------------------- */

static double logit_of(float score)
{
    double p = fmin(fmax((double)score, 1e-7), 1 - 1e-7);
    return log(p / (1 - p));
}

/* Line or curve, thresholds and the figures that go with the model, all on the validation part. */
static enum shoal_status calibrate(struct course *course, struct shoal_train_summary *summary)
{
    struct shoal_model *model = course->model;
    size_t count = course->split.valid_count;
    enum shoal_status status = score_validation(course, &summary->valid);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        course->valid_logits[i] = logit_of(course->valid_scores[i]);
    struct shoal_calibration_data data = {course->valid_logits, course->valid_labels,
                                          course->valid_users, count,
                                          course->dataset->users_count};
    struct shoal_calibration_fit *fit = &summary->calibration;
    status = shoal_calibrate_map(&data, fit);
    if (status != SHOAL_OK)
        return status;
    model->calibration[SHOAL_buy_24h] = fit->map;
    for (size_t i = 0; i < count; i++) {
        float z = shoal_calibration_apply(&fit->map, (float)course->valid_logits[i]);
        course->valid_scores[i] = (float)(1 / (1 + exp(-(double)z)));
    }
    status = shoal_thresholds(course->valid_scores, count, &model->warm, &model->hot);
    if (status != SHOAL_OK)
        return status;
    struct shoal_sample sample = {course->valid_scores, course->valid_labels, course->valid_users,
                                  count, course->dataset->users_count};
    status = shoal_metrics_compute(&sample, course->options.seed, &summary->valid);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        course->valid_scores[i] = (float)shoal_regression_predict(
            &course->regression, course->examples.counters + course->valid[i] * SHOAL_COUNTERS);
    return shoal_metrics_compute(&sample, course->options.seed, &summary->valid_regression);
}

static void describe(const struct course *course, struct shoal_train_summary *summary)
{
    const struct shoal_dataset *dataset = course->dataset;
    summary->events_count = dataset->events_count;
    summary->users_count = dataset->users_count;
    summary->train_count = course->split.train_count;
    summary->valid_count = course->split.valid_count;
    summary->train_base_rate =
        (double)course->split.train_positives / (double)course->split.train_count;
    summary->best_epoch = course->best_epoch;
    summary->epochs = course->epoch;
    summary->batch = course->options.batch;
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
        status = calibrate(&course, summary);
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
