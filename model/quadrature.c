/* SPDX-License-Identifier: Apache-2.0 */
/* Points and weights; see quadrature.h. The roots of the Legendre polynomial P_m by Newton's method from
 * cos(π(i + 3/4)/(m + 1/2)), close enough that each converges to its own (Golub & Welsch 1969 is for those who
 * need thousands); weight 2/((1 − x²)·P'_m(x)²), and both halved and moved from −1 … 1 to 0 … 1. */
#include "model/quadrature.h"

#include <math.h>

enum { NEWTON_STEPS = 10 }; /* four are enough from that start; the rest change nothing */

/* P_m(x) by the three-term recurrence; its derivative by x·P_m and P_{m−1}. */
static double legendre(size_t m, double x, double *derivative)
{
    double before = 1, now = x;
    for (size_t k = 2; k <= m; k++) {
        double next = ((double)(2 * k - 1) * x * now - (double)(k - 1) * before) / (double)k;
        before = now;
        now = next;
    }
    *derivative = (double)m * (x * now - before) / (x * x - 1);
    return now;
}

static void gauss_legendre(size_t count, double *points, double *weights)
{
    for (size_t i = 0; i < count; i++) {
        double x = -cos(M_PI * ((double)i + 0.75) / ((double)count + 0.5));
        double derivative = 1;
        for (int n = 0; n < NEWTON_STEPS; n++)
            x -= legendre(count, x, &derivative) / derivative;
        (void)legendre(count, x, &derivative);
        points[i] = (1 + x) / 2;
        weights[i] = 1 / ((1 - x * x) * derivative * derivative);
    }
}

void shoal_quadrature_make(enum shoal_quadrature rule, size_t count, double *points,
                           double *weights)
{
    if (rule == SHOAL_GAUSS_LEGENDRE) {
        gauss_legendre(count, points, weights);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        points[i] = ((double)i + 0.5) / (double)count;
        weights[i] = 1 / (double)count;
    }
}

const char *shoal_quadrature_name(enum shoal_quadrature rule)
{
    return rule == SHOAL_GAUSS_LEGENDRE ? "gauss_legendre" : "midpoint";
}
