/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a MessagePack map; keys that are no strings are ignored like any unknown key. */
#include "stream/decode.h"

/* The next value's head; bytes that end here are an error, since more was announced. */
static bool read_head(struct shoal_unpack *reader, struct shoal_pack_value *value)
{
    if (shoal_unpack_next(reader, value))
        return true;
    shoal_unpack_fail(reader);
    return false;
}

static void skip_contents(struct shoal_unpack *reader, const struct shoal_pack_value *head)
{
    uint64_t left = head->type == SHOAL_PACK_MAP     ? 2 * (uint64_t)head->count
                    : head->type == SHOAL_PACK_ARRAY ? head->count
                                                     : 0;
    while (left-- && reader->status == SHOAL_OK)
        shoal_unpack_skip(reader);
}

static void fill(struct shoal_value *slot, const struct shoal_pack_value *value)
{
    *slot = (struct shoal_value){.type = SHOAL_VALUE_OTHER};
    switch (value->type) {
    case SHOAL_PACK_NIL:
        slot->type = SHOAL_VALUE_NONE;
        break;
    case SHOAL_PACK_STR:
        slot->type = SHOAL_VALUE_TEXT;
        slot->text = value->data;
        slot->size = value->count;
        break;
    case SHOAL_PACK_INT:
        slot->type = SHOAL_VALUE_INTEGER;
        slot->negative = value->integer < 0;
        slot->magnitude = slot->negative ? 0 - (uint64_t)value->integer : value->natural;
        break;
    case SHOAL_PACK_UINT:
        slot->type = SHOAL_VALUE_INTEGER;
        slot->magnitude = value->natural;
        break;
    case SHOAL_PACK_BOOL:
        slot->type = SHOAL_VALUE_BOOLEAN;
        slot->magnitude = value->integer != 0;
        break;
    case SHOAL_PACK_FLOAT:
        slot->type = SHOAL_VALUE_REAL;
        slot->real = value->real;
        break;
    default:
        break;
    }
}

static void read_map(struct shoal_unpack *reader, struct shoal_fields *fields,
                     enum shoal_level level, uint32_t pairs);

static void read_products(struct shoal_unpack *reader, struct shoal_fields *fields, uint32_t count)
{
    struct shoal_pack_value value;
    while (count-- && read_head(reader, &value)) {
        bool is_map = value.type == SHOAL_PACK_MAP;
        enum shoal_level level = shoal_fields_element(fields, is_map);
        if (level == SHOAL_LEVEL_PRODUCT)
            read_map(reader, fields, level, value.count);
        else
            skip_contents(reader, &value);
    }
}

/* At most four levels deep: the top, `context`, `consent`, `categoryPreferences`. */
static void read_map(struct shoal_unpack *reader, struct shoal_fields *fields,
                     enum shoal_level level, uint32_t pairs)
{
    struct shoal_pack_value key, value;
    while (pairs-- && read_head(reader, &key)) {
        struct shoal_value *slot = NULL;
        enum shoal_level inside = SHOAL_LEVEL_IGNORED;
        if (key.type == SHOAL_PACK_STR)
            slot = shoal_fields_find(fields, level, key.data, key.count, &inside);
        else
            skip_contents(reader, &key);
        if (!read_head(reader, &value))
            return;
        if (slot)
            fill(slot, &value);
        bool is_list = value.type == SHOAL_PACK_ARRAY, is_map = value.type == SHOAL_PACK_MAP;
        enum shoal_level entered =
            is_list || is_map ? shoal_fields_enter(fields, inside, is_list) : SHOAL_LEVEL_IGNORED;
        if (is_map && entered != SHOAL_LEVEL_IGNORED)
            read_map(reader, fields, entered, value.count);
        else if (entered == SHOAL_LEVEL_PRODUCTS)
            read_products(reader, fields, value.count);
        else
            skip_contents(reader, &value);
    }
}

enum shoal_status shoal_msgpack_read(const void *bytes, size_t size, struct shoal_fields *fields,
                                     struct shoal_message *why)
{
    struct shoal_unpack reader;
    struct shoal_pack_value root;
    shoal_unpack_init(&reader, bytes, size);
    if (!shoal_unpack_next(&reader, &root) || root.type != SHOAL_PACK_MAP)
        return shoal_fail(why, SHOAL_BAD_MSGPACK, "not a MessagePack map");
    read_map(&reader, fields, SHOAL_LEVEL_TOP, root.count);
    if (reader.status != SHOAL_OK)
        return shoal_fail(why, SHOAL_BAD_MSGPACK, "not well-formed MessagePack at byte %zu of %zu",
                          reader.position, size);
    if (reader.position != size)
        return shoal_fail(why, SHOAL_BAD_MSGPACK, "%zu bytes after the map",
                          size - reader.position);
    return SHOAL_OK;
}
