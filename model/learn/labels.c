/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and the split by time; see labels.h. */
#include "model/learn/labels.h"

#include <stdbool.h>

/* From the user's last event back: `later` is the first purchase strictly after the current time,
 * `seen` the first one at or after it. */
static void label_user(const struct shoal_touch *touches, size_t count, int64_t end_ms,
                       int8_t *labels)
{
    int64_t later_ms = INT64_MAX, seen_ms = INT64_MAX;
    for (size_t i = count; i-- > 0;) {
        int64_t time_ms = touches[i].time_ms;
        if (i + 1 == count || time_ms < touches[i + 1].time_ms)
            later_ms = seen_ms;
        if (time_ms > end_ms - SHOAL_HORIZON_MS)
            labels[i] = SHOAL_UNLABELLED;
        else
            labels[i] = later_ms != INT64_MAX && later_ms - time_ms <= SHOAL_HORIZON_MS;
        if (touches[i].behavior == SHOAL_BUY)
            seen_ms = time_ms;
    }
}

void shoal_labels_make(const struct shoal_dataset *dataset, int64_t end_ms, int8_t *labels)
{
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user];
        label_user(dataset->touches + first, dataset->first[user + 1] - first, end_ms,
                   labels + first);
    }
}

/* What follows an event of a user, strictly later than it. */
struct following {
    int64_t event_ms, purchase_ms; /* the first of each; INT64_MAX: none */
    size_t count;                  /* events within the horizon of events_24h */
};

static float target_of(enum shoal_task task, int64_t time_ms, const struct following *following)
{
    int64_t horizon_ms = shoal_task_info(task)->horizon_ms;
    switch (task) {
    case SHOAL_churn_3d:
        return following->event_ms == INT64_MAX || following->event_ms - time_ms > horizon_ms;
    case SHOAL_events_24h:
        return (float)following->count;
    default:
        return following->purchase_ms != INT64_MAX && following->purchase_ms - time_ms <= horizon_ms;
    }
}

/* From the user's last event back; [later, reach) are the events in (time, time + 24 h]. */
static void targets_of_user(const struct shoal_touch *touches, size_t count, int64_t end_ms,
                            float *targets)
{
    int64_t seen_purchase_ms = INT64_MAX, count_horizon_ms = shoal_task_info(SHOAL_events_24h)->horizon_ms;
    struct following following = {INT64_MAX, INT64_MAX, 0};
    size_t later = count, reach = count;
    for (size_t i = count; i-- > 0;) {
        int64_t time_ms = touches[i].time_ms;
        if (i + 1 == count || time_ms < touches[i + 1].time_ms) {
            later = i + 1;
            following.purchase_ms = seen_purchase_ms;
            following.event_ms = later < count ? touches[later].time_ms : INT64_MAX;
            while (reach > later && touches[reach - 1].time_ms - time_ms > count_horizon_ms)
                reach--;
            following.count = reach - later;
        }
        for (int task = 0; task < SHOAL_TASKS; task++)
            targets[i * SHOAL_TASKS + (size_t)task] =
                time_ms > end_ms - shoal_task_info((enum shoal_task)task)->horizon_ms
                    ? SHOAL_UNLABELLED
                    : target_of((enum shoal_task)task, time_ms, &following);
        if (touches[i].behavior == SHOAL_BUY)
            seen_purchase_ms = time_ms;
    }
}

void shoal_targets_make(const struct shoal_dataset *dataset, int64_t end_ms, float *targets)
{
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user];
        targets_of_user(dataset->touches + first, dataset->first[user + 1] - first, end_ms,
                        targets + first * SHOAL_TASKS);
    }
}

static int64_t validation_length(int64_t span_ms)
{
    const int64_t day_ms = SHOAL_HORIZON_MS;
    if (span_ms < 5 * day_ms)
        return span_ms / 5;
    return span_ms / 10 > day_ms ? span_ms / 10 : day_ms;
}

static bool enough(size_t count, size_t positives, size_t count_min, size_t class_min)
{
    return count >= count_min && positives >= class_min && count - positives >= class_min;
}

enum shoal_status shoal_split_make(const struct shoal_dataset *dataset, int64_t end_ms,
                                   const int8_t *labels, struct shoal_split *split,
                                   struct shoal_message *message)
{
    *split = (struct shoal_split){0};
    int64_t span_ms = end_ms - SHOAL_HORIZON_MS - dataset->first_ms;
    if (dataset->events_count == 0 || span_ms <= 0)
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "%zu events over %.1f h: labels need events over more than 24 h, and a "
                          "training over more than 54 h",
                          dataset->events_count,
                          dataset->events_count
                              ? (double)(end_ms - dataset->first_ms) / 3600e3
                              : 0.0);
    split->valid_from_ms = end_ms - SHOAL_HORIZON_MS - validation_length(span_ms);
    split->train_until_ms = split->valid_from_ms - SHOAL_HORIZON_MS;
    for (size_t i = 0; i < dataset->events_count; i++) {
        if (labels[i] == SHOAL_UNLABELLED)
            continue;
        int64_t time_ms = dataset->touches[i].time_ms;
        size_t positive = labels[i] == 1;
        if (time_ms <= split->train_until_ms) {
            split->train_count++;
            split->train_positives += positive;
        } else if (time_ms >= split->valid_from_ms) {
            split->valid_count++;
            split->valid_positives += positive;
        }
    }
    if (!enough(split->train_count, split->train_positives, SHOAL_TRAIN_EVENTS_MIN,
                SHOAL_TRAIN_CLASS_MIN))
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "training part has %zu labelled events, %zu of them before a purchase "
                          "within 24 h; needed are %d with at least %d of either kind (events over "
                          "more than 54 h: a day for the labels of the validation part, a day "
                          "before it left out, and the training part)",
                          split->train_count, split->train_positives, SHOAL_TRAIN_EVENTS_MIN,
                          SHOAL_TRAIN_CLASS_MIN);
    if (!enough(split->valid_count, split->valid_positives, SHOAL_VALID_EVENTS_MIN,
                SHOAL_VALID_CLASS_MIN))
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "validation part has %zu labelled events, %zu of them before a purchase "
                          "within 24 h; needed are %d with at least %d of either kind",
                          split->valid_count, split->valid_positives, SHOAL_VALID_EVENTS_MIN,
                          SHOAL_VALID_CLASS_MIN);
    return SHOAL_OK;
}
