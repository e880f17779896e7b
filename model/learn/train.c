/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a training; see train.h. */
#include "model/learn/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/learn/course.h"
#include "model/learn/reference.h"
#include "model/learn/score.h"
#include "model/learn/shrink.h"

/* What the model would be if training ended here: the mean of the parameters, not calibrated. */
static void take_params(struct shoal_course *course)
{
    const struct shoal_params *from =
        course->options.averaging > 0 ? &course->trainer.mean : &course->trainer.params;
    memcpy(course->model->params.block, from->block, from->count * sizeof(float));
    for (int task = 0; task < SHOAL_TASKS; task++)
        course->model->calibration[task] = shoal_calibration_none();
}

/* Of the network's heads, `share`; of the regressions', the rest. Both are linear in h and counters, so
 * the average of the two is one model again. */
static void blend(const struct shoal_course *course, double share, struct shoal_params *params)
{
    size_t hidden = params->dims.hidden;
    float own = (float)share;
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        const struct shoal_regression *regression = &course->regressions[n];
        for (size_t j = 0; j < hidden; j++)
            params->head_hidden[n * hidden + j] *= own;
        for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
            float *weight = &params->head_counters[n * SHOAL_COUNTERS + k];
            float start = (float)regression->weights[k];
            *weight = start + own * (*weight - start);
        }
        float start = (float)regression->bias;
        params->head_bias[n] = start + own * (params->head_bias[n] - start);
    }
}

static void tell_progress(void *context, uint64_t done, uint64_t total)
{
    const struct shoal_course *course = context;
    if (course->report && course->report->on_progress)
        course->report->on_progress(course->report->context, course->refit, course->epoch, done,
                                    total);
}

/* One epoch, after which all ranks must have the same parameters: everything that is decided from here on
 * (when to stop, which epoch is the best) each rank decides by itself. */
static enum shoal_status run_epoch(struct shoal_course *course, double *loss,
                                   struct shoal_message *message)
{
    const struct shoal_params *params = &course->trainer.params;
    enum shoal_status status =
        shoal_trainer_epoch(&course->trainer, loss, tell_progress, course);
    if (status == SHOAL_OK &&
        !shoal_ranks_agree(course->options.ranks,
                           shoal_hash(params->block, params->count * sizeof(float))))
        status = shoal_fail(message, SHOAL_INTERNAL,
                            "the ranks have come to different parameters in epoch %u: do they run the "
                            "same program on processors of one kind?",
                            course->epoch);
    return status;
}

static struct shoal_train_epoch epoch_of(const struct shoal_course *course, double train_loss)
{
    struct shoal_train_epoch epoch = {
        .epoch = course->epoch,
        .epochs = course->refit ? course->best_epoch : course->options.epochs,
        .refit = course->refit,
        .train_loss = train_loss,
        .valid_loss = NAN,
        .valid_auc = NAN,
    };
    memcpy(epoch.objective_losses, course->trainer.objective_losses,
           sizeof epoch.objective_losses);
    return epoch;
}

static void tell_epoch(const struct shoal_course *course, const struct shoal_train_epoch *epoch)
{
    if (course->report && course->report->on_epoch)
        course->report->on_epoch(course->report->context, epoch);
}

/* Whether the epoch just judged cannot be told from the one with the least validation loss, or has the
 * least itself: the least of a few hundred users is mostly luck and comes too early, before the network has
 * learned what the share then lets through or not. */
static bool is_as_good(struct shoal_course *course, double loss)
{
    size_t count = course->split.valid_count;
    if (course->epoch > 0 && loss >= course->least_loss)
        return loss - course->least_loss <= shoal_paired_error(course->valid_losses,
                                                               course->least_losses,
                                                               course->valid_users, count);
    course->least_loss = loss;
    memcpy(course->least_losses, course->valid_losses, count * sizeof *course->least_losses);
    return true;
}

/* Scores the network as it is now, with as much of the regression in it as pays; keeps it if it is the best
 * so far. */
static enum shoal_status judge(struct shoal_course *course, double train_loss)
{
    size_t count = course->split.valid_count;
    take_params(course);
    enum shoal_status status = shoal_course_score_validation(course);
    if (status != SHOAL_OK)
        return status;
    struct shoal_shrink shrink = shoal_shrink_fit(course->valid_regression, course->valid_logits,
                                                  course->valid_labels, course->valid_users, count);
    if (course->epoch == 0)
        shrink.share = 0;
    struct shoal_train_epoch epoch = epoch_of(course, train_loss);
    epoch.share = shrink.share;
    epoch.valid_loss = shoal_shrink_loss(course->valid_regression, course->valid_logits,
                                         course->valid_labels, count, &shrink,
                                         course->valid_losses);
    for (size_t i = 0; i < count; i++)
        course->valid_scores[i] = (float)(1 / (1 + exp(-course->valid_regression[i] -
                                                       shrink.share * (course->valid_logits[i] -
                                                                       course->valid_regression[i]))));
    struct shoal_sample sample = {course->valid_scores, course->valid_labels, course->valid_users,
                                  count, course->dataset->users_count};
    struct shoal_metrics metrics;
    status = shoal_metrics_estimate(&sample, &metrics);
    if (status != SHOAL_OK)
        return status;
    epoch.valid_auc = metrics.values[SHOAL_MEASURE_roc_auc];
    epoch.best = is_as_good(course, epoch.valid_loss);
    if (epoch.best) {
        course->best_epoch = course->epoch;
        course->share = shrink.share;
        memcpy(course->best, course->model->params.block,
               course->model->params.count * sizeof *course->best);
    }
    tell_epoch(course, &epoch);
    return SHOAL_OK;
}

/* Step 0: a network for the other events, of which the state is kept. */
static enum shoal_status pretrain(struct shoal_course *course, struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->options.pretrain;
    struct shoal_examples examples;
    struct shoal_train_options options = course->options;
    options.objectives = options.pretrain_objectives;
    float *importance = malloc((dataset->events_count + 1) * sizeof *importance);
    enum shoal_status status = shoal_examples_make(dataset, &options.dims, &examples);
    if (status == SHOAL_OK && !importance)
        status = SHOAL_NOMEM;
    for (size_t i = 0; i < dataset->events_count && status == SHOAL_OK; i++) {
        uint32_t user = dataset->owners[i];
        importance[i] = (float)pow((double)(dataset->first[user + 1] - dataset->first[user]),
                                   -(double)options.user_balance);
    }
    struct shoal_teaching teaching = {.dataset = dataset, .examples = &examples,
                                      .importance = importance, .known_ms = INT64_MAX,
                                      .weekday = shoal_course_looks_at_weekday(course)};
    if (status == SHOAL_OK)
        status = shoal_trainer_init(&course->trainer, &options, &teaching);
    for (course->epoch = 1; course->epoch <= options.pretrain_epochs && status == SHOAL_OK;
         course->epoch++) {
        double loss;
        status = run_epoch(course, &loss, message);
        struct shoal_train_epoch epoch = epoch_of(course, NAN);
        epoch.epochs = options.pretrain_epochs;
        epoch.pretraining = true;
        if (status == SHOAL_OK)
            tell_epoch(course, &epoch);
    }
    course->epoch = 0;
    if (status == SHOAL_OK)
        status = shoal_params_init(&course->pretrained, &options.dims);
    if (status == SHOAL_OK)
        memcpy(course->pretrained.block, course->trainer.mean.block,
               course->pretrained.count * sizeof(float));
    shoal_trainer_finish(&course->trainer);
    if (importance)
        shoal_examples_finish(&examples);
    free(importance);
    return status;
}

static enum shoal_status search(struct shoal_course *course, struct shoal_message *message)
{
    enum shoal_status status = shoal_course_start(course, course->split.valid_from_ms, message);
    for (size_t i = 0; i < course->split.valid_count && status == SHOAL_OK; i++)
        course->valid_regression[i] = shoal_course_logit((float)shoal_regression_predict(
            &course->regressions[SHOAL_buy_24h],
            course->examples.counters + course->valid[i] * SHOAL_COUNTERS));
    if (status == SHOAL_OK && course->resume.there) {
        course->epoch = course->resume.epoch;
        if (!course->resume.refit)
            status = shoal_course_resume(course, message);
    } else if (status == SHOAL_OK) {
        status = judge(course, NAN);
    }
    while (status == SHOAL_OK && course->epoch < course->options.epochs &&
           course->epoch - course->best_epoch < course->options.patience) {
        double loss;
        course->epoch++;
        status = run_epoch(course, &loss, message);
        if (status == SHOAL_OK)
            status = judge(course, loss);
        if (status == SHOAL_OK)
            status = shoal_course_save(course, message);
    }
    if (status != SHOAL_OK)
        return status;
    course->searched = course->epoch;
    memcpy(course->model->params.block, course->best,
           course->model->params.count * sizeof *course->best);
    for (int task = 0; task < SHOAL_TASKS; task++)
        course->model->calibration[task] = shoal_calibration_none();
    blend(course, course->share, &course->model->params);
    return SHOAL_OK;
}

/* The best number of epochs once more, on everything that has a label. */
static enum shoal_status refit(struct shoal_course *course, struct shoal_message *message)
{
    struct shoal_calibration_map calibration[SHOAL_TASKS];
    memcpy(calibration, course->model->calibration, sizeof calibration);
    course->refit = true;
    enum shoal_status status = shoal_course_start(course, course->end_ms, message);
    course->epoch = 1;
    if (status == SHOAL_OK && course->resume.there && course->resume.refit) {
        course->epoch = course->resume.refit_epoch + 1;
        status = shoal_course_resume(course, message);
    }
    for (; course->epoch <= course->best_epoch && status == SHOAL_OK; course->epoch++) {
        double loss;
        status = run_epoch(course, &loss, message);
        struct shoal_train_epoch epoch = epoch_of(course, loss);
        if (status == SHOAL_OK) {
            tell_epoch(course, &epoch);
            status = shoal_course_save(course, message);
        }
    }
    if (status == SHOAL_OK) {
        take_params(course);
        blend(course, course->share, &course->model->params);
    }
    memcpy(course->model->calibration, calibration, sizeof calibration);
    return status;
}

/* How inputs and scores are distributed, for drift to be measured against. */
static enum shoal_status refer(struct shoal_course *course)
{
    struct shoal_model *model = course->model;
    enum shoal_status status =
        shoal_score(model, course->dataset, &course->examples, SHOAL_FP16, INT64_MAX,
                    course->scores, NULL, NULL);
    return status == SHOAL_OK ? shoal_reference_make(course->dataset, &course->examples,
                                                     course->scores, &model->reference)
                              : status;
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
    struct shoal_course course = {
        .dataset = dataset, .options = *options, .report = report, .end_ms = end_ms,
    };
    status = shoal_course_prepare(&course, message);
    if (status == SHOAL_OK)
        status = shoal_course_find(&course, message);
    if (status == SHOAL_OK)
        status = shoal_course_agree(&course, message);
    if (status == SHOAL_OK && !course.resume.there && options->pretrain &&
        options->pretrain_epochs > 0)
        status = pretrain(&course, message);
    if (status == SHOAL_OK)
        status = search(&course, message);
    if (status == SHOAL_OK)
        status = shoal_course_calibrate(&course, summary);
    if (status == SHOAL_OK) {
        shoal_course_describe(&course, summary);
        if (options->refit)
            status = refit(&course, message);
    }
    if (status == SHOAL_OK)
        status = refer(&course);
    if (status == SHOAL_OK) {
        shoal_course_forget(&course);
        *model = course.model;
        course.model = NULL;
    } else if (status == SHOAL_NOMEM) {
        shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    }
    shoal_course_finish(&course);
    return status;
}
