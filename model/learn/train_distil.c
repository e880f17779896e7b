/* SPDX-License-Identifier: Apache-2.0 */
/* A teacher's part in a training; see train.h.
 *
 *   target = w·(what the teacher predicts) + (1 − w)·label        where the label is known
 *            what the teacher predicts                            elsewhere
 *
 * The teacher is run as it is served, user by user from an empty state, on features of its own
 * dimensions. What it predicts after an event depends on nothing later, so it may teach the events
 * of the last day as well. */
#include <stdlib.h>

#include "model/learn/course.h"
#include "model/learn/score.h"

enum shoal_status shoal_course_ask_teacher(struct shoal_course *course,
                                           struct shoal_message *message)
{
    const struct shoal_model *teacher = course->options.teacher;
    const struct shoal_dataset *dataset = course->dataset;
    struct shoal_examples examples;
    if (!teacher)
        return SHOAL_OK;
    if (teacher->origin.train_until_ms > course->end_ms)
        return shoal_fail(message, SHOAL_INVALID,
                          "the teacher has learned from events up to %.1f h after the last of this "
                          "training: what is "
                          "held back would not be unseen any more",
                          (double)(teacher->origin.train_until_ms - course->end_ms) / 3600e3);
    size_t count = (dataset->events_count + 1) * SHOAL_TASKS;
    course->taught = malloc(count * sizeof *course->taught);
    course->mixed = malloc(count * sizeof *course->mixed);
    if (!course->taught || !course->mixed ||
        shoal_examples_make(dataset, &teacher->params.dims, &examples) != SHOAL_OK)
        return SHOAL_NOMEM;
    enum shoal_status status = shoal_score_tasks(teacher, dataset, &examples, SHOAL_FP16, INT64_MAX,
                                                 course->scores, course->taught, NULL, NULL);
    shoal_examples_finish(&examples);
    return status;
}

void shoal_course_mix_targets(struct shoal_course *course, int64_t known_ms)
{
    float weight = course->options.teacher_weight;
    for (size_t i = 0; i < course->dataset->events_count; i++)
        for (size_t n = 0; n < SHOAL_TASKS; n++) {
            size_t at = i * SHOAL_TASKS + n;
            float target = course->targets[at], taught = course->taught[at];
            bool known =
                target >= 0 && course->dataset->touches[i].time_ms <=
                                   known_ms - shoal_task_info((enum shoal_task)n)->horizon_ms;
            course->mixed[at] = known ? weight * taught + (1 - weight) * target : taught;
        }
}
