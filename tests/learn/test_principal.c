/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "model/learn/principal.h"
#include "tests/learn/planted.h"

enum { COUNT = 400, SIZE = 9, WANTED = 4 };

static float points[COUNT * SIZE], components[SIZE * SIZE], again[SIZE * SIZE];

/* Independent coordinates of deviation 9, 8, … 1, in a rotated frame. */
static void make_points(void)
{
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = 0; d < SIZE; d++)
            points[i * SIZE + d] = (float)(SIZE - d) * planted_noise(d, i);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t d = 0; d + 1 < SIZE; d++) {
            float a = points[i * SIZE + d], b = points[i * SIZE + d + 1];
            points[i * SIZE + d] = 0.8f * a - 0.6f * b;
            points[i * SIZE + d + 1] = 0.6f * a + 0.8f * b;
        }
}

static double covariance(size_t a, size_t b)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += (double)points[i * SIZE + a] * (double)points[i * SIZE + b];
    return sum;
}

Test(principal, components_are_eigenvectors_by_falling_variance)
{
    double before = INFINITY;
    make_points();
    cr_assert_eq(shoal_principal(points, COUNT, SIZE, WANTED, components), SHOAL_OK);
    for (size_t k = 0; k < WANTED; k++) {
        const float *v = components + k * SIZE;
        double image[SIZE] = {0}, value = 0;
        for (size_t a = 0; a < SIZE; a++) {
            for (size_t b = 0; b < SIZE; b++)
                image[a] += covariance(a, b) * (double)v[b];
            value += image[a] * (double)v[a];
        }
        for (size_t a = 0; a < SIZE; a++)
            cr_assert_float_eq(image[a], value * (double)v[a], 1e-3 * value);
        cr_assert_lt(value, before);
        before = value;
        for (size_t j = 0; j <= k; j++) {
            double product = 0;
            for (size_t d = 0; d < SIZE; d++)
                product += (double)v[d] * (double)components[j * SIZE + d];
            cr_assert_float_eq(product, j == k ? 1 : 0, 1e-5);
        }
    }
}

Test(principal, the_same_points_give_the_same_bits)
{
    make_points();
    cr_assert_eq(shoal_principal(points, COUNT, SIZE, WANTED, components), SHOAL_OK);
    cr_assert_eq(shoal_principal(points, COUNT, SIZE, WANTED, again), SHOAL_OK);
    cr_assert_eq(memcmp(components, again, sizeof again), 0);
}

Test(principal, points_without_variance_still_give_directions)
{
    memset(points, 0, sizeof points);
    for (size_t i = 0; i < COUNT; i++)
        points[i * SIZE + 2] = planted_noise(1, i); /* one direction, of nine asked for */
    cr_assert_eq(shoal_principal(points, COUNT, SIZE, SIZE, components), SHOAL_OK);
    for (size_t k = 0; k < SIZE; k++)
        for (size_t j = 0; j <= k; j++) {
            double product = 0;
            for (size_t d = 0; d < SIZE; d++)
                product += (double)components[k * SIZE + d] * (double)components[j * SIZE + d];
            cr_assert_float_eq(product, j == k ? 1 : 0, 1e-5, "%zu and %zu", j, k);
        }
    cr_assert_float_eq(components[2], 1, 1e-5f);
}
