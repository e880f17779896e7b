/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of the two wire formats and of track calls, as the decoder calls them. Internal. */
#ifndef SHOAL_DECODE_H
#define SHOAL_DECODE_H

#include "model/base/pack.h"
#include "stream/event_fields.h"

/* Memory that the JSON reader keeps between messages. */
struct shoal_json {
    struct shoal_buffer unescaped; /* strings that had escapes in them */
};

void shoal_json_finish(struct shoal_json *json);
/* Checks that `text` is one JSON object (RFC 8259, UTF-8, nested up to 32) and collects its fields.
 * BAD_JSON, NOMEM; BAD_USER if it is the user id that is not UTF-8. */
enum shoal_status shoal_json_read(struct shoal_json *json, const char *text, size_t size,
                                  struct shoal_fields *fields,
                                  struct shoal_message *why) SHOAL_MUST_CHECK;

/* Writes what the escapes of a string, checked before, stand for; returns how many bytes, never more than the
 * text had. Half of a surrogate pair becomes three bytes that are not UTF-8: an id with it is refused
 * later. */
size_t shoal_json_unescape(const char *at, const char *end, char *out);

/* The same for one MessagePack map. BAD_MSGPACK. */
enum shoal_status shoal_msgpack_read(const void *bytes, size_t size, struct shoal_fields *fields,
                                     struct shoal_message *why) SHOAL_MUST_CHECK;

/* Events of a track call: events[0] comes prepared (coordinates, user) and is the pattern of all.
 */
enum shoal_status shoal_segment_events(const struct shoal_fields *fields,
                                       struct shoal_event *events, size_t *count,
                                       struct shoal_message *why) SHOAL_MUST_CHECK;

/* The user id that the decoder would find in a JSON message, for the key of a file's line; false if
 * there is none. Points into the message or the decoder. */
bool shoal_decoder_find_user(struct shoal_decoder *decoder, const void *value, size_t size,
                             const char **user, size_t *user_size);

#endif
