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
