/* SPDX-License-Identifier: Apache-2.0 */
/* Where a user stands, and the clocks that run, as bytes.
 *
 *   standings   3 bits a dimension, low bits of the first byte first: its level, 0 = none, 7 = a u8 with the
 *               level follows | for each dimension with a level: the u8 if it is 7, and since
 *   clocks      timer | cart | LEB purchase days; if there are any, latest | first purchase; if there are
 *               two, float32 spent
 *
 * Times are in whole seconds: LEB of 1 + zigzag of (s of `last` − its s), or 0 for none. That of the first
 * purchase is before the latest one. */
#include <math.h>

#include "state/record_bytes.h"

enum {
    LEVEL_BITS = 3,
    LEVEL_FOLLOWS = 7, /* also the mask of a level's bits */
    LEVELS_BYTES = (LEVEL_BITS * SHOAL_DIMENSIONS_MAX + 7) / 8,
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
    if (value >> SECONDS_BITS)
        return NULL;
    int64_t time_s = last_ms / 1000 - unzigzag(value - 1);
    *time_ms = time_s * 1000;
    return time_s > 0 && time_s <= SHOAL_TIME_MAX_MS / 1000 ? at : NULL;
}

void record_encode_standings(const struct shoal_record *record, struct shoal_buffer *out)
{
    uint8_t bytes[LEVELS_BYTES + SHOAL_DIMENSIONS_MAX * STANDING_BYTES_MAX];
    uint8_t *at = bytes + LEVELS_BYTES;
    uint64_t levels = 0;
    _Static_assert(LEVELS_BYTES <= sizeof levels, "the levels of all dimensions");
    for (unsigned i = 0; i < SHOAL_DIMENSIONS_MAX; i++) {
        const struct shoal_standing *standing = &record->standings[i];
        bool follows = standing->level >= LEVEL_FOLLOWS;
        uint64_t bits = follows ? LEVEL_FOLLOWS : standing->level;
        if (!standing->level)
            continue;
        levels |= bits << (LEVEL_BITS * i);
        if (follows)
            *at++ = standing->level;
        at = put_time(at, record->last_ms, standing->since_ms);
    }
    (void)put(bytes, levels, LEVELS_BYTES);
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

void record_decode_standings(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size;
    const uint8_t *at = shoal_unpack_bin(reader, &size), *end = at + size;
    uint64_t levels = size >= LEVELS_BYTES ? get(at, LEVELS_BYTES) : UINT64_MAX;
    if (levels >> (LEVEL_BITS * SHOAL_DIMENSIONS_MAX)) {
        shoal_unpack_fail(reader);
        return;
    }
    at += LEVELS_BYTES;
    for (unsigned i = 0; i < SHOAL_DIMENSIONS_MAX && at; i++) {
        struct shoal_standing *standing = &record->standings[i];
        standing->level = levels >> (LEVEL_BITS * i) & LEVEL_FOLLOWS;
        if (!standing->level)
            continue;
        if (standing->level == LEVEL_FOLLOWS)
            standing->level = at < end && *at >= LEVEL_FOLLOWS ? *at++ : 0;
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
