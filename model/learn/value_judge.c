/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of expected spends; see value_judge.h. */
#include "model/learn/value_judge.h"

#include <math.h>
#include <stdlib.h>

#include "model/learn/random.h"

/* A customer and its place in an order. */
struct ranked {
    float key;
    uint32_t customer;
};

/* What every resample needs; `drawn` is how often each customer is in it. */
struct judge {
    const float *expected, *spent;
    size_t count;
    struct ranked *by_expected, *by_spent; /* owned; the largest first */
    uint32_t *drawn;                       /* owned */
};

const char *shoal_value_measure_name(enum shoal_value_measure measure)
{
    static const char *const names[] = {
#define X(field) #field,
        SHOAL_VALUE_MEASURES_LIST(X)
#undef X
    };
    return names[measure];
}

static int largest_first(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->key < right->key || left->key > right->key)
        return left->key > right->key ? -1 : 1;
    return (left->customer > right->customer) - (left->customer < right->customer);
}

static void rank(struct ranked *order, const float *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (struct ranked){keys[i], (uint32_t)i};
    qsort(order, count, sizeof *order, largest_first);
}

/* Area under the curve of held spend, of an order, less that of the diagonal; in customers × spend. */
static double area(const struct judge *judge, const struct ranked *order, double customers,
                   double total)
{
    double held = 0, sum = 0;
    for (size_t i = 0; i < judge->count;) {
        double width = 0, gained = 0;
        size_t first = i;
        for (; i < judge->count && !(order[i].key < order[first].key); i++) {
            double times = judge->drawn[order[i].customer];
            width += times;
            gained += times * (double)judge->spent[order[i].customer];
        }
        sum += width * (held + gained / 2);
        held += gained;
    }
    return sum - customers * total / 2;
}

static void measure(const struct judge *judge, struct shoal_value_judgement *judgement)
{
    double customers = 0, absolute = 0, squares = 0, deviance = 0, expected = 0, spent = 0;
    for (size_t i = 0; i < judge->count; i++) {
        customers += judge->drawn[i];
        expected += judge->drawn[i] * (double)judge->expected[i];
        spent += judge->drawn[i] * (double)judge->spent[i];
    }
    double least = 1e-6 * spent / customers;
    for (size_t i = 0; i < judge->count; i++) {
        double times = judge->drawn[i], y = (double)judge->spent[i],
               guess = (double)judge->expected[i];
        if (!(times > 0))
            continue;
        absolute += times * fabs(guess - y);
        squares += times * (guess - y) * (guess - y);
        guess = fmax(guess, least);
        deviance += 2 * times * ((y > 0 ? y * log(y / guess) : 0) - y + guess);
    }
    judgement->predicted = expected;
    judgement->actual = spent;
    judgement->values[SHOAL_VALUE_MEASURE_mae] = absolute / customers;
    judgement->values[SHOAL_VALUE_MEASURE_rmse] = sqrt(squares / customers);
    judgement->values[SHOAL_VALUE_MEASURE_deviance] = spent > 0 ? deviance / customers : NAN;
    double best = area(judge, judge->by_spent, customers, spent);
    judgement->values[SHOAL_VALUE_MEASURE_gini] =
        best > 0 ? area(judge, judge->by_expected, customers, spent) / best : NAN;
}

/* values[measure × resamples + n] of each resample. */
static void resample(struct judge *judge, unsigned resamples, uint64_t seed, double *values)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_BOOTSTRAP), at = 0;
    for (unsigned n = 0; n < resamples; n++) {
        struct shoal_value_judgement drawn;
        for (size_t i = 0; i < judge->count; i++)
            judge->drawn[i] = 0;
        for (size_t i = 0; i < judge->count; i++)
            judge->drawn[shoal_random_below(key, at++, (uint32_t)judge->count)]++;
        measure(judge, &drawn);
        for (size_t m = 0; m < SHOAL_VALUE_MEASURES; m++)
            values[m * resamples + n] = drawn.values[m];
    }
}

enum shoal_status shoal_value_judge(const float *expected, const float *spent, size_t count,
                                    unsigned resamples, uint64_t seed,
                                    struct shoal_value_judgement *judgement)
{
    struct judge judge = {.expected = expected, .spent = spent, .count = count};
    judge.by_expected = malloc(count * sizeof *judge.by_expected);
    judge.by_spent = malloc(count * sizeof *judge.by_spent);
    judge.drawn = malloc(count * sizeof *judge.drawn);
    double *values = malloc((SHOAL_VALUE_MEASURES * (size_t)resamples + 1) * sizeof *values);
    enum shoal_status status = SHOAL_NOMEM;
    if (judge.by_expected && judge.by_spent && judge.drawn && values) {
        rank(judge.by_expected, expected, count);
        rank(judge.by_spent, spent, count);
        for (size_t i = 0; i < count; i++)
            judge.drawn[i] = 1;
        measure(&judge, judgement);
        resample(&judge, resamples, seed, values);
        for (size_t m = 0; m < SHOAL_VALUE_MEASURES; m++)
            judgement->intervals[m] = shoal_interval_of(values + m * resamples, resamples);
        status = SHOAL_OK;
    }
    free(judge.by_expected);
    free(judge.by_spent);
    free(judge.drawn);
    free(values);
    return status;
}
