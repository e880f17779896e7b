/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a user record.
 *
 * One MessagePack array of 9 or 10 values, version first. Within binaries everything is little-endian;
 * "LEB" is a number in LEB128.
 *
 *    0  version       4
 *    1  head          bin: u64 model, 0 = none | LEB 1 + last applied offset, 0 = none
 *                       | LEB `last` in ms since 1970 | LEB `first`, ms before `last` | LEB events
 *                       | float32 score | u8 consent
 *    2  counters      bin: u16 mask of the counters that are not zero | those, float32 each
 *    3  state         bin: u8 width (2 = halves, 4 = floats) | h[H] | c[H]
 *    4  ring          bin: a touch after the other, oldest first:
 *                       LEB gap in s: for the first one, zigzag of (s of `last`) − (its s);
 *                                     for the others, seconds since the one before
 *                       u8 behaviour (2 low bits) | price level · 4     u16 category     u32 item
 *    5  ids           bin: u64 each, or nil
 *    6  standings     bin: see record_standings.c
 *    7  grants        array: promotion, count · 4 + open · 2 + eligible, last, expires, promotion …
 *    8  clocks        bin: see record_standings.c
 *    9  pending       bin: the nibbles of the online correction without the zeros at the end; left
 *                     out where all are zero
 *
 *   Both times of 7 are ms before `last` (may be negative), or nil for 0.
 *
 * Why so tight: Redis rounds a value and its 6 bytes of string header up to a size class, and the
 * one above 512 bytes is 640. A user with a full ring, five standings and a default model (H = 64,
 * halves) takes just under that. Gaps are 1 or 2 bytes each where times would be 5, and no time
 * has to be cut off: whatever fits a record in memory comes back exactly.
 *
 * Reading trusts nothing: every count is checked against the bytes there, every value against its
 * range, and no byte may be left over. A field more means a new version. */
#include <math.h>
#include <string.h>

#include "model/half.h"
#include "model/params.h"
#include "state/record_bytes.h"

enum {
    RECORD_VERSION = 4,
    FIELDS = 9, /* without pending */
    GRANT_FIELDS = 4,
    HALF_BYTES = 2,
    FLOAT_BYTES = 4,
    TOUCH_REST_BYTES = 7, /* behaviour and price, category, item */
};

/* ---- encode ------------------------------------------------------------------------------- */

/* Wraps instead of overflowing, so that any pair of times comes back. */
static int64_t before(int64_t last_ms, int64_t time_ms)
{
    return (int64_t)((uint64_t)last_ms - (uint64_t)time_ms);
}

static void encode_time(struct shoal_buffer *out, int64_t last_ms, int64_t time_ms)
{
    if (time_ms == 0)
        shoal_pack_nil(out);
    else
        shoal_pack_int(out, before(last_ms, time_ms));
}

static void encode_head(const struct shoal_record *record, struct shoal_buffer *out)
{
    uint8_t bytes[8 + 4 * LEB_BYTES_MAX + FLOAT_BYTES + 1], *at = bytes;
    at = put(at, record->model, 8);
    at = put_leb(at, (uint64_t)record->offset + 1);
    at = put_leb(at, (uint64_t)record->last_ms);
    at = put_leb(at, (uint64_t)before(record->last_ms, record->first_ms));
    at = put_leb(at, record->events_count);
    at = put(at, bits_of(record->score), FLOAT_BYTES);
    at = put(at, record->consent, 1);
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

static void encode_counters(const struct shoal_record *record, struct shoal_buffer *out)
{
    uint8_t bytes[2 + SHOAL_COUNTERS * FLOAT_BYTES], *at = bytes + 2;
    unsigned mask = 0;
    for (unsigned i = 0; i < SHOAL_COUNTERS; i++) {
        uint32_t bits = bits_of(record->counters[i]);
        if (!bits)
            continue;
        mask |= 1u << i;
        at = put(at, bits, FLOAT_BYTES);
    }
    (void)put(bytes, mask, 2);
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

static uint8_t *put_values(uint8_t *at, const float *values, size_t count, size_t width)
{
    if (width == HALF_BYTES) {
        uint16_t halves[SHOAL_HIDDEN_MAX];
        shoal_half_from_float(values, halves, count);
        for (size_t i = 0; i < count; i++)
            at = put(at, halves[i], HALF_BYTES);
    } else {
        for (size_t i = 0; i < count; i++)
            at = put(at, bits_of(values[i]), FLOAT_BYTES);
    }
    return at;
}

static void encode_state(const struct shoal_record *record, enum shoal_precision precision,
                         struct shoal_buffer *out)
{
    uint8_t bytes[1 + 2 * SHOAL_HIDDEN_MAX * FLOAT_BYTES], *at = bytes;
    size_t width = precision == SHOAL_FP16 ? HALF_BYTES : FLOAT_BYTES;
    size_t hidden = record->hidden < SHOAL_HIDDEN_MAX ? record->hidden : SHOAL_HIDDEN_MAX;
    at = put(at, width, 1);
    at = put_values(at, record->h, hidden, width);
    at = put_values(at, record->c, hidden, width);
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

static void encode_ring(const struct shoal_record *record, struct shoal_buffer *out)
{
    uint8_t bytes[SHOAL_RING_MAX * (LEB_BYTES_MAX + TOUCH_REST_BYTES)], *at = bytes;
    int64_t previous_s = 0;
    for (size_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        int64_t time_s = touch->time_ms / 1000;
        if (i == 0)
            at = put_leb(at, zigzag(record->last_ms / 1000 - time_s));
        else
            at = put_leb(at, time_s > previous_s ? (uint64_t)(time_s - previous_s) : 0);
        previous_s = time_s;
        at = put(at, (touch->behavior & 3u) | (unsigned)touch->price_level << 2, 1);
        at = put(at, touch->category, 2);
        at = put(at, touch->item, 4);
    }
    shoal_pack_bin(out, bytes, (size_t)(at - bytes));
}

static void encode_ids(const struct shoal_record *record, struct shoal_buffer *out)
{
    uint8_t bytes[SHOAL_RING_MAX * 8], *at = bytes;
    for (size_t i = 0; i < record->ids_count; i++)
        at = put(at, record->ids[i], 8);
    if (record->ids_count)
        shoal_pack_bin(out, bytes, (size_t)(at - bytes));
    else
        shoal_pack_nil(out);
}

static void encode_grants(const struct shoal_record *record, struct shoal_buffer *out)
{
    shoal_pack_array(out, GRANT_FIELDS * (uint32_t)record->grants_count);
    for (size_t i = 0; i < record->grants_count; i++) {
        const struct shoal_grant *grant = &record->grants[i];
        shoal_pack_uint(out, grant->promotion);
        shoal_pack_uint(out, (uint64_t)grant->count << 2 | (grant->open ? 2u : 0u) |
                                 (grant->eligible ? 1u : 0u));
        encode_time(out, record->last_ms, grant->last_ms);
        encode_time(out, record->last_ms, grant->expires_ms);
    }
}

static size_t pending_size(const struct shoal_record *record)
{
    size_t size = SHOAL_PENDING_BYTES;
    while (size && !record->pending.nibbles[size - 1])
        size--;
    return size;
}

void shoal_record_encode(const struct shoal_record *record, enum shoal_precision precision,
                         struct shoal_buffer *out)
{
    size_t pending = pending_size(record);
    shoal_pack_array(out, pending ? FIELDS + 1 : FIELDS);
    shoal_pack_uint(out, RECORD_VERSION);
    encode_head(record, out);
    encode_counters(record, out);
    encode_state(record, precision, out);
    encode_ring(record, out);
    encode_ids(record, out);
    record_encode_standings(record, out);
    encode_grants(record, out);
    record_encode_clocks(record, out);
    if (pending)
        shoal_pack_bin(out, record->pending.nibbles, pending);
}

/* ---- decode ------------------------------------------------------------------------------- */

/* Each of these reads one field; what is wrong makes the reader fail. */

static int64_t decode_time(struct shoal_unpack *reader, int64_t last_ms, int64_t max)
{
    struct shoal_pack_value value;
    if (!shoal_unpack_next(reader, &value)) {
        shoal_unpack_fail(reader);
        return 0;
    }
    if (value.type == SHOAL_PACK_NIL)
        return 0;
    int64_t time_ms = before(last_ms, value.integer);
    if (value.type != SHOAL_PACK_INT || time_ms < 0 || time_ms > max) {
        shoal_unpack_fail(reader);
        return 0;
    }
    return time_ms;
}

static void decode_counters(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size;
    const uint8_t *at = shoal_unpack_bin(reader, &size);
    if (size < 2) {
        shoal_unpack_fail(reader);
        return;
    }
    unsigned mask = (unsigned)get(at, 2);
    if (mask >> SHOAL_COUNTERS || size != 2 + FLOAT_BYTES * (size_t)__builtin_popcount(mask)) {
        shoal_unpack_fail(reader);
        return;
    }
    at += 2;
    for (unsigned i = 0; i < SHOAL_COUNTERS; i++) {
        if (!(mask >> i & 1))
            continue;
        record->counters[i] = float_of(get(at, FLOAT_BYTES));
        at += FLOAT_BYTES;
        if (!isfinite(record->counters[i]) || record->counters[i] < 0)
            shoal_unpack_fail(reader);
    }
}

static void read_values(const uint8_t *at, float *values, size_t count, size_t width)
{
    if (width == HALF_BYTES) {
        uint16_t halves[SHOAL_HIDDEN_MAX];
        for (size_t i = 0; i < count; i++)
            halves[i] = (uint16_t)get(at + HALF_BYTES * i, HALF_BYTES);
        shoal_half_to_float(halves, values, count);
    } else {
        for (size_t i = 0; i < count; i++)
            values[i] = float_of(get(at + FLOAT_BYTES * i, FLOAT_BYTES));
    }
}

/* The width and H of a state's bytes; false if they fit together in no way. */
static bool state_shape(const uint8_t *bytes, size_t size, size_t *width, size_t *hidden)
{
    if (size < 1 || (bytes[0] != HALF_BYTES && bytes[0] != FLOAT_BYTES))
        return false;
    *width = bytes[0];
    *hidden = (size - 1) / (2 * *width);
    return (size - 1) % (2 * *width) == 0 && *hidden >= 1 && *hidden <= SHOAL_HIDDEN_MAX;
}

static void decode_state(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size, width, hidden;
    const uint8_t *bytes = shoal_unpack_bin(reader, &size);
    if (!bytes || !state_shape(bytes, size, &width, &hidden)) {
        shoal_unpack_fail(reader);
        return;
    }
    if (hidden != record->hidden) {
        record->model = 0;
        return;
    }
    read_values(bytes + 1, record->h, hidden, width);
    read_values(bytes + 1 + width * hidden, record->c, hidden, width);
    for (size_t i = 0; i < hidden; i++) {
        if (!isfinite(record->h[i]) || !isfinite(record->c[i]))
            shoal_unpack_fail(reader);
    }
}

static void decode_ring(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size;
    const uint8_t *at = shoal_unpack_bin(reader, &size), *end = at + size;
    int64_t time_s = record->last_ms / 1000;
    while (size && at < end) {
        uint64_t gap;
        at = get_leb(at, end, &gap);
        if (!at || gap >> SECONDS_BITS || end - at < TOUCH_REST_BYTES || record->ring_count == SHOAL_RING_MAX) {
            shoal_unpack_fail(reader);
            return;
        }
        if (record->ring_count == 0)
            time_s -= unzigzag(gap);
        else
            time_s += (int64_t)gap;
        if (time_s < 0 || time_s > SHOAL_TIME_MAX_MS / 1000) {
            shoal_unpack_fail(reader);
            return;
        }
        record->ring[record->ring_count++] = (struct shoal_touch){
            .time_ms = time_s * 1000,
            .behavior = at[0] & 3,
            .price_level = at[0] >> 2,
            .category = (uint16_t)get(at + 1, 2),
            .item = (uint32_t)get(at + 3, 4),
        };
        at += TOUCH_REST_BYTES;
    }
}

static void decode_ids(struct shoal_unpack *reader, struct shoal_record *record)
{
    struct shoal_pack_value value;
    bool there = shoal_unpack_next(reader, &value);
    if (there && value.type == SHOAL_PACK_NIL)
        return;
    if (!there || value.type != SHOAL_PACK_BIN || value.count == 0 || value.count % 8 ||
        value.count / 8 > SHOAL_RING_MAX) {
        shoal_unpack_fail(reader);
        return;
    }
    record->ids_count = (uint8_t)(value.count / 8);
    for (size_t i = 0; i < record->ids_count; i++)
        record->ids[i] = get((const uint8_t *)value.data + 8 * i, 8);
}

static void decode_grants(struct shoal_unpack *reader, struct shoal_record *record)
{
    uint32_t count = shoal_unpack_array(reader, GRANT_FIELDS * SHOAL_GRANTS_MAX);
    if (count % GRANT_FIELDS)
        shoal_unpack_fail(reader);
    record->grants_count = (uint8_t)(count / GRANT_FIELDS);
    for (size_t i = 0; i < record->grants_count; i++) {
        struct shoal_grant *grant = &record->grants[i];
        grant->promotion = (uint32_t)shoal_unpack_uint(reader, UINT32_MAX);
        uint64_t count_and_answer = shoal_unpack_uint(reader, (uint64_t)UINT16_MAX << 2 | 3);
        grant->count = (uint16_t)(count_and_answer >> 2);
        grant->open = count_and_answer & 2;
        grant->eligible = count_and_answer & 1;
        grant->last_ms = decode_time(reader, record->last_ms, SHOAL_TIME_MAX_MS);
        /* May lie a validity beyond the last representable event. */
        grant->expires_ms = decode_time(reader, record->last_ms, INT64_MAX);
    }
}

static void decode_pending(struct shoal_unpack *reader, struct shoal_record *record)
{
    size_t size;
    const uint8_t *bytes = shoal_unpack_bin(reader, &size);
    if (!bytes || size == 0 || size > SHOAL_PENDING_BYTES || bytes[size - 1] == 0 ||
        (size == SHOAL_PENDING_BYTES && bytes[size - 1] >> 4))
        shoal_unpack_fail(reader);
    else
        memcpy(record->pending.nibbles, bytes, size);
}

static void decode_head(struct shoal_unpack *reader, struct shoal_record *record)
{
    enum { REST = FLOAT_BYTES + 1 };
    size_t size;
    uint64_t offset = 0, last = 0, first = 0;
    const uint8_t *at = shoal_unpack_bin(reader, &size), *end = at + size;
    if (size >= 8) {
        record->model = get(at, 8);
        at = get_leb(at + 8, end, &offset);
        at = at ? get_leb(at, end, &last) : NULL;
        at = at ? get_leb(at, end, &first) : NULL;
        at = at ? get_leb(at, end, &record->events_count) : NULL;
    }
    if (size < 8 || !at || end - at != REST || offset > (uint64_t)INT64_MAX ||
        last > (uint64_t)SHOAL_TIME_MAX_MS || first > last) {
        shoal_unpack_fail(reader);
        return;
    }
    record->offset = (int64_t)offset - 1;
    record->last_ms = (int64_t)last;
    record->first_ms = (int64_t)(last - first);
    record->score = float_of(get(at, FLOAT_BYTES));
    record->consent = at[FLOAT_BYTES];
    if (!(record->score >= 0 && record->score <= 1))
        shoal_unpack_fail(reader);
}

/* Reads array and version, leaving the reader at the first field. */
static enum shoal_status open_record(struct shoal_unpack *reader, const void *bytes, size_t size,
                                     bool *pending)
{
    shoal_unpack_init(reader, bytes, size);
    uint32_t fields = shoal_unpack_array(reader, UINT32_MAX);
    uint64_t version = shoal_unpack_uint(reader, UINT32_MAX);
    if (reader->status != SHOAL_OK)
        return SHOAL_DAMAGED;
    if (version != RECORD_VERSION)
        return SHOAL_VERSION;
    *pending = fields == FIELDS + 1;
    return fields == FIELDS || *pending ? SHOAL_OK : SHOAL_DAMAGED;
}

enum shoal_status shoal_record_decode(struct shoal_record *record, const void *bytes, size_t size)
{
    struct shoal_unpack reader;
    bool pending = false;
    shoal_record_init(record, record->hidden, record->h);
    enum shoal_status status = open_record(&reader, bytes, size, &pending);
    if (status != SHOAL_OK)
        return status;
    decode_head(&reader, record);
    decode_counters(&reader, record);
    decode_state(&reader, record);
    decode_ring(&reader, record);
    decode_ids(&reader, record);
    record_decode_standings(&reader, record);
    decode_grants(&reader, record);
    record_decode_clocks(&reader, record);
    if (pending)
        decode_pending(&reader, record);
    if (reader.status == SHOAL_OK && reader.position == reader.size)
        return SHOAL_OK;
    shoal_record_init(record, record->hidden, record->h);
    return SHOAL_DAMAGED;
}

enum shoal_status shoal_record_shape(const void *bytes, size_t size, uint32_t *hidden,
                                     enum shoal_precision *precision)
{
    enum { STATE_FIELD = 3 };
    struct shoal_unpack reader;
    bool pending;
    enum shoal_status status = open_record(&reader, bytes, size, &pending);
    if (status != SHOAL_OK)
        return status;
    for (int field = 1; field < STATE_FIELD; field++)
        shoal_unpack_skip(&reader);
    size_t state_size, width, units;
    const uint8_t *state = shoal_unpack_bin(&reader, &state_size);
    if (!state || !state_shape(state, state_size, &width, &units))
        return SHOAL_DAMAGED;
    *hidden = (uint32_t)units;
    *precision = width == HALF_BYTES ? SHOAL_FP16 : SHOAL_FP32;
    return SHOAL_OK;
}
