/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/pack_json.h"

#include "stream/encode.h"

enum { DEPTH_MAX = 16 };

static void put_value(struct shoal_unpack *in, struct shoal_encoder *out, unsigned depth);

static void put_string(const struct shoal_pack_value *value, struct shoal_encoder *out)
{
    shoal_encode_str(out, value->data, value->count);
}

/* A key is a text like any other, with a colon behind it instead of a comma. */
static void put_map(struct shoal_unpack *in, struct shoal_encoder *out, uint32_t pairs, unsigned depth)
{
    shoal_encode_map(out, pairs);
    for (uint32_t i = 0; i < pairs && in->status == SHOAL_OK; i++) {
        struct shoal_pack_value key;
        if (!shoal_unpack_next(in, &key) || key.type != SHOAL_PACK_STR) {
            shoal_unpack_fail(in);
            return;
        }
        put_string(&key, out);
        shoal_buffer_append(out->out, ":", 1);
        out->comma = false;
        put_value(in, out, depth + 1);
    }
    shoal_encode_map_end(out);
}

static void put_array(struct shoal_unpack *in, struct shoal_encoder *out, uint32_t count, unsigned depth)
{
    shoal_encode_array(out, count);
    for (uint32_t i = 0; i < count && in->status == SHOAL_OK; i++)
        put_value(in, out, depth + 1);
    shoal_encode_array_end(out);
}

static void put_value(struct shoal_unpack *in, struct shoal_encoder *out, unsigned depth)
{
    struct shoal_pack_value value;
    if (depth > DEPTH_MAX || !shoal_unpack_next(in, &value)) {
        shoal_unpack_fail(in);
        return;
    }
    switch (value.type) {
    case SHOAL_PACK_BOOL:
        shoal_encode_bool(out, value.integer != 0);
        break;
    case SHOAL_PACK_INT:
        shoal_encode_int(out, value.integer);
        break;
    case SHOAL_PACK_UINT:
    case SHOAL_PACK_FLOAT:
        shoal_encode_score(out, value.real);
        break;
    case SHOAL_PACK_STR:
        put_string(&value, out);
        break;
    case SHOAL_PACK_MAP:
        put_map(in, out, value.count, depth);
        break;
    case SHOAL_PACK_ARRAY:
        put_array(in, out, value.count, depth);
        break;
    default:
        shoal_encode_null(out);
    }
}

enum shoal_status shoal_pack_json(const void *bytes, size_t size, struct shoal_buffer *out)
{
    struct shoal_unpack in;
    struct shoal_encoder encoder;
    shoal_unpack_init(&in, bytes, size);
    shoal_encode_init(&encoder, SHOAL_ENCODE_JSON, out);
    put_value(&in, &encoder, 0);
    if (out->failed)
        return SHOAL_NOMEM;
    return in.status == SHOAL_OK && in.position == size ? SHOAL_OK : SHOAL_BAD_MSGPACK;
}
