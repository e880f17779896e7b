/* SPDX-License-Identifier: Apache-2.0 */
/* What is trained with, and where a network starts; see course.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/course.h"

void shoal_course_finish(struct shoal_course *course)
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
    free(course->taught);
    free(course->mixed);
    shoal_params_finish(&course->pretrained);
    shoal_buffer_finish(&course->resume.file);
}

static enum shoal_status list_validation(struct shoal_course *course)
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

static enum shoal_status make_model(struct shoal_course *course)
{
    course->model = calloc(1, sizeof *course->model);
    if (!course->model || shoal_params_init(&course->model->params, &course->options.dims))
        return SHOAL_NOMEM;
    course->best = malloc(course->model->params.count * sizeof *course->best);
    return course->best ? SHOAL_OK : SHOAL_NOMEM;
}

/* importance of an event: n^−balance for one of n events of a user that may teach, mean 1. A user's
 * events nearly repeat each other, so a user with a hundred tells less than a hundred users. */
static void weigh(struct shoal_course *course)
{
    const struct shoal_dataset *dataset = course->dataset;
    double sum = 0;
    size_t total = 0;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user], end = dataset->first[user + 1], labelled = 0;
        for (size_t i = first; i < end; i++)
            labelled += course->options.teacher || course->labels[i] != SHOAL_UNLABELLED;
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

enum { TABLE_USERS_MIN = 3000, OBJECTIVE_USERS_MAX = 2000 };

/* Batch and number of epochs where they are left open. A small set needs many updates an epoch and
 * many epochs; a large one learns as much from few, and large batches go through faster. */
static void settle_options(struct shoal_course *course)
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
    /* What comes next keeps a network of few users from learning them by heart; with many it takes room
     * that the purchase could use (tools/objectives). A small network has no such room, and a teacher does the
     * same for it (tools/small_models). */
    if (options->objectives_auto &&
        (options->teacher || course->dataset->users_count > OBJECTIVE_USERS_MAX))
        memset(options->objectives.weights, 0, sizeof options->objectives.weights);
    options->objectives_auto = false;
    if (options->patience == 0)
        options->patience = 10;
}

enum shoal_status shoal_course_prepare(struct shoal_course *course, struct shoal_message *message)
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
        status = shoal_course_ask_teacher(course, message);
    if (status == SHOAL_OK)
        status = list_validation(course);
    if (status == SHOAL_OK)
        status = make_model(course);
    return status;
}

/* The regression of buy_24h on events whose label is known at known_ms, each event for itself. The first
 * time its ridge is chosen by the validation part. */
static enum shoal_status fit_regression(struct shoal_course *course, int64_t known_ms,
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
static enum shoal_status fit_task(struct shoal_course *course, enum shoal_task task, int64_t known_ms)
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
static void scale_counts(struct shoal_course *course)
{
    for (int task = 0; task < SHOAL_TASKS; task++)
        if (shoal_task_info((enum shoal_task)task)->kind == SHOAL_TASK_COUNT)
            course->options.mix.scale[task] =
                (float)(1 / fmax(1, exp(course->regressions[task].bias)));
}

bool shoal_course_looks_at_weekday(const struct shoal_course *course)
{
    return (course->end_ms - course->dataset->first_ms) / SHOAL_HORIZON_MS >=
           course->options.weekday_days;
}

/* Starts a new network for what is known at known_ms. */
enum shoal_status shoal_course_start(struct shoal_course *course, int64_t known_ms,
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
    if (course->mixed)
        shoal_course_mix_targets(course, known_ms);
    struct shoal_teaching teaching = {
        .dataset = course->dataset,
        .examples = &course->examples,
        .targets = course->mixed ? course->mixed : course->targets,
        .every = course->mixed,
        .importance = course->importance,
        .known_ms = known_ms,
        .regressions = course->regressions,
        .weekday = shoal_course_looks_at_weekday(course),
        .start = course->pretrained.block ? &course->pretrained : NULL,
    };
    shoal_trainer_finish(&course->trainer);
    return shoal_trainer_init(&course->trainer, &course->options, &teaching);
}
