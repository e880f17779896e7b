/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the record's codec share: record_codec.c, where the bytes are described, and
 * record_standings.c, which writes and reads where the user stands. Little-endian, and LEB128 for
 * numbers that are small most of the time. */
#ifndef SHOAL_RECORD_BYTES_H
#define SHOAL_RECORD_BYTES_H

#include <string.h>

#include "state/record.h"

enum {
    LEB_BYTES_MAX = 10, /* 64 bits */
    SECONDS_BITS = 42,  /* the years 1970 to 9999, with a sign: sums of such numbers do not overflow */
};

static inline uint8_t *put(uint8_t *at, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static inline uint64_t get(const uint8_t *at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of(uint64_t bits64)
{
    uint32_t bits = (uint32_t)bits64;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint8_t *put_leb(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

/* Null when the number is not there, beyond 64 bits, or longer than it need be. */
static inline const uint8_t *get_leb(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < LEB_BYTES_MAX && at < end; i++) {
        uint8_t byte = *at++;
        if (i == LEB_BYTES_MAX - 1 && byte > 1)
            return NULL;
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80))
            return byte || i == 0 ? at : NULL;
    }
    return NULL;
}

static inline uint64_t zigzag(int64_t value)
{
    return value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
}

static inline int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Standings as field 12, clocks as field 14; `last` is known already when they are read. What is wrong makes
 * the reader fail. */
void record_encode_standings(const struct shoal_record *record, struct shoal_buffer *out);
void record_decode_standings(struct shoal_unpack *reader, struct shoal_record *record);
void record_encode_clocks(const struct shoal_record *record, struct shoal_buffer *out);
void record_decode_clocks(struct shoal_unpack *reader, struct shoal_record *record);

#endif
