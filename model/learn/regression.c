/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method for a logistic regression of twelve weights and a bias; see regression.h. */
#include "model/learn/regression.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    WEIGHTS = SHOAL_COUNTERS + 1, /* with the bias, last */
    ITERATIONS_MAX = 50,
};

static const double ridges[] = {0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4, 1e-5};

/* The labelled rows of the data, standardised. */
struct problem {
    double *rows; /* owned; used × WEIGHTS */
    double *importance, *labels; /* owned; used */
    size_t used;
    double total;     /* Σ importance */
    double positives; /* of it; of counts Σ importance·count */
    bool counts;
};

static bool labelled(int8_t label)
{
    return label == 0 || label == 1;
}

static bool used(const struct shoal_regression_data *data, size_t row)
{
    return data->counts ? data->counts[row * data->counts_stride] >= 0 : labelled(data->labels[row]);
}

static double target_of(const struct shoal_regression_data *data, size_t row)
{
    return data->counts ? (double)data->counts[row * data->counts_stride]
                        : (double)(data->labels[row] == 1);
}

static double importance_of(const struct shoal_regression_data *data, size_t row)
{
    return data->importance ? (double)data->importance[row] : 1;
}

static void standardise(const struct shoal_regression *regression, const float *counters,
                        double row[WEIGHTS])
{
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        row[k] = (log1p((double)counters[k]) - regression->mean[k]) / regression->deviation[k];
    row[SHOAL_COUNTERS] = 1;
}

/* Mean and standard deviation of log1p(rate) over the labelled rows. */
static void describe(const struct shoal_regression_data *data, double total,
                     struct shoal_regression *regression)
{
    double sum[SHOAL_COUNTERS] = {0}, squares[SHOAL_COUNTERS] = {0};
    for (size_t i = 0; i < data->count; i++) {
        if (!used(data, i))
            continue;
        double importance = importance_of(data, i);
        for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
            double value = log1p((double)data->counters[i * SHOAL_COUNTERS + k]);
            sum[k] += importance * value;
            squares[k] += importance * value * value;
        }
    }
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        double mean = sum[k] / total, variance = squares[k] / total - mean * mean;
        regression->mean[k] = mean;
        /* A behaviour that hardly occurs must not turn into a huge input when it does. */
        regression->deviation[k] = variance > 1e-4 ? sqrt(variance) : 1e-2;
    }
}

static void finish(struct problem *problem)
{
    free(problem->rows);
    free(problem->importance);
    free(problem->labels);
}

/* Also fills the mean and deviation of `regression`, by which the rows are standardised. */
static enum shoal_status pose(const struct shoal_regression_data *data, struct problem *problem,
                              struct shoal_regression *regression, struct shoal_message *message)
{
    *problem = (struct problem){0};
    *regression = (struct shoal_regression){0};
    problem->counts = data->counts;
    size_t positives = 0;
    for (size_t i = 0; i < data->count; i++)
        if (used(data, i)) {
            problem->used++;
            positives += target_of(data, i) > 0;
            problem->total += importance_of(data, i);
            problem->positives += importance_of(data, i) * target_of(data, i);
        }
    if (positives == 0 || (positives == problem->used && !data->counts))
        return shoal_fail(message, SHOAL_TOO_FEW,
                          "a regression needs labelled events with and without a purchase within "
                          "24 h; there are %zu labelled, %zu with one",
                          problem->used, positives);
    problem->rows = malloc(problem->used * WEIGHTS * sizeof *problem->rows);
    problem->importance = malloc(problem->used * sizeof *problem->importance);
    problem->labels = malloc(problem->used * sizeof *problem->labels);
    if (!problem->rows || !problem->importance || !problem->labels)
        return SHOAL_NOMEM;
    describe(data, problem->total, regression);
    size_t row = 0;
    for (size_t i = 0; i < data->count; i++)
        if (used(data, i)) {
            standardise(regression, data->counters + i * SHOAL_COUNTERS,
                        problem->rows + row * WEIGHTS);
            problem->importance[row] = importance_of(data, i);
            problem->labels[row++] = target_of(data, i);
        }
    return SHOAL_OK;
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

/* −log p of the label, of the logit of the label's side. */
static double loss_of(double towards)
{
    return towards < 0 ? -towards + log1p(exp(towards)) : log1p(exp(-towards));
}

/* Penalised log likelihood, its gradient and its negated Hessian (lower triangle) at `weights`. */
static double derive(const struct problem *problem, double ridge, const double weights[WEIGHTS],
                     double gradient[WEIGHTS], double hessian[WEIGHTS][WEIGHTS])
{
    double likelihood = 0;
    for (size_t j = 0; j < WEIGHTS; j++) {
        double penalty = j < SHOAL_COUNTERS ? ridge * problem->total : 0;
        likelihood -= penalty * weights[j] * weights[j] / 2;
        gradient[j] = -penalty * weights[j];
        for (size_t k = 0; k <= j; k++)
            hessian[j][k] = j == k ? penalty : 0;
    }
    for (size_t i = 0; i < problem->used; i++) {
        const double *row = problem->rows + i * WEIGHTS;
        double logit = 0, importance = problem->importance[i], label = problem->labels[i];
        for (size_t j = 0; j < WEIGHTS; j++)
            logit += weights[j] * row[j];
        double p = problem->counts ? exp(fmin(logit, 30)) : 1 / (1 + exp(-logit));
        likelihood -= importance * (problem->counts ? p - label * logit
                                                    : loss_of(label > 0 ? logit : -logit));
        double error = importance * (label - p);
        double curvature = importance * (problem->counts ? p : p * (1 - p));
        for (size_t j = 0; j < WEIGHTS; j++) {
            gradient[j] += error * row[j];
            for (size_t k = 0; k <= j; k++)
                hessian[j][k] += curvature * row[j] * row[k];
        }
    }
    return likelihood;
}

/* Newton with halved steps where a full one would overshoot. `weights` is start and result. */
static void climb(const struct problem *problem, double ridge, double weights[WEIGHTS])
{
    double gradient[WEIGHTS], hessian[WEIGHTS][WEIGHTS], step[WEIGHTS], next[WEIGHTS];
    double likelihood = derive(problem, ridge, weights, gradient, hessian);
    for (int iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
        for (size_t j = 0; j < WEIGHTS; j++)
            step[j] = gradient[j];
        solve(hessian, step);
        double reached = -INFINITY;
        for (double share = 1; share > 1e-3 && !(reached >= likelihood); share /= 2) {
            for (size_t j = 0; j < WEIGHTS; j++)
                next[j] = weights[j] + share * step[j];
            reached = derive(problem, ridge, next, gradient, hessian);
        }
        if (!(reached >= likelihood))
            return;
        for (size_t j = 0; j < WEIGHTS; j++)
            weights[j] = next[j];
        if (reached - likelihood < 1e-9 * problem->total)
            return;
        likelihood = reached;
    }
}

static void start(const struct problem *problem, double weights[WEIGHTS])
{
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        weights[k] = 0;
    double rest = problem->counts ? problem->total : problem->total - problem->positives;
    weights[SHOAL_COUNTERS] = log(problem->positives / rest);
}

static void keep(const double weights[WEIGHTS], struct shoal_regression *regression)
{
    for (size_t k = 0; k < SHOAL_COUNTERS; k++)
        regression->weights[k] = weights[k];
    regression->bias = weights[SHOAL_COUNTERS];
}

enum shoal_status shoal_regression_fit(const struct shoal_regression_data *data, double ridge,
                                       struct shoal_regression *regression,
                                       struct shoal_message *message)
{
    struct problem problem;
    enum shoal_status status = pose(data, &problem, regression, message);
    if (status == SHOAL_OK) {
        double weights[WEIGHTS];
        start(&problem, weights);
        climb(&problem, ridge, weights);
        keep(weights, regression);
    }
    finish(&problem);
    return status;
}

static double judged_loss(const struct shoal_regression_data *judge,
                          const struct shoal_regression *regression)
{
    double loss = 0;
    for (size_t i = 0; i < judge->count; i++)
        if (labelled(judge->labels[i])) {
            double p =
                shoal_regression_predict(regression, judge->counters + i * SHOAL_COUNTERS);
            loss -= log(fmax(judge->labels[i] == 1 ? p : 1 - p, 1e-7));
        }
    return loss;
}

enum shoal_status shoal_regression_choose(const struct shoal_regression_data *data,
                                          const struct shoal_regression_data *judge, double *ridge,
                                          struct shoal_regression *regression,
                                          struct shoal_message *message)
{
    struct problem problem;
    struct shoal_regression tried;
    enum shoal_status status = pose(data, &problem, &tried, message);
    if (status == SHOAL_OK) {
        double weights[WEIGHTS], least = INFINITY;
        start(&problem, weights);
        for (size_t i = 0; i < sizeof ridges / sizeof ridges[0]; i++) {
            climb(&problem, ridges[i], weights);
            keep(weights, &tried);
            double loss = judged_loss(judge, &tried);
            if (i == 0 || loss < least) {
                least = loss;
                *ridge = ridges[i];
                *regression = tried;
            }
        }
    }
    finish(&problem);
    return status;
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

void shoal_regression_restate(struct shoal_regression *regression,
                              const struct shoal_regression *like)
{
    for (size_t k = 0; k < SHOAL_COUNTERS; k++) {
        double per_unit = regression->weights[k] / regression->deviation[k];
        regression->bias += per_unit * (like->mean[k] - regression->mean[k]);
        regression->weights[k] = per_unit * like->deviation[k];
        regression->mean[k] = like->mean[k];
        regression->deviation[k] = like->deviation[k];
    }
}
