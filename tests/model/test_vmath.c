/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/vmath.h"

/* The same source once more without AVX2: the portable form must give the same bits. */
#undef __AVX2__
#undef __FMA__
#define shoal_vexp portable_vexp
#define shoal_vsigmoid portable_vsigmoid
#define shoal_vtanh portable_vtanh
#define shoal_vexp2 portable_vexp2
#define shoal_vlog1p portable_vlog1p
#define shoal_dot portable_dot
float portable_dot(const float *a, const float *b, size_t count);
void portable_vexp(const float *in, float *out, size_t count);
void portable_vsigmoid(const float *in, float *out, size_t count);
void portable_vtanh(const float *in, float *out, size_t count);
void portable_vexp2(const float *in, float *out, size_t count);
void portable_vlog1p(const float *in, float *out, size_t count);
#include "model/vmath.c"
#undef shoal_vexp
#undef shoal_vsigmoid
#undef shoal_vtanh
#undef shoal_vexp2
#undef shoal_vlog1p
#undef shoal_dot

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static const struct function {
    const char *name;
    void (*fast)(const float *, float *, size_t);
    void (*portable)(const float *, float *, size_t);
    double (*exact)(double);
    int non_negative_only;
} functions[] = {
    {"exp", shoal_vexp, portable_vexp, exp, 0},
    {"sigmoid", shoal_vsigmoid, portable_vsigmoid, sigmoid, 0},
    {"tanh", shoal_vtanh, portable_vtanh, tanh, 0},
    {"exp2", shoal_vexp2, portable_vexp2, exp2, 0},
    {"log1p", shoal_vlog1p, portable_vlog1p, log1p, 1},
};

enum { FUNCTIONS = sizeof functions / sizeof functions[0], CHUNK = 4096 };

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Distance in units of the last place that a float near `exact` has. */
static double ulps(float got, double exact)
{
    float nearest = (float)exact;
    if (isinf(nearest) || isinf(got))
        return nearest == got ? 0 : fabs(exact) > 3.4e38 && fabs((double)got) > 3.4e38 ? 1 : 1e9;
    int exponent;
    frexp(exact, &exponent);
    double unit = ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
    return fabs((double)got - exact) / unit;
}

/* Every 97th float there is, of either sign: all magnitudes, subnormals included. */
static double worst_error(const struct function *f, float *where)
{
    static float in[CHUNK], out[CHUNK];
    double worst = 0;
    uint32_t bits = 0;
    for (int end = 0; !end;) {
        size_t count = 0;
        for (; count < CHUNK && !end; count++) {
            in[count] = from_bits(bits);
            end = bits > UINT32_MAX - 97;
            bits += 97;
            if (isnan(in[count]) || (f->non_negative_only && signbit(in[count])))
                count--;
        }
        f->fast(in, out, count);
        for (size_t i = 0; i < count; i++) {
            double error = ulps(out[i], f->exact((double)in[i]));
            if (!(error <= worst)) {
                worst = error;
                *where = in[i];
            }
        }
    }
    return worst;
}

Test(vmath, every_function_is_within_four_ulp_over_all_floats)
{
    for (int i = 0; i < FUNCTIONS; i++) {
        float where = 0;
        double worst = worst_error(&functions[i], &where);
        cr_log_info("%s: at most %.2f ULP, at %a", functions[i].name, worst, (double)where);
        cr_expect(worst <= 4.0, "%s: %.2f ULP at %a", functions[i].name, worst, (double)where);
    }
}

Test(vmath, special_values_go_where_they_should)
{
    float inf = INFINITY, in[4] = {inf, -inf, NAN, 0.0f}, out[4];
    const float expected[FUNCTIONS][4] = {
        {inf, 0, NAN, 1}, {1, 0, NAN, 0.5f}, {1, -1, NAN, 0}, {inf, 0, NAN, 1}, {inf, 0, NAN, 0},
    };
    for (int i = 0; i < FUNCTIONS; i++) {
        functions[i].fast(in, out, 4);
        for (int k = 0; k < 4; k++) {
            if (functions[i].non_negative_only && k == 1)
                continue;
            if (k == 2)
                cr_expect(isnan(out[k]), "%s(NaN) is %a", functions[i].name, (double)out[k]);
            else
                cr_expect_eq(out[k], expected[i][k], "%s(%g) is %a", functions[i].name,
                             (double)in[k], (double)out[k]);
        }
    }
    in[0] = -0.0f;
    shoal_vtanh(in, out, 1);
    cr_expect(signbit(out[0]));
}

/* Values over the range where the functions bend, then over all of it. */
static void fill(float *in, size_t count)
{
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        in[i] = i % 2 ? (float)(int32_t)(state >> 32) / 1e8f : from_bits((uint32_t)(state >> 32));
        if (isnan(in[i]))
            in[i] = 0.25f;
    }
}

Test(vmath, an_elements_bits_depend_neither_on_place_nor_on_length)
{
    float in[67], alone[67], out[67];
    fill(in, 67);
    for (int f = 0; f < FUNCTIONS; f++) {
        for (int i = 0; i < 67; i++) {
            if (functions[f].non_negative_only)
                in[i] = fabsf(in[i]);
            functions[f].fast(in + i, alone + i, 1);
        }
        for (size_t start = 0; start < 10; start++)
            for (size_t length = 0; start + length <= 67; length++) {
                functions[f].fast(in + start, out, length);
                cr_assert(!memcmp(out, alone + start, length * sizeof *out), "%s at %zu, %zu",
                          functions[f].name, start, length);
            }
        memcpy(out, in, sizeof in);
        functions[f].fast(out, out, 67);
        cr_assert(!memcmp(out, alone, sizeof out), "%s in place", functions[f].name);
    }
}

Test(vmath, nothing_is_written_past_the_end)
{
    for (int f = 0; f < FUNCTIONS; f++)
        for (size_t length = 0; length < 20; length++) {
            float in[21] = {0}, out[21];
            out[length] = 7;
            functions[f].fast(in, out, length);
            cr_assert_eq(out[length], 7);
        }
}

Test(vmath, the_portable_form_gives_the_same_bits)
{
    enum { COUNT = 100003 };
    static float in[COUNT], fast[COUNT], portable[COUNT];
    fill(in, COUNT);
    for (int f = 0; f < FUNCTIONS; f++) {
        if (functions[f].non_negative_only)
            for (size_t i = 0; i < COUNT; i++)
                in[i] = fabsf(in[i]);
        functions[f].fast(in, fast, COUNT);
        functions[f].portable(in, portable, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            cr_assert_eq(to_bits(fast[i]), to_bits(portable[i]), "%s(%a): %a, %a",
                         functions[f].name, (double)in[i], (double)fast[i], (double)portable[i]);
    }
}

Test(vmath, a_dot_product_adds_in_the_documented_order)
{
    float a[77], b[77];
    fill(a, 77);
    fill(b, 77);
    for (int i = 0; i < 77; i++) {
        a[i] = fmodf(a[i], 16);
        b[i] = fmodf(b[76 - i], 16);
    }
    for (size_t count = 0; count <= 77; count++) {
        float s[8] = {0};
        for (size_t i = 0; i < count; i++)
            s[i % 8] = fmaf(a[i], b[i], s[i % 8]);
        float expected = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
        float got = shoal_dot(a, b, count);
        cr_assert_eq(to_bits(got), to_bits(expected), "%zu: %a, %a", count, (double)got,
                     (double)expected);
        cr_assert_eq(to_bits(portable_dot(a, b, count)), to_bits(expected));
    }
}
