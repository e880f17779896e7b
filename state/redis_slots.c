/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of keys; see redis_slots.h. */
#include "state/redis_slots.h"

#include <string.h>

/* CRC-16/XMODEM: polynomial 0x1021, from 0, not reflected. Bit by bit: a key is hashed once a call
 * of the store, not once a user. */
static uint16_t crc16(const char *bytes, size_t size)
{
    unsigned crc = 0;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned)(unsigned char)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return (uint16_t)crc;
}

uint16_t shoal_redis_slot(const char *key, size_t size)
{
    const char *open = memchr(key, '{', size);
    const char *close = open ? memchr(open, '}', (size_t)(key + size - open)) : NULL;
    if (close && close > open + 1) {
        key = open + 1;
        size = (size_t)(close - key);
    }
    return crc16(key, size) & (SHOAL_REDIS_SLOTS - 1);
}
