/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stream/encode.h"

static struct shoal_buffer out;
static struct shoal_encoder e;

static void begin(enum shoal_encode_format format)
{
    shoal_buffer_clear(&out);
    shoal_encode_init(&e, format, &out);
}

static void is(const char *text)
{
    cr_assert_eq(out.size, strlen(text), "got: %.*s", (int)out.size, (const char *)out.bytes);
    cr_assert_eq(memcmp(out.bytes, text, out.size), 0, "got: %.*s", (int)out.size,
                 (const char *)out.bytes);
}

Test(encode, commas_stand_between_values_only)
{
    begin(SHOAL_ENCODE_JSON);
    shoal_encode_map(&e, 4);
    SHOAL_ENCODE_KEY(&e, "a");
    shoal_encode_array(&e, 3);
    shoal_encode_int(&e, -1);
    shoal_encode_map(&e, 0);
    shoal_encode_map_end(&e);
    shoal_encode_array(&e, 0);
    shoal_encode_array_end(&e);
    shoal_encode_array_end(&e);
    SHOAL_ENCODE_KEY(&e, "b");
    shoal_encode_null(&e);
    SHOAL_ENCODE_KEY(&e, "c");
    shoal_encode_bool(&e, true);
    SHOAL_ENCODE_KEY(&e, "d");
    shoal_encode_bool(&e, false);
    shoal_encode_map_end(&e);
    is("{\"a\":[-1,{},[]],\"b\":null,\"c\":true,\"d\":false}");
}

Test(encode, text_is_escaped_where_json_asks_for_it_and_nowhere_else)
{
    begin(SHOAL_ENCODE_JSON);
    shoal_encode_str(&e, "a\"b\\c/\b\t\n\f\r\x01\x1f\x7f\xc3\xa9", 16);
    is("\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\xc3\xa9\"");
    begin(SHOAL_ENCODE_JSON);
    shoal_encode_str(&e, "x\0y", 3);
    is("\"x\\u0000y\"");
    begin(SHOAL_ENCODE_JSON);
    shoal_encode_name(&e, NULL);
    is("null");
}

/* Every byte at every place of an eight-byte group, against the plain rule. */
Test(encode, escapes_are_found_at_every_place)
{
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 24; place++) {
            char text[25] = "abcdefghijklmnopqrstuvwx", wanted[64];
            text[place] = (char)byte;
            const char *shorts = "\bb\tt\nn\ff\rr\"\"\\\\";
            const char *pair = byte ? strchr(shorts, byte) : NULL;
            char middle[8];
            bool is_short = byte == '"' || byte == '\\' || (byte < 0x20 && pair);
            if (is_short)
                snprintf(middle, sizeof middle, "\\%c", pair[1]);
            else if (byte < 0x20)
                snprintf(middle, sizeof middle, "\\u%04x", (unsigned)byte);
            else
                snprintf(middle, sizeof middle, "%c", byte);
            snprintf(wanted, sizeof wanted, "\"%.*s%s%s\"", (int)place, text, middle,
                     "abcdefghijklmnopqrstuvwx" + place + 1);
            begin(SHOAL_ENCODE_JSON);
            shoal_encode_str(&e, text, 24);
            is(wanted);
        }
    }
}

Test(encode, scores_are_what_printf_makes_of_every_float)
{
    char text[64];
    for (uint32_t i = 0; i < 2000000; i += 7) {
        float score = (float)i / 2000000.0f;
        begin(SHOAL_ENCODE_JSON);
        shoal_encode_score(&e, (double)score);
        snprintf(text, sizeof text, "%.6f", (double)score);
        is(text);
    }
    const double others[] = {0, 1, 0.0000005, 0.5, 1e-7, 123456.789, -0.25};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        begin(SHOAL_ENCODE_JSON);
        shoal_encode_score(&e, (double)(float)others[i]);
        snprintf(text, sizeof text, "%.6f", (double)(float)others[i]);
        is(text);
    }
}

Test(encode, a_score_that_is_no_number_is_null)
{
    const double none[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 1e300};
    for (size_t i = 0; i < 4; i++) {
        begin(SHOAL_ENCODE_JSON);
        shoal_encode_score(&e, none[i]);
        is("null");
    }
}

Test(encode, integers_times_and_durations_are_printed)
{
    const int64_t numbers[] = {0, 9, 10, 99, 100, 12345, INT64_MAX, INT64_MIN, -7};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[32];
        begin(SHOAL_ENCODE_JSON);
        shoal_encode_int(&e, numbers[i]);
        snprintf(text, sizeof text, "%lld", (long long)numbers[i]);
        is(text);
    }
    begin(SHOAL_ENCODE_JSON);
    shoal_encode_time(&e, INT64_C(1512172800000));
    is("\"2017-12-02T00:00:00.000Z\"");
    begin(SHOAL_ENCODE_JSON);
    shoal_encode_duration(&e, 7980000);
    is("\"2h13m\"");
}

Test(encode, messagepack_says_the_same)
{
    begin(SHOAL_ENCODE_MSGPACK);
    shoal_encode_map(&e, 2);
    SHOAL_ENCODE_KEY(&e, "to");
    shoal_encode_str(&e, "h\"t", 3);
    SHOAL_ENCODE_KEY(&e, "s");
    shoal_encode_score(&e, (double)0.2314159f);
    shoal_encode_map_end(&e);
    struct shoal_unpack reader;
    size_t size;
    shoal_unpack_init(&reader, out.bytes, out.size);
    cr_assert_eq(shoal_unpack_map(&reader, 9), 2);
    cr_assert_eq(memcmp(shoal_unpack_str(&reader, &size), "to", 2), 0);
    cr_assert_eq(size, 2);
    cr_assert_eq(memcmp(shoal_unpack_str(&reader, &size), "h\"t", 3), 0);
    shoal_unpack_skip(&reader);
    cr_assert_eq(shoal_unpack_double(&reader), 0.231416, "six decimals, as in JSON");
    cr_assert_eq(reader.position, out.size);
    cr_assert_eq(reader.status, SHOAL_OK);
}
