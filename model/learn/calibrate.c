/* SPDX-License-Identifier: Apache-2.0 */
/* Platt scaling by Newton's method, and segment thresholds from quantiles; the curve is in
 * calibrate_curve.c. */
#include "model/learn/calibrate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double slope_min = 0.05;
static const double slope_precision = 1 / (0.15 * 0.15);
static const double intercept_precision = 1 / (0.1 * 0.1);

/* Maximises the posterior by Newton's method, over the intercept, and over the slope too if `sloped`;
 * each event counts `share`. */
static void fit(const double *logits, const int8_t *labels, size_t count, double share, bool sloped,
                struct shoal_calibration *calibration)
{
    for (int iteration = 0; iteration < 100; iteration++) {
        double ga = slope_precision * (calibration->slope - 1), haa = slope_precision, hab = 0;
        double gb = intercept_precision * calibration->intercept, hbb = intercept_precision;
        for (size_t i = 0; i < count; i++) {
            double z = calibration->slope * logits[i] + calibration->intercept;
            double p = 1 / (1 + exp(-z)), error = share * (p - (labels[i] == 1 ? 1 : 0));
            double curvature = share * p * (1 - p);
            ga += error * logits[i];
            gb += error;
            haa += curvature * logits[i] * logits[i];
            hab += curvature * logits[i];
            hbb += curvature;
        }
        double determinant = haa * hbb - hab * hab;
        double da = sloped ? (hbb * ga - hab * gb) / determinant : 0;
        double db = sloped ? (haa * gb - hab * ga) / determinant : gb / hbb;
        /* A bounded step: from far away, Newton on a flat sigmoid would jump too far. */
        double longest = fmax(fabs(da), fabs(db));
        double part = longest > 1 ? 1 / longest : 1;
        calibration->slope -= part * da;
        calibration->intercept -= part * db;
        if (longest < 1e-10)
            return;
    }
}

struct shoal_calibration shoal_calibrate(const double *logits, const int8_t *labels, size_t count,
                                         size_t users_count)
{
    struct shoal_calibration calibration = {.slope = 1, .intercept = 0};
    if (count == 0)
        return calibration;
    double share = (double)users_count / (double)count;
    fit(logits, labels, count, share, true, &calibration);
    if (!(calibration.slope >= slope_min) || !isfinite(calibration.intercept)) {
        calibration = (struct shoal_calibration){.slope = 1, .intercept = 0};
        fit(logits, labels, count, share, false, &calibration);
    }
    return calibration;
}

static int compare_floats(const void *a, const void *b)
{
    float left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return (left > right) - (left < right);
}

enum shoal_status shoal_thresholds(const float *scores, size_t count, float *warm, float *hot)
{
    *warm = 0.3f;
    *hot = 0.6f;
    if (count == 0)
        return SHOAL_OK;
    float *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return SHOAL_NOMEM;
    memcpy(sorted, scores, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_floats);
    *warm = sorted[(size_t)(0.7 * (double)(count - 1))];
    *hot = sorted[(size_t)(0.9 * (double)(count - 1))];
    free(sorted);
    *warm = fminf(fmaxf(*warm, 1e-4f), 0.98f);
    *hot = fminf(fmaxf(*hot, *warm * 1.01f), 0.99f);
    return SHOAL_OK;
}
