/* SPDX-License-Identifier: Apache-2.0 */
/* From a message to its events: format by the first byte, mapping by "type":"track", then what
 * holds for both: the user, the key, the bound on the future.
 *
 *   bytes ─► JSON reader ───────┐                ┌─► own fields ────┐
 *        └─► MessagePack reader ─┴─► shoal_fields ┴─► track call ────┴─► events
 *
 * An empty key counts as no key: some producers write one where they have none. */
#include "stream/decode.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/pseudonym.h"

struct shoal_decoder {
    struct shoal_decode_options options;
    struct shoal_json json;
    struct shoal_fields fields;
    char digits[24];
    char pseudonym[SHOAL_PSEUDONYM_SIZE + 1];
};

struct shoal_decode_options shoal_decode_options_default(void)
{
    return (struct shoal_decode_options){.max_future_ms = 86400000, .max_value_bytes = 1 << 20};
}

enum shoal_status shoal_decoder_create(const struct shoal_decode_options *options,
                                       struct shoal_decoder **decoder)
{
    *decoder = NULL;
    if (options && (options->max_value_bytes > INT_MAX / 2 || options->max_future_ms < 0))
        return SHOAL_INVALID;
    struct shoal_decoder *made = calloc(1, sizeof *made);
    if (!made)
        return SHOAL_NOMEM;
    made->options = options ? *options : shoal_decode_options_default();
    *decoder = made;
    return SHOAL_OK;
}

void shoal_decoder_destroy(struct shoal_decoder *decoder)
{
    if (!decoder)
        return;
    shoal_json_finish(&decoder->json);
    free(decoder);
}

static bool is_json_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Space before a JSON object is none of the first bytes of a MessagePack map. */
static bool looks_like_json(const unsigned char *bytes, size_t size)
{
    size_t i = 0;
    while (i < size && is_json_space(bytes[i]))
        i++;
    return i < size && bytes[i] == '{';
}

static bool looks_like_msgpack_map(const unsigned char *bytes, size_t size)
{
    return size && ((bytes[0] & 0xf0) == 0x80 || bytes[0] == 0xde || bytes[0] == 0xdf);
}

static enum shoal_status read_fields(struct shoal_decoder *decoder, const void *value, size_t size,
                                     struct shoal_message *why)
{
    shoal_fields_clear(&decoder->fields);
    if (looks_like_json(value, size))
        return shoal_json_read(&decoder->json, value, size, &decoder->fields, why);
    if (looks_like_msgpack_map(value, size))
        return shoal_msgpack_read(value, size, &decoder->fields, why);
    if (size == 0)
        return shoal_fail(why, SHOAL_BAD_FORMAT, "the message is empty");
    return shoal_fail(why, SHOAL_BAD_FORMAT,
                      "first byte 0x%02x begins neither a JSON object nor a "
                      "MessagePack map",
                      *(const unsigned char *)value);
}

static enum shoal_status check_key(const struct shoal_input *input, const char *user, size_t size,
                                   struct shoal_message *why)
{
    if (!input->key || !input->key_size ||
        (input->key_size == size && memcmp(input->key, user, size) == 0))
        return SHOAL_OK;
    struct shoal_value key = {.type = SHOAL_VALUE_TEXT,
                              .text = input->key,
                              .size = input->key_size > 1000 ? 1000 : (uint32_t)input->key_size};
    struct shoal_value id = {.type = SHOAL_VALUE_TEXT, .text = user, .size = (uint32_t)size};
    char key_text[SHOAL_QUOTE_BYTES], id_text[SHOAL_QUOTE_BYTES];
    return shoal_fail(why, SHOAL_KEY_MISMATCH, "message key %s, user id %s",
                      shoal_value_quote(&key, key_text), shoal_value_quote(&id, id_text));
}

static enum shoal_status check_future(const struct shoal_decoder *decoder,
                                      const struct shoal_input *input, int64_t time_ms,
                                      struct shoal_message *why)
{
    if (input->timestamp_ms < 0 || time_ms - input->timestamp_ms <= decoder->options.max_future_ms)
        return SHOAL_OK;
    char event[25], record[25];
    shoal_time_print(time_ms, event);
    shoal_time_print(input->timestamp_ms, record);
    return shoal_fail(why, SHOAL_FUTURE_EVENT, "event of %s in a record of %s", event, record);
}

static enum shoal_status decode(struct shoal_decoder *decoder, const struct shoal_input *input,
                                struct shoal_arena *arena, struct shoal_event *events, size_t *count,
                                struct shoal_message *why)
{
    *count = 0;
    if (input->value_size > decoder->options.max_value_bytes)
        return shoal_fail(why, SHOAL_TOO_LARGE, "%zu bytes, at most %zu are allowed",
                          input->value_size, decoder->options.max_value_bytes);
    enum shoal_status status = read_fields(decoder, input->value, input->value_size, why);
    if (status != SHOAL_OK)
        return status;

    const struct shoal_fields *fields = &decoder->fields;
    bool is_track = shoal_fields_is_track(fields);
    const char *user;
    size_t user_size, made = 1;
    if ((status = shoal_fields_user(fields, is_track, decoder->digits, &user, &user_size, why)) !=
            SHOAL_OK ||
        (status = check_key(input, user, user_size, why)) != SHOAL_OK)
        return status;
    /* The door: beyond this the original id is not known. */
    if (decoder->options.pseudonyms) {
        shoal_pseudonym_of(decoder->options.pseudonyms, user, user_size, decoder->pseudonym);
        user = decoder->pseudonym;
        user_size = SHOAL_PSEUDONYM_SIZE;
    }

    events[0] = (struct shoal_event){
        .partition = input->partition,
        .offset = input->offset,
        .user_size = (uint8_t)user_size,
        .price = NAN,
        .quantity = NAN,
    };
    status = is_track ? shoal_segment_events(fields, events, &made, why)
                      : shoal_event_from_fields(fields, &events[0], why);
    if (status != SHOAL_OK)
        return status;
    /* All events of a message have one time. */
    if ((status = check_future(decoder, input, events[0].touch.time_ms, why)) != SHOAL_OK)
        return status;

    char *copy = shoal_arena_copy(arena, user, user_size);
    if (!copy)
        return shoal_fail(why, SHOAL_NOMEM, "no memory for a user id");
    for (size_t i = 0; i < made; i++)
        events[i].user = copy;
    *count = made;
    return SHOAL_OK;
}

enum shoal_status shoal_decode(struct shoal_decoder *decoder, const struct shoal_input *input,
                               struct shoal_arena *arena, struct shoal_event *events, size_t *count,
                               struct shoal_message *why)
{
    enum shoal_status status = decode(decoder, input, arena, events, count, why);
    if (status != SHOAL_OK && decoder->options.pseudonyms)
        return shoal_fail(why, status, "%s", shoal_status_text(status));
    return status;
}

bool shoal_decoder_find_user(struct shoal_decoder *decoder, const void *value, size_t size,
                             const char **user, size_t *user_size)
{
    if (size > decoder->options.max_value_bytes ||
        read_fields(decoder, value, size, NULL) != SHOAL_OK)
        return false;
    return shoal_fields_user(&decoder->fields, shoal_fields_is_track(&decoder->fields),
                             decoder->digits, user, user_size, NULL) == SHOAL_OK;
}
