/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stream/decoding.h"

#include <math.h>

static struct decoding d;

static void setup(void)
{
    decoding_init(&d);
}

static void teardown(void)
{
    decoding_finish(&d);
}

TestSuite(decode_msgpack, .init = setup, .fini = teardown);

/* The required fields of an event in a map of that many pairs more. */
static struct shoal_buffer begin(uint32_t more)
{
    struct shoal_buffer buffer = {0};
    shoal_pack_map(&buffer, 4 + more);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_text(&buffer, "u1");
    shoal_pack_text(&buffer, "item_id");
    shoal_pack_int(&buffer, 42);
    shoal_pack_text(&buffer, "behavior");
    shoal_pack_text(&buffer, "cart");
    shoal_pack_text(&buffer, "timestamp");
    shoal_pack_int(&buffer, 1511539200);
    return buffer;
}

Test(decode_msgpack, a_map_and_its_json_give_the_same_event)
{
    struct shoal_buffer buffer = begin(4);
    shoal_pack_text(&buffer, "category_id");
    shoal_pack_uint(&buffer, UINT64_MAX);
    shoal_pack_text(&buffer, "price");
    shoal_pack_double(&buffer, 9.99);
    shoal_pack_text(&buffer, "quantity");
    shoal_pack_int(&buffer, 3);
    shoal_pack_text(&buffer, "event_id");
    shoal_pack_text(&buffer, "e1");
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    struct shoal_event event = d.events[0];
    cr_assert_str_eq(event.user, "u1");
    assert_status(decode_text(&d, "{\"user_id\":\"u1\",\"item_id\":\"42\",\"behavior\":\"cart\","
                                  "\"timestamp\":1511539200,\"category_id\":18446744073709551615,"
                                  "\"price\":9.99,\"quantity\":3,\"event_id\":\"e1\"}"),
                  SHOAL_OK);
    event.user = d.events[0].user;
    cr_assert_eq(memcmp(&event, &d.events[0], sizeof event), 0);
}

Test(decode_msgpack, integers_as_ids_are_their_decimal_text)
{
    struct shoal_buffer buffer = begin(1);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_int(&buffer, INT64_MIN);
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "-9223372036854775808");
    buffer = begin(1);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_int(&buffer, 0);
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "0");
}

Test(decode_msgpack, behavior_types_and_real_times_are_read)
{
    struct shoal_buffer buffer = begin(2);
    shoal_pack_text(&buffer, "behavior");
    shoal_pack_int(&buffer, 4);
    shoal_pack_text(&buffer, "timestamp");
    shoal_pack_double(&buffer, 1511539200.5);
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    cr_assert_eq(d.events[0].touch.behavior, SHOAL_BUY);
    cr_assert_eq(d.events[0].touch.time_ms, 1511539200500);
}

Test(decode_msgpack, numbers_that_are_none_are_refused)
{
    const double wrong[] = {NAN, INFINITY, -INFINITY, -1};
    for (size_t i = 0; i < 4; i++) {
        struct shoal_buffer buffer = begin(1);
        shoal_pack_text(&buffer, "price");
        shoal_pack_double(&buffer, wrong[i]);
        assert_status(decode_packed(&d, &buffer), SHOAL_BAD_FIELD);
        buffer = begin(1);
        shoal_pack_text(&buffer, "timestamp");
        shoal_pack_double(&buffer, wrong[i]);
        assert_status(decode_packed(&d, &buffer), SHOAL_BAD_TIMESTAMP);
    }
}

Test(decode_msgpack, values_of_the_wrong_type_are_refused)
{
    struct shoal_buffer buffer = begin(1);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_bin(&buffer, "u1", 2);
    assert_status(decode_packed(&d, &buffer), SHOAL_BAD_FIELD);
    buffer = begin(1);
    shoal_pack_text(&buffer, "item_id");
    shoal_pack_double(&buffer, 1);
    assert_status(decode_packed(&d, &buffer), SHOAL_BAD_FIELD);
    buffer = begin(1);
    shoal_pack_text(&buffer, "exposure");
    shoal_pack_int(&buffer, 1);
    assert_status(decode_packed(&d, &buffer), SHOAL_BAD_FIELD);
    buffer = begin(1);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_str(&buffer, "\xff", 1);
    assert_status(decode_packed(&d, &buffer), SHOAL_BAD_USER);
    buffer = begin(1);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_nil(&buffer);
    assert_status(decode_packed(&d, &buffer), SHOAL_MISSING_FIELD);
}

Test(decode_msgpack, unknown_keys_and_values_are_ignored)
{
    struct shoal_buffer buffer = begin(5);
    shoal_pack_int(&buffer, 7);
    shoal_pack_text(&buffer, "number as key");
    shoal_pack_array(&buffer, 1);
    shoal_pack_text(&buffer, "list as key");
    shoal_pack_nil(&buffer);
    shoal_pack_text(&buffer, "x");
    shoal_pack_map(&buffer, 1);
    shoal_pack_text(&buffer, "user_id");
    shoal_pack_text(&buffer, "other");
    shoal_pack_text(&buffer, "y");
    shoal_pack_array(&buffer, 2);
    shoal_pack_bool(&buffer, true);
    shoal_pack_array(&buffer, 0);
    shoal_pack_text(&buffer, "z");
    shoal_pack_bin(&buffer, "\0\0", 2);
    assert_status(decode_packed(&d, &buffer), SHOAL_OK);
    cr_assert_str_eq(d.events[0].user, "u1");
}

Test(decode_msgpack, every_beginning_and_any_trailing_byte_is_refused)
{
    struct shoal_buffer buffer = begin(1);
    shoal_pack_text(&buffer, "x");
    shoal_pack_array(&buffer, 1);
    shoal_pack_double(&buffer, 1.5);
    for (size_t size = 1; size < buffer.size; size++)
        assert_status(decode_bytes(&d, buffer.bytes, size), SHOAL_BAD_MSGPACK);
    assert_status(decode_bytes(&d, buffer.bytes, buffer.size), SHOAL_OK);
    shoal_pack_nil(&buffer);
    assert_status(decode_packed(&d, &buffer), SHOAL_BAD_MSGPACK);
}

Test(decode_msgpack, counts_that_lie_are_refused)
{
    assert_status(decode_bytes(&d, "\xdf\xff\xff\xff\xff\xc0\xc0", 7), SHOAL_BAD_MSGPACK);
    assert_status(decode_bytes(&d, "\x81\xa1x\xdd\xff\xff\xff\xff\xc0", 9), SHOAL_BAD_MSGPACK);
    assert_status(decode_bytes(&d, "\x81\xdb\xff\xff\xff\xff\xc0", 7), SHOAL_BAD_MSGPACK);
    assert_status(decode_bytes(&d, "\x80", 1), SHOAL_MISSING_FIELD);
}
