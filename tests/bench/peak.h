/* SPDX-License-Identifier: Apache-2.0 */
/* What one core could do: the yardstick beside the GEMM's rate. */
#ifndef SHOAL_BENCH_PEAK_H
#define SHOAL_BENCH_PEAK_H

/* Fused multiply-adds of floats on registers alone, as 10^9 operations a second (an FMA is two): the
 * best of many short runs. `vector_bytes`: 16 (ARM), 32 (AVX2), 64 (AVX-512); 0 where the processor
 * has no such vectors. */
double bench_peak_gflops(int vector_bytes);

#endif
