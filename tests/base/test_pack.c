/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/base/pack.h"

Test(pack, integers_of_every_width_come_back)
{
    int64_t values[] = {0,    1,     127,    128,    255,        256,        65535,     65536,
                        -1,   -32,   -33,    -128,   -129,       -32768,     -32769,    INT32_MIN,
                        INT32_MAX, INT64_MAX, INT64_MIN, 4294967295, 4294967296};
    struct shoal_buffer buffer = {0};
    size_t count = sizeof values / sizeof values[0];
    for (size_t i = 0; i < count; i++)
        shoal_pack_int(&buffer, values[i]);
    shoal_pack_uint(&buffer, UINT64_MAX);
    struct shoal_unpack reader;
    shoal_unpack_init(&reader, buffer.bytes, buffer.size);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(shoal_unpack_int(&reader, INT64_MIN, INT64_MAX), values[i]);
    cr_assert_eq(shoal_unpack_uint(&reader, UINT64_MAX), UINT64_MAX);
    cr_assert_eq(reader.status, SHOAL_OK);
    cr_assert_eq(reader.position, reader.size);
    shoal_buffer_finish(&buffer);
}

Test(pack, everything_written_is_read_back)
{
    struct shoal_buffer buffer = {0};
    char big[70000];
    memset(big, 'x', sizeof big);
    shoal_pack_map(&buffer, 3);
    shoal_pack_text(&buffer, "a");
    shoal_pack_float(&buffer, 0.1f);
    shoal_pack_text(&buffer, "b");
    shoal_pack_bin(&buffer, big, sizeof big);
    shoal_pack_text(&buffer, "c");
    shoal_pack_array(&buffer, 4);
    shoal_pack_nil(&buffer);
    shoal_pack_bool(&buffer, true);
    shoal_pack_double(&buffer, -2.5);
    shoal_pack_str(&buffer, big, 300);
    struct shoal_unpack reader;
    shoal_unpack_init(&reader, buffer.bytes, buffer.size);
    size_t size;
    cr_assert_eq(shoal_unpack_map(&reader, 10), 3);
    cr_assert_eq(*shoal_unpack_str(&reader, &size), 'a');
    cr_assert_eq((float)shoal_unpack_double(&reader), 0.1f);
    shoal_unpack_skip(&reader);
    (void)shoal_unpack_bin(&reader, &size);
    cr_assert_eq(size, sizeof big);
    shoal_unpack_skip(&reader);
    cr_assert_eq(shoal_unpack_array(&reader, 4), 4);
    shoal_unpack_skip(&reader);
    cr_assert(shoal_unpack_bool(&reader));
    cr_assert_eq(shoal_unpack_double(&reader), -2.5);
    (void)shoal_unpack_str(&reader, &size);
    cr_assert_eq(size, 300);
    cr_assert_eq(reader.status, SHOAL_OK);
    cr_assert_eq(reader.position, reader.size);
    shoal_buffer_finish(&buffer);
}

Test(pack, a_count_larger_than_the_bytes_left_is_refused)
{
    struct shoal_unpack reader;
    struct shoal_pack_value value;
    shoal_unpack_init(&reader, "\xdd\xff\xff\xff\xff\x01", 6);
    cr_assert_not(shoal_unpack_next(&reader, &value));
    cr_assert_eq(reader.status, SHOAL_BAD_MSGPACK);
    shoal_unpack_init(&reader, "\xdb\xff\xff\xff\xff\x01", 6);
    cr_assert_not(shoal_unpack_next(&reader, &value));
    cr_assert_eq(reader.status, SHOAL_BAD_MSGPACK);
}

Test(pack, every_truncation_is_an_error_and_stays_one)
{
    struct shoal_buffer buffer = {0};
    shoal_pack_array(&buffer, 3);
    shoal_pack_text(&buffer, "hello");
    shoal_pack_double(&buffer, 1.0);
    shoal_pack_bin(&buffer, "1234567", 7);
    for (size_t size = 0; size < buffer.size; size++) {
        struct shoal_unpack reader;
        shoal_unpack_init(&reader, buffer.bytes, size);
        shoal_unpack_skip(&reader);
        cr_assert_eq(reader.status, SHOAL_BAD_MSGPACK, "size %zu", size);
        cr_assert_eq(shoal_unpack_int(&reader, 0, 1), 0);
    }
    shoal_buffer_finish(&buffer);
}

Test(pack, nesting_is_bounded)
{
    unsigned char deep[100];
    memset(deep, 0x91, sizeof deep);
    deep[99] = 0xc0;
    struct shoal_unpack reader;
    shoal_unpack_init(&reader, deep, sizeof deep);
    shoal_unpack_skip(&reader);
    cr_assert_eq(reader.status, SHOAL_BAD_MSGPACK);
}
