/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "state/record.h"
#include "tests/state/leaks.h"
#include "tests/state/random_record.h"

enum { H = 16 };

Test(record_print, line_has_every_field_in_its_place)
{
    float hc[4] = {1.0f, -2.0f, 0.5f, 0.0f};
    struct shoal_record record = {
        .model = 0xc0ffee,
        .offset = 17,
        .first_ms = 1512000000123,
        .last_ms = 1512086400456,
        .events_count = 5,
        .score = 0.125f,
        .counters = {0.5f, 1.75f, 2, [11] = 0.1f},
        .ring_count = 1,
        .ring = {{.time_ms = 1512086400000,
                  .item = 0x89abcdef,
                  .category = 0x12,
                  .behavior = 3,
                  .price_level = 9}},
        .ids_count = 1,
        .ids = {0x123456789abcdef},
        .standings = {{2, 1512000000000}, {0, 0}, {1, 7}},
        .timer_ms = 1512090000000,
        .purchases = {2, 1512000000000, 1512086400000, 12.5f},
        .grants_count = 1,
        .grants =
            {{.promotion = 0xab,
              .eligible = true,
              .open = true,
              .count = 2,
              .last_ms = 5,
              .expires_ms = 6}},
        .hidden = 2,
        .h = hc,
        .c = hc + 2,
    };
    struct shoal_buffer line = {0};
    shoal_record_print(&record, "u\"1", 3, 4, SHOAL_FP16, &line);
    shoal_buffer_append(&line, "", 1);
    cr_assert_str_eq(
        (const char *)line.bytes,
        "{\"user_id\":\"u\\\"1\",\"partition\":4,\"model\":\"0000000000c0ffee\",\"offset\":17,"
        "\"events\":5,\"first_time\":1512000000123,\"last_time\":1512086400456,\"score\":0.125,"
        "\"consent\":0,\"counters\":{\"pv\":[0.5,1.75,2],\"cart\":[0,0,0],\"fav\":[0,0,0],"
        "\"buy\":[0,0,0.100000001]},\"h\":\"003c00c0\",\"c\":\"00380000\","
        "\"ring\":[{\"time\":1512086400000,\"behavior\":\"buy\",\"item\":\"89abcdef\","
        "\"category\":\"0012\",\"price_level\":9}],\"ids\":[\"0123456789abcdef\"],"
        "\"standings\":[[2,1512000000000],[0,0],[1,7]],"
        "\"promotions\":[{\"promotion\":\"000000ab\",\"eligible\":true,\"open\":true,\"count\":2,"
        "\"last\":5,\"expires\":6}],\"timer\":1512090000000,\"cart\":0,"
        "\"purchases\":{\"days\":2,\"first\":1512000000000,\"last\":1512086400000,\"spent\":12.5},"
        "\"pending\":\"00000000000000000000000000\"}");
    shoal_buffer_clear(&line);
    shoal_record_print(&record, "u", 1, 4, SHOAL_FP32, &line);
    shoal_buffer_append(&line, "", 1);
    cr_assert_not_null(
        strstr((const char *)line.bytes, "\"h\":\"0000803f000000c0\",\"c\":\"0000003f00000000\""));
    shoal_buffer_finish(&line);
    test_no_leaks();
}

Test(record_print, user_ids_are_escaped)
{
    float hc[2 * H];
    struct shoal_record record;
    struct shoal_buffer line = {0};
    static const char user[] = "a\"b\\c\n\x01\x1f\xc3\xa9/\0z";
    static const char expected[] =
        "{\"user_id\":\"a\\\"b\\\\c\\u000a\\u0001\\u001f\xc3\xa9/\\u0000z\",";
    shoal_record_init(&record, H, hc);
    shoal_record_print(&record, user, sizeof user - 1, 0, SHOAL_FP16, &line);
    cr_assert_eq(memcmp(line.bytes, expected, sizeof expected - 1), 0);
    shoal_buffer_finish(&line);
    test_no_leaks();
}

Test(record_print, line_is_the_same_from_memory_and_from_bytes)
{
    float hc[2 * H], back_hc[2 * H];
    struct shoal_record record, back;
    struct shoal_buffer bytes = {0}, line = {0}, back_line = {0};
    uint64_t seed = 9;
    shoal_record_init(&record, H, hc);
    shoal_record_init(&back, H, back_hc);
    for (int i = 0; i < 500; i++) {
        enum shoal_precision precision = i % 2 ? SHOAL_FP16 : SHOAL_FP32;
        test_random_record(&record, &seed, precision);
        shoal_buffer_clear(&bytes);
        shoal_buffer_clear(&line);
        shoal_buffer_clear(&back_line);
        shoal_record_encode(&record, precision, &bytes);
        cr_assert_eq(shoal_record_decode(&back, bytes.bytes, bytes.size), SHOAL_OK);
        shoal_record_print(&record, "u", 1, 0, precision, &line);
        shoal_record_print(&back, "u", 1, 0, precision, &back_line);
        cr_assert_eq(line.size, back_line.size);
        cr_assert_eq(memcmp(line.bytes, back_line.bytes, line.size), 0);
    }
    shoal_buffer_finish(&bytes);
    shoal_buffer_finish(&line);
    shoal_buffer_finish(&back_line);
    test_no_leaks();
}
