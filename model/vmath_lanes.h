/* SPDX-License-Identifier: Apache-2.0 */
/* Eight floats at a time: the kernels behind vmath.h, for files that fuse them into a loop of their
 * own (lstm.c).
 *
 * Invariant: every function here works lane by lane and consists of single IEEE operations in a
 * written order (fused ones are written as `v8_fma`), so a lane's result depends on that lane's
 * input alone, and the AVX2 form and the portable form give the same bits. -ffp-contract=off and
 * the absence of -ffast-math in the build keep it so.
 *
 * Polynomials: Sollya 8, fpminimax with single-precision coefficients, relative error; the function
 * and interval stand above each. */
#ifndef SHOAL_VMATH_LANES_H
#define SHOAL_VMATH_LANES_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define SHOAL_LANES_AVX2 1
#endif

enum { V8_WIDTH = 8 };

typedef float v8 __attribute__((vector_size(32)));
typedef int32_t v8i __attribute__((vector_size(32)));

#define V8_INLINE static inline __attribute__((always_inline, unused))

V8_INLINE v8 v8_set(float value)
{
    return (v8){value, value, value, value, value, value, value, value};
}

V8_INLINE v8 v8_load(const float *from)
{
    v8 lanes;
    memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

V8_INLINE void v8_store(float *to, v8 lanes)
{
    memcpy(to, &lanes, sizeof lanes);
}

/* a·b + c, rounded once. */
V8_INLINE v8 v8_fma(v8 a, v8 b, v8 c)
{
#ifdef SHOAL_LANES_AVX2
    return (v8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    v8 result;
    for (int lane = 0; lane < V8_WIDTH; lane++)
        result[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
    return result;
#endif
}

/* `mask` is all ones or all zeros in every lane, as a comparison gives it. */
V8_INLINE v8 v8_select(v8i mask, v8 yes, v8 no)
{
#ifdef SHOAL_LANES_AVX2
    return (v8)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask);
#else
    return (v8)((mask & (v8i)yes) | (~mask & (v8i)no));
#endif
}

/* A NaN in `value` stays. */
V8_INLINE v8 v8_at_most(v8 value, float bound)
{
    return v8_select(value > v8_set(bound), v8_set(bound), value);
}

V8_INLINE v8 v8_at_least(v8 value, float bound)
{
    return v8_select(value < v8_set(bound), v8_set(bound), value);
}

V8_INLINE v8 v8_abs(v8 value)
{
    return (v8)((v8i)value & 0x7fffffff);
}

V8_INLINE v8 v8_with_sign_of(v8 magnitude, v8 sign)
{
    return (v8)((v8i)magnitude | ((v8i)sign & INT32_MIN));
}

/* Nearest integer of |value| < 2^22 as a float, and as an integer in *number: adding 1.5·2^23
 * pushes the fraction out of the mantissa. */
V8_INLINE v8 v8_round(v8 value, v8i *number)
{
    v8 shifted = value + 0x1.8p23f;
    *number = (v8i)shifted - 0x4b400000;
    return shifted - 0x1.8p23f;
}

/* value·2^number for −252 ≤ number ≤ 254, in two exact-until-the-last factors, so that results
 * overflow to infinity and underflow through the subnormals as they should. */
V8_INLINE v8 v8_scale(v8 value, v8i number)
{
    v8i half = number >> 1;
    v8 first = (v8)((half + 127) << 23);
    v8 second = (v8)((number - half + 127) << 23);
    return value * first * second;
}

/* r = value − number·ln 2, |r| ≤ ln(2)/2; the product with the 12-bit head of ln 2 is exact. */
V8_INLINE v8 v8_reduce(v8 value, v8i *number)
{
    v8 n = v8_round(value * 0x1.715476p0f, number);
    v8 r = v8_fma(n, v8_set(-0x1.62ep-1f), value);
    return v8_fma(n, v8_set(-0x1.0bfbe8p-15f), r);
}

/* e^r − 1 = r + r²·q(r) for |r| ≤ 0.3467; q: (expm1(r) − r)/r², degree 4, error 2^−25.4. */
V8_INLINE v8 v8_expm1_reduced(v8 r)
{
    v8 q = v8_set(0x1.6ca9aap-10f);
    q = v8_fma(q, r, v8_set(0x1.120adp-7f));
    q = v8_fma(q, r, v8_set(0x1.55556cp-5f));
    q = v8_fma(q, r, v8_set(0x1.5554dep-3f));
    q = v8_fma(q, r, v8_set(0x1p-1f));
    return v8_fma(r * r, q, r);
}

V8_INLINE v8 v8_exp(v8 value)
{
    v8i number;
    value = v8_at_most(v8_at_least(value, -104.0f), 89.0f);
    v8 r = v8_reduce(value, &number);
    return v8_scale(v8_expm1_reduced(r) + 1.0f, number);
}

/* With e = exp(−|x|): 1/(1 + e) on the right, e/(1 + e) on the left, so neither side cancels. */
V8_INLINE v8 v8_sigmoid(v8 value)
{
    v8 e = v8_exp(-v8_abs(value));
    return v8_select(value < v8_set(0.0f), e, v8_set(1.0f)) / (e + 1.0f);
}

/* tanh|x| = t/(t + 2) with t = e^{2|x|} − 1 = 2^n·(e^r − 1) + (2^n − 1): exact in relative terms
 * down to the smallest x. From |x| = 9.1 on, the quotient is 1. */
V8_INLINE v8 v8_tanh(v8 value)
{
    v8i number;
    v8 twice = v8_at_most(v8_abs(value), 9.1f) * 2.0f;
    v8 r = v8_reduce(twice, &number);
    v8 power = (v8)((number + 127) << 23);
    v8 t = v8_fma(power, v8_expm1_reduced(r), power - 1.0f);
    return v8_with_sign_of(t / (t + 2.0f), value);
}

/* 2^r = 1 + r·p(r) for |r| ≤ 1/2; p: (2^r − 1)/r, degree 5, error 2^−27.6. */
V8_INLINE v8 v8_exp2(v8 value)
{
    v8i number;
    value = v8_at_most(v8_at_least(value, -151.0f), 129.0f);
    v8 r = value - v8_round(value, &number);
    v8 p = v8_set(0x1.427918p-13f);
    p = v8_fma(p, r, v8_set(0x1.5ef4a2p-10f));
    p = v8_fma(p, r, v8_set(0x1.3b2c58p-7f));
    p = v8_fma(p, r, v8_set(0x1.c6af9ep-5f));
    p = v8_fma(p, r, v8_set(0x1.ebfbdep-3f));
    p = v8_fma(p, r, v8_set(0x1.62e43p-1f));
    return v8_scale(v8_fma(p, r, v8_set(1.0f)), number);
}

/* log(1 + x) for x ≥ 0. With u = fl(1 + x) = 2^k·m, m in [√½, √2), and the rounding error d of u
 * (exact by Sterbenz): log(1 + x) = k·ln 2 + log(1 + f), f = m − 1 + d·2^−k; for k = 0, f = x.
 * log(1 + f) = f − f²/2 + f³·l(f); l: degree 7, error 2^−25.5. */
V8_INLINE v8 v8_log1p(v8 value)
{
    v8 u = value + 1.0f;
    v8 d = v8_select(value < v8_set(1.0f), value - (u - 1.0f), 1.0f - (u - value));
    v8i bits = (v8i)u - 0x3f3504f3; /* √½ */
    v8i exponent = bits >> 23;
    v8 m = (v8)((bits & 0x7fffff) + 0x3f3504f3);
    v8i large = exponent > 100; /* d·2^−k is nothing there, and 2^−k would leave the range: zero */
    v8 power = (v8)(((127 - exponent) << 23) & ~large);
    v8 f = v8_fma(d, power, m - 1.0f);
    v8 k = __builtin_convertvector(exponent, v8);
    v8 l = v8_set(-0x1.455408p-4f);
    l = v8_fma(l, f, v8_set(0x1.02e384p-3f));
    l = v8_fma(l, f, v8_set(-0x1.0a1f2p-3f));
    l = v8_fma(l, f, v8_set(0x1.2311e2p-3f));
    l = v8_fma(l, f, v8_set(-0x1.54d09ep-3f));
    l = v8_fma(l, f, v8_set(0x1.999f48p-3f));
    l = v8_fma(l, f, v8_set(-0x1.0000cep-2f));
    l = v8_fma(l, f, v8_set(0x1.555554p-2f));
    v8 square = f * f;
    v8 rest = v8_fma(square * f, l, square * -0.5f);
    rest = v8_fma(k, v8_set(0x1.0bfbe8p-15f), rest);
    v8 result = v8_fma(k, v8_set(0x1.62ep-1f), rest + f);
    return v8_select(value == v8_set(__builtin_inff()), value, result);
}

#undef V8_INLINE
#endif
