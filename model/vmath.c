/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of vmath_lanes.h over arrays of any length. A tail is copied into a full vector of
 * zeros and goes through the same code, so that no element knows where it stands. */
#include "model/vmath.h"

#include "model/vmath_lanes.h"

#define DEFINE(name, kernel)                                                                       \
    void name(const float *in, float *out, size_t count)                                           \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + V8_WIDTH <= count; i += V8_WIDTH)                                               \
            v8_store(out + i, kernel(v8_load(in + i)));                                            \
        if (i < count) {                                                                           \
            v8 tail = v8_set(0.0f);                                                                \
            memcpy(&tail, in + i, (count - i) * sizeof *in);                                       \
            tail = kernel(tail);                                                                   \
            memcpy(out + i, &tail, (count - i) * sizeof *out);                                     \
        }                                                                                          \
    }

DEFINE(shoal_vexp, v8_exp)
DEFINE(shoal_vsigmoid, v8_sigmoid)
DEFINE(shoal_vtanh, v8_tanh)
DEFINE(shoal_vexp2, v8_exp2)
DEFINE(shoal_vlog1p, v8_log1p)

float shoal_dot(const float *a, const float *b, size_t count)
{
    v8 sum = v8_set(0.0f);
    size_t i = 0;
    for (; i + V8_WIDTH <= count; i += V8_WIDTH)
        sum = v8_fma(v8_load(a + i), v8_load(b + i), sum);
    if (i < count) {
        v8 left = v8_set(0.0f), right = v8_set(0.0f);
        memcpy(&left, a + i, (count - i) * sizeof *a);
        memcpy(&right, b + i, (count - i) * sizeof *b);
        sum = v8_fma(left, right, sum);
    }
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}
