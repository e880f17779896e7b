/* SPDX-License-Identifier: Apache-2.0 */
/* One writer for outputs in JSON and MessagePack: the caller says what there is, in one order, and
 * gets canonical bytes of either format. No white space, fixed number forms, shortest escapes.
 *
 *   shoal_encode_map(&e, 2);
 *   SHOAL_ENCODE_KEY(&e, "to");
 *   shoal_encode_str(&e, "hot", 3);
 *   …
 *   shoal_encode_map_end(&e);
 *
 * Out of memory shows in out->failed. Counts must be true: MessagePack writes them first. */
#ifndef SHOAL_ENCODE_H
#define SHOAL_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model/base/pack.h"

enum shoal_encode_format { SHOAL_ENCODE_JSON, SHOAL_ENCODE_MSGPACK };

struct shoal_encoder {
    struct shoal_buffer *out;
    enum shoal_encode_format format;
    bool comma; /* JSON: a value stands right before */
};

void shoal_encode_init(struct shoal_encoder *encoder, enum shoal_encode_format format,
                       struct shoal_buffer *out);

void shoal_encode_map(struct shoal_encoder *encoder, uint32_t pairs);
void shoal_encode_map_end(struct shoal_encoder *encoder);
void shoal_encode_array(struct shoal_encoder *encoder, uint32_t elements);
void shoal_encode_array_end(struct shoal_encoder *encoder);

/* Room for `size` bytes behind what is written; NULL when out of memory. Inline, because a decision
 * consists of eighty pieces of ten bytes. */
static inline char *shoal_encode_room(struct shoal_encoder *encoder, size_t size)
{
    struct shoal_buffer *out = encoder->out;
    if (out->capacity - out->size >= size && !out->failed)
        return (char *)out->bytes + out->size;
    return (char *)shoal_buffer_reserve(out, size);
}

static inline void shoal_encode_wrote(struct shoal_encoder *encoder, const char *end)
{
    encoder->out->size = (size_t)((const uint8_t *)end - encoder->out->bytes);
}

/* `quoted` is "\"name\":" as JSON has it; a literal, so that its size is known when compiling. */
static inline void shoal_encode_quoted_key(struct shoal_encoder *encoder, const char *quoted,
                                           size_t size)
{
    if (encoder->format != SHOAL_ENCODE_JSON) {
        shoal_pack_str(encoder->out, quoted + 1, size - 3);
        return;
    }
    char *at = shoal_encode_room(encoder, size + 1);
    if (!at)
        return;
    *at = ',';
    at += encoder->comma;
    memcpy(at, quoted, size);
    shoal_encode_wrote(encoder, at + size);
    encoder->comma = false;
}
#define SHOAL_ENCODE_KEY(encoder, literal)                                                         \
    shoal_encode_quoted_key(encoder, "\"" literal "\":", sizeof literal + 2)

/* UTF-8; JSON escapes quotes, backslashes and control characters. */
void shoal_encode_str(struct shoal_encoder *encoder, const char *text, size_t size);
/* A name of ours, which needs no escapes; zero-terminated, at most 64 bytes; NULL is null. */
void shoal_encode_name(struct shoal_encoder *encoder, const char *text);
void shoal_encode_int(struct shoal_encoder *encoder, int64_t value);
void shoal_encode_bool(struct shoal_encoder *encoder, bool value);
void shoal_encode_null(struct shoal_encoder *encoder);
/* A probability with six decimals ("0.231000"), the same number in MessagePack; null if it is not
 * within ±10^12. */
void shoal_encode_score(struct shoal_encoder *encoder, double value);
/* Milliseconds since 1970 as "2017-12-02T00:00:00.000Z". */
void shoal_encode_time(struct shoal_encoder *encoder, int64_t time_ms);
/* "2h13m", see units.h. */
void shoal_encode_duration(struct shoal_encoder *encoder, int64_t duration_ms);

/* Decimal digits of `value` into `text` (20 bytes are enough), no zero byte; returns how many. */
size_t shoal_print_uint(uint64_t value, char *text);

#endif
