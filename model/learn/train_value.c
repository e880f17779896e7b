/* SPDX-License-Identifier: Apache-2.0 */
/* From a data set and a trained model to customer value; see train_value.h. */
#include "model/learn/train_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/score.h"
#include "model/user_vector.h"

static const int64_t DAY_MS = INT64_C(86400000), HORIZON_DAYS = 30;

/* Fewer customers than these have no quantiles to speak of: then all users count. */
enum { TIER_CUSTOMERS_MIN = 20 };

/* The users with events before the cut. */
struct users {
    size_t count;
    struct shoal_purchases *purchases, *purchases_end; /* owned; at the cut, at the end */
    float *outcomes, *inputs, *expected;               /* owned */
    size_t *last_events;                               /* owned; before the cut */
    uint32_t *rows;                                    /* owned; 0, 1, 2 … */
};

static void finish(struct users *users)
{
    free(users->purchases);
    free(users->purchases_end);
    free(users->outcomes);
    free(users->inputs);
    free(users->expected);
    free(users->last_events);
    free(users->rows);
}

static bool allocate(struct users *users, size_t most, size_t inputs)
{
    users->purchases = calloc(most, sizeof *users->purchases);
    users->purchases_end = calloc(most, sizeof *users->purchases_end);
    users->outcomes = calloc(most, sizeof *users->outcomes);
    users->inputs = malloc(most * inputs * sizeof *users->inputs);
    users->expected = malloc(2 * most * sizeof *users->expected);
    users->last_events = malloc(most * sizeof *users->last_events);
    users->rows = malloc(most * sizeof *users->rows);
    return users->purchases && users->purchases_end && users->outcomes && users->inputs &&
           users->expected && users->last_events && users->rows;
}

/* 0 where the log is too short for any. */
static int64_t choose_horizon(const struct shoal_dataset *dataset, int64_t end_ms,
                              int64_t wanted_ms)
{
    int64_t days = (end_ms - dataset->first_ms) / DAY_MS / 3;
    if (wanted_ms)
        return dataset->events_count && end_ms - 2 * wanted_ms >= dataset->first_ms ? wanted_ms : 0;
    return dataset->events_count ? (days < HORIZON_DAYS ? days : HORIZON_DAYS) * DAY_MS : 0;
}

/* What the purchase paid, as shoal_purchases_add counts it. */
static double paid_by(double amount)
{
    return isnan(amount) || amount < 0 ? 1 : amount;
}

/* Goes through one user's events; a user without any before the cut is left out. */
static void add_user(const struct shoal_dataset *dataset, size_t user, int64_t cut_ms,
                     int64_t end_ms, struct users *users)
{
    size_t first = dataset->first[user], n = users->count;
    if (dataset->touches[first].time_ms >= cut_ms)
        return;
    for (size_t i = first; i < dataset->first[user + 1]; i++) {
        const struct shoal_touch *touch = &dataset->touches[i];
        double amount = dataset->amounts ? (double)dataset->amounts[i] : NAN;
        if (touch->time_ms >= end_ms)
            break;
        if (touch->time_ms < cut_ms)
            users->last_events[n] = i;
        if (touch->behavior != SHOAL_BUY)
            continue;
        shoal_purchases_add(&users->purchases_end[n], touch->time_ms, amount);
        if (touch->time_ms < cut_ms)
            shoal_purchases_add(&users->purchases[n], touch->time_ms, amount);
        else
            users->outcomes[n] += (float)paid_by(amount);
    }
    users->outcomes[n] = fminf(users->outcomes[n], 1e30f);
    users->rows[n] = (uint32_t)n;
    users->count++;
}

/* Inputs of ZILN: the user vector at the last event before the cut, then the purchases. */
static enum shoal_status fill_inputs(const struct shoal_model *model,
                                     const struct shoal_dataset *dataset, int64_t cut_ms,
                                     struct users *users)
{
    size_t vector = shoal_user_vector_size(model), inputs = vector + SHOAL_ZILN_PURCHASES;
    struct shoal_examples examples = {0};
    float *vectors = malloc(users->count * vector * sizeof *vectors);
    enum shoal_status status =
        vectors ? shoal_examples_make(dataset, &model->params.dims, &examples) : SHOAL_NOMEM;
    if (status == SHOAL_OK)
        status = shoal_score_vectors(model, dataset, &examples, SHOAL_FP16, users->last_events,
                                     users->count, vectors);
    for (size_t n = 0; status == SHOAL_OK && n < users->count; n++) {
        memcpy(users->inputs + n * inputs, vectors + n * vector, vector * sizeof *vectors);
        shoal_ziln_purchases(&users->purchases[n], cut_ms, users->inputs + n * inputs + vector);
    }
    shoal_examples_finish(&examples);
    free(vectors);
    return status;
}

/* A trial of each method. TOO_FEW stays in its report. */
static enum shoal_status try_methods(const struct shoal_value_data *data, struct users *users,
                                     struct shoal_train_value_report *report)
{
    for (int m = 0; m < 2; m++) {
        struct shoal_value_trial *trial = &report->trials[m];
        float *expected = users->expected + (size_t)m * data->count;
        double ridge;
        enum shoal_status status =
            shoal_value_hold_out(data, (enum shoal_value_method)m, expected, &ridge, &trial->why);
        if (status == SHOAL_OK)
            status = shoal_value_judge(expected, data->outcomes, data->count, SHOAL_RESAMPLES,
                                       data->seed, &trial->held_out);
        trial->fitted = status == SHOAL_OK;
        if (m == SHOAL_VALUE_ZILN)
            report->ridge = ridge;
        if (status != SHOAL_OK && status != SHOAL_TOO_FEW)
            return status;
    }
    return SHOAL_OK;
}

/* The better of those that could be fitted. False if none could. */
static bool choose(struct shoal_train_value_report *report)
{
    const struct shoal_value_trial *bg_nbd = &report->trials[SHOAL_VALUE_BG_NBD];
    const struct shoal_value_trial *ziln = &report->trials[SHOAL_VALUE_ZILN];
    double gain = bg_nbd->held_out.values[SHOAL_VALUE_MEASURE_deviance] -
                  ziln->held_out.values[SHOAL_VALUE_MEASURE_deviance];
    bool is_ziln = ziln->fitted && (!bg_nbd->fitted || gain > 0);
    report->method = is_ziln ? SHOAL_VALUE_ZILN : SHOAL_VALUE_BG_NBD;
    return ziln->fitted || bg_nbd->fitted;
}

static int by_size(const void *a, const void *b)
{
    const float *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Tiers from the held-out expectations of the customers; TOO_FEW where they are all the same. NOMEM. */
static enum shoal_status set_tiers(const struct users *users, const float *expected,
                                   struct shoal_value *value, struct shoal_message *message)
{
    float *sorted = malloc((users->count + 1) * sizeof *sorted);
    size_t count = 0, customers = 0;
    if (!sorted)
        return SHOAL_NOMEM;
    for (size_t n = 0; n < users->count; n++)
        customers += users->purchases[n].occasions > 0;
    for (size_t n = 0; n < users->count; n++)
        if (customers < TIER_CUSTOMERS_MIN || users->purchases[n].occasions > 0)
            sorted[count++] = expected[n];
    qsort(sorted, count, sizeof *sorted, by_size);
    value->middle = fmaxf(sorted[count / 2], 1e-6f);
    size_t high = count - count / 5 - 1;
    while (high + 1 < count && !(sorted[high] > value->middle))
        high++;
    value->high = sorted[high];
    free(sorted);
    if (shoal_value_check(value))
        return SHOAL_OK;
    return shoal_fail(message, SHOAL_TOO_FEW,
                      "all customers are expected to spend the same, which makes no tiers");
}

/* Fits the chosen method on all that is known. */
static enum shoal_status fit_all(const struct shoal_value_data *data, const struct users *users,
                                 int64_t end_ms, struct shoal_train_value_report *report,
                                 struct shoal_value **value)
{
    struct shoal_value_data up_to_end = *data;
    if (report->method == SHOAL_VALUE_BG_NBD) {
        up_to_end.now_ms = end_ms;
        up_to_end.purchases = users->purchases_end;
    }
    enum shoal_status status = shoal_value_fit(&up_to_end, report->method, users->rows,
                                               users->count, report->ridge, value, &report->why);
    const float *expected = users->expected + (size_t)report->method * users->count;
    if (status == SHOAL_OK)
        status = set_tiers(users, expected, *value, &report->why);
    if (status != SHOAL_OK) {
        shoal_value_destroy(*value);
        *value = NULL;
    }
    return status;
}

static void count_users(const struct users *users, struct shoal_train_value_report *report)
{
    report->users = users->count;
    for (size_t n = 0; n < users->count; n++) {
        report->buyers += users->purchases[n].occasions > 0;
        report->spenders += users->outcomes[n] > 0;
    }
}

static enum shoal_status learn(struct shoal_model *model, const struct shoal_dataset *dataset,
                               int64_t end_ms, uint64_t seed, struct users *users,
                               struct shoal_train_value_report *report, struct shoal_value **value)
{
    size_t inputs = shoal_user_vector_size(model) + SHOAL_ZILN_PURCHASES;
    if (!allocate(users, dataset->users_count, inputs))
        return SHOAL_NOMEM;
    for (size_t user = 0; user < dataset->users_count; user++)
        add_user(dataset, user, report->cut_ms, end_ms, users);
    count_users(users, report);
    struct shoal_value_data data = {
        .purchases = users->purchases,
        .outcomes = users->outcomes,
        .inputs = users->inputs,
        .inputs_count = inputs,
        .count = users->count,
        .now_ms = report->cut_ms,
        .horizon_ms = report->horizon_ms,
        .seed = seed,
    };
    enum shoal_status status = fill_inputs(model, dataset, report->cut_ms, users);
    if (status == SHOAL_OK)
        status = try_methods(&data, users, report);
    if (status != SHOAL_OK)
        return status;
    if (!choose(report))
        return shoal_fail(&report->why, SHOAL_TOO_FEW, "%s",
                          report->trials[SHOAL_VALUE_BG_NBD].why.text);
    return fit_all(&data, users, end_ms, report, value);
}

enum shoal_status shoal_train_value(struct shoal_model *model, const struct shoal_dataset *dataset,
                                    int64_t end_ms, const struct shoal_train_value_options *options,
                                    struct shoal_train_value_report *report)
{
    *report = (struct shoal_train_value_report){.priced = dataset->amounts != NULL};
    report->horizon_ms = choose_horizon(dataset, end_ms, options->horizon_ms);
    report->cut_ms = end_ms - report->horizon_ms;
    if (report->horizon_ms == 0) {
        (void)shoal_fail(
            &report->why, SHOAL_TOO_FEW,
            "the log spans %.1f days; the horizon and as much again before it are needed, at "
            "least 3 days in all",
            dataset->events_count ? (double)(end_ms - dataset->first_ms) / (double)DAY_MS : 0.0);
        return SHOAL_OK;
    }
    struct users users = {0};
    struct shoal_value *value = NULL;
    enum shoal_status status = learn(model, dataset, end_ms, options->seed, &users, report, &value);
    if (status == SHOAL_OK) {
        report->made = true;
        report->middle = value->middle;
        report->high = value->high;
        shoal_value_destroy(model->value);
        model->value = value;
    }
    finish(&users);
    return status == SHOAL_TOO_FEW ? SHOAL_OK : status;
}
