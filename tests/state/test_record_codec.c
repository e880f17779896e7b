/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "state/record_bytes.h"
#include "tests/state/leaks.h"
#include "tests/state/random_record.h"

enum { H = 64, RECORDS = 3000 };

static struct shoal_record make(uint32_t hidden, float *hc)
{
    struct shoal_record record;
    shoal_record_init(&record, hidden, hc);
    return record;
}

static void round_trip(enum shoal_precision precision)
{
    float hc[2 * H], back_hc[2 * H];
    struct shoal_record record = make(H, hc), back = make(H, back_hc);
    struct shoal_buffer bytes = {0}, again = {0};
    uint64_t seed = 1;
    for (int i = 0; i < RECORDS; i++) {
        test_random_record(&record, &seed, precision);
        shoal_buffer_clear(&bytes);
        shoal_buffer_clear(&again);
        shoal_record_encode(&record, precision, &bytes);
        cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK, "record %d", i);
        cr_assert(test_same_record(&record, &back), "record %d", i);
        shoal_record_encode(&back, precision, &again);
        cr_assert_eq(again.size, bytes.size);
        cr_assert_eq(memcmp(again.bytes, bytes.bytes, bytes.size), 0, "record %d", i);
    }
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&again);
}

Test(record_codec, any_record_comes_back_bit_for_bit_in_halves)
{
    round_trip(SHOAL_FP16);
    test_no_leaks();
}

Test(record_codec, any_record_comes_back_bit_for_bit_in_floats)
{
    round_trip(SHOAL_FP32);
    test_no_leaks();
}

Test(record_codec, empty_record_comes_back)
{
    float hc[2 * H], back_hc[2 * H];
    struct shoal_record record = make(H, hc), back = make(H, back_hc);
    struct shoal_buffer bytes = {0};
    shoal_record_encode(&record, SHOAL_FP16, &bytes);
    memset(&back.ring, 7, sizeof back.ring);
    back.grants_count = 9;
    cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK);
    cr_assert(test_same_record(&record, &back));
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(record_codec, most_usual_records_fit_the_512_byte_class_of_redis)
{
    float hc[2 * H];
    struct shoal_record record = make(H, hc);
    struct shoal_buffer bytes = {0};
    uint64_t seed = 5;
    size_t total = 0, over = 0;
    for (int i = 0; i < RECORDS; i++) {
        test_usual_record(&record, &seed);
        shoal_buffer_clear(&bytes);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        total += bytes.size;
        over += bytes.size > 506;
    }
    cr_log_info("mean %zu bytes, %zu of %d over 506", total / RECORDS, over, RECORDS);
    cr_assert_lt(total / RECORDS, 505);
    cr_assert_lt(over, RECORDS / 3);
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(record_codec, shape_is_read_without_a_model)
{
    float hc[2 * H];
    struct shoal_buffer bytes = {0};
    uint64_t seed = 3;
    struct shoal_record record = make(32, hc);
    uint32_t hidden;
    enum shoal_precision precision;
    test_random_record(&record, &seed, SHOAL_FP16);
    shoal_record_encode(&record, SHOAL_FP32, &bytes);
    cr_assert_eq(shoal_record_shape(bytes.bytes, bytes.size, &hidden, &precision), SHOAL_OK);
    cr_assert_eq(hidden, 32);
    cr_assert_eq(precision, SHOAL_FP32);
    shoal_buffer_clear(&bytes);
    shoal_record_encode(&record, SHOAL_FP16, &bytes);
    cr_assert_eq(shoal_record_shape(bytes.bytes, bytes.size, &hidden, &precision), SHOAL_OK);
    cr_assert_eq(hidden, 32);
    cr_assert_eq(precision, SHOAL_FP16);
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

/* 32 units as floats take the bytes of 64 as halves: they must not be taken for them. */
Test(record_codec, state_of_another_size_is_dropped_and_the_rest_kept)
{
    float hc[2 * H], back_hc[2 * H];
    struct shoal_record record = make(32, hc), back = make(H, back_hc);
    struct shoal_buffer bytes = {0};
    uint64_t seed = 3;
    for (enum shoal_precision precision = SHOAL_FP16; precision <= SHOAL_FP32; precision++) {
        test_random_record(&record, &seed, SHOAL_FP32);
        record.model = 77;
        shoal_buffer_clear(&bytes);
        shoal_record_encode(&record, precision, &bytes);
        cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK);
        cr_assert_eq(back.model, 0);
        cr_assert_eq(back.hidden, H);
        for (size_t i = 0; i < 2 * H; i++)
            cr_assert_eq(back_hc[i], 0);
        cr_assert_eq(back.offset, record.offset);
        cr_assert_eq(back.ring_count, record.ring_count);
        cr_assert_eq(back.grants_count, record.grants_count);
    }
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(record_codec, every_truncation_is_damaged_and_leaves_an_empty_record)
{
    float hc[2 * H], back_hc[2 * H], empty_hc[2 * H];
    struct shoal_record record = make(H, hc), back = make(H, back_hc), empty = make(H, empty_hc);
    struct shoal_buffer bytes = {0};
    uint64_t seed = 11;
    for (int i = 0; i < 5; i++) {
        test_random_record(&record, &seed, SHOAL_FP16);
        shoal_buffer_clear(&bytes);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        for (size_t size = 0; size < bytes.size; size++) {
            /* In memory of its own size, for the address sanitizer. */
            uint8_t *cut = malloc(size ? size : 1);
            memcpy(cut, bytes.bytes, size);
            cr_assert_eq(shoal_record_decode(&back, cut, size), SHOAL_DAMAGED, "size %zu", size);
            cr_assert(test_same_record(&back, &empty));
            free(cut);
        }
        shoal_buffer_append(&bytes, "", 1);
        cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_DAMAGED);
    }
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(record_codec, unknown_version_is_told_apart_from_damage)
{
    float hc[2 * H];
    struct shoal_record record = make(H, hc);
    struct shoal_buffer bytes = {0};
    uint32_t hidden;
    enum shoal_precision precision;
    shoal_record_encode(&record, SHOAL_FP16, &bytes);
    cr_assert_eq(bytes.bytes[1], 4);
    bytes.bytes[1] = 1;
    cr_assert_eq(shoal_record_decode(&record, bytes.bytes, bytes.size), SHOAL_VERSION);
    cr_assert_eq(shoal_record_shape(bytes.bytes, bytes.size, &hidden, &precision), SHOAL_VERSION);
    bytes.bytes[1] = 0xc0;
    cr_assert_eq(shoal_record_decode(&record, bytes.bytes, bytes.size), SHOAL_DAMAGED);
    cr_assert_eq(shoal_record_decode(&record, "hello", 5), SHOAL_DAMAGED);
    cr_assert_eq(shoal_record_decode(&record, "\x92\x07\x01", 3), SHOAL_VERSION);
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

static void expect_refused(const struct shoal_record *record, const char *what)
{
    float hc[2 * H];
    struct shoal_record back = make(H, hc);
    struct shoal_buffer bytes = {0};
    shoal_record_encode(record, SHOAL_FP32, &bytes);
    cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_DAMAGED, "%s", what);
    shoal_buffer_finish(&bytes);
}

Test(record_codec, values_out_of_range_are_refused)
{
    float hc[2 * H];
    struct shoal_record good = make(H, hc), bad;
    good.last_ms = 1000000;
    bad = good, bad.score = 1.5f, expect_refused(&bad, "score");
    bad = good, bad.score = NAN, expect_refused(&bad, "score not a number");
    bad = good, bad.counters[3] = -1, expect_refused(&bad, "counter");
    bad = good, bad.counters[3] = INFINITY, expect_refused(&bad, "counter without end");
    bad = good, bad.offset = -2, expect_refused(&bad, "offset");
    bad = good, bad.last_ms = SHOAL_TIME_MAX_MS + 1, expect_refused(&bad, "last");
    bad = good, bad.first_ms = bad.last_ms + 1, expect_refused(&bad, "first");
    bad = good, bad.first_ms = -1, expect_refused(&bad, "first before 1970");
    bad = good, bad.standings[1].level = 1, bad.standings[1].since_ms = -5000;
    expect_refused(&bad, "since");
    bad = good, bad.timer_ms = -5000, expect_refused(&bad, "timer");
    bad = good, bad.purchases.occasions = 2, bad.purchases.last_ms = 5000;
    bad.purchases.first_ms = 6000, expect_refused(&bad, "first purchase after the last");
    bad.purchases.first_ms = 4000, bad.purchases.spent = -1, expect_refused(&bad, "spent");
    bad = good, bad.grants_count = 1, bad.grants[0].last_ms = -5, expect_refused(&bad, "grant");
    bad = good, bad.ring_count = 1, bad.ring[0].time_ms = -5000, expect_refused(&bad, "touch");
    hc[5] = NAN;
    expect_refused(&good, "state");
    test_no_leaks();
}

/* Flips every bit of a record: whatever is accepted must encode to bytes that are accepted and mean
 * the same. */
Test(record_codec, every_flipped_bit_is_refused_or_gives_a_sound_record)
{
    float hc[2 * H], back_hc[2 * H], again_hc[2 * H];
    struct shoal_record record = make(H, hc), back = make(H, back_hc), again = make(H, again_hc);
    struct shoal_buffer bytes = {0}, canonical = {0};
    uint64_t seed = 23;
    test_random_record(&record, &seed, SHOAL_FP16);
    shoal_record_encode(&record, SHOAL_FP16, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (shoal_record_decode(&back, bytes.bytes, bytes.size) == SHOAL_OK) {
            shoal_buffer_clear(&canonical);
            shoal_record_encode(&back, SHOAL_FP16, &canonical);
            cr_assert_eq(shoal_record_decode(&again, canonical.bytes, canonical.size), SHOAL_OK);
            cr_assert(test_same_record(&back, &again), "bit %zu", bit);
        }
        bytes.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&canonical);
    test_no_leaks();
}

/* ---- standings and clocks (record_standings.c) ----------------------------------------------------- */

static const int64_t LAST_SECOND = SHOAL_TIME_MAX_MS / 1000 * 1000;

/* Every level of every dimension, since every kind of time, before and after the last event. */
Test(record_codec, every_standing_comes_back)
{
    float hc[2 * H], back_hc[2 * H];
    struct shoal_record record = make(H, hc), back = make(H, back_hc);
    struct shoal_buffer bytes = {0};
    const int64_t times[] = {0, 1000, 1512000000000, 1512000001000, LAST_SECOND};
    const int64_t lasts[] = {0, 1512000000999, SHOAL_TIME_MAX_MS};
    for (unsigned i = 0; i < 255 * 15; i++) {
        unsigned dimension = i % SHOAL_DIMENSIONS_MAX, other = i / 7 % SHOAL_DIMENSIONS_MAX;
        memset(record.standings, 0, sizeof record.standings);
        record.last_ms = lasts[i % 3];
        record.standings[other] = (struct shoal_standing){(uint8_t)(1 + i % 9), times[i / 15 % 5]};
        record.standings[dimension] = (struct shoal_standing){(uint8_t)(1 + i / 15), times[i % 5]};
        shoal_buffer_clear(&bytes);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK, "%u", i);
        cr_assert(test_same_record(&record, &back), "%u", i);
    }
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

Test(record_codec, clocks_come_back_from_both_ends_of_time)
{
    float hc[2 * H], back_hc[2 * H];
    struct shoal_record record = make(H, hc), back = make(H, back_hc);
    struct shoal_buffer bytes = {0};
    const int64_t times[] = {0, 1000, 1512000000000, LAST_SECOND};
    const uint32_t occasions[] = {0, 1, 2, 127, 128, UINT32_MAX};
    for (unsigned i = 0; i < 4 * 4 * 4 * 4 * 6; i++) {
        record.last_ms = i % 2 ? SHOAL_TIME_MAX_MS : 0;
        record.timer_ms = times[i % 4];
        record.cart_ms = times[i / 4 % 4];
        record.purchases = (struct shoal_purchases){.occasions = occasions[i / 256]};
        if (record.purchases.occasions) {
            record.purchases.last_ms = times[i / 16 % 4];
            record.purchases.first_ms = times[i / 64 % 4];
            if (record.purchases.first_ms > record.purchases.last_ms)
                record.purchases.first_ms = record.purchases.last_ms;
        }
        if (record.purchases.occasions > 1)
            record.purchases.spent = 1e30f;
        shoal_buffer_clear(&bytes);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK, "%u", i);
        cr_assert(test_same_record(&record, &back), "%u", i);
    }
    shoal_buffer_finish(&bytes);
    test_no_leaks();
}

typedef void decode_field(struct shoal_unpack *reader, struct shoal_record *record);

static bool accepts(decode_field *decode, const char *bytes, size_t size)
{
    float hc[2 * H];
    struct shoal_record record = make(H, hc);
    struct shoal_buffer packed = {0};
    struct shoal_unpack reader;
    record.last_ms = 1512000000000;
    shoal_pack_bin(&packed, bytes, size);
    shoal_unpack_init(&reader, packed.bytes, packed.size);
    decode(&reader, &record);
    bool accepted = reader.status == SHOAL_OK;
    shoal_buffer_finish(&packed);
    return accepted;
}

/* What encode never writes has no second spelling. */
Test(record_codec, standings_have_one_spelling)
{
    decode_field *decode = record_decode_standings;
    cr_assert(accepts(decode, "\0\0\0\0", 4));
    cr_assert(accepts(decode, "\1\0\0\0\1", 5));
    cr_assert(accepts(decode, "\7\0\0\0\7\1", 6));
    cr_assert(accepts(decode, "\1\0\0\0\0", 5), "level 1 since the beginning of time");
    cr_assert_not(accepts(decode, "", 0));
    cr_assert_not(accepts(decode, "\0\0\0", 3), "too few levels");
    cr_assert_not(accepts(decode, "\0\0\0\x40", 4), "an eleventh dimension");
    cr_assert_not(accepts(decode, "\0\0\0\0\0", 5), "a byte too many");
    cr_assert_not(accepts(decode, "\1\0\0\0", 4), "no time");
    cr_assert_not(accepts(decode, "\1\0\0\0\x81", 5), "half a time");
    cr_assert_not(accepts(decode, "\1\0\0\0\x81\x00", 6), "a time longer than need be");
    cr_assert_not(accepts(decode, "\7\0\0\0\6\1", 6), "level 6 behind a 7");
    cr_assert_not(accepts(decode, "\7\0\0\0", 4), "no level behind a 7");
    cr_assert_not(accepts(decode, "\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\x7f", 12),
                  "a time beyond all");
    cr_assert_not(accepts(decode, "\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14),
                  "a time of 64 bits");
}

Test(record_codec, clocks_have_one_spelling)
{
    decode_field *decode = record_decode_clocks;
    cr_assert(accepts(decode, "\0\0\0", 3));
    cr_assert(accepts(decode, "\0\0\1\1\1", 5));
    cr_assert(accepts(decode, "\0\0\2\1\3\0\0\0\0", 9));
    cr_assert_not(accepts(decode, "", 0));
    cr_assert_not(accepts(decode, "\0\0", 2), "no purchases");
    cr_assert_not(accepts(decode, "\0\0\0\0", 4), "a byte too many");
    cr_assert_not(accepts(decode, "\0\0\1\1", 4), "no first purchase");
    cr_assert_not(accepts(decode, "\0\0\1\1\2", 5), "the first purchase after the last");
    cr_assert_not(accepts(decode, "\0\0\1\1\1\0\0\0\0", 9), "one purchase with a sum");
    cr_assert_not(accepts(decode, "\0\0\2\1\3\0\0\0", 8), "a sum cut short");
    cr_assert_not(accepts(decode, "\0\0\2\1\3\0\0\x80\x7f", 9), "an infinite sum");
    cr_assert_not(accepts(decode, "\0\0\2\1\3\0\0\x80\xbf", 9), "a negative sum");
    cr_assert_not(accepts(decode, "\0\0\x80\x80\x80\x80\x10\1\1", 9), "2^32 days");
    cr_assert_not(accepts(decode, "\0\0\x82\x80\x80\x80\x10\1\3\0\0\0\0", 13), "2^32 + 2 days");
}
