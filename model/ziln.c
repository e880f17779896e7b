/* SPDX-License-Identifier: Apache-2.0 */
/* The zero-inflated lognormal head as it is served; see ziln.h. */
#include "model/ziln.h"

#include <math.h>
#include <stdlib.h>

#include "model/bgnbd.h"

/* An input that far out of what was seen says no more than one at the edge of it. */
static const double ZILN_Z_MAX = 6;
/* s of 0.05 (everybody spends the same) to 2.7 (a tail beyond what a shop sees). */
static const double LOG_DEVIATION_MIN = -3, LOG_DEVIATION_MAX = 1;

size_t shoal_ziln_size(size_t inputs)
{
    return 2 * inputs + SHOAL_ZILN_HEADS * (inputs + 1);
}

void shoal_ziln_place(struct shoal_ziln *ziln, size_t inputs, float *block)
{
    ziln->inputs = inputs;
    ziln->mean = block;
    ziln->deviation = block + inputs;
    ziln->weights = block + 2 * inputs;
}

void shoal_ziln_finish(struct shoal_ziln *ziln)
{
    free(ziln->mean);
    *ziln = (struct shoal_ziln){0};
}

void shoal_ziln_purchases(const struct shoal_purchases *purchases, int64_t now_ms,
                          float inputs[SHOAL_ZILN_PURCHASES])
{
    for (size_t i = 0; i < SHOAL_ZILN_PURCHASES; i++)
        inputs[i] = 0;
    if (purchases->occasions == 0)
        return;
    struct shoal_customer customer = shoal_customer_at(purchases, now_ms);
    inputs[0] = 1;
    inputs[1] = (float)log1p(customer.repeats);
    inputs[2] = (float)log1p(customer.age - customer.last);
    inputs[3] = (float)log1p(customer.age);
    inputs[4] = (float)log1p(fmax(customer.mean, 0));
    inputs[5] = customer.repeats > 0 ? 1 : 0;
}

double shoal_ziln_hold(double log_deviation)
{
    return fmin(fmax(log_deviation, LOG_DEVIATION_MIN), LOG_DEVIATION_MAX);
}

double shoal_ziln_mean(double logit, double mu, double log_deviation)
{
    double deviation = exp(shoal_ziln_hold(log_deviation));
    return exp(mu + deviation * deviation / 2) / (1 + exp(-logit));
}

double shoal_ziln_standardise(const struct shoal_ziln *ziln, size_t input, double value)
{
    double z = (value - (double)ziln->mean[input]) / (double)ziln->deviation[input];
    return fmin(fmax(z, -ZILN_Z_MAX), ZILN_Z_MAX); /* a NaN becomes −ZILN_Z_MAX */
}

double shoal_ziln_expected(const struct shoal_ziln *ziln, const float *first, size_t first_count,
                           const float *rest)
{
    double heads[SHOAL_ZILN_HEADS];
    size_t inputs = ziln->inputs;
    for (size_t head = 0; head < SHOAL_ZILN_HEADS; head++)
        heads[head] = (double)ziln->weights[head * (inputs + 1) + inputs];
    for (size_t i = 0; i < inputs; i++) {
        double value = (double)(i < first_count ? first[i] : rest[i - first_count]);
        double z = shoal_ziln_standardise(ziln, i, value);
        for (size_t head = 0; head < SHOAL_ZILN_HEADS; head++)
            heads[head] += (double)ziln->weights[head * (inputs + 1) + i] * z;
    }
    double expected = shoal_ziln_mean(heads[0], heads[1], heads[2]);
    return fmin(fmax(expected, 0), (double)ziln->most);
}
