/* SPDX-License-Identifier: Apache-2.0 */
/* Peak of one core; see peak.h. Twelve chains of FMAs keep two units of four cycles' latency busy. */
#include "tests/bench/peak.h"

#include <stdint.h>

#include "model/base/clock.h"

enum { CHAINS = 12, STEPS = 20000, RUNS = 300 };

/* Keeps the compiler from dropping a loop whose result nobody reads. */
static volatile float drain;

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f"))) static void run_512(void)
{
    __m512 sums[CHAINS], factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
    for (int k = 0; k < CHAINS; k++)
        sums[k] = _mm512_set1_ps((float)k);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++)
            sums[k] = _mm512_fmadd_ps(sums[k], factor, term);
    }
    for (int k = 1; k < CHAINS; k++)
        sums[0] = _mm512_add_ps(sums[0], sums[k]);
    drain = _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) static void run_256(void)
{
    __m256 sums[CHAINS], factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
    for (int k = 0; k < CHAINS; k++)
        sums[k] = _mm256_set1_ps((float)k);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++)
            sums[k] = _mm256_fmadd_ps(sums[k], factor, term);
    }
    for (int k = 1; k < CHAINS; k++)
        sums[0] = _mm256_add_ps(sums[0], sums[k]);
    drain = _mm256_cvtss_f32(sums[0]);
}

#elif defined(__aarch64__)
#include <arm_neon.h>

static void run_128(void)
{
    float32x4_t sums[CHAINS], factor = vdupq_n_f32(0.999f), term = vdupq_n_f32(0.001f);
    for (int k = 0; k < CHAINS; k++)
        sums[k] = vdupq_n_f32((float)k);
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int k = 0; k < CHAINS; k++)
            sums[k] = vfmaq_f32(term, sums[k], factor);
    }
    for (int k = 1; k < CHAINS; k++)
        sums[0] = vaddq_f32(sums[0], sums[k]);
    drain = vgetq_lane_f32(sums[0], 0);
}
#endif

static double rate(void (*run)(void), int lanes)
{
    int64_t best_ns = INT64_MAX;
    for (int i = 0; i < RUNS; i++) {
        int64_t start_ns = shoal_clock_ns();
        run();
        int64_t took_ns = shoal_clock_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    return 2.0 * CHAINS * STEPS * lanes / (double)best_ns;
}

double bench_peak_gflops(int vector_bytes)
{
#if defined(__x86_64__)
    if (vector_bytes == 32 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return rate(run_256, 8);
    if (vector_bytes == 64 && __builtin_cpu_supports("avx512f"))
        return rate(run_512, 16);
#elif defined(__aarch64__)
    if (vector_bytes == 16)
        return rate(run_128, 4);
#endif
    return 0;
}
