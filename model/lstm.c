/* SPDX-License-Identifier: Apache-2.0 */
/* The LSTM cell forward; see lstm.h. One pass over a row, eight units at a time: gates stay in
 * registers from the pre-activation to h. H is a multiple of 8 (shoal_dims_check), so there is no
 * tail.
 *
 *   i, f, o = σ(z + b)    g = tanh(z + b)    c_t = f∘c_{t−1} + i∘g    h_t = o∘tanh(c_t)
 *
 * Equations 1–6 of PyTorch's nn.LSTMCell, with one bias instead of two. */
#include "model/lstm.h"

#include "model/vmath_lanes.h"

static void cell_row(size_t hidden, float *gates, const float *bias, float *c, float *tanh_c,
                     float *h)
{
    for (size_t j = 0; j < hidden; j += V8_WIDTH) {
        float *gate_i = gates + j, *gate_f = gate_i + hidden;
        float *gate_g = gate_f + hidden, *gate_o = gate_g + hidden;
        v8 i = v8_sigmoid(v8_load(gate_i) + v8_load(bias + j));
        v8 f = v8_sigmoid(v8_load(gate_f) + v8_load(bias + j + hidden));
        v8 g = v8_tanh(v8_load(gate_g) + v8_load(bias + j + 2 * hidden));
        v8 o = v8_sigmoid(v8_load(gate_o) + v8_load(bias + j + 3 * hidden));
        v8 c_next = v8_fma(f, v8_load(c + j), i * g);
        v8 t = v8_tanh(c_next);
        v8_store(gate_i, i);
        v8_store(gate_f, f);
        v8_store(gate_g, g);
        v8_store(gate_o, o);
        v8_store(c + j, c_next);
        v8_store(tanh_c + j, t);
        v8_store(h + j, o * t);
    }
}

void shoal_lstm_cell(size_t batch, size_t hidden, float *gates, const float *bias, float *c,
                     size_t c_stride, float *tanh_c, float *h, size_t h_stride)
{
    for (size_t b = 0; b < batch; b++)
        cell_row(hidden, gates + b * 4 * hidden, bias, c + b * c_stride, tanh_c + b * hidden,
                 h + b * h_stride);
}
