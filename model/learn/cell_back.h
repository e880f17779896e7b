/* SPDX-License-Identifier: Apache-2.0 */
/* The LSTM cell backward (equations in backward.c): the one place for all who send a gradient through it. */
#ifndef SHOAL_LEARN_CELL_BACK_H
#define SHOAL_LEARN_CELL_BACK_H

#include <stddef.h>

#include "model/vmath_lanes.h"

/* One row. gates (4H): σ(i), σ(f), tanh(g), σ(o); afterwards dL/dz. dh (H) in, dc (H) in and out: dc_t in part, then
 * dc_{t−1}. */
static inline void shoal_cell_back(size_t hidden, float *gates, const float *c_previous,
                                   const float *tanh_c, const float *dh, float *dc)
{
    v8 one = v8_set(1.0f);
    for (size_t j = 0; j < hidden; j += V8_WIDTH) {
        float *gate_i = gates + j, *gate_f = gate_i + hidden;
        float *gate_g = gate_f + hidden, *gate_o = gate_g + hidden;
        v8 i = v8_load(gate_i), f = v8_load(gate_f), g = v8_load(gate_g), o = v8_load(gate_o);
        v8 tanh_now = v8_load(tanh_c + j), dh_now = v8_load(dh + j);
        v8 dc_now = v8_load(dc + j) + dh_now * o * (one - tanh_now * tanh_now);
        v8_store(gate_i, dc_now * g * i * (one - i));
        v8_store(gate_f, dc_now * v8_load(c_previous + j) * f * (one - f));
        v8_store(gate_g, dc_now * i * (one - g * g));
        v8_store(gate_o, dh_now * tanh_now * o * (one - o));
        v8_store(dc + j, dc_now * f);
    }
}

#endif
