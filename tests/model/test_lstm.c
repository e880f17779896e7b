/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/lstm.h"
#include "tests/model/tiny_model.h"

enum { B = 9, H = 24 };

static float gates[B * 4 * H], bias[4 * H], c[B * H], tanh_c[B * H], h[B * H];

static void fill(void)
{
    uint64_t state = 5;
    for (int i = 0; i < B * 4 * H; i++)
        gates[i] = 4 * tiny_random(&state);
    for (int i = 0; i < 4 * H; i++)
        bias[i] = tiny_random(&state);
    for (int i = 0; i < B * H; i++)
        c[i] = 2 * tiny_random(&state);
}

TestSuite(lstm, .init = fill);

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

Test(lstm, the_cell_computes_the_equations)
{
    double z[4], worst = 0;
    static float before[B * 4 * H], c_before[B * H];
    memcpy(before, gates, sizeof gates);
    memcpy(c_before, c, sizeof c);
    shoal_lstm_cell(B, H, gates, bias, c, H, tanh_c, h, H);
    for (int b = 0; b < B; b++)
        for (int j = 0; j < H; j++) {
            for (int g = 0; g < 4; g++)
                z[g] = (double)before[b * 4 * H + g * H + j] + (double)bias[g * H + j];
            double c_next =
                sigmoid(z[1]) * (double)c_before[b * H + j] + sigmoid(z[0]) * tanh(z[2]);
            double expected[7] = {sigmoid(z[0]),
                                  sigmoid(z[1]),
                                  tanh(z[2]),
                                  sigmoid(z[3]),
                                  c_next,
                                  tanh(c_next),
                                  sigmoid(z[3]) * tanh(c_next)};
            const float *row = gates + b * 4 * H + j;
            float got[7] = {row[0],      row[H],       row[2 * H],
                            row[3 * H],  c[b * H + j], tanh_c[b * H + j],
                            h[b * H + j]};
            for (int i = 0; i < 7; i++)
                worst = fmax(worst, fabs((double)got[i] - expected[i]));
        }
    cr_expect(worst < 1e-6, "off by %g", worst);
}

Test(lstm, a_row_has_the_same_bits_alone_and_with_other_strides)
{
    static float gates_alone[4 * H], all[B * 4 * H], wide[B * (2 * H)], c_start[B * H];
    memcpy(all, gates, sizeof gates);
    memcpy(c_start, c, sizeof c);
    shoal_lstm_cell(B, H, gates, bias, c, H, tanh_c, h, H);
    for (int b = 0; b < B; b++) {
        float t[H], *c_row = wide + b * 2 * H, *h_row = c_row + H;
        memcpy(c_row, c_start + b * H, H * sizeof *c_row);
        memcpy(gates_alone, all + b * 4 * H, sizeof gates_alone);
        shoal_lstm_cell(1, H, gates_alone, bias, c_row, 1, t, h_row, 1);
        cr_assert(!memcmp(gates_alone, gates + b * 4 * H, sizeof gates_alone));
        cr_assert(!memcmp(c_row, c + b * H, H * sizeof *c_row));
        cr_assert(!memcmp(h_row, h + b * H, H * sizeof *h_row));
        cr_assert(!memcmp(t, tanh_c + b * H, sizeof t));
        memcpy(c_row, c_start + b * H, H * sizeof *c_row);
    }
    static float t[B * H];
    shoal_lstm_cell(B, H, all, bias, wide, 2 * H, t, wide + H, 2 * H);
    for (int b = 0; b < B; b++) {
        cr_assert(!memcmp(wide + b * 2 * H, c + b * H, H * sizeof *c));
        cr_assert(!memcmp(wide + b * 2 * H + H, h + b * H, H * sizeof *h));
    }
}

Test(lstm, extreme_pre_activations_saturate_and_stay_finite)
{
    for (int i = 0; i < B * 4 * H; i++)
        gates[i] = i % 2 ? 1e30f : -1e30f;
    shoal_lstm_cell(B, H, gates, bias, c, H, tanh_c, h, H);
    for (int i = 0; i < B * H; i++)
        cr_assert(isfinite(c[i]) && fabsf(h[i]) <= 1);
}
