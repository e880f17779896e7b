/* SPDX-License-Identifier: Apache-2.0 */
/* A message as it arrives, and the events that are in it (DESIGN §4). */
#ifndef SHOAL_EVENT_H
#define SHOAL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/status.h"
#include "model/touch.h"

/* One message of the events topic, or one line of a file as a producer would have sent it. */
struct shoal_input {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* Kafka record timestamp; −1 = unknown (files) */
    const char *key;      /* NULL = no key */
    size_t key_size;
    const void *value;
    size_t value_size;
};

enum shoal_exposure {
    SHOAL_EXPOSURE_NONE,
    SHOAL_EXPOSURE_SHOWN,
    SHOAL_EXPOSURE_CLICKED,
    SHOAL_EXPOSURE_REDEEMED,
};

struct shoal_value;
struct shoal_pseudonyms;

struct shoal_event {
    int32_t partition;
    int64_t offset;
    uint32_t part;             /* 0, 1 … within the message (Order Completed has many products) */
    uint8_t user_size;
    const char *user;          /* user id as text, in the arena, zero-terminated */
    struct shoal_touch touch;  /* time_ms is the event's own, in ms */
    uint64_t event_id;         /* hash of event_id; 0 = none */
    uint32_t promotion;        /* low 32 bits of the hash of promotion_id; 0 = none */
    uint8_t exposure;          /* enum shoal_exposure */
    uint8_t consent_given;     /* bits of enum shoal_consent (record.h) that the event gives */
    uint8_t consent_withdrawn; /* … and those that it withdraws; no bit is in both */
    double price, quantity;    /* NaN = not given */
    const struct shoal_value *item; /* where the id stands in the message, see shoal_event_item; or NULL */
    bool timer;                /* no event: a timer of the user that fell due at touch.time_ms */
};

struct shoal_decode_options {
    int64_t max_future_ms;  /* event.max_future: later than timestamp_ms by more is FUTURE_EVENT */
    size_t max_value_bytes; /* larger messages are TOO_LARGE */
    const struct shoal_pseudonyms *pseudonyms; /* borrowed; what stands for user ids (pseudonym.h); NULL: they
                                                * stand for themselves */
};

/* 1 day, 1 MiB */
struct shoal_decode_options shoal_decode_options_default(void);

enum { SHOAL_EVENTS_PER_MESSAGE_MAX = 256 };

/* The item's id as text, not zero-terminated: in the message, in the decoder, or in `digits`. Only until
 * that decoder gets another message and while this one's bytes are there. NULL: nothing is known of it. */
const char *shoal_event_item(const struct shoal_event *event, char digits[24], size_t *size);

/* A decoder keeps memory between messages; one a worker. `options` NULL: the defaults. INVALID for a
 * negative max_future_ms or a max_value_bytes over 1 GiB; NOMEM. */
struct shoal_decoder;
enum shoal_status shoal_decoder_create(const struct shoal_decode_options *options,
                                       struct shoal_decoder **decoder) SHOAL_MUST_CHECK;
void shoal_decoder_destroy(struct shoal_decoder *decoder);

/* Decodes one message into events[0 … *count − 1] (room for SHOAL_EVENTS_PER_MESSAGE_MAX). All or
 * nothing: a status of class skip means the whole message is to be dead-lettered and *count is 0.
 * Nothing points into input->value afterwards but what shoal_event_item reads; strings are copied into `arena`. Accepts JSON and
 * MessagePack maps, own fields and Segment-spec track calls, told apart by the first byte and by
 * "type":"track". NOMEM is the only other failure.
 *
 * Fine points: of two equal keys the last wins; unknown keys are ignored with all below them;
 * null, and empty text for an optional id, is as good as absent; an integer as an id is its
 * decimal text (1.0 and 1e3 are refused); numbers may stand as text; an empty message key counts as
 * none; nesting is bounded by 32. `why` (may be NULL) names the field and shows the value,
 * printable ASCII; with pseudonyms it is the status's text and shows nothing of the message. */
enum shoal_status shoal_decode(struct shoal_decoder *decoder, const struct shoal_input *input,
                               struct shoal_arena *arena, struct shoal_event *events,
                               size_t *count, struct shoal_message *why);

/* Time from text (RFC 3339, also "YYYY-MM-DD HH:MM:SS[ UTC]", "YYYY-MM-DD HH", date alone) or from
 * a number, also as text (seconds below 10^11, else ms), to ms since 1970 within years 1970 … 9999.
 * False if it cannot be read. Without an offset, UTC is taken. */
bool shoal_time_parse(const char *text, size_t size, int64_t *time_ms);
bool shoal_time_from_number(double number, int64_t *time_ms);
/* "2017-12-02T00:00:00.000Z" into 25 bytes. */
void shoal_time_print(int64_t time_ms, char text[25]);

/* Behaviour from any accepted name: pv view page_view 1; cart addtocart add_to_cart 3; fav favorite
 * favourite wishlist add_to_wishlist 2; buy purchase transaction 4. Lower case only. */
bool shoal_behavior_parse(const char *text, size_t size, enum shoal_behavior *behavior);

/* Low bits of the one hash, as they stand in touches. */
uint32_t shoal_item_hash(const char *text, size_t size);
uint16_t shoal_category_hash(const char *text, size_t size); /* never 0 */
uint32_t shoal_promotion_hash(const char *text, size_t size); /* never 0 */

/* The partition that a Java producer, or librdkafka's murmur2_random, gives a key. */
int32_t shoal_partition_of(const void *key, size_t size, int32_t partition_count);

/* How producers choose a partition: murmur2 (Java, librdkafka's murmur2 and murmur2_random) or CRC-32
 * (librdkafka's own default, consistent and consistent_random). */
enum shoal_partitioner { SHOAL_MURMUR2, SHOAL_CONSISTENT, SHOAL_PARTITIONERS };
const char *shoal_partitioner_name(enum shoal_partitioner partitioner);
int32_t shoal_partitioner_of(enum shoal_partitioner partitioner, const void *key, size_t size,
                             int32_t partition_count);

#endif
