/* SPDX-License-Identifier: Apache-2.0 */
/* Points and weights for an integral over 0 … 1, so that ∫ f ≈ Σ weight_k·f(point_k).
 *
 * Gauss–Legendre's m points are exact for polynomials up to degree 2m − 1: on a smooth function the error falls
 * exponentially with m. The midpoint rule's falls with 1/m². */
#ifndef SHOAL_QUADRATURE_H
#define SHOAL_QUADRATURE_H

#include <stddef.h>

enum shoal_quadrature {
    SHOAL_GAUSS_LEGENDRE,
    SHOAL_MIDPOINT,
};

/* Fills `count` ≥ 1 points, rising, and weights, which sum to 1 up to rounding. */
void shoal_quadrature_make(enum shoal_quadrature rule, size_t count, double *points,
                           double *weights);
/* "gauss_legendre", "midpoint". Static. */
const char *shoal_quadrature_name(enum shoal_quadrature rule);

#endif
