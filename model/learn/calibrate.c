/* SPDX-License-Identifier: Apache-2.0 */
/* Platt scaling by Newton's method, and segment thresholds from quantiles. */
#include "model/learn/calibrate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const double slope_min = 0.05;

/* Minimises the cross-entropy over the intercept, and over the slope too if `sloped`. */
static void fit(const double *logits, const int8_t *labels, size_t count, double high, double low,
                bool sloped, struct shoal_calibration *calibration)
{
    for (int iteration = 0; iteration < 100; iteration++) {
        /* The prior: a penalty on (slope − 1)²/2, in units of events. */
        double ga = sloped ? SHOAL_CALIBRATION_PRIOR * (calibration->slope - 1) : 0, gb = 0;
        double haa = SHOAL_CALIBRATION_PRIOR, hab = 0, hbb = 1e-9;
        for (size_t i = 0; i < count; i++) {
            double z = calibration->slope * logits[i] + calibration->intercept;
            double p = 1 / (1 + exp(-z)), error = p - (labels[i] == 1 ? high : low);
            double curvature = p * (1 - p);
            ga += error * logits[i];
            gb += error;
            haa += curvature * logits[i] * logits[i];
            hab += curvature * logits[i];
            hbb += curvature;
        }
        double da = 0, db = gb / hbb;
        if (sloped) {
            double determinant = haa * hbb - hab * hab;
            da = (hbb * ga - hab * gb) / determinant;
            db = (haa * gb - hab * ga) / determinant;
        }
        /* A bounded step: from far away, Newton on a flat sigmoid would jump too far. */
        double longest = fmax(fabs(da), fabs(db));
        double share = longest > 2 ? 2 / longest : 1;
        calibration->slope -= share * da;
        calibration->intercept -= share * db;
        if (longest < 1e-10)
            return;
    }
}

struct shoal_calibration shoal_calibrate(const double *logits, const int8_t *labels, size_t count)
{
    struct shoal_calibration calibration = {.slope = 1, .intercept = 0};
    size_t positives = 0;
    for (size_t i = 0; i < count; i++)
        positives += labels[i] == 1;
    if (count == 0)
        return calibration;
    double high = ((double)positives + 1) / ((double)positives + 2);
    double low = 1 / ((double)(count - positives) + 2);
    bool both = positives > 0 && positives < count;
    fit(logits, labels, count, high, low, both, &calibration);
    if (!(calibration.slope >= slope_min) || !isfinite(calibration.intercept)) {
        calibration = (struct shoal_calibration){.slope = 1, .intercept = 0};
        fit(logits, labels, count, high, low, false, &calibration);
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
