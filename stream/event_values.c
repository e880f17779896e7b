/* SPDX-License-Identifier: Apache-2.0 */
/* From a value as it was written to what an event holds: ids, behaviours, times, prices.
 *
 * Every refusal names the field and shows the value, since its text is what someone finds in the
 * dead-letter topic. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/base/hash.h"
#include "state/record.h"
#include "stream/event_fields.h"

/* ---- text --------------------------------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7), 0 if there is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    unsigned first = at[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || left < length)
        return 0;
    unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

bool shoal_text_is_utf8(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length;
    for (size_t i = 0; i < size; i += length) {
        length = utf8_length(bytes + i, size - i);
        if (!length)
            return false;
    }
    return true;
}

bool shoal_text_is_clean(const char *text, size_t size)
{
    unsigned char high = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == 0x7f)
            return false;
        high |= c;
    }
    return high < 0x80 || shoal_text_is_utf8(text, size);
}

const char *shoal_value_quote(const struct shoal_value *value, char out[SHOAL_QUOTE_BYTES])
{
    char digits[24];
    const char *text = value->text;
    size_t size = value->size;
    if (value->type == SHOAL_VALUE_NONE || value->type >= SHOAL_VALUE_BOOLEAN)
        return value->type == SHOAL_VALUE_NONE ? "null" : "a value of another type";
    if (!text && value->type == SHOAL_VALUE_REAL) {
        snprintf(out, SHOAL_QUOTE_BYTES, "%g", value->real);
        return out;
    }
    if (!text && !shoal_value_id(value, digits, &text, &size))
        return "a number";
    size_t room = SHOAL_QUOTE_BYTES - 6, used = 0; /* quotes, "...", zero */
    out[used++] = '\'';
    for (size_t i = 0; i < size && i < room; i++) {
        char c = text[i];
        out[used++] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    if (size > room) {
        memcpy(out + used, "...", 3);
        used += 3;
    }
    out[used++] = '\'';
    out[used] = '\0';
    return out;
}

bool shoal_value_id(const struct shoal_value *value, char digits[24], const char **text,
                    size_t *size)
{
    if (value->type == SHOAL_VALUE_TEXT ||
        (value->type == SHOAL_VALUE_INTEGER && value->text && value->size <= 20)) {
        *text = value->text;
        *size = value->size;
        return true;
    }
    if (value->type != SHOAL_VALUE_INTEGER || value->text)
        return false;
    char *end = digits + 24, *at = end;
    uint64_t left = value->magnitude;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value->negative)
        *--at = '-';
    *text = at;
    *size = (size_t)(end - at);
    return true;
}

/* ---- behaviours and hashes ---------------------------------------------------------------- */

bool shoal_behavior_parse(const char *text, size_t size, enum shoal_behavior *behavior)
{
    /* 1 to 4 are the types of the Tianchi mobile data: click, collect, add to cart, payment. */
    static const struct {
        const char *name;
        enum shoal_behavior behavior;
    } names[] = {
        {"pv", SHOAL_PV},
        {"view", SHOAL_PV},
        {"cart", SHOAL_CART},
        {"fav", SHOAL_FAV},
        {"buy", SHOAL_BUY},
        {"purchase", SHOAL_BUY},
        {"addtocart", SHOAL_CART},
        {"add_to_cart", SHOAL_CART},
        {"transaction", SHOAL_BUY},
        {"page_view", SHOAL_PV},
        {"favorite", SHOAL_FAV},
        {"favourite", SHOAL_FAV},
        {"wishlist", SHOAL_FAV},
        {"add_to_wishlist", SHOAL_FAV},
        {"1", SHOAL_PV},
        {"2", SHOAL_FAV},
        {"3", SHOAL_CART},
        {"4", SHOAL_BUY},
    };
    if (size == 0)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].name[0] == text[0] && strlen(names[i].name) == size &&
            memcmp(names[i].name, text, size) == 0) {
            *behavior = names[i].behavior;
            return true;
        }
    }
    return false;
}

uint32_t shoal_item_hash(const char *text, size_t size)
{
    return (uint32_t)shoal_hash(text, size);
}

uint16_t shoal_category_hash(const char *text, size_t size)
{
    uint16_t hash = (uint16_t)shoal_hash(text, size);
    return hash ? hash : 1;
}

uint32_t shoal_promotion_hash(const char *text, size_t size)
{
    uint32_t hash = (uint32_t)shoal_hash(text, size);
    return hash ? hash : 1;
}

/* ---- fields of an event ------------------------------------------------------------------- */

static bool value_number(const struct shoal_value *value, double *number)
{
    if (value->type == SHOAL_VALUE_NONE || value->type >= SHOAL_VALUE_BOOLEAN)
        return false;
    if (value->text)
        return shoal_number_parse(value->text, value->size, number);
    if (value->type == SHOAL_VALUE_INTEGER)
        *number = value->negative ? -(double)value->magnitude : (double)value->magnitude;
    else
        *number = value->real;
    return isfinite(*number);
}

static enum shoal_status refuse(struct shoal_message *why, enum shoal_status status,
                                const struct shoal_value *value, const char *name, const char *what)
{
    char quoted[SHOAL_QUOTE_BYTES];
    return shoal_fail(why, status, "field '%s': %s %s", name, shoal_value_quote(value, quoted),
                      what);
}

/* Id of an optional field; size 0 when there is none. */
static enum shoal_status optional_id(const struct shoal_value *value, const char *name,
                                     size_t size_max, char digits[24], const char **text,
                                     size_t *size, struct shoal_message *why)
{
    *size = 0;
    if (value->type == SHOAL_VALUE_NONE)
        return SHOAL_OK;
    if (!shoal_value_id(value, digits, text, size))
        return refuse(why, SHOAL_BAD_FIELD, value, name, "is neither text nor an integer");
    if (*size > size_max)
        return shoal_fail(why, SHOAL_BAD_FIELD, "field '%s' has %zu bytes, at most %zu are allowed",
                          name, *size, size_max);
    return SHOAL_OK;
}

enum shoal_status shoal_event_set_item(struct shoal_event *event, const struct shoal_value *value,
                                       const char *name, struct shoal_message *why)
{
    char digits[24];
    const char *text;
    size_t size;
    if (value->type == SHOAL_VALUE_NONE)
        return shoal_fail(why, SHOAL_MISSING_FIELD, "field '%s' is missing", name);
    if (!shoal_value_id(value, digits, &text, &size))
        return refuse(why, SHOAL_BAD_FIELD, value, name, "is neither text nor an integer");
    if (size == 0)
        return shoal_fail(why, SHOAL_BAD_FIELD, "field '%s' is empty", name);
    event->touch.item = shoal_item_hash(text, size);
    event->item = value;
    return SHOAL_OK;
}

const char *shoal_event_item(const struct shoal_event *event, char digits[24], size_t *size)
{
    const char *text;
    return event->item && shoal_value_id(event->item, digits, &text, size) ? text : NULL;
}

enum shoal_status shoal_event_set_category(struct shoal_event *event,
                                           const struct shoal_value *value, const char *name,
                                           struct shoal_message *why)
{
    char digits[24];
    const char *text;
    size_t size;
    enum shoal_status status = optional_id(value, name, UINT32_MAX, digits, &text, &size, why);
    event->touch.category = status == SHOAL_OK && size ? shoal_category_hash(text, size) : 0;
    return status;
}

enum shoal_status shoal_event_set_time(struct shoal_event *event, const struct shoal_value *value,
                                       const char *name, struct shoal_message *why)
{
    double number;
    bool ok;
    if (value->type == SHOAL_VALUE_NONE)
        return shoal_fail(why, SHOAL_MISSING_FIELD, "field '%s' is missing", name);
    if (value->type == SHOAL_VALUE_TEXT)
        ok = shoal_time_parse(value->text, value->size, &event->touch.time_ms);
    else
        ok = value_number(value, &number) && shoal_time_from_number(number, &event->touch.time_ms);
    return ok ? SHOAL_OK : refuse(why, SHOAL_BAD_TIMESTAMP, value, name, "is not a time");
}

enum shoal_status shoal_event_set_id(struct shoal_event *event, const struct shoal_value *value,
                                     const char *name, struct shoal_message *why)
{
    char digits[24];
    const char *text;
    size_t size;
    enum shoal_status status = optional_id(value, name, 64, digits, &text, &size, why);
    event->event_id = 0;
    if (status == SHOAL_OK && size) {
        /* The part is the seed: events of one order differ, those of its redelivery do not. Part 0
         * has the plain hash. */
        uint64_t hash = shoal_hash_seeded(text, size, event->part);
        event->event_id = hash ? hash : 1;
    }
    return status;
}

static enum shoal_status set_amount(double *amount, const struct shoal_value *value,
                                    const char *name, struct shoal_message *why)
{
    *amount = NAN;
    if (value->type == SHOAL_VALUE_NONE)
        return SHOAL_OK;
    double number;
    if (!value_number(value, &number))
        return refuse(why, SHOAL_BAD_FIELD, value, name, "is not a number");
    if (number < 0)
        return refuse(why, SHOAL_BAD_FIELD, value, name, "is negative");
    *amount = number;
    return SHOAL_OK;
}

enum shoal_status shoal_event_set_price(struct shoal_event *event, const struct shoal_value *price,
                                        const struct shoal_value *quantity,
                                        struct shoal_message *why)
{
    enum shoal_status status = set_amount(&event->price, price, "price", why);
    if (status == SHOAL_OK)
        status = set_amount(&event->quantity, quantity, "quantity", why);
    event->touch.price_level = isnan(event->price) ? 0 : shoal_price_level(event->price);
    return status;
}

static enum shoal_status set_behavior(struct shoal_event *event, const struct shoal_value *value,
                                      struct shoal_message *why)
{
    char digits[24];
    const char *text;
    size_t size;
    enum shoal_behavior behavior;
    if (value->type == SHOAL_VALUE_NONE)
        return shoal_fail(why, SHOAL_MISSING_FIELD, "field 'behavior' is missing");
    if (!shoal_value_id(value, digits, &text, &size) ||
        !shoal_behavior_parse(text, size, &behavior))
        return refuse(why, SHOAL_BAD_BEHAVIOR, value, "behavior",
                      "is none of pv, cart, fav, buy and their other names");
    event->touch.behavior = (uint8_t)behavior;
    return SHOAL_OK;
}

static enum shoal_status set_contact(struct shoal_event *event, const struct shoal_value *promotion,
                                     const struct shoal_value *exposure, struct shoal_message *why)
{
    static const char *const names[] = {
        [SHOAL_EXPOSURE_SHOWN] = "shown",
        [SHOAL_EXPOSURE_CLICKED] = "clicked",
        [SHOAL_EXPOSURE_REDEEMED] = "redeemed",
    };
    char digits[24];
    const char *text;
    size_t size;
    enum shoal_status status =
        optional_id(promotion, "promotion_id", 64, digits, &text, &size, why);
    if (status != SHOAL_OK)
        return status;
    event->promotion = size ? shoal_promotion_hash(text, size) : 0;
    event->exposure = SHOAL_EXPOSURE_NONE;
    bool is_text = exposure->type == SHOAL_VALUE_TEXT;
    if (exposure->type == SHOAL_VALUE_NONE || (is_text && exposure->size == 0))
        return SHOAL_OK;
    for (uint8_t i = SHOAL_EXPOSURE_SHOWN; i <= SHOAL_EXPOSURE_REDEEMED; i++) {
        if (is_text && strlen(names[i]) == exposure->size &&
            memcmp(names[i], exposure->text, exposure->size) == 0)
            event->exposure = i;
    }
    if (event->exposure == SHOAL_EXPOSURE_NONE)
        return refuse(why, SHOAL_BAD_FIELD, exposure, "exposure",
                      "is none of shown, clicked, redeemed");
    return SHOAL_OK;
}

static bool is_one_of(const struct shoal_value *value, const char *a, const char *b)
{
    return value->text && ((strlen(a) == value->size && memcmp(a, value->text, value->size) == 0) ||
                           (strlen(b) == value->size && memcmp(b, value->text, value->size) == 0));
}

enum shoal_status shoal_event_add_consent(struct shoal_event *event, const struct shoal_value *value,
                                          unsigned consent, const char *name,
                                          struct shoal_message *why)
{
    double number;
    bool is_text = value->type == SHOAL_VALUE_TEXT;
    if (value->type == SHOAL_VALUE_NONE || (is_text && value->size == 0))
        return SHOAL_OK;
    bool yes = is_text && is_one_of(value, "true", "1"), no = is_text && is_one_of(value, "false", "0");
    if (value->type == SHOAL_VALUE_BOOLEAN) {
        yes = value->magnitude == 1;
        no = !yes;
    } else if (value->type == SHOAL_VALUE_INTEGER && value_number(value, &number)) {
        yes = number > 0.5 && number < 1.5;
        no = number > -0.5 && number < 0.5;
    }
    if (yes)
        event->consent_given |= (uint8_t)consent;
    else if (no)
        event->consent_withdrawn |= (uint8_t)consent;
    else
        return refuse(why, SHOAL_BAD_FIELD, value, name, "is neither true nor false");
    return SHOAL_OK;
}

enum shoal_status shoal_event_from_fields(const struct shoal_fields *fields,
                                          struct shoal_event *event, struct shoal_message *why)
{
    const struct shoal_value *top = fields->top;
    enum shoal_status status;
    if ((status = set_behavior(event, &top[SHOAL_FIELD_BEHAVIOR], why)) != SHOAL_OK ||
        (status = shoal_event_set_item(event, &top[SHOAL_FIELD_ITEM_ID], "item_id", why)) !=
            SHOAL_OK ||
        (status = shoal_event_set_category(event, &top[SHOAL_FIELD_CATEGORY_ID], "category_id",
                                           why)) != SHOAL_OK ||
        (status = shoal_event_set_time(event, &top[SHOAL_FIELD_TIMESTAMP], "timestamp", why)) !=
            SHOAL_OK ||
        (status = shoal_event_set_price(event, &top[SHOAL_FIELD_PRICE], &top[SHOAL_FIELD_QUANTITY],
                                        why)) != SHOAL_OK ||
        (status = shoal_event_set_id(event, &top[SHOAL_FIELD_EVENT_ID], "event_id", why)) !=
            SHOAL_OK ||
        (status = shoal_event_add_consent(event, &top[SHOAL_FIELD_CONSENT_MARKETING],
                                          SHOAL_CONSENT_MARKETING, "consent_marketing", why)) !=
            SHOAL_OK ||
        (status = shoal_event_add_consent(event, &top[SHOAL_FIELD_CONSENT_PERSONALIZATION],
                                          SHOAL_CONSENT_PERSONALIZATION, "consent_personalization",
                                          why)) != SHOAL_OK ||
        (status = shoal_event_add_consent(event, &top[SHOAL_FIELD_CONSENT_PROCESSING],
                                          SHOAL_CONSENT_PROCESSING, "consent_processing", why)) !=
            SHOAL_OK)
        return status;
    return set_contact(event, &top[SHOAL_FIELD_PROMOTION_ID], &top[SHOAL_FIELD_EXPOSURE], why);
}
