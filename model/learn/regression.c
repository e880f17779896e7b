/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method for a logistic regression of twelve weights and a bias. */
#include "model/learn/regression.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    WEIGHTS = SHOAL_COUNTERS + 1, /* with the bias, last */
    ITERATIONS_MAX = 50,
};

/* One pseudo-observation per weight against overfitting; on standardised inputs. */
static const double ridge = 1.0;

static void standardise(const struct shoal_regression *regression, const float *counters,
                        double row[WEIGHTS])
{
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        row[k] = (log1p((double)counters[k]) - regression->mean[k]) / regression->deviation[k];
    row[SHOAL_COUNTERS] = 1;
}

static bool labelled(int8_t label)
{
    return label == 0 || label == 1;
}

/* Mean and standard deviation of log1p(counter) over the labelled rows. */
static void describe(const float *counters, const int8_t *labels, size_t count, size_t used,
                     struct shoal_regression *regression)
{
    double sum[SHOAL_COUNTERS] = {0}, squares[SHOAL_COUNTERS] = {0};
    for (size_t i = 0; i < count; i++) {
        if (!labelled(labels[i]))
            continue;
        for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
            double value = log1p((double)counters[i * SHOAL_COUNTERS + k]);
            sum[k] += value;
            squares[k] += value * value;
        }
    }
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        double mean = sum[k] / (double)used;
        double variance = squares[k] / (double)used - mean * mean;
        regression->mean[k] = mean;
        /* A behaviour that hardly occurs must not turn into a huge input when it does. */
        regression->deviation[k] = variance > 1e-4 ? sqrt(variance) : 1e-2;
    }
}

/* Solves A·x = b for a symmetric positive definite A by Cholesky; A and b are overwritten, b by x. */
static void solve(double a[WEIGHTS][WEIGHTS], double b[WEIGHTS])
{
    for (size_t j = 0; j < WEIGHTS; j++) {
        for (size_t k = 0; k < j; k++)
            a[j][j] -= a[j][k] * a[j][k];
        a[j][j] = sqrt(a[j][j] > 1e-12 ? a[j][j] : 1e-12);
        for (size_t i = j + 1; i < WEIGHTS; i++) {
            for (size_t k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
    }
    for (size_t i = 0; i < WEIGHTS; i++) {
        for (size_t k = 0; k < i; k++)
            b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (size_t i = WEIGHTS; i-- > 0;) {
        for (size_t k = i + 1; k < WEIGHTS; k++)
            b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
}

/* Penalised log likelihood, its gradient and its negated Hessian (lower triangle) at `weights`. */
static double derive(const double *rows, const int8_t *labels, size_t used,
                     const double weights[WEIGHTS], double gradient[WEIGHTS],
                     double hessian[WEIGHTS][WEIGHTS])
{
    double likelihood = 0;
    for (size_t j = 0; j < WEIGHTS; j++) {
        double penalty = j < SHOAL_COUNTERS ? ridge : 0;
        likelihood -= penalty * weights[j] * weights[j] / 2;
        gradient[j] = -penalty * weights[j];
        for (size_t k = 0; k <= j; k++)
            hessian[j][k] = j == k ? penalty : 0;
    }
    for (size_t i = 0; i < used; i++) {
        const double *row = rows + i * WEIGHTS;
        double logit = 0;
        for (size_t j = 0; j < WEIGHTS; j++)
            logit += weights[j] * row[j];
        double p = 1 / (1 + exp(-logit)), label = (double)labels[i];
        likelihood += label * logit - (logit > 0 ? logit + log1p(exp(-logit)) : log1p(exp(logit)));
        double curvature = p * (1 - p);
        for (size_t j = 0; j < WEIGHTS; j++) {
            gradient[j] += (label - p) * row[j];
            for (size_t k = 0; k <= j; k++)
                hessian[j][k] += curvature * row[j] * row[k];
        }
    }
    return likelihood;
}

/* Newton with halved steps where a full one would overshoot. `weights` is start and result. */
static void climb(const double *rows, const int8_t *labels, size_t used, double weights[WEIGHTS])
{
    double gradient[WEIGHTS], hessian[WEIGHTS][WEIGHTS], step[WEIGHTS], next[WEIGHTS];
    double likelihood = derive(rows, labels, used, weights, gradient, hessian);
    for (int iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
        for (size_t j = 0; j < WEIGHTS; j++)
            step[j] = gradient[j];
        solve(hessian, step);
        double reached = -INFINITY;
        for (double share = 1; share > 1e-3 && !(reached >= likelihood); share /= 2) {
            for (size_t j = 0; j < WEIGHTS; j++)
                next[j] = weights[j] + share * step[j];
            reached = derive(rows, labels, used, next, gradient, hessian);
        }
        if (!(reached >= likelihood))
            return;
        for (size_t j = 0; j < WEIGHTS; j++)
            weights[j] = next[j];
        if (reached - likelihood < 1e-9 * (double)used)
            return;
        likelihood = reached;
    }
}

enum shoal_status shoal_regression_fit(const float *counters, const int8_t *labels, size_t count,
                                       struct shoal_regression *regression,
                                       struct shoal_message *message)
{
    *regression = (struct shoal_regression){0};
    size_t used = 0, positives = 0;
    for (size_t i = 0; i < count; i++) {
        used += labelled(labels[i]);
        positives += labels[i] == 1;
    }
    if (positives == 0 || positives == used)
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "a regression needs labelled events with and without a purchase within "
                          "24 h; there are %zu labelled, %zu with one",
                          used, positives);
    double *rows = malloc(used * WEIGHTS * sizeof *rows);
    int8_t *kept = malloc(used);
    if (!rows || !kept) {
        free(rows);
        free(kept);
        return SHOAL_NOMEM;
    }
    describe(counters, labels, count, used, regression);
    size_t row = 0;
    for (size_t i = 0; i < count; i++)
        if (labelled(labels[i])) {
            standardise(regression, counters + i * SHOAL_COUNTERS, rows + row * WEIGHTS);
            kept[row++] = labels[i];
        }
    double weights[WEIGHTS] = {0};
    weights[SHOAL_COUNTERS] = log((double)positives / (double)(used - positives));
    climb(rows, kept, used, weights);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        regression->weights[k] = weights[k];
    regression->bias = weights[SHOAL_COUNTERS];
    free(rows);
    free(kept);
    return SHOAL_OK;
}

double shoal_regression_predict(const struct shoal_regression *regression,
                                const float counters[SHOAL_COUNTERS])
{
    double row[WEIGHTS], logit = regression->bias;
    standardise(regression, counters, row);
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        logit += regression->weights[k] * row[k];
    return 1 / (1 + exp(-logit));
}
