/* SPDX-License-Identifier: Apache-2.0 */
/* Cohorts, and the methods on them; see value_study.h. */
#include "tools/value_study.h"

#include <math.h>
#include <stdlib.h>

#include "model/learn/value_methods.h"

static const int64_t DAY_MS = INT64_C(86400000);

/* ---- cohorts ----------------------------------------------------------------------------------- */

void shoal_cohort_finish(struct shoal_cohort *cohort)
{
    free(cohort->purchases);
    free(cohort->customers);
    free(cohort->bought);
    free(cohort->spent);
    free(cohort->recent);
    *cohort = (struct shoal_cohort){0};
}

static bool allocate(struct shoal_cohort *cohort, size_t most)
{
    cohort->purchases = calloc(most, sizeof *cohort->purchases);
    cohort->customers = malloc(most * sizeof *cohort->customers);
    cohort->bought = calloc(most, sizeof *cohort->bought);
    cohort->spent = calloc(most, sizeof *cohort->spent);
    cohort->recent = calloc(most, sizeof *cohort->recent);
    return cohort->purchases && cohort->customers && cohort->bought && cohort->spent &&
           cohort->recent;
}

static void add_day(struct shoal_cohort *cohort, const struct shoal_purchase_day *bought)
{
    size_t n = cohort->count - 1;
    int32_t period = cohort->last_day - cohort->until_day;
    if (bought->day > cohort->until_day) {
        cohort->bought[n]++;
        cohort->spent[n] += (float)bought->amount;
        return;
    }
    shoal_purchases_add(&cohort->purchases[n], bought->day * DAY_MS, bought->amount);
    if (bought->day > cohort->until_day - period)
        cohort->recent[n] += (float)bought->amount;
}

enum shoal_status shoal_cohort_make(const struct shoal_purchases_table *table, int32_t until_day,
                                    int32_t last_day, struct shoal_cohort *cohort)
{
    *cohort = (struct shoal_cohort){.until_day = until_day, .last_day = last_day};
    if (!allocate(cohort, table->customers + 1))
        return SHOAL_NOMEM;
    for (size_t i = 0; i < table->count; i++) {
        const struct shoal_purchase_day *day = &table->days[i];
        bool first = i == 0 || day->customer != day[-1].customer, in = day->day <= until_day;
        if (first && !in) {
            cohort->later += day->day <= last_day;
            while (i + 1 < table->count && table->days[i + 1].customer == day->customer)
                i++;
            continue;
        }
        cohort->count += first;
        if (day->day <= last_day)
            add_day(cohort, day);
    }
    for (size_t n = 0; n < cohort->count; n++)
        cohort->customers[n] = shoal_customer_at(&cohort->purchases[n], until_day * DAY_MS);
    return SHOAL_OK;
}

/* ---- BG/NBD and Gamma-Gamma -------------------------------------------------------------------- */

void shoal_value_study_finish(struct shoal_value_study *study)
{
    free(study->expected_bought);
    free(study->expected_spent);
    *study = (struct shoal_value_study){0};
}

enum shoal_status shoal_value_study_make(const struct shoal_cohort *cohort,
                                         struct shoal_value_study *study,
                                         struct shoal_message *message)
{
    *study = (struct shoal_value_study){0};
    enum shoal_status status =
        shoal_bgnbd_fit(cohort->customers, cohort->count, &study->buying, message);
    if (status == SHOAL_OK)
        status = shoal_gamma_gamma_fit(cohort->customers, cohort->count, &study->spend, message);
    if (status != SHOAL_OK)
        return status;
    study->expected_bought = malloc(cohort->count * sizeof *study->expected_bought);
    study->expected_spent = malloc(cohort->count * sizeof *study->expected_spent);
    if (!study->expected_bought || !study->expected_spent)
        return SHOAL_NOMEM;
    double weeks = (cohort->last_day - cohort->until_day) / 7.0;
    for (size_t n = 0; n < cohort->count; n++) {
        const struct shoal_customer *customer = &cohort->customers[n];
        double bought = shoal_bgnbd_expected(&study->buying.model, customer, weeks);
        study->expected_bought[n] = (float)bought;
        study->expected_spent[n] =
            (float)(bought * shoal_gamma_gamma_expected(&study->spend.model, customer));
    }
    status = shoal_value_judge(study->expected_bought, cohort->bought, cohort->count, 0, 0,
                               &study->bought);
    if (status == SHOAL_OK)
        status = shoal_value_judge(study->expected_spent, cohort->spent, cohort->count, 0, 0,
                                   &study->spent);
    return status;
}

/* ---- by method ---------------------------------------------------------------------------------- */

/* A cohort as the methods want it: ZILN sees the purchases alone, there is no user vector. */
static enum shoal_status pose(const struct shoal_cohort *cohort, uint64_t seed, float **inputs,
                              struct shoal_value_data *data)
{
    *data = (struct shoal_value_data){
        .purchases = cohort->purchases,
        .outcomes = cohort->spent,
        .inputs_count = SHOAL_ZILN_PURCHASES,
        .count = cohort->count,
        .now_ms = cohort->until_day * DAY_MS,
        .horizon_ms = (cohort->last_day - cohort->until_day) * DAY_MS,
        .seed = seed,
    };
    *inputs = malloc((cohort->count * SHOAL_ZILN_PURCHASES + 1) * sizeof **inputs);
    if (!*inputs)
        return SHOAL_NOMEM;
    for (size_t n = 0; n < cohort->count; n++)
        shoal_ziln_purchases(&cohort->purchases[n], data->now_ms,
                             *inputs + n * SHOAL_ZILN_PURCHASES);
    data->inputs = *inputs;
    return SHOAL_OK;
}

/* ZILN as it would have been learnt one holdout earlier, on the customers of today. */
static enum shoal_status expect_earlier(const struct shoal_purchases_table *table,
                                        const struct shoal_value_data *now, int32_t until_day,
                                        int32_t period, float *expected,
                                        struct shoal_message *message)
{
    struct shoal_cohort cohort;
    struct shoal_value_data data;
    struct shoal_value *value = NULL;
    float *inputs = NULL, *scratch = NULL;
    uint32_t *rows = NULL;
    double ridge;
    enum shoal_status status = shoal_cohort_make(table, until_day - period, until_day, &cohort);
    if (status == SHOAL_OK)
        status = pose(&cohort, now->seed, &inputs, &data);
    if (status == SHOAL_OK) {
        scratch = malloc((cohort.count + 1) * sizeof *scratch);
        rows = malloc((cohort.count + 1) * sizeof *rows);
        status = scratch && rows ? SHOAL_OK : SHOAL_NOMEM;
    }
    if (status == SHOAL_OK)
        status = shoal_value_hold_out(&data, SHOAL_VALUE_ZILN, scratch, &ridge, message);
    for (size_t n = 0; status == SHOAL_OK && n < cohort.count; n++)
        rows[n] = (uint32_t)n;
    if (status == SHOAL_OK)
        status =
            shoal_value_fit(&data, SHOAL_VALUE_ZILN, rows, cohort.count, ridge, &value, message);
    for (size_t n = 0; status == SHOAL_OK && n < now->count; n++)
        expected[n] = shoal_value_expected(value, &now->purchases[n], now->now_ms, NULL);
    shoal_value_destroy(value);
    free(rows);
    free(scratch);
    free(inputs);
    shoal_cohort_finish(&cohort);
    return status;
}

static void expect_mean(const struct shoal_value_data *data, float *expected)
{
    double sum = 0;
    for (size_t n = 0; n < data->count; n++)
        sum += (double)data->outcomes[n];
    for (size_t n = 0; n < data->count; n++)
        expected[n] = (float)(sum / (double)data->count);
}

/* What was spent in the last period, a calibration that is shorter than the holdout scaled up. */
static void expect_rate(const struct shoal_cohort *cohort, int32_t first_day, float *expected)
{
    double period = cohort->last_day - cohort->until_day;
    double seen = fmin(period, cohort->until_day - first_day + 1);
    for (size_t n = 0; n < cohort->count; n++)
        expected[n] = (float)((double)cohort->recent[n] * period / seen);
}

static enum shoal_status expect(const struct shoal_purchases_table *table,
                                const struct shoal_cohort *cohort,
                                const struct shoal_value_data *data,
                                enum shoal_value_contender contender, float *expected,
                                struct shoal_message *message)
{
    double ridge;
    switch (contender) {
    case SHOAL_CONTENDER_BG_NBD:
        return shoal_value_hold_out(data, SHOAL_VALUE_BG_NBD, expected, &ridge, message);
    case SHOAL_CONTENDER_ZILN:
        return shoal_value_hold_out(data, SHOAL_VALUE_ZILN, expected, &ridge, message);
    case SHOAL_CONTENDER_ZILN_EARLIER:
        return expect_earlier(table, data, cohort->until_day, cohort->last_day - cohort->until_day,
                              expected, message);
    case SHOAL_CONTENDER_RATE:
        expect_rate(cohort, table->first_day, expected);
        return SHOAL_OK;
    default:
        expect_mean(data, expected);
        return SHOAL_OK;
    }
}

enum shoal_status shoal_value_contest(const struct shoal_purchases_table *table,
                                      const struct shoal_cohort *cohort, uint64_t seed,
                                      struct shoal_value_contest *contest)
{
    struct shoal_value_data data;
    float *inputs = NULL, *expected = malloc((cohort->count + 1) * sizeof *expected);
    enum shoal_status status = expected ? pose(cohort, seed, &inputs, &data) : SHOAL_NOMEM;
    *contest = (struct shoal_value_contest){0};
    for (int c = 0; status == SHOAL_OK && c < SHOAL_CONTENDERS; c++) {
        status = expect(table, cohort, &data, (enum shoal_value_contender)c, expected,
                        &contest->contenders[c].why);
        contest->contenders[c].fitted = status == SHOAL_OK;
        if (status == SHOAL_OK)
            status = shoal_value_judge(expected, cohort->spent, cohort->count, SHOAL_RESAMPLES,
                                       seed, &contest->contenders[c].judged);
        else if (status == SHOAL_TOO_FEW)
            status = SHOAL_OK;
    }
    free(inputs);
    free(expected);
    return status;
}
