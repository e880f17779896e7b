/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random draws for synthetic data, in integer arithmetic only.
 *
 * The same seed must give the same bytes on every machine, under every compiler and libm. So
 * nothing here touches floating point: logarithms, powers and distributions are fixed point with
 * 16 fractional bits ("_q16"), good to about 1e-4, which is plenty for simulated habits.
 *
 * The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014): eight bytes of state, so that each of many actors can own one and
 * its draws do not depend on the order in which the actors are served. Not for secrets.
 */
#ifndef SHOAL_TOOLS_RANDOM_H
#define SHOAL_TOOLS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SHOAL_Q16_ONE = 1 << 16,
    SHOAL_Q16_LN2 = 45426, /* ln 2 */
};

struct shoal_random {
    uint64_t state;
};

/* Scrambles a number: neighbouring inputs give unrelated outputs. One to one. */
static inline uint64_t shoal_random_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The generator number `stream` of a seed. */
static inline struct shoal_random shoal_random_stream(uint64_t seed, uint64_t stream)
{
    uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t scrambled = shoal_random_mix(seed + golden);

    return (struct shoal_random){shoal_random_mix(scrambled ^ shoal_random_mix(stream + golden))};
}

static inline uint64_t shoal_random_next(struct shoal_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return shoal_random_mix(random->state);
}

/* Uniform in [0, bound); 0 for bound 0. The bias is below bound / 2^32. */
static inline uint32_t shoal_random_below(struct shoal_random *random, uint32_t bound)
{
    return (uint32_t)(((shoal_random_next(random) >> 32) * bound) >> 32);
}

/* True with a probability given in parts per million. */
static inline bool shoal_random_chance_ppm(struct shoal_random *random, uint32_t probability_ppm)
{
    return shoal_random_below(random, 1000000) < probability_ppm;
}

/* 2^x for |x| < 30, as a polynomial of the fraction; continuous at the whole numbers. */
static inline int64_t shoal_exp2_q16(int64_t x_q16)
{
    int64_t f = x_q16 & 0xffff;
    int64_t whole = (x_q16 - f) / SHOAL_Q16_ONE;
    int64_t y = 729;

    y = 3638 + ((y * f) >> 16);
    y = 15743 + ((y * f) >> 16);
    y = SHOAL_Q16_LN2 + ((y * f) >> 16);
    y = SHOAL_Q16_ONE + ((y * f) >> 16);
    if (whole >= 30)
        return y << 30;
    if (whole <= -30)
        return 0;
    return whole >= 0 ? y << whole : y >> -whole;
}

/* log2 of a whole number from 1 up, by repeated squaring; log2(0) is taken as 0. */
static inline int64_t shoal_log2_q16(uint64_t value)
{
    int64_t whole = 0;
    int64_t fraction = 0;
    uint64_t mantissa = value > 0 ? value : 1;

    while (whole < 63 && mantissa >> (whole + 1) != 0)
        whole++;
    mantissa = whole >= 31 ? mantissa >> (whole - 31) : mantissa << (31 - whole);
    for (int64_t bit = SHOAL_Q16_ONE / 2; bit > 0; bit /= 2) {
        mantissa = (mantissa * mantissa) >> 31;
        if (mantissa >> 32 != 0) {
            mantissa >>= 1;
            fraction += bit;
        }
    }
    return whole * SHOAL_Q16_ONE + fraction;
}

/* Standard normal, as the sum of twelve uniforms: never beyond +-6. */
static inline int64_t shoal_random_normal_q16(struct shoal_random *random)
{
    int64_t sum = 6 - 6 * (int64_t)SHOAL_Q16_ONE;

    for (int draw = 0; draw < 3; draw++) {
        uint64_t bits = shoal_random_next(random);
        for (int part = 0; part < 4; part++)
            sum += (int64_t)((bits >> (16 * part)) & 0xffff);
    }
    return sum;
}

/* Exponential with mean 1. */
static inline int64_t shoal_random_exponential_q16(struct shoal_random *random)
{
    uint64_t uniform = (shoal_random_next(random) >> 32) + 1; /* in (0, 2^32] */
    int64_t minus_log2_q16 = 32 * (int64_t)SHOAL_Q16_ONE - shoal_log2_q16(uniform);

    return (minus_log2_q16 * SHOAL_Q16_LN2) >> 16;
}

/*
 * Log-normal around a median, in the median's unit. The spread is the standard deviation of the
 * natural logarithm, in thousandths.
 */
static inline int64_t shoal_random_lognormal(struct shoal_random *random, int64_t median,
                                             int64_t sigma_milli)
{
    int64_t ln_q16 = shoal_random_normal_q16(random) * sigma_milli / 1000;

    return (median * shoal_exp2_q16(ln_q16 * SHOAL_Q16_ONE / SHOAL_Q16_LN2)) >> 16;
}

#endif
