/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs dealt out anew: what moves, what stays, and what a model loses by it. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/importance.h"
#include "model/learn/random.h"
#include "tests/model/tiny_model.h"

enum { USERS = 60, EACH = 12, COUNT = USERS * EACH };

/* Six days of made-up events without prices, a purchase now and then. */
static void make(struct shoal_dataset *dataset)
{
    shoal_dataset_init(dataset, 4);
    for (size_t u = 0; u < USERS; u++)
        for (size_t i = 0; i < EACH; i++) {
            char user[16];
            int size = snprintf(user, sizeof user, "u%zu", u);
            uint64_t at = u * EACH + i;
            struct shoal_touch touch = {
                .time_ms = (int64_t)i * 12 * 3600000 +
                           (int64_t)shoal_random_below(1, at, 3600000),
                .item = shoal_random_below(2, at, 1000),
                .category = (uint16_t)(1 + shoal_random_below(3, at, 7)),
                .behavior = (uint8_t)shoal_random_below(4, at, SHOAL_BEHAVIOR_COUNT),
            };
            cr_assert_eq(shoal_dataset_append(dataset, user, (size_t)size, &touch, 0), SHOAL_OK);
        }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

static bool same_features(const struct shoal_features *a, const struct shoal_features *b)
{
    return a->item_row == b->item_row && a->category_row == b->category_row &&
           a->behavior == b->behavior && memcmp(a->numeric, b->numeric, sizeof a->numeric) == 0;
}

Test(permute, only_the_input_moves_and_only_among_the_given_events)
{
    struct shoal_dataset dataset;
    struct shoal_dims dims = tiny_dims();
    struct shoal_examples from, to;
    make(&dataset);
    cr_assert_eq(shoal_examples_make(&dataset, &dims, &from), SHOAL_OK);
    cr_assert_eq(shoal_examples_make(&dataset, &dims, &to), SHOAL_OK);
    size_t events[COUNT / 2];
    for (size_t i = 0; i < COUNT / 2; i++)
        events[i] = 2 * i + 1;
    cr_assert_eq(shoal_permute(&from, SHOAL_INPUT_gap, events, COUNT / 2, 9, &to), SHOAL_OK);
    double before = 0, after = 0;
    size_t moved = 0;
    for (size_t i = 0; i < COUNT; i++) {
        before += (double)from.features[i].numeric[0];
        after += (double)to.features[i].numeric[0];
        moved += from.features[i].numeric[0] != to.features[i].numeric[0];
        cr_expect(i % 2 == 1 || from.features[i].numeric[0] == to.features[i].numeric[0]);
        to.features[i].numeric[0] = from.features[i].numeric[0];
        cr_expect(same_features(&from.features[i], &to.features[i]));
    }
    cr_expect_lt(fabs(before - after), 1e-6);
    cr_expect_gt(moved, (size_t)COUNT / 4);
    cr_expect_eq(memcmp(from.counters, to.counters,
                        COUNT * SHOAL_COUNTERS * sizeof *from.counters),
                 0);
    shoal_examples_finish(&from);
    shoal_examples_finish(&to);
    shoal_dataset_finish(&dataset);
}

Test(permute, one_counter_moves_without_the_others)
{
    struct shoal_dataset dataset;
    struct shoal_dims dims = tiny_dims();
    struct shoal_examples from, to;
    make(&dataset);
    cr_assert_eq(shoal_examples_make(&dataset, &dims, &from), SHOAL_OK);
    cr_assert_eq(shoal_examples_make(&dataset, &dims, &to), SHOAL_OK);
    size_t events[COUNT], moved = 0;
    for (size_t i = 0; i < COUNT; i++)
        events[i] = i;
    enum shoal_input_group input;
    cr_assert(shoal_input_find("cart_1d", 7, &input));
    cr_expect_not(shoal_input_find("cart_1", 6, &input));
    cr_assert_eq(shoal_permute(&from, input, events, COUNT, 9, &to), SHOAL_OK);
    for (size_t i = 0; i < COUNT * SHOAL_COUNTERS; i++) {
        bool is_it = i % SHOAL_COUNTERS == SHOAL_CART * SHOAL_HALF_LIVES + 1;
        cr_expect(is_it || from.counters[i] == to.counters[i]);
        moved += from.counters[i] != to.counters[i];
    }
    cr_expect_gt(moved, (size_t)COUNT / 4);
    shoal_examples_finish(&from);
    shoal_examples_finish(&to);
    shoal_dataset_finish(&dataset);
}

Test(permute, every_input_has_a_name_of_its_own)
{
    for (int i = 0; i < SHOAL_INPUT_GROUPS; i++) {
        const char *name = shoal_input_name((enum shoal_input_group)i);
        enum shoal_input_group found;
        cr_assert(shoal_input_find(name, strlen(name), &found));
        cr_expect_eq(found, (enum shoal_input_group)i, "%s", name);
    }
}

Test(importance, an_input_of_one_value_is_worth_nothing_and_another_is_not)
{
    struct shoal_dataset dataset;
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 5);
    cr_assert_not_null(model);
    make(&dataset);
    struct shoal_evaluate_options options = {
        .from_ms = 2 * INT64_C(86400000), .until_ms = INT64_MAX, .seed = 3};
    struct shoal_evaluation evaluation;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_evaluate(model, &dataset, &options, &evaluation, &message), SHOAL_OK, "%s",
                 message.text);
    struct shoal_importance importances[3] = {{.input = SHOAL_INPUT_price},
                                              {.input = SHOAL_INPUT_step},
                                              {.input = SHOAL_INPUT_counters}};
    cr_assert_eq(shoal_importance_measure(model, &dataset, &options, &evaluation, importances, 3,
                                          1, NULL, NULL),
                 SHOAL_OK);
    for (size_t m = 0; m < SHOAL_MEASURE_COUNT; m++) {
        cr_expect_eq(importances[0].difference[m], 0.0);
        cr_expect_eq(importances[0].intervals[m].low, 0.0);
        cr_expect_eq(importances[0].intervals[m].high, 0.0);
    }
    for (size_t i = 1; i < 3; i++) {
        cr_expect_neq(importances[i].difference[SHOAL_MEASURE_log_loss], 0.0);
        cr_expect_lt(importances[i].intervals[SHOAL_MEASURE_log_loss].low,
                     importances[i].intervals[SHOAL_MEASURE_log_loss].high);
    }
    shoal_evaluation_finish(&evaluation);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(model);
}

Test(importance, several_deals_have_their_mean_and_an_interval_that_holds_their_noise)
{
    struct shoal_dataset dataset;
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 5);
    cr_assert_not_null(model);
    make(&dataset);
    struct shoal_evaluate_options options = {
        .from_ms = 2 * INT64_C(86400000), .until_ms = INT64_MAX, .seed = 3};
    struct shoal_evaluation evaluation;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_evaluate(model, &dataset, &options, &evaluation, &message), SHOAL_OK, "%s",
                 message.text);
    double mean = 0;
    struct shoal_importance one = {.input = SHOAL_INPUT_counters}, four = one, idle = one;
    idle.input = SHOAL_INPUT_price;
    for (size_t d = 0; d < 4; d++) {
        options.seed = 3 + d;
        cr_assert_eq(shoal_importance_measure(model, &dataset, &options, &evaluation, &one, 1, 1,
                                              NULL, NULL),
                     SHOAL_OK);
        mean += one.difference[SHOAL_MEASURE_log_loss] / 4;
    }
    options.seed = 3;
    cr_assert_eq(shoal_importance_measure(model, &dataset, &options, &evaluation, &four, 1, 4, NULL,
                                          NULL),
                 SHOAL_OK);
    cr_expect_float_eq(four.difference[SHOAL_MEASURE_log_loss], mean, 1e-12);
    cr_expect_lt(four.intervals[SHOAL_MEASURE_log_loss].low, mean);
    cr_expect_gt(four.intervals[SHOAL_MEASURE_log_loss].high, mean);
    cr_assert_eq(shoal_importance_measure(model, &dataset, &options, &evaluation, &idle, 1, 4, NULL,
                                          NULL),
                 SHOAL_OK);
    cr_expect_eq(idle.difference[SHOAL_MEASURE_log_loss], 0.0);
    cr_expect_eq(idle.intervals[SHOAL_MEASURE_log_loss].low, 0.0);
    cr_expect_eq(idle.intervals[SHOAL_MEASURE_log_loss].high, 0.0);
    shoal_evaluation_finish(&evaluation);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(model);
}
