/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack cursors; see pack.h.
 *
 * Writing is msgpack-c's packer over our buffer. Reading is a pull cursor of our own over the
 * format's heads: msgpack-c only builds object trees, for which it allocates what a count in the
 * bytes claims (24 bytes an element, up to 2^32 of them) before it has seen the elements; the
 * bytes here come from outside. */
#include "model/base/pack.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 32 };

void shoal_buffer_finish(struct shoal_buffer *buffer)
{
    if (!buffer)
        return;
    free(buffer->bytes);
    *buffer = (struct shoal_buffer){0};
}

void shoal_buffer_clear(struct shoal_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

uint8_t *shoal_buffer_reserve(struct shoal_buffer *buffer, size_t size)
{
    if (buffer->failed)
        return NULL;
    if (buffer->capacity - buffer->size < size) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity - buffer->size < size) {
            if (capacity > SIZE_MAX / 2) {
                buffer->failed = true;
                return NULL;
            }
            capacity *= 2;
        }
        uint8_t *bytes = realloc(buffer->bytes, capacity);
        if (!bytes) {
            buffer->failed = true;
            return NULL;
        }
        buffer->bytes = bytes;
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->size;
}

void shoal_buffer_append(struct shoal_buffer *buffer, const void *bytes, size_t size)
{
    uint8_t *end = shoal_buffer_reserve(buffer, size);
    if (!end || !size)
        return;
    memcpy(end, bytes, size);
    buffer->size += size;
}

/* ---- writer ------------------------------------------------------------------------------- */

static int write_bytes(void *data, const char *bytes, size_t size)
{
    struct shoal_buffer *buffer = data;
    shoal_buffer_append(buffer, bytes, size);
    return buffer->failed ? -1 : 0;
}

static msgpack_packer packer(struct shoal_buffer *buffer)
{
    msgpack_packer result;
    msgpack_packer_init(&result, buffer, write_bytes);
    return result;
}

void shoal_pack_nil(struct shoal_buffer *buffer)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_nil(&p);
}

void shoal_pack_bool(struct shoal_buffer *buffer, bool value)
{
    msgpack_packer p = packer(buffer);
    if (value)
        msgpack_pack_true(&p);
    else
        msgpack_pack_false(&p);
}

void shoal_pack_int(struct shoal_buffer *buffer, int64_t value)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_int64(&p, value);
}

void shoal_pack_uint(struct shoal_buffer *buffer, uint64_t value)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_uint64(&p, value);
}

void shoal_pack_float(struct shoal_buffer *buffer, float value)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_float(&p, value);
}

void shoal_pack_double(struct shoal_buffer *buffer, double value)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_double(&p, value);
}

void shoal_pack_str(struct shoal_buffer *buffer, const char *text, size_t size)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_str(&p, size);
    msgpack_pack_str_body(&p, text, size);
}

void shoal_pack_text(struct shoal_buffer *buffer, const char *text)
{
    shoal_pack_str(buffer, text, strlen(text));
}

void shoal_pack_bin(struct shoal_buffer *buffer, const void *bytes, size_t size)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_bin(&p, size);
    msgpack_pack_bin_body(&p, bytes, size);
}

void shoal_pack_array(struct shoal_buffer *buffer, uint32_t count)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_array(&p, count);
}

void shoal_pack_map(struct shoal_buffer *buffer, uint32_t count)
{
    msgpack_packer p = packer(buffer);
    msgpack_pack_map(&p, count);
}

/* ---- reader ------------------------------------------------------------------------------- */

void shoal_unpack_init(struct shoal_unpack *reader, const void *bytes, size_t size)
{
    *reader = (struct shoal_unpack){.bytes = bytes, .size = size, .status = SHOAL_OK};
}

void shoal_unpack_fail(struct shoal_unpack *reader)
{
    reader->status = SHOAL_BAD_MSGPACK;
}

/* `width` big-endian bytes (at most 8); 0 and a failed reader when they are not there. */
static uint64_t take(struct shoal_unpack *reader, size_t width)
{
    if (reader->size - reader->position < width) {
        shoal_unpack_fail(reader);
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | reader->bytes[reader->position++];
    return value;
}

static void take_data(struct shoal_unpack *reader, struct shoal_pack_value *value,
                      enum shoal_pack_type type, uint64_t size)
{
    if (reader->status != SHOAL_OK || reader->size - reader->position < size) {
        shoal_unpack_fail(reader);
        return;
    }
    value->type = type;
    value->data = (const char *)reader->bytes + reader->position;
    value->count = (uint32_t)size;
    reader->position += size;
}

static void set_int(struct shoal_pack_value *value, int64_t integer)
{
    value->type = SHOAL_PACK_INT;
    value->integer = integer;
    value->natural = integer < 0 ? 0 : (uint64_t)integer;
    value->real = (double)integer;
}

static void set_uint(struct shoal_pack_value *value, uint64_t natural)
{
    if (natural <= INT64_MAX) {
        set_int(value, (int64_t)natural);
        return;
    }
    value->type = SHOAL_PACK_UINT;
    value->natural = natural;
    value->real = (double)natural;
}

/* An element takes at least one byte, so a count beyond the bytes left is a lie. */
static void set_count(struct shoal_unpack *reader, struct shoal_pack_value *value,
                      enum shoal_pack_type type, uint64_t count)
{
    size_t left = reader->size - reader->position;
    if (reader->status != SHOAL_OK || count > left / (type == SHOAL_PACK_MAP ? 2 : 1)) {
        shoal_unpack_fail(reader);
        return;
    }
    value->type = type;
    value->count = (uint32_t)count;
}

static void read_float(struct shoal_unpack *reader, struct shoal_pack_value *value, size_t width)
{
    uint64_t bits = take(reader, width);
    if (width == 4) {
        uint32_t bits32 = (uint32_t)bits;
        float single;
        memcpy(&single, &bits32, sizeof single);
        value->real = (double)single;
    } else {
        memcpy(&value->real, &bits, sizeof value->real);
    }
    value->type = SHOAL_PACK_FLOAT;
}

/* Heads 0xc0 … 0xdf: everything that is not a fix type. */
static void read_long_head(struct shoal_unpack *reader, struct shoal_pack_value *value,
                           unsigned head)
{
    switch (head) {
    case 0xc0:
        value->type = SHOAL_PACK_NIL;
        break;
    case 0xc2:
    case 0xc3:
        value->type = SHOAL_PACK_BOOL;
        value->integer = head == 0xc3;
        break;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        take_data(reader, value, SHOAL_PACK_BIN, take(reader, (size_t)1 << (head - 0xc4)));
        break;
    case 0xc7:
    case 0xc8:
    case 0xc9:
        take_data(reader, value, SHOAL_PACK_EXT, take(reader, (size_t)1 << (head - 0xc7)) + 1);
        break;
    case 0xca:
        read_float(reader, value, 4);
        break;
    case 0xcb:
        read_float(reader, value, 8);
        break;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        set_uint(value, take(reader, (size_t)1 << (head - 0xcc)));
        break;
    case 0xd0:
        set_int(value, (int8_t)take(reader, 1));
        break;
    case 0xd1:
        set_int(value, (int16_t)take(reader, 2));
        break;
    case 0xd2:
        set_int(value, (int32_t)take(reader, 4));
        break;
    case 0xd3:
        set_int(value, (int64_t)take(reader, 8));
        break;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        take_data(reader, value, SHOAL_PACK_EXT, ((uint64_t)1 << (head - 0xd4)) + 1);
        break;
    case 0xd9:
    case 0xda:
    case 0xdb:
        take_data(reader, value, SHOAL_PACK_STR, take(reader, (size_t)1 << (head - 0xd9)));
        break;
    case 0xdc:
    case 0xdd:
        set_count(reader, value, SHOAL_PACK_ARRAY, take(reader, head == 0xdc ? 2 : 4));
        break;
    case 0xde:
    case 0xdf:
        set_count(reader, value, SHOAL_PACK_MAP, take(reader, head == 0xde ? 2 : 4));
        break;
    default: /* 0xc1 is never used */
        shoal_unpack_fail(reader);
        break;
    }
}

bool shoal_unpack_next(struct shoal_unpack *reader, struct shoal_pack_value *value)
{
    *value = (struct shoal_pack_value){.type = SHOAL_PACK_END};
    if (reader->status != SHOAL_OK || reader->position == reader->size)
        return false;
    unsigned head = reader->bytes[reader->position++];
    if (head < 0x80)
        set_int(value, (int64_t)head);
    else if (head < 0x90)
        set_count(reader, value, SHOAL_PACK_MAP, head & 0x0fu);
    else if (head < 0xa0)
        set_count(reader, value, SHOAL_PACK_ARRAY, head & 0x0fu);
    else if (head < 0xc0)
        take_data(reader, value, SHOAL_PACK_STR, head & 0x1fu);
    else if (head >= 0xe0)
        set_int(value, (int8_t)head);
    else
        read_long_head(reader, value, head);
    if (reader->status != SHOAL_OK) {
        *value = (struct shoal_pack_value){.type = SHOAL_PACK_END};
        return false;
    }
    return true;
}

void shoal_unpack_skip(struct shoal_unpack *reader)
{
    uint64_t left[MAX_NESTING]; /* values still to be skipped at each level */
    int depth = 0;
    left[0] = 1;
    while (depth >= 0) {
        if (left[depth] == 0) {
            depth--;
            continue;
        }
        left[depth]--;
        struct shoal_pack_value value;
        if (!shoal_unpack_next(reader, &value)) {
            shoal_unpack_fail(reader);
            return;
        }
        if (value.type != SHOAL_PACK_ARRAY && value.type != SHOAL_PACK_MAP)
            continue;
        if (++depth == MAX_NESTING) {
            shoal_unpack_fail(reader);
            return;
        }
        left[depth] = value.type == SHOAL_PACK_MAP ? 2 * (uint64_t)value.count : value.count;
    }
}

int64_t shoal_unpack_int(struct shoal_unpack *reader, int64_t min, int64_t max)
{
    struct shoal_pack_value value;
    if (!shoal_unpack_next(reader, &value) || value.type != SHOAL_PACK_INT ||
        value.integer < min || value.integer > max) {
        shoal_unpack_fail(reader);
        return 0;
    }
    return value.integer;
}

uint64_t shoal_unpack_uint(struct shoal_unpack *reader, uint64_t max)
{
    struct shoal_pack_value value;
    bool there = shoal_unpack_next(reader, &value);
    bool natural = there && (value.type == SHOAL_PACK_UINT ||
                             (value.type == SHOAL_PACK_INT && value.integer >= 0));
    if (!natural || value.natural > max) {
        shoal_unpack_fail(reader);
        return 0;
    }
    return value.natural;
}

double shoal_unpack_double(struct shoal_unpack *reader)
{
    struct shoal_pack_value value;
    if (!shoal_unpack_next(reader, &value) ||
        (value.type != SHOAL_PACK_FLOAT && value.type != SHOAL_PACK_INT &&
         value.type != SHOAL_PACK_UINT)) {
        shoal_unpack_fail(reader);
        return 0;
    }
    return value.real;
}

bool shoal_unpack_bool(struct shoal_unpack *reader)
{
    struct shoal_pack_value value;
    if (!shoal_unpack_next(reader, &value) || value.type != SHOAL_PACK_BOOL) {
        shoal_unpack_fail(reader);
        return false;
    }
    return value.integer != 0;
}

static const char *read_data(struct shoal_unpack *reader, enum shoal_pack_type type, size_t *size)
{
    struct shoal_pack_value value;
    *size = 0;
    if (!shoal_unpack_next(reader, &value) || value.type != type) {
        shoal_unpack_fail(reader);
        return NULL;
    }
    *size = value.count;
    return value.data;
}

const char *shoal_unpack_str(struct shoal_unpack *reader, size_t *size)
{
    return read_data(reader, SHOAL_PACK_STR, size);
}

const void *shoal_unpack_bin(struct shoal_unpack *reader, size_t *size)
{
    return read_data(reader, SHOAL_PACK_BIN, size);
}

static uint32_t read_count(struct shoal_unpack *reader, enum shoal_pack_type type, uint32_t max)
{
    struct shoal_pack_value value;
    if (!shoal_unpack_next(reader, &value) || value.type != type || value.count > max) {
        shoal_unpack_fail(reader);
        return 0;
    }
    return value.count;
}

uint32_t shoal_unpack_array(struct shoal_unpack *reader, uint32_t max)
{
    return read_count(reader, SHOAL_PACK_ARRAY, max);
}

uint32_t shoal_unpack_map(struct shoal_unpack *reader, uint32_t max)
{
    return read_count(reader, SHOAL_PACK_MAP, max);
}
