/* SPDX-License-Identifier: Apache-2.0 */
/* One row under a softmax; see softmax.h. */
#include "model/learn/softmax.h"

#include <math.h>

#include "model/vmath.h"

double shoal_softmax_row(float *scores, size_t count, size_t target, float weight)
{
    float most = -INFINITY;
    double sum = 0;
    for (size_t j = 0; j < count; j++)
        most = scores[j] > most ? scores[j] : most;
    for (size_t j = 0; j < count; j++)
        scores[j] = scores[j] - most < -80 ? -80 : scores[j] - most;
    double own = (double)scores[target];
    shoal_vexp(scores, scores, count);
    for (size_t j = 0; j < count; j++)
        sum += (double)scores[j];
    float scale = (float)((double)weight / sum);
    for (size_t j = 0; j < count; j++)
        scores[j] *= scale;
    scores[target] -= weight;
    return log(sum) - own;
}
