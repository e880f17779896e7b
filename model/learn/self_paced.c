/* SPDX-License-Identifier: Apache-2.0 */
/* Learning from positives some of which are none; see self_paced.h. */
#include "model/learn/self_paced.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/logistic.h"

struct shoal_self_paced shoal_self_paced_default(void)
{
    return (struct shoal_self_paced){.ridge = 0.01, .rate = 0.05, .warm_up = 100, .epochs = 200};
}

double shoal_self_paced_loss(const struct shoal_self_paced_data *data, const double *weights, double tau,
                             bool corrected, double *gradient)
{
    double loss = 0, total = 0;
    size_t width = data->width;
    if (gradient)
        memset(gradient, 0, (width + 1) * sizeof *gradient);
    for (size_t i = 0; i < data->count; i++) {
        const double *x = data->x + i * width;
        double importance = data->importance ? data->importance[i] : 1;
        double p = shoal_logistic_sigmoid(shoal_logistic_logit(weights, x, width));
        bool positive = data->labels[i] && !(corrected && p <= tau);
        loss -= importance * log(fmax(positive ? p : 1 - p, 1e-300));
        total += importance;
        double error = importance * (p - positive);
        for (size_t k = 0; gradient && k < width; k++)
            gradient[k] += error * x[k];
        if (gradient)
            gradient[width] += error;
    }
    for (size_t k = 0; gradient && total > 0 && k <= width; k++)
        gradient[k] /= total;
    return total > 0 ? loss / total : 0;
}

/* Adam (Kingma, Ba 2015) with its usual constants. */
static void step(double *weights, const double *gradient, double *first, double *second, size_t count,
                 double rate, uint32_t epoch)
{
    double correct_first = 1 - pow(0.9, epoch), correct_second = 1 - pow(0.999, epoch);
    for (size_t k = 0; k < count; k++) {
        first[k] = 0.9 * first[k] + 0.1 * gradient[k];
        second[k] = 0.999 * second[k] + 0.001 * gradient[k] * gradient[k];
        weights[k] -= rate * (first[k] / correct_first) / (sqrt(second[k] / correct_second) + 1e-8);
    }
}

enum shoal_status shoal_self_paced_fit(const struct shoal_self_paced_data *data,
                                       const struct shoal_self_paced *options, double *weights)
{
    size_t count = data->width + 1;
    double *memory = calloc(3 * count, sizeof *memory);
    if (!memory)
        return SHOAL_NOMEM;
    double *gradient = memory, *first = memory + count, *second = memory + 2 * count;
    memset(weights, 0, count * sizeof *weights);
    for (uint32_t epoch = 0; epoch < options->epochs; epoch++) {
        (void)shoal_self_paced_loss(data, weights, options->tau, epoch >= options->warm_up, gradient);
        for (size_t k = 0; k < data->width; k++)
            gradient[k] += options->ridge * weights[k];
        step(weights, gradient, first, second, count, options->rate, epoch + 1);
    }
    free(memory);
    return SHOAL_OK;
}
