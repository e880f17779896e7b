/* SPDX-License-Identifier: Apache-2.0 */
/* Normal, Student, chi-square, hypergeometric; see distributions.h. */
#include "model/learn/distributions.h"

#include <math.h>

enum { STEPS_MAX = 20000, HALVINGS = 200 };

/* From here on Student's t is the normal distribution to more digits than are asked for. */
static const double FREEDOM_NORMAL = 1e7;

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign); /* lgamma would write the global signgam */
}

double shoal_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* The x in [low, high] where a rising function reaches `wanted`. */
static double halve(double (*rising)(double x, double parameter), double parameter, double wanted,
                    double low, double high)
{
    for (int i = 0; i < HALVINGS; i++) {
        double middle = low + (high - low) / 2;
        if (!(middle > low && middle < high))
            break;
        if (rising(middle, parameter) < wanted)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

static double normal_at(double z, double unused)
{
    (void)unused;
    return shoal_normal_cdf(z);
}

double shoal_normal_quantile(double p)
{
    if (!(p > 0 && p < 1))
        return NAN;
    /* The lower tail is where the distribution function has digits to lose. */
    return p > 0.5 ? -shoal_normal_quantile(1 - p) : halve(normal_at, 0, p, -40, 0);
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22) by the modified method of Lentz;
 * it converges for x < (a + 1)/(a + b + 2). */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double product = d;
    for (int m = 1; m <= STEPS_MAX; m++) {
        double odd_even[2] = {
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        };
        double change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + odd_even[i] * d;
            c = 1 + odd_even[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = d * c;
            product *= change;
        }
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return product;
}

/* I_x(a, b), the regularised incomplete beta function; y = 1 − x is passed in with its own digits. */
static double beta_share(double x, double y, double a, double b)
{
    if (x <= 0 || y <= 0)
        return x <= 0 ? 0 : 1;
    double front = exp(a * log(x) + b * log(y) + log_gamma(a + b) - log_gamma(a) - log_gamma(b));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(y, b, a) / b;
}

double shoal_student_tails(double t, double freedom)
{
    if (!(freedom > 0) || isnan(t))
        return NAN;
    if (freedom > FREEDOM_NORMAL)
        return erfc(fabs(t) / sqrt(2));
    double square = t * t;
    if (isinf(square))
        return 0;
    return beta_share(freedom / (freedom + square), square / (freedom + square), freedom / 2, 0.5);
}

static double student_at(double t, double freedom)
{
    return 1 - shoal_student_tails(t, freedom) / 2;
}

double shoal_student_quantile(double p, double freedom)
{
    if (!(p >= 0.5 && p < 1) || !(freedom > 0))
        return NAN;
    double high = 2;
    while (student_at(high, freedom) < p && high < 1e12)
        high *= 2;
    return halve(student_at, freedom, p, 0, high);
}

double shoal_chi_square_tail(double x)
{
    return x >= 0 ? erfc(sqrt(x / 2)) : NAN;
}

/* ln of the binomial coefficient. */
static double log_choose(double n, double k)
{
    return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
}

double shoal_fisher_exact(double first_hits, double first_count, double second_hits,
                          double second_count)
{
    double hits = first_hits + second_hits, count = first_count + second_count;
    if (!(first_count >= 1 && second_count >= 1))
        return NAN;
    double from = fmax(0, hits - second_count), to = fmin(hits, first_count);
    double whole = log_choose(count, hits), sum = 0;
    double here = log_choose(first_count, first_hits) + log_choose(second_count, second_hits);
    for (double k = from; k <= to; k++) {
        double log_here = log_choose(first_count, k) + log_choose(second_count, hits - k);
        if (log_here <= here + 1e-7) /* as probable, but for the rounding */
            sum += exp(log_here - whole);
    }
    return fmin(sum, 1);
}
