/* SPDX-License-Identifier: Apache-2.0 */
/* JSON and MessagePack writer; see encode.h. */
#include "stream/encode.h"

#include <math.h>
#include <string.h>

#include "stream/event.h"
#include "stream/units.h"

enum { UINT_DIGITS = 20, ESCAPE_MAX = 6, NAME_MAX_BYTES = 64, TIME_SIZE = 24 };

void shoal_encode_init(struct shoal_encoder *encoder, enum shoal_encode_format format,
                       struct shoal_buffer *out)
{
    *encoder = (struct shoal_encoder){.out = out, .format = format};
}

static bool is_json(const struct shoal_encoder *encoder)
{
    return encoder->format == SHOAL_ENCODE_JSON;
}

/* Room for a value of at most `size` bytes, behind the comma that is written here if there must be
 * one. NULL when out of memory. shoal_encode_wrote counts what was written. */
static inline char *begin(struct shoal_encoder *encoder, size_t size)
{
    char *at = shoal_encode_room(encoder, size + 1);
    if (at && encoder->comma)
        *at++ = ',';
    encoder->comma = true;
    return at;
}

static inline void write_json(struct shoal_encoder *encoder, const char *bytes, size_t size)
{
    char *at = begin(encoder, size);
    if (!at)
        return;
    memcpy(at, bytes, size);
    shoal_encode_wrote(encoder, at + size);
}

static inline void open_json(struct shoal_encoder *encoder, char bracket)
{
    write_json(encoder, &bracket, 1);
    encoder->comma = false;
}

static inline void close_json(struct shoal_encoder *encoder, char bracket)
{
    encoder->comma = false;
    write_json(encoder, &bracket, 1);
}

void shoal_encode_map(struct shoal_encoder *encoder, uint32_t pairs)
{
    if (is_json(encoder))
        open_json(encoder, '{');
    else
        shoal_pack_map(encoder->out, pairs);
}

void shoal_encode_map_end(struct shoal_encoder *encoder)
{
    if (is_json(encoder))
        close_json(encoder, '}');
}

void shoal_encode_array(struct shoal_encoder *encoder, uint32_t elements)
{
    if (is_json(encoder))
        open_json(encoder, '[');
    else
        shoal_pack_array(encoder->out, elements);
}

void shoal_encode_array_end(struct shoal_encoder *encoder)
{
    if (is_json(encoder))
        close_json(encoder, ']');
}

static char *escape(char *at, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    *at++ = '\\';
    for (const char *pair = shorts; *pair; pair += 2) {
        if ((unsigned char)pair[0] == byte) {
            *at++ = pair[1];
            return at;
        }
    }
    memcpy(at, "u00", 3);
    at[3] = hex[byte >> 4];
    at[4] = hex[byte & 15];
    return at + 5;
}

/* True if one of eight bytes needs an escape: is below 0x20, a quote or a backslash. The usual test
 * for a zero byte, x − 0x01… & ~x & 0x80…, applied to x ^ byte; a byte above 0x7f counts never. */
static bool needs_escape(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
    uint64_t found =
        (eight - ones * 0x20) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    return found & ~eight & highs;
}

void shoal_encode_str(struct shoal_encoder *encoder, const char *text, size_t size)
{
    if (!is_json(encoder)) {
        shoal_pack_str(encoder->out, text, size);
        return;
    }
    char *at = begin(encoder, ESCAPE_MAX * size + 2);
    if (!at)
        return;
    *at++ = '"';
    size_t i = 0;
    for (uint64_t eight; i + sizeof eight <= size; i += sizeof eight, at += sizeof eight) {
        memcpy(&eight, text + i, sizeof eight);
        if (needs_escape(eight))
            break;
        memcpy(at, &eight, sizeof eight);
    }
    for (; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            *at++ = (char)byte;
        else
            at = escape(at, byte);
    }
    *at++ = '"';
    shoal_encode_wrote(encoder, at);
}

void shoal_encode_name(struct shoal_encoder *encoder, const char *name)
{
    if (!name) {
        shoal_encode_null(encoder);
        return;
    }
    if (!is_json(encoder)) {
        shoal_pack_text(encoder->out, name);
        return;
    }
    char *at = begin(encoder, NAME_MAX_BYTES + 2);
    if (!at)
        return;
    *at++ = '"';
    for (size_t i = 0; name[i] && i < NAME_MAX_BYTES; i++)
        *at++ = name[i];
    *at++ = '"';
    shoal_encode_wrote(encoder, at);
}

/* Two digits at a time. */
static char *print_digits(char *end, uint64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
        "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
        "8081828384858687888990919293949596979899";
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * value, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

size_t shoal_print_uint(uint64_t value, char *text)
{
    char digits[UINT_DIGITS];
    const char *first = print_digits(digits + UINT_DIGITS, value);
    size_t size = (size_t)(digits + UINT_DIGITS - first);
    memcpy(text, first, size);
    return size;
}

void shoal_encode_int(struct shoal_encoder *encoder, int64_t value)
{
    if (!is_json(encoder)) {
        shoal_pack_int(encoder->out, value);
        return;
    }
    char *at = begin(encoder, UINT_DIGITS + 1);
    if (!at)
        return;
    if (value < 0)
        *at++ = '-';
    at += shoal_print_uint(value < 0 ? -(uint64_t)value : (uint64_t)value, at);
    shoal_encode_wrote(encoder, at);
}

void shoal_encode_bool(struct shoal_encoder *encoder, bool value)
{
    if (!is_json(encoder))
        shoal_pack_bool(encoder->out, value);
    else if (value)
        write_json(encoder, "true", 4);
    else
        write_json(encoder, "false", 5);
}

void shoal_encode_null(struct shoal_encoder *encoder)
{
    if (is_json(encoder))
        write_json(encoder, "null", 4);
    else
        shoal_pack_nil(encoder->out);
}

/* value·10^6 is exact for a float (24 bits and 20), so this rounds as printf("%.6f") does. */
void shoal_encode_score(struct shoal_encoder *encoder, double value)
{
    if (!(fabs(value) <= 1e12)) {
        shoal_encode_null(encoder);
        return;
    }
    int64_t millionths = llrint(value * 1e6);
    if (!is_json(encoder)) {
        shoal_pack_double(encoder->out, (double)millionths / 1e6);
        return;
    }
    char *at = begin(encoder, UINT_DIGITS + 3);
    if (!at)
        return;
    if (millionths < 0)
        *at++ = '-';
    uint64_t left = millionths < 0 ? -(uint64_t)millionths : (uint64_t)millionths;
    at += shoal_print_uint(left / 1000000, at);
    memcpy(at, ".000000", 7);
    at += 7;
    uint64_t decimals = left % 1000000;
    if (decimals)
        (void)print_digits(at, decimals);
    shoal_encode_wrote(encoder, at);
}

void shoal_encode_time(struct shoal_encoder *encoder, int64_t time_ms)
{
    char text[TIME_SIZE + 1];
    shoal_time_print(time_ms, text);
    if (!is_json(encoder)) {
        shoal_pack_str(encoder->out, text, TIME_SIZE);
        return;
    }
    char *at = begin(encoder, TIME_SIZE + 2);
    if (!at)
        return;
    *at = '"';
    memcpy(at + 1, text, TIME_SIZE);
    at[TIME_SIZE + 1] = '"';
    shoal_encode_wrote(encoder, at + TIME_SIZE + 2);
}

void shoal_encode_duration(struct shoal_encoder *encoder, int64_t duration_ms)
{
    char text[SHOAL_DURATION_TEXT];
    (void)shoal_duration_print(duration_ms, text);
    shoal_encode_name(encoder, text);
}
