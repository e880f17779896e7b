/* SPDX-License-Identifier: Apache-2.0 */
/* One LSTM layer (Hochreiter & Schmidhuber 1997, with forget gate; PyTorch's nn.LSTMCell, gate
 * order i, f, g, o): the element-wise half of a step forward. The GEMM before it is the caller's. */
#ifndef SHOAL_LSTM_H
#define SHOAL_LSTM_H

#include <stddef.h>

/* gates (B×4H): in, pre-activations without bias; out, σ(i), σ(f), tanh(g), σ(o).
 * bias (4H). c (B×H): in c_{t−1}, out c_t. tanh_c (B×H): out tanh(c_t). h (B×H): out h_t.
 * Strides in floats between rows of c and h; gates and tanh_c are dense. A row's result depends on
 * that row only. */
void shoal_lstm_cell(size_t batch, size_t hidden, float *gates, const float *bias, float *c,
                     size_t c_stride, float *tanh_c, float *h, size_t h_stride);

#endif
