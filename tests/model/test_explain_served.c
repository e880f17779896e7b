/* SPDX-License-Identifier: Apache-2.0 */
/* What is explained is what is served, and what cannot be explained is said. */
#include "tests/model/explain_fixture.h"

static float served(const struct shoal_model *model, const struct history *history,
                    enum shoal_precision precision)
{
    struct shoal_step *step;
    float h[HIDDEN_MAX] = {0}, c[HIDDEN_MAX] = {0};
    struct shoal_step_row row = {0};
    cr_assert_eq(shoal_step_create(model, 1, precision, &step), SHOAL_OK);
    for (size_t t = 0; t < history->count; t++) {
        row = (struct shoal_step_row){
            .features = history->features[t], .h = h, .c = c, .counters = history->rates};
        shoal_step_run(step, &row, 1);
    }
    shoal_step_destroy(step);
    return row.score;
}

Test(explain_served, the_explained_probability_is_that_of_the_step_that_serves)
{
    struct shoal_explained_event events[EVENTS_MAX];
    double most = 0;
    for (uint32_t hidden = 16; hidden <= 64; hidden *= 4)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct shoal_dims dims = dims_of(hidden);
            struct shoal_model *model = tiny_model(&dims, seed);
            struct history history = history_of(&dims, 1 + seed * 5 % 32, seed);
            float p = explain_once(model, &history, 1, SHOAL_MIDPOINT, events).probability;
            float exact = served(model, &history, SHOAL_FP32);
            float rounded = served(model, &history, SHOAL_FP16);
            cr_expect_eq(memcmp(&p, &exact, sizeof p), 0, "%.9g is not %.9g", (double)p,
                         (double)exact);
            most = fmax(most, fabs((double)rounded - (double)exact));
            shoal_model_destroy(model);
        }
    printf("states in half precision move a probability by at most %.1e\n", most);
    cr_expect_gt(most, 0.0);
    cr_expect_lt(most, 1e-3);
    test_no_leaks();
}

Test(explain_served, the_same_input_gives_the_same_bits_whatever_was_explained_before)
{
    struct shoal_dims dims = dims_of(64);
    struct shoal_model *model = tiny_model(&dims, 3);
    struct history history = history_of(&dims, 20, 3), other = history_of(&dims, 33, 4);
    struct shoal_explained_event first[EVENTS_MAX], again[EVENTS_MAX], larger[EVENTS_MAX];
    struct shoal_explanation one, two, three;
    struct shoal_explain *explain = room(model, EVENTS_MAX, 48, SHOAL_GAUSS_LEGENDRE);
    shoal_explain_run(explain, history.features, 20, history.rates, first, &one);
    shoal_explain_run(explain, other.features, 33, other.rates, larger, &three);
    shoal_explain_run(explain, history.features, 20, history.rates, again, &two);
    cr_expect_eq(memcmp(first, again, 20 * sizeof *first), 0);
    cr_expect_eq(memcmp(&one, &two, sizeof one), 0);
    shoal_explain_destroy(explain);
    /* Room for a long history takes fewer points at a time, which changes no bit either. */
    explain = room(model, 4096, 48, SHOAL_GAUSS_LEGENDRE);
    shoal_explain_run(explain, history.features, 20, history.rates, again, &two);
    cr_expect_eq(memcmp(first, again, 20 * sizeof *first), 0);
    cr_expect_eq(memcmp(&one, &two, sizeof one), 0);
    shoal_explain_destroy(explain);
    shoal_model_destroy(model);
    test_no_leaks();
}

Test(explain_served, a_user_without_events_has_counters_only)
{
    struct shoal_dims dims = dims_of(16);
    struct shoal_model *model = tiny_model(&dims, 3);
    struct history history = history_of(&dims, 1, 3);
    struct shoal_explained_event events[1];
    struct shoal_explanation e;
    struct shoal_explain *explain = room(model, 1, 4, SHOAL_GAUSS_LEGENDRE);
    shoal_explain_run(explain, history.features, 0, history.rates, events, &e);
    cr_expect_eq(e.events, 0.0);
    cr_expect_lt(fabs(e.error), 1e-6);
    cr_expect_eq(e.base_logit, model->params.head_bias[0]);
    shoal_explain_destroy(explain);
    shoal_model_destroy(model);
}

Test(explain_served, inputs_are_called_as_where_they_are_permuted)
{
    for (int i = 0; i < SHOAL_REASONS; i++) {
        cr_expect_str_eq(shoal_reason_name((enum shoal_reason)i),
                         shoal_input_name((enum shoal_input_group)i));
        cr_expect_str_eq(shoal_reason_text((enum shoal_reason)i),
                         shoal_input_text((enum shoal_input_group)i));
    }
}

Test(explain_served, options_out_of_range_are_refused)
{
    struct shoal_dims dims = dims_of(16);
    struct shoal_model *model = tiny_model(&dims, 3);
    const struct shoal_explain_options wrong[] = {
        {.events_max = 0, .steps = 4},
        {.events_max = SHOAL_EXPLAIN_EVENTS_MAX + 1, .steps = 4},
        {.events_max = 4, .steps = 0},
        {.events_max = 4, .steps = SHOAL_EXPLAIN_STEPS_MAX + 1},
    };
    for (size_t i = 0; i < 4; i++) {
        struct shoal_explain *explain = (struct shoal_explain *)1;
        cr_expect_eq(shoal_explain_create(model, &wrong[i], &explain), SHOAL_INVALID);
        cr_expect_null(explain);
    }
    shoal_model_destroy(model);
}
