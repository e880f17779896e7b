/* SPDX-License-Identifier: Apache-2.0 */
/* Engagement, and prompted or organic, from a made-up log: labels by hand, arms with a planted effect, logs that
 * have too little. The network's weights are random: what is planted shows in the counters of the user vector. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/contacts.h"
#include "model/learn/random.h"
#include "model/learn/uplift_learners.h"
#include "tests/model/tiny_model.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
static const int64_t START = INT64_C(1740960000000);

static struct shoal_dataset dataset;

static void add(const char *user, int64_t time_ms, uint8_t behavior, uint8_t exposure)
{
    struct shoal_touch touch = {.time_ms = time_ms, .item = 1, .behavior = behavior};
    struct shoal_extra extra = {.promotion = exposure ? 7 : 0, .exposure = exposure, .amount = NAN};
    cr_assert_eq(shoal_dataset_append_event(&dataset, user, strlen(user), &touch, &extra), SHOAL_OK);
}

/* ---- moments --------------------------------------------------------------------------------- */

Test(train_uplift, a_visit_is_labelled_by_the_72_h_that_begin_half_an_hour_after_it)
{
    struct shoal_moments moments;
    shoal_dataset_init(&dataset, 16);
    add("a", START, SHOAL_PV, 0); /* buys at once, within the visit: only looks two days later */
    add("a", START + HOUR / 4, SHOAL_BUY, 0);
    add("a", START + 2 * DAY, SHOAL_PV, 0); /* a cart after this one */
    add("a", START + 3 * DAY, SHOAL_CART, 0); /* nothing after this one */
    add("a", START + 5 * DAY + 1, SHOAL_PV, 0); /* the end is too near */
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(shoal_moments_of_visits(&dataset, START + 7 * DAY, 100, &moments), SHOAL_OK);
    cr_assert_eq(moments.count, 3);
    cr_expect_eq(moments.events[0], 0);
    cr_expect_eq(moments.stages[0], SHOAL_STAGE_ENGAGED); /* the cart, three days later to the minute */
    cr_expect_eq(moments.events[1], 2);
    cr_expect_eq(moments.stages[1], SHOAL_STAGE_ENGAGED);
    cr_expect_eq(moments.events[2], 3);
    cr_expect_eq(moments.stages[2], SHOAL_STAGE_UNENGAGED);
    shoal_moments_finish(&moments);
    shoal_dataset_finish(&dataset);
}

Test(train_uplift, a_contact_is_a_moment_of_the_event_before_it_and_of_the_day_after_it)
{
    struct shoal_moments moments;
    struct shoal_train_uplift_options options = {0};
    shoal_dataset_init(&dataset, 16);
    add("a", START, SHOAL_PV, 0);
    add("a", START + 2 * DAY, SHOAL_PV, 1); /* shown, and buys */
    add("a", START + 2 * DAY + HOUR, SHOAL_BUY, 0); /* a visit, but the contact is near */
    add("a", START + 6 * DAY, SHOAL_PV, 0); /* a visit without a contact, and nothing */
    add("b", START, SHOAL_PV, 0);
    add("b", START + HOUR, SHOAL_PV, 0); /* begins a visit too, and is followed by a purchase in 25 h */
    add("b", START + 26 * HOUR, SHOAL_BUY, 0);
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
    cr_assert_eq(shoal_moments_of_contacts(&dataset, START + 10 * DAY, &options, &moments), SHOAL_OK);
    const size_t events[] = {0, 2, 4, 5};
    const int8_t treated[] = {1, 0, 0, 0}, outcome[] = {1, 0, 0, 1};
    cr_assert_eq(moments.count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(moments.events[i], events[i], "moment %zu", i);
        cr_expect_eq(moments.treated[i], treated[i], "moment %zu", i);
        cr_expect_eq(moments.outcome[i], outcome[i], "moment %zu", i);
    }
    shoal_moments_finish(&moments);
    shoal_dataset_finish(&dataset);
}

/* ---- training -------------------------------------------------------------------------------- */

enum { USERS = 3000 };
static struct shoal_uplift_arm arms[USERS];

/* Half of the users cart a lot: a contact makes them buy. The others, who only look, buy anyway one time in
 * four. What comes after is a purchase, or views, or nothing. */
static void make_log(void)
{
    char id[16];
    shoal_dataset_init(&dataset, 16);
    for (uint32_t u = 0; u < USERS; u++) {
        snprintf(id, sizeof id, "u%u", u);
        bool carts = u % 2, treated = shoal_random_uniform(1, u) < 0.5f;
        double p = carts ? (treated ? 0.6 : 0.1) : 0.25;
        for (int k = 0; k < 6; k++)
            add(id, START + k * HOUR / 15, (uint8_t)(carts ? SHOAL_CART : SHOAL_PV), 0);
        arms[u] = (struct shoal_uplift_arm){u, treated, START + 6 * HOUR};
        if ((double)shoal_random_uniform(2, u) < p)
            add(id, START + 10 * HOUR, SHOAL_BUY, 0);
        else if (carts ? u % 8 == 1 : u % 8 != 0)
            add(id, START + 12 * HOUR, SHOAL_PV, 0);
    }
    cr_assert_eq(shoal_dataset_group(&dataset), SHOAL_OK);
}

static struct shoal_model *make_model(void)
{
    struct shoal_dims dims = shoal_dims_default();
    dims.hidden = 16;
    struct shoal_model *model = tiny_model(&dims, 1);
    cr_assert_not_null(model);
    return model;
}

Test(train_uplift, who_buys_only_if_prompted_is_learnt_from_randomised_decisions)
{
    struct shoal_model *model = make_model();
    struct shoal_train_uplift_report report, again;
    struct shoal_uplift_choice carts, looks;
    make_log();
    struct shoal_train_uplift_options options = {.seed = 3, .arms = arms, .arms_count = USERS};
    cr_assert_eq(shoal_train_uplift(model, &dataset, START + 10 * DAY, &options, &report), SHOAL_OK);
    cr_assert(report.made, "%s", report.text[0]);
    cr_assert_neq(report.form, SHOAL_PROMPTED_none, "%s", report.text[1]);
    cr_expect(report.randomised);
    cr_expect_gt(report.qini, 0.1);
    cr_expect(strstr(report.text[1], "randomised"), "%s", report.text[1]);
    struct shoal_buffer first = {0}, second = {0};
    shoal_uplift_pack(model->uplift, &first);
    /* counters of a carter and of a looker, the hidden state at 0 */
    float vector[16 + SHOAL_COUNTERS] = {0};
    float *z = vector + 16;
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        z[k] = -model->counter_mean[k] / model->counter_deviation[k];
    for (int k = 0; k < 3; k++)
        z[k] = (1.8f - model->counter_mean[k]) / model->counter_deviation[k];
    shoal_uplift_apply(model->uplift, vector, &looks);
    for (int k = 0; k < 3; k++) {
        z[k] = -model->counter_mean[k] / model->counter_deviation[k];
        z[k + 3] = (1.8f - model->counter_mean[k + 3]) / model->counter_deviation[k + 3];
    }
    shoal_uplift_apply(model->uplift, vector, &carts);
    cr_expect_gt(carts.prompted, looks.prompted + 0.2f, "%g, %g", (double)carts.prompted, (double)looks.prompted);
    /* once more: the same bits */
    cr_assert_eq(shoal_train_uplift(model, &dataset, START + 10 * DAY, &options, &again), SHOAL_OK);
    shoal_uplift_pack(model->uplift, &second);
    cr_assert_eq(first.size, second.size);
    cr_expect_eq(memcmp(first.bytes, second.bytes, first.size), 0);
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

Test(train_uplift, a_log_without_contacts_teaches_engagement_alone)
{
    struct shoal_model *model = make_model();
    struct shoal_train_uplift_report report;
    struct shoal_uplift_choice choice;
    float vector[16 + SHOAL_COUNTERS] = {0};
    make_log();
    struct shoal_train_uplift_options options = {.seed = 3};
    cr_assert_eq(shoal_train_uplift(model, &dataset, START + 10 * DAY, &options, &report), SHOAL_OK);
    cr_assert(report.made);
    cr_expect_eq(report.form, SHOAL_PROMPTED_none);
    cr_expect(strstr(report.text[1], "no contacts"), "%s", report.text[1]);
    cr_expect_gt(report.balanced_accuracy, 0.45);
    shoal_uplift_apply(model->uplift, vector, &choice);
    cr_expect(isnan(choice.prompted));
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}

Test(train_uplift, too_short_a_log_is_told_and_is_no_failure)
{
    struct shoal_model *model = make_model();
    struct shoal_train_uplift_report report;
    make_log();
    struct shoal_train_uplift_options options = {.seed = 3};
    cr_assert_eq(shoal_train_uplift(model, &dataset, START + 2 * DAY, &options, &report), SHOAL_OK);
    cr_expect(!report.made);
    cr_expect_null(model->uplift);
    cr_expect(strstr(report.text[0], "50 of each are needed"), "%s", report.text[0]);
    shoal_model_destroy(model);
    shoal_dataset_finish(&dataset);
}
