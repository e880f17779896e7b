/* SPDX-License-Identifier: Apache-2.0 */
/* Customer value from a log: what users whom the network tells apart spend, and logs that do not suffice. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/train_value.h"
#include "model/user_vector.h"
#include "tests/model/tiny_model.h"

enum { USERS = 400, DAYS = 30 };

static const int64_t DAY_MS = INT64_C(86400000), START_MS = INT64_C(1511654400000);

/* Users view and buy on their days; a third never buys, a third buys now and then, a third often and dearly. */
static void make(struct shoal_dataset *dataset, size_t users, int days, bool priced)
{
    uint64_t state = 7;
    shoal_dataset_init(dataset, 4);
    for (int day = 0; day < days; day++)
        for (size_t u = 0; u < users; u++) {
            char user[16];
            int size = snprintf(user, sizeof user, "u%zu", u);
            state = state * 6364136223846793005u + 1442695040888963407u;
            uint32_t chance = (uint32_t)(state >> 33) % 100, wanted = u % 3 == 0   ? 0
                                                                      : u % 3 == 1 ? 5
                                                                                   : 25;
            struct shoal_touch touch = {
                .time_ms = START_MS + day * DAY_MS + (int64_t)(u * 60000) % DAY_MS,
                .item = (uint32_t)(state >> 40) % 20,
                .behavior = chance < wanted ? SHOAL_BUY : SHOAL_PV,
            };
            struct shoal_extra extra = {
                .amount = priced ? (float)(u % 3 * 10) + (float)((state >> 20) % 10) : NAN};
            cr_assert_eq(shoal_dataset_append_event(dataset, user, (size_t)size, &touch, &extra),
                         SHOAL_OK);
        }
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

static int64_t start_of_day(int day)
{
    return START_MS + day * DAY_MS;
}

static struct shoal_model *model(void)
{
    struct shoal_dims dims = tiny_dims();
    return tiny_model(&dims, 3);
}

Test(train_value, a_log_of_buyers_gives_the_better_method_with_tiers)
{
    struct shoal_dataset dataset;
    make(&dataset, USERS, DAYS, true);
    struct shoal_model *made = model(), *again = model();
    struct shoal_train_value_options options = {.seed = 1};
    struct shoal_train_value_report report, repeated;
    int64_t end_ms = START_MS + DAYS * DAY_MS;
    cr_assert_eq(shoal_train_value(made, &dataset, end_ms, &options, &report), SHOAL_OK);
    cr_assert(report.made, "%s", report.why.text);
    cr_assert_eq(report.horizon_ms, 10 * DAY_MS, "a third of a short log");
    cr_assert_eq(report.cut_ms, end_ms - 10 * DAY_MS);
    cr_assert_eq(report.users, USERS);
    cr_assert(report.priced && report.buyers > 200 && report.spenders > 150 &&
              report.spenders < 270);
    const struct shoal_value_trial *trials = report.trials;
    cr_assert(trials[0].fitted && trials[1].fitted);
    double gain = trials[SHOAL_VALUE_BG_NBD].held_out.values[SHOAL_VALUE_MEASURE_deviance] -
                  trials[SHOAL_VALUE_ZILN].held_out.values[SHOAL_VALUE_MEASURE_deviance];
    cr_assert_eq(report.method, gain > 0 ? SHOAL_VALUE_ZILN : SHOAL_VALUE_BG_NBD);
    for (int m = 0; m < 2; m++)
        cr_assert_gt(trials[m].held_out.values[SHOAL_VALUE_MEASURE_gini], 0.4);
    cr_assert(report.middle > 0 && report.high > report.middle);
    cr_assert_not_null(made->value);
    cr_assert_eq(shoal_value_threshold(made->value, SHOAL_VALUE_HIGH), report.high);
    cr_assert_eq(shoal_train_value(again, &dataset, end_ms, &options, &repeated), SHOAL_OK);
    struct shoal_buffer first = {0}, second = {0};
    shoal_value_pack(made->value, &first);
    shoal_value_pack(again->value, &second);
    cr_assert(first.size == second.size && !memcmp(first.bytes, second.bytes, first.size));
    shoal_buffer_finish(&first);
    shoal_buffer_finish(&second);
    shoal_model_destroy(made);
    shoal_model_destroy(again);
    shoal_dataset_finish(&dataset);
}

/* The model file carries it. */
Test(train_value, a_model_with_value_is_saved_and_parsed_and_serves_the_same)
{
    struct shoal_dataset dataset;
    make(&dataset, USERS, DAYS, true);
    struct shoal_model *made = model(), *parsed;
    struct shoal_train_value_options options = {.seed = 1};
    struct shoal_train_value_report report;
    struct shoal_message why = {""};
    int64_t end_ms = START_MS + DAYS * DAY_MS;
    cr_assert_eq(shoal_train_value(made, &dataset, end_ms, &options, &report), SHOAL_OK);
    struct shoal_buffer bytes = {0};
    cr_assert_eq(shoal_model_serialize(made, &bytes), SHOAL_OK);
    cr_assert_eq(shoal_model_parse(bytes.bytes, bytes.size, &parsed, &why), SHOAL_OK, "%s",
                 why.text);
    struct shoal_purchases purchases = {0};
    shoal_purchases_add(&purchases, start_of_day(3), 20);
    shoal_purchases_add(&purchases, start_of_day(9), 24);
    float vector[SHOAL_VECTOR_MAX] = {0.1f, -0.2f, 0.3f};
    float expected = shoal_value_expected(made->value, &purchases, end_ms, vector);
    cr_assert_gt(expected, 0);
    cr_assert_eq(shoal_value_expected(parsed->value, &purchases, end_ms, vector), expected);
    shoal_buffer_finish(&bytes);
    shoal_model_destroy(made);
    shoal_model_destroy(parsed);
    shoal_dataset_finish(&dataset);
}

/* Both methods: what is fitted is what the file says, to the last bit. */
Test(train_value, a_fit_expects_the_same_after_a_round_trip)
{
    enum { COUNT = 200 };
    struct shoal_purchases purchases[COUNT] = {{0}};
    float outcomes[COUNT], inputs[COUNT * SHOAL_ZILN_PURCHASES];
    uint32_t rows[COUNT];
    struct shoal_value_data data = {.purchases = purchases,
                                    .outcomes = outcomes,
                                    .inputs = inputs,
                                    .inputs_count = SHOAL_ZILN_PURCHASES,
                                    .count = COUNT,
                                    .now_ms = start_of_day(60),
                                    .horizon_ms = 30 * DAY_MS};
    for (int n = 0; n < COUNT; n++) {
        for (int k = 0; k < n % 6; k++)
            shoal_purchases_add(&purchases[n], start_of_day(n % 9 + k * (3 + n % 5)),
                                10 + (n * 7 + k * 3) % 13);
        outcomes[n] = n % 4 ? 0 : (float)(5 + n % 17);
        shoal_ziln_purchases(&purchases[n], data.now_ms, inputs + n * SHOAL_ZILN_PURCHASES);
        rows[n] = (uint32_t)n;
    }
    for (int method = 0; method < 2; method++) {
        struct shoal_value *made, *read;
        struct shoal_message why = {""};
        struct shoal_buffer bytes = {0};
        struct shoal_unpack in;
        cr_assert_eq(
            shoal_value_fit(&data, (enum shoal_value_method)method, rows, COUNT, 0.01, &made, &why),
            SHOAL_OK, "%s", why.text);
        made->middle = 1;
        made->high = 2;
        shoal_value_pack(made, &bytes);
        shoal_unpack_init(&in, bytes.bytes, bytes.size);
        cr_assert_eq(shoal_value_unpack(&in, 0, &read, &why), SHOAL_OK, "%s", why.text);
        for (int n = 0; n < COUNT; n++)
            cr_assert_eq(shoal_value_expected(made, &purchases[n], data.now_ms, NULL),
                         shoal_value_expected(read, &purchases[n], data.now_ms, NULL),
                         "%s, user %d", shoal_value_method_name(made->method), n);
        shoal_value_destroy(made);
        shoal_value_destroy(read);
        shoal_buffer_finish(&bytes);
    }
}

Test(train_value, a_log_without_prices_is_counted_in_purchases)
{
    struct shoal_dataset dataset;
    make(&dataset, USERS, DAYS, false);
    struct shoal_model *made = model();
    struct shoal_train_value_options options = {.seed = 1, .horizon_ms = 5 * DAY_MS};
    struct shoal_train_value_report report;
    cr_assert_eq(shoal_train_value(made, &dataset, START_MS + DAYS * DAY_MS, &options, &report),
                 SHOAL_OK);
    cr_assert(report.made && !report.priced, "%s", report.why.text);
    cr_assert_eq(report.horizon_ms, 5 * DAY_MS);
    /* 133 users × 5 days × (0.05 + 0.25) */
    double spent = report.trials[report.method].held_out.actual;
    double expected = report.trials[report.method].held_out.predicted;
    cr_assert(spent > 150 && spent < 250, "%g", spent);
    cr_assert(fabs(expected / spent - 1) < 0.25, "%g of %g", expected, spent);
    shoal_model_destroy(made);
    shoal_dataset_finish(&dataset);
}

static void assert_none(size_t users, int days, const char *word)
{
    struct shoal_dataset dataset;
    make(&dataset, users, days, true);
    struct shoal_model *made = model();
    struct shoal_train_value_options options = {.seed = 1};
    struct shoal_train_value_report report;
    cr_assert_eq(shoal_train_value(made, &dataset, START_MS + days * DAY_MS, &options, &report),
                 SHOAL_OK);
    cr_assert(!report.made);
    cr_assert_null(made->value);
    cr_assert_not_null(strstr(report.why.text, word), "%s", report.why.text);
    shoal_model_destroy(made);
    shoal_dataset_finish(&dataset);
}

Test(train_value, a_log_that_is_too_short_or_has_too_few_buyers_gives_none_and_says_why)
{
    assert_none(USERS, 2, "at least 3 days");
    assert_none(30, DAYS, "at least 50 customers");
    assert_none(0, DAYS, "days");
}
