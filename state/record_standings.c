/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user stands, and the clocks that run, as bytes; described in record_codec.c. */
#include <math.h>

#include "state/record_bytes.h"

enum {
    MASK_BYTES = 2,
    STANDING_BYTES_MAX = 1 + LEB_BYTES_MAX,
    CLOCKS_BYTES_MAX = 5 * LEB_BYTES_MAX + 4,
};

/* A time in whole seconds; 0: none. */
static uint8_t *put_time(uint8_t *at, int64_t last_ms, int64_t time_ms)
{
    return put_leb(at, time_ms ? 1 + zigzag(last_ms / 1000 - time_ms / 1000) : 0);
}

/* NULL where there is no such time. */
static const uint8_t *get_time(const uint8_t *at, const uint8_t *end, int64_t last_ms,
                               int64_t *time_ms)
{
    uint64_t value = 0;
    *time_ms = 0;
    if (at)
        at = get_leb(at, end, &value);
    if (!at || value == 0)
        return at;
    int64_t time_s = last_ms / 1000 - unzigzag(value - 1);
    *time_ms = time_s * 1000;
    return time_s > 0 && time_s <= SHOAL_TIME_MAX_MS / 1000 ? at : NULL;
}

void record_encode_standings(const struct shoal_record *record, struct shoal_buffer *out)
{
    uint8_t bytes[MASK_BYTES + SHOAL_DIMENSIONS_MAX * STANDING_BYTES_MAX], *at = bytes + MASK_BYTES;
    unsigned mask = 0;
    for (unsigned i = 0; i < SHOAL_DIMENSIONS_MAX; i++) {
        const struct shoal_standing *standing = &record->standings[i];
        if (!standing->level)
            continue;
        mask |= 1u << i;
        *at++ = standing->level;
        at = put_time(at, record->last_ms, standing->since_ms);
    }
    (void)put(bytes, mask, MASK_BYTES);
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

void record_decode_standings(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size;
    const uint8_t *at = shoal_unpack_bin(reader, &size), *end = at + size;
    unsigned mask = size >= MASK_BYTES ? (unsigned)get(at, MASK_BYTES) : UINT32_MAX;
    if (mask >> SHOAL_DIMENSIONS_MAX) {
        shoal_unpack_fail(reader);
        return;
    }
    at += MASK_BYTES;
    for (unsigned i = 0; i < SHOAL_DIMENSIONS_MAX && at; i++) {
        struct shoal_standing *standing = &record->standings[i];
        if (!(mask >> i & 1))
            continue;
        standing->level = at < end ? *at++ : 0;
        at = standing->level ? get_time(at, end, record->last_ms, &standing->since_ms) : NULL;
    }
    if (at != end)
        shoal_unpack_fail(reader);
}

void record_encode_clocks(const struct shoal_record *record, struct shoal_buffer *out)
{
    const struct shoal_purchases *p = &record->purchases;
    uint8_t bytes[CLOCKS_BYTES_MAX], *at = bytes;
    at = put_time(at, record->last_ms, record->timer_ms);
    at = put_time(at, record->last_ms, record->cart_ms);
    at = put_leb(at, p->occasions);
    if (p->occasions) {
        at = put_time(at, record->last_ms, p->last_ms);
        at = put_time(at, p->last_ms, p->first_ms);
    }
    if (p->occasions > 1)
        at = put(at, bits_of(p->spent), sizeof p->spent);
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

static const uint8_t *get_purchases(const uint8_t *at, const uint8_t *end,
                                    const struct shoal_record *record, struct shoal_purchases *p)
{
    uint64_t occasions = 0;
    if (at)
        at = get_leb(at, end, &occasions);
    p->occasions = (uint32_t)occasions;
    if (!at || occasions == 0)
        return at;
    at = get_time(at, end, record->last_ms, &p->last_ms);
    at = get_time(at, end, p->last_ms, &p->first_ms);
    if (!at || occasions > UINT32_MAX || p->first_ms > p->last_ms)
        return NULL;
    if (occasions < 2)
        return at;
    if (end - at < (ptrdiff_t)sizeof p->spent)
        return NULL;
    p->spent = float_of(get(at, sizeof p->spent));
    return isfinite(p->spent) && p->spent >= 0 ? at + sizeof p->spent : NULL;
}

void record_decode_clocks(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size;
    const uint8_t *at = shoal_unpack_bin(reader, &size), *end = at + size;
    at = get_time(at, end, record->last_ms, &record->timer_ms);
    at = get_time(at, end, record->last_ms, &record->cart_ms);
    at = get_purchases(at, end, record, &record->purchases);
    if (!at || at != end)
        shoal_unpack_fail(reader);
}
