/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/half.h"

/* The same source once more without F16C: both forms must give the same bits. */
#undef __F16C__
#define shoal_half_from_float portable_half_from_float
#define shoal_half_to_float portable_half_to_float
#define shoal_half_round portable_half_round
void portable_half_from_float(const float *values, uint16_t *halves, size_t count);
void portable_half_to_float(const uint16_t *halves, float *values, size_t count);
void portable_half_round(float *values, size_t count);
#include "model/half.c"
#undef shoal_half_from_float
#undef shoal_half_to_float
#undef shoal_half_round

enum { HALVES = 65536 };

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

Test(half, every_half_that_is_finite_survives_the_way_there_and_back)
{
    static uint16_t halves[HALVES], back[HALVES];
    static float values[HALVES];
    for (unsigned i = 0; i < HALVES; i++)
        halves[i] = (uint16_t)i;
    shoal_half_to_float(halves, values, HALVES);
    shoal_half_from_float(values, back, HALVES);
    for (unsigned i = 0; i < HALVES; i++) {
        if ((i & 0x7c00) == 0x7c00)
            continue;
        cr_assert_eq(back[i], halves[i], "%04x: %a, %04x", i, (double)values[i], back[i]);
        double exact = ldexp(i & 0x7c00 ? 0x400 + (i & 0x3ff) : i & 0x3ff,
                             (int)((i & 0x7c00) ? (i >> 10 & 31) : 1) - 25);
        cr_assert_eq((double)values[i], i & 0x8000 ? -exact : exact);
    }
}

Test(half, rounding_is_to_nearest_and_ties_go_to_even)
{
    float values[] = {1.0f + 0x1p-11f, 1.0f + 3 * 0x1p-11f, 1.0f + 0x1.002p-11f,
                      0x1p-25f,        0x1.8p-24f,          0x1.000002p-25f,
                      2047.5f,         -1.0f - 0x1p-11f,    0x1.ffcp-15f + 0x1p-25f};
    const float expected[] = {1.0f,     1.0f + 0x1p-9f, 1.0f + 0x1p-10f, 0.0f,    0x1p-23f,
                              0x1p-24f, 2048.0f,        -1.0f,           0x1p-14f};
    shoal_half_round(values, 9);
    for (int i = 0; i < 9; i++)
        cr_expect_eq(values[i], expected[i], "%d: %a", i, (double)values[i]);
}

Test(half, what_is_too_large_is_held_at_the_largest)
{
    float values[] = {65504.0f, 65519.9f, 65520.0f, 1e30f, INFINITY, -INFINITY, -70000.0f, NAN};
    shoal_half_round(values, 8);
    for (int i = 0; i < 7; i++)
        cr_expect_eq(fabsf(values[i]), 65504.0f, "%d: %a", i, (double)values[i]);
    cr_expect(values[5] < 0 && values[6] < 0);
    cr_expect(isnan(values[7]));
}

Test(half, rounding_twice_is_rounding_once)
{
    float once[1000], twice[1000];
    for (uint32_t i = 0; i < 1000; i++)
        once[i] = from_bits(i * 4294967u);
    shoal_half_round(once, 1000);
    memcpy(twice, once, sizeof once);
    shoal_half_round(twice, 1000);
    cr_assert(!memcmp(once, twice, sizeof once));
}

Test(half, the_portable_form_gives_the_same_bits)
{
    enum { COUNT = 4096 };
    static float values[COUNT], wide[COUNT], portable_wide[COUNT];
    static uint16_t halves[COUNT], portable[COUNT];
    uint32_t bits = 0;
    for (int round = 0; round < 2000; round++) { /* every 524th float, all kinds */
        for (int i = 0; i < COUNT; i++, bits += 524)
            values[i] = from_bits(bits);
        shoal_half_from_float(values, halves, COUNT);
        portable_half_from_float(values, portable, COUNT);
        for (int i = 0; i < COUNT; i++)
            cr_assert_eq(halves[i], portable[i], "%a: %04x, %04x", (double)values[i], halves[i],
                         portable[i]);
    }
    for (int start = 0; start < HALVES; start += COUNT) {
        for (int i = 0; i < COUNT; i++)
            halves[i] = (uint16_t)(start + i);
        shoal_half_to_float(halves, wide, COUNT);
        portable_half_to_float(halves, portable_wide, COUNT);
        cr_assert(!memcmp(wide, portable_wide, sizeof wide));
    }
}

Test(half, any_length_gives_the_same_bits_and_nothing_beyond_is_written)
{
    float values[41];
    uint16_t all[41], part[42];
    for (uint32_t i = 0; i < 41; i++)
        values[i] = sinf((float)i) * 3;
    shoal_half_from_float(values, all, 41);
    for (size_t length = 0; length <= 41; length++) {
        float wide[42], rounded[42];
        part[length] = 0xabcd;
        wide[length] = rounded[length] = 7;
        shoal_half_from_float(values, part, length);
        shoal_half_to_float(part, wide, length);
        memcpy(rounded, values, length * sizeof *values);
        shoal_half_round(rounded, length);
        cr_assert(!memcmp(part, all, length * sizeof *part));
        cr_assert(!memcmp(rounded, wide, length * sizeof *wide));
        cr_assert(part[length] == 0xabcd && wide[length] == 7 && rounded[length] == 7);
    }
}
