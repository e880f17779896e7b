/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/value_parts.h"

enum { VECTOR = 28 };

static const int64_t DAY_MS = INT64_C(86400000), NOW_MS = INT64_C(1512144000000);

static struct shoal_value *bg_nbd(void)
{
    struct shoal_value *value = calloc(1, sizeof *value);
    cr_assert_not_null(value);
    *value = (struct shoal_value){
        .method = SHOAL_VALUE_BG_NBD,
        .horizon_ms = 30 * DAY_MS,
        .middle = 10,
        .high = 25,
        .buying = {0.25f, 4.5f, 0.75f, 2.5f},
        .spend = {6.25f, 3.75f, 15.5f},
        .newcomer = 0.5f,
    };
    return value;
}

static struct shoal_value *ziln(void)
{
    struct shoal_value *value = calloc(1, sizeof *value);
    size_t inputs = VECTOR + SHOAL_ZILN_PURCHASES;
    float *block = malloc(shoal_ziln_size(inputs) * sizeof *block);
    cr_assert(value && block);
    *value = (struct shoal_value){
        .method = SHOAL_VALUE_ZILN, .horizon_ms = 30 * DAY_MS, .middle = 10, .high = 25};
    shoal_ziln_place(&value->ziln, inputs, block);
    value->ziln.most = 500;
    for (size_t i = 0; i < shoal_ziln_size(inputs); i++)
        block[i] = (i >= inputs && i < 2 * inputs ? 1.0f : 0.0f) + 0.01f * (float)(i % 17);
    return value;
}

static struct shoal_purchases regular(void)
{
    struct shoal_purchases purchases = {0};
    for (int n = 0; n < 6; n++)
        shoal_purchases_add(&purchases, NOW_MS - (36 - 7 * n) * DAY_MS, 20);
    return purchases;
}

static enum shoal_status unpack(const struct shoal_buffer *bytes, size_t size,
                                struct shoal_value **value)
{
    struct shoal_unpack in;
    struct shoal_message why = {""};
    shoal_unpack_init(&in, bytes->bytes, size);
    enum shoal_status status = shoal_value_unpack(&in, VECTOR, value, &why);
    cr_assert(status == SHOAL_OK || status == SHOAL_DAMAGED);
    cr_assert_eq(status == SHOAL_DAMAGED, why.text[0] != '\0');
    if (status == SHOAL_OK)
        cr_assert_eq(in.position, size);
    return status;
}

static void assert_round_trip(struct shoal_value *value)
{
    float vector[VECTOR];
    for (size_t i = 0; i < VECTOR; i++)
        vector[i] = 0.1f * (float)i - 1;
    struct shoal_buffer bytes = {0}, again = {0};
    shoal_value_pack(value, &bytes);
    struct shoal_value *read;
    cr_assert_eq(unpack(&bytes, bytes.size, &read), SHOAL_OK);
    struct shoal_purchases purchases = regular(), none = {0};
    cr_assert_eq(shoal_value_expected(value, &purchases, NOW_MS, vector),
                 shoal_value_expected(read, &purchases, NOW_MS, vector));
    cr_assert_eq(shoal_value_expected(value, &none, NOW_MS, vector),
                 shoal_value_expected(read, &none, NOW_MS, vector));
    cr_assert_gt(shoal_value_expected(read, &purchases, NOW_MS, vector), 0.01f);
    cr_assert_eq(shoal_value_method(read), shoal_value_method(value));
    cr_assert_eq(shoal_value_horizon_ms(read), 30 * DAY_MS);
    shoal_value_pack(read, &again);
    cr_assert_eq(again.size, bytes.size);
    cr_assert_eq(memcmp(again.bytes, bytes.bytes, bytes.size), 0);
    shoal_value_destroy(read);
    shoal_value_destroy(value);
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&again);
}

Test(value, what_is_packed_is_read_back_and_serves_the_same)
{
    assert_round_trip(bg_nbd());
    assert_round_trip(ziln());
}

Test(value, a_model_without_it_has_nil)
{
    struct shoal_buffer bytes = {0};
    shoal_value_pack(NULL, &bytes);
    struct shoal_value *value;
    cr_assert_eq(unpack(&bytes, bytes.size, &value), SHOAL_OK);
    cr_assert_null(value);
    shoal_value_destroy(NULL);
    shoal_buffer_finish(&bytes);
}

static void assert_damaged(struct shoal_value *value)
{
    struct shoal_buffer bytes = {0};
    struct shoal_value *read;
    shoal_value_pack(value, &bytes);
    cr_assert_eq(unpack(&bytes, bytes.size, &read), SHOAL_DAMAGED);
    cr_assert_null(read);
    shoal_value_destroy(value);
    shoal_buffer_finish(&bytes);
}

Test(value, numbers_out_of_range_are_refused)
{
#define DAMAGED(make, field, with)                                                                 \
    do {                                                                                           \
        struct shoal_value *value = make();                                                        \
        value->field = with;                                                                       \
        assert_damaged(value);                                                                     \
    } while (0)
    DAMAGED(bg_nbd, buying.r, 0);
    DAMAGED(bg_nbd, buying.alpha, (double)NAN);
    DAMAGED(bg_nbd, buying.a, -1);
    DAMAGED(bg_nbd, buying.b, (double)INFINITY);
    DAMAGED(bg_nbd, spend.q, 1);
    DAMAGED(bg_nbd, spend.p, 0);
    DAMAGED(bg_nbd, spend.v, 0);
    DAMAGED(bg_nbd, newcomer, -1);
    DAMAGED(bg_nbd, middle, 0);
    DAMAGED(bg_nbd, middle, 25);
    DAMAGED(bg_nbd, high, INFINITY);
    DAMAGED(bg_nbd, horizon_ms, 0);
    DAMAGED(ziln, ziln.most, NAN);
    DAMAGED(ziln, ziln.mean[3], NAN);
    DAMAGED(ziln, ziln.deviation[VECTOR], 0);
    DAMAGED(ziln, ziln.weights[7], INFINITY);
    DAMAGED(ziln, high, NAN);
}

Test(value, no_cut_or_changed_byte_does_more_than_change_a_number)
{
    struct shoal_value *values[] = {bg_nbd(), ziln()};
    for (size_t n = 0; n < 2; n++) {
        struct shoal_buffer bytes = {0};
        struct shoal_value *read;
        shoal_value_pack(values[n], &bytes);
        for (size_t size = 0; size < bytes.size; size++)
            cr_assert_eq(unpack(&bytes, size, &read), SHOAL_DAMAGED, "cut at %zu", size);
        struct shoal_purchases purchases = regular();
        float vector[VECTOR] = {0};
        for (size_t i = 0; i < bytes.size; i++)
            for (int bit = 0; bit < 8; bit++) {
                bytes.bytes[i] ^= (uint8_t)(1 << bit);
                struct shoal_unpack in;
                shoal_unpack_init(&in, bytes.bytes, bytes.size);
                if (shoal_value_unpack(&in, VECTOR, &read, NULL) == SHOAL_OK && read) {
                    float expected = shoal_value_expected(read, &purchases, NOW_MS, vector);
                    cr_assert(expected >= 0 && isfinite(expected), "byte %zu bit %d: %g", i, bit,
                              (double)expected);
                }
                shoal_value_destroy(read);
                bytes.bytes[i] ^= (uint8_t)(1 << bit);
            }
        shoal_buffer_finish(&bytes);
        shoal_value_destroy(values[n]);
    }
}

Test(value, a_section_for_another_width_of_the_vector_is_refused)
{
    struct shoal_value *value = ziln(), *read;
    struct shoal_buffer bytes = {0};
    shoal_value_pack(value, &bytes);
    struct shoal_unpack in;
    shoal_unpack_init(&in, bytes.bytes, bytes.size);
    cr_assert_eq(shoal_value_unpack(&in, VECTOR + 1, &read, NULL), SHOAL_DAMAGED);
    shoal_value_destroy(value);
    shoal_buffer_finish(&bytes);
}

Test(value, expectations_are_finite_and_not_negative_for_any_record)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_C(1512144000000), INT64_MAX};
    static const float spends[] = {0, FLT_MIN, 1, 1e30f, FLT_MAX, INFINITY, NAN, -1};
    static const uint32_t occasions[] = {0, 1, 2, 1000, 1000000, UINT32_MAX};
    static const float edges[] = {0, -FLT_MAX, FLT_MAX, INFINITY, -INFINITY, NAN};
    struct shoal_value *values[] = {bg_nbd(), ziln(), bg_nbd(), bg_nbd()};
    values[2]->buying = (struct shoal_bgnbd){1e8, 1e-8, 1e-8, 1e8};
    values[2]->spend = (struct shoal_gamma_gamma){1e8, 1.00001, 1e30};
    values[3]->buying = (struct shoal_bgnbd){1e-8, 1e8, 1e8, 1e-8};
    for (size_t n = 0; n < 4; n++) {
        for (size_t i = 0; i < 6 * 6 * 6 * 8 * 6; i++) {
            size_t k = i;
            struct shoal_purchases purchases = {.occasions = occasions[k % 6]};
            purchases.first_ms = times[(k /= 6) % 6];
            purchases.last_ms = times[(k /= 6) % 6];
            purchases.spent = spends[(k /= 6) % 8];
            float vector[VECTOR];
            for (size_t j = 0; j < VECTOR; j++)
                vector[j] = edges[(i / 1728 + j) % 6];
            float expected = shoal_value_expected(values[n], &purchases, times[i % 5], vector);
            cr_assert(expected >= 0 && isfinite(expected), "case %zu of %zu: %g", i, n,
                      (double)expected);
        }
        shoal_value_destroy(values[n]);
    }
}

Test(value, who_bought_more_lately_and_paid_more_is_expected_to_spend_more)
{
    struct shoal_value *value = bg_nbd();
    struct shoal_purchases often = regular(), rich = regular(), once = {0}, none = {0};
    rich.spent *= 4;
    shoal_purchases_add(&once, NOW_MS - 36 * DAY_MS, 20);
    float usual = shoal_value_expected(value, &often, NOW_MS, NULL);
    cr_assert_gt(shoal_value_expected(value, &rich, NOW_MS, NULL), usual);
    cr_assert_gt(usual, shoal_value_expected(value, &once, NOW_MS, NULL));
    cr_assert_gt(usual, shoal_value_expected(value, &often, NOW_MS + 200 * DAY_MS, NULL));
    cr_assert_eq(shoal_value_expected(value, &none, NOW_MS, NULL), 0.5f);
    shoal_value_destroy(value);
}

Test(value, tiers_begin_at_their_thresholds)
{
    struct shoal_value *value = bg_nbd();
    cr_assert_eq(shoal_value_tier(value, 0), SHOAL_VALUE_LOW);
    cr_assert_eq(shoal_value_tier(value, 9.99f), SHOAL_VALUE_LOW);
    cr_assert_eq(shoal_value_tier(value, 10), SHOAL_VALUE_MIDDLE);
    cr_assert_eq(shoal_value_tier(value, 24.9f), SHOAL_VALUE_MIDDLE);
    cr_assert_eq(shoal_value_tier(value, 25), SHOAL_VALUE_HIGH);
    cr_assert_eq(shoal_value_threshold(value, SHOAL_VALUE_LOW), 0);
    cr_assert_eq(shoal_value_threshold(value, SHOAL_VALUE_MIDDLE), 10);
    cr_assert_eq(shoal_value_threshold(value, SHOAL_VALUE_HIGH), 25);
    shoal_value_destroy(value);
}
