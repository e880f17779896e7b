/* SPDX-License-Identifier: Apache-2.0 */
/* Loss, gradient and fit of the zero-inflated lognormal head; see ziln.h. */
#include "model/learn/ziln.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/minimise.h"

static const double HALF_LOG_2PI = 0.91893853320467274178;

struct problem {
    double *z, *outcomes; /* owned; count × N, count */
    size_t count, inputs;
    double ridge;
};

/* −ln of the probability of what happened, of the logit of its side. */
static double loss_of(double towards)
{
    return towards < 0 ? -towards + log1p(exp(towards)) : log1p(exp(-towards));
}

/* One user's loss, and its derivative by each head. */
static double loss_of_user(const double heads[SHOAL_ZILN_HEADS], double outcome,
                           double slopes[SHOAL_ZILN_HEADS])
{
    double share = 1 / (1 + exp(-heads[0]));
    slopes[0] = share - (outcome > 0);
    slopes[1] = slopes[2] = 0;
    if (!(outcome > 0))
        return loss_of(-heads[0]);
    double log_deviation = shoal_ziln_hold(heads[2]), inverse = exp(-log_deviation);
    double error = (log(outcome) - heads[1]) * inverse;
    slopes[1] = -error * inverse;
    /* Beyond where it is held, ln s has no say. */
    slopes[2] = fabs(log_deviation - heads[2]) > 0 ? 0 : 1 - error * error;
    return loss_of(heads[0]) + log(outcome) + log_deviation + HALF_LOG_2PI + error * error / 2;
}

double shoal_ziln_loss(const double *z, const double *outcomes, size_t count, size_t inputs,
                       double ridge, const double *weights, double *gradient)
{
    double sum = 0, squares = 0;
    size_t stride = inputs + 1;
    for (size_t i = 0; gradient && i < SHOAL_ZILN_HEADS * stride; i++)
        gradient[i] = 0;
    for (size_t row = 0; row < count; row++) {
        const double *x = z + row * inputs;
        double heads[SHOAL_ZILN_HEADS], slopes[SHOAL_ZILN_HEADS];
        for (size_t head = 0; head < SHOAL_ZILN_HEADS; head++) {
            const double *w = weights + head * stride;
            heads[head] = w[inputs];
            for (size_t i = 0; i < inputs; i++)
                heads[head] += w[i] * x[i];
        }
        sum += loss_of_user(heads, outcomes[row], slopes);
        for (size_t head = 0; gradient && head < SHOAL_ZILN_HEADS; head++) {
            double *g = gradient + head * stride, slope = slopes[head] / (double)count;
            for (size_t i = 0; i < inputs; i++)
                g[i] += slope * x[i];
            g[inputs] += slope;
        }
    }
    for (size_t head = 0; head < SHOAL_ZILN_HEADS; head++)
        for (size_t i = 0; i < inputs; i++) {
            double weight = weights[head * stride + i];
            squares += weight * weight;
            if (gradient)
                gradient[head * stride + i] += ridge * weight;
        }
    return sum / (double)count + ridge * squares / 2;
}

static double loss(void *context, const double *at, double *gradient)
{
    const struct problem *problem = context;
    return shoal_ziln_loss(problem->z, problem->outcomes, problem->count, problem->inputs,
                           problem->ridge, at, gradient);
}

/* Mean and deviation of the inputs, and z by them. */
static void standardise(const struct shoal_ziln_data *data, struct shoal_ziln *ziln,
                        struct problem *problem)
{
    size_t inputs = data->inputs_count;
    for (size_t i = 0; i < inputs; i++) {
        double sum = 0, squares = 0;
        for (size_t n = 0; n < problem->count; n++)
            sum += (double)data->inputs[data->rows[n] * inputs + i];
        double mean = sum / (double)problem->count;
        for (size_t n = 0; n < problem->count; n++) {
            double off = (double)data->inputs[data->rows[n] * inputs + i] - mean;
            squares += off * off;
        }
        double deviation = sqrt(squares / (double)problem->count);
        ziln->mean[i] = (float)mean;
        /* What hardly differs must not turn into a huge input where it does. */
        ziln->deviation[i] = deviation > 1e-2 ? (float)deviation : 1e-2f;
    }
    for (size_t n = 0; n < problem->count; n++) {
        size_t row = data->rows[n];
        problem->outcomes[n] = (double)data->outcomes[row];
        for (size_t i = 0; i < inputs; i++)
            problem->z[n * inputs + i] =
                shoal_ziln_standardise(ziln, i, (double)data->inputs[row * inputs + i]);
    }
}

/* Everybody alike: the share of those who spend, and the mean and deviation of their logarithms. */
static void start(const struct problem *problem, size_t spenders, double *weights)
{
    size_t stride = problem->inputs + 1;
    double sum = 0, squares = 0;
    memset(weights, 0, SHOAL_ZILN_HEADS * stride * sizeof *weights);
    for (size_t n = 0; n < problem->count; n++)
        if (problem->outcomes[n] > 0)
            sum += log(problem->outcomes[n]);
    double mean = sum / (double)spenders;
    for (size_t n = 0; n < problem->count; n++)
        if (problem->outcomes[n] > 0)
            squares += (log(problem->outcomes[n]) - mean) * (log(problem->outcomes[n]) - mean);
    weights[problem->inputs] = log((double)spenders / (double)(problem->count - spenders));
    weights[stride + problem->inputs] = mean;
    weights[2 * stride + problem->inputs] =
        shoal_ziln_hold(log(fmax(squares / (double)spenders, 1e-12)) / 2);
}

static enum shoal_status climb(struct problem *problem, const struct shoal_ziln_data *data,
                               size_t spenders, struct shoal_ziln *ziln)
{
    size_t count = SHOAL_ZILN_HEADS * (problem->inputs + 1);
    struct shoal_minimise minimise = {.function = loss,
                                      .context = problem,
                                      .count = count,
                                      .with_gradient = 1,
                                      .tolerance = 1e-8,
                                      .most = 500};
    double *weights = malloc(count * sizeof *weights), reached;
    if (!weights)
        return SHOAL_NOMEM;
    standardise(data, ziln, problem);
    start(problem, spenders, weights);
    enum shoal_status status = shoal_minimise(&minimise, weights, &reached);
    for (size_t i = 0; i < count; i++)
        ziln->weights[i] = (float)weights[i];
    for (size_t n = 0; n < problem->count; n++)
        ziln->most = fmaxf(ziln->most, (float)problem->outcomes[n]);
    free(weights);
    return status;
}

enum shoal_status shoal_ziln_fit(const struct shoal_ziln_data *data, double ridge,
                                 struct shoal_ziln *ziln, struct shoal_message *message)
{
    *ziln = (struct shoal_ziln){0};
    size_t spenders = 0, inputs = data->inputs_count;
    size_t count = data->count < SHOAL_ZILN_USERS_MAX ? data->count : SHOAL_ZILN_USERS_MAX;
    for (size_t n = 0; n < count; n++)
        spenders += data->outcomes[data->rows[n]] > 0;
    if (count < SHOAL_ZILN_USERS_MIN || spenders < SHOAL_ZILN_SPENDERS_MIN || spenders == count)
        return shoal_fail(
            message, SHOAL_TOO_FEW,
            "ZILN needs at least %d customers, %d of them with a purchase within the horizon "
            "and not all; there are %zu, with %zu",
            SHOAL_ZILN_USERS_MIN, SHOAL_ZILN_SPENDERS_MIN, count, spenders);
    struct problem problem = {.count = count, .inputs = inputs, .ridge = ridge};
    problem.z = malloc(count * inputs * sizeof *problem.z);
    problem.outcomes = malloc(count * sizeof *problem.outcomes);
    float *block = calloc(shoal_ziln_size(inputs), sizeof *block);
    enum shoal_status status = SHOAL_NOMEM;
    if (block)
        shoal_ziln_place(ziln, inputs, block);
    if (block && problem.z && problem.outcomes)
        status = climb(&problem, data, spenders, ziln);
    free(problem.z);
    free(problem.outcomes);
    if (status != SHOAL_OK)
        shoal_ziln_finish(ziln);
    return status;
}
