/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "model/features.h"
#include "tests/model/tiny_model.h"

static struct shoal_features features_at(int64_t time_ms, int64_t gap_ms)
{
    struct shoal_dims dims = shoal_dims_default();
    struct shoal_touch now = {.time_ms = time_ms, .item = 1};
    struct shoal_features features;
    shoal_features_of(&dims, NULL, 0, &now, gap_ms, &features);
    return features;
}

Test(features, the_log_gap_follows_the_logarithm_of_whole_seconds)
{
    for (double seconds = 0; seconds < 1e12; seconds = floor(seconds * 1.013 + 1)) {
        struct shoal_features f = features_at(0, (int64_t)seconds * 1000 + 999);
        cr_assert_float_eq((double)f.numeric[0], log2(1 + seconds) / 20, 5e-6, "%g s", seconds);
    }
    cr_expect_eq(features_at(0, 0).numeric[0], 0.0f);
    cr_expect_eq(features_at(0, -1000).numeric[0], 0.0f);
    cr_expect_eq(features_at(0, 1000).numeric[0], 1.0f / 20);
    cr_expect_eq(features_at(0, 1023000).numeric[0], 0.5f);
    cr_expect(isfinite(features_at(0, INT64_MAX).numeric[0]));
}

Test(features, the_log_gap_never_falls_as_the_gap_grows)
{
    float last = -1;
    for (int64_t seconds = 0; seconds < 200000; seconds++) {
        float now = features_at(0, seconds * 1000).numeric[0];
        cr_assert(now >= last, "%lld s", (long long)seconds);
        last = now;
    }
}

Test(features, hour_and_weekday_are_those_of_the_calendar)
{
    for (int64_t hour = -200000; hour < 800000; hour += 7) {
        time_t seconds = (time_t)(hour * 3600 + 1799);
        struct tm calendar;
        cr_assert_not_null(gmtime_r(&seconds, &calendar));
        struct shoal_features f = features_at((int64_t)seconds * 1000 + 1, 0);
        double angle = 2 * M_PI * calendar.tm_hour / 24, day = 2 * M_PI * calendar.tm_wday / 7;
        cr_assert_float_eq((double)f.numeric[1], sin(angle), 1e-7);
        cr_assert_float_eq((double)f.numeric[2], cos(angle), 1e-7);
        cr_assert_float_eq((double)f.numeric[3], sin(day), 1e-7);
        cr_assert_float_eq((double)f.numeric[4], cos(day), 1e-7);
    }
    /* the last millisecond of an hour before 1970, and the ends of time */
    cr_expect_float_eq((double)features_at(-1, 0).numeric[1], sin(2 * M_PI * 23 / 24), 1e-7);
    (void)features_at(INT64_MIN, 0);
    (void)features_at(INT64_MAX, 0);
}

Test(features, repeats_are_looked_for_among_the_recent_only)
{
    struct shoal_dims dims = shoal_dims_default();
    dims.ring = 3;
    struct shoal_touch recent[5] = {{.item = 10, .category = 1},
                                    {.item = 11, .category = 2},
                                    {.item = 12, .category = 3},
                                    {.item = 13, .category = 0},
                                    {.item = 14, .category = 5}};
    const struct {
        uint32_t item;
        uint16_t category;
        size_t count;
        float same_item, same_category;
    } cases[] = {
        {12, 3, 5, 1, 1}, {11, 2, 5, 0, 0}, {11, 2, 4, 1, 1}, {99, 5, 5, 0, 1},
        {14, 9, 5, 1, 0}, {99, 0, 5, 0, 0}, {10, 1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct shoal_touch now = {.item = cases[i].item, .category = cases[i].category};
        struct shoal_features f;
        shoal_features_of(&dims, recent, cases[i].count, &now, 0, &f);
        cr_expect_eq(f.numeric[6], cases[i].same_item, "case %zu", i);
        cr_expect_eq(f.numeric[7], cases[i].same_category, "case %zu", i);
    }
}

Test(features, what_lies_more_than_eight_events_back_is_no_repeat)
{
    struct shoal_dims dims = shoal_dims_default();
    struct shoal_touch recent[9] = {{.item = 7, .category = 7}};
    struct shoal_touch now = {.item = 7, .category = 7};
    struct shoal_features f;
    shoal_features_of(&dims, recent, 8, &now, 0, &f);
    cr_expect_eq(f.numeric[6], 1);
    cr_expect_eq(f.numeric[7], 1);
    shoal_features_of(&dims, recent, 9, &now, 0, &f);
    cr_expect_eq(f.numeric[6], 0);
    cr_expect_eq(f.numeric[7], 0);
}

Test(features, rows_stay_within_the_tables_and_row_zero_is_no_category)
{
    struct shoal_dims dims = tiny_dims();
    uint64_t seen = 0;
    for (uint32_t i = 0; i < 70000; i++) {
        struct shoal_touch now = {.item = i * 2654435761u, .category = (uint16_t)i};
        struct shoal_features f;
        shoal_features_of(&dims, NULL, 0, &now, 0, &f);
        cr_assert(f.item_row < dims.item_buckets && f.category_row < dims.category_buckets);
        cr_assert_eq(f.category_row == 0, now.category == 0);
        seen |= (uint64_t)1 << f.item_row | (uint64_t)1 << (32 + f.category_row);
    }
    cr_expect_eq(seen, 0xf000000ff);
}

Test(features, inputs_are_gathered_in_the_documented_order)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 2);
    cr_assert_not_null(model);
    const struct shoal_params *p = &model->params;
    struct shoal_features f = {.item_row = 7, .category_row = 2, .behavior = SHOAL_BUY};
    for (int i = 0; i < SHOAL_NUMERIC; i++)
        f.numeric[i] = (float)i;
    size_t inputs = shoal_dims_inputs(&dims);
    cr_assert_eq(inputs, 17);
    float x[18], expected[17];
    x[17] = 42;
    memcpy(expected, p->item_embedding + 7 * 4, 4 * sizeof *x);
    memcpy(expected + 4, p->category_embedding + 2 * 3, 3 * sizeof *x);
    memcpy(expected + 7, p->behavior_embedding + 3 * 2, 2 * sizeof *x);
    memcpy(expected + 9, f.numeric, sizeof f.numeric);
    shoal_features_gather(p, &f, x);
    cr_expect(!memcmp(x, expected, sizeof expected));
    cr_expect_eq(x[17], 42);
    shoal_model_destroy(model);
}
