/* SPDX-License-Identifier: Apache-2.0 */
/* The course of a training; see train.h. */
#include "model/learn/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/calibrate.h"
#include "model/learn/labels.h"
#include "model/learn/score.h"
#include "model/learn/shrink.h"
#include "model/learn/trainer.h"

struct course {
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
    uint32_t best_epoch, epoch;
    bool refit;
};

static struct shoal_task_mix mix_default(void)
{
    struct shoal_task_mix mix;
    for (int task = 0; task < SHOAL_TASKS; task++) {
        mix.share[task] = 0;
        mix.scale[task] = 1;
    }
    mix.share[SHOAL_buy_24h] = 1;
    mix.positive = 1;
    return mix;
}

struct shoal_train_options shoal_train_options_default(void)
{
    return (struct shoal_train_options){
        .dims = shoal_dims_default(),
        .seed = 1,
        .steps = 32,
        .epochs = SHOAL_TRAIN_AUTO,
        .learning_rate = 2e-3f,
        .embedding_rate = -1,
        .weight_decay = 0.05f,
        .dropout_inputs = 0.2f,
        .dropout_hidden = 0.3f,
        .weekday_days = 14,
        .random_starts = 0.5f,
        .mix = mix_default(),
        .objectives = shoal_objective_options_default(0.3f),
        .pretrain_objectives = shoal_objective_options_default(1),
        .pretrain_epochs = 3,
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
        {"embedding rate", (double)options->embedding_rate, -1, 10},
        {"days for the weekday", options->weekday_days, 0, 10000},
        {"weight decay", (double)options->weight_decay, 0, 10},
        {"input dropout", (double)options->dropout_inputs, 0, 0.9},
        {"hidden dropout", (double)options->dropout_hidden, 0, 0.9},
        {"recurrent dropout", (double)options->dropout_recurrent, 0, 0.9},
        {"L2", (double)options->l2, 0, 10},
        {"random starts", (double)options->random_starts, 0, 1},
        {"epochs of pre-training", options->pretrain_epochs, 0, 1000},
        {"negatives", options->objectives.negatives, 0, 65536},
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
    free(course->valid_regression);
    free(course->valid_losses);
    free(course->least_losses);
    free(course->targets);
    shoal_params_finish(&course->pretrained);
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
    course->valid_regression = malloc((count + 1) * sizeof *course->valid_regression);
    course->valid_losses = malloc((count + 1) * sizeof *course->valid_losses);
    course->least_losses = malloc((count + 1) * sizeof *course->least_losses);
    if (!course->valid || !course->valid_scores || !course->valid_labels || !course->valid_users ||
        !course->valid_logits || !course->valid_regression || !course->valid_losses ||
        !course->least_losses)
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

enum { TABLE_USERS_MIN = 3000 };

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
        options->epochs = (uint32_t)(epochs < 6 ? 6 : epochs > 12 ? 12 : epochs);
    }
    /* With few users an item says little but who its users are. */
    if (options->embedding_rate < 0)
        options->embedding_rate = course->dataset->users_count < TABLE_USERS_MIN ? 0 : 0.01f;
    if (options->patience == 0)
        options->patience = 10;
}

static enum shoal_status prepare(struct course *course, struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->dataset;
    course->labels = malloc(dataset->events_count + 1);
    course->scores = malloc((dataset->events_count + 1) * sizeof *course->scores);
    course->importance = malloc((dataset->events_count + 1) * sizeof *course->importance);
    course->targets = malloc((dataset->events_count + 1) * SHOAL_TASKS * sizeof(float));
    if (!course->labels || !course->scores || !course->importance || !course->targets)
        return SHOAL_NOMEM;
    shoal_labels_make(dataset, course->end_ms, course->labels);
    shoal_targets_make(dataset, course->end_ms, course->targets);
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

/* The regression of buy_24h on events whose label is known at known_ms, each event for itself. The first
 * time its ridge is chosen by the validation part. */
static enum shoal_status fit_regression(struct course *course, int64_t known_ms,
                                        struct shoal_message *message)
{
    const struct shoal_dataset *dataset = course->dataset;
    size_t count = dataset->events_count;
    int8_t *labels = malloc(2 * count + 1);
    if (!labels)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < count; i++) {
        int64_t time_ms = dataset->touches[i].time_ms;
        labels[i] = time_ms <= known_ms - SHOAL_HORIZON_MS ? course->labels[i] : SHOAL_UNLABELLED;
        labels[count + i] =
            time_ms >= course->split.valid_from_ms ? course->labels[i] : SHOAL_UNLABELLED;
    }
    struct shoal_regression_data data = {
        .counters = course->examples.counters, .labels = labels, .count = count};
    struct shoal_regression_data judge = data;
    judge.labels = labels + count;
    struct shoal_regression *regression = &course->regressions[SHOAL_buy_24h];
    enum shoal_status status =
        course->refit ? shoal_regression_fit(&data, course->ridge, regression, message)
                      : shoal_regression_choose(&data, &judge, &course->ridge, regression, message);
    free(labels);
    return status;
}

/* The same for another task; where the data cannot tell, one that knows the base rate only. */
static enum shoal_status fit_task(struct course *course, enum shoal_task task, int64_t known_ms)
{
    const struct shoal_dataset *dataset = course->dataset;
    const struct shoal_task_info *info = shoal_task_info(task);
    size_t count = dataset->events_count;
    struct shoal_regression *regression = &course->regressions[task];
    const struct shoal_regression *like = &course->regressions[SHOAL_buy_24h];
    int8_t *labels = malloc(count + 1);
    float *counts = malloc((count + 1) * sizeof *counts);
    enum shoal_status status = labels && counts ? SHOAL_OK : SHOAL_NOMEM;
    for (size_t i = 0; i < count && status == SHOAL_OK; i++) {
        float target = course->targets[i * SHOAL_TASKS + (size_t)task];
        bool known = target >= 0 && dataset->touches[i].time_ms <= known_ms - info->horizon_ms;
        labels[i] = known ? (int8_t)(target > 0) : SHOAL_UNLABELLED;
        counts[i] = known ? target : -1;
    }
    if (status == SHOAL_OK) {
        struct shoal_regression_data data = {
            .counters = course->examples.counters, .labels = labels, .count = count,
            .counts = info->kind == SHOAL_TASK_COUNT ? counts : NULL, .counts_stride = 1};
        status = shoal_regression_fit(&data, course->ridge, regression, NULL);
        if (status == SHOAL_OK)
            shoal_regression_restate(regression, like);
        if (status == SHOAL_TOO_FEW) {
            *regression = *like;
            memset(regression->weights, 0, sizeof regression->weights);
            double none = 0.5, some = 0.5; /* one class only, or nothing: as far as that tells */
            for (size_t i = 0; i < count; i++) {
                some += labels[i] == 1;
                none += labels[i] == 0;
            }
            regression->bias = log(some / none);
            status = SHOAL_OK;
        }
    }
    free(labels);
    free(counts);
    return status;
}

/* A count's loss is in events; by their mean it comes to the size of the others. */
static void scale_counts(struct course *course)
{
    for (int task = 0; task < SHOAL_TASKS; task++)
        if (shoal_task_info((enum shoal_task)task)->kind == SHOAL_TASK_COUNT)
            course->options.mix.scale[task] =
                (float)(1 / fmax(1, exp(course->regressions[task].bias)));
}

static bool looks_at_weekday(const struct course *course)
{
    return (course->end_ms - course->dataset->first_ms) / SHOAL_HORIZON_MS >=
           course->options.weekday_days;
}

/* Starts a new network for what is known at known_ms. */
static enum shoal_status start(struct course *course, int64_t known_ms,
                               struct shoal_message *message)
{
    enum shoal_status status = fit_regression(course, known_ms, message);
    for (int task = 0; task < SHOAL_TASKS && status == SHOAL_OK; task++)
        if (task != SHOAL_buy_24h)
            status = fit_task(course, (enum shoal_task)task, known_ms);
    if (status != SHOAL_OK)
        return status;
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        course->model->counter_mean[k] = (float)course->regressions[0].mean[k];
        course->model->counter_deviation[k] = (float)course->regressions[0].deviation[k];
    }
    scale_counts(course);
    if (course->options.balanced)
        course->options.mix.positive = (float)((double)(course->split.train_count -
                                                        course->split.train_positives) /
                                               (double)course->split.train_positives);
    struct shoal_teaching teaching = {
        .dataset = course->dataset,
        .examples = &course->examples,
        .targets = course->targets,
        .importance = course->importance,
        .known_ms = known_ms,
        .regressions = course->regressions,
        .weekday = looks_at_weekday(course),
        .start = course->pretrained.block ? &course->pretrained : NULL,
    };
    shoal_trainer_finish(&course->trainer);
    return shoal_trainer_init(&course->trainer, &course->options, &teaching);
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

static double logit_of(float score)
{
    double p = fmin(fmax((double)score, 1e-7), 1 - 1e-7);
    return log(p / (1 - p));
}

/* valid_scores and valid_logits of the model as it is. */
static enum shoal_status score_validation(struct course *course)
{
    enum shoal_status status =
        shoal_score(course->model, course->dataset, &course->examples, SHOAL_FP16,
                    course->end_ms - SHOAL_HORIZON_MS + 1, course->scores, NULL, NULL);
    for (size_t i = 0; i < course->split.valid_count && status == SHOAL_OK; i++) {
        course->valid_scores[i] = course->scores[course->valid[i]];
        course->valid_logits[i] = logit_of(course->valid_scores[i]);
    }
    return status;
}

/* Of the network's heads, `share`; of the regressions', the rest. Both are linear in h and counters, so
 * the average of the two is one model again. */
static void blend(const struct course *course, double share, struct shoal_params *params)
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
    const struct course *course = context;
    if (course->report && course->report->on_progress)
        course->report->on_progress(course->report->context, course->refit, course->epoch, done,
                                    total);
}

static struct shoal_train_epoch epoch_of(const struct course *course, double train_loss)
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

static void tell_epoch(const struct course *course, const struct shoal_train_epoch *epoch)
{
    if (course->report && course->report->on_epoch)
        course->report->on_epoch(course->report->context, epoch);
}

/* Whether the epoch just judged cannot be told from the one with the least validation loss, or has the
 * least itself: the least of a few hundred users is mostly luck and comes too early, before the network has
 * learned what the share then lets through or not. */
static bool is_as_good(struct course *course, double loss)
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
static enum shoal_status judge(struct course *course, double train_loss)
{
    size_t count = course->split.valid_count;
    take_params(course);
    enum shoal_status status = score_validation(course);
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
static enum shoal_status pretrain(struct course *course)
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
                                      .weekday = looks_at_weekday(course)};
    if (status == SHOAL_OK)
        status = shoal_trainer_init(&course->trainer, &options, &teaching);
    for (course->epoch = 1; course->epoch <= options.pretrain_epochs && status == SHOAL_OK;
         course->epoch++) {
        double loss;
        status = shoal_trainer_epoch(&course->trainer, &loss, tell_progress, course);
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

static enum shoal_status search(struct course *course, struct shoal_message *message)
{
    enum shoal_status status = start(course, course->split.valid_from_ms, message);
    for (size_t i = 0; i < course->split.valid_count && status == SHOAL_OK; i++)
        course->valid_regression[i] = logit_of((float)shoal_regression_predict(
            &course->regressions[SHOAL_buy_24h],
            course->examples.counters + course->valid[i] * SHOAL_COUNTERS));
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
    blend(course, course->share, &course->model->params);
    return SHOAL_OK;
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
        struct shoal_train_epoch epoch = epoch_of(course, loss);
        if (status == SHOAL_OK)
            tell_epoch(course, &epoch);
    }
    if (status == SHOAL_OK) {
        take_params(course);
        blend(course, course->share, &course->model->params);
    }
    memcpy(course->model->calibration, calibration, sizeof calibration);
    return status;
}

/* ---- calibration ---------------------------------------------------------------------------- */

/* The other tasks, as far as the validation part has labels of theirs: Platt's line, or for a count the
 * factor that makes the sums agree. */
static enum shoal_status calibrate_tasks(struct course *course, struct shoal_train_summary *summary)
{
    const struct shoal_dataset *dataset = course->dataset;
    struct shoal_model *model = course->model;
    size_t events = dataset->events_count;
    float *predictions = malloc((events + 1) * SHOAL_TASKS * sizeof *predictions);
    double *logits = malloc((events + 1) * sizeof *logits);
    int8_t *labels = malloc(events + 1);
    enum shoal_status status = predictions && logits && labels ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_score_tasks(model, dataset, &course->examples, SHOAL_FP16, INT64_MAX,
                                   course->scores, predictions, NULL, NULL);
    for (size_t task = 0; task < SHOAL_TASKS && status == SHOAL_OK; task++) {
        bool counted = shoal_task_info((enum shoal_task)task)->kind == SHOAL_TASK_COUNT;
        size_t count = 0, positives = 0, users = 0;
        double seen = 0, expected = 0;
        uint32_t last = UINT32_MAX;
        for (size_t i = 0; i < events; i++) {
            float target = course->targets[i * SHOAL_TASKS + task];
            if (target < 0 || dataset->touches[i].time_ms < course->split.valid_from_ms)
                continue;
            float prediction = predictions[i * SHOAL_TASKS + task];
            seen += (double)target;
            expected += (double)prediction;
            logits[count] = logit_of(prediction);
            positives += target > 0;
            labels[count++] = target > 0;
            users += dataset->owners[i] != last;
            last = dataset->owners[i];
        }
        if (task == SHOAL_buy_24h || count < SHOAL_VALID_EVENTS_MIN ||
            positives < SHOAL_VALID_CLASS_MIN ||
            (!counted && count - positives < SHOAL_VALID_CLASS_MIN))
            continue;
        summary->calibrated[task] = true;
        if (counted) {
            model->calibration[task].intercept = (float)log(seen / fmax(expected, 1e-6));
        } else {
            struct shoal_calibration calibration = shoal_calibrate(logits, labels, count, users);
            model->calibration[task].slope = (float)calibration.slope;
            model->calibration[task].intercept = (float)calibration.intercept;
        }
    }
    free(predictions);
    free(logits);
    free(labels);
    return status;
}

/* Line or curve, thresholds and the figures that go with the model, all on the validation part. */
static enum shoal_status calibrate(struct course *course, struct shoal_train_summary *summary)
{
    struct shoal_model *model = course->model;
    size_t count = course->split.valid_count;
    enum shoal_status status = score_validation(course);
    if (status != SHOAL_OK)
        return status;
    struct shoal_sample sample = {course->valid_scores, course->valid_labels, course->valid_users,
                                  count, course->dataset->users_count};
    status = shoal_metrics_estimate(&sample, &summary->valid);
    if (status == SHOAL_OK)
        status = calibrate_tasks(course, summary);
    if (status != SHOAL_OK)
        return status;
    struct shoal_calibration_data data = {course->valid_logits, course->valid_labels,
                                          course->valid_users, count,
                                          course->dataset->users_count};
    struct shoal_calibration_fit *fit = &summary->calibration;
    status = shoal_calibrate_map(&data, fit);
    if (status != SHOAL_OK)
        return status;
    summary->calibrated[SHOAL_buy_24h] = true;
    model->calibration[SHOAL_buy_24h] = fit->map;
    for (size_t i = 0; i < count; i++) {
        float z = shoal_calibration_apply(&fit->map, (float)course->valid_logits[i]);
        course->valid_scores[i] = (float)(1 / (1 + exp(-(double)z)));
    }
    status = shoal_thresholds(course->valid_scores, count, &model->warm, &model->hot);
    if (status == SHOAL_OK)
        status = shoal_metrics_compute(&sample, course->options.seed, &summary->valid);
    if (status != SHOAL_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        course->valid_scores[i] = (float)(1 / (1 + exp(-course->valid_regression[i])));
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
    summary->share = course->best_epoch ? course->share : 0;
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
        .dataset = dataset, .options = *options, .report = report, .end_ms = end_ms,
    };
    status = prepare(&course, message);
    if (status == SHOAL_OK && options->pretrain && options->pretrain_epochs > 0)
        status = pretrain(&course);
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
