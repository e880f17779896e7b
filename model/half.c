/* SPDX-License-Identifier: Apache-2.0 */
/* Half precision, by the processor's F16C where it is compiled in, by integers elsewhere; both give
 * the same bits, NaNs included (test_half.c compares them with the compiler's own conversion).
 *
 *   half    s eeeee mmmmmmmmmm               bias 15
 *   float   s eeeeeeee mmmmmmmmmm mmm…       bias 127; 13 more bits of mantissa */
#include "model/half.h"

#include <string.h>

#if defined(__F16C__) && defined(__AVX__)
#include <immintrin.h>
#endif

enum { WIDTH = 8 };

#define HALF_MAX 65504.0f

#if defined(__F16C__) && defined(__AVX__)

static void narrow8(const float *values, uint16_t *halves)
{
    /* min and max give their second operand when one is a NaN. */
    __m256 v = _mm256_loadu_ps(values);
    v = _mm256_min_ps(_mm256_set1_ps(HALF_MAX), v);
    v = _mm256_max_ps(_mm256_set1_ps(-HALF_MAX), v);
    __m128i h = _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    memcpy(halves, &h, sizeof h);
}

static void widen8(const uint16_t *halves, float *values)
{
    __m128i h;
    memcpy(&h, halves, sizeof h);
    _mm256_storeu_ps(values, _mm256_cvtph_ps(h));
}

#else

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint16_t narrow(float value)
{
    uint32_t bits = float_bits(value), sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    if (bits > 0x7f800000) /* NaN, made quiet */
        return (uint16_t)(sign | 0x7e00 | (bits >> 13 & 0x3ff));
    if (bits > float_bits(HALF_MAX))
        bits = float_bits(HALF_MAX);
    if (bits < 0x38800000) {
        /* Below 2^−14: adding ½ leaves the subnormal's mantissa, rounded to even, in the low bits.
         */
        return (uint16_t)(sign | (float_bits(bits_float(bits) + 0.5f) - 0x3f000000));
    }
    bits += 0xfff + (bits >> 13 & 1); /* to nearest, ties to even; a carry moves the exponent */
    return (uint16_t)(sign | ((bits - 0x38000000) >> 13));
}

static float widen(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
    if (rest > 0x7c00) /* NaN, made quiet */
        return bits_float(sign | 0x7fc00000 | rest << 13);
    if (rest == 0x7c00)
        return bits_float(sign | 0x7f800000);
    if (rest < 0x0400) /* subnormal: mantissa·2^−24 */
        return bits_float(sign | float_bits((float)rest * 0x1p-24f));
    return bits_float(sign | ((rest << 13) + 0x38000000));
}

static void narrow8(const float *values, uint16_t *halves)
{
    for (int i = 0; i < WIDTH; i++)
        halves[i] = narrow(values[i]);
}

static void widen8(const uint16_t *halves, float *values)
{
    for (int i = 0; i < WIDTH; i++)
        values[i] = widen(halves[i]);
}

#endif

void shoal_half_from_float(const float *values, uint16_t *halves, size_t count)
{
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH)
        narrow8(values + i, halves + i);
    if (i < count) {
        float tail[WIDTH] = {0};
        uint16_t narrowed[WIDTH];
        memcpy(tail, values + i, (count - i) * sizeof *values);
        narrow8(tail, narrowed);
        memcpy(halves + i, narrowed, (count - i) * sizeof *halves);
    }
}

void shoal_half_to_float(const uint16_t *halves, float *values, size_t count)
{
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH)
        widen8(halves + i, values + i);
    if (i < count) {
        uint16_t tail[WIDTH] = {0};
        float widened[WIDTH];
        memcpy(tail, halves + i, (count - i) * sizeof *halves);
        widen8(tail, widened);
        memcpy(values + i, widened, (count - i) * sizeof *values);
    }
}

void shoal_half_round(float *values, size_t count)
{
    uint16_t halves[WIDTH];
    size_t i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        narrow8(values + i, halves);
        widen8(halves, values + i);
    }
    shoal_half_from_float(values + i, halves, count - i);
    shoal_half_to_float(halves, values + i, count - i);
}
