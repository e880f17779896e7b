/* SPDX-License-Identifier: Apache-2.0 */
/* PSI and its noise; see drift.h for the formulas. */
#include "model/drift.h"

#include <math.h>
#include <string.h>

uint32_t shoal_drift_bin(const struct shoal_distribution *distribution, float value)
{
    uint32_t bin = 0;
    while (bin + 1 < distribution->bins && value >= distribution->bounds[bin])
        bin++;
    return bin;
}

void shoal_drift_add_user(struct shoal_drift_count *count,
                          const uint32_t in_bins[SHOAL_REFERENCE_BINS])
{
    uint64_t size = 0;
    for (int b = 0; b < SHOAL_REFERENCE_BINS; b++)
        size += in_bins[b];
    if (size == 0)
        return;
    for (int b = 0; b < SHOAL_REFERENCE_BINS; b++) {
        double here = (double)in_bins[b];
        count->counts[b] += in_bins[b];
        count->squares[b] += here * here;
        count->cross[b] += here * (double)size;
    }
    count->sizes += (double)size * (double)size;
    count->samples += size;
    count->users++;
}

double shoal_drift_effective(const struct shoal_drift_count *count, uint32_t bins)
{
    double n = (double)count->samples, users = (double)count->users, sum = 0;
    if (count->samples == 0)
        return 0;
    if (count->users < 2)
        return 1;
    for (uint32_t b = 0; b < bins; b++) {
        double p = (double)count->counts[b] / n;
        if (p <= 0)
            continue;
        double spread = count->squares[b] - 2 * p * count->cross[b] + p * p * count->sizes;
        sum += users / (users - 1) * fmax(spread, 0) / (n * n) / p;
    }
    double effective = sum > 0 ? (double)(bins - 1) / sum : n;
    return fmin(fmax(effective, 1), n);
}

uint64_t shoal_drift_equal_users(const struct shoal_drift_count *count)
{
    double n = (double)count->samples;
    return count->samples ? (uint64_t)llround(n * n / count->sizes) : 0;
}

/* P(χ² > x) for k degrees of freedom, in closed form (Abramowitz and Stegun 26.4.4, 26.4.5). */
static double chi_square_tail(uint32_t k, double x)
{
    double half = x / 2, sum = 0;
    double term = k % 2 ? 2 * sqrt(half / M_PI) : 1; /* half^i/Γ(i + 1), from i = 1/2 or 0 */
    for (uint32_t j = k % 2 ? 3 : 2; j <= k; j += 2) {
        sum += term;
        term *= half / ((double)j / 2);
    }
    return exp(-half) * sum + (k % 2 ? erfc(sqrt(half)) : 0);
}

double shoal_chi_square_quantile(uint32_t k, double tail)
{
    double low = 0, high = 1;
    while (chi_square_tail(k, high) > tail)
        high *= 2;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        if (chi_square_tail(k, middle) > tail)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* Half an event is added to each bin on both sides: an empty bin is a small share, not an infinite
 * PSI. */
static double psi_of(const struct shoal_distribution *reference, double reference_samples,
                     const struct shoal_drift_count *count)
{
    double psi = 0, half = 0.5 * (double)reference->bins;
    for (uint32_t b = 0; b < reference->bins; b++) {
        double p = ((double)count->counts[b] + 0.5) / ((double)count->samples + half);
        double q =
            ((double)reference->shares[b] * reference_samples + 0.5) / (reference_samples + half);
        psi += (p - q) * log(p / q);
    }
    return psi;
}

void shoal_drift_measure(const struct shoal_reference *reference, uint32_t distribution,
                         const struct shoal_drift_count *count, uint32_t looks,
                         struct shoal_drift *drift)
{
    const struct shoal_distribution *shape = &reference->distributions[distribution];
    double samples = (double)reference->samples;
    *drift = (struct shoal_drift){.bins = shape->bins, .samples = count->samples};
    memcpy(drift->name, shape->name, sizeof drift->name);
    if (count->samples == 0 || reference->samples == 0) {
        drift->psi = drift->noise = drift->threshold = NAN;
        return;
    }
    drift->effective = shoal_drift_effective(count, shape->bins);
    double for_each_user =
        drift->effective * count->sizes / ((double)count->samples * (double)count->samples);
    double effective = fmin(fmax((double)reference->users * for_each_user, 1), samples);
    double scale = 1 / drift->effective + 1 / effective;
    uint32_t freedom = shape->bins - 1;
    drift->psi = psi_of(shape, samples, count);
    drift->noise = (double)freedom * scale;
    drift->threshold = shoal_chi_square_quantile(freedom, 0.01 / (double)looks) * scale;
    drift->drifted = count->samples >= SHOAL_DRIFT_SAMPLES_MIN &&
                     reference->samples >= SHOAL_DRIFT_SAMPLES_MIN &&
                     drift->psi > drift->threshold &&
                     drift->psi - drift->noise >= SHOAL_DRIFT_SHIFT;
}
