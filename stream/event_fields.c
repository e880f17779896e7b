/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys a message may have and where their values go; see event_fields.h. */
#include "stream/event_fields.h"

#include <string.h>

void shoal_fields_clear(struct shoal_fields *fields)
{
    memset(fields, 0, offsetof(struct shoal_fields, products));
}

/* Compared by length first, so that a lookup costs one or two comparisons of known length. */
#define IS(literal) (memcmp(key, literal, sizeof literal - 1) == 0)

static int top_field(const char *key, size_t size)
{
    switch (size) {
    case 4:
        return IS("type") ? SHOAL_FIELD_TYPE : -1;
    case 5:
        return IS("price") ? SHOAL_FIELD_PRICE : IS("event") ? SHOAL_FIELD_EVENT : -1;
    case 6:
        return IS("userId") ? SHOAL_FIELD_SEGMENT_USER : IS("sentAt") ? SHOAL_FIELD_SENT_AT : -1;
    case 7:
        return IS("user_id") ? SHOAL_FIELD_USER_ID : IS("item_id") ? SHOAL_FIELD_ITEM_ID : -1;
    case 8:
        return IS("behavior")   ? SHOAL_FIELD_BEHAVIOR
               : IS("event_id") ? SHOAL_FIELD_EVENT_ID
               : IS("quantity") ? SHOAL_FIELD_QUANTITY
               : IS("exposure") ? SHOAL_FIELD_EXPOSURE
                                : -1;
    case 9:
        return IS("timestamp")   ? SHOAL_FIELD_TIMESTAMP
               : IS("messageId") ? SHOAL_FIELD_MESSAGE_ID
                                 : -1;
    case 11:
        return IS("category_id")   ? SHOAL_FIELD_CATEGORY_ID
               : IS("anonymousId") ? SHOAL_FIELD_ANONYMOUS_ID
                                   : -1;
    case 12:
        return IS("promotion_id") ? SHOAL_FIELD_PROMOTION_ID : -1;
    case 17:
        return IS("originalTimestamp")   ? SHOAL_FIELD_ORIGINAL_TIMESTAMP
               : IS("consent_marketing") ? SHOAL_FIELD_CONSENT_MARKETING
                                         : -1;
    case 18:
        return IS("consent_processing") ? SHOAL_FIELD_CONSENT_PROCESSING : -1;
    case 23:
        return IS("consent_personalization") ? SHOAL_FIELD_CONSENT_PERSONALIZATION : -1;
    default:
        return -1;
    }
}

static int product_field(const char *key, size_t size)
{
    switch (size) {
    case 3:
        return IS("sku") ? SHOAL_PRODUCT_SKU : -1;
    case 5:
        return IS("price") ? SHOAL_PRODUCT_PRICE : -1;
    case 8:
        return IS("category")   ? SHOAL_PRODUCT_CATEGORY
               : IS("quantity") ? SHOAL_PRODUCT_QUANTITY
                                : -1;
    case 10:
        return IS("product_id") ? SHOAL_PRODUCT_ID : -1;
    default:
        return -1;
    }
}

static struct shoal_value *find_in_product(struct shoal_product *product, const char *key,
                                           size_t size)
{
    int field = product_field(key, size);
    return field < 0 ? NULL : &product->values[field];
}

static void clear_preferences(struct shoal_fields *fields)
{
    fields->top[SHOAL_FIELD_PREFERS_ADVERTISING] = (struct shoal_value){0};
    fields->top[SHOAL_FIELD_PREFERS_PERSONALIZATION] = (struct shoal_value){0};
    fields->top[SHOAL_FIELD_PREFERS_PROCESSING] = (struct shoal_value){0};
}

/* context.consent.categoryPreferences.Advertising, step by step. */
static struct shoal_value *find_preference(struct shoal_fields *fields, enum shoal_level level,
                                           const char *key, size_t size, enum shoal_level *inside)
{
    if (level == SHOAL_LEVEL_PREFERENCES) {
        if (size == 11 && IS("Advertising"))
            return &fields->top[SHOAL_FIELD_PREFERS_ADVERTISING];
        if (size == 15 && IS("Personalization"))
            return &fields->top[SHOAL_FIELD_PREFERS_PERSONALIZATION];
        if (size == 10 && IS("Processing"))
            return &fields->top[SHOAL_FIELD_PREFERS_PROCESSING];
        return NULL;
    }
    if (level == SHOAL_LEVEL_CONTEXT && size == 7 && IS("consent"))
        *inside = SHOAL_LEVEL_CONSENT;
    if (level == SHOAL_LEVEL_CONSENT && size == 19 && IS("categoryPreferences"))
        *inside = SHOAL_LEVEL_PREFERENCES;
    if (*inside != SHOAL_LEVEL_IGNORED)
        clear_preferences(fields);
    return NULL;
}

/* Containers have nothing to fill of their own: a repeat of the key starts them afresh, and anything but
 * the right kind of container leaves them empty. */
struct shoal_value *shoal_fields_find(struct shoal_fields *fields, enum shoal_level level,
                                      const char *key, size_t size, enum shoal_level *inside)
{
    *inside = SHOAL_LEVEL_IGNORED;
    if (level == SHOAL_LEVEL_TOP) {
        int field = top_field(key, size);
        if (field >= 0)
            return &fields->top[field];
        if (size == 10 && IS("properties")) {
            *inside = SHOAL_LEVEL_PROPERTIES;
            fields->properties = (struct shoal_product){0};
            fields->products_count = 0;
            fields->products_bad = false;
        } else if (size == 7 && IS("context")) {
            *inside = SHOAL_LEVEL_CONTEXT;
            clear_preferences(fields);
        }
        return NULL;
    }
    if (level >= SHOAL_LEVEL_CONTEXT)
        return find_preference(fields, level, key, size, inside);
    if (level == SHOAL_LEVEL_PROPERTIES) {
        if (size == 8 && IS("products")) {
            *inside = SHOAL_LEVEL_PRODUCTS;
            fields->products_count = 0;
            fields->products_bad = false;
            return NULL;
        }
        return find_in_product(&fields->properties, key, size);
    }
    if (level == SHOAL_LEVEL_PRODUCT)
        return find_in_product(&fields->products[fields->products_count - 1], key, size);
    return NULL;
}

enum shoal_level shoal_fields_enter(struct shoal_fields *fields, enum shoal_level inside,
                                    bool is_list)
{
    if ((inside == SHOAL_LEVEL_PROPERTIES || inside >= SHOAL_LEVEL_CONTEXT) && !is_list)
        return inside;
    if (inside == SHOAL_LEVEL_PRODUCTS) {
        if (is_list)
            return SHOAL_LEVEL_PRODUCTS;
        fields->products_bad = true;
    }
    return SHOAL_LEVEL_IGNORED;
}

enum shoal_level shoal_fields_element(struct shoal_fields *fields, bool is_map)
{
    if (!is_map) {
        fields->products_bad = true;
        return SHOAL_LEVEL_IGNORED;
    }
    fields->products_count++;
    if (fields->products_count > SHOAL_EVENTS_PER_MESSAGE_MAX)
        return SHOAL_LEVEL_IGNORED;
    fields->products[fields->products_count - 1] = (struct shoal_product){0};
    return SHOAL_LEVEL_PRODUCT;
}

bool shoal_fields_is_track(const struct shoal_fields *fields)
{
    const struct shoal_value *type = &fields->top[SHOAL_FIELD_TYPE];
    return type->type == SHOAL_VALUE_TEXT && type->size == 5 && memcmp(type->text, "track", 5) == 0;
}

bool shoal_user_is_valid(const char *text, size_t size)
{
    return size >= 1 && size <= 64 && shoal_text_is_clean(text, size);
}

static enum shoal_status check_user(const struct shoal_value *value, const char *name,
                                    char digits[24], const char **text, size_t *size,
                                    struct shoal_message *why)
{
    char quoted[SHOAL_QUOTE_BYTES];
    if (!shoal_value_id(value, digits, text, size))
        return shoal_fail(why, SHOAL_BAD_FIELD, "field '%s': %s is neither text nor an integer",
                          name, shoal_value_quote(value, quoted));
    if (*size == 0 || *size > 64)
        return shoal_fail(why, SHOAL_BAD_USER, "field '%s' has %zu bytes, must have 1 to 64", name,
                          *size);
    if (!shoal_text_is_clean(*text, *size))
        return shoal_fail(why, SHOAL_BAD_USER,
                          "field '%s': %s holds control characters or is not UTF-8", name,
                          shoal_value_quote(value, quoted));
    return SHOAL_OK;
}

enum shoal_status shoal_fields_user(const struct shoal_fields *fields, bool is_track,
                                    char digits[24], const char **text, size_t *size,
                                    struct shoal_message *why)
{
    const struct shoal_value *top = fields->top;
    if (!is_track) {
        if (top[SHOAL_FIELD_USER_ID].type == SHOAL_VALUE_NONE)
            return shoal_fail(why, SHOAL_MISSING_FIELD, "field 'user_id' is missing");
        return check_user(&top[SHOAL_FIELD_USER_ID], "user_id", digits, text, size, why);
    }
    if (top[SHOAL_FIELD_SEGMENT_USER].type != SHOAL_VALUE_NONE)
        return check_user(&top[SHOAL_FIELD_SEGMENT_USER], "userId", digits, text, size, why);
    if (top[SHOAL_FIELD_ANONYMOUS_ID].type != SHOAL_VALUE_NONE)
        return check_user(&top[SHOAL_FIELD_ANONYMOUS_ID], "anonymousId", digits, text, size, why);
    return shoal_fail(why, SHOAL_MISSING_FIELD, "fields 'userId' and 'anonymousId' are missing");
}
