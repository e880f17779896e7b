/* SPDX-License-Identifier: Apache-2.0 */
/* Fitting the methods of customer value, and judging them on users that they have not seen; see
 * value_methods.h. */
#include "model/learn/value_methods.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"
#include "model/learn/value_judge.h"
#include "model/learn/ziln.h"

static const double ridges[] = {0.3, 0.1, 0.03, 0.01, 0.003};

enum { RIDGES = sizeof ridges / sizeof ridges[0] };

uint32_t shoal_value_fold(uint64_t seed, size_t user)
{
    return shoal_random_below(shoal_random_key(seed, SHOAL_RANDOM_FOLDS), user, SHOAL_VALUE_FOLDS);
}

/* ---- one fit ----------------------------------------------------------------------------------- */

/* The mean outcome of those who have never bought; 0 without any. */
static float newcomers(const struct shoal_value_data *data, const uint32_t *rows, size_t count)
{
    double sum = 0, users = 0;
    for (size_t n = 0; data->outcomes && n < count; n++)
        if (data->purchases[rows[n]].occasions == 0) {
            sum += (double)data->outcomes[rows[n]];
            users++;
        }
    return users > 0 ? (float)(sum / users) : 0;
}

/* Not inlined: GCC 12 takes four of (double)(float)x side by side for no change at all and leaves them out. */
static double __attribute__((noinline)) as_float(double number)
{
    return (double)(float)number;
}

/* As the model file has them: what is learnt must be what is served. */
static void round_to_floats(struct shoal_value *value)
{
    double *const numbers[] = {&value->buying.r, &value->buying.alpha, &value->buying.a,
                               &value->buying.b, &value->spend.p,      &value->spend.q,
                               &value->spend.v};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = as_float(*numbers[i]);
}

static enum shoal_status fit_bg_nbd(const struct shoal_value_data *data, const uint32_t *rows,
                                    size_t count, struct shoal_value *value,
                                    struct shoal_message *message)
{
    struct shoal_customer *customers = malloc((count + 1) * sizeof *customers);
    struct shoal_bgnbd_fit buying;
    struct shoal_gamma_gamma_fit spend;
    size_t buyers = 0;
    if (!customers)
        return SHOAL_NOMEM;
    for (size_t n = 0; n < count; n++)
        if (data->purchases[rows[n]].occasions > 0)
            customers[buyers++] = shoal_customer_at(&data->purchases[rows[n]], data->now_ms);
    enum shoal_status status = shoal_bgnbd_fit(customers, buyers, &buying, message);
    if (status == SHOAL_OK)
        status = shoal_gamma_gamma_fit(customers, buyers, &spend, message);
    if (status == SHOAL_OK) {
        value->buying = buying.model;
        value->spend = spend.model;
        value->newcomer = newcomers(data, rows, count);
        round_to_floats(value);
    }
    free(customers);
    return status;
}

enum shoal_status shoal_value_fit(const struct shoal_value_data *data,
                                  enum shoal_value_method method, const uint32_t *rows,
                                  size_t count, double ridge, struct shoal_value **value,
                                  struct shoal_message *message)
{
    struct shoal_value *made = calloc(1, sizeof *made);
    *value = NULL;
    if (!made)
        return SHOAL_NOMEM;
    made->method = method;
    made->horizon_ms = data->horizon_ms;
    struct shoal_ziln_data ziln = {data->inputs, data->outcomes, data->inputs_count, rows, count};
    enum shoal_status status = method == SHOAL_VALUE_ZILN
                                   ? shoal_ziln_fit(&ziln, ridge, &made->ziln, message)
                                   : fit_bg_nbd(data, rows, count, made, message);
    if (status == SHOAL_OK)
        *value = made;
    else
        shoal_value_destroy(made);
    return status;
}

/* ---- users of other folds ------------------------------------------------------------------------ */

/* The users of the folds that are in `folds` (bits), in an order that the seed makes. */
static size_t rows_of(const struct shoal_value_data *data, uint32_t folds, uint32_t *rows)
{
    uint64_t key = shoal_random_key(data->seed, SHOAL_RANDOM_SHUFFLE);
    size_t count = 0;
    for (size_t user = 0; user < data->count; user++)
        if (folds >> shoal_value_fold(data->seed, user) & 1)
            rows[count++] = (uint32_t)user;
    for (size_t n = count; n > 1; n--) {
        size_t other = shoal_random_below(key, n, (uint32_t)n);
        uint32_t moved = rows[n - 1];
        rows[n - 1] = rows[other];
        rows[other] = moved;
    }
    return count;
}

/* What a fit expects of the users of one fold. */
static void expect(const struct shoal_value_data *data, const struct shoal_value *value,
                   uint32_t fold, float *expected)
{
    for (size_t user = 0; user < data->count; user++)
        if (shoal_value_fold(data->seed, user) == fold)
            expected[user] = shoal_value_expected(value, &data->purchases[user], data->now_ms,
                                                  data->inputs + user * data->inputs_count);
}

/* Deviance on the users of one fold. */
static enum shoal_status judge_fold(const struct shoal_value_data *data, uint32_t fold,
                                    const float *expected, double *deviance)
{
    float *guessed = malloc((data->count + 1) * sizeof *guessed);
    float *spent = malloc((data->count + 1) * sizeof *spent);
    struct shoal_value_judgement judgement = {.predicted = 0};
    enum shoal_status status = SHOAL_NOMEM;
    size_t count = 0;
    *deviance = INFINITY;
    for (size_t user = 0; guessed && spent && user < data->count; user++)
        if (shoal_value_fold(data->seed, user) == fold) {
            guessed[count] = expected[user];
            spent[count++] = data->outcomes[user];
        }
    if (guessed && spent)
        status = count ? shoal_value_judge(guessed, spent, count, 0, 0, &judgement) : SHOAL_OK;
    if (status == SHOAL_OK && count && !isnan(judgement.values[SHOAL_VALUE_MEASURE_deviance]))
        *deviance = judgement.values[SHOAL_VALUE_MEASURE_deviance];
    free(guessed);
    free(spent);
    return status;
}

/* Which ridge serves best for fold `fold`: learnt without it and its neighbour, judged on the neighbour. */
static enum shoal_status choose_ridge(const struct shoal_value_data *data, uint32_t fold,
                                      uint32_t *rows, float *scratch, size_t *chosen,
                                      struct shoal_message *message)
{
    uint32_t judging = (fold + 1) % SHOAL_VALUE_FOLDS, all = (1u << SHOAL_VALUE_FOLDS) - 1;
    size_t count = rows_of(data, all & ~(1u << fold) & ~(1u << judging), rows);
    double least = INFINITY;
    *chosen = 0;
    for (size_t i = 0; i < RIDGES; i++) {
        struct shoal_value *value;
        double deviance;
        enum shoal_status status =
            shoal_value_fit(data, SHOAL_VALUE_ZILN, rows, count, ridges[i], &value, message);
        if (status == SHOAL_OK) {
            expect(data, value, judging, scratch);
            status = judge_fold(data, judging, scratch, &deviance);
        }
        shoal_value_destroy(value);
        if (status != SHOAL_OK)
            return status;
        if (deviance < least) {
            least = deviance;
            *chosen = i;
        }
    }
    return SHOAL_OK;
}

static enum shoal_status hold_out_fold(const struct shoal_value_data *data,
                                       enum shoal_value_method method, uint32_t fold,
                                       uint32_t *rows, float *scratch, float *expected,
                                       uint32_t taken[RIDGES], struct shoal_message *message)
{
    struct shoal_value *value = NULL;
    size_t chosen = 0;
    enum shoal_status status = SHOAL_OK;
    if (method == SHOAL_VALUE_ZILN)
        status = choose_ridge(data, fold, rows, scratch, &chosen, message);
    taken[chosen]++;
    size_t count = rows_of(data, ((1u << SHOAL_VALUE_FOLDS) - 1) & ~(1u << fold), rows);
    if (status == SHOAL_OK)
        status = shoal_value_fit(data, method, rows, count, ridges[chosen], &value, message);
    if (status == SHOAL_OK)
        expect(data, value, fold, expected);
    shoal_value_destroy(value);
    return status;
}

enum shoal_status shoal_value_hold_out(const struct shoal_value_data *data,
                                       enum shoal_value_method method, float *expected,
                                       double *ridge, struct shoal_message *message)
{
    uint32_t *rows = malloc((data->count + 1) * sizeof *rows), taken[RIDGES] = {0};
    float *scratch = malloc((data->count + 1) * sizeof *scratch);
    enum shoal_status status = rows && scratch ? SHOAL_OK : SHOAL_NOMEM;
    for (uint32_t fold = 0; status == SHOAL_OK && fold < SHOAL_VALUE_FOLDS; fold++)
        status = hold_out_fold(data, method, fold, rows, scratch, expected, taken, message);
    size_t most = 0;
    for (size_t i = 1; i < RIDGES; i++)
        if (taken[i] > taken[most])
            most = i;
    *ridge = ridges[most];
    free(rows);
    free(scratch);
    return status;
}
