/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stream/files.h"

#include <zlib.h>
#include <zstd.h>

#include "model/base/pack.h"

enum { LINES = 50000 };

static void make_lines(struct shoal_buffer *text, int from, int to)
{
    char line[64];
    for (int i = from; i < to; i++) {
        int size = snprintf(line, sizeof line, "%d,%d,%d,pv,%d\n", i, i * 7 % 1000, i % 10,
                            1511539200 + i);
        shoal_buffer_append(text, line, (size_t)size);
    }
}

static void gzip(struct shoal_buffer *out, const void *bytes, size_t size)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)size};
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&stream, size);
    stream.next_out = shoal_buffer_reserve(out, room);
    stream.avail_out = (unsigned)room;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size += stream.total_out;
    deflateEnd(&stream);
}

static void zstd(struct shoal_buffer *out, const void *bytes, size_t size)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t room = ZSTD_compressBound(size);
    size_t written = ZSTD_compress2(context, shoal_buffer_reserve(out, room), room, bytes, size);
    cr_assert(!ZSTD_isError(written));
    out->size += written;
    ZSTD_freeCCtx(context);
}

/* Reads all; the number of lines and how it ended. With `intact`, the lines are those of
 * make_lines: what stands before damage is still right, what a damaged block gives need not be. */
static int read_all(const struct shoal_buffer *bytes, bool intact, enum shoal_status *status,
                    struct shoal_message *why)
{
    char *path = make_file(bytes->bytes, bytes->size);
    struct shoal_reader *reader;
    struct shoal_input input;
    int lines = 0;
    *status = shoal_reader_open(path, 4, &reader, why);
    if (*status == SHOAL_OK) {
        while ((*status = shoal_reader_next(reader, &input, why)) == SHOAL_OK) {
            char user[16];
            int size = snprintf(user, sizeof user, "%d", lines);
            bool is_right =
                input.key_size == (size_t)size && memcmp(input.key, user, input.key_size) == 0;
            cr_assert(is_right || !intact);
            lines++;
        }
        shoal_reader_close(reader);
    }
    if (*status != SHOAL_END)
        cr_assert_not_null(strstr(why->text, path), "%s", why->text);
    drop_file(path);
    return lines;
}

typedef void packer(struct shoal_buffer *out, const void *bytes, size_t size);

static void check_format(packer *pack)
{
    struct shoal_buffer text = {0}, all = {0}, two = {0};
    struct shoal_message why;
    enum shoal_status status;
    make_lines(&text, 0, LINES);
    pack(&all, text.bytes, text.size);
    cr_assert_eq(read_all(&all, true, &status, &why), LINES);
    cr_assert_eq(status, SHOAL_END);

    /* Two members, cut in the middle of a line. */
    size_t half = text.size / 2 + 3;
    pack(&two, text.bytes, half);
    pack(&two, text.bytes + half, text.size - half);
    cr_assert_eq(read_all(&two, true, &status, &why), LINES);
    cr_assert_eq(status, SHOAL_END);

    /* Cut anywhere: the lines before, then an error that names the line. */
    for (size_t cut = 5; cut < all.size; cut += all.size / 23) {
        struct shoal_buffer part = {.bytes = all.bytes, .size = cut};
        int lines = read_all(&part, true, &status, &why);
        cr_assert_eq(status, SHOAL_IO, "cut at %zu of %zu: %s", cut, all.size,
                     shoal_status_code(status));
        cr_assert_not_null(strstr(why.text, "line "), "%s", why.text);
        cr_assert_leq(lines, LINES); /* a cut within the checksum loses no line */
    }
    struct shoal_buffer almost = {.bytes = all.bytes, .size = all.size - 1};
    read_all(&almost, true, &status, &why);
    cr_assert_eq(status, SHOAL_IO);

    /* A byte changed: never a clean end. */
    for (size_t at = all.size / 3; at < all.size; at += all.size / 11) {
        all.bytes[at] ^= 0x55;
        read_all(&all, false, &status, &why);
        cr_assert_eq(status, SHOAL_IO, "changed at %zu of %zu", at, all.size);
        all.bytes[at] ^= 0x55;
    }
    shoal_buffer_append(&all, "garbage", 7);
    read_all(&all, false, &status, &why);
    cr_assert_eq(status, SHOAL_IO);
    shoal_buffer_finish(&text);
    shoal_buffer_finish(&all);
    shoal_buffer_finish(&two);
}

Test(reader_input, gzip_is_read_and_damage_is_noticed)
{
    check_format(gzip);
}

Test(reader_input, zstd_is_read_and_damage_is_noticed)
{
    check_format(zstd);
}

Test(reader_input, plain_files_report_their_position)
{
    struct shoal_buffer text = {0};
    make_lines(&text, 0, 1000);
    char *path = make_file(text.bytes, text.size);
    struct shoal_reader *reader = open_reader(path, 4);
    uint64_t bytes, size, lines;
    shoal_reader_position(reader, &bytes, &size, &lines);
    cr_assert_eq(size, text.size);
    struct shoal_input input;
    struct shoal_message why;
    while (shoal_reader_next(reader, &input, &why) == SHOAL_OK)
        continue;
    shoal_reader_position(reader, &bytes, &size, &lines);
    cr_assert_eq(bytes, text.size);
    cr_assert_eq(lines, 1000);
    shoal_reader_close(reader);
    drop_file(path);
    shoal_buffer_finish(&text);
}

Test(reader_input, zero_bytes_after_a_gzip_member_are_padding)
{
    struct shoal_buffer text = {0}, packed = {0};
    struct shoal_message why;
    enum shoal_status status;
    make_lines(&text, 0, 100);
    gzip(&packed, text.bytes, text.size);
    shoal_buffer_append(&packed, "\0\0\0\0\0\0\0\0", 8);
    cr_assert_eq(read_all(&packed, true, &status, &why), 100);
    cr_assert_eq(status, SHOAL_END);
    shoal_buffer_finish(&text);
    shoal_buffer_finish(&packed);
}
