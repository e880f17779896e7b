/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method for logistic regressions; see logistic.h. */
#include "model/learn/logistic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ITERATIONS_MAX = 40 };
static const double IMPROVEMENT = 1e-9; /* of the mean loss, below which a fit is done */

double shoal_logistic_logit(const double *weights, const double *x, size_t width)
{
    double logit = weights[width];
    for (size_t k = 0; k < width; k++)
        logit += weights[k] * x[k];
    return logit;
}

double shoal_logistic_sigmoid(double logit)
{
    return logit < 0 ? exp(logit) / (1 + exp(logit)) : 1 / (1 + exp(-logit));
}

void shoal_logistic_probabilities(const double *weights, const double *x, size_t width,
                                  unsigned classes_count, double *p)
{
    double most = 0, sum = 0;
    p[0] = 0;
    for (unsigned c = 1; c < classes_count; c++) {
        p[c] = shoal_logistic_logit(weights + (c - 1) * (width + 1), x, width);
        most = p[c] > most ? p[c] : most;
    }
    for (unsigned c = 0; c < classes_count; c++)
        sum += p[c] = exp(p[c] - most);
    for (unsigned c = 0; c < classes_count; c++)
        p[c] /= sum;
}

static double importance_of(const struct shoal_logistic_data *data, size_t row)
{
    return data->importance ? data->importance[row] : 1;
}

static double total_of(const struct shoal_logistic_data *data)
{
    double total = 0;
    for (size_t i = 0; i < data->count; i++)
        total += importance_of(data, i);
    return total > 0 ? total : 1;
}

static double penalty(const struct shoal_logistic_data *data, const double *weights, double *gradient)
{
    double sum = 0;
    size_t each = data->width + 1, count = (data->classes_count - 1) * each;
    for (size_t k = 0; data->ridge && k < count; k++) {
        double ridge = data->ridge[k % each];
        sum += ridge * weights[k] * weights[k] / 2;
        if (gradient)
            gradient[k] += ridge * weights[k];
    }
    return sum;
}

/* gradient[k] += by·(x, 1)[k] */
static void add_row(double *gradient, const double *x, size_t width, double by)
{
    for (size_t k = 0; k < width; k++)
        gradient[k] += by * x[k];
    gradient[width] += by;
}

double shoal_logistic_loss(const struct shoal_logistic_data *data, const double *weights, double *gradient)
{
    double loss = 0, total = total_of(data), p[SHOAL_LOGISTIC_CLASSES];
    size_t each = data->width + 1;
    if (gradient)
        memset(gradient, 0, (data->classes_count - 1) * each * sizeof *gradient);
    for (size_t i = 0; i < data->count; i++) {
        const double *x = data->x + i * data->width;
        double share = importance_of(data, i) / total;
        shoal_logistic_probabilities(weights, x, data->width, data->classes_count, p);
        loss -= share * log(fmax(p[data->classes[i]], 1e-300));
        for (unsigned c = 1; gradient && c < data->classes_count; c++)
            add_row(gradient + (c - 1) * each, x, data->width, share * (p[c] - (data->classes[i] == c)));
    }
    return loss + penalty(data, weights, gradient);
}

/* block += by·x xᵀ for x[count]; of a block on the diagonal only the lower triangle. */
static void add_outer(double *block, size_t stride, const double *x, size_t count, double by, bool diagonal)
{
    for (size_t j = 0; j < count; j++) {
        double left = by * x[j];
        size_t until = diagonal ? j + 1 : count;
        for (size_t k = 0; k < until; k++)
            block[j * stride + k] += left * x[k];
    }
}

/* The lower triangle of the loss's second derivative. */
static void curve(const struct shoal_logistic_data *data, const double *weights, double *hessian)
{
    size_t each = data->width + 1, count = (data->classes_count - 1) * each;
    double total = total_of(data), p[SHOAL_LOGISTIC_CLASSES], row[SHOAL_LOGISTIC_WEIGHTS];
    memset(hessian, 0, count * count * sizeof *hessian);
    for (size_t i = 0; i < data->count; i++) {
        const double *x = data->x + i * data->width;
        double share = importance_of(data, i) / total;
        memcpy(row, x, data->width * sizeof *row);
        row[data->width] = 1;
        shoal_logistic_probabilities(weights, x, data->width, data->classes_count, p);
        for (unsigned c = 1; c < data->classes_count; c++)
            for (unsigned d = 1; d <= c; d++)
                add_outer(hessian + (c - 1) * each * count + (d - 1) * each, count, row, each,
                          share * p[c] * ((c == d) - p[d]), c == d);
    }
    for (size_t k = 0; k < count; k++)
        hessian[k * count + k] += (data->ridge ? data->ridge[k % each] : 0) + 1e-9;
}

/* b := A⁻¹b for a symmetric positive definite A (its lower triangle), by Cholesky; A is overwritten. */
static void solve(double *a, double *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * count + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * count + k] * a[j * count + k];
            a[i * count + j] = i == j ? sqrt(sum > 1e-12 ? sum : 1e-12) : sum / a[j * count + j];
        }
        for (size_t k = 0; k < i; k++)
            b[i] -= a[i * count + k] * b[k];
        b[i] /= a[i * count + i];
    }
    for (size_t i = count; i-- > 0;) {
        for (size_t k = i + 1; k < count; k++)
            b[i] -= a[k * count + i] * b[k];
        b[i] /= a[i * count + i];
    }
}

/* One step, halved until it descends; false if none does. `step` is the gradient, then the step. */
static bool descend(const struct shoal_logistic_data *data, double *weights, double *step, double *next,
                   double *hessian, double *loss)
{
    size_t count = (data->classes_count - 1) * (data->width + 1);
    curve(data, weights, hessian);
    solve(hessian, step, count);
    for (double share = 1; share > 1e-4; share /= 2) {
        for (size_t k = 0; k < count; k++)
            next[k] = weights[k] - share * step[k];
        double reached = shoal_logistic_loss(data, next, NULL);
        if (reached < *loss) {
            double better = *loss - reached;
            memcpy(weights, next, count * sizeof *weights);
            *loss = reached;
            return better > IMPROVEMENT;
        }
    }
    return false;
}

enum shoal_status shoal_logistic_fit(const struct shoal_logistic_data *data, double *weights)
{
    size_t count = (data->classes_count - 1) * (data->width + 1);
    if (data->classes_count < 2 || data->classes_count > SHOAL_LOGISTIC_CLASSES ||
        count > SHOAL_LOGISTIC_WEIGHTS)
        return SHOAL_INVALID;
    double *memory = malloc((count * count + 2 * count) * sizeof *memory);
    if (!memory)
        return SHOAL_NOMEM;
    double *step = memory + count * count, *next = step + count;
    double loss = shoal_logistic_loss(data, weights, step);
    for (int i = 0; i < ITERATIONS_MAX && descend(data, weights, step, next, memory, &loss); i++)
        loss = shoal_logistic_loss(data, weights, step);
    free(memory);
    return SHOAL_OK;
}
