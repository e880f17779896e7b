/* SPDX-License-Identifier: Apache-2.0 */
/* From logits to probabilities, thresholds and figures, on the validation part; see course.h. */
#include <math.h>
#include <stdlib.h>

#include "model/learn/calibrate.h"
#include "model/learn/course.h"
#include "model/learn/score.h"

/* valid_scores and valid_logits of the model as it is. */
enum shoal_status shoal_course_score_validation(struct shoal_course *course)
{
    enum shoal_status status =
        shoal_score(course->model, course->dataset, &course->examples, SHOAL_FP16,
                    course->end_ms - SHOAL_HORIZON_MS + 1, course->scores, NULL, NULL);
    for (size_t i = 0; i < course->split.valid_count && status == SHOAL_OK; i++) {
        course->valid_scores[i] = course->scores[course->valid[i]];
        course->valid_logits[i] = shoal_course_logit(course->valid_scores[i]);
    }
    return status;
}

/* The other tasks, as far as the validation part has labels of theirs: Platt's line, or for a count the
 * factor that makes the sums agree. */
static enum shoal_status calibrate_tasks(struct shoal_course *course, struct shoal_train_summary *summary)
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
            logits[count] = shoal_course_logit(prediction);
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

enum shoal_status shoal_course_calibrate(struct shoal_course *course, struct shoal_train_summary *summary)
{
    struct shoal_model *model = course->model;
    size_t count = course->split.valid_count;
    enum shoal_status status = shoal_course_score_validation(course);
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

void shoal_course_describe(const struct shoal_course *course, struct shoal_train_summary *summary)
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
