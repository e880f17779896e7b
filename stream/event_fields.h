/* SPDX-License-Identifier: Apache-2.0 */
/* What stands between the two wire formats and the events: the fields of one message as slices.
 *
 * The JSON and the MessagePack reader both fill a struct shoal_fields and know nothing of what a
 * field means; the mappings (own fields, Segment-spec track calls) read it and know nothing of the
 * wire format. A key that stands twice: the last one wins. Keys that nobody asked for are ignored.
 *
 * Internal to the decoder and to what reads files. Slices point into the message or into the decoder's
 * scratch memory and live until the next message. */
#ifndef SHOAL_EVENT_FIELDS_H
#define SHOAL_EVENT_FIELDS_H

#include "stream/event.h"

enum shoal_value_type {
    SHOAL_VALUE_NONE,    /* absent, or null */
    SHOAL_VALUE_TEXT,    /* text, size */
    SHOAL_VALUE_INTEGER, /* text, size: digits as written; or text NULL: negative, magnitude */
    SHOAL_VALUE_REAL,    /* text, size: number as written; or text NULL: real */
    SHOAL_VALUE_BOOLEAN, /* magnitude 0 or 1 */
    SHOAL_VALUE_OTHER,   /* list, map, binary: never right where a value is wanted */
};

struct shoal_value {
    const char *text;
    uint32_t size;
    uint8_t type; /* enum shoal_value_type */
    bool negative;
    union {
        uint64_t magnitude;
        double real;
    };
};

/* Fields at the top of a message: first the own ones, then those of a track call. The last three stand
 * deeper, in `context.consent.categoryPreferences` of a track call. */
enum shoal_field {
    SHOAL_FIELD_USER_ID,
    SHOAL_FIELD_BEHAVIOR,
    SHOAL_FIELD_ITEM_ID,
    SHOAL_FIELD_CATEGORY_ID,
    SHOAL_FIELD_TIMESTAMP,
    SHOAL_FIELD_PRICE,
    SHOAL_FIELD_QUANTITY,
    SHOAL_FIELD_EVENT_ID,
    SHOAL_FIELD_PROMOTION_ID,
    SHOAL_FIELD_EXPOSURE,
    SHOAL_FIELD_CONSENT_MARKETING,
    SHOAL_FIELD_CONSENT_PERSONALIZATION,
    SHOAL_FIELD_CONSENT_PROCESSING,
    SHOAL_FIELD_TYPE,
    SHOAL_FIELD_EVENT,
    SHOAL_FIELD_SEGMENT_USER,
    SHOAL_FIELD_ANONYMOUS_ID,
    SHOAL_FIELD_ORIGINAL_TIMESTAMP,
    SHOAL_FIELD_SENT_AT,
    SHOAL_FIELD_MESSAGE_ID,
    SHOAL_FIELD_PREFERS_ADVERTISING,
    SHOAL_FIELD_PREFERS_PERSONALIZATION,
    SHOAL_FIELD_PREFERS_PROCESSING,
    SHOAL_FIELD_COUNT,
};

/* Fields of `properties` of a track call, and of each of its `products`. */
enum shoal_product_field {
    SHOAL_PRODUCT_ID,
    SHOAL_PRODUCT_SKU,
    SHOAL_PRODUCT_CATEGORY,
    SHOAL_PRODUCT_PRICE,
    SHOAL_PRODUCT_QUANTITY,
    SHOAL_PRODUCT_FIELD_COUNT,
};

struct shoal_product {
    struct shoal_value values[SHOAL_PRODUCT_FIELD_COUNT];
};

struct shoal_fields {
    struct shoal_value top[SHOAL_FIELD_COUNT];
    struct shoal_product properties;
    uint32_t products_count; /* as counted; may exceed the room below: then the rest was dropped */
    bool products_bad;       /* `products` is no list, or holds something that is no map */
    struct shoal_product
        products[SHOAL_EVENTS_PER_MESSAGE_MAX]; /* valid: the first products_count */
};

/* ---- filling, for the format readers ------------------------------------------------------ */

/* Which map a key stands in. IGNORED: below something that nobody asked for. */
enum shoal_level {
    SHOAL_LEVEL_IGNORED,
    SHOAL_LEVEL_TOP,
    SHOAL_LEVEL_PROPERTIES,
    SHOAL_LEVEL_PRODUCTS, /* the list `products` */
    SHOAL_LEVEL_PRODUCT,  /* one element of it */
    SHOAL_LEVEL_CONTEXT,
    SHOAL_LEVEL_CONSENT,     /* context.consent */
    SHOAL_LEVEL_PREFERENCES, /* context.consent.categoryPreferences */
};

void shoal_fields_clear(struct shoal_fields *fields);
/* Where the value of a key goes: a value to fill, or NULL. If the value is a map or a list,
 * `inside` says at which level its contents stand. */
struct shoal_value *shoal_fields_find(struct shoal_fields *fields, enum shoal_level level,
                                      const char *key, size_t size, enum shoal_level *inside);
/* To be called with the level from shoal_fields_find before the contents of a map or list are read:
 * gives the level that they have, or IGNORED if a list stands where a map is wanted and so on. */
enum shoal_level shoal_fields_enter(struct shoal_fields *fields, enum shoal_level inside,
                                    bool is_list);
/* To be called for each element of a list read at LEVEL_PRODUCTS. */
enum shoal_level shoal_fields_element(struct shoal_fields *fields, bool is_map);

/* ---- reading, for the mappings ------------------------------------------------------------ */

/* Decimal number as JSON writes it, leading zeros allowed: `is_integer` without fraction and
 * exponent, `is_padded` with leading zeros. False if the whole text is not one. */
bool shoal_number_scan(const char *text, size_t size, bool *is_integer, bool *is_padded);
/* Its value, correctly rounded; false if it is no number or not finite. */
bool shoal_number_parse(const char *text, size_t size, double *number);

/* UTF-8 without control characters and without surrogates. */
bool shoal_text_is_clean(const char *text, size_t size);
bool shoal_text_is_utf8(const char *text, size_t size);
/* 1 to 64 clean bytes. */
bool shoal_user_is_valid(const char *text, size_t size);

/* Text of an id: text as it is, integers in decimal. `digits` is room for a printed integer. False
 * for any other type and for integers of more than 20 characters. */
bool shoal_value_id(const struct shoal_value *value, char digits[24], const char **text,
                    size_t *size);
/* The user id of a message: `user_id`, else, for track calls, `userId`, else `anonymousId`. OK, or
 * MISSING_FIELD, BAD_FIELD, BAD_USER. */
enum shoal_status shoal_fields_user(const struct shoal_fields *fields, bool is_track,
                                    char digits[24], const char **text, size_t *size,
                                    struct shoal_message *why);
bool shoal_fields_is_track(const struct shoal_fields *fields);

/* These fill the part of an event that they name. An absent optional field leaves "not given";
 * `name` is what the message calls the field. */
enum shoal_status shoal_event_set_item(struct shoal_event *event, const struct shoal_value *value,
                                       const char *name, struct shoal_message *why);
enum shoal_status shoal_event_set_category(struct shoal_event *event,
                                           const struct shoal_value *value, const char *name,
                                           struct shoal_message *why);
enum shoal_status shoal_event_set_time(struct shoal_event *event, const struct shoal_value *value,
                                       const char *name, struct shoal_message *why);
enum shoal_status shoal_event_set_id(struct shoal_event *event, const struct shoal_value *value,
                                     const char *name, struct shoal_message *why);
/* Sets price, price level and quantity. */
enum shoal_status shoal_event_set_price(struct shoal_event *event, const struct shoal_value *price,
                                        const struct shoal_value *quantity,
                                        struct shoal_message *why);
/* Adds what a consent's field says (a boolean; also true, false, 1, 0 as text) to the event. */
enum shoal_status shoal_event_add_consent(struct shoal_event *event, const struct shoal_value *value,
                                          unsigned consent, const char *name,
                                          struct shoal_message *why);
/* The whole event from the own fields of a message; user, partition and offset are the caller's. */
enum shoal_status shoal_event_from_fields(const struct shoal_fields *fields,
                                          struct shoal_event *event, struct shoal_message *why);

enum { SHOAL_QUOTE_BYTES = 48 };
/* A value as it may stand in an error text: printable, quoted, cut. Returns `out`. */
const char *shoal_value_quote(const struct shoal_value *value, char out[SHOAL_QUOTE_BYTES]);

#endif
