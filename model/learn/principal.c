/* SPDX-License-Identifier: Apache-2.0 */
/* Orthogonal iteration; see principal.h. In double: the covariance is made once, and is small. */
#include "model/learn/principal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/random.h"

enum { ITERATIONS_MAX = 200 };

static const double SETTLED = 1e-9;

static void make_covariance(const float *points, size_t count, size_t size, double *covariance)
{
    for (size_t i = 0; i < count; i++) {
        const float *x = points + i * size;
        for (size_t a = 0; a < size; a++)
            for (size_t b = 0; b <= a; b++)
                covariance[a * size + b] += (double)x[a] * (double)x[b];
    }
    for (size_t a = 0; a < size; a++)
        for (size_t b = 0; b < a; b++)
            covariance[b * size + a] = covariance[a * size + b];
}

static double dot(const double *a, const double *b, size_t size)
{
    double sum = 0;
    for (size_t d = 0; d < size; d++)
        sum += a[d] * b[d];
    return sum;
}

/* Gram and Schmidt, twice for each; a direction in which nothing is left becomes an axis. */
static void make_orthonormal(double *basis, size_t wanted, size_t size)
{
    for (size_t k = 0; k < wanted; k++) {
        double *own = basis + k * size, length = sqrt(dot(own, own, size));
        for (size_t axis = 0, tries = 0;; axis++) {
            for (size_t again = 0; again < 2; again++)
                for (size_t j = 0; j < k; j++) {
                    double along = dot(own, basis + j * size, size);
                    for (size_t d = 0; d < size; d++)
                        own[d] -= along * basis[j * size + d];
                }
            double left = sqrt(dot(own, own, size));
            if (left > 1e-12 * length || tries == size) {
                for (size_t d = 0; d < size; d++)
                    own[d] /= left;
                break;
            }
            memset(own, 0, size * sizeof *own);
            own[axis] = length = 1;
            tries++;
        }
    }
}

/* basis ← covariance · basis, made orthonormal; the squared change of the directions. */
static double iterate(const double *covariance, size_t size, size_t wanted, double *basis,
                      double *next)
{
    double change = 0;
    for (size_t k = 0; k < wanted; k++)
        for (size_t d = 0; d < size; d++)
            next[k * size + d] = dot(covariance + d * size, basis + k * size, size);
    make_orthonormal(next, wanted, size);
    for (size_t k = 0; k < wanted; k++) {
        double same = dot(next + k * size, basis + k * size, size);
        change += 1 - same * same;
    }
    memcpy(basis, next, wanted * size * sizeof *basis);
    return change;
}

static void copy_signed(const double *basis, size_t wanted, size_t size, float *components)
{
    for (size_t k = 0; k < wanted; k++) {
        size_t greatest = 0;
        for (size_t d = 1; d < size; d++)
            if (fabs(basis[k * size + d]) > fabs(basis[k * size + greatest]))
                greatest = d;
        double sign = basis[k * size + greatest] < 0 ? -1 : 1;
        for (size_t d = 0; d < size; d++)
            components[k * size + d] = (float)(sign * basis[k * size + d]);
    }
}

enum shoal_status shoal_principal(const float *points, size_t count, size_t size, size_t wanted,
                                  float *components)
{
    uint64_t key = shoal_random_key(0, SHOAL_RANDOM_AUTOENCODER);
    double *covariance = calloc(size * size, sizeof *covariance);
    double *basis = malloc(2 * wanted * size * sizeof *basis);
    if (!covariance || !basis) {
        free(covariance);
        free(basis);
        return SHOAL_NOMEM;
    }
    make_covariance(points, count, size, covariance);
    for (size_t i = 0; i < wanted * size; i++)
        basis[i] = (double)shoal_random_uniform(key, i) - 0.5;
    make_orthonormal(basis, wanted, size);
    for (unsigned i = 0; i < ITERATIONS_MAX; i++)
        if (iterate(covariance, size, wanted, basis, basis + wanted * size) < SETTLED)
            break;
    copy_signed(basis, wanted, size, components);
    free(covariance);
    free(basis);
    return SHOAL_OK;
}
