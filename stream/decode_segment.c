/* SPDX-License-Identifier: Apache-2.0 */
/* E-commerce track calls of the Segment spec as events
 * (segment.com/docs/connections/spec/ecommerce/v2).
 *
 *   Product Viewed             one pv    from properties
 *   Product Added              one cart  from properties
 *   Product Added to Wishlist  one fav   from properties
 *   Order Completed            one buy   from each of properties.products, in their order
 *
 * The item is product_id, else sku; the time is timestamp, else originalTimestamp, else sentAt; the
 * event id is messageId (with the product's index in an order, so that a redelivered order is known
 * again product by product). Any other track call is refused by name.
 *
 * Consent is taken from context.consent.categoryPreferences of any of them: "Advertising" is that to
 * marketing, "Personalization" that to personalization, "Processing" that to being processed at all. */
#include <string.h>

#include "state/record.h"
#include "stream/decode.h"

enum source { FROM_PROPERTIES, FROM_PRODUCTS };

static const struct call {
    const char *name;
    enum shoal_behavior behavior;
    enum source source;
} calls[] = {
    {"Product Viewed", SHOAL_PV, FROM_PROPERTIES},
    {"Product Added", SHOAL_CART, FROM_PROPERTIES},
    {"Product Added to Wishlist", SHOAL_FAV, FROM_PROPERTIES},
    {"Order Completed", SHOAL_BUY, FROM_PRODUCTS},
};

static enum shoal_status find_call(const struct shoal_value *name, const struct call **call,
                                   struct shoal_message *why)
{
    if (name->type == SHOAL_VALUE_NONE)
        return shoal_fail(why, SHOAL_MISSING_FIELD, "track call without field 'event'");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (name->type == SHOAL_VALUE_TEXT && strlen(calls[i].name) == name->size &&
            memcmp(calls[i].name, name->text, name->size) == 0) {
            *call = &calls[i];
            return SHOAL_OK;
        }
    }
    char quoted[SHOAL_QUOTE_BYTES];
    return shoal_fail(why, SHOAL_BAD_BEHAVIOR, "track call %s is none that is used",
                      shoal_value_quote(name, quoted));
}

static enum shoal_status set_time(const struct shoal_fields *fields, struct shoal_event *event,
                                  struct shoal_message *why)
{
    static const struct {
        enum shoal_field field;
        const char *name;
    } fallbacks[] = {
        {SHOAL_FIELD_ORIGINAL_TIMESTAMP, "originalTimestamp"},
        {SHOAL_FIELD_SENT_AT, "sentAt"},
    };
    for (size_t i = 0; i < 2 && fields->top[SHOAL_FIELD_TIMESTAMP].type == SHOAL_VALUE_NONE; i++) {
        const struct shoal_value *value = &fields->top[fallbacks[i].field];
        if (value->type != SHOAL_VALUE_NONE)
            return shoal_event_set_time(event, value, fallbacks[i].name, why);
    }
    return shoal_event_set_time(event, &fields->top[SHOAL_FIELD_TIMESTAMP], "timestamp", why);
}

static enum shoal_status set_consent(const struct shoal_fields *fields, struct shoal_event *event,
                                     struct shoal_message *why)
{
    static const struct {
        enum shoal_field field;
        enum shoal_consent consent;
        const char *name;
    } preferences[] = {
        {SHOAL_FIELD_PREFERS_ADVERTISING, SHOAL_CONSENT_MARKETING,
         "context.consent.categoryPreferences.Advertising"},
        {SHOAL_FIELD_PREFERS_PERSONALIZATION, SHOAL_CONSENT_PERSONALIZATION,
         "context.consent.categoryPreferences.Personalization"},
        {SHOAL_FIELD_PREFERS_PROCESSING, SHOAL_CONSENT_PROCESSING,
         "context.consent.categoryPreferences.Processing"},
    };
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences && status == SHOAL_OK; i++)
        status = shoal_event_add_consent(event, &fields->top[preferences[i].field],
                                         preferences[i].consent, preferences[i].name, why);
    return status;
}

static enum shoal_status set_product(const struct shoal_fields *fields,
                                     const struct shoal_product *product, struct shoal_event *event,
                                     struct shoal_message *why)
{
    const struct shoal_value *values = product->values;
    bool has_id = values[SHOAL_PRODUCT_ID].type != SHOAL_VALUE_NONE;
    bool has_sku = values[SHOAL_PRODUCT_SKU].type != SHOAL_VALUE_NONE;
    bool use_sku = !has_id && has_sku;
    enum shoal_status status;
    if ((status =
             shoal_event_set_item(event, &values[use_sku ? SHOAL_PRODUCT_SKU : SHOAL_PRODUCT_ID],
                                  use_sku ? "sku" : "product_id", why)) != SHOAL_OK ||
        (status = shoal_event_set_category(event, &values[SHOAL_PRODUCT_CATEGORY], "category",
                                           why)) != SHOAL_OK ||
        (status = shoal_event_set_price(event, &values[SHOAL_PRODUCT_PRICE],
                                        &values[SHOAL_PRODUCT_QUANTITY], why)) != SHOAL_OK)
        return status;
    return shoal_event_set_id(event, &fields->top[SHOAL_FIELD_MESSAGE_ID], "messageId", why);
}

static enum shoal_status set_order(const struct shoal_fields *fields, struct shoal_event *events,
                                   size_t *count, struct shoal_message *why)
{
    if (fields->products_bad)
        return shoal_fail(why, SHOAL_BAD_FIELD,
                          "field 'properties.products' is not a list of maps");
    if (fields->products_count == 0)
        return shoal_fail(why, SHOAL_MISSING_FIELD,
                          "field 'properties.products' is missing or empty");
    if (fields->products_count > SHOAL_EVENTS_PER_MESSAGE_MAX)
        return shoal_fail(why, SHOAL_BAD_FIELD, "an order of %u products, at most %d are taken",
                          fields->products_count, SHOAL_EVENTS_PER_MESSAGE_MAX);
    const struct shoal_event pattern = events[0];
    for (uint32_t i = 0; i < fields->products_count; i++) {
        events[i] = pattern;
        events[i].part = i;
        enum shoal_status status = set_product(fields, &fields->products[i], &events[i], why);
        if (status != SHOAL_OK)
            return status;
    }
    *count = fields->products_count;
    return SHOAL_OK;
}

enum shoal_status shoal_segment_events(const struct shoal_fields *fields,
                                       struct shoal_event *events, size_t *count,
                                       struct shoal_message *why)
{
    const struct call *call = NULL;
    enum shoal_status status = find_call(&fields->top[SHOAL_FIELD_EVENT], &call, why);
    if (status == SHOAL_OK)
        status = set_time(fields, &events[0], why);
    if (status == SHOAL_OK)
        status = set_consent(fields, &events[0], why);
    if (status != SHOAL_OK)
        return status;
    events[0].touch.behavior = (uint8_t)call->behavior;
    if (call->source == FROM_PRODUCTS)
        return set_order(fields, events, count, why);
    *count = 1;
    return set_product(fields, &fields->properties, &events[0], why);
}
