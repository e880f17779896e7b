/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack cursors: a writer into a growing buffer, a reader over bytes from anywhere.
 *
 * Both have a sticky error: after a failure every further call does nothing (the reader returns
 * zeros and empty strings), and the caller looks at the status once at the end. The reader never
 * reads past its bytes, allocates nothing, and bounds nesting; strings and binaries point into
 * the bytes given. This pair of files is the only place that sees msgpack-c. */
#ifndef SHOAL_BASE_PACK_H
#define SHOAL_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

/* ---- growing byte buffer ------------------------------------------------------------------ */

struct shoal_buffer {
    uint8_t *bytes; /* owned; NULL while empty */
    size_t size, capacity;
    bool failed; /* out of memory happened; sticky until clear */
};

void shoal_buffer_finish(struct shoal_buffer *buffer);
/* Empties it, keeps the memory. */
void shoal_buffer_clear(struct shoal_buffer *buffer);
/* Room for `size` more bytes, not yet counted in `size`; NULL when out of memory (then `failed`). */
uint8_t *shoal_buffer_reserve(struct shoal_buffer *buffer, size_t size);
void shoal_buffer_append(struct shoal_buffer *buffer, const void *bytes, size_t size);

/* ---- writer: appends one MessagePack value to a buffer ------------------------------------ */

void shoal_pack_nil(struct shoal_buffer *buffer);
void shoal_pack_bool(struct shoal_buffer *buffer, bool value);
void shoal_pack_int(struct shoal_buffer *buffer, int64_t value);   /* smallest encoding */
void shoal_pack_uint(struct shoal_buffer *buffer, uint64_t value); /* smallest encoding */
void shoal_pack_float(struct shoal_buffer *buffer, float value);
void shoal_pack_double(struct shoal_buffer *buffer, double value);
void shoal_pack_str(struct shoal_buffer *buffer, const char *text, size_t size);
void shoal_pack_text(struct shoal_buffer *buffer, const char *text); /* zero-terminated */
void shoal_pack_bin(struct shoal_buffer *buffer, const void *bytes, size_t size);
void shoal_pack_array(struct shoal_buffer *buffer, uint32_t count);
void shoal_pack_map(struct shoal_buffer *buffer, uint32_t count);

/* ---- reader ------------------------------------------------------------------------------- */

enum shoal_pack_type {
    SHOAL_PACK_END, /* no more bytes, or the reader has failed */
    SHOAL_PACK_NIL,
    SHOAL_PACK_BOOL,
    SHOAL_PACK_INT,    /* fits int64_t */
    SHOAL_PACK_UINT,   /* above INT64_MAX */
    SHOAL_PACK_FLOAT,  /* 32 or 64 bits */
    SHOAL_PACK_STR,
    SHOAL_PACK_BIN,
    SHOAL_PACK_ARRAY,
    SHOAL_PACK_MAP,
    SHOAL_PACK_EXT,
};

struct shoal_unpack {
    const uint8_t *bytes;
    size_t size, position;
    enum shoal_status status; /* SHOAL_OK or SHOAL_BAD_MSGPACK, sticky */
};

/* One value as it lies in the bytes. For arrays and maps only `count` is set: the elements (for a
 * map, keys and values in turn) are the values that follow. */
struct shoal_pack_value {
    enum shoal_pack_type type;
    int64_t integer;   /* INT; BOOL as 0 or 1; FLOAT: 0 */
    uint64_t natural;  /* UINT, and INT where not negative */
    double real;       /* FLOAT; INT and UINT converted */
    const char *data;  /* STR, BIN, EXT: inside the reader's bytes */
    uint32_t count;    /* STR, BIN, EXT: bytes; ARRAY: elements; MAP: pairs */
};

void shoal_unpack_init(struct shoal_unpack *reader, const void *bytes, size_t size);
/* Reads the next value's head. False at the end or after an error. */
bool shoal_unpack_next(struct shoal_unpack *reader, struct shoal_pack_value *value);
/* Skips one whole value with all that it contains (nesting up to 32). */
void shoal_unpack_skip(struct shoal_unpack *reader);

/* Typed reads: a value of another type, or out of range, is an error of the reader. */
int64_t shoal_unpack_int(struct shoal_unpack *reader, int64_t min, int64_t max);
uint64_t shoal_unpack_uint(struct shoal_unpack *reader, uint64_t max);
double shoal_unpack_double(struct shoal_unpack *reader); /* integers accepted */
bool shoal_unpack_bool(struct shoal_unpack *reader);
/* Bytes of a string or binary; NULL and 0 after an error. */
const char *shoal_unpack_str(struct shoal_unpack *reader, size_t *size);
const void *shoal_unpack_bin(struct shoal_unpack *reader, size_t *size);
/* Number of elements or pairs; an error if over `max` or more than the bytes left can hold. */
uint32_t shoal_unpack_array(struct shoal_unpack *reader, uint32_t max);
uint32_t shoal_unpack_map(struct shoal_unpack *reader, uint32_t max);
void shoal_unpack_fail(struct shoal_unpack *reader);

#endif
