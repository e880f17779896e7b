/* SPDX-License-Identifier: Apache-2.0 */
/* Newton's method for the two numbers, and their sandwich; see shrink.h. */
#include "model/learn/shrink.h"

#include <math.h>

static const double prior_mean = 0.5, prior_deviation = 0.25;
enum { ITERATIONS = 30 };

/* A symmetric 2×2 matrix. */
struct matrix {
    double aa, as, ss;
};

static double probability(double logit)
{
    return 1 / (1 + exp(-logit));
}

/* Gradient of the log likelihood, and its negated Hessian. */
static void derive(const double *regression, const double *network, const int8_t *labels,
                   size_t count, double a, double share, double gradient[2], struct matrix *hessian)
{
    gradient[0] = gradient[1] = 0;
    *hessian = (struct matrix){0};
    for (size_t i = 0; i < count; i++) {
        double delta = network[i] - regression[i];
        double p = probability(regression[i] + a + share * delta), curvature = p * (1 - p);
        double error = (labels[i] == 1) - p;
        gradient[0] += error;
        gradient[1] += error * delta;
        hessian->aa += curvature;
        hessian->as += curvature * delta;
        hessian->ss += curvature * delta * delta;
    }
}

/* Σ over users of (their part of the gradient)². */
static struct matrix spread(const double *regression, const double *network, const int8_t *labels,
                            const uint32_t *users, size_t count, double a, double share)
{
    struct matrix sum = {0};
    double part[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        double delta = network[i] - regression[i];
        double error = (labels[i] == 1) - probability(regression[i] + a + share * delta);
        part[0] += error;
        part[1] += error * delta;
        if (i + 1 == count || users[i + 1] != users[i]) {
            sum.aa += part[0] * part[0];
            sum.as += part[0] * part[1];
            sum.ss += part[1] * part[1];
            part[0] = part[1] = 0;
        }
    }
    return sum;
}

/* The best intercept at this share. */
static double settle(const double *regression, const double *network, const int8_t *labels,
                     size_t count, double share)
{
    double a = 0, gradient[2];
    struct matrix h;
    for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        derive(regression, network, labels, count, a, share, gradient, &h);
        double step = h.aa > 0 ? gradient[0] / h.aa : 0;
        a += fmax(-1, fmin(1, step));
        if (fabs(step) < 1e-9)
            break;
    }
    return a;
}

struct shoal_shrink shoal_shrink_fit(const double *regression, const double *network,
                                     const int8_t *labels, const uint32_t *users, size_t count)
{
    double a = 0, share = prior_mean, gradient[2], determinant = 0;
    struct matrix h = {0};
    for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        derive(regression, network, labels, count, a, share, gradient, &h);
        determinant = h.aa * h.ss - h.as * h.as;
        if (!(determinant > 1e-12 * h.aa * h.aa))
            return (struct shoal_shrink){
                .estimate = NAN, .deviation = NAN,
                .intercept = settle(regression, network, labels, count, 0)};
        double step_a = (h.ss * gradient[0] - h.as * gradient[1]) / determinant;
        double step_share = (h.aa * gradient[1] - h.as * gradient[0]) / determinant;
        /* Far from the optimum a full step may leave the world. */
        double length = fmin(1, 2 / fmax(fabs(step_a), fabs(step_share)));
        a += length * step_a;
        share += length * step_share;
        if (fabs(step_a) + fabs(step_share) < 1e-9)
            break;
    }
    /* Second row of H⁻¹ times the spread times the same. */
    struct matrix b = spread(regression, network, labels, users, count, a, share);
    double u = -h.as / determinant, v = h.aa / determinant;
    double variance = u * u * b.aa + 2 * u * v * b.as + v * v * b.ss;
    double precision = 1 / fmax(variance, 1e-12), prior = 1 / (prior_deviation * prior_deviation);
    double posterior = (precision * share + prior * prior_mean) / (precision + prior);
    posterior = fmin(fmax(posterior, 0), 1);
    return (struct shoal_shrink){posterior, share, sqrt(variance),
                                 settle(regression, network, labels, count, posterior)};
}

double shoal_shrink_loss(const double *regression, const double *network, const int8_t *labels,
                         size_t count, const struct shoal_shrink *shrink, double *losses)
{
    double loss = 0;
    for (size_t i = 0; i < count; i++) {
        double z = regression[i] + shrink->intercept +
                   shrink->share * (network[i] - regression[i]);
        double toward = labels[i] == 1 ? -z : z;
        double here = toward > 0 ? toward + log1p(exp(-toward)) : log1p(exp(toward));
        loss += here;
        if (losses)
            losses[i] = here;
    }
    return count ? loss / (double)count : NAN;
}

double shoal_paired_error(const double *first, const double *second, const uint32_t *users,
                          size_t count)
{
    double sum = 0, squares = 0, part = 0;
    for (size_t i = 0; i < count; i++)
        sum += first[i] - second[i];
    double mean = count ? sum / (double)count : 0;
    for (size_t i = 0; i < count; i++) {
        part += first[i] - second[i] - mean;
        if (i + 1 == count || users[i + 1] != users[i]) {
            squares += part * part;
            part = 0;
        }
    }
    return count ? sqrt(squares) / (double)count : NAN;
}
