/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences and labels, event by event. */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/labels.h"

#define HOUR INT64_C(3600000)

static void add(struct shoal_dataset *dataset, const char *user, int64_t time_ms,
                enum shoal_behavior behavior, uint64_t event_id)
{
    struct shoal_touch touch = {.time_ms = time_ms, .behavior = (uint8_t)behavior, .item = 1};
    cr_assert_eq(shoal_dataset_append(dataset, user, strlen(user), &touch, event_id), SHOAL_OK);
}

Test(labels, a_purchase_within_a_day_makes_the_events_before_it_positive)
{
    struct shoal_dataset dataset;
    int8_t labels[16];
    shoal_dataset_init(&dataset, 16);
    add(&dataset, "a", 0, SHOAL_PV, 0);          /* buys at 24 h exactly: positive */
    add(&dataset, "a", 1, SHOAL_PV, 0);          /* positive */
    add(&dataset, "b", 5 * HOUR, SHOAL_PV, 0);   /* another user's purchase counts for nobody */
    add(&dataset, "a", 24 * HOUR, SHOAL_BUY, 0); /* itself: nothing after it */
    add(&dataset, "a", 25 * HOUR, SHOAL_PV, 0);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_labels_make(&dataset, 100 * HOUR, labels);
    int8_t expected[] = {1, 1, 0, 0, 0}; /* a a a a b */
    for (int i = 0; i < 5; i++)
        cr_expect_eq(labels[i], expected[i], "event %d", i);
    shoal_dataset_finish(&dataset);
}

Test(labels, an_event_a_moment_more_than_a_day_before_the_purchase_is_negative)
{
    struct shoal_dataset dataset;
    int8_t labels[4];
    shoal_dataset_init(&dataset, 16);
    add(&dataset, "a", 0, SHOAL_PV, 0);
    add(&dataset, "a", 24 * HOUR + 1, SHOAL_BUY, 0);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_labels_make(&dataset, 100 * HOUR, labels);
    cr_expect_eq(labels[0], 0);
    shoal_dataset_finish(&dataset);
}

Test(labels, a_window_past_the_end_has_no_label_even_if_a_purchase_was_seen)
{
    struct shoal_dataset dataset;
    int8_t labels[4];
    shoal_dataset_init(&dataset, 16);
    add(&dataset, "a", 10 * HOUR, SHOAL_PV, 0);
    add(&dataset, "a", 11 * HOUR, SHOAL_BUY, 0);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_labels_make(&dataset, 34 * HOUR, labels);
    cr_expect_eq(labels[0], 1);
    cr_expect_eq(labels[1], SHOAL_UNLABELLED);
    shoal_labels_make(&dataset, 34 * HOUR - 1, labels);
    cr_expect_eq(labels[0], SHOAL_UNLABELLED);
    shoal_dataset_finish(&dataset);
}

Test(labels, late_events_and_repeats_are_treated_as_in_the_pipeline)
{
    struct shoal_dataset dataset;
    shoal_dataset_init(&dataset, 2);
    add(&dataset, "a", 10 * HOUR, SHOAL_PV, 7);
    add(&dataset, "a", 9 * HOUR, SHOAL_PV, 8);  /* late: dated like the one before */
    add(&dataset, "a", 11 * HOUR, SHOAL_PV, 7); /* repeat */
    add(&dataset, "a", 12 * HOUR, SHOAL_PV, 9);
    add(&dataset, "a", 13 * HOUR, SHOAL_PV, 7); /* 7 is no longer among the last two */
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_expect_eq(dataset.events_count, 4);
    cr_expect_eq(dataset.late_count, 1);
    cr_expect_eq(dataset.repeated_count, 1);
    cr_expect_eq(dataset.touches[1].time_ms, 10 * HOUR);
    shoal_dataset_finish(&dataset);
}

Test(labels, no_training_label_knows_the_validation_part)
{
    struct shoal_dataset dataset;
    static int8_t labels[20000];
    struct shoal_split split;
    struct shoal_message message = {.text = ""};
    shoal_dataset_init(&dataset, 16);
    for (int i = 0; i < 8000; i++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", i % 50);
        add(&dataset, user, i * HOUR / 40, i % 61 == 0 ? SHOAL_BUY : SHOAL_PV, 0);
    }
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_labels_make(&dataset, dataset.last_ms, labels);
    cr_assert_eq(shoal_split_make(&dataset, dataset.last_ms, labels, &split, &message), SHOAL_OK,
                 "%s", message.text);
    cr_expect_leq(split.train_until_ms + SHOAL_HORIZON_MS, split.valid_from_ms);
    cr_expect_gt(split.valid_count, 500);
    shoal_dataset_finish(&dataset);
}

Test(labels, too_little_data_says_what_is_needed)
{
    struct shoal_dataset dataset;
    int8_t labels[4];
    struct shoal_split split;
    struct shoal_message message = {.text = ""};
    shoal_dataset_init(&dataset, 16);
    add(&dataset, "a", 0, SHOAL_PV, 0);
    add(&dataset, "a", HOUR, SHOAL_BUY, 0);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_labels_make(&dataset, 100 * HOUR, labels);
    cr_assert_eq(shoal_split_make(&dataset, 100 * HOUR, labels, &split, &message), SHOAL_TOO_FEW);
    cr_expect(strpbrk(message.text, "0123456789"), "%s", message.text);
    shoal_dataset_finish(&dataset);
}

Test(labels, each_task_sees_as_far_as_its_horizon_and_only_what_is_later)
{
    struct shoal_dataset dataset;
    float targets[8 * SHOAL_TASKS];
    shoal_dataset_init(&dataset, 16);
    add(&dataset, "a", 0, SHOAL_PV, 0);
    add(&dataset, "a", 0, SHOAL_BUY, 0);          /* the same moment: follows nothing */
    add(&dataset, "a", HOUR, SHOAL_BUY, 0);       /* an hour later, exactly */
    add(&dataset, "a", 25 * HOUR, SHOAL_PV, 0);   /* 24 h later, exactly */
    add(&dataset, "a", 97 * HOUR + 1, SHOAL_PV, 0); /* a moment more than 72 h later */
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_targets_make(&dataset, 200 * HOUR, targets);
    /* buy_24h, buy_1h, buy_72h, churn_3d, events_24h */
    const float expected[5][SHOAL_TASKS] = {
        {1, 1, 1, 0, 1}, {1, 1, 1, 0, 1}, {0, 0, 0, 0, 1}, {0, 0, 0, 1, 0}, {0, 0, 0, 1, 0}};
    for (int i = 0; i < 5; i++)
        for (int n = 0; n < SHOAL_TASKS; n++)
            cr_expect_eq(targets[i * SHOAL_TASKS + n], expected[i][n], "event %d, %s: %g", i,
                         shoal_task_info((enum shoal_task)n)->name,
                         (double)targets[i * SHOAL_TASKS + n]);
    shoal_dataset_finish(&dataset);
}

Test(labels, a_task_has_no_target_where_its_own_horizon_passes_the_end)
{
    struct shoal_dataset dataset;
    float targets[4 * SHOAL_TASKS];
    shoal_dataset_init(&dataset, 16);
    add(&dataset, "a", 0, SHOAL_PV, 0);
    add(&dataset, "a", 1, SHOAL_PV, 0);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_targets_make(&dataset, 24 * HOUR, targets);
    const bool known[2][SHOAL_TASKS] = {{true, true, false, false, true},
                                        {false, true, false, false, false}};
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < SHOAL_TASKS; n++)
            cr_expect_eq(targets[i * SHOAL_TASKS + n] >= 0, known[i][n], "event %d task %d", i, n);
    shoal_dataset_finish(&dataset);
}

Test(labels, the_first_task_has_the_labels_of_the_purchase)
{
    struct shoal_dataset dataset;
    enum { EVENTS = 300 };
    int8_t labels[EVENTS];
    float targets[EVENTS * SHOAL_TASKS];
    uint32_t state = 1;
    shoal_dataset_init(&dataset, 16);
    for (int i = 0; i < EVENTS; i++) {
        state = state * 1664525u + 1013904223u;
        char user[2] = {(char)('a' + (state >> 28)), 0};
        add(&dataset, user, i * HOUR / 4, state >> 20 & 3 ? SHOAL_PV : SHOAL_BUY, 0);
    }
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    shoal_labels_make(&dataset, dataset.last_ms, labels);
    shoal_targets_make(&dataset, dataset.last_ms, targets);
    for (int i = 0; i < EVENTS; i++)
        cr_expect_eq((float)labels[i], targets[i * SHOAL_TASKS + SHOAL_buy_24h]);
    shoal_dataset_finish(&dataset);
}
