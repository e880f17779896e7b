/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/compare.h"
#include "model/learn/labels.h"
#include "tests/model/tiny_model.h"

#define HOUR_MS INT64_C(3600000)

static struct shoal_rival rival(double loss, double difference, double low, double high)
{
    struct shoal_rival rival = {.there = true};
    rival.event_level.values[SHOAL_MEASURE_log_loss] = loss;
    rival.difference[SHOAL_MEASURE_log_loss] = difference;
    rival.intervals[SHOAL_MEASURE_log_loss] = (struct shoal_interval){low, high};
    return rival;
}

static void judged(struct shoal_rival incumbent, struct shoal_rival prior,
                   enum shoal_verdict verdict, const char *reason)
{
    struct shoal_comparison comparison = {.incumbent = incumbent, .prior = prior};
    shoal_compare_judge(&comparison, 0.01);
    cr_expect_eq(comparison.verdict, verdict, "%s", comparison.reason.text);
    cr_expect(strstr(comparison.reason.text, reason), "wanted: %s\ngot: %s", reason,
              comparison.reason.text);
}

Test(compare, only_a_challenger_without_harm_is_published)
{
    struct shoal_rival none = {0}, prior = rival(0.6, -0.05, -0.1, -0.01);
    judged(rival(0.5, -0.01, -0.02, -0.001), prior, SHOAL_VERDICT_PUBLISH, "surely better");
    judged(rival(0.5, -0.01, -0.02, 0.001), prior, SHOAL_VERDICT_PUBLISH, "no harm seen");
    judged(rival(0.5, 0.004, -0.01, 0.02), prior, SHOAL_VERDICT_PUBLISH, "+0.00400 [-0.01000, ");
    judged(rival(0.5, 0.006, -0.01, 0.02), prior, SHOAL_VERDICT_KEEP, "by more than the margin");
    judged(rival(0.5, 0.004, 0.0001, 0.01), prior, SHOAL_VERDICT_REFUSE,
           "surely worse than the model");
    judged(rival(0.5, 0.004, 0, 0.01), prior, SHOAL_VERDICT_PUBLISH, "");
    judged(none, prior, SHOAL_VERDICT_PUBLISH, "no model in service");
    judged(none, rival(0.6, 0.02, -0.01, 0.05), SHOAL_VERDICT_PUBLISH, "no model in service");
    judged(none, rival(0.6, 0.02, 0.01, 0.05), SHOAL_VERDICT_REFUSE,
           "surely worse than the base rate");
    judged(rival(0.9, -0.1, -0.2, 0.01), rival(0.6, 0.2, 0.1, 0.3), SHOAL_VERDICT_REFUSE,
           "surely worse than the base rate");
    judged(rival(0.9, -0.1, -0.2, -0.05), rival(0.6, 0.2, 0.1, 0.3), SHOAL_VERDICT_PUBLISH,
           "surely better"); /* of two evils */
    judged(none, none, SHOAL_VERDICT_KEEP, "nothing to compare with");
    judged(rival(0.5, NAN, NAN, NAN), prior, SHOAL_VERDICT_KEEP, "nan");
}

/* Six days; an event of each user every six hours; every third user buys daily, at noon. */
static void fill(struct shoal_dataset *dataset, int users)
{
    shoal_dataset_init(dataset, SHOAL_RING_DEFAULT);
    for (int user = 0; user < users; user++) {
        char id[16];
        int size = snprintf(id, sizeof id, "u%d", user);
        for (int64_t hour = 0; hour <= 144; hour += 6) {
            struct shoal_touch touch = {
                .time_ms = hour * HOUR_MS,
                .item = (uint32_t)user,
                .behavior = user % 3 == 0 && hour % 24 == 12 ? SHOAL_BUY : SHOAL_PV,
            };
            cr_assert_eq(shoal_dataset_append(dataset, id, (size_t)size, &touch, 0), SHOAL_OK);
        }
    }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

Test(compare, a_window_that_says_too_little_is_refused_before_any_training)
{
    struct shoal_dataset dataset;
    struct shoal_message message = {.text = ""};
    fill(&dataset, 60);
    cr_assert_eq(shoal_compare_check(&dataset, 96 * HOUR_MS, 120 * HOUR_MS, &message), SHOAL_OK,
                 "%s", message.text);
    cr_assert_eq(shoal_compare_check(&dataset, 121 * HOUR_MS, 144 * HOUR_MS, &message),
                 SHOAL_TOO_FEW);
    cr_assert(strstr(message.text, "has 0 labelled events"), "%s", message.text);
    cr_assert_eq(shoal_compare_check(&dataset, 96 * HOUR_MS, 97 * HOUR_MS, &message),
                 SHOAL_TOO_FEW);
    cr_assert(strstr(message.text, "has 60 labelled events of 60 users, 20 of them"), "%s",
              message.text);
    shoal_dataset_finish(&dataset);
    fill(&dataset, 19);
    cr_assert_eq(shoal_compare_check(&dataset, 72 * HOUR_MS, 120 * HOUR_MS, &message),
                 SHOAL_TOO_FEW);
    cr_assert(strstr(message.text, "of 19 users") && strstr(message.text, "events of 20 users"),
              "%s", message.text);
    shoal_dataset_finish(&dataset);
}

/* A model that knows nothing but one probability for all. */
static struct shoal_model *constant(double p)
{
    struct shoal_dims dims = tiny_dims();
    dims.ring = SHOAL_RING_DEFAULT;
    struct shoal_model *model = tiny_model(&dims, 1);
    cr_assert_not_null(model);
    memset(model->params.block, 0, model->params.count * sizeof(float));
    for (int task = 0; task < SHOAL_TASKS; task++)
        model->calibration[task] = shoal_calibration_none();
    model->params.head_bias[0] = (float)log(p / (1 - p));
    return model;
}

Test(compare, both_models_score_the_same_events)
{
    struct shoal_dataset dataset;
    struct shoal_message message = {.text = ""};
    struct shoal_comparison comparison;
    fill(&dataset, 90);
    struct shoal_model *good = constant(1 / 3.0), *bad = constant(0.9);
    struct shoal_compare_options options = {
        .from_ms = 96 * HOUR_MS, .until_ms = 120 * HOUR_MS, .margin = 0.01, .seed = 1};
    good->origin.train_until_ms = 96 * HOUR_MS;
    cr_assert_eq(shoal_compare(bad, good, &dataset, &options, &comparison, &message), SHOAL_OK,
                 "%s", message.text);
    cr_assert_eq(comparison.event_level.events_count, 90 * 4);
    cr_assert_eq(comparison.event_level.users_count, 90);
    cr_assert_float_eq(comparison.event_level.base_rate, 1 / 3.0, 1e-9);
    double loss_bad = -(log(0.9) / 3 + 2 * log(0.1) / 3), loss_good = log(3) - 2 * log(2) / 3;
    cr_assert_float_eq(comparison.event_level.values[SHOAL_MEASURE_log_loss], loss_bad, 1e-4);
    cr_assert_float_eq(comparison.incumbent.difference[SHOAL_MEASURE_log_loss],
                       loss_bad - loss_good, 1e-4);
    cr_assert_float_eq(comparison.prior.event_level.values[SHOAL_MEASURE_log_loss], loss_good,
                       1e-4);
    cr_assert_eq(comparison.verdict, SHOAL_VERDICT_REFUSE);
    cr_assert_not(comparison.incumbent_saw_window);
    bad->origin.train_until_ms = 97 * HOUR_MS;
    cr_assert_eq(shoal_compare(good, bad, &dataset, &options, &comparison, &message), SHOAL_OK);
    cr_assert_eq(comparison.verdict, SHOAL_VERDICT_PUBLISH, "%s", comparison.reason.text);
    cr_assert(comparison.incumbent_saw_window);
    cr_assert_eq(shoal_compare(bad, NULL, &dataset, &options, &comparison, &message), SHOAL_OK);
    cr_assert_eq(comparison.verdict, SHOAL_VERDICT_REFUSE, "%s", comparison.reason.text);
    cr_assert_not(comparison.incumbent.there);
    shoal_model_destroy(good);
    shoal_model_destroy(bad);
    shoal_dataset_finish(&dataset);
}
